//! The machine against its scenarios, a naive reference, every small interleaving, and itself from its rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod allowance;
mod chance;
mod comparison;
mod durability;
mod escrow;
mod exploration;
mod processes;
mod reference;

use super::spec::{check, lending, scenarios};
use super::*;
use futures_util::FutureExt;

#[test]
fn every_scenario_is_told_as_specified() {
    for scenario in scenarios().into_iter().chain(lending()) {
        let told = check(&scenario, &mut Ledger::new()).now_or_never().expect("the machine never waits");
        assert_eq!(told, Ok(()));
    }
}

#[test]
fn commands_and_replies_travel_as_json() {
    for scenario in scenarios().into_iter().chain(lending()) {
        for (command, reply) in scenario.steps {
            let (asked, answered) = (serde_json::to_string(&command).unwrap(), serde_json::to_string(&reply).unwrap());
            assert_eq!(serde_json::from_str::<Command>(&asked).unwrap(), command);
            assert_eq!(serde_json::from_str::<Reply>(&answered).unwrap(), reply);
        }
    }
}
