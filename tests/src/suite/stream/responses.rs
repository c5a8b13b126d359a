//! A Responses stream, put together: the items from their events, held against the answer at its end.

use serde_json::{Value, json};

use super::{Event, arguments, text};

#[derive(Default)]
struct Response {
    head: Value,
    items: Vec<Item>,
    end: Value,
    kind: String,
    error: Value,
    violations: Vec<String>,
}

struct Item {
    value: Value,
    open: bool,
}

pub(super) fn assemble(events: &[Event]) -> Value {
    let mut response = Response::default();
    for (number, event) in events.iter().enumerate() {
        response.event(number, event);
    }
    response.value(events.len())
}

impl Response {
    fn violation(&mut self, what: &str, event: &Event) {
        self.violations.push(format!("{what}: {}", event.data));
    }

    fn event(&mut self, number: usize, event: &Event) {
        if !self.end.is_null() {
            self.violation("an event after the last", event);
        }
        let Ok(data) = serde_json::from_str::<Value>(&event.data) else {
            return self.violation("data that is no JSON", event);
        };
        let kind = text(&data, "type");
        if event.name != kind {
            self.violation("the event's name is not its type", event);
        }
        let counted = data.get("sequence_number").and_then(Value::as_u64);
        // An error may come from somebody who did not count.
        if counted != u64::try_from(number).ok() && !(kind == "error" && counted.is_none()) {
            self.violation("a number out of turn", event);
        }
        if self.head.is_null() && !matches!(kind, "response.created" | "error") {
            self.violation("before response.created", event);
        }
        let grown = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind {
            "response.created" => self.head = data.get("response").cloned().unwrap_or_default(),
            "response.output_item.added" => {
                if index(&data, "output_index") != Some(self.items.len()) {
                    self.violation("an item out of turn", event);
                }
                self.items.push(Item { value: data.get("item").cloned().unwrap_or_default(), open: true });
            }
            "response.content_part.added" => self.part(&data, "content", "content_index", event),
            "response.reasoning_summary_part.added" => self.part(&data, "summary", "summary_index", event),
            "response.output_text.delta" => {
                self.grow(&data, "content", "content_index", "text", &grown("delta"), event)
            }
            "response.refusal.delta" => self.grow(&data, "content", "content_index", "refusal", &grown("delta"), event),
            "response.reasoning_summary_text.delta" => {
                self.grow(&data, "summary", "summary_index", "text", &grown("delta"), event);
            }
            "response.function_call_arguments.delta" => {
                match self.open(&data).and_then(|item| item.get_mut("arguments")) {
                    Some(Value::String(all)) => all.push_str(&grown("delta")),
                    _ => self.violation("arguments of no open call", event),
                }
            }
            "response.output_item.done" => self.done(&data, event),
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.end = data.get("response").cloned().unwrap_or_default();
                kind.clone_into(&mut self.kind);
                let items: Vec<&Value> = self.items.iter().map(|item| &item.value).collect();
                if kind != "response.failed" && self.end.get("output") != Some(&json!(items)) {
                    self.violation("the answer is not what its events told", event);
                }
                if self.items.iter().any(|item| item.open) {
                    self.violation("an item is still open", event);
                }
            }
            "error" => self.error = data,
            // What else there is says no more than this.
            _ => {}
        }
    }

    fn open(&mut self, data: &Value) -> Option<&mut Value> {
        let item = self.items.get_mut(index(data, "output_index")?).filter(|item| item.open)?;
        (item.value.get("id") == data.get("item_id")).then_some(&mut item.value)
    }

    fn part(&mut self, data: &Value, list: &str, at: &str, event: &Event) {
        let place = index(data, at);
        match self.open(data).and_then(|item| item.get_mut(list)) {
            Some(Value::Array(parts)) if place == Some(parts.len()) => {
                parts.push(data.get("part").cloned().unwrap_or_default());
            }
            _ => self.violation("a part out of turn", event),
        }
    }

    fn grow(&mut self, data: &Value, list: &str, at: &str, member: &str, piece: &str, event: &Event) {
        let part = index(data, at);
        let part = self.open(data).and_then(|item| item.get_mut(list)?.get_mut(part?)?.get_mut(member));
        match part {
            Some(Value::String(all)) => all.push_str(piece),
            _ => self.violation("words of no open part", event),
        }
    }

    /// An item as it ended says what its events said.
    fn done(&mut self, data: &Value, event: &Event) {
        let ended = data.get("item").cloned().unwrap_or_default();
        let Some(item) = index(data, "output_index").and_then(|place| self.items.get_mut(place)) else {
            return self.violation("the end of no item", event);
        };
        let said = words(&item.value) == words(&ended) && item.value.get("arguments") == ended.get("arguments");
        let ours = ["message", "function_call"].contains(&text(&ended, "type"));
        let once = std::mem::replace(&mut item.open, false);
        item.value = ended;
        if !once || (ours && !said) {
            self.violation("an item that ends as it did not come", event);
        }
    }

    fn value(self, events: usize) -> Value {
        let items: Vec<Value> = self.items.into_iter().map(|item| item.value).collect();
        let of = |kind: &'static str| items.iter().filter(move |item| text(item, "type") == kind);
        let calls: Vec<Value> = of("function_call")
            .map(|call| json!({"id": call.get("call_id"), "name": call.get("name"), "arguments": arguments(text(call, "arguments"))}))
            .collect();
        let reason = self.end.pointer("/incomplete_details/reason").cloned();
        let done = ["response.completed", "response.incomplete"].contains(&self.kind.as_str());
        json!({
            "text": of("message").map(|item| parts(item, "content", "text")).collect::<String>(),
            "thinking": of("reasoning").map(|item| parts(item, "summary", "text")).collect::<String>(),
            "refusal": of("message").map(|item| parts(item, "content", "refusal")).collect::<String>(),
            "tool_calls": calls,
            "finish": reason.filter(|reason| !reason.is_null()).unwrap_or_else(|| self.end.get("status").cloned().unwrap_or_default()),
            "usage": self.end.get("usage"),
            "error": self.error,
            "done": done,
            "events": events,
            "violations": self.violations,
            "id": self.head.get("id"),
            "model": self.head.get("model"),
            "message": items,
        })
    }
}

fn index(data: &Value, name: &str) -> Option<usize> {
    usize::try_from(data.get(name)?.as_u64()?).ok()
}

fn parts(item: &Value, list: &str, member: &str) -> String {
    let parts = item.get(list).and_then(Value::as_array).into_iter().flatten();
    parts.map(|part| text(part, member)).collect()
}

fn words(item: &Value) -> [String; 2] {
    [parts(item, "content", "text"), parts(item, "content", "refusal")]
}
