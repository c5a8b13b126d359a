//! What a collector is told of a request.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::config::ModelId;
use crate::units::{Millis, NanoUsd, Timestamp};
use crate::usage::Usage;

fn record() -> Record {
    Record {
        at: Timestamp(1_700_000_000_123),
        request_id: "req_1".into(),
        operation: "chat",
        asked: Some("fast".into()),
        model: ModelId::parse("openai:gpt-5.4-mini"),
        team: Some("payments".into()),
        usage: Usage { input: 7, cache_read: 3, output: 5, ..Usage::default() },
        cost_nano_usd: NanoUsd(1_500_000),
        outcome: Outcome::Ok,
        status: 200,
        duration_ms: Millis(250),
        trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        ..Record::default()
    }
}

fn span(record: &Record) -> Value {
    let text = traces(&[Told::of(record)]).unwrap();
    let sent: Value = serde_json::from_str(&text).unwrap();
    sent["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone()
}

fn attribute<'a>(of: &'a Value, name: &str) -> &'a Value {
    of["attributes"].as_array().unwrap().iter().find(|one| one["key"] == name).map_or(&Value::Null, |one| &one["value"])
}

#[test]
fn a_span_tells_who_answered_what_was_used_and_what_it_cost() {
    let span = span(&record());
    assert_eq!(span["name"], "chat gpt-5.4-mini");
    assert_eq!(span["startTimeUnixNano"], "1700000000123000000");
    assert_eq!(span["endTimeUnixNano"], "1700000000373000000");
    assert_eq!(attribute(&span, "gen_ai.provider.name")["stringValue"], "openai");
    assert_eq!(attribute(&span, "gen_ai.request.model")["stringValue"], "fast");
    assert_eq!(attribute(&span, "gen_ai.usage.input_tokens")["intValue"], "10");
    assert_eq!(attribute(&span, "gen_ai.usage.output_tokens")["intValue"], "5");
    assert_eq!(attribute(&span, "signalbox.cost_usd")["doubleValue"], 0.0015);
    assert_eq!(span["status"], json!({}));
}

#[test]
fn a_trace_of_ours_is_the_span_and_a_callers_is_its_parent() {
    let ours = span(&record());
    assert_eq!(ours["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!((&ours["spanId"], &ours["parentSpanId"]), (&json!("b7ad6b7169203331"), &json!("")));
    let theirs = span(&Record { traced: true, ..record() });
    assert_eq!(theirs["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(theirs["parentSpanId"], "b7ad6b7169203331");
    assert_eq!(theirs["spanId"].as_str().unwrap().len(), 16);
}

#[test]
fn a_failure_is_an_error_with_its_code() {
    let span = span(&Record { outcome: Outcome::Refused, code: Some("upstream_error"), model: None, ..record() });
    assert_eq!(span["status"]["code"], 2);
    assert_eq!(span["name"], "chat fast");
    assert_eq!(attribute(&span, "error.type")["stringValue"], "upstream_error");
}

#[test]
fn a_measurement_lies_in_one_bucket() {
    let sent: Value = serde_json::from_str(&metrics(&[Told::of(&record())])).unwrap();
    let metrics = sent["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap().clone();
    let names: Vec<&str> = metrics.iter().map(|metric| metric["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["gen_ai.client.operation.duration", "gen_ai.client.token.usage", "signalbox.cost"]);
    let duration = &metrics[0]["histogram"]["dataPoints"][0];
    assert_eq!(duration["sum"], 0.25);
    assert_eq!(duration["bucketCounts"][5], "1", "0.16 < 0.25 <= 0.32");
    let ones = duration["bucketCounts"].as_array().unwrap().iter().filter(|count| **count == "1").count();
    assert_eq!((ones, duration["bucketCounts"].as_array().unwrap().len()), (1, DURATIONS.len() + 1));
    let kinds: Vec<&Value> = metrics[1]["histogram"]["dataPoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| attribute(point, "gen_ai.token.type"))
        .collect();
    assert_eq!(kinds, [&json!({ "stringValue": "input" }), &json!({ "stringValue": "output" })]);
    assert_eq!(metrics[2]["sum"]["dataPoints"][0]["asDouble"], 0.0015);
}
