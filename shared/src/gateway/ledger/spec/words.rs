//! Short words for commands and replies, so that a scenario reads as a table.

use crate::gateway::ledger::command::{
    Admission, Admit, BudgetLine, BudgetState, Charge, Command, Denial, Keep, Part, RateKind, RateLine, RateState,
    Reply, Report, ReservationId, Settle, Settled, Standing, Verdict, Void,
};
use crate::gateway::ledger::decide::{Draw, RateKey};
use crate::gateway::ledger::escrow::{Escrow, Purse, Slice};
use crate::gateway::ledger::rate::micros;
use crate::units::{Millis, NanoUsd, Timestamp};
use crate::window::{Period, Window};

/// 2026-10-05T13:14:15Z.
pub(super) const NOON: u64 = 1_791_206_055_000;
pub(super) const SECOND: u64 = 1_000;
pub(super) const HOUR: u64 = 3_600_000;
pub(super) const DAY: u64 = 24 * HOUR;
pub(super) const TEAM: &str = "team:payments";

pub(super) fn base(id: &str, most: u64, least: u64) -> Admit {
    Admit {
        id: ReservationId(id.into()),
        slice: 0,
        now: Timestamp(NOON),
        lease: Millis(60 * SECOND),
        most: NanoUsd(most),
        least: NanoUsd(least),
        budgets: vec![],
        rates: vec![],
        note: String::new(),
        escrowed: false,
        share: 0,
        calls: 0,
        enough: NanoUsd::ZERO,
    }
}

pub(super) fn month() -> Window {
    Window::at(Period::Month, Timestamp(NOON))
}

pub(super) fn budget(limit: u64, hard: bool) -> Vec<BudgetLine> {
    vec![BudgetLine { scope: TEAM.into(), window: month(), limit: NanoUsd(limit), hard }]
}

/// One hard monthly budget, `second` seconds after noon, with a lease of a minute.
pub(super) fn admit(id: &str, second: u64, most: u64, least: u64, limit: u64) -> Command {
    let now = Timestamp(NOON + second * SECOND);
    Command::Admit(Admit { now, budgets: budget(limit, true), ..base(id, most, least) })
}

/// A slice more of a reservation: up to `most`, at least `least`.
pub(super) fn extend(id: &str, slice: u32, second: u64, most: u64, least: u64) -> Command {
    let now = Timestamp(NOON + second * SECOND);
    Command::Admit(Admit { slice, now, budgets: budget(100, true), ..base(id, most, least) })
}

/// The same of up to a sixteenth of what is left, or of so much as is enough; the first of them makes the reservation.
pub(super) fn part(id: &str, slice: u32, second: u64, most: u64, enough: u64) -> Command {
    let now = Timestamp(NOON + second * SECOND);
    let enough = NanoUsd(enough);
    Command::Admit(Admit { slice, now, enough, budgets: budget(100, true), ..base(id, most, 1) })
}

/// A call of 60 at a shard, whose budget is 1,000.
pub(super) fn escrowed(id: &str, second: u64) -> Command {
    let now = Timestamp(NOON + second * SECOND);
    Command::Admit(Admit { now, escrowed: true, budgets: budget(1_000, true), ..base(id, 60, 60) })
}

/// Tells a shard of a slice, by number and amount.
pub(super) fn lend(second: u64, lent: Option<(u64, u64)>, heard: &[u64], spare: bool) -> Command {
    let lent = lent.map(|(number, amount)| Slice { number, amount: NanoUsd(amount) });
    let charge = Charge { scope: TEAM.into(), window: month() };
    let now = Timestamp(NOON + second * SECOND);
    Command::Escrow(Escrow { charge, now, lent, heard: heard.to_vec(), spare, lost: false })
}

/// Asks for what a shard does not need, when its losses are written down.
pub(super) fn lose(second: u64) -> Command {
    let charge = Charge { scope: TEAM.into(), window: month() };
    let now = Timestamp(NOON + second * SECOND);
    Command::Escrow(Escrow { charge, now, lent: None, heard: vec![], spare: true, lost: true })
}

/// The books of a shard that has posted so much and returned so much, with one slice that ended.
pub(super) fn shard_books(posted: u64, returned: u64, ended: (u64, u64), next: u64) -> Reply {
    let ended = vec![Slice { number: ended.0, amount: NanoUsd(ended.1) }];
    let purse = Purse { returned: NanoUsd(returned), slices: vec![], ended, unlent: vec![], next };
    Reply::Report(vec![Standing { purse: Some(purse), ..standing(month(), posted, 0, 0) }])
}

pub(super) fn purse(returned: u64, slices: &[(u64, u64)], ended: &[(u64, u64)], next: u64) -> Reply {
    let all = |slices: &[(u64, u64)]| {
        slices.iter().map(|(number, amount)| Slice { number: *number, amount: NanoUsd(*amount) }).collect()
    };
    let (slices, ended, unlent) = (all(slices), all(ended), vec![]);
    Reply::Purse(Purse { returned: NanoUsd(returned), slices, ended, unlent, next })
}

/// The purse of a shard that was lent nothing and has told so of what it spent.
pub(super) fn unlent(returned: u64, next: u64) -> Reply {
    let ended = vec![Slice { number: next - 1, amount: NanoUsd(returned) }];
    Reply::Purse(Purse { returned: NanoUsd(returned), slices: vec![], ended, unlent: vec![next - 1], next })
}

pub(super) fn soft(id: &str, most: u64, limit: u64) -> Command {
    Command::Admit(Admit { budgets: budget(limit, false), ..base(id, most, most) })
}

pub(super) fn several(id: &str, most: u64, lines: &[(&str, Period, u64)]) -> Command {
    let budgets = lines
        .iter()
        .map(|(scope, period, limit)| BudgetLine {
            scope: (*scope).into(),
            window: Window::at(*period, Timestamp(NOON)),
            limit: NanoUsd(*limit),
            hard: true,
        })
        .collect();
    Command::Admit(Admit { budgets, ..base(id, most, most) })
}

pub(super) fn rate_lines(kind: RateKind, limit: u64, cost: u64) -> Vec<RateLine> {
    vec![RateLine { scope: TEAM.into(), kind, per: span_of(kind), limit, cost }]
}

fn span_of(kind: RateKind) -> Millis {
    match kind {
        RateKind::Requests | RateKind::Tokens => Millis(60 * SECOND),
        RateKind::Parallel => Millis(0),
    }
}

pub(super) fn rated(id: &str, second: u64, kind: RateKind, limit: u64, cost: u64) -> Command {
    let now = Timestamp(NOON + second * SECOND);
    Command::Admit(Admit { now, rates: rate_lines(kind, limit, cost), ..base(id, 0, 0) })
}

pub(super) fn both(id: &str, most: u64) -> Command {
    Command::Admit(Admit {
        budgets: budget(100, true),
        rates: rate_lines(RateKind::Requests, 1, 1),
        ..base(id, most, most)
    })
}

pub(super) fn both_admitted() -> Reply {
    Reply::Verdict(Verdict::Admitted(Admission {
        granted: NanoUsd(100),
        calls: 0,
        rates: vec![rate_state(RateKind::Requests, 1, 0, 60)],
        budgets: vec![line(100, 100, true)],
    }))
}

pub(super) fn settle(id: &str, second: u64, amount: u64) -> Command {
    Command::Settle(settlement(id, second, amount))
}

fn settlement(id: &str, second: u64, amount: u64) -> Settle {
    Settle {
        id: ReservationId(id.into()),
        now: Timestamp(NOON + second * SECOND),
        amount: NanoUsd(amount),
        tokens: None,
        charge: vec![Charge { scope: TEAM.into(), window: month() }],
        of: None,
    }
}

/// Of a call that is taken out of what was lent, of which so much is kept, if it says.
pub(super) fn settle_of(lent: &str, id: &str, second: u64, amount: u64, kept: Option<u64>) -> Command {
    let keep = kept.map(|most| Keep { most: NanoUsd(most), slice: 0, rates: vec![] });
    let of = Some(Part { lent: ReservationId(lent.into()), keep });
    Command::Settle(Settle { of, ..settlement(id, second, amount) })
}

/// Gives back what was lent but for so much, as it is with so many extensions.
pub(super) fn keep(id: &str, second: u64, most: u64, slice: u32) -> Command {
    let but = Some(Keep { most: NanoUsd(most), slice, rates: vec![] });
    Command::Void(Void { id: ReservationId(id.into()), now: Timestamp(NOON + second * SECOND), but })
}

/// Asks to be lent up to `most`, at least `least`, and no more than a fourth of what is left of 100.
pub(super) fn borrow(id: &str, second: u64, most: u64, least: u64) -> Command {
    let now = Timestamp(NOON + second * SECOND);
    Command::Admit(Admit { now, share: 4, budgets: budget(100, true), ..base(id, most, least) })
}

/// Asks to be lent a rate alone for up to so many calls that draw `cost`, and no more than a fourth of what is left of it.
pub(super) fn borrow_rate(id: &str, second: u64, kind: RateKind, [limit, cost, calls]: [u64; 3]) -> Command {
    let now = Timestamp(NOON + second * SECOND);
    Command::Admit(Admit { now, share: 4, calls, rates: rate_lines(kind, limit, cost), ..base(id, 0, 0) })
}

/// The answer: for so many calls, and how the rate stands then.
pub(super) fn rate_lent(calls: u64, kind: RateKind, limit: u64, remaining: u64, reset_seconds: u64) -> Reply {
    let rates = vec![rate_state(kind, limit, remaining, reset_seconds)];
    Reply::Verdict(Verdict::Admitted(Admission { granted: NanoUsd(0), rates, budgets: vec![], calls }))
}

/// Gives a rate back but for so much.
pub(super) fn keep_rate(id: &str, second: u64, kept: u64) -> Command {
    let but = Some(Keep { most: NanoUsd::ZERO, slice: 0, rates: vec![kept] });
    Command::Void(Void { id: ReservationId(id.into()), now: Timestamp(NOON + second * SECOND), but })
}

/// Of a call that drew on what was lent, of which so much stays drawn.
pub(super) fn settle_rate(lent: &str, id: &str, second: u64, kept: u64) -> Command {
    let keep = Some(Keep { most: NanoUsd::ZERO, slice: 0, rates: vec![kept] });
    let of = Some(Part { lent: ReservationId(lent.into()), keep });
    Command::Settle(Settle { of, ..settlement(id, second, 0) })
}

pub(super) fn tokens(id: &str, second: u64, tokens: u64) -> Command {
    let now = Timestamp(NOON + second * SECOND);
    Command::Settle(Settle {
        id: ReservationId(id.into()),
        now,
        amount: NanoUsd(0),
        tokens: Some(tokens),
        charge: vec![],
        of: None,
    })
}

pub(super) fn void(id: &str, second: u64) -> Command {
    Command::Void(Void { id: ReservationId(id.into()), now: Timestamp(NOON + second * SECOND), but: None })
}

pub(super) fn report(second: u64) -> Command {
    Command::Report(Report { scope: TEAM.into(), all: false, now: Timestamp(NOON + second * SECOND) })
}

pub(super) fn drawn_on(second: u64) -> Command {
    Command::Rates(Timestamp(NOON + second * SECOND))
}

/// The one rate that is drawn on: for so many seconds from noon on, or by so many calls.
pub(super) fn drawn(kind: RateKind, until: u64, calls: u64) -> Reply {
    let key = RateKey { scope: TEAM.into(), kind, per: span_of(kind) };
    let tat = if until > 0 { micros(Timestamp(NOON + until * SECOND)) } else { 0 };
    Reply::Rates(vec![Draw::standing(&key, calls, tat)])
}

/// Every scope whose name begins so.
pub(super) fn report_all(scope: &str) -> Command {
    Command::Report(Report { scope: scope.into(), all: true, now: Timestamp(NOON) })
}

pub(super) fn window(period: Period) -> Window {
    Window::at(period, Timestamp(NOON))
}

pub(super) fn line(spent: u64, limit: u64, hard: bool) -> BudgetState {
    BudgetState { hard, ..state(TEAM, Period::Month, spent, limit) }
}

pub(super) fn state(scope: &str, period: Period, spent: u64, limit: u64) -> BudgetState {
    let window = Window::at(period, Timestamp(NOON));
    BudgetState { scope: scope.into(), window, limit: NanoUsd(limit), spent: NanoUsd(spent), hard: true }
}

pub(super) fn admitted(granted: u64, spent: u64, limit: u64) -> Reply {
    admitted_line(granted, line(spent, limit, true))
}

pub(super) fn admitted_line(granted: u64, line: BudgetState) -> Reply {
    Reply::Verdict(Verdict::Admitted(Admission {
        granted: NanoUsd(granted),
        rates: vec![],
        budgets: vec![line],
        calls: 0,
    }))
}

pub(super) fn denied(spent: u64, limit: u64) -> Reply {
    Reply::Verdict(Verdict::Denied(Denial::Budget(line(spent, limit, true))))
}

pub(super) fn rate_state(kind: RateKind, limit: u64, remaining: u64, reset_seconds: u64) -> RateState {
    let (per, reset_after) = (span_of(kind), Millis(reset_seconds * SECOND));
    RateState { scope: TEAM.into(), kind, per, limit, remaining, reset_after }
}

pub(super) fn within(kind: RateKind, limit: u64, remaining: u64, reset_seconds: u64) -> Reply {
    let rates = vec![rate_state(kind, limit, remaining, reset_seconds)];
    Reply::Verdict(Verdict::Admitted(Admission { granted: NanoUsd(0), rates, budgets: vec![], calls: 0 }))
}

pub(super) fn limited(
    kind: RateKind,
    limit: u64,
    remaining: u64,
    reset_seconds: u64,
    wait_seconds: Option<u64>,
) -> Reply {
    Reply::Verdict(Verdict::Denied(Denial::Rate {
        rate: rate_state(kind, limit, remaining, reset_seconds),
        retry_after: wait_seconds.map(|seconds| Millis(seconds * SECOND)),
    }))
}

pub(super) fn settled(posted: u64) -> Reply {
    Reply::Settled(Settled { posted: NanoUsd(posted), overdraft: false, already: false })
}

pub(super) fn overdraft(posted: u64) -> Reply {
    Reply::Settled(Settled { posted: NanoUsd(posted), overdraft: true, already: false })
}

pub(super) fn standing(window: Window, posted: u64, held: u64, unconfirmed: u64) -> Standing {
    Standing {
        scope: TEAM.into(),
        window,
        posted: NanoUsd(posted),
        held: NanoUsd(held),
        unconfirmed: NanoUsd(unconfirmed),
        purse: None,
    }
}

pub(super) fn books(posted: u64, held: u64, unconfirmed: u64) -> Reply {
    let nothing = posted + held + unconfirmed == 0;
    Reply::Report(if nothing { vec![] } else { vec![standing(month(), posted, held, unconfirmed)] })
}
