//! What happens to a stream's bytes between the provider and the caller.

use super::tally::Tally;
use crate::dialect::ir::Event;
use crate::dialect::{Decoder, Encoder, Meter, Observed, State, Stripper, UpstreamError};
use crate::operation::passthrough;
use crate::words::{Denied, Guarded};
use bytes::Bytes;

/// From the provider's bytes to the caller's.
#[derive(Debug)]
pub(super) enum Transform {
    /// Same dialect: nothing happens. The meter only watches.
    Untouched(Box<Meter>),
    /// Same dialect, less the usage event, which we asked for and the caller did not.
    Stripped(Box<(Stripper, Meter)>),
    /// A call that is passed through: nothing happens. The meter looks for usage.
    Passed(Box<passthrough::Meter>),
    /// Another dialect.
    Translated(Box<Translation>),
}

/// From one dialect's events to another's.
#[derive(Debug)]
pub(super) struct Translation {
    pub(super) decoder: Decoder,
    pub(super) rewrite: Option<Guarded>,
    pub(super) encoder: Encoder,
    pub(super) tally: Tally,
}

impl Translation {
    /// Encodes the events that `read` gets out of the decoder.
    fn write(&mut self, read: impl FnOnce(&mut Decoder, &mut Vec<Event>)) -> Bytes {
        let (mut events, mut out) = (Vec::new(), Vec::new());
        read(&mut self.decoder, &mut events);
        // What was consumed is what the provider said, whatever the caller hears of it.
        events.iter().for_each(|event| self.tally.event(event));
        let heard = match &mut self.rewrite {
            Some(rewrite) => rewritten(rewrite, events),
            None => events,
        };
        heard.into_iter().for_each(|event| self.encoder.push(event, &mut out));
        out.into()
    }
}

/// What becomes of events.
pub(super) fn rewritten(rewrite: &mut Guarded, events: Vec<Event>) -> Vec<Event> {
    let mut heard = Vec::with_capacity(events.len());
    events.into_iter().for_each(|event| rewrite.event(event, &mut heard));
    heard
}

impl Transform {
    pub(super) fn is_untouched(&self) -> bool {
        match self {
            Transform::Untouched(_) | Transform::Passed(_) => true,
            Transform::Stripped(_) | Transform::Translated(_) => false,
        }
    }

    /// Whether it is an answer in a dialect, and not just bytes that are passed through.
    pub(super) fn is_chat(&self) -> bool {
        match self {
            Transform::Untouched(_) | Transform::Stripped(_) | Transform::Translated(_) => true,
            Transform::Passed(_) => false,
        }
    }

    /// Whether a failure may be told by an event of the caller's dialect.
    pub(super) fn has_events(&self) -> bool {
        match self {
            Transform::Untouched(_) | Transform::Stripped(_) | Transform::Translated(_) => true,
            Transform::Passed(meter) => meter.is_events(),
        }
    }

    /// What the caller gets for these bytes; may be nothing yet.
    pub(super) fn pass(&mut self, chunk: Bytes) -> Bytes {
        match self {
            Transform::Untouched(meter) => {
                meter.push(&chunk);
                chunk
            }
            Transform::Passed(meter) => {
                meter.push(&chunk);
                chunk
            }
            Transform::Stripped(both) => {
                let (stripper, meter) = both.as_mut();
                meter.push(&chunk);
                stripper.push(&chunk).into()
            }
            Transform::Translated(translation) => translation.write(|decoder, out| decoder.push(&chunk, out)),
        }
    }

    /// The provider's bytes have ended: what the caller still gets.
    pub(super) fn flush(&mut self) -> Bytes {
        match self {
            Transform::Untouched(_) | Transform::Passed(_) => Bytes::new(),
            Transform::Stripped(both) => both.0.finish().into(),
            Transform::Translated(translation) => translation.write(Decoder::finish),
        }
    }

    /// What judges the answer while it comes, if anybody does.
    fn guarded(&mut self) -> Option<&mut Guarded> {
        match self {
            Transform::Translated(translation) => translation.rewrite.as_mut(),
            Transform::Untouched(_) | Transform::Passed(_) | Transform::Stripped(_) => None,
        }
    }

    /// Whether a piece of the answer waits to be judged.
    pub(super) fn is_due(&mut self) -> bool {
        self.guarded().is_some_and(|guarded| guarded.is_due())
    }

    /// The texts of that piece.
    pub(super) fn piece(&mut self) -> Vec<String> {
        self.guarded().map(Guarded::due).unwrap_or_default()
    }

    /// What the caller gets of it once it was judged.
    pub(super) fn release(&mut self, judged: Result<Vec<String>, Denied>) -> Bytes {
        let (mut heard, mut out) = (Vec::new(), Vec::new());
        if let Transform::Translated(translation) = self {
            if let Some(guarded) = &mut translation.rewrite {
                guarded.release(judged, &mut heard);
            }
            heard.into_iter().for_each(|event| translation.encoder.push(event, &mut out));
        }
        out.into()
    }

    /// Notes bytes that went to the caller by another way.
    pub(super) fn watch(&mut self, bytes: &[u8]) {
        match self {
            Transform::Untouched(meter) => meter.push(bytes),
            Transform::Passed(meter) => meter.push(bytes),
            Transform::Stripped(_) | Transform::Translated(_) => {}
        }
    }

    /// How far the stream is.
    pub(super) fn state(&self) -> State {
        match self {
            Transform::Untouched(meter) => meter.state(),
            // Whatever comes may be content.
            Transform::Passed(_) => State::Streaming,
            Transform::Stripped(both) => both.1.state(),
            Transform::Translated(translation) => translation.tally.state(),
        }
    }

    /// Bytes of text, thoughts and arguments so far.
    pub(super) fn written(&self) -> u64 {
        match self {
            Transform::Untouched(meter) => meter.written(),
            Transform::Passed(_) => 0,
            Transform::Stripped(both) => both.1.written(),
            Transform::Translated(translation) => translation.tally.written(),
        }
    }

    /// The failure the provider told of, if it did.
    pub(super) fn error(&self) -> Option<&UpstreamError> {
        match self {
            Transform::Untouched(meter) => meter.error(),
            Transform::Passed(_) => None,
            Transform::Stripped(both) => both.1.error(),
            Transform::Translated(translation) => translation.tally.error(),
        }
    }

    /// What was seen, all in all.
    pub(super) fn finish(self) -> Observed {
        match self {
            Transform::Untouched(meter) => meter.finish(),
            Transform::Passed(meter) => meter.finish(),
            Transform::Stripped(both) => both.1.finish(),
            Transform::Translated(translation) => translation.tally.finish(),
        }
    }
}
