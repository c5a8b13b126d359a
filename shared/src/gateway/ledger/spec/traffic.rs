//! Mixed traffic: few ids, scopes and windows, so that everything happens to everything.

use crate::gateway::ledger::command::{
    Admit, BudgetLine, Charge, Command, Keep, Part, RateKind, RateLine, Report, ReservationId, Settle, Void,
};
use crate::units::{Millis, NanoUsd, Timestamp};
use crate::window::{Period, Window};

/// A reproducible sequence of numbers (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)).checked_rem(bound).unwrap_or(0)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy, const N: usize>(&mut self, all: [T; N], default: T) -> T {
        usize::try_from(self.below(N as u64)).ok().and_then(|at| all.get(at).copied()).unwrap_or(default)
    }
}

/// `count` commands that depend on `seed` alone: admissions and settlements in any order, repeated,
/// late, unknown and contradictory, over days, by a clock that at times jumps back.
pub fn commands(seed: u64, count: usize) -> Vec<Command> {
    traffic(&mut Numbers(seed), count, false)
}

/// The same for a ledger that lends to processes: calls are taken out of what was lent, and parts of it are kept.
pub fn lending_commands(seed: u64, count: usize) -> Vec<Command> {
    traffic(&mut Numbers(seed), count, true)
}

fn traffic(n: &mut Numbers, count: usize, lends: bool) -> Vec<Command> {
    let mut clock = 1_791_206_055_000;
    let mut traffic = Vec::with_capacity(count);
    while traffic.len() < count {
        clock += match n.below(40) {
            0 => n.below(40 * 3_600_000),
            1..=4 => n.below(20 * 60_000),
            _ => n.below(20_000),
        };
        let now = Timestamp(if n.one_in(15) { clock - n.below(3_700_000) } else { clock });
        // Ids go round, so that each has a history and a future.
        let id = ReservationId(format!("r{}", n.below(12)));
        traffic.push(match n.below(10) {
            0..=3 => Command::Admit(if lends { borrow(n, id, now) } else { admit(n, id, now) }),
            4 => Command::Admit(Admit { slice: u32::try_from(n.below(4)).unwrap_or(0), ..admit(n, id, now) }),
            5..=7 => Command::Settle(Settle {
                id,
                now,
                amount: NanoUsd(n.below(60)),
                tokens: (!n.one_in(3)).then(|| n.below(1_500)),
                charge: (0..n.below(3)).map(|_| charge(n, now)).collect(),
                of: if lends && n.one_in(2) { Some(part(n)) } else { None },
            }),
            8 => Command::Void(Void { id, now, but: if lends && n.one_in(2) { Some(keep(n)) } else { None } }),
            _ if n.one_in(3) => Command::Expire(now),
            _ if n.one_in(3) => Command::Rates(now),
            _ => Command::Report(Report { scope: scope(n), all: n.one_in(2), now }),
        });
    }
    traffic
}

fn part(n: &mut Numbers) -> Part {
    let lent = ReservationId(format!("r{}", n.below(12)));
    Part { lent, keep: if n.one_in(3) { Some(keep(n)) } else { None } }
}

fn keep(n: &mut Numbers) -> Keep {
    let rates = (0..n.below(3)).map(|_| n.below(500)).collect();
    Keep { most: NanoUsd(n.below(60)), slice: u32::try_from(n.below(3)).unwrap_or(0), rates }
}

fn borrow(n: &mut Numbers, id: ReservationId, now: Timestamp) -> Admit {
    Admit { share: n.below(4), calls: n.below(9), ..admit(n, id, now) }
}

fn admit(n: &mut Numbers, id: ReservationId, now: Timestamp) -> Admit {
    let most = n.below(50);
    Admit {
        id,
        slice: 0,
        now,
        lease: Millis(1 + n.below(120_000)),
        most: NanoUsd(most),
        least: NanoUsd(if n.one_in(2) { most } else { n.below(20) }),
        budgets: (0..n.below(4)).map(|_| budget(n, now)).collect(),
        rates: (0..n.below(3)).map(|_| rate(n)).collect(),
        note: if n.one_in(2) { String::new() } else { "who: \"ünï\"".into() },
        escrowed: false,
        share: 0,
        calls: 0,
        enough: NanoUsd(if n.one_in(3) { n.below(30) } else { 0 }),
    }
}

fn budget(n: &mut Numbers, now: Timestamp) -> BudgetLine {
    let Charge { scope, window } = charge(n, now);
    BudgetLine { scope, window, limit: NanoUsd(n.below(400)), hard: !n.one_in(3) }
}

fn charge(n: &mut Numbers, now: Timestamp) -> Charge {
    let period = n.of([Period::Hour, Period::Day, Period::Week, Period::Month, Period::Total], Period::Day);
    Charge { scope: scope(n), window: Window::at(period, now) }
}

/// Names that would confuse a store that splits or quotes carelessly.
fn scope(n: &mut Numbers) -> String {
    n.of(["team:a", "team:a|2026-10", "user:#1 \"ö\""], "team:a").into()
}

fn rate(n: &mut Numbers) -> RateLine {
    let kind = n.of([RateKind::Requests, RateKind::Tokens, RateKind::Parallel], RateKind::Requests);
    let span = n.of([1_000, 60_000, 3_600_000], 60_000);
    let (limit, cost, per) = match kind {
        RateKind::Requests => (1 + n.below(7), 1, span),
        RateKind::Tokens => (1_000, n.below(1_100), span),
        RateKind::Parallel => (n.below(4), 1, 0),
    };
    RateLine { scope: scope(n), kind, per: Millis(per), limit, cost }
}
