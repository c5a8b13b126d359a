//! Calls from web pages: which origins may read our answers (the Fetch standard's CORS protocol).

use crate::config::Cors;
use crate::http::Head;
use crate::ports::Request;

/// What a browser may remember without being told again, and what a page may read of an answer.
const EXPOSED: &str = "x-signalbox-request-id, x-signalbox-model, x-signalbox-route, x-signalbox-reason, \
    x-signalbox-decision, x-signalbox-attempts, x-signalbox-cache, x-signalbox-context, x-signalbox-cost-usd, \
    x-signalbox-warnings, x-signalbox-next-cursor, x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, age, etag, \
    x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, \
    x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, ratelimit, ratelimit-policy, \
    server-timing, traceparent";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// The permission of one request's origin, if it has one.
pub(super) struct Answer {
    allowed: Option<String>,
    max_age_s: u64,
}

impl Answer {
    pub(super) fn to(cors: &Cors, request: &impl Request) -> Answer {
        Answer { allowed: request.header("origin").and_then(|origin| cors.allow(origin)), max_age_s: cors.max_age_s }
    }

    /// The head of the answer to a preflight from a permitted origin.
    pub(super) fn preflight(&self, request: &impl Request) -> Option<Head> {
        self.allowed.as_ref()?;
        if request.method() != "OPTIONS" || request.header("access-control-request-method").is_none() {
            return None;
        }
        let mut head = Head { status: 204, headers: Vec::new() };
        self.dress(&mut head);
        head.set("access-control-allow-methods", METHODS);
        // Credentials travel in headers the page sets itself, so the names it asks for may be echoed.
        if let Some(names) = request.header("access-control-request-headers") {
            head.set("access-control-allow-headers", names);
        }
        head.set("access-control-max-age", self.max_age_s.to_string());
        Some(head)
    }

    /// Lets the page of a permitted origin read an answer.
    pub(super) fn dress(&self, head: &mut Head) {
        let Some(origin) = &self.allowed else { return };
        head.set("access-control-allow-origin", origin.clone());
        head.set("access-control-expose-headers", EXPOSED);
        head.set("vary", "origin");
    }
}
