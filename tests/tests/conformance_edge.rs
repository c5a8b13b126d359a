//! The conformance suite's second level: the Worker on workerd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use signalbox_tests::simulator::{Options, Simulator};
use signalbox_tests::suite::case::{self, Case};
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::{console, runner, summary};

/// One Worker for all cases that have no bindings of their own, and one case at a time: they share the simulator's log.
fn play(case: &Case, number: usize) -> Vec<String> {
    static SHARED: OnceLock<Result<Mutex<Edge>, String>> = OnceLock::new();
    let start = |case: &Case| {
        let simulator =
            Simulator::start(Options { pace_ms: 3, ..Options::default() }).map_err(|error| error.to_string())?;
        Edge::start(Arc::new(simulator), &case.bindings)
    };
    let run = |edge: &Edge| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { runner::run(&edge.level().unwrap(), case, number).await })
    };
    if case.bindings.is_empty() && !case.alone {
        match SHARED.get_or_init(|| start(case).map(Mutex::new)) {
            Ok(shared) => run(&shared.lock().unwrap_or_else(PoisonError::into_inner)),
            Err(problem) => vec![problem.clone()],
        }
    } else {
        start(case).map_or_else(|problem| vec![problem], |edge| run(&edge))
    }
}

fn file(name: &str) {
    if let Err(failures) = summary::run("edge", name, play) {
        panic!("{failures}");
    }
}

#[test]
fn people_sign_in_and_do_what_their_roles_open() {
    let simulator = Simulator::start(Options { pace_ms: 3, ..Options::default() }).unwrap();
    let gateway = Edge::start(Arc::new(simulator), &BTreeMap::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let problems = runtime.block_on(async { console::holds(&gateway.level().unwrap()).await });
    assert_eq!(problems, Vec::<String>::new());
}

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test] fn $name() { file(stringify!($name)); })*

        #[test]
        fn every_file_of_cases_is_run() {
            assert_eq!(case::names().unwrap(), [$(stringify!($name)),*]);
        }
    };
}

include!("../cases/files.rs");
