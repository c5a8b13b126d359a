//! The stories of slices: of a reservation that grows while its call is under way, and of a budget that is lent to a shard.

use super::Scenario;
use super::words::{
    admit, admitted, books, denied, escrowed, extend, lend, lose, overdraft, part, purse, report, settle, settled,
    shard_books, unlent,
};
use crate::gateway::ledger::command::{Denial, Reply, Verdict};

pub(super) fn slices() -> Vec<Scenario> {
    let over = || Reply::Verdict(Verdict::Denied(Denial::Over));
    vec![
        Scenario {
            name: "a reservation is extended slice by slice, each once, and settled as one",
            steps: vec![
                (admit("a", 0, 30, 30, 100), admitted(30, 30, 100)),
                (extend("a", 1, 1, 20, 20), admitted(50, 50, 100)),
                (extend("a", 1, 2, 20, 20), admitted(50, 50, 100)),
                (extend("a", 2, 3, 10, 10), admitted(60, 60, 100)),
                // A slice that comes late was had by a later one.
                (extend("a", 1, 4, 20, 20), admitted(60, 60, 100)),
                (settle("a", 5, 55), settled(55)),
                (report(6), books(55, 0, 0)),
            ],
        },
        Scenario {
            name: "an extension gets what the budget affords, and a refused one leaves what was granted",
            steps: vec![
                (admit("a", 0, 30, 30, 100), admitted(30, 30, 100)),
                (admit("b", 0, 50, 50, 100), admitted(50, 80, 100)),
                (extend("a", 1, 1, 40, 10), admitted(50, 100, 100)),
                (extend("a", 2, 2, 1, 1), denied(100, 100)),
                (settle("b", 3, 5), settled(5)),
                (extend("a", 2, 4, 10, 10), admitted(60, 65, 100)),
                (report(5), books(5, 60, 0)),
            ],
        },
        Scenario {
            name: "a slice is no more than a part of what is left, but for what is enough",
            steps: vec![
                (part("a", 0, 0, 80, 10), admitted(10, 10, 100)),
                (part("a", 1, 1, 80, 3), admitted(15, 15, 100)),
                (part("b", 0, 2, 80, 30), admitted(30, 45, 100)),
                (part("b", 1, 3, 80, 70), admitted(85, 100, 100)),
                (part("a", 2, 4, 10, 10), denied(100, 100)),
                (settle("b", 5, 20), settled(20)),
                (part("a", 2, 6, 10, 10), admitted(25, 45, 100)),
                (report(7), books(20, 25, 0)),
            ],
        },
        Scenario {
            name: "an extension lengthens the lease and never shortens it",
            steps: vec![
                (admit("a", 0, 30, 30, 100), admitted(30, 30, 100)),
                (extend("a", 1, 40, 10, 10), admitted(40, 40, 100)),
                (report(99), books(0, 40, 0)),
                (report(100), books(0, 0, 40)),
            ],
        },
        Scenario {
            name: "what is over, or was never made, is not extended",
            steps: vec![
                (extend("a", 1, 0, 10, 10), over()),
                (admit("a", 0, 30, 30, 100), admitted(30, 30, 100)),
                (settle("a", 1, 3), settled(3)),
                (extend("a", 1, 2, 10, 10), over()),
                (admit("b", 2, 30, 30, 100), admitted(30, 33, 100)),
                // The lease of `b` is over.
                (extend("b", 1, 62, 10, 10), over()),
                (report(63), books(3, 0, 30)),
            ],
        },
    ]
}

pub(super) fn shards() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a shard admits what it was lent, nothing before, and each slice counts once",
            steps: vec![
                (escrowed("a", 0), denied(0, 0)),
                (lend(0, Some((0, 100)), &[], false), purse(0, &[(0, 100)], &[], 1)),
                (lend(0, Some((0, 100)), &[], false), purse(0, &[(0, 100)], &[], 1)),
                (escrowed("a", 1), admitted(60, 60, 100)),
                (escrowed("b", 1), denied(60, 100)),
                (lend(2, Some((1, 50)), &[], false), purse(0, &[(0, 100), (1, 50)], &[], 2)),
                (escrowed("b", 3), admitted(60, 120, 150)),
                // Whoever asks for no escrow is held to the limit alone.
                (admit("c", 3, 1, 1, 120), denied(120, 120)),
            ],
        },
        Scenario {
            name: "a slice that is spent ends, and the last one bears what a call cost beyond its grant",
            steps: vec![
                (lend(0, Some((0, 100)), &[], false), purse(0, &[(0, 100)], &[], 1)),
                (lend(0, Some((1, 100)), &[], false), purse(0, &[(0, 100), (1, 100)], &[], 2)),
                (escrowed("a", 1), admitted(60, 60, 200)),
                (escrowed("b", 1), admitted(60, 120, 200)),
                (settle("a", 2, 60), settled(60)),
                (settle("b", 2, 50), settled(50)),
                (lend(3, None, &[], false), purse(100, &[(1, 100)], &[(0, 100)], 2)),
                (escrowed("c", 4), admitted(60, 170, 200)),
                (settle("c", 5, 130), overdraft(130)),
                (lend(6, None, &[0], false), purse(240, &[], &[(1, 140)], 2)),
                (lend(7, None, &[1], false), purse(240, &[], &[], 2)),
                (escrowed("d", 8), denied(240, 240)),
            ],
        },
        Scenario {
            name: "what is not needed is given back, what is begun when nothing is under way",
            steps: vec![
                (lend(0, Some((0, 100)), &[], false), purse(0, &[(0, 100)], &[], 1)),
                (lend(0, Some((1, 100)), &[], false), purse(0, &[(0, 100), (1, 100)], &[], 2)),
                (escrowed("a", 1), admitted(60, 60, 200)),
                (lend(2, None, &[], true), purse(0, &[(0, 100)], &[(1, 0)], 2)),
                (settle("a", 3, 40), settled(40)),
                (lend(4, None, &[1], true), purse(40, &[], &[(0, 40)], 2)),
                // Until the lender is known to have heard, it is told again.
                (lend(5, None, &[], true), purse(40, &[], &[(0, 40)], 2)),
                (escrowed("b", 6), denied(40, 40)),
                // One that was refused for good is passed over.
                (lend(7, Some((2, 0)), &[0], false), purse(40, &[], &[], 3)),
                (lend(8, Some((3, 60)), &[], false), purse(40, &[(3, 60)], &[], 4)),
                (escrowed("b", 9), admitted(60, 100, 100)),
            ],
        },
        Scenario {
            name: "the lender hears of what was never lent, and of what was lost, and what settles late is made good by the next slice",
            steps: vec![
                (settle("elsewhere", 0, 30), overdraft(30)),
                (lend(1, None, &[], false), unlent(30, 1)),
                (lend(2, Some((1, 100)), &[0], false), purse(30, &[(1, 100)], &[], 2)),
                (escrowed("a", 3), admitted(60, 90, 130)),
                // Its lease is over, and nobody has said yet that its loss is written down.
                (lend(64, None, &[], true), purse(30, &[(1, 100)], &[], 2)),
                (lose(65), purse(90, &[], &[(1, 60)], 2)),
                (settle("a", 66, 20), settled(20)),
                (lend(67, Some((2, 100)), &[1], false), purse(90, &[(2, 100)], &[], 3)),
                (escrowed("b", 68), admitted(60, 110, 190)),
                (settle("b", 69, 60), settled(60)),
                (lend(70, None, &[], true), purse(110, &[], &[(2, 20)], 3)),
                (report(71), shard_books(110, 110, (2, 20), 3)),
            ],
        },
    ]
}
