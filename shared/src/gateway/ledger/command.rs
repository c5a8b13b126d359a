//! What can be asked of a ledger, and what it answers: the same on every store, as plain JSON.

use super::decide::Draw;
use super::escrow::{Escrow, Purse};
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use crate::window::Window;
use serde::{Deserialize, Serialize};

/// Names one reservation for as long as anybody may speak of it. Chosen by the caller, never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReservationId(pub String);

/// Asks for room: under every rate and in every budget, or none of it.
///
/// Asking again with the same id takes nothing twice: while the lease lives the answer is the first
/// one's grant. Whoever did not get the answer may therefore simply ask again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// The reservation to make, or to extend.
    pub id: ReservationId,
    /// Which slice this is: 0 makes the reservation, every later one adds to it while it is open. A slice that was had is
    /// answered with what is granted in all, so an extension too may be asked for again.
    #[serde(default, skip_serializing_if = "is_first")]
    pub slice: u32,
    /// The time it is.
    pub now: Timestamp,
    /// How long the reservation is held. Past it the grant counts as spent until a settlement says better.
    pub lease: Millis,
    /// An upper bound of what the call can cost; of a later slice, what it can cost beyond what was granted.
    pub most: NanoUsd,
    /// The smallest grant that is of use; equal to `most` for all or nothing.
    pub least: NanoUsd,
    /// The budgets that pay. Lines of one scope and window are charged once. An extension is charged where its
    /// reservation is; its lines say the limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetLine>,
    /// The rates to keep. Of lines with one scope, kind and span the first counts. An extension draws on none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<RateLine>,
    /// Who asks for what, for whoever finds the reservation open after a crash. Opaque here; keep it small.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Asked of a shard: its hard budgets hold no more than was lent it. See [`escrow`](super::escrow).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escrowed: bool,
    /// Asked for a process, to be lent: of what is left of a hard budget or a rate at most one part in so many. 0: all of
    /// it. See [`allowance`](super::allowance).
    #[serde(default, skip_serializing_if = "is_none")]
    pub share: u64,
    /// For how many calls that draw what the lines of the rates say, at the most, where a share is asked for.
    #[serde(default, skip_serializing_if = "is_none")]
    pub calls: u64,
    /// All that is asked for would do, but so much is enough to begin with: of what is left of a hard budget at most one part in
    /// [`PARTS`](super::decide::PARTS) is granted, and this also where it is more than that. Zero: as much as there is.
    #[serde(default, skip_serializing_if = "NanoUsd::is_zero")]
    pub enough: NanoUsd,
}

fn is_first(slice: &u32) -> bool {
    *slice == 0
}

fn is_none(share: &u64) -> bool {
    *share == 0
}

/// One budget a reservation draws on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetLine {
    /// Whose budget: `team:payments`.
    pub scope: String,
    /// The span of it the call is charged to, however late it settles.
    pub window: Window,
    /// What may be spent in the window.
    pub limit: NanoUsd,
    /// Whether the limit holds. A budget that is not hard only counts.
    pub hard: bool,
}

/// What a rate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateKind {
    /// Calls: what is taken stays taken.
    Requests,
    /// Tokens: the cost is an estimate, put right when the call settles.
    Tokens,
    /// Calls under way: each gives its place back when it ends, or when its lease does. Its span is zero.
    Parallel,
}

/// One rate a reservation draws on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLine {
    /// Whose rate: `key:3f…`.
    pub scope: String,
    /// What is counted.
    pub kind: RateKind,
    /// The span of the limit, 60,000 for a limit per minute; zero for calls under way.
    pub per: Millis,
    /// How much may be drawn per span, and at once.
    pub limit: u64,
    /// How much this call draws.
    pub cost: u64,
}

/// The answer to [`Admit`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Go ahead, and spend no more than what was granted.
    Admitted(Admission),
    /// Nothing was taken.
    Denied(Denial),
}

/// Room that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// The most every hard budget affords, between `least` and `most`; with all slices so far, if there are several.
    pub granted: NanoUsd,
    /// The rates as they stand now, one for each distinct line, in the order asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<RateState>,
    /// The budgets as they stand now, one for each line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetState>,
    /// For how many calls the rates were drawn on, where a share was asked for.
    #[serde(default, skip_serializing_if = "is_none")]
    pub calls: u64,
}

/// A rate after an admission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateState {
    /// Whose rate.
    pub scope: String,
    /// What is counted.
    pub kind: RateKind,
    /// The span of the limit.
    pub per: Millis,
    /// How much may be drawn at once.
    pub limit: u64,
    /// How much may still be drawn now.
    pub remaining: u64,
    /// When all of it may be drawn again, if nobody draws.
    pub reset_after: Millis,
}

/// A budget as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetState {
    /// Whose budget.
    pub scope: String,
    /// Which span of it.
    pub window: Window,
    /// What may be spent.
    pub limit: NanoUsd,
    /// What is gone: posted, held by reservations, and unconfirmed.
    pub spent: NanoUsd,
    /// Whether the limit holds.
    pub hard: bool,
}

impl BudgetState {
    /// What is left.
    pub fn remaining(&self) -> NanoUsd {
        self.limit.saturating_sub(self.spent)
    }
}

/// Why an admission was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// A hard budget cannot pay the least that is of use. Of several, the one that resets last.
    Budget(BudgetState),
    /// A rate is exhausted. Of several, the one to wait for longest.
    Rate {
        /// The rate as it stands.
        rate: RateState,
        /// How long to wait; `None` when the cost exceeds the whole limit and waiting does not help.
        retry_after: Option<Millis>,
    },
    /// The reservation of this id is over: settled, voided, or its lease ran out. Whoever was waiting
    /// for its answer must not start the call. Also for a slice of a reservation that nobody made.
    Over,
}

/// Says what a call came to. The first settlement of an id counts, later ones are answered with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// The reservation.
    pub id: ReservationId,
    /// The time it is.
    pub now: Timestamp,
    /// What the call cost, also when that is more than was granted.
    pub amount: NanoUsd,
    /// The tokens it used, to put token rates right; `None` leaves the estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// What to charge if the ledger does not know the reservation (any more), so that nothing is lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charge: Vec<Charge>,
    /// Of a call that a process admitted by itself: what it is taken out of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Part>,
}

/// What a process was lent and a call of it draws on. See [`allowance`](super::allowance).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The reservation that was lent.
    pub lent: ReservationId,
    /// What is kept of it, once the rest was given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
}

/// What is kept of a reservation that was lent, for calls of it that have not settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// What all of its calls come to at the most, settled or not.
    pub most: NanoUsd,
    /// The last slice of it that this takes into account: where there is a later one, nothing is given back.
    #[serde(default, skip_serializing_if = "is_first")]
    pub slice: u32,
    /// How much of each of its draws stays drawn: what calls have drawn, or of places those that calls hold. A draw that is
    /// left out stays whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<u64>,
}

/// One budget window, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Charge {
    /// Whose budget.
    pub scope: String,
    /// Which span of it.
    pub window: Window,
}

/// The answer to [`Settle`] and [`Void`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// What stands in the books for this reservation.
    pub posted: NanoUsd,
    /// Whether that is more than was held for it: the grant was no upper bound, or there was none.
    pub overdraft: bool,
    /// Whether an earlier settlement had already counted, and this one changed nothing.
    pub already: bool,
}

/// Gives a reservation back: for when the provider provably did not bill, or what was lent is not needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// The reservation.
    pub id: ReservationId,
    /// The time it is.
    pub now: Timestamp,
    /// What is not given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub but: Option<Keep>,
}

/// Asks for the books of one scope, or of many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whose budget.
    pub scope: String,
    /// Of every scope whose name begins so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// The time it is.
    pub now: Timestamp,
}

impl Report {
    /// Whether it asks for this scope.
    pub fn covers(&self, scope: &str) -> bool {
        if self.all { scope.starts_with(&self.scope) } else { scope == self.scope }
    }
}

/// The books of one budget window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whose budget.
    pub scope: String,
    /// Which span.
    pub window: Window,
    /// Settled.
    pub posted: NanoUsd,
    /// Reserved by calls under way.
    pub held: NanoUsd,
    /// Reserved by calls whose lease ran out before they settled.
    pub unconfirmed: NanoUsd,
    /// What was lent of it, where this is a shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purse: Option<Purse>,
}

impl Standing {
    /// What is gone of the window.
    pub fn spent(&self) -> NanoUsd {
        self.posted + self.held + self.unconfirmed
    }

    /// The window, by name.
    pub fn charge(&self) -> Charge {
        Charge { scope: self.scope.clone(), window: self.window }
    }
}

/// A reservation that nobody has settled: a call under way, or one whose process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The reservation.
    pub id: ReservationId,
    /// When its lease runs out.
    pub until: Timestamp,
    /// What is held for it.
    pub held: NanoUsd,
    /// The caller's note.
    pub note: String,
}

/// One thing asked of a ledger. Several travel together: pending settlements and one admission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Make a reservation.
    Admit(Admit),
    /// Post what it came to.
    Settle(Settle),
    /// Give it back.
    Void(Void),
    /// Read a scope's books.
    Report(Report),
    /// Move leases that ran out by this time to unconfirmed. Every other command does so as well.
    Expire(Timestamp),
    /// Name the reservations whose lease has not run out by this time.
    Pending(Timestamp),
    /// Tell what is drawn of every rate.
    Rates(Timestamp),
    /// Tell a shard what it is lent.
    Escrow(Escrow),
}

/// The answer to the [`Command`] of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To `Admit`.
    Verdict(Verdict),
    /// To `Settle` and `Void`.
    Settled(Settled),
    /// To `Report`: the windows still in the books, by scope and window.
    Report(Vec<Standing>),
    /// To `Expire`: when the next lease runs out.
    Expired(Option<Timestamp>),
    /// To `Pending`, by id.
    Pending(Vec<Pending>),
    /// To `Rates`, by key: of those that have not refilled, the arrival time; of those with calls under way, how many as
    /// the cost. A limit is none of the books'.
    Rates(Vec<Draw>),
    /// To `Escrow`.
    Purse(Purse),
}

impl Command {
    /// The time it carries.
    pub fn now(&self) -> Timestamp {
        match self {
            Command::Admit(admit) => admit.now,
            Command::Settle(settle) => settle.now,
            Command::Void(void) => void.now,
            Command::Report(report) => report.now,
            Command::Expire(now) | Command::Pending(now) | Command::Rates(now) => *now,
            Command::Escrow(escrow) => escrow.now,
        }
    }

    /// The same command at another time.
    pub fn at(mut self, at: Timestamp) -> Command {
        match &mut self {
            Command::Admit(admit) => admit.now = at,
            Command::Settle(settle) => settle.now = at,
            Command::Void(void) => void.now = at,
            Command::Report(report) => report.now = at,
            Command::Expire(now) | Command::Pending(now) | Command::Rates(now) => *now = at,
            Command::Escrow(escrow) => escrow.now = at,
        }
        self
    }
}
