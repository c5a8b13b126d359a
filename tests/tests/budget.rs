//! A hard budget under many callers at once: not one nano-dollar over, at any level.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::sync::Arc;

use signalbox_tests::simulator;
use signalbox_tests::suite::budget::{Plan, run};
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::Level;
use signalbox_tests::virtual_time::{Faults, Options};

#[test]
fn no_interleaving_of_64_callers_overspends_a_budget() {
    for seed in 1..=40 {
        let level = InProcess::new(Options { seed, pace_ms: 1, ..Options::default() }, &BTreeMap::new());
        let world = level.world();
        // Each call of a store takes a while, so that everybody is in everybody's way.
        world.set_faults(Faults { slow_ms: seed % 8, ..Faults::default() });
        let plan = Plan { requests: 300, in_flight: 64, seed };
        let outcome = world.executor().run(run(&level, &plan)).unwrap();
        outcome.unwrap_or_else(|problems| panic!("seed {seed}: {problems}"));
        assert_eq!(world.executor().tasks(), 0, "seed {seed}: nothing is left to do");
    }
}

fn upstream() -> Arc<simulator::Simulator> {
    let options = simulator::Options { pace_ms: 1, keep_log: false, ..simulator::Options::default() };
    Arc::new(simulator::Simulator::start(options).unwrap())
}

fn ten_thousand(level: &impl Level) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let plan = Plan { requests: 10_000, in_flight: 64, seed: 1 };
    match runtime.block_on(run(level, &plan)) {
        Ok(outcome) => println!("{}: {outcome:?}", level.name()),
        Err(problems) => panic!("{problems}"),
    }
}

#[test]
fn ten_thousand_requests_do_not_overspend_a_budget_on_the_worker() {
    let edge = Edge::start(upstream(), &BTreeMap::new()).unwrap();
    ten_thousand(&edge.level().unwrap());
}

#[cfg(feature = "lambda-local")]
#[test]
fn ten_thousand_requests_do_not_overspend_a_budget_on_lambda() {
    use signalbox_tests::suite::lambda::Lambda;
    let lambda = Lambda::start(upstream(), &BTreeMap::new(), 64).unwrap();
    ten_thousand(&lambda.level().unwrap());
}
