//! Calls to providers that are scripts, without a socket.

use std::borrow::Cow;

use bytes::Bytes;
use signalbox::ports::{Body, Incoming, Outgoing, SendError, Transport};

use super::executor::Executor;
use super::world::{UPSTREAM, World};
use crate::simulator::{Action, Ask, Entry, Playback};

impl Transport for World {
    type Body = PlayedBody;

    /// Anything but the simulator's own address cannot be reached.
    async fn send(&self, call: Outgoing) -> Result<Incoming<PlayedBody>, SendError> {
        let Some(path) = call.url.strip_prefix(UPSTREAM).filter(|path| path.starts_with('/')) else {
            return Err(SendError::Unreachable("nothing listens there".to_owned()));
        };
        let ask = Ask {
            method: call.method.to_owned(),
            path: path.to_owned(),
            headers: call.headers.into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
            body: call.body,
            unix_seconds: self.executor().now_ms() / 1_000,
        };
        let answered = self.upstream().answer(ask);
        let (script, entry) = (answered.script, answered.entry);
        let mut playback = script.play();
        loop {
            match playback.next() {
                Some(Action::Delay(ms)) => self.executor().sleep(ms).await,
                Some(Action::Stall) => std::future::pending().await,
                Some(Action::Head) => break,
                Some(Action::Cut | Action::Reset | Action::Send(_) | Action::End) | None => {
                    entry.finish();
                    return Err(SendError::Broken("closed without an answer".to_owned()));
                }
            }
        }
        let headers = script.head().into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect();
        let body = PlayedBody { executor: self.executor().clone(), playback, entry };
        body.note_end();
        Ok(Incoming { status: script.status, headers, body })
    }
}

/// What is left of a script, pulled piece by piece. Dropped before its end, the log says that the caller has gone.
#[derive(Debug)]
pub struct PlayedBody {
    executor: Executor,
    playback: Playback,
    entry: Entry,
}

impl PlayedBody {
    /// As on a socket: when the last byte is out, the answer is over.
    fn note_end(&self) {
        if self.playback.only_end_left() {
            self.entry.finish();
        }
    }

    fn broken(&self, how: &str) -> SendError {
        self.entry.finish();
        SendError::Broken(how.to_owned())
    }
}

impl Body for PlayedBody {
    async fn chunk(&mut self) -> Result<Option<Bytes>, SendError> {
        loop {
            match self.playback.next() {
                Some(Action::Send(bytes)) => {
                    self.entry.sent(bytes.len());
                    self.note_end();
                    return Ok(Some(bytes));
                }
                Some(Action::Delay(ms)) => self.executor.sleep(ms).await,
                Some(Action::Cut) => return Err(self.broken("closed before the end")),
                Some(Action::Reset) => return Err(self.broken("reset")),
                Some(Action::Stall) => std::future::pending().await,
                Some(Action::End) | None => {
                    self.entry.finish();
                    return Ok(None);
                }
                Some(Action::Head) => {}
            }
        }
    }
}
