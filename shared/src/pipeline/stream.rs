//! An answer as it streams to the caller, settled on its end and on being dropped.

use super::Layers;
use super::cache::Keep;
use super::finish::Finish;
use super::outside;
use super::slices::{self, Flow, Slices};
use crate::dialect::Finish as Finished;
use crate::error::{ApiError, Code};
use crate::gateway::audit::Outcome;
use crate::ports::Clock;
use crate::proxy::failure::{Failure, Stage};
use crate::proxy::{Live, Next, Proxy};
use crate::units::{Millis, NanoUsd, Timestamp};
use crate::words::Words;
use bytes::Bytes;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;

/// How often a stream that waits for the ledger looks whether it has answered.
const PAUSE: Millis = Millis(10);

/// The events of one answer, pulled by the platform.
///
/// A platform delivers it in one of three ways. It pulls with [`next`](ReplyStream::next) until
/// `None`. Or, where its own timers and streams are cheaper than the core's, it reads the body itself
/// ([`opening`](ReplyStream::opening), [`pass`](ReplyStream::pass), [`flush`](ReplyStream::flush)) or,
/// when the caller gets the provider's bytes untouched, forwards it natively and shows the core a copy
/// ([`watch`](ReplyStream::watch)); both end with [`conclude`](ReplyStream::conclude). Dropping the
/// stream at any point cancels the provider's call and settles with what was seen.
pub struct ReplyStream<L: Layers> {
    layers: Arc<super::Pipeline<L>>,
    live: Live<<L::Proxy as Proxy>::Body>,
    finish: Option<Finish<L>>,
    context: StreamContext,
    keep: Option<Keep<L>>,
    /// What is reserved of it while it flows.
    slices: Option<Slices>,
    /// There is no more for it.
    spent: bool,
    ending: Ending,
}

/// What the end of a stream needs to know.
#[derive(Clone, Debug)]
pub(super) struct StreamContext {
    pub provider: String,
    pub request_id: String,
    pub idle: Millis,
    pub deadline: Timestamp,
    pub total: Millis,
    /// Who judges the answer while it comes, and what the user had asked.
    pub judges: Option<(Words, String)>,
}

impl<L: Layers> ReplyStream<L> {
    pub(super) fn new(
        layers: Arc<super::Pipeline<L>>,
        live: Live<<L::Proxy as Proxy>::Body>,
        finish: Finish<L>,
        context: StreamContext,
        (keep, slices): (Option<Keep<L>>, Option<Slices>),
    ) -> ReplyStream<L> {
        let (spent, ending) = (false, Ending::default());
        ReplyStream { layers, live, finish: Some(finish), context, keep, slices, spent, ending }
    }

    /// The next bytes for the caller; `None` at the end, by when the request is settled.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.step().await? {
                bytes if bytes.is_empty() => {}
                bytes => return Some(bytes),
            }
        }
    }

    /// The next bytes, if it is any.
    async fn step(&mut self) -> Option<Bytes> {
        self.finish.as_ref()?;
        let is_spent = self.is_spent().await;
        let clock = self.layers.layers.clock();
        let left = self.context.deadline.since(clock.now());
        let (stage, patience) =
            if left < self.context.idle { (Stage::Total, left) } else { (Stage::Idle, self.context.idle) };
        let next = if is_spent {
            Some(Next::End)
        } else {
            let next = pin!(self.live.next());
            let timer = pin!(clock.sleep(patience));
            match select(next, timer).await {
                Either::Left((next, _)) => Some(next),
                Either::Right(((), _)) => None,
            }
        };
        match next {
            // Something waits to be judged.
            Some(Next::Bytes(bytes)) if bytes.is_empty() => Some(self.judge().await),
            Some(Next::Bytes(bytes)) => Some(self.kept(bytes)),
            Some(Next::End) => self.end(None).await,
            None => self.end(Some(stage)).await,
        }
    }

    /// Whether there is no more for the rest of the answer, once it grows slice by slice: a platform that reads the body itself asks
    /// for it before it reads on, and [concludes](ReplyStream::conclude) if so. Waits for the ledger where it must.
    pub async fn is_spent(&mut self) -> bool {
        loop {
            let open = self.finish.as_mut().and_then(Finish::open);
            let (Some(slices), Some(open), Some(written)) = (&mut self.slices, open, self.live.written()) else {
                return false;
            };
            let flow = slices.flow(&self.layers, open, written);
            let clock = self.layers.layers.clock();
            match flow {
                Flow::Wait if clock.now() < self.context.deadline => clock.sleep(PAUSE).await,
                Flow::On | Flow::Wait => return false,
                Flow::Spent => {
                    self.spent = true;
                    return true;
                }
            }
        }
    }

    /// The body the platform may forward natively; see [`Outgoing::forward`](crate::ports::Outgoing).
    pub fn body_mut(&mut self) -> &mut <L::Proxy as Proxy>::Body {
        self.live.body_mut()
    }

    /// Whether the caller gets the provider's bytes untouched.
    pub fn is_untouched(&self) -> bool {
        self.slices.is_none() && self.live.is_untouched()
    }

    /// How long the provider may be silent.
    pub fn idle(&self) -> Millis {
        self.context.idle
    }

    /// When the whole request must be over.
    pub fn deadline(&self) -> Timestamp {
        self.context.deadline
    }

    /// What the caller gets before anything else, for a platform that pumps the body itself.
    pub fn opening(&mut self) -> Bytes {
        let bytes = self.live.opening();
        self.kept(bytes)
    }

    /// What the caller gets for the next bytes of the body; may be nothing.
    pub fn pass(&mut self, bytes: Bytes) -> Bytes {
        let bytes = self.live.pass(bytes);
        self.kept(bytes)
    }

    /// What the caller still gets once the body has ended; then [`conclude`](ReplyStream::conclude).
    pub fn flush(&mut self) -> Bytes {
        let bytes = self.live.flush();
        self.kept(bytes)
    }

    /// Has somebody judge what is due of an answer that is judged while it comes: what goes on of it. A platform that reads the
    /// body itself asks for it after everything that it had pass or flushed, and reads no further meanwhile.
    pub async fn judge(&mut self) -> Bytes {
        let mut out = Vec::new();
        while self.live.is_due() {
            let texts = self.live.piece();
            let record = self.finish.as_mut().and_then(Finish::open).map(|open| &mut open.record);
            let judged = match &self.context.judges {
                Some((words, asked)) => outside::piece(&self.layers, record, words, texts, asked).await,
                None => Ok(texts),
            };
            out.extend_from_slice(&self.live.release(judged));
        }
        self.kept(out.into())
    }

    /// Takes note of bytes that were forwarded untouched.
    pub fn watch(&mut self, bytes: &[u8]) {
        self.live.watch(bytes);
        self.keep_opening();
        self.note(bytes);
    }

    /// What was read before the first content, where the platform forwarded it without asking for it.
    fn keep_opening(&mut self) {
        let opening = self.live.opening();
        self.note(&opening);
    }

    fn kept(&mut self, bytes: Bytes) -> Bytes {
        self.note(&bytes);
        bytes
    }

    /// Takes note of what the caller gets.
    fn note(&mut self, bytes: &[u8]) {
        self.ending.push(bytes);
        if let Some(keep) = &mut self.keep {
            keep.push(bytes);
        }
        if let Some(finish) = &mut self.finish {
            finish.heard(bytes);
        }
    }

    /// Ends a stream that was forwarded natively and settles it. `stage` names the timeout that
    /// ended it, if one did. Returns what the caller must still be sent: the dialect's error event
    /// when the answer broke off.
    pub async fn conclude(&mut self, stage: Option<Stage>) -> Option<Bytes> {
        self.end(stage).await
    }

    fn timed_out(&self, stage: Stage) -> ApiError {
        let after = match stage {
            Stage::Headers | Stage::FirstToken | Stage::Idle => self.context.idle,
            Stage::Total => self.context.total,
        };
        Failure::timeout(&self.context.provider, stage, after).error
    }

    async fn end(&mut self, late: Option<Stage>) -> Option<Bytes> {
        self.finish.as_ref()?;
        self.keep_opening();
        let mut finish = self.finish.take()?;
        finish.late(late);
        let error = late.map(|stage| self.timed_out(stage));
        let takes_comments = self.live.takes_comments();
        let error = error.or_else(|| self.spent.then(slices::spent));
        let (observed, tail) = self.live.end(&self.context.provider, error, &self.context.request_id);
        let complete = observed.finish == Finished::Complete && !finish.is_touched();
        if let Some(open) = finish.open().filter(|_| self.spent && observed.finish == Finished::Truncated) {
            open.record.code = Some(Code::InsufficientQuota.as_str());
            open.record.outcome = Outcome::Cut;
        }
        let cost = finish.cost_of(&observed);
        finish.heard(tail.as_deref().unwrap_or_default());
        finish.answered(observed).await;
        if let Some(mut keep) = self.keep.take().filter(|_| complete) {
            keep.push(tail.as_deref().unwrap_or_default());
            keep.complete(cost);
        }
        // A provider that broke off within what nobody waits for left half a line, which a comment would complete.
        self.ending.push(tail.as_deref().unwrap_or_default());
        if !(complete && takes_comments && self.ending.is_between_events()) {
            return tail;
        }
        Some([tail.unwrap_or_default(), cost_comment(cost)].concat().into())
    }
}

/// The last bytes a caller got.
#[derive(Clone, Debug, Default)]
struct Ending(Vec<u8>);

impl Ending {
    /// As many as the longest empty line has.
    const MOST: usize = 4;

    fn push(&mut self, bytes: &[u8]) {
        let new = bytes.get(bytes.len().saturating_sub(Ending::MOST)..).unwrap_or_default();
        self.0.extend_from_slice(new);
        let over = self.0.len().saturating_sub(Ending::MOST);
        self.0.drain(..over);
    }

    /// Whether they end an event.
    fn is_between_events(&self) -> bool {
        [&b"\n\n"[..], b"\r\n\r\n", b"\r\r"].iter().any(|end| self.0.ends_with(end))
    }
}

/// What a stream cost, in a comment after its last event. SDKs pass over comments (WHATWG HTML, section 9.2.6), and
/// the provider's own events stay as they came. A provider may have left out the blank line that ends its last event.
fn cost_comment(cost: NanoUsd) -> Bytes {
    format!("\n\n: x-signalbox-cost-usd {cost}\n\n").into()
}

impl<L: Layers> Drop for ReplyStream<L> {
    fn drop(&mut self) {
        if let Some(mut finish) = self.finish.take() {
            let (observed, _) = self.live.end(&self.context.provider, None, &self.context.request_id);
            finish.cancelled(observed);
        }
    }
}
