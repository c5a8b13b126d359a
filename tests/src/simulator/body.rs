//! A playback as the body of an HTTP answer, in real time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Sleep, sleep};

use super::log::Entry;
use super::play::{Action, Playback};
use super::socket::ResetSwitch;

/// Before a cut or a reset, so that what was sent before has left: a receiver may drop unread bytes when a reset arrives.
const BEFORE_BREAK: Duration = Duration::from_millis(20);

/// Plays the part after the head. Its error makes hyper close the connection without the body's proper end.
pub(crate) struct PlayedBody {
    playback: Playback,
    entry: Entry,
    reset: ResetSwitch,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Set after a chunk: the next poll gives way once, so that hyper flushes and each chunk leaves on its own.
    flush: bool,
    breaking: bool,
    stalled: bool,
}

impl PlayedBody {
    /// The playback must be past its head.
    pub(crate) fn new(playback: Playback, entry: Entry, reset: ResetSwitch) -> PlayedBody {
        let body = PlayedBody { playback, entry, reset, sleep: None, flush: false, breaking: false, stalled: false };
        body.note_end();
        body
    }

    /// With a content length hyper asks no further once it is reached, so the end is noted with the last byte.
    fn note_end(&self) {
        if self.playback.only_end_left() {
            self.entry.finish();
        }
    }

    fn break_off(&mut self) {
        self.entry.finish();
        self.breaking = true;
        self.sleep = Some(Box::pin(sleep(BEFORE_BREAK)));
    }
}

impl Body for PlayedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if std::mem::take(&mut self.flush) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(sleep) = &mut self.sleep {
                ready!(sleep.as_mut().poll(context));
                self.sleep = None;
            }
            if self.stalled {
                // Nothing wakes this body again; it is dropped when the caller leaves.
                return Poll::Pending;
            }
            if self.breaking {
                return Poll::Ready(Some(Err(io::Error::other("cut by the script"))));
            }
            match self.playback.next() {
                Some(Action::Send(bytes)) => {
                    self.entry.sent(bytes.len());
                    self.note_end();
                    self.flush = true;
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Action::Delay(ms)) => self.sleep = Some(Box::pin(sleep(Duration::from_millis(ms)))),
                Some(Action::Cut) => self.break_off(),
                Some(Action::Reset) => {
                    self.reset.set();
                    self.break_off();
                }
                Some(Action::Stall) => self.stalled = true,
                Some(Action::End) | None => {
                    self.entry.finish();
                    return Poll::Ready(None);
                }
                Some(Action::Head) => {}
            }
        }
    }
}
