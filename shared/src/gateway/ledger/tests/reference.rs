//! The machine against the plainest bookkeeping there is: a list of everything that ever happened,
//! added up anew for every question.

use crate::gateway::ledger::*;
use crate::units::NanoUsd;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum State {
    Open { until: u64 },
    Settled { at: u64, amount: u64, overdraft: bool },
    Voided { at: u64 },
}

pub(super) struct Entry {
    id: ReservationId,
    granted: u64,
    /// What calls came to that were taken out of it.
    parts: u64,
    /// Whether it was asked for a share.
    lent: bool,
    slice: u32,
    charges: Vec<Charge>,
    draws: Vec<usize>,
    pub(super) state: State,
    forgotten: bool,
}

/// One draw on a rate: when, how much, by how many microseconds, and to where.
pub(super) struct Draw {
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
pub(super) struct Reference {
    pub(super) now: u64,
    pub(super) entries: Vec<Entry>,
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

    pub(super) fn standing(&self, charge: &Charge) -> (u64, u64, u64) {
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

    pub(super) fn spent(&self, charge: &Charge) -> u64 {
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

    pub(super) fn admit(&mut self, admit: &Admit) -> Result<Option<u64>, ()> {
        let charge = |line: &BudgetLine| Charge { scope: line.scope.clone(), window: line.window };
        let part = |left: u64| match (admit.enough.0, admit.share.max(1)) {
            (0, share) => left / share,
            (enough, _) => left.min(enough.max(left / 16)),
        };
        if let Some(at) = self.known(&admit.id) {
            let entry = &self.entries[at];
            if !matches!(entry.state, State::Open { .. }) || self.unconfirmed(entry) {
                return Err(());
            }
            if admit.slice <= entry.slice {
                return Ok(Some(entry.granted));
            }
            let ours = admit.budgets.iter().filter(|line| line.hard && entry.charges.contains(&charge(line)));
            let room = ours.map(|line| part(line.limit.0.saturating_sub(self.spent(&charge(line))))).min();
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
            granted = granted.min(part(line.limit.0.saturating_sub(self.spent(&charge(line)))));
        }
        if granted < admit.least.0.min(admit.most.0) {
            return Ok(None);
        }
        let calls = if admit.share > 0 { self.calls(admit) } else { Some(1) };
        let Some(calls) = calls else { return Ok(None) };
        let mut drawn = Vec::new();
        for line in &admit.rates {
            let line = &RateLine { cost: line.cost * calls, ..line.clone() };
            if drawn
                .iter()
                .any(|draw: &Draw| (&draw.scope, draw.kind, draw.per) == (&line.scope, line.kind, line.per.0))
            {
                continue;
            }
            if line.kind == RateKind::Parallel && self.taken(&line.scope) + line.cost > line.limit {
                return Ok(None);
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
            lent: admit.share > 0,
            slice: 0,
            charges,
            draws,
            state,
            forgotten: false,
        });
        Ok(Some(granted))
    }

    /// How many places the open ones hold.
    fn taken(&self, scope: &str) -> u64 {
        let open = self
            .entries
            .iter()
            .filter(|entry| matches!(entry.state, State::Open { .. }) && !self.unconfirmed(entry) && !entry.forgotten);
        let draws = open.flat_map(|entry| &entry.draws).map(|draw| &self.draws[*draw]);
        draws.filter(|draw| draw.kind == RateKind::Parallel && draw.scope == scope).map(|draw| draw.cost).sum()
    }

    /// For how many calls every rate has a share, if it is for four or as many as are asked for.
    fn calls(&self, admit: &Admit) -> Option<u64> {
        let first = |at: usize, line: &RateLine| {
            let same = |other: &RateLine| (&other.scope, other.kind, other.per) == (&line.scope, line.kind, line.per);
            !admit.rates[..at].iter().any(same)
        };
        let mut calls = admit.calls;
        for (at, line) in admit.rates.iter().enumerate() {
            if line.cost == 0 || !first(at, line) {
                continue;
            }
            let (span, now) = (i128::from(line.per.0) * 1_000, i128::from(self.now) * 1_000);
            let drawn = (self.tat(&line.scope, line.kind, line.per.0) - now).max(0);
            let (left, share) = match line.kind {
                RateKind::Parallel => (line.limit.saturating_sub(self.taken(&line.scope)), admit.share / 4),
                RateKind::Requests | RateKind::Tokens => {
                    let left = (span - drawn).max(0) * i128::from(line.limit) / span;
                    (u64::try_from(left).unwrap(), admit.share)
                }
            };
            let room = left / share.max(1) / line.cost;
            if room < admit.calls.min(4) {
                return None;
            }
            calls = calls.min(room);
        }
        Some(calls)
    }

    fn correct(&mut self, at: usize, tokens: u64) {
        for draw in self.entries[at].draws.clone() {
            if self.draws[draw].kind == RateKind::Tokens {
                self.correct_draw(draw, tokens);
            }
        }
    }

    fn correct_draw(&mut self, at: usize, actual: u64) {
        let draw = &mut self.draws[at];
        let exact = |cost: u64| i128::from((cost * draw.per * 1_000).div_ceil(draw.limit));
        let left = (draw.tat - i128::from(self.now) * 1_000).max(0);
        let less = || -(exact(draw.cost) - exact(actual)).min(left);
        let by = if actual >= draw.cost { exact(actual - draw.cost) } else { less() };
        draw.tat += by;
        self.order.push(Event::Correct(at, by));
    }

    /// The draws that are remembered: requests only where they were lent.
    fn remembered(&self, at: usize) -> Vec<usize> {
        let Entry { draws, lent, .. } = &self.entries[at];
        draws.iter().copied().filter(|draw| *lent || self.draws[*draw].kind != RateKind::Requests).collect()
    }

    /// Takes a call out of what was lent; what was held of it, and where.
    fn take(&mut self, part: &Part, amount: u64) -> Option<(u64, Vec<Charge>)> {
        let at = self.known(&part.lent)?;
        let draws = !self.remembered(at).is_empty();
        let entry = &mut self.entries[at];
        let taken = entry.granted.min(amount);
        matches!(entry.state, State::Open { .. }).then(|| {
            (entry.granted, entry.parts) = (entry.granted - taken, entry.parts + amount);
            if entry.granted == 0 && !draws {
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
        let alive = open && matches!(entry.state, State::Open { until } if until > self.now);
        let draws: Vec<(usize, u64)> = if alive {
            let all = self.remembered(at);
            let kept = all.iter().enumerate().map(|(at, draw)| keep.rates.get(at).unwrap_or(&self.draws[*draw].cost));
            all.iter().copied().zip(kept.copied()).filter(|(draw, kept)| *kept < self.draws[*draw].cost).collect()
        } else {
            vec![]
        };
        let smaller = |draw: usize| draws.iter().find(|(at, _)| *at == draw).map(|(_, kept)| *kept);
        let mut places = self.entries[at].draws.iter().filter(|draw| self.draws[**draw].kind == RateKind::Parallel);
        let held = alive && places.any(|draw| smaller(*draw).unwrap_or(self.draws[*draw].cost) > 0);
        (open && (kept > 0 || held)).then(|| {
            self.entries[at].granted = kept;
            for (draw, kept) in draws {
                if self.draws[draw].kind != RateKind::Parallel {
                    self.correct_draw(draw, kept);
                }
                self.draws[draw].cost = kept;
            }
            Settled { posted: NanoUsd(0), overdraft: false, already: false }
        })
    }

    pub(super) fn settle(&mut self, settle: &Settle) -> Settled {
        let reply = self.settle_call(settle);
        if let Some(Part { lent, keep: Some(keep) }) = &settle.of
            && self.known(lent).is_some()
        {
            self.void(&Void { id: lent.clone(), now: settle.now, but: Some(keep.clone()) });
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
                lent: false,
                slice: 0,
                charges: part.map_or_else(|| settle.charge.clone(), |(_, charges)| charges),
                draws: vec![],
                state,
                forgotten: false,
            }),
        }
        Settled { posted: NanoUsd(amount), overdraft, already: false }
    }

    pub(super) fn void(&mut self, void: &Void) -> Settled {
        if let Some(kept) = void.but.as_ref().and_then(|keep| self.keep(&void.id, keep)) {
            return kept;
        }
        match self.known(&void.id).map(|at| (at, self.entries[at].state)) {
            Some((_, State::Settled { amount, overdraft, .. })) => {
                Settled { posted: NanoUsd(amount), overdraft, already: true }
            }
            Some((_, State::Voided { .. })) => Settled { posted: NanoUsd(0), overdraft: false, already: true },
            Some((at, State::Open { .. })) => {
                if !self.unconfirmed(&self.entries[at]) {
                    let kept = void.but.as_ref().map_or(&[][..], |keep| &keep.rates);
                    for (at, draw) in self.remembered(at).into_iter().enumerate() {
                        let Draw { kind, cost, .. } = self.draws[draw];
                        if kind != RateKind::Parallel {
                            self.correct_draw(draw, kept.get(at).map_or(0, |kept| cost.min(*kept)));
                        }
                    }
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
                    lent: false,
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
