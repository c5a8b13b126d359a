//! What a level offers to the runner of cases.

#![allow(async_fn_in_trait, reason = "generic, within one thread's executor")]

use std::collections::BTreeMap;

use super::case::{Leave, Stores};
use crate::simulator::Upstream;

/// A gateway that can be called, on whatever it runs.
pub trait Level {
    /// `in_process`, `edge` or `lambda`.
    fn name(&self) -> &'static str;

    /// The simulated providers it calls.
    fn upstream(&self) -> &Upstream;

    /// Their address, without a path.
    fn upstream_url(&self) -> String;

    /// Makes a call and reads its answer as the caller would, to the end or until the caller leaves. `Err`: there was no
    /// answer at all.
    async fn call(&self, call: Call) -> Result<Answer, String>;

    /// Lets time pass.
    async fn pause(&self, ms: u64);

    /// Milliseconds on the level's clock, for spans.
    fn now_ms(&self) -> u64;

    /// The present as the gateway sees it, milliseconds UTC.
    fn utc_ms(&self) -> u64;

    /// Everything the gateway has logged so far, line by line.
    fn log_lines(&self) -> Vec<String>;

    /// Sets the stores' state; false where that is not possible.
    fn set_stores(&self, stores: Stores) -> bool;
}

/// A request on its way to the gateway.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// In capitals.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// In order; names lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When the caller leaves.
    pub leave: Option<Leave>,
}

/// What a caller got.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// HTTP status; 0 when the caller left before it came.
    pub status: u16,
    /// By lower-case name; repeated ones are joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
    /// The body ended without its proper end.
    pub cut: bool,
    /// The caller left before the end.
    pub left: bool,
}

/// Whether a caller who has read this much leaves now.
pub fn leaves(leave: Option<Leave>, body: &[u8]) -> bool {
    match leave {
        Some(Leave::AfterEvents(events)) => super::stream::events(body).len() >= events,
        Some(Leave::AfterBytes(bytes)) => body.len() >= bytes,
        Some(Leave::AfterMs(_)) | None => false,
    }
}
