//! A thousand shards and a hundred thousand requests a second, in virtual time, on the lender's books and theirs: whatever is
//! lost under way, nothing is overspent, nothing is forgotten, and hardly anybody waits for the lender.

use super::super::escrow::{Escrow, Slice};
use super::super::*;
use super::chance::Random;
use crate::units::{Millis, NanoUsd, Timestamp};
use std::collections::BTreeMap;

const START: u64 = 1_791_206_055_000;
const SHARDS: usize = 1_000;
/// Shards whose rows are kept, so that they can be built anew from them.
const RESTARTED: usize = 20;
/// What is reserved for a call.
const MOST: u64 = 50_000;
const LEASE: u64 = 3_000;
/// Without a call for so long, a shard gives back what it does not need.
const IDLE: u64 = 200;

#[derive(Clone, Copy)]
enum Event {
    /// A call arrives; again, after the lender was asked.
    Arrive { shard: usize, call: u64, again: bool },
    /// A call ends, having cost this.
    End { shard: usize, call: u64, cost: u64 },
    /// Somebody who was asked to reaches the lender for a shard.
    AtLender { shard: usize },
    /// And is back with what was lent.
    Back { shard: usize, lent: Option<Slice>, heard: Option<u64> },
    /// Nobody has come to a shard for a while.
    Idle { shard: usize },
}

#[derive(Default)]
struct Figures {
    admitted: u64,
    denied: u64,
    waited: u64,
    /// How often the lender was asked for a slice.
    asked: u64,
    lost: u64,
    restarts: u64,
}

struct World {
    random: Random,
    now: u64,
    limit: u64,
    lender: Ledger,
    shards: Vec<Ledger>,
    rows: Vec<BTreeMap<String, String>>,
    /// Whether somebody is on the way to the lender, since when, and who waits for it.
    under_way: Vec<Option<u64>>,
    waiting: Vec<Vec<u64>>,
    last_seen: Vec<u64>,
    /// By when they happen, and in the order they were thought of.
    events: BTreeMap<(u64, u64), Event>,
    serial: u64,
    /// What providers have billed.
    billed: u64,
    /// Calls whose process ended before it could settle.
    unsettled: Vec<(usize, u64, u64)>,
    figures: Figures,
}

fn window() -> Window {
    Window::at(Period::Total, Timestamp(START))
}

fn charge() -> Charge {
    Charge { scope: "team:a".into(), window: window() }
}

impl World {
    fn new(seed: u64, limit: u64) -> World {
        World {
            random: Random(seed),
            now: START,
            limit,
            lender: Ledger::new(),
            shards: (0..SHARDS).map(|_| Ledger::new()).collect(),
            rows: vec![BTreeMap::new(); RESTARTED],
            under_way: vec![None; SHARDS],
            waiting: vec![Vec::new(); SHARDS],
            last_seen: vec![START; SHARDS],
            events: BTreeMap::new(),
            serial: 0,
            billed: 0,
            unsettled: Vec::new(),
            figures: Figures::default(),
        }
    }

    fn line(&self) -> BudgetLine {
        BudgetLine { scope: "team:a".into(), window: window(), limit: NanoUsd(self.limit), hard: true }
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.serial += 1;
        self.events.insert((self.now + ms, self.serial), event);
    }

    fn hop(&mut self) -> u64 {
        20 + self.random.below(60)
    }

    fn spent(ledger: &mut Ledger) -> [u64; 3] {
        let report = Report { scope: "team:a".into(), all: false, now: Timestamp(1) };
        ledger.report(&report).first().map_or([0; 3], |s| [s.posted.0, s.held.0, s.unconfirmed.0])
    }

    /// Writes a shard's rows down, and at times builds it anew from them, as after a crash.
    fn written(&mut self, shard: usize) {
        let changes = self.shards[shard].changes();
        if shard >= RESTARTED {
            return;
        }
        for row in changes {
            match row.value {
                Some(value) => drop(self.rows[shard].insert(row.key, value)),
                None => drop(self.rows[shard].remove(&row.key)),
            }
        }
        if self.random.one_in(10) {
            self.shards[shard] = Ledger::load(self.rows[shard].clone()).unwrap();
            self.figures.restarts += 1;
        }
    }

    fn purse(&mut self, shard: usize, lent: Option<Slice>, heard: Vec<u64>, spare: bool) -> escrow::Purse {
        let escrow = Escrow { charge: charge(), now: Timestamp(self.now), lent, heard, spare, lost: false };
        let purse = self.shards[shard].escrow(&escrow);
        self.written(shard);
        purse
    }

    /// Sends somebody to the lender, unless somebody is on the way who has not been lost.
    fn send(&mut self, shard: usize) {
        if self.under_way[shard].is_some_and(|since| self.now < since + 250) {
            return;
        }
        self.under_way[shard] = Some(self.now);
        let hop = self.hop();
        self.after(hop, Event::AtLender { shard });
    }

    fn arrive(&mut self, shard: usize, call: u64, again: bool) {
        self.last_seen[shard] = self.now;
        let admit = Admit {
            id: ReservationId(format!("{call}")),
            slice: 0,
            now: Timestamp(self.now),
            lease: Millis(LEASE),
            most: NanoUsd(MOST),
            least: NanoUsd(MOST),
            budgets: vec![self.line()],
            rates: vec![],
            note: String::new(),
            escrowed: true,
            share: 0,
            calls: 0,
            enough: NanoUsd::ZERO,
        };
        let verdict = self.shards[shard].admit(&admit);
        self.written(shard);
        match verdict {
            Verdict::Admitted(admission) => {
                self.figures.admitted += 1;
                self.figures.waited += u64::from(again);
                let cost = self.random.below(MOST + 1);
                let took = 20 + self.random.below(600);
                self.after(took, Event::End { shard, call, cost });
                if admission.budgets[0].remaining() < NanoUsd(4 * MOST) {
                    self.send(shard);
                }
            }
            Verdict::Denied(_) if again => self.figures.denied += 1,
            Verdict::Denied(_) => {
                self.waiting[shard].push(call);
                self.send(shard);
            }
        }
    }

    /// What one who comes to the lender does there: tells what ended, asks for the next slice.
    fn at_lender(&mut self, shard: usize) {
        if self.random.one_in(50) {
            self.figures.lost += 1;
            return;
        }
        let purse = self.purse(shard, None, Vec::new(), false);
        let (name, now) = (format!("{shard}"), Timestamp(self.now));
        let heard: Vec<u64> = purse.ended.iter().map(|slice| slice.number).collect();
        for end in purse.ends(&name, &charge(), now) {
            self.lender.settle(&end);
        }
        // Who comes for a shard that nobody calls only tells.
        let wanted = self.now < self.last_seen[shard] + IDLE;
        let lent = if wanted { self.lend(&purse, &name) } else { None };
        // What the lender heard travels back with the slice, each by itself, so that any of it may be lost.
        let hop = self.hop();
        for number in heard {
            self.after(hop, Event::Back { shard, lent: None, heard: Some(number) });
        }
        self.after(hop, Event::Back { shard, lent, heard: None });
    }

    /// The next slice of a shard's: a part of what is left for everybody, so that nobody has it all.
    fn lend(&mut self, purse: &escrow::Purse, name: &str) -> Option<Slice> {
        self.figures.asked += 1;
        let now = Timestamp(self.now);
        let [posted, held, unconfirmed] = World::spent(&mut self.lender);
        let rest = self.limit - (posted + held + unconfirmed);
        let wanted = (rest / (2 * SHARDS as u64)).max(4 * MOST);
        let draw = purse.draw(name, &self.line(), NanoUsd(wanted), NanoUsd(MOST), now);
        match self.lender.admit(&draw) {
            Verdict::Admitted(admission) => Some(Slice { number: purse.next, amount: admission.granted }),
            Verdict::Denied(Denial::Over) => Some(Slice { number: purse.next, amount: NanoUsd::ZERO }),
            Verdict::Denied(Denial::Budget(_) | Denial::Rate { .. }) => None,
        }
    }

    fn back(&mut self, shard: usize, lent: Option<Slice>, heard: Option<u64>) {
        if self.random.one_in(50) {
            self.figures.lost += 1;
            return;
        }
        if heard.is_none() {
            self.under_way[shard] = None;
            for call in std::mem::take(&mut self.waiting[shard]) {
                self.after(1, Event::Arrive { shard, call, again: true });
            }
        }
        self.purse(shard, lent, heard.into_iter().collect(), false);
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Arrive { shard, call, again } => self.arrive(shard, call, again),
            Event::End { shard, call, cost } => {
                self.billed += cost;
                if self.random.one_in(200) {
                    self.unsettled.push((shard, call, cost));
                    return;
                }
                self.settle(shard, call, cost);
                if self.random.one_in(100) {
                    self.settle(shard, call, cost);
                }
            }
            Event::AtLender { shard } => self.at_lender(shard),
            Event::Back { shard, lent, heard } => self.back(shard, lent, heard),
            Event::Idle { shard } => {
                if self.now >= self.last_seen[shard] + IDLE {
                    let purse = self.purse(shard, None, Vec::new(), true);
                    if !purse.ended.is_empty() {
                        self.send(shard);
                    }
                }
            }
        }
    }

    fn settle(&mut self, shard: usize, call: u64, cost: u64) {
        let id = ReservationId(format!("{call}"));
        let settle = Settle {
            id,
            now: Timestamp(self.now),
            amount: NanoUsd(cost),
            tokens: None,
            charge: vec![charge()],
            of: None,
        };
        assert_eq!(self.shards[shard].settle(&settle).posted.0, cost);
        self.written(shard);
    }

    /// Nothing is overspent, and the lender counts at least what the shards do.
    fn hold(&mut self) -> u64 {
        let lender: u64 = World::spent(&mut self.lender).iter().sum();
        let shards: u64 = self.shards.iter_mut().map(|shard| World::spent(shard).iter().sum::<u64>()).sum();
        assert!(lender <= self.limit, "overspent: {lender} of {}", self.limit);
        assert!(shards <= lender, "the shards say {shards}, their lender only {lender}");
        assert!(self.billed <= shards, "lost: {} were billed, the shards say {shards}", self.billed);
        shards
    }

    /// Lets everything happen, and looks at the books every hundredth of a second.
    fn run(&mut self) {
        let mut look = self.now;
        while let Some(((at, _), event)) = self.events.pop_first() {
            self.now = at;
            self.step(event);
            if at >= look {
                self.hold();
                look = at + 10;
            }
        }
    }
}

/// A second of it, and what comes after until everybody has settled and given back.
fn simulate(seed: u64, limit: u64) -> Figures {
    let mut world = World::new(seed, limit);
    for call in 0..100_000 {
        let (at, shard) = (call / 100, usize::try_from(world.random.below(SHARDS as u64)).unwrap());
        world.after(at, Event::Arrive { shard, call, again: false });
    }
    for (shard, round) in (0..SHARDS).flat_map(|shard| (1..8).map(move |round| (shard, round))) {
        world.after(round * 500, Event::Idle { shard });
    }
    world.run();
    world.now += 2 * LEASE;
    let waiting: usize = world.waiting.iter().map(Vec::len).sum();
    // Late settlements of those whose process ended: their leases are over, and what they cost is known after all.
    for (shard, call, cost) in std::mem::take(&mut world.unsettled) {
        world.settle(shard, call, cost);
    }
    for shard in 0..SHARDS {
        let purse = world.purse(shard, None, Vec::new(), true);
        for end in purse.ends(&format!("{shard}"), &charge(), Timestamp(world.now)) {
            world.lender.settle(&end);
        }
        let heard = purse.ended.iter().map(|slice| slice.number).collect();
        assert!(world.purse(shard, None, heard, true).is_over());
    }
    // Slices that were lent to nobody: whoever was on the way with them is asked for again under the same number.
    for shard in 0..SHARDS {
        let purse = world.purse(shard, None, Vec::new(), false);
        let draw = purse.draw(&format!("{shard}"), &world.line(), NanoUsd(1), NanoUsd(1), Timestamp(world.now));
        if let Verdict::Admitted(admission) = world.lender.admit(&draw) {
            let lent = Slice { number: purse.next, amount: admission.granted };
            let purse = world.purse(shard, Some(lent), Vec::new(), true);
            for end in purse.ends(&format!("{shard}"), &charge(), Timestamp(world.now)) {
                world.lender.settle(&end);
            }
        }
    }
    let spent = world.hold();
    assert_eq!(spent, world.billed, "every shard's books are even");
    assert_eq!(World::spent(&mut world.lender), [spent, 0, 0], "the lender has the same, and holds nothing more");
    let Figures { admitted, denied, waited, asked, lost, restarts } = world.figures;
    println!(
        "seed {seed}: {admitted} admitted, {denied} denied, {waited} waited for the lender, who was asked {asked} times; \
         {lost} messages lost, {restarts} restarts, {waiting} left waiting; spent {spent} of {limit}"
    );
    world.figures
}

#[test]
fn a_slice_whose_end_is_told_again_long_after_counts_once() {
    let mut world = World::new(1, 40 * MOST);
    let lent = world.lend(&escrow::Purse::default(), "0").unwrap();
    world.purse(0, Some(lent), Vec::new(), false);
    world.shards[0].settle(&Settle {
        id: ReservationId("call".into()),
        now: Timestamp(START),
        amount: lent.amount,
        tokens: None,
        charge: vec![charge()],
        of: None,
    });
    // Whoever tells the lender ends before the shard hears of it, and nobody comes again for half an hour.
    for minutes in [0, 30] {
        world.now = START + minutes * 60_000;
        let purse = world.purse(0, None, Vec::new(), false);
        for end in purse.ends("0", &charge(), Timestamp(world.now)) {
            world.lender.settle(&end);
        }
    }
    assert_eq!(World::spent(&mut world.lender), [lent.amount.0, 0, 0]);
}

#[test]
fn with_money_enough_a_thousand_shards_admit_by_themselves() {
    let figures = simulate(1, 40_000_000_000_000);
    assert!(figures.denied == 0 && figures.admitted > 95_000);
    // Once for each shard, and now and then again when a message was lost.
    assert!(figures.asked < 1_300, "{}", figures.asked);
}

#[test]
fn a_budget_for_half_of_the_calls_is_spent_by_a_thousand_shards_and_not_overspent() {
    for seed in 2..4 {
        let figures = simulate(seed, 50_000 * 25_000);
        assert!(figures.admitted > 20_000 && figures.denied > 10_000);
        assert!(figures.lost > 10 && figures.restarts > 10);
    }
}
