//! A stream told as a whole answer: for a dialect whose whole answer is a stream of one event.

use super::{Arguments, BlockKind, ChatResponse, Choice, Delta, Event, Part};
use crate::dialect::ProviderDialect;

impl ChatResponse {
    /// The answer that these events brought. Events that fail bring the answer up to there.
    pub fn from_events(origin: ProviderDialect, events: Vec<Event>) -> ChatResponse {
        let mut response = ChatResponse {
            origin,
            id: None,
            model: None,
            created: None,
            choices: Vec::new(),
            usage: None,
            service_tier: None,
            extra: Vec::new(),
        };
        // Where a block's part stands among its choice's: blocks may overlap.
        let mut places: Vec<(u64, u64, usize)> = Vec::new();
        let find = |places: &[(u64, u64, usize)], choice, block| {
            places.iter().rfind(|known| (known.0, known.1) == (choice, block)).map_or(usize::MAX, |known| known.2)
        };
        for event in events {
            match event {
                Event::Start { id, model } => (response.id, response.model) = (id, model),
                Event::BlockStart { choice, block, kind } => response.with(choice, |it| {
                    places.push((choice, block, it.content.len()));
                    it.content.push(part_of(kind));
                }),
                Event::Delta { choice, block, delta } => {
                    let place = find(&places, choice, block);
                    response.with(choice, |it| it.content.get_mut(place).map(|part| grow(part, delta)));
                }
                Event::BlockStop { choice, block } => {
                    let place = find(&places, choice, block);
                    response.with(choice, |it| it.content.get_mut(place).map(complete));
                }
                Event::Logprobs { choice, json } => response.with(choice, |it| it.logprobs = Some(json)),
                Event::Finish { choice, reason } => response.with(choice, |it| it.finish = Some(reason)),
                Event::Usage(usage) => response.usage = Some(usage),
                Event::Error(_) | Event::End => {}
            }
        }
        response
    }

    /// Works on a choice, made if it is new.
    fn with<T>(&mut self, index: u64, work: impl FnOnce(&mut Choice) -> T) -> T {
        if let Some(choice) = self.choices.iter_mut().find(|choice| choice.index == index) {
            return work(choice);
        }
        let mut choice = Choice { index, content: Vec::new(), finish: None, logprobs: None, extra: Vec::new() };
        let done = work(&mut choice);
        self.choices.push(choice);
        done
    }
}

fn part_of(kind: BlockKind) -> Part {
    match kind {
        BlockKind::Text => Part::text(""),
        BlockKind::Refusal => Part::Refusal(String::new()),
        BlockKind::Thinking => Part::Thinking { text: String::new(), signature: None },
        BlockKind::RedactedThinking(seal) => Part::RedactedThinking(seal),
        BlockKind::ToolCall { id, name } => {
            Part::ToolCall { id, name, arguments: Arguments::Text(String::new()), cache: None }
        }
        BlockKind::Opaque { origin, json } => Part::Opaque { origin, kind: String::new(), json },
    }
}

fn grow(part: &mut Part, delta: Delta) {
    match (part, delta) {
        (Part::Text { text, .. } | Part::Refusal(text) | Part::Thinking { text, .. }, Delta::Text(piece)) => {
            text.push_str(&piece);
        }
        (Part::Text { citations, .. }, Delta::Citation(citation)) => citations.push(citation),
        (Part::Thinking { signature: Some(signature), .. }, Delta::Signature(piece)) => {
            signature.text.push_str(&piece.text);
        }
        (Part::Thinking { signature, .. }, Delta::Signature(piece)) => *signature = Some(piece),
        (Part::ToolCall { arguments: Arguments::Text(text), .. }, Delta::Arguments(piece)) => text.push_str(&piece),
        (_, Delta::Text(_) | Delta::Signature(_) | Delta::Arguments(_) | Delta::Citation(_) | Delta::Opaque(_)) => {}
    }
}

/// The pieces of a call's arguments are one JSON value, or were meant to be.
fn complete(part: &mut Part) {
    if let Part::ToolCall { arguments, .. } = part {
        *arguments = Arguments::from_text(arguments.as_text());
    }
}
