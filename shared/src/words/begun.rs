//! What a caller has heard begin of an answer and not end, so that an answer which is refused midway can be ended properly.

use crate::dialect::ir::{Event, FinishReason};
use crate::sorted::SortedSet;

/// The blocks and choices of an answer that are under way.
#[derive(Debug, Default)]
pub(super) struct Begun {
    blocks: SortedSet<(u64, u64)>,
    choices: SortedSet<u64>,
}

impl Begun {
    /// Takes note of an event that goes on to the caller.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::BlockStart { choice, block, .. } => {
                self.blocks.insert((*choice, *block));
                self.choices.insert(*choice);
            }
            Event::BlockStop { choice, block } => {
                self.blocks.remove(&(*choice, *block));
            }
            Event::Finish { choice, .. } => {
                self.choices.remove(choice);
            }
            Event::Start { .. }
            | Event::Delta { .. }
            | Event::Logprobs { .. }
            | Event::Usage(_)
            | Event::End
            | Event::Error(_) => {}
        }
    }

    /// A choice of which nothing goes on is to be ended all the same.
    pub(super) fn choice(&mut self, choice: u64) {
        self.choices.insert(choice);
    }

    /// Ends all of it as a provider's own filter would.
    pub(super) fn refuse(&mut self, out: &mut Vec<Event>) {
        let Begun { blocks, choices } = std::mem::take(self);
        out.extend(blocks.into_iter().map(|(choice, block)| Event::BlockStop { choice, block }));
        let filtered = |choice| Event::Finish { choice, reason: FinishReason::ContentFilter };
        out.extend(choices.into_iter().map(filtered));
    }
}
