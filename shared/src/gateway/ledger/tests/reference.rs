//! The machine against the plainest bookkeeping there is: a list of everything that ever happened,
//! added up anew for every question.

use crate::gateway::ledger::spec::{commands, lending_commands};
use crate::gateway::ledger::*;
use crate::units::{Millis, NanoUsd, Timestamp};
use proptest::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open { until: u64 },
    Settled { at: u64, amount: u64, overdraft: bool },
    Voided { at: u64 },
}

struct Entry {
    id: ReservationId,
    granted: u64,
    /// What calls came to that were taken out of it.
    parts: u64,
    slice: u32,
    charges: Vec<Charge>,
    draws: Vec<usize>,
    state: State,
    forgotten: bool,
}

/// One draw on a rate: when, how much, by how many microseconds, and to where.
struct Draw {
    scope: String,
    kind: RateKind,
    per: u64,
    limit: u64,
    at: u64,
    cost: u64,
    by: i128,
    tat: i128,
}

#[derive(Default)]
struct Reference {
    now: u64,
    entries: Vec<Entry>,
    draws: Vec<Draw>,
    /// Corrections apply in the order they were made, between draws.
    order: Vec<Event>,
}

enum Event {
    Draw(usize),
    Correct(usize, i128),
}

impl Reference {
    fn tat(&self, scope: &str, kind: RateKind, per: u64) -> i128 {
        let mut tat = 0i128;
        let same = |draw: &Draw| draw.scope == scope && draw.kind == kind && draw.per == per;
        for event in &self.order {
            match event {
                Event::Draw(at) if same(&self.draws[*at]) => {
                    let draw = &self.draws[*at];
                    tat = tat.max(i128::from(draw.at) * 1_000) + draw.by;
                }
                Event::Correct(at, by) if same(&self.draws[*at]) => tat += by,
                Event::Draw(_) | Event::Correct(..) => {}
            }
        }
        tat
    }

    fn unconfirmed(&self, entry: &Entry) -> bool {
        matches!(entry.state, State::Open { until } if until <= self.now)
    }

    fn standing(&self, charge: &Charge) -> (u64, u64, u64) {
        let (mut posted, mut held, mut unconfirmed) = (0, 0, 0);
        for entry in self.entries.iter().filter(|entry| entry.charges.contains(charge)) {
            match entry.state {
                State::Open { .. } if self.unconfirmed(entry) => unconfirmed += entry.granted,
                State::Open { .. } => held += entry.granted,
                State::Settled { amount, .. } => posted += amount,
                State::Voided { .. } => {}
            }
        }
        (posted, held, unconfirmed)
    }

    fn spent(&self, charge: &Charge) -> u64 {
        let (posted, held, unconfirmed) = self.standing(charge);
        posted + held + unconfirmed
    }

    fn known(&mut self, id: &ReservationId) -> Option<usize> {
        for entry in &mut self.entries {
            entry.forgotten |= match entry.state {
                State::Open { until } => until + 24 * 3_600_000 <= self.now,
                State::Settled { at, .. } | State::Voided { at } => at + 900_000 <= self.now,
            };
        }
        self.entries.iter().position(|entry| entry.id == *id && !entry.forgotten)
    }

    fn admit(&mut self, admit: &Admit) -> Result<Option<u64>, ()> {
        let charge = |line: &BudgetLine| Charge { scope: line.scope.clone(), window: line.window };
        if let Some(at) = self.known(&admit.id) {
            let entry = &self.entries[at];
            if !matches!(entry.state, State::Open { .. }) || self.unconfirmed(entry) {
                return Err(());
            }
            if admit.slice <= entry.slice {
                return Ok(Some(entry.granted));
            }
            let ours = admit.budgets.iter().filter(|line| line.hard && entry.charges.contains(&charge(line)));
            let room = ours.map(|line| line.limit.0.saturating_sub(self.spent(&charge(line)))).min();
            let more = room.map_or(admit.most.0, |room| room.min(admit.most.0));
            if more < admit.least.0.min(admit.most.0) {
                return Ok(None);
            }
            let until = self.now + admit.lease.0;
            let entry = &mut self.entries[at];
            if let State::Open { until: before } = &mut entry.state {
                *before = until.max(*before);
            }
            (entry.granted, entry.slice) = (entry.granted + more, admit.slice);
            return Ok(Some(entry.granted));
        }
        if admit.slice > 0 {
            return Err(());
        }
        let mut granted = admit.most.0;
        for line in admit.budgets.iter().filter(|line| line.hard) {
            granted = granted.min(line.limit.0.saturating_sub(self.spent(&charge(line))) / admit.share.max(1));
        }
        if granted < admit.least.0.min(admit.most.0) {
            return Ok(None);
        }
        let mut drawn = Vec::new();
        for line in &admit.rates {
            if drawn
                .iter()
                .any(|draw: &Draw| (&draw.scope, draw.kind, draw.per) == (&line.scope, line.kind, line.per.0))
            {
                continue;
            }
            if line.kind == RateKind::Parallel {
                let holds = |draw: &usize| {
                    let draw = &self.draws[*draw];
                    draw.kind == RateKind::Parallel && draw.scope == line.scope
                };
                let open = self.entries.iter().filter(|entry| {
                    matches!(entry.state, State::Open { .. }) && !self.unconfirmed(entry) && !entry.forgotten
                });
                let taken = open.filter(|entry| entry.draws.iter().any(holds)).count() as u64;
                if taken + line.cost > line.limit {
                    return Ok(None);
                }
            }
            let by = i128::from((line.cost * line.per.0 * 1_000).div_ceil(line.limit.max(1)));
            let tat = self.tat(&line.scope, line.kind, line.per.0).max(i128::from(self.now) * 1_000) + by;
            let ahead = tat - i128::from(self.now) * 1_000;
            if line.kind != RateKind::Parallel && (line.cost > line.limit || ahead > i128::from(line.per.0) * 1_000) {
                return Ok(None);
            }
            let (scope, per) = (line.scope.clone(), line.per.0);
            drawn.push(Draw { scope, kind: line.kind, per, limit: line.limit, at: self.now, cost: line.cost, by, tat });
        }
        let mut draws = Vec::new();
        for draw in drawn {
            self.order.push(Event::Draw(self.draws.len()));
            draws.push(self.draws.len());
            self.draws.push(draw);
        }
        let mut charges: Vec<Charge> = admit.budgets.iter().map(charge).collect();
        charges.sort();
        charges.dedup();
        let state = State::Open { until: self.now + admit.lease.0 };
        self.entries.push(Entry {
            id: admit.id.clone(),
            granted,
            parts: 0,
            slice: 0,
            charges,
            draws,
            state,
            forgotten: false,
        });
        Ok(Some(granted))
    }

    fn correct(&mut self, at: usize, tokens: u64) {
        for draw in &self.entries[at].draws {
            let Draw { kind: RateKind::Tokens, per, limit, cost, by, tat, .. } = &self.draws[*draw] else {
                continue;
            };
            let exact = |tokens: u64| i128::from((tokens * per * 1_000).div_ceil(*limit));
            let left = (tat - i128::from(self.now) * 1_000).max(0);
            let by = if tokens >= *cost { exact(tokens - cost) } else { -(by - exact(tokens)).min(left) };
            self.order.push(Event::Correct(*draw, by));
        }
    }

    /// Takes a call out of what was lent; what was held of it, and where.
    fn take(&mut self, part: &Part, amount: u64) -> Option<(u64, Vec<Charge>)> {
        let at = self.known(&part.lent)?;
        let entry = &mut self.entries[at];
        let taken = entry.granted.min(amount);
        matches!(entry.state, State::Open { .. }).then(|| {
            (entry.granted, entry.parts) = (entry.granted - taken, entry.parts + amount);
            if entry.granted == 0 {
                entry.state = State::Voided { at: self.now };
            }
            (taken, entry.charges.clone())
        })
    }

    /// Keeps this of what was lent; `None`: nothing.
    fn keep(&mut self, id: &ReservationId, keep: &Keep) -> Option<Settled> {
        let at = self.known(id)?;
        let entry = &mut self.entries[at];
        let open = matches!(entry.state, State::Open { .. });
        let kept = match keep.slice < entry.slice {
            true => entry.granted,
            false => entry.granted.min(keep.most.0.saturating_sub(entry.parts)),
        };
        (open && kept > 0).then(|| {
            entry.granted = kept;
            Settled { posted: NanoUsd(0), overdraft: false, already: false }
        })
    }

    fn settle(&mut self, settle: &Settle) -> Settled {
        let reply = self.settle_call(settle);
        if let Some(Part { lent, keep: Some(keep) }) = &settle.of
            && self.known(lent).is_some()
        {
            self.void(&Void { id: lent.clone(), now: settle.now, but: Some(*keep) });
        }
        reply
    }

    fn settle_call(&mut self, settle: &Settle) -> Settled {
        let amount = settle.amount.0;
        let known = self.known(&settle.id);
        let lent = settle.of.as_ref().and_then(|part| self.known(&part.lent));
        let missing = lent.is_some_and(|at| matches!(self.entries[at].state, State::Open { .. }));
        if known.is_none() && !missing && settle.now.0 + 900_000 <= self.now {
            return Settled { posted: NanoUsd(0), overdraft: false, already: true };
        }
        let held = match known.map(|at| (at, self.entries[at].state)) {
            Some((_, State::Settled { amount, overdraft, .. })) => {
                return Settled { posted: NanoUsd(amount), overdraft, already: true };
            }
            Some((at, State::Open { .. })) => {
                if let (Some(tokens), false) = (settle.tokens, self.unconfirmed(&self.entries[at])) {
                    self.correct(at, tokens);
                }
                self.entries[at].granted
            }
            Some((_, State::Voided { .. })) | None => 0,
        };
        let ended = |entry: &Entry| matches!(entry.state, State::Voided { .. });
        let part = match &settle.of {
            Some(part) if known.is_none_or(|at| ended(&self.entries[at])) => self.take(part, amount),
            Some(_) | None => None,
        };
        let overdraft = amount > part.as_ref().map_or(held, |(taken, _)| *taken);
        let state = State::Settled { at: self.now, amount, overdraft };
        match known {
            Some(at) => {
                let voided = matches!(self.entries[at].state, State::Voided { .. });
                if voided && self.entries[at].charges.is_empty() {
                    self.entries[at].charges = settle.charge.clone();
                }
                if let Some((_, charges)) = part {
                    self.entries[at].charges = charges;
                }
                self.entries[at].state = state;
            }
            None => self.entries.push(Entry {
                id: settle.id.clone(),
                granted: 0,
                parts: 0,
                slice: 0,
                charges: part.map_or_else(|| settle.charge.clone(), |(_, charges)| charges),
                draws: vec![],
                state,
                forgotten: false,
            }),
        }
        Settled { posted: NanoUsd(amount), overdraft, already: false }
    }

    fn void(&mut self, void: &Void) -> Settled {
        if let Some(kept) = void.but.and_then(|keep| self.keep(&void.id, &keep)) {
            return kept;
        }
        match self.known(&void.id).map(|at| (at, self.entries[at].state)) {
            Some((_, State::Settled { amount, overdraft, .. })) => {
                Settled { posted: NanoUsd(amount), overdraft, already: true }
            }
            Some((_, State::Voided { .. })) => Settled { posted: NanoUsd(0), overdraft: false, already: true },
            Some((at, State::Open { .. })) => {
                if !self.unconfirmed(&self.entries[at]) {
                    self.correct(at, 0);
                }
                self.entries[at].state = State::Voided { at: self.now };
                Settled { posted: NanoUsd(0), overdraft: false, already: false }
            }
            None => {
                let state = State::Voided { at: self.now };
                self.entries.push(Entry {
                    id: void.id.clone(),
                    granted: 0,
                    parts: 0,
                    slice: 0,
                    charges: vec![],
                    draws: vec![],
                    state,
                    forgotten: false,
                });
                Settled { posted: NanoUsd(0), overdraft: false, already: false }
            }
        }
    }
}

proptest! {
    #[test]
    fn the_machine_keeps_the_books_a_list_of_everything_would(seed: u64, lends: bool) {
        let (mut ledger, mut reference) = (Ledger::new(), Reference::default());
        for command in if lends { lending_commands(seed, 250) } else { commands(seed, 250) } {
            reference.now = reference.now.max(command.now().0);
            match (ledger.apply(vec![command.clone()]).remove(0), command) {
                (Reply::Verdict(verdict), Command::Admit(admit)) => {
                    let expected = reference.admit(&admit);
                    match verdict {
                        Verdict::Admitted(admission) => {
                            prop_assert_eq!(Ok(Some(admission.granted.0)), expected);
                            for state in &admission.budgets {
                                let charge = Charge { scope: state.scope.clone(), window: state.window };
                                prop_assert_eq!(state.spent.0, reference.spent(&charge));
                            }
                        }
                        Verdict::Denied(Denial::Over) => prop_assert_eq!(expected, Err(())),
                        Verdict::Denied(Denial::Budget(_)) => prop_assert_eq!(expected, Ok(None)),
                        Verdict::Denied(Denial::Rate { retry_after, rate, .. }) => {
                            prop_assert_eq!(expected, Ok(None));
                            prop_assert!(retry_after != Some(Millis(0)) && rate.remaining <= rate.limit);
                        }
                    }
                }
                (Reply::Settled(settled), Command::Settle(settle)) => prop_assert_eq!(settled, reference.settle(&settle)),
                (Reply::Settled(settled), Command::Void(void)) => prop_assert_eq!(settled, reference.void(&void)),
                (Reply::Report(standings), Command::Report(report)) => {
                    for Standing { scope, window, posted, held, unconfirmed, purse: _ } in standings {
                        prop_assert!(report.covers(&scope));
                        let sums = reference.standing(&Charge { scope, window });
                        prop_assert_eq!((posted.0, held.0, unconfirmed.0), sums);
                    }
                }
                (Reply::Expired(next), Command::Expire(_)) => {
                    let open = reference.entries.iter().filter_map(|entry| match entry.state {
                        State::Open { until } if until > reference.now => Some(Timestamp(until)),
                        State::Open { .. } | State::Settled { .. } | State::Voided { .. } => None,
                    });
                    prop_assert_eq!(next, open.min());
                }
                (Reply::Rates(rates), Command::Rates(_)) => {
                    prop_assert!(rates.iter().all(|draw| draw.cost > 0 || draw.tat > reference.now * 1_000));
                    prop_assert!(rates.is_sorted_by_key(|draw| &draw.key));
                }
                (reply, command) => panic!("{command:?} is not answered by {reply:?}"),
            }
        }
    }
}
