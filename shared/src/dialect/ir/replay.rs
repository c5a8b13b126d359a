//! A whole answer told as a stream: for a provider that answers whole although it was asked to stream.

use super::{Arguments, BlockKind, ChatResponse, Choice, Delta, Event, FinishReason, Part};

impl ChatResponse {
    /// The events that a stream of this answer would have brought.
    pub fn into_events(self) -> Vec<Event> {
        let mut events = vec![Event::Start { id: self.id, model: self.model }];
        for choice in self.choices {
            tell(choice, &mut events);
        }
        events.extend(self.usage.map(Event::Usage));
        events.push(Event::End);
        events
    }
}

fn tell(choice: Choice, events: &mut Vec<Event>) {
    let index = choice.index;
    let mut calls = false;
    for (block, part) in (0..).zip(choice.content) {
        let Some((kind, deltas)) = block_of(part) else { continue };
        calls |= matches!(kind, BlockKind::ToolCall { .. });
        events.push(Event::BlockStart { choice: index, block, kind });
        events.extend(deltas.into_iter().map(|delta| Event::Delta { choice: index, block, delta }));
        events.push(Event::BlockStop { choice: index, block });
    }
    events.extend(choice.logprobs.map(|json| Event::Logprobs { choice: index, json }));
    let reason = choice.finish.unwrap_or(if calls { FinishReason::ToolCalls } else { FinishReason::Stop });
    events.push(Event::Finish { choice: index, reason });
}

/// What a part is as a block, and what fills it. Parts that only requests have are none.
fn block_of(part: Part) -> Option<(BlockKind, Vec<Delta>)> {
    Some(match part {
        Part::Text { text, citations, .. } => {
            let cited = citations.into_iter().map(Delta::Citation);
            (BlockKind::Text, std::iter::once(Delta::Text(text)).chain(cited).collect())
        }
        Part::Refusal(text) => (BlockKind::Refusal, vec![Delta::Text(text)]),
        Part::Thinking { text, signature } => {
            let sealed = signature.map(Delta::Signature);
            (BlockKind::Thinking, std::iter::once(Delta::Text(text)).chain(sealed).collect())
        }
        Part::RedactedThinking(seal) => (BlockKind::RedactedThinking(seal), Vec::new()),
        Part::ToolCall { id, name, arguments, .. } => {
            let text = match arguments {
                Arguments::Json(json) => json.text().to_owned(),
                Arguments::Text(text) => text,
            };
            (BlockKind::ToolCall { id, name }, vec![Delta::Arguments(text)])
        }
        Part::Opaque { origin, json, .. } => (BlockKind::Opaque { origin, json }, Vec::new()),
        Part::Media(_) | Part::ToolResult { .. } => return None,
    })
}
