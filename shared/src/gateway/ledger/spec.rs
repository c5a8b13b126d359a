//! The ledger's specification in a form every store can be run against.
//!
//! [`scenarios()`] are stories with their expected answers; [`commands`] makes endless mixed traffic
//! whose answers must be those of the [`Ledger`](super::Ledger) in memory; [`lending()`] and [`lending_commands`] are for
//! stores that lend to processes. Clocks, repetitions, late
//! and lost messages are all in the commands, so a store needs no more than [`LedgerUnderTest`].

mod lending;
mod scenarios;
mod slices;
mod traffic;
mod words;

use super::command::{Command, Reply};
use std::fmt::Display;
use std::future::Future;

pub use lending::lending;
pub use scenarios::scenarios;
pub use traffic::{commands, lending_commands};

/// A ledger that can be put to the test, wherever its books are.
pub trait LedgerUnderTest {
    /// Why a command could not be carried out at all.
    type Error: Display;

    /// Carries out commands in order and answers each.
    fn apply(&mut self, batch: Vec<Command>) -> impl Future<Output = Result<Vec<Reply>, Self::Error>>;
}

impl LedgerUnderTest for super::Ledger {
    type Error = std::convert::Infallible;

    async fn apply(&mut self, batch: Vec<Command>) -> Result<Vec<Reply>, Self::Error> {
        Ok(super::Ledger::apply(self, batch))
    }
}

/// A story told to an empty ledger, step by step, with the answer to every step.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What must be true, as a sentence.
    pub name: &'static str,
    /// What is asked, and the answer.
    pub steps: Vec<(Command, Reply)>,
}

/// Tells a story to an empty ledger; the first wrong answer is the error.
pub async fn check<L: LedgerUnderTest>(scenario: &Scenario, ledger: &mut L) -> Result<(), String> {
    for (at, (command, expected)) in scenario.steps.iter().enumerate() {
        let told = |what: String| format!("{}: step {at}: {command:?}: {what}", scenario.name);
        let replies = ledger.apply(vec![command.clone()]).await.map_err(|error| told(error.to_string()))?;
        if replies.as_slice() != std::slice::from_ref(expected) {
            return Err(told(format!("answered {replies:?} instead of {expected:?}")));
        }
    }
    Ok(())
}

/// Sends the same traffic to two ledgers; the first answer that differs is the error.
pub async fn compare<A: LedgerUnderTest, B: LedgerUnderTest>(
    traffic: Vec<Command>,
    one: &mut A,
    other: &mut B,
) -> Result<(), String> {
    for (at, command) in traffic.into_iter().enumerate() {
        let told = |what: String| format!("command {at}: {command:?}: {what}");
        let left = one.apply(vec![command.clone()]).await.map_err(|error| told(error.to_string()))?;
        let right = other.apply(vec![command.clone()]).await.map_err(|error| told(error.to_string()))?;
        if left != right {
            return Err(told(format!("one answers {left:?}, the other {right:?}")));
        }
    }
    Ok(())
}
