//! What Signalbox is tested with: a scripted upstream, a local Lambda, and the harness that suites and
//! benchmarks share. Nothing here is shipped.
//!
//! - [`simulator`]: plays OpenAI and Anthropic, well or badly, over sockets or on virtual time.
//! - [`lambda`]: the real bootstrap binary behind a local Function URL and a local DynamoDB.
//! - [`mod@bench`]: the benchmark.
//! - [`dev`]: a developer's run: credentials, the first key, the text with the first call.
//! - [`suite`]: the conformance suite, cases as data; [`virtual_time`]: the platform of its first level.
//! - [`harness`]: an HTTP client with timestamps, child processes that cannot be left behind, readiness.

#[cfg(feature = "lambda-local")]
pub mod bench;
pub mod dev;
pub mod harness;
#[cfg(feature = "lambda-local")]
pub mod lambda;
pub mod simulator;
pub mod suite;
pub mod virtual_time;
