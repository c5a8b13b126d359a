//! A request in OpenTelemetry's words: a span and its measurements, by the conventions for generative AI, in OTLP's JSON.
//!
//! What is told is what the record tells: names, counts and costs, never what was said. A caller's trace is carried on; the
//! span of a request is its child.

use super::audit::{Outcome, Record};
use crate::json::json;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The bounds of histograms that the conventions advise, in milliseconds and in tokens.
const DURATIONS: [u64; 14] = [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 40_960, 81_920];
const TOKENS: [u64; 14] =
    [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];

/// One request as it is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    /// `None` once it was told.
    pub span: Option<Value>,
    duration: Value,
    tokens: Vec<Value>,
    cost: Value,
}

impl Told {
    /// Of a record.
    pub(super) fn of(record: &Record) -> Told {
        let from = record.at.0;
        let (start, end) = (nanos(from), nanos(from.saturating_add(record.duration_ms.0)));
        let operation = match record.operation {
            "completions" => "text_completion",
            other => other,
        };
        let mut common = vec![text("gen_ai.operation.name", operation)];
        let answered = record.model.as_ref().map(|model| (model.provider.to_string(), model.model.to_string()));
        if let Some(asked) = &record.asked {
            common.push(text("gen_ai.request.model", asked));
        }
        if let Some((provider, model)) = &answered {
            common.push(text("gen_ai.provider.name", provider));
            common.push(text("gen_ai.response.model", model));
        }
        if let Some(team) = &record.team {
            common.push(text("signalbox.team", team));
        }
        if let Some(code) = record.code {
            common.push(text("error.type", code));
        }
        let (usage, mut about) = (&record.usage, common.clone());
        for (name, said) in [
            ("signalbox.request_id", Some(record.request_id.as_str())),
            ("signalbox.outcome", Some(record.outcome.as_str())),
            ("signalbox.route", record.route.as_deref()),
            ("signalbox.reason", record.reason),
            ("signalbox.cache", record.cache),
            ("signalbox.key_id", record.key_id.as_deref()),
            ("user.id", record.user.as_deref()),
        ] {
            about.extend(said.map(|said| text(name, said)));
        }
        about.extend(record.tags.iter().map(|(name, value)| text(&["signalbox.tag.", name.as_str()].concat(), value)));
        let dollars = number(&record.cost_nano_usd.to_string());
        about.extend([
            whole("http.response.status_code", record.status.into()),
            whole("gen_ai.usage.input_tokens", usage.prompt_tokens()),
            whole("gen_ai.usage.output_tokens", usage.completion_tokens()),
            whole("gen_ai.usage.cache_read.input_tokens", usage.cache_read),
            whole("signalbox.attempts", record.attempts.len() as u64),
            json!({ "key": "signalbox.cost_usd", "value": { "doubleValue": dollars } }),
        ]);
        let named = answered.map(|(_, model)| model).or_else(|| record.asked.clone()).unwrap_or_default();
        let failed = matches!(record.outcome, Outcome::Refused | Outcome::Cut);
        let status = if failed { json!({ "code": 2, "message": record.code }) } else { json!({}) };
        let (trace, span, parent) = places(record);
        let span = json!({
            "traceId": trace, "spanId": span, "parentSpanId": parent, "kind": 3, "status": status,
            "name": [operation, " ", named.as_str()].concat().trim_end(),
            "startTimeUnixNano": start, "endTimeUnixNano": end, "attributes": about,
        });
        let point = |value: u64, bounds: &[u64], shown: fn(u64) -> Value, more: Option<Value>| {
            let at = bounds.iter().take_while(|bound| **bound < value).count();
            let counts: Vec<&str> = (0..=bounds.len()).map(|place| if place == at { "1" } else { "0" }).collect();
            let attributes: Vec<&Value> = common.iter().chain(&more).collect();
            let bounds: Vec<Value> = bounds.iter().map(|bound| shown(*bound)).collect();
            json!({
                "startTimeUnixNano": start, "timeUnixNano": end, "attributes": attributes, "count": "1",
                "sum": shown(value), "bucketCounts": counts, "explicitBounds": bounds,
            })
        };
        let kinds = [("input", usage.prompt_tokens()), ("output", usage.completion_tokens())];
        let counted = kinds.into_iter().filter(|(_, count)| *count > 0);
        Told {
            span: Some(span),
            duration: point(record.duration_ms.0, &DURATIONS, seconds, None),
            tokens: counted
                .map(|(kind, count)| point(count, &TOKENS, Value::from, Some(text("gen_ai.token.type", kind))))
                .collect(),
            cost: json!({
                "startTimeUnixNano": start, "timeUnixNano": end, "attributes": common, "asDouble": dollars,
            }),
        }
    }
}

/// The trace of a record, its span, and the span it is a child of.
fn places(record: &Record) -> (String, String, String) {
    let mut parts = record.trace.split('-').skip(1).map(str::to_owned);
    let (trace, span) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if !record.traced {
        return (trace, span, String::new());
    }
    // A span of our own below the caller's.
    let digest = Sha256::digest(record.request_id.as_bytes());
    let own = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    (trace, own, span)
}

/// What is sent to `/v1/traces`; `None` where nothing is to be told.
pub(super) fn traces(told: &[Told]) -> Option<String> {
    let spans: Vec<&Value> = told.iter().filter_map(|told| told.span.as_ref()).collect();
    let scoped = json!({ "scope": scope(), "spans": spans });
    (!spans.is_empty())
        .then(|| json!({ "resourceSpans": [{ "resource": resource(), "scopeSpans": [scoped] }] }).to_string())
}

/// What is sent to `/v1/metrics`. Each point is what one request added (delta temporality).
pub(super) fn metrics(told: &[Told]) -> String {
    let durations: Vec<&Value> = told.iter().map(|told| &told.duration).collect();
    let tokens: Vec<&Value> = told.iter().flat_map(|told| &told.tokens).collect();
    let costs: Vec<&Value> = told.iter().map(|told| &told.cost).collect();
    let histogram = |name: &str, unit: &str, points: &[&Value]| json!({ "name": name, "unit": unit, "histogram": { "aggregationTemporality": 1, "dataPoints": points } });
    let metrics = json!([
        histogram("gen_ai.client.operation.duration", "s", &durations),
        histogram("gen_ai.client.token.usage", "{token}", &tokens),
        {
            "name": "signalbox.cost", "unit": "{USD}",
            "sum": { "aggregationTemporality": 1, "isMonotonic": true, "dataPoints": costs },
        },
    ]);
    let scoped = json!({ "scope": scope(), "metrics": metrics });
    json!({ "resourceMetrics": [{ "resource": resource(), "scopeMetrics": [scoped] }] }).to_string()
}

fn resource() -> Value {
    json!({ "attributes": [text("service.name", "signalbox"), text("service.version", env!("CARGO_PKG_VERSION"))] })
}

fn scope() -> Value {
    json!({ "name": "signalbox", "version": env!("CARGO_PKG_VERSION") })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// Whole numbers of 64 bits are texts in OTLP's JSON.
fn whole(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

/// A number as it is written.
fn number(text: &str) -> Value {
    crate::json::tree(text).unwrap_or_default()
}

fn seconds(ms: u64) -> Value {
    number(&format!("{}.{:03}", ms / 1_000, ms % 1_000))
}

fn nanos(ms: u64) -> String {
    format!("{ms}000000")
}

#[cfg(test)]
#[path = "otlp_tests.rs"]
mod tests;
