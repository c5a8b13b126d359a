//! The benchmark: both packages beside the least that could stand in their place, interleaved in one run.
//!
//! Machines differ and other work disturbs them, so figures are only compared with figures of the same run, and ratios
//! are taken within a round before the median over rounds. CPU is that of the measured process alone.
//!
//! - [`load`]: one phase of requests, and what it took.
//! - [`scenario`]: what is asked: bodies, upstream scripts, arms.
//! - [`workers`]: our Worker and the bare one as raw `workerd` processes.
//! - [`peers`]: other gateways on the same runtime.
//! - [`edge`], [`start`], [`lambda`]: the measurements.
//! - [`rails`]: the guardrails by themselves; [`semantic`]: hits of the semantic cache.
//! - [`translation`]: a stream from one dialect to another, natively.
//! - [`report`]: figures, bars, the table.

pub mod cpu;
pub mod edge;
pub mod lambda;
pub mod load;
pub mod peers;
pub mod rails;
pub mod report;
pub mod scenario;
pub mod semantic;
pub mod start;
pub mod stats;
pub mod translation;
pub mod upstream;
pub mod workers;
