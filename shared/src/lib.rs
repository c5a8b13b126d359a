//! Signalbox's core: one product, three layers that stay three.
//!
//! - [`gateway`] (policy): who is calling, may they, how much, what is written down.
//! - [`router`] (decision): which model gets this call, and which next if it fails.
//! - [`proxy`] (transport): how one call to one provider is made.
//!
//! Only [`pipeline`] names all three. Nothing here does I/O, reads a clock or draws entropy:
//! time and randomness are arguments, everything else comes through [`ports`].

#![forbid(unsafe_code)]
// The bans of clippy.toml are for the product; tests read files and say how long they took.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros))]

pub mod app;
pub mod base64url;
pub mod cache;
pub mod catalog;
pub mod cel;
pub mod config;
pub mod context;
pub mod dialect;
pub mod embed;
pub mod error;
pub mod eventstream;
pub mod gateway;
pub mod guard;
pub mod http;
pub mod jose;
pub mod json;
mod letters;
pub mod mcp;
pub mod ndjson;
pub mod operation;
pub mod pipeline;
pub mod ports;
pub mod proxy;
pub mod records;
pub mod router;
mod search;
pub mod secret;
pub mod sigv4;
pub mod sorted;
pub mod sse;
pub mod time;
pub mod transform;
pub mod units;
pub mod usage;
pub mod window;
pub mod words;
