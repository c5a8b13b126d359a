//! Requests and answers of every shape, as the providers document them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::json::json;
use crate::json::{Limits, scan};
use serde_json::Value;

fn written(api: Api, body: &Value) -> (Value, Vec<String>) {
    let text = body.to_string();
    let document = scan(text.as_bytes(), &Limits::default()).unwrap();
    let mut warnings = Warnings::default();
    let out = api.write(&document, "the-model", &mut warnings).unwrap();
    (serde_json::from_slice(&out).unwrap(), warnings.list().iter().map(|warning| warning.path.clone()).collect())
}

/// The answer, tokens read, searches billed.
fn answered(api: Api, request: &Value, answer: &Value) -> Result<(Value, Option<(u64, u64)>), ProtocolError> {
    let text = request.to_string();
    let document = scan(text.as_bytes(), &Limits::default()).unwrap();
    let written = api.read(answer.to_string().into(), &document, "the-model")?;
    let usage = written.observed.usage.map(|usage| (usage.input, usage.searches));
    Ok((serde_json::from_slice(&written.body).unwrap(), usage))
}

#[test]
fn a_request_tells_how_much_is_searched() {
    let facts = |body: &Value| {
        let text = body.to_string();
        inspect(&scan(text.as_bytes(), &Limits::default()).unwrap())
    };
    let many: Vec<Value> = (0..101).map(|_| json!("x")).collect();
    for (documents, searches) in [(json!(["a", {"text": "b"}]), 1), (json!(many), 2), (json!(["x".repeat(50_000)]), 3)]
    {
        let facts = facts(&json!({"model": "m", "query": "q", "documents": documents})).unwrap();
        assert_eq!((facts.searches, facts.max_output_tokens), (searches, Some(0)));
    }
    for (body, param) in [
        (json!({"model": "m", "documents": ["a"]}), "query"),
        (json!({"model": "m", "query": 7, "documents": ["a"]}), "query"),
        (json!({"model": "m", "query": "q"}), "documents"),
        (json!({"model": "m", "query": "q", "documents": []}), "documents"),
        (json!({"model": "m", "query": "q", "documents": [7]}), "documents"),
        (json!({"model": "m", "query": "q", "documents": ["a"], "top_n": "x"}), "top_n"),
        (json!({"query": "q", "documents": ["a"]}), "model"),
    ] {
        assert_eq!(facts(&body).expect_err("refused").param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn a_provider_of_the_common_shape_gets_the_callers_request_and_its_answer_passes() {
    let request =
        json!({"model": "m", "query": "q", "documents": ["a", {"text": "b", "k": 1}], "rank_fields": ["text"]});
    let (out, warnings) = written(Api::Common, &request);
    assert_eq!(
        (out.pointer("/model"), out.pointer("/rank_fields/0")),
        (Some(&json!("the-model")), Some(&json!("text")))
    );
    assert!(warnings.is_empty());
    let answer = json!({"model": "jina", "usage": {"total_tokens": 815}, "results": [{"index": 1, "relevance_score": 0.9}], "x": 1});
    assert_eq!(answered(Api::Common, &request, &answer).unwrap(), (answer, Some((815, 0))));
    // Fireworks.
    let answer = json!({"object": "list", "model": "f", "data": [{"index": 0, "relevance_score": 0.5, "document": "a"}],
        "usage": {"prompt_tokens": 12, "total_tokens": 12, "completion_tokens": 0}});
    let (body, usage) = answered(Api::Common, &request, &answer).unwrap();
    assert_eq!(
        body.pointer("/results/0"),
        Some(&json!({"index": 0, "relevance_score": 0.5, "document": {"text": "a"}}))
    );
    assert_eq!(usage, Some((12, 0)));
}

#[test]
fn cohere_gets_texts_and_the_caller_the_documents() {
    let request = json!({"model": "m", "query": "q", "documents": ["a", {"text": "b"}, {"title": "c"}], "top_n": 2,
        "return_documents": true, "max_tokens_per_doc": 9, "rank_fields": ["title"]});
    let (out, warnings) = written(Api::Cohere, &request);
    assert_eq!(
        out,
        json!({"model": "the-model", "query": "q", "documents": ["a", "b", "{\"title\":\"c\"}"], "top_n": 2,
            "max_tokens_per_doc": 9})
    );
    assert_eq!(warnings, ["rank_fields", "documents[2]"]);
    let answer = json!({"id": "r", "results": [{"index": 2, "relevance_score": 0.999071}, {"index": 0, "relevance_score": 0.32}],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}});
    let (body, usage) = answered(Api::Cohere, &request, &answer).unwrap();
    assert_eq!(
        body,
        json!({"id": "r", "model": "the-model", "results": [
            {"index": 2, "relevance_score": 0.999071, "document": {"title": "c"}},
            {"index": 0, "relevance_score": 0.32, "document": {"text": "a"}}],
            "meta": {"billed_units": {"search_units": 1}}})
    );
    assert_eq!(usage, Some((0, 1)));
}

#[test]
fn voyage_says_top_k_and_data() {
    let request = json!({"model": "m", "query": "q", "documents": ["a"], "top_n": 1});
    let (out, _) = written(Api::Voyage, &request);
    assert_eq!(out, json!({"model": "the-model", "query": "q", "documents": ["a"], "top_k": 1}));
    let answer = json!({"object": "list", "data": [{"index": 0, "relevance_score": 0.4}], "model": "v", "usage": {"total_tokens": 5}});
    let (body, usage) = answered(Api::Voyage, &request, &answer).unwrap();
    assert_eq!(body.pointer("/results/0/index"), Some(&json!(0)));
    assert_eq!(usage, Some((5, 0)));
}

#[test]
fn a_broken_answer_is_no_answer() {
    let request = json!({"model": "m", "query": "q", "documents": ["a"], "return_documents": true});
    for broken in [
        json!({"message": "invalid request"}),
        json!({"results": [{"index": -1, "relevance_score": 1}]}),
        json!({"results": [{"index": 0, "relevance_score": "high"}]}),
        json!({"results": 7}),
        json!([]),
    ] {
        assert!(answered(Api::Cohere, &request, &broken).is_err(), "{broken}");
    }
    // An index beyond the documents is the provider's word; there is just no document to put beside it.
    let (body, _) = answered(Api::Cohere, &request, &json!({"results": [{"index": 9, "relevance_score": 1}]})).unwrap();
    assert_eq!(body.pointer("/results/0/document"), None);
}
