//! A messages stream, put together.

use serde_json::{Value, json};

use super::{Event, arguments, text};

#[derive(Default)]
struct Message {
    head: Value,
    /// Blocks as they stand, with the tool input as text until the block ends.
    blocks: Vec<Block>,
    stop: Value,
    stop_sequence: Value,
    usage: Value,
    error: Value,
    done: bool,
    violations: Vec<String>,
}

struct Block {
    value: Value,
    input: String,
    open: bool,
}

pub(super) fn assemble(events: &[Event]) -> Value {
    let mut message = Message::default();
    for event in events {
        message.event(event);
    }
    message.value(events.len())
}

impl Message {
    fn violation(&mut self, what: &str, event: &Event) {
        self.violations.push(format!("{what}: {}", event.data));
    }

    fn event(&mut self, event: &Event) {
        if self.done {
            self.violation("an event after message_stop", event);
        }
        let Ok(data) = serde_json::from_str::<Value>(&event.data) else {
            return self.violation("data that is no JSON", event);
        };
        let kind = text(&data, "type");
        if event.name != kind {
            self.violation("the event's name is not its type", event);
        }
        if self.head.is_null() && !matches!(kind, "message_start" | "ping" | "error") {
            self.violation("before message_start", event);
        }
        match kind {
            "message_start" => {
                self.head = data.get("message").cloned().unwrap_or_default();
                self.usage = self.head.get("usage").cloned().unwrap_or_default();
            }
            "content_block_start" => self.start(&data, event),
            "content_block_delta" => self.delta(&data, event),
            "content_block_stop" => match self.open_block(&data) {
                Some(block) => block.open = false,
                None => self.violation("a block that is not open", event),
            },
            "message_delta" => {
                let delta = |name: &str| data.pointer(&format!("/delta/{name}")).cloned().unwrap_or_default();
                self.stop = delta("stop_reason");
                self.stop_sequence = delta("stop_sequence");
                if let (Some(Value::Object(usage)), Value::Object(all)) = (data.get("usage"), &mut self.usage) {
                    all.extend(usage.clone());
                }
            }
            "message_stop" => {
                if self.blocks.iter().any(|block| block.open) {
                    self.violation("a block is still open", event);
                }
                self.done = true;
            }
            "error" => self.error = data,
            // Anthropic asks its clients to pass over types they do not know.
            _ => {}
        }
    }

    fn start(&mut self, data: &Value, event: &Event) {
        let index = data.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
        if index != Some(self.blocks.len()) || self.blocks.iter().any(|block| block.open) {
            self.violation("a block out of turn", event);
        }
        let value = data.get("content_block").cloned().unwrap_or_default();
        self.blocks.push(Block { value, input: String::new(), open: true });
    }

    fn open_block(&mut self, data: &Value) -> Option<&mut Block> {
        let index = data.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok())?;
        self.blocks.get_mut(index).filter(|block| block.open)
    }

    fn delta(&mut self, data: &Value, event: &Event) {
        let delta = data.get("delta").cloned().unwrap_or_default();
        let Some(block) = self.open_block(data) else {
            return self.violation("a delta of no open block", event);
        };
        let member = match text(&delta, "type") {
            "text_delta" => "text",
            "thinking_delta" => "thinking",
            "signature_delta" => "signature",
            "input_json_delta" => return block.input.push_str(text(&delta, "partial_json")),
            _ => return,
        };
        match block.value.get_mut(member) {
            Some(Value::String(all)) => all.push_str(text(&delta, member)),
            _ => {
                if let Some(members) = block.value.as_object_mut() {
                    members.insert(member.to_owned(), json!(text(&delta, member)));
                }
            }
        }
    }

    fn value(self, events: usize) -> Value {
        let content: Vec<Value> = self
            .blocks
            .into_iter()
            .map(|mut block| {
                if let (false, Some(members)) = (block.input.is_empty(), block.value.as_object_mut()) {
                    members.insert("input".to_owned(), arguments(&block.input));
                }
                block.value
            })
            .collect();
        let of = |kind: &'static str| content.iter().filter(move |block| text(block, "type") == kind);
        let calls: Vec<Value> = of("tool_use")
            .map(|call| json!({"id": call.get("id"), "name": call.get("name"), "arguments": call.get("input")}))
            .collect();
        json!({
            "text": of("text").map(|block| text(block, "text")).collect::<String>(),
            "thinking": of("thinking").map(|block| text(block, "thinking")).collect::<String>(),
            "refusal": "",
            "tool_calls": calls,
            "finish": self.stop,
            "stop_sequence": self.stop_sequence,
            "usage": self.usage,
            "error": self.error,
            "done": self.done,
            "events": events,
            "violations": self.violations,
            "id": self.head.get("id"),
            "model": self.head.get("model"),
            "message": {"role": "assistant", "content": content},
        })
    }
}
