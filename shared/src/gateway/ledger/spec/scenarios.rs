//! The stories: what the ledger promises, one promise each.

use super::Scenario;
use super::words::{
    DAY, HOUR, NOON, SECOND, TEAM, admit, admitted, admitted_line, base, books, both, both_admitted, denied, drawn,
    drawn_on, limited, line, overdraft, rated, report, report_all, settle, settled, several, soft, standing, state,
    tokens, void, window, within,
};
use crate::gateway::ledger::command::{
    Admission, Admit, BudgetLine, BudgetState, Command, Denial, RateKind, Reply, Settled, Standing, Verdict,
};
use crate::units::{Millis, NanoUsd, Timestamp};
use crate::window::{Period, Window};

/// Every story, each for a ledger of its own.
pub fn scenarios() -> Vec<Scenario> {
    let mut all = budgets();
    all.extend(super::slices::slices());
    all.extend(super::slices::shards());
    all.extend(faults());
    all.extend(time());
    all.extend(rates());
    all
}

fn budgets() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a reservation is held until it is settled with what the call cost",
            steps: vec![
                (admit("a", 0, 30, 30, 100), admitted(30, 30, 100)),
                (report(1), books(0, 30, 0)),
                (settle("a", 2, 12), settled(12)),
                (report(3), books(12, 0, 0)),
            ],
        },
        Scenario {
            name: "a hard budget admits to the last nano-dollar and not one more",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (admit("b", 0, 41, 41, 100), denied(60, 100)),
                (admit("c", 0, 40, 40, 100), admitted(40, 100, 100)),
                (admit("d", 0, 1, 1, 100), denied(100, 100)),
                (admit("free", 0, 0, 0, 100), admitted(0, 100, 100)),
            ],
        },
        Scenario {
            name: "a grant is as large as the budget affords, between least and most",
            steps: vec![
                (admit("a", 0, 70, 70, 100), admitted(70, 70, 100)),
                (admit("b", 0, 50, 31, 100), denied(70, 100)),
                (admit("c", 0, 50, 10, 100), admitted(30, 100, 100)),
            ],
        },
        Scenario {
            name: "a soft budget counts and never denies",
            steps: vec![
                (soft("a", 80, 100), admitted_line(80, line(80, 100, false))),
                (soft("b", 80, 100), admitted_line(80, line(160, 100, false))),
                (report(1), books(0, 160, 0)),
            ],
        },
        Scenario {
            name: "of several budgets all are charged or none",
            steps: vec![
                (
                    several("a", 50, &[("team:payments", Period::Month, 100), ("user:ann", Period::Day, 40)]),
                    Reply::Verdict(Verdict::Denied(Denial::Budget(state("user:ann", Period::Day, 0, 40)))),
                ),
                (report(0), Reply::Report(vec![])),
                (
                    several("b", 40, &[("team:payments", Period::Month, 100), ("user:ann", Period::Day, 40)]),
                    Reply::Verdict(Verdict::Admitted(Admission {
                        calls: 0,
                        granted: NanoUsd(40),
                        rates: vec![],
                        budgets: vec![
                            state("team:payments", Period::Month, 40, 100),
                            state("user:ann", Period::Day, 40, 40),
                        ],
                    })),
                ),
                (
                    several("c", 61, &[("team:payments", Period::Month, 100), ("user:ann", Period::Day, 40)]),
                    // Both are short: the caller is told of the one that keeps them out longest.
                    Reply::Verdict(Verdict::Denied(Denial::Budget(state("team:payments", Period::Month, 40, 100)))),
                ),
            ],
        },
        Scenario {
            name: "the books of many scopes are told in the order of their names",
            steps: vec![
                (
                    several("a", 7, &[("team:b", Period::Month, 100), ("team:a/user:x", Period::Day, 40)]),
                    Reply::Verdict(Verdict::Admitted(Admission {
                        calls: 0,
                        granted: NanoUsd(7),
                        rates: vec![],
                        budgets: vec![
                            state("team:b", Period::Month, 7, 100),
                            state("team:a/user:x", Period::Day, 7, 40),
                        ],
                    })),
                ),
                (
                    report_all("team:"),
                    Reply::Report(vec![
                        Standing { scope: "team:a/user:x".into(), ..standing(window(Period::Day), 0, 7, 0) },
                        Standing { scope: "team:b".into(), ..standing(window(Period::Month), 0, 7, 0) },
                    ]),
                ),
                (
                    report_all("team:a"),
                    Reply::Report(vec![Standing {
                        scope: "team:a/user:x".into(),
                        ..standing(window(Period::Day), 0, 7, 0)
                    }]),
                ),
            ],
        },
        Scenario {
            name: "two limits on one window charge it once",
            steps: vec![
                (
                    several("a", 30, &[(TEAM, Period::Month, 100), (TEAM, Period::Month, 50)]),
                    Reply::Verdict(Verdict::Admitted(Admission {
                        calls: 0,
                        granted: NanoUsd(30),
                        rates: vec![],
                        budgets: vec![state(TEAM, Period::Month, 30, 100), state(TEAM, Period::Month, 30, 50)],
                    })),
                ),
                (settle("a", 1, 30), settled(30)),
                (report(1), books(30, 0, 0)),
            ],
        },
    ]
}

fn faults() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "asking again with the same id takes nothing twice (fault 24)",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (admit("a", 1, 60, 60, 100), admitted(60, 60, 100)),
                (admit("a", 59, 60, 60, 100), admitted(60, 60, 100)),
                (settle("a", 59, 5), settled(5)),
                (admit("a", 59, 60, 60, 100), Reply::Verdict(Verdict::Denied(Denial::Over))),
                (report(59), books(5, 0, 0)),
            ],
        },
        Scenario {
            name: "a settlement delivered twice is posted once, the first one counts (fault 17)",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (settle("a", 1, 20), settled(20)),
                (settle("a", 2, 33), Reply::Settled(Settled { posted: NanoUsd(20), overdraft: false, already: true })),
                (report(3), books(20, 0, 0)),
            ],
        },
        Scenario {
            name: "more than was reserved is posted and flagged (fault 17)",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (settle("a", 1, 130), overdraft(130)),
                (settle("a", 1, 130), Reply::Settled(Settled { posted: NanoUsd(130), overdraft: true, already: true })),
                (report(1), books(130, 0, 0)),
                (admit("b", 2, 1, 1, 100), denied(130, 100)),
            ],
        },
        Scenario {
            name: "a lease that runs out keeps counting until a late settlement corrects it (fault 17)",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (report(59), books(0, 60, 0)),
                (report(60), books(0, 0, 60)),
                (admit("b", 61, 50, 50, 100), denied(60, 100)),
                (admit("a", 62, 60, 60, 100), Reply::Verdict(Verdict::Denied(Denial::Over))),
                (settle("a", 70, 20), settled(20)),
                (report(71), books(20, 0, 0)),
                (settle("a", 72, 20), Reply::Settled(Settled { posted: NanoUsd(20), overdraft: false, already: true })),
                (admit("b", 73, 50, 50, 100), admitted(50, 70, 100)),
            ],
        },
        Scenario {
            name: "a void gives everything back, and a settlement after it is posted all the same",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (void("a", 1), settled(0)),
                (void("a", 1), Reply::Settled(Settled { posted: NanoUsd(0), overdraft: false, already: true })),
                (report(1), books(0, 0, 0)),
                (admit("a", 2, 60, 60, 100), Reply::Verdict(Verdict::Denied(Denial::Over))),
                (settle("a", 3, 7), overdraft(7)),
                (report(3), books(7, 0, 0)),
                (void("a", 4), Reply::Settled(Settled { posted: NanoUsd(7), overdraft: true, already: true })),
            ],
        },
        Scenario {
            name: "an unconfirmed reservation can still be voided",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (report(100), books(0, 0, 60)),
                (void("a", 101), settled(0)),
                (report(102), books(0, 0, 0)),
            ],
        },
        Scenario {
            name: "a void that overtakes its admission keeps the call from starting",
            steps: vec![
                (void("a", 0), settled(0)),
                (admit("a", 1, 60, 60, 100), Reply::Verdict(Verdict::Denied(Denial::Over))),
                (report(1), Reply::Report(vec![])),
            ],
        },
        Scenario {
            name: "a settlement nobody reserved for is posted once, where it says",
            steps: vec![
                (settle("ghost", 0, 9), overdraft(9)),
                (settle("ghost", 1, 9), Reply::Settled(Settled { posted: NanoUsd(9), overdraft: true, already: true })),
                (admit("ghost", 1, 1, 1, 100), Reply::Verdict(Verdict::Denied(Denial::Over))),
                (report(2), books(9, 0, 0)),
            ],
        },
        Scenario {
            name: "a budget of exactly ten calls admits ten of fifty (fault 15)",
            steps: (0..50)
                .map(|call| {
                    let reply = if call < 10 { admitted(7, 7 * (call + 1), 70) } else { denied(70, 70) };
                    (admit(&format!("call-{call}"), 0, 7, 7, 70), reply)
                })
                .collect(),
        },
    ]
}

fn time() -> Vec<Scenario> {
    let tomorrow = Window::at(Period::Day, Timestamp(NOON + DAY));
    let day = |id: &str, now: u64, spent: u64| {
        let window = Window::at(Period::Day, Timestamp(NOON + now));
        let budgets = vec![BudgetLine { scope: TEAM.into(), window, limit: NanoUsd(100), hard: true }];
        let state = BudgetState { scope: TEAM.into(), window, limit: NanoUsd(100), spent: NanoUsd(spent), hard: true };
        (
            Command::Admit(Admit { budgets, now: Timestamp(NOON + now), lease: Millis(2 * DAY), ..base(id, 60, 60) }),
            Reply::Verdict(Verdict::Admitted(Admission {
                granted: NanoUsd(60),
                rates: vec![],
                budgets: vec![state],
                calls: 0,
            })),
        )
    };
    vec![
        Scenario {
            name: "a call is charged to the window it was reserved in (fault 22)",
            steps: vec![
                day("a", 0, 60),
                day("b", DAY, 60),
                (settle("a", DAY / SECOND, 50), settled(50)),
                (
                    report(DAY / SECOND),
                    Reply::Report(vec![
                        standing(Window::at(Period::Day, Timestamp(NOON)), 50, 0, 0),
                        standing(tomorrow, 0, 60, 0),
                    ]),
                ),
                // Two days later the first day's books are closed.
                (settle("b", 2 * DAY / SECOND, 60), settled(60)),
                (report(2 * DAY / SECOND), Reply::Report(vec![standing(tomorrow, 60, 0, 0)])),
            ],
        },
        Scenario {
            name: "a clock that jumps back neither revives a lease nor lengthens a new one (fault 89)",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (Command::Expire(Timestamp(NOON + HOUR)), Reply::Expired(None)),
                (report(0), books(0, 0, 60)),
                (admit("b", 0, 10, 10, 100), admitted(10, 70, 100)),
                (Command::Expire(Timestamp(NOON)), Reply::Expired(Some(Timestamp(NOON + HOUR + 60 * SECOND)))),
                (report(3_661), books(0, 0, 70)),
            ],
        },
        Scenario {
            name: "what the dead are remembered for ends, and their money stays",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (settle("a", 1, 20), settled(20)),
                // Past the time in which a repetition can be expected it is a charge like any other.
                (settle("a", 901, 20), overdraft(20)),
                (report(902), books(40, 0, 0)),
            ],
        },
        Scenario {
            name: "a settlement that comes again after its id was forgotten is as old as it was, and counts once",
            steps: vec![
                (admit("a", 0, 60, 60, 100), admitted(60, 60, 100)),
                (settle("a", 1, 20), settled(20)),
                (report(902), books(20, 0, 0)),
                (settle("a", 1, 20), Reply::Settled(Settled { posted: NanoUsd(0), overdraft: false, already: true })),
                (report(903), books(20, 0, 0)),
            ],
        },
    ]
}

fn rates() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "a rate admits its limit at once, then one for every share of the span",
            steps: vec![
                (rated("a", 0, RateKind::Requests, 2, 1), within(RateKind::Requests, 2, 1, 30)),
                (rated("b", 0, RateKind::Requests, 2, 1), within(RateKind::Requests, 2, 0, 60)),
                (rated("c", 0, RateKind::Requests, 2, 1), limited(RateKind::Requests, 2, 0, 60, Some(30))),
                (drawn_on(29), drawn(RateKind::Requests, 60, 0)),
                (rated("c", 30, RateKind::Requests, 2, 1), within(RateKind::Requests, 2, 0, 60)),
                (drawn_on(90), Reply::Rates(vec![])),
                (rated("d", 1_000, RateKind::Requests, 2, 1), within(RateKind::Requests, 2, 1, 30)),
            ],
        },
        Scenario {
            name: "a call that exceeds the whole token limit is told that waiting does not help (fault 27)",
            steps: vec![(
                rated("a", 0, RateKind::Tokens, 50_000, 100_000),
                limited(RateKind::Tokens, 50_000, 50_000, 0, None),
            )],
        },
        Scenario {
            name: "tokens reserved and not used are free at once (fault 28)",
            steps: vec![
                (rated("a", 0, RateKind::Tokens, 10_000, 8_000), within(RateKind::Tokens, 10_000, 2_000, 48)),
                (
                    rated("b", 0, RateKind::Tokens, 10_000, 8_000),
                    limited(RateKind::Tokens, 10_000, 2_000, 48, Some(36)),
                ),
                (tokens("a", 0, 500), settled(0)),
                (rated("b", 0, RateKind::Tokens, 10_000, 8_000), within(RateKind::Tokens, 10_000, 1_500, 51)),
                (tokens("b", 0, 9_000), settled(0)),
                (rated("c", 0, RateKind::Tokens, 10_000, 1_000), limited(RateKind::Tokens, 10_000, 500, 57, Some(3))),
            ],
        },
        Scenario {
            name: "calls under way hold their places until they end or their leases do",
            steps: vec![
                (rated("a", 0, RateKind::Parallel, 2, 1), within(RateKind::Parallel, 2, 1, 0)),
                (rated("a", 1, RateKind::Parallel, 2, 1), within(RateKind::Parallel, 2, 1, 0)),
                (rated("b", 10, RateKind::Parallel, 2, 1), within(RateKind::Parallel, 2, 0, 0)),
                (rated("c", 11, RateKind::Parallel, 2, 1), limited(RateKind::Parallel, 2, 0, 0, Some(1))),
                (drawn_on(11), drawn(RateKind::Parallel, 0, 2)),
                (tokens("b", 12, 5), settled(0)),
                (rated("c", 13, RateKind::Parallel, 2, 1), within(RateKind::Parallel, 2, 0, 0)),
                (rated("d", 59, RateKind::Parallel, 2, 1), limited(RateKind::Parallel, 2, 0, 0, Some(1))),
                // The lease of `a` is over, whatever became of it.
                (drawn_on(60), drawn(RateKind::Parallel, 0, 1)),
                (rated("d", 60, RateKind::Parallel, 2, 1), within(RateKind::Parallel, 2, 0, 0)),
                (tokens("a", 61, 5), settled(0)),
                (rated("e", 61, RateKind::Parallel, 2, 1), limited(RateKind::Parallel, 2, 0, 0, Some(1))),
                (void("c", 62), settled(0)),
                (rated("e", 62, RateKind::Parallel, 2, 1), within(RateKind::Parallel, 2, 0, 0)),
                (rated("f", 62, RateKind::Parallel, 0, 1), limited(RateKind::Parallel, 0, 0, 0, None)),
            ],
        },
        Scenario {
            name: "a call the budget refuses draws on no rate, one a rate refuses on no budget",
            steps: vec![
                (both("a", 101), denied(0, 100)),
                (both("b", 100), both_admitted()),
                (both("c", 0), limited(RateKind::Requests, 1, 0, 60, Some(60))),
                (report(0), books(0, 100, 0)),
            ],
        },
    ]
}
