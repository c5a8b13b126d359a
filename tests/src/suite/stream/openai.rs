//! A chat completion stream, put together.

use serde_json::{Map, Value, json};

use super::{Event, arguments, text};

#[derive(Default)]
struct Chat {
    id: Option<Value>,
    message: Map<String, Value>,
    calls: Vec<Value>,
    finish: Value,
    usage: Value,
    error: Value,
    done: bool,
    violations: Vec<String>,
}

pub(super) fn assemble(events: &[Event]) -> Value {
    let mut chat = Chat::default();
    for event in events {
        chat.event(event);
    }
    chat.value(events.len())
}

impl Chat {
    fn event(&mut self, event: &Event) {
        if self.done {
            self.violations.push(format!("an event after [DONE]: {}", event.data));
        }
        if event.data == "[DONE]" {
            self.done = true;
            return;
        }
        let Ok(chunk) = serde_json::from_str::<Value>(&event.data) else {
            self.violations.push(format!("data that is no JSON: {}", event.data));
            return;
        };
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            self.error = chunk;
            return;
        }
        if text(&chunk, "object") != "chat.completion.chunk" {
            self.violations.push(format!("not a chat.completion.chunk: {}", event.data));
        }
        let id = chunk.get("id").cloned();
        if id.is_none() || self.id.as_ref().is_some_and(|first| Some(first) != id.as_ref()) {
            self.violations.push(format!("no id, or another one: {}", event.data));
        }
        self.id = self.id.take().or(id);
        if let Some(usage) = chunk.get("usage").filter(|usage| !usage.is_null()) {
            self.usage = usage.clone();
        }
        let Some(choices) = chunk.get("choices").and_then(Value::as_array) else {
            self.violations.push(format!("no choices: {}", event.data));
            return;
        };
        for choice in choices.iter().filter(|choice| choice.get("index") == Some(&json!(0))) {
            if let Some(finish) = choice.get("finish_reason").filter(|finish| !finish.is_null()) {
                self.finish = finish.clone();
            }
            for (name, value) in choice.get("delta").and_then(Value::as_object).into_iter().flatten() {
                self.delta(name, value);
            }
        }
    }

    /// Texts are joined, lists appended, anything else replaced.
    fn delta(&mut self, name: &str, value: &Value) {
        if name == "tool_calls" {
            for call in value.as_array().into_iter().flatten() {
                self.call(call);
            }
            return;
        }
        match (self.message.get_mut(name), value) {
            (Some(Value::String(all)), Value::String(piece)) if name != "role" => all.push_str(piece),
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more.iter().cloned()),
            (Some(_), Value::Null) => {}
            _ => drop(self.message.insert(name.to_owned(), value.clone())),
        }
    }

    fn call(&mut self, piece: &Value) {
        let index = piece.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
        let Some(index) = index.filter(|index| *index <= self.calls.len()) else {
            self.violations.push(format!("a tool call with a wrong index: {piece}"));
            return;
        };
        if index == self.calls.len() {
            if text(piece, "id").is_empty() || piece.pointer("/function/name").is_none() {
                self.violations.push(format!("a tool call that begins without id or name: {piece}"));
            }
            let name = piece.pointer("/function/name").cloned().unwrap_or_default();
            self.calls.push(
                json!({"id": text(piece, "id"), "type": "function", "function": {"name": name, "arguments": ""}}),
            );
        }
        let more = piece.pointer("/function/arguments").and_then(Value::as_str).unwrap_or_default();
        if let Some(Value::String(all)) =
            self.calls.get_mut(index).and_then(|call| call.pointer_mut("/function/arguments"))
        {
            all.push_str(more);
        }
    }

    fn value(mut self, events: usize) -> Value {
        let calls: Vec<Value> = self
            .calls
            .iter()
            .map(|call| {
                let function = call.get("function").cloned().unwrap_or_default();
                json!({"id": call.get("id"), "name": function.get("name"), "arguments": arguments(text(&function, "arguments"))})
            })
            .collect();
        if !self.calls.is_empty() {
            self.message.insert("tool_calls".to_owned(), json!(self.calls));
        }
        let message = Value::Object(self.message);
        let thinking =
            ["reasoning_content", "reasoning"].iter().map(|name| text(&message, name)).find(|text| !text.is_empty());
        json!({
            "text": text(&message, "content"),
            "thinking": thinking.unwrap_or_default(),
            "refusal": text(&message, "refusal"),
            "tool_calls": calls,
            "finish": self.finish,
            "usage": self.usage,
            "error": self.error,
            "done": self.done,
            "events": events,
            "violations": self.violations,
            "id": self.id,
            "message": message,
        })
    }
}
