//! The stories of a reservation that grows while its call is under way.

use super::Scenario;
use super::words::{admit, admitted, books, denied, extend, report, settle, settled};
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
