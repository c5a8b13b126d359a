//! The stories of what is lent to processes: calls that were admitted elsewhere are taken out of it, one by one.

use super::Scenario;
use super::words::{
    admit, admitted, books, borrow, borrow_rate, denied, drawn, drawn_on, extend, keep, keep_rate, limited, overdraft,
    rate_lent, report, settle, settle_of, settle_rate, settled, void,
};
use crate::gateway::ledger::command::{Denial, RateKind, Reply, Settled, Verdict};
use crate::units::NanoUsd;

/// Every story of lending, each for a ledger of its own.
pub fn lending() -> Vec<Scenario> {
    let over = || Reply::Verdict(Verdict::Denied(Denial::Over));
    let (requests, places) = (RateKind::Requests, RateKind::Parallel);
    let nothing_drawn = || Reply::Rates(vec![]);
    let again = |posted| Reply::Settled(Settled { posted: NanoUsd(posted), overdraft: false, already: true });
    vec![
        Scenario {
            name: "at most a share of what is left is lent, and nothing where that is too little",
            steps: vec![
                (borrow("l", 0, 60, 10), admitted(25, 25, 100)),
                (borrow("m", 0, 60, 10), admitted(18, 43, 100)),
                (borrow("n", 0, 5, 5), admitted(5, 48, 100)),
                (borrow("o", 0, 60, 14), denied(48, 100)),
                // Asked again, the same; and a call has all that is left.
                (borrow("l", 1, 60, 10), admitted(25, 48, 100)),
                (admit("a", 1, 60, 1, 100), admitted(52, 100, 100)),
            ],
        },
        Scenario {
            name: "calls are taken out of what was lent, each once, and the rest goes back",
            steps: vec![
                (borrow("l", 0, 20, 10), admitted(20, 20, 100)),
                (settle_of("l", "a", 1, 7, None), settled(7)),
                (report(1), books(7, 13, 0)),
                (settle_of("l", "a", 2, 7, None), again(7)),
                (report(2), books(7, 13, 0)),
                (settle_of("l", "b", 2, 5, None), settled(5)),
                (keep("l", 3, 12, 0), settled(0)),
                (report(3), books(12, 0, 0)),
            ],
        },
        Scenario {
            name: "what calls may still come to is kept, whatever arrives first",
            steps: vec![
                (borrow("l", 0, 20, 10), admitted(20, 20, 100)),
                // `a` came to 6, nobody has heard; `b` may come to 5.
                (keep("l", 1, 11, 0), settled(0)),
                (report(1), books(0, 11, 0)),
                (settle_of("l", "b", 2, 2, Some(8)), settled(2)),
                (report(2), books(2, 6, 0)),
                // What was said before `b` settled, late: it takes nothing back.
                (keep("l", 3, 11, 0), settled(0)),
                (report(3), books(2, 6, 0)),
                (settle_of("l", "a", 4, 6, Some(8)), settled(6)),
                (report(4), books(8, 0, 0)),
                (keep("l", 5, 8, 0), Reply::Settled(Settled { posted: NanoUsd(0), overdraft: false, already: true })),
            ],
        },
        Scenario {
            name: "what nobody told of is unconfirmed when the lease ends, and less by each call that is told of late",
            steps: vec![
                (borrow("l", 0, 20, 10), admitted(20, 20, 100)),
                (settle_of("l", "a", 1, 4, None), settled(4)),
                (report(60), books(4, 0, 16)),
                (settle_of("l", "b", 61, 5, None), settled(5)),
                (report(61), books(9, 0, 11)),
                (keep("l", 62, 12, 0), settled(0)),
                (report(62), books(9, 0, 3)),
                (settle_of("l", "c", 63, 3, Some(12)), settled(3)),
                (report(63), books(12, 0, 0)),
            ],
        },
        Scenario {
            name: "a call beyond what was lent is owed, and so is one of something that is over",
            steps: vec![
                (borrow("l", 0, 20, 10), admitted(20, 20, 100)),
                (settle_of("l", "a", 1, 30, None), overdraft(30)),
                (report(1), books(30, 0, 0)),
                (settle_of("l", "b", 2, 5, Some(35)), overdraft(5)),
                (settle_of("nobody", "c", 2, 6, Some(6)), overdraft(6)),
                (report(3), books(41, 0, 0)),
                (extend("l", 1, 3, 5, 5), over()),
            ],
        },
        Scenario {
            name: "an extension counts until somebody who knows of it gives back, and a call with a hold of its own keeps it",
            steps: vec![
                (borrow("l", 0, 20, 10), admitted(20, 20, 100)),
                (extend("l", 1, 1, 10, 10), admitted(30, 30, 100)),
                (keep("l", 2, 5, 0), settled(0)),
                (report(2), books(0, 30, 0)),
                (keep("l", 3, 15, 1), settled(0)),
                (report(3), books(0, 15, 0)),
                (admit("a", 3, 10, 10, 100), admitted(10, 25, 100)),
                (settle_of("l", "a", 4, 3, None), settled(3)),
                (report(4), books(3, 15, 0)),
                (void("l", 5), settled(0)),
                (settle("b", 5, 1), overdraft(1)),
                (report(6), books(4, 0, 0)),
            ],
        },
        Scenario {
            name: "at most a share of a rate is lent, and nothing where that is for less than four calls",
            steps: vec![
                (borrow_rate("l", 0, requests, [60, 1, 20]), rate_lent(15, requests, 60, 45, 15)),
                (borrow_rate("m", 0, requests, [60, 1, 10]), rate_lent(10, requests, 60, 35, 25)),
                // Asked again, the same.
                (borrow_rate("l", 1, requests, [60, 1, 20]), rate_lent(15, requests, 60, 36, 24)),
                (borrow_rate("n", 1, requests, [60, 3, 20]), limited(requests, 60, 36, 24, Some(1))),
                (void("m", 1), settled(0)),
                (drawn_on(1), drawn(requests, 15, 0)),
            ],
        },
        Scenario {
            name: "what calls did not draw comes back, as far as it has not leaked away",
            steps: vec![
                (borrow_rate("l", 0, requests, [60, 1, 15]), rate_lent(15, requests, 60, 45, 15)),
                (keep_rate("l", 1, 4), settled(0)),
                (drawn_on(1), drawn(requests, 4, 0)),
                (keep_rate("l", 1, 4), again(0)),
                (borrow_rate("m", 10, requests, [60, 1, 15]), rate_lent(15, requests, 60, 45, 15)),
                (keep_rate("m", 20, 0), settled(0)),
                (drawn_on(20), nothing_drawn()),
            ],
        },
        Scenario {
            name: "places are lent a fourth at a time, and each comes back with its call or with the lease",
            steps: vec![
                (borrow_rate("l", 0, places, [40, 1, 20]), rate_lent(20, places, 40, 20, 0)),
                (settle_of("l", "a", 1, 0, None), settled(0)),
                (keep_rate("l", 1, 2), settled(0)),
                (drawn_on(1), drawn(places, 0, 2)),
                (settle_rate("l", "b", 2, 1), settled(0)),
                // What was said before, late.
                (keep_rate("l", 3, 2), settled(0)),
                (drawn_on(3), drawn(places, 0, 1)),
                (settle_rate("l", "c", 4, 0), settled(0)),
                (drawn_on(4), nothing_drawn()),
                (borrow_rate("m", 5, places, [40, 1, 4]), rate_lent(4, places, 40, 36, 0)),
                (drawn_on(65), nothing_drawn()),
            ],
        },
    ]
}
