//! A call that is under way, and what its end says of who was asked.

use crate::config::ModelId;
use crate::dialect::{Finish as Ending, Observed};
use crate::error::Code;
use crate::gateway::audit::{Outcome, Record};
use crate::proxy::failure::{Stage, is_unhealthy};
use crate::proxy::{Retry, Room};
use crate::router::{self, Cause, Met};
use crate::units::Timestamp;

/// A call that was begun: the router hears of its end exactly once.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub model: ModelId,
    pub began: Timestamp,
    /// When its first content came; `None`: it has not answered.
    pub answered: Option<Timestamp>,
    /// Whether it is a stream, whose first content says how soon a provider answers.
    pub streams: bool,
    /// What its provider's rate limit leaves, where it says.
    pub room: Option<Room>,
    /// What it has said so far to those who judge it before the caller hears of it.
    pub said: Option<Observed>,
}

impl Flight {
    pub(super) fn new(model: ModelId, began: Timestamp) -> Flight {
        Flight { model, began, answered: None, streams: false, room: None, said: None }
    }

    /// What became of it.
    pub(super) fn outcome(&self, at: Timestamp, met: Met) -> router::Outcome {
        router::Outcome {
            model: self.model.clone(),
            at,
            met,
            ttft: self.answered.filter(|_| self.streams).map(|first| first.since(self.began)),
            took: at.since(self.began),
            tokens_in: 0,
            tokens_out: 0,
            session: None,
            headroom_permille: self.room.map(|room| room.permille),
            rest: self.room.and_then(|room| room.rest),
        }
    }
}

/// What an upstream's failure says of it; `None`: nothing, it was not its fault. What a key may do that a caller brought
/// (`byok`) says nothing of ours.
pub(super) fn cause(code: Code, retry: Retry, byok: bool) -> Option<Cause> {
    if byok && matches!(code, Code::UpstreamRateLimited | Code::UpstreamAuthError | Code::ModelNotFound) {
        return None;
    }
    if code == Code::UpstreamRateLimited {
        // A rate limit is over soon; one that nobody should try again on is a quota.
        return Some(if retry == Retry::Elsewhere { Cause::Quota } else { Cause::RateLimit });
    }
    let known = [
        (Code::UpstreamOverloaded, Cause::Overload),
        (Code::UpstreamAuthError, Cause::Credential),
        (Code::ModelNotFound, Cause::Missing),
        (Code::Timeout, Cause::Timeout),
    ];
    let named = known.iter().find(|(known, _)| *known == code).map(|(_, cause)| *cause);
    named.or_else(|| is_unhealthy(code).then_some(Cause::Outage))
}

/// What ended an answer beside its provider.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    /// The time limit that did, if one did.
    pub late: Option<Stage>,
    /// The caller gives the call less time than the configuration does.
    pub hurried: bool,
}

impl Limits {
    /// Whether the end was the caller's own wish. That a provider was not done by then says nothing of it: one caller in a hurry
    /// would otherwise open its circuit for all.
    pub(super) fn are_the_callers(self) -> bool {
        self.hurried
            && match self.late {
                Some(Stage::Total) => true,
                Some(Stage::Headers | Stage::FirstToken | Stage::Idle) | None => false,
            }
    }
}

/// How an answer ended, for the record and for who was asked.
pub(super) fn met(record: &mut Record, ending: &Ending, cancelled: bool, limits: Limits) -> Met {
    let code = match ending {
        // A caller that leaves after the last event got everything.
        Ending::Complete => {
            record.outcome = Outcome::Ok;
            return Met::Answered;
        }
        Ending::Truncated | Ending::Error(_) if cancelled => return Met::Blameless,
        Ending::Truncated if limits.late.is_some() => Code::Timeout,
        Ending::Truncated => Code::UpstreamError,
        Ending::Error(error) => error.to_api_error().code,
    };
    record.outcome = Outcome::Cut;
    record.code = Some(code.as_str());
    let cause = cause(code, Retry::Same, record.byok).filter(|_| !limits.are_the_callers());
    cause.map_or(Met::Blameless, |cause| Met::Failed(cause, None))
}
