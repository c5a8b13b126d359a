//! One question to another service's router: bounded in time and size, and not asked again and again while it fails.

use crate::config::RemoteAccess;
use crate::ports::{ExchangeError, Outgoing, Ports, Whole};
use crate::units::{Millis, Timestamp};
use bytes::Bytes;
use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

/// The longest answer that is read.
const MAX_DECISION_BYTES: usize = 64 * 1024;
/// Failures in a row after which it is left alone, and for how long.
const FAILURES: u32 = 3;
const REST: Millis = Millis(5_000);

/// Why there is no answer, in a word for the operator's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// There is no such service.
    NotConfigured,
    /// It failed so often lately that it was not asked.
    Resting,
    /// It took too long.
    Timeout,
    /// It could not be reached, or broke off.
    Unreachable,
    /// It answered with an error.
    Refused,
    /// Its answer is longer than any decision.
    TooLarge,
}

impl Unheard {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Unheard::NotConfigured => "not_configured",
            Unheard::Resting => "resting",
            Unheard::Timeout => "timeout",
            Unheard::Unreachable => "unreachable",
            Unheard::Refused => "refused",
            Unheard::TooLarge => "too_large",
        }
    }
}

/// The other service, and how it did lately.
#[derive(Debug)]
pub(super) struct Consult {
    access: RemoteAccess,
    failures: Mutex<(u32, Timestamp)>,
}

impl Consult {
    pub(super) fn new(access: RemoteAccess) -> Consult {
        Consult { access, failures: Mutex::default() }
    }

    pub(super) async fn ask<P: Ports>(&self, ports: &P, question: Vec<u8>) -> Result<Bytes, Unheard> {
        if self.rests(ports.now()) {
            return Err(Unheard::Resting);
        }
        let call = self.outgoing(question);
        let heard = heard(ports.exchange(call, self.access.patience, MAX_DECISION_BYTES).await);
        if heard.is_err() {
            self.note(false, ports.now());
        }
        heard
    }

    fn outgoing(&self, question: Vec<u8>) -> Outgoing {
        let mut headers = vec![
            (Cow::Borrowed("content-type"), "application/json".to_owned()),
            (Cow::Borrowed("accept"), "application/json".to_owned()),
        ];
        if let Some(key) = &self.access.key {
            headers.push((Cow::Borrowed("authorization"), format!("Bearer {}", key.expose())));
        }
        Outgoing { method: "POST", url: self.access.url.clone(), headers, body: question, forward: false }
    }

    fn rests(&self, now: Timestamp) -> bool {
        let (failures, since) = *self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        // One call finds out when the time has come; a clock that jumped back ends the rest, too.
        failures >= FAILURES && now >= since && now.since(since) < REST
    }

    /// How it did: that it answered is not enough, whoever reads the answer says whether it was any good.
    pub(super) fn note(&self, good: bool, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures = if good { (0, now) } else { (failures.0.saturating_add(1), now) };
    }
}

fn heard(exchanged: Result<Whole, ExchangeError>) -> Result<Bytes, Unheard> {
    match exchanged {
        Ok(Whole { status: 200, body: Some(body), .. }) => Ok(body),
        Ok(Whole { status: 200, body: None, .. }) => Err(Unheard::TooLarge),
        Ok(Whole { .. }) => Err(Unheard::Refused),
        Err(ExchangeError::Failed(_)) => Err(Unheard::Unreachable),
        Err(ExchangeError::TimedOut) => Err(Unheard::Timeout),
    }
}
