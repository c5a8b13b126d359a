//! Every interleaving of a few clients with one budget, exhaustively: crashes at any step, lost
//! answers and retries, duplicate and late settlements, leases that run out at any time.

use crate::gateway::ledger::*;
use crate::units::{Millis, NanoUsd, Timestamp};
use reservation::Reservation;
use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Where a client is with its one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    /// Asked; the answer was lost.
    Unanswered,
    Streaming,
    Ended,
    Settled,
    /// Refused or crashed.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Client {
    step: Step,
    granted: u64,
    /// What the provider has billed.
    used: u64,
    /// Slices asked for beyond the first.
    slice: u32,
    /// The lease this client asked for.
    lease: u64,
}

#[derive(Clone)]
struct World {
    clients: Vec<Client>,
    ledger: Ledger,
    now: u64,
}

struct Model {
    clients: usize,
    limit: u64,
    most: u64,
    least: u64,
    last_tick: u64,
    /// How many slices a client may ask for while it streams.
    slices: u32,
}

impl Model {
    fn window(&self) -> Window {
        Window::at(Period::Total, Timestamp(0))
    }

    fn admit(&self, world: &World, client: usize, lease: u64) -> Admit {
        Admit {
            id: id(client),
            slice: 0,
            now: Timestamp(world.now),
            lease: Millis(lease),
            most: NanoUsd(self.most),
            least: NanoUsd(self.least),
            budgets: vec![BudgetLine {
                scope: "b".into(),
                window: self.window(),
                limit: NanoUsd(self.limit),
                hard: true,
            }],
            rates: vec![],
            note: String::new(),
            escrowed: false,
            share: 0,
            calls: 0,
            enough: NanoUsd::ZERO,
        }
    }

    /// Every world one step away.
    fn next(&self, world: &World) -> Vec<World> {
        let mut worlds = Vec::new();
        if world.now < self.last_tick {
            let mut next = world.clone();
            next.now += 1;
            next.ledger.expire(Timestamp(next.now));
            worlds.push(next);
        }
        for at in 0..world.clients.len() {
            let client = world.clients[at];
            let mut go = |change: &dyn Fn(&mut Client, &mut Ledger)| {
                let mut next = world.clone();
                change(&mut next.clients[at], &mut next.ledger);
                worlds.push(next);
            };
            let ask = |client: &mut Client, ledger: &mut Ledger, lease: u64, answered: bool| {
                client.lease = lease;
                match ledger.admit(&self.admit(world, at, lease)) {
                    Verdict::Admitted(admission) => {
                        client.granted = admission.granted.0;
                        client.step = if answered { Step::Streaming } else { Step::Unanswered };
                    }
                    Verdict::Denied(_) => client.step = if answered { Step::Gone } else { Step::Unanswered },
                }
            };
            let settle = Settle {
                id: id(at),
                now: Timestamp(world.now),
                amount: NanoUsd(client.used),
                tokens: None,
                charge: vec![Charge { scope: "b".into(), window: self.window() }],
                of: None,
            };
            match client.step {
                Step::Idle => {
                    for lease in [1, 3] {
                        go(&|client, ledger| ask(client, ledger, lease, true));
                        go(&|client, ledger| ask(client, ledger, lease, false));
                    }
                }
                Step::Unanswered => {
                    go(&|client, ledger| ask(client, ledger, client.lease, true));
                    go(&|client, _| client.step = Step::Gone);
                }
                Step::Streaming => {
                    // Not fenced: the provider bills on after the lease, up to the grant.
                    if client.used < client.granted {
                        go(&|client, _| client.used += 1);
                    }
                    if client.slice < self.slices {
                        // Answered or not; a client that did not hear of a slice asks for it again, or does without.
                        for (heard, counted) in [(true, true), (false, false), (false, true)] {
                            go(&|client, ledger| {
                                let slice = client.slice + 1;
                                let more = Admit {
                                    slice,
                                    most: NanoUsd(1),
                                    least: NanoUsd(1),
                                    ..self.admit(world, at, client.lease)
                                };
                                if let (Verdict::Admitted(admission), true) = (ledger.admit(&more), heard) {
                                    client.granted = admission.granted.0;
                                }
                                client.slice = if counted { slice } else { client.slice };
                            });
                        }
                    }
                    go(&|client, _| client.step = Step::Ended);
                    go(&|client, _| client.step = Step::Gone);
                }
                Step::Ended => {
                    for answered in [true, false] {
                        go(&|client, ledger| {
                            assert_eq!(ledger.settle(&settle).posted.0, client.used);
                            client.step = if answered { Step::Settled } else { Step::Ended };
                        });
                        if client.used == 0 {
                            go(&|client, ledger| {
                                ledger.void(&Void { id: id(at), now: Timestamp(world.now), but: None });
                                client.step = if answered { Step::Settled } else { Step::Ended };
                            });
                        }
                    }
                    go(&|client, _| client.step = Step::Gone);
                }
                Step::Settled => go(&|client, ledger| assert_eq!(ledger.settle(&settle).posted.0, client.used)),
                Step::Gone => {}
            }
        }
        worlds
    }

    fn hold(&self, world: &World) {
        let books = world.ledger.clone().report(&Report { scope: "b".into(), all: false, now: Timestamp(world.now) });
        let (posted, held, unconfirmed) = books.first().map_or((0, 0, 0), |s| (s.posted.0, s.held.0, s.unconfirmed.0));
        let billed: u64 = world.clients.iter().map(|client| client.used).sum();
        let told = || format!("{:?} posted {posted} held {held} unconfirmed {unconfirmed}", world.clients);
        assert!(billed <= self.limit, "I1, overspent: {}", told());
        assert!(posted + held + unconfirmed <= self.limit, "I2, over-reserved: {}", told());
        assert!(posted + held + unconfirmed >= billed, "I3, lost: {}", told());
        if world.clients.iter().all(|client| client.step == Step::Settled) {
            assert_eq!((posted, held, unconfirmed), (billed, 0, 0), "I4, settled but not equal: {}", told());
        }
    }

    /// How many worlds there are; all of them hold.
    fn explore(&self) -> usize {
        let client = Client { step: Step::Idle, granted: 0, used: 0, slice: 0, lease: 0 };
        let start = World { clients: vec![client; self.clients], ledger: Ledger::new(), now: 0 };
        let mut seen = HashSet::from([fingerprint(&start)]);
        let mut queue = VecDeque::from([start]);
        while let Some(world) = queue.pop_front() {
            self.hold(&world);
            for next in self.next(&world) {
                if seen.insert(fingerprint(&next)) {
                    queue.push_back(next);
                }
            }
        }
        seen.len()
    }
}

fn id(client: usize) -> ReservationId {
    ReservationId(format!("r{client}"))
}

/// What makes a world another one: the clients, the time, and everything in the books.
fn fingerprint(world: &World) -> u64 {
    let mut hash = DefaultHasher::new();
    (&world.clients, world.now).hash(&mut hash);
    for tally in world.ledger.tallies.values() {
        (tally.posted, tally.held, tally.unconfirmed).hash(&mut hash);
    }
    for (id, reservation) in &world.ledger.reservations {
        // When something is forgotten lies beyond the last tick and only multiplies worlds.
        match reservation {
            Reservation::Open { until, hold } => (id, "open", *until, hold.granted, hold.slice).hash(&mut hash),
            Reservation::Unconfirmed { hold, .. } => (id, "unconfirmed", hold.granted).hash(&mut hash),
            Reservation::Settled { posted, .. } => (id, "settled", *posted).hash(&mut hash),
            Reservation::Voided { .. } => (id, "voided").hash(&mut hash),
        }
    }
    hash.finish()
}

#[test]
fn no_interleaving_overspends_or_loses_anything() {
    for (clients, limit, most, least, last_tick, slices) in
        [(3, 3, 2, 2, 1, 0), (2, 5, 3, 1, 3, 0), (2, 3, 2, 2, 4, 0), (2, 3, 1, 1, 1, 1)]
    {
        let worlds = Model { clients, limit, most, least, last_tick, slices }.explore();
        println!("{clients} clients, limit {limit}, {least} to {most} each, {slices} slices more: {worlds} worlds");
        assert!(worlds > 500);
    }
}
