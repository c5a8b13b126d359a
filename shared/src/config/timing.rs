//! How long a call may take and how often it is tried again.

use super::shape::{Fields, Whole};
use crate::units::Millis;

/// One hour: longer than any call a platform would keep open for us.
const LONGEST_MS: u64 = 3_600_000;
const SPAN: Whole = Whole { min: 1, max: LONGEST_MS };

/// The limits of one attempt; whichever is reached first ends it. Each is from 1 ms to one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From sending the request to the head of a streamed answer. An answer in one piece has its
    /// head when it is complete: there only [`Timeouts::total`] holds.
    pub headers: Millis,
    /// From sending the request to the first content of a streamed answer.
    pub first_token: Millis,
    /// Between two pieces of a streamed answer.
    pub idle: Millis,
    /// From the caller's request to the end of its answer, over all attempts.
    pub total: Millis,
}

impl Default for Timeouts {
    /// 60 s to the head, 120 s to the first token, 60 s between pieces, 10 minutes in all.
    fn default() -> Timeouts {
        Timeouts { headers: Millis(60_000), first_token: Millis(120_000), idle: Millis(60_000), total: Millis(600_000) }
    }
}

/// Timeouts that a provider or a route sets for itself; what it does not set comes from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeoutsOverride {
    headers: Option<Millis>,
    first_token: Option<Millis>,
    idle: Option<Millis>,
    total: Option<Millis>,
}

impl TimeoutsOverride {
    /// From the caller's request to the end of its answer, where it is said.
    pub fn total(&self) -> Option<Millis> {
        self.total
    }
}

impl Timeouts {
    /// These timeouts with `over` laid on top: the document's, then the provider's, then the route's.
    pub fn with(self, over: &TimeoutsOverride) -> Timeouts {
        Timeouts {
            headers: over.headers.unwrap_or(self.headers),
            first_token: over.first_token.unwrap_or(self.first_token),
            idle: over.idle.unwrap_or(self.idle),
            total: over.total.unwrap_or(self.total),
        }
    }
}

/// The section `timeouts`, wherever it stands.
pub(super) fn timeouts(fields: &mut Fields<'_, '_>) -> Option<TimeoutsOverride> {
    let mut span = |name, about| fields.optional(name, about, SPAN).map(Millis);
    Some(TimeoutsOverride {
        headers: span("headers_ms", "to the head of a streamed answer"),
        first_token: span("first_token_ms", "to the first content of a streamed answer"),
        idle: span("idle_ms", "between two pieces of a streamed answer"),
        total: span("total_ms", "to the end of the answer, over all attempts"),
    })
}

/// How often and how soon a failed attempt is repeated: full jitter between zero and
/// `min(cap, base × 2^n)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Attempts after the first, over all models of the plan.
    pub max: u32,
    /// The first wait's upper bound.
    pub base: Millis,
    /// Every wait's upper bound.
    pub cap: Millis,
}

impl Default for Retries {
    fn default() -> Retries {
        Retries { max: 2, base: Millis(250), cap: Millis(8_000) }
    }
}

/// The section `retries`.
pub(super) fn retries(fields: &mut Fields<'_, '_>) -> Option<Retries> {
    let default = Retries::default();
    let max = fields.defaulted("max", "attempts after the first", Whole { min: 0, max: 10 }, default.max.into());
    let base = fields.defaulted("base_ms", "upper bound of the first wait", SPAN, default.base.0);
    let cap = fields.defaulted("cap_ms", "upper bound of every wait", SPAN, default.cap.0);
    if base > cap {
        fields.problem("base_ms", "is more than cap_ms", "Make cap_ms at least base_ms");
    }
    Some(Retries { max: u32::try_from(max).unwrap_or(default.max), base: Millis(base), cap: Millis(cap) })
}
