//! What Signalbox is tested with: a scripted upstream, a local Lambda, and the harness that suites and
//! benchmarks share. Nothing here is shipped.
//!
//! - [`simulator`]: plays OpenAI and Anthropic, well or badly, over sockets or on virtual time.
//! - [`lambda`]: the real bootstrap binary behind a local Function URL and a local DynamoDB.
//! - [`harness`]: an HTTP client with timestamps, child processes that cannot be left behind, readiness.

pub mod harness;
pub mod simulator;
