//! What a stream amounts to: the decoder's events, counted and let go.
//!
//! Google sends few and large events, so reading them whole costs little, and the count cannot differ
//! from what a translation would have passed on.

use super::Decode;
use crate::dialect::ir::{Delta, Event};
use crate::dialect::meter::Tally;

/// Watches a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Watch {
    pub(in crate::dialect) tally: Tally,
    decode: Decode,
    events: Vec<Event>,
}

impl Watch {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, data: &str) {
        if self.tally.error.is_some() {
            return;
        }
        self.decode.event(data, &mut self.events);
        self.count();
    }

    /// The tally, and whether a body that ends here was complete.
    pub(in crate::dialect) fn finish(mut self) -> (Tally, bool) {
        let complete = self.tally.error.is_none() && self.decode.is_complete();
        if complete {
            // What was held back until the end.
            self.decode.end(&mut self.events);
            self.count();
        }
        (self.tally, complete)
    }

    fn count(&mut self) {
        let tally = &mut self.tally;
        for event in self.events.drain(..) {
            match event {
                Event::Start { model, .. } => tally.model = model,
                Event::BlockStart { .. } => tally.content_started = true,
                Event::Delta { delta: Delta::Text(text) | Delta::Arguments(text), .. } => tally.produced(text.len()),
                Event::Usage(usage) => tally.usage = Some(usage),
                Event::Error(error) => tally.fail(error),
                Event::Delta { delta: Delta::Signature(_) | Delta::Citation(_) | Delta::Opaque(_), .. }
                | Event::BlockStop { .. }
                | Event::Logprobs { .. }
                | Event::Finish { .. }
                | Event::End => {}
            }
        }
    }
}
