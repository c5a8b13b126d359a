//! Processes that are lent parts of one budget, in virtual time: messages between them and the lender are lost, repeated and
//! overtaken, and processes end at any moment.

use super::super::allowance::{Allowance, LIFE};
use super::super::*;
use super::chance::{Faults, Figures, Random};
use crate::gateway::journal::Entry;
use crate::units::{Millis, NanoUsd, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;

const START: u64 = 1_791_206_055_000;
/// What is reserved for a call.
pub(super) const MOST: u64 = 50_000;
/// How many tokens it is thought to use.
pub(super) const TOKENS: u64 = 400;
/// And what it may be extended by.
const MORE: u64 = 20_000;
const LEASE: u64 = 3_000;

/// What can happen to a process, which is one of its number as long as it lives.
#[derive(Clone)]
pub(super) enum Event {
    Call {
        number: usize,
        call: u64,
    },
    Extend {
        of: Process,
        call: u64,
    },
    End {
        of: Process,
        call: u64,
    },
    /// Commands reach the lender, with the records that go along.
    AtLender {
        from: Process,
        commands: Vec<Command>,
        record: Option<(u64, u64)>,
        then: Then,
    },
    /// What was lent, or told, is answered.
    Lent {
        to: Process,
        draw: Admit,
        granted: Option<Admission>,
    },
    Extended {
        of: Process,
        lent: ReservationId,
        call: u64,
        is_granted: bool,
    },
    Heard {
        by: Process,
        told: Vec<Void>,
    },
    GiveBack {
        of: Process,
        all: bool,
    },
    Crash {
        number: usize,
    },
}

#[derive(Clone)]
pub(super) enum Then {
    Lend(Admit),
    Extend(ReservationId, u64),
    Hear(Vec<Void>),
    Nothing,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) struct Process {
    number: usize,
    life: u64,
}

/// A call under way: what it is granted, and what it was admitted from.
struct Call {
    granted: u64,
    lent: Option<ReservationId>,
}

pub(super) struct World {
    pub(super) random: Random,
    faults: Faults,
    pub(super) now: u64,
    limit: u64,
    lender: Ledger,
    rows: BTreeMap<String, String>,
    /// The journal: what the record of each request, or of each loss, says it cost.
    records: BTreeMap<String, (u64, bool)>,
    processes: Vec<(u64, Allowance)>,
    /// What every call draws on beside the budget.
    rates: Vec<RateLine>,
    /// Requests that were admitted, and tokens they used.
    drawn: [u64; 2],
    calls: BTreeMap<u64, Call>,
    events: BTreeMap<(u64, u64), Event>,
    serial: u64,
    pub(super) billed: u64,
    pub(super) figures: Figures,
}

fn charge() -> Charge {
    Charge { scope: "team:a".into(), window: Window::at(Period::Total, Timestamp(START)) }
}

/// A call by what it draws on.
fn calling(limit: u64, rates: &[RateLine]) -> Admit {
    let line = BudgetLine { scope: charge().scope, window: charge().window, limit: NanoUsd(limit), hard: true };
    Admit {
        id: ReservationId(String::new()),
        slice: 0,
        now: Timestamp(START),
        lease: Millis(LEASE),
        most: NanoUsd(MOST),
        least: NanoUsd(MOST),
        budgets: vec![line],
        rates: rates.to_vec(),
        note: r#"{"team":"a","at":1,"days":30}"#.into(),
        escrowed: false,
        share: 0,
        calls: 0,
        enough: NanoUsd::ZERO,
    }
}

fn id(call: u64) -> ReservationId {
    ReservationId(format!("req_{call}"))
}

impl World {
    pub(super) fn new(seed: u64, processes: usize, limit: u64, rates: Vec<RateLine>, faults: Faults) -> World {
        World {
            random: Random(seed),
            faults,
            now: START,
            limit,
            lender: Ledger::new(),
            rows: BTreeMap::new(),
            records: BTreeMap::new(),
            processes: (0..processes).map(|_| (0, Allowance::new(&calling(limit, &rates)))).collect(),
            rates,
            drawn: [0; 2],
            calls: BTreeMap::new(),
            events: BTreeMap::new(),
            serial: 0,
            billed: 0,
            figures: Figures::default(),
        }
    }

    pub(super) fn after(&mut self, ms: u64, event: Event) {
        self.serial += 1;
        self.events.insert((self.now + ms, self.serial), event);
    }

    /// On its way for as long as it takes: what is sent later may arrive before it.
    fn send(&mut self, event: Event) {
        if self.random.one_in(self.faults.twice) {
            let (late, mut again) = (5 + self.random.below(2_000), event.clone());
            // Who asked has one answer, however often the question arrives.
            if let Event::AtLender { then, .. } = &mut again {
                *then = Then::Nothing;
            }
            self.after(late, again);
        }
        let hop = 2 + self.random.below(60);
        self.after(hop, event);
    }

    fn process(&mut self, of: Process) -> Option<&mut Allowance> {
        self.processes.get_mut(of.number).filter(|(life, _)| *life == of.life).map(|(_, allowance)| allowance)
    }

    fn asked(&self, call: u64) -> Admit {
        Admit { id: id(call), now: Timestamp(self.now), ..calling(self.limit, &self.rates) }
    }

    /// One turn of the lender's: its books and the journal change together, or neither; at times it is built anew.
    fn turn(&mut self, commands: Vec<Command>, record: Option<(u64, u64)>) -> Vec<Reply> {
        self.figures.turns += 1;
        let replies = self.lender.apply(commands.into_iter().map(|command| command.at(Timestamp(self.now))).collect());
        if let Some((call, cost)) = record {
            let known = self.records.entry(id(call).0).or_insert((cost, false));
            *known = if known.1 { (cost, false) } else { *known };
        }
        for (lost, hold) in self.lender.take_lapsed() {
            let entry = Entry::lost(&lost, &hold).unwrap();
            let cost = serde_json::from_str::<Value>(&entry.record).unwrap()["cost_nano_usd"].as_u64().unwrap();
            let known = self.records.entry(entry.id).or_insert((cost, true));
            *known = if known.1 { (cost.min(known.0), true) } else { *known };
        }
        for row in self.lender.changes() {
            match row.value {
                Some(value) => drop(self.rows.insert(row.key, value)),
                None => drop(self.rows.remove(&row.key)),
            }
        }
        if self.random.one_in(self.faults.restart) {
            self.lender = Ledger::load(self.rows.clone()).unwrap();
        }
        replies
    }

    fn call(&mut self, number: usize, call: u64) {
        let admit = self.asked(call);
        let (life, allowance) = &mut self.processes[number];
        let of = Process { number, life: *life };
        let (lent, draw) = (allowance.admit(&admit).map(|(lent, _)| lent), allowance.draw(&admit));
        if let Some(draw) = draw {
            let draw = Admit { id: ReservationId(format!("lent_{call}")), ..draw };
            let command = Command::Admit(draw.clone());
            self.send(Event::AtLender { from: of, commands: vec![command], record: None, then: Then::Lend(draw) });
        }
        if lent.is_some() {
            self.figures.here += 1;
        } else {
            let mut verdict = self.turn(vec![Command::Admit(admit.clone())], None).remove(0);
            if matches!(verdict, Reply::Verdict(Verdict::Denied(_))) {
                let told = self.processes[number].1.give_back(true, Timestamp(self.now));
                self.turn(told.iter().cloned().map(Command::Void).collect(), None);
                self.processes[number].1.heard(&told);
                verdict = self.turn(vec![Command::Admit(admit)], None).remove(0);
            }
            if !matches!(verdict, Reply::Verdict(Verdict::Admitted(_))) {
                self.figures.denied += 1;
                return;
            }
            self.figures.by_the_lender += 1;
        }
        self.drawn[0] += 1;
        self.calls.insert(call, Call { granted: MOST, lent });
        if self.random.one_in(20) {
            let soon = self.random.below(1_500);
            self.after(soon, Event::Extend { of, call });
        }
        let took = if self.random.one_in(10) { self.random.below(LEASE) } else { self.random.below(400) };
        self.after(took, Event::End { of, call });
        if self.random.one_in(self.faults.crash) {
            let soon = self.random.below(300);
            self.after(soon, Event::Crash { number });
        }
    }

    fn end(&mut self, of: Process, call: u64) {
        let Some(Call { granted, lent, .. }) = self.calls.remove(&call) else { return };
        let cost = self.random.below(granted + 1);
        // At times more than was thought.
        let tokens = self.random.below(TOKENS + TOKENS / 8);
        self.billed += cost;
        self.drawn[1] += tokens;
        let Some(allowance) = self.process(of) else { return };
        let part = lent.map(|lent| allowance.settle(&lent, &id(call), NanoUsd(cost), tokens));
        let settle = Settle {
            id: id(call),
            now: Timestamp(self.now),
            amount: NanoUsd(cost),
            tokens: Some(tokens),
            charge: vec![charge()],
            of: part,
        };
        let (commands, record) = (vec![Command::Settle(settle)], Some((call, cost)));
        self.send(Event::AtLender { from: of, commands, record, then: Then::Nothing });
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Call { number, call } => self.call(number, call),
            Event::Extend { of, call } => {
                let Some(lent) = self.calls.get(&call).and_then(|call| call.lent.clone()) else { return };
                let more = Admit { most: NanoUsd(MORE), ..self.asked(call) };
                let Some(extension) = self.process(of).and_then(|allowance| allowance.more(&lent, &more)) else {
                    return;
                };
                let (commands, then) = (vec![Command::Admit(extension)], Then::Extend(lent, call));
                self.send(Event::AtLender { from: of, commands, record: None, then });
            }
            Event::End { of, call } => self.end(of, call),
            Event::AtLender { from, commands, record, then } => {
                // What is lost under way is sent again, as long as there is somebody who can.
                if self.random.one_in(self.faults.lost) {
                    if self.process(from).is_some() {
                        self.after(200, Event::AtLender { from, commands, record, then });
                    }
                    return;
                }
                let replies = self.turn(commands, record);
                let lost = self.random.one_in(self.faults.lost);
                match then {
                    Then::Lend(draw) if lost => {
                        // Nobody knows whether it was lent.
                        let told = vec![Void { id: draw.id.clone(), now: Timestamp(self.now), but: None }];
                        let commands = told.into_iter().map(Command::Void).collect();
                        self.send(Event::AtLender { from, commands, record: None, then: Then::Nothing });
                        self.after(1, Event::Lent { to: from, draw, granted: None });
                    }
                    Then::Lend(draw) => {
                        let Some(Reply::Verdict(verdict)) = replies.first() else { return };
                        let granted = if let Verdict::Admitted(one) = verdict { Some(one.clone()) } else { None };
                        self.after(3, Event::Lent { to: from, draw, granted });
                    }
                    Then::Extend(lent, call) => {
                        let granted = matches!(replies.first(), Some(Reply::Verdict(Verdict::Admitted(_))));
                        self.after(3, Event::Extended { of: from, lent, call, is_granted: granted && !lost });
                    }
                    Then::Hear(told) if !lost => self.after(3, Event::Heard { by: from, told }),
                    Then::Hear(_) | Then::Nothing => {}
                }
            }
            Event::Lent { to, draw, granted } => {
                let now = Timestamp(self.now);
                if let Some(allowance) = self.process(to)
                    && !allowance.has(&draw.id)
                {
                    allowance.lent(&draw, granted.as_ref(), now);
                    self.after(LIFE.0, Event::GiveBack { of: to, all: false });
                }
            }
            Event::Extended { of, lent, call, is_granted } => {
                let granted = self.process(of).and_then(|allowance| allowance.extended(&lent, &id(call), is_granted));
                if let (Some(granted), Some(call)) = (granted, self.calls.get_mut(&call)) {
                    call.granted = granted.0;
                    self.figures.extended += 1;
                }
            }
            Event::Heard { by, told } => {
                self.process(by).into_iter().for_each(|allowance| allowance.heard(&told));
            }
            Event::GiveBack { of, all } => {
                let now = Timestamp(self.now);
                let Some(told) = self.process(of).map(|allowance| allowance.give_back(all, now)) else { return };
                if !told.is_empty() {
                    let commands = told.iter().cloned().map(Command::Void).collect();
                    self.send(Event::AtLender { from: of, commands, record: None, then: Then::Hear(told) });
                    self.after(300, Event::GiveBack { of, all });
                }
            }
            Event::Crash { number } => {
                let (life, allowance) = &mut self.processes[number];
                (*life, *allowance) = (*life + 1, Allowance::new(&calling(self.limit, &self.rates)));
                self.figures.crashes += 1;
            }
        }
    }

    pub(super) fn books(&mut self) -> [u64; 3] {
        let report = Report { scope: "team:a".into(), all: false, now: Timestamp(1) };
        self.lender.report(&report).first().map_or([0; 3], |s| [s.posted.0, s.held.0, s.unconfirmed.0])
    }

    fn hold(&mut self) {
        let [posted, held, unconfirmed] = self.books();
        let spent = posted + held + unconfirmed;
        assert!(spent <= self.limit, "overspent: {spent} of {}", self.limit);
        assert!(self.billed <= spent, "lost: {} were billed, the books say {spent}", self.billed);
        let recorded: u64 = self.records.values().map(|(cost, _)| cost).sum();
        assert_eq!(recorded, posted + unconfirmed, "the records do not add up to the books");
        for line in &self.rates {
            let refilled = line.limit * (self.now - START + LEASE) / line.per.0.max(1);
            let (most, drawn) = match line.kind {
                RateKind::Requests => (line.limit + refilled, self.drawn[0]),
                // What calls under way will use is only an estimate.
                RateKind::Tokens => (line.limit + refilled + refilled / 8, self.drawn[1]),
                RateKind::Parallel => (line.limit, self.calls.len() as u64),
            };
            assert!(drawn <= most, "{:?}: {drawn} of {most}", line.kind);
        }
    }

    /// Lets everything happen, and looks at the books now and then.
    pub(super) fn run(&mut self, every: u64) {
        let mut look = self.now;
        while let Some(((at, _), event)) = self.events.pop_first() {
            self.now = at;
            self.step(event);
            if at >= look {
                self.hold();
                look = at + every;
            }
        }
        self.now += 20 * LEASE;
        self.turn(vec![Command::Expire(Timestamp(self.now))], None);
        self.hold();
        let drawn = self.lender.rates(Timestamp(self.now));
        assert!(drawn.iter().all(|draw| draw.key.kind != RateKind::Parallel), "{drawn:?}");
    }
}
