//! The conformance suite: cases as data, run with the same expectations in process on virtual time, against the Worker on
//! workerd and against the Lambda bootstrap.
//!
//! - [`case`]: what a case says, read from `tests/cases/*.json`; that folder's README teaches the format.
//! - [`runner`]: plays a case on any [`level::Level`] and tells everything that is not as expected, by path.
//! - [`matching`]: how an expectation is held against what was seen. [`stream`]: what a caller's SDK would make of a stream.
//! - [`budget`]: many callers at once against one budget, on any level.
//! - [`tenant`]: the Worker's Durable Objects, asked directly.
//! - [`in_process`], [`edge`], [`lambda`]: the three levels; the outer two share [`socket`] and are built by [`packages`].

pub mod budget;
pub mod case;
pub mod console;
pub mod document;
pub mod edge;
pub mod in_process;
#[cfg(feature = "lambda-local")]
pub mod lambda;
pub mod level;
pub mod matching;
pub mod packages;
pub mod runner;
pub mod socket;
pub mod stream;
pub mod summary;
pub mod tenant;
pub mod token;
