//! Requests and answers of every shape, as the providers document them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::json::json;
use crate::json::{Limits, scan};
use serde_json::Value;

fn written(api: Api, body: &Value) -> Result<(Value, Vec<String>), ApiError> {
    let text = body.to_string();
    let document = scan(text.as_bytes(), &Limits::default()).unwrap();
    let mut warnings = Warnings::default();
    let out = api.write(&document, "the-model", &mut warnings)?;
    let warnings = warnings.list().iter().map(|warning| warning.path.clone()).collect();
    Ok((serde_json::from_slice(&out).unwrap(), warnings))
}

fn answered(api: Api, request: &Value, answer: &Value) -> Result<(Value, Option<Usage>), ProtocolError> {
    let text = request.to_string();
    let document = scan(text.as_bytes(), &Limits::default()).unwrap();
    let written = api.read(answer.to_string().into(), &document, "the-model")?;
    Ok((serde_json::from_slice(&written.body).unwrap(), written.observed.usage))
}

#[test]
fn every_form_of_input_is_understood_and_anything_else_is_named() {
    let facts = |body: &str| inspect(&scan(body.as_bytes(), &Limits::default()).unwrap());
    for (input, messages, bytes) in [
        (r#""four""#, 1, 4),
        (r#"["four","\u0066ive!"]"#, 2, 9),
        ("[1,2,3]", 1, 12),
        ("[[1,2],[3]]", 2, 12),
        (r#"[{"content":[]}]"#, 1, 36),
    ] {
        let body = format!(r#"{{"model":"m","input":{input}}}"#);
        let facts = facts(&body).unwrap();
        assert_eq!((facts.messages, facts.max_output_tokens, facts.n), (messages, Some(0), 1), "{input}");
        assert!(facts.text_bytes == bytes || input.contains('{'), "{input} {}", facts.text_bytes);
    }
    for (body, param) in [
        (r#"{"model":"m"}"#, "input"),
        (r#"{"model":"m","input":null}"#, "input"),
        (r#"{"model":"m","input":[]}"#, "input"),
        (r#"{"model":"m","input":["a",1]}"#, "input"),
        (r#"{"model":"m","input":[[1],["a"]]}"#, "input"),
        (r#"{"model":"m","input":[-1]}"#, "input"),
        (r#"{"model":"m","input":7}"#, "input"),
        (r#"{"input":"a"}"#, "model"),
        (r#"{"model":7,"input":"a"}"#, "model"),
        (r#"{"model":"m","input":"a","user":7}"#, "user"),
    ] {
        assert_eq!(facts(body).expect_err(body).param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn a_provider_of_the_callers_shape_gets_the_callers_bytes_but_for_the_model() {
    let body = br#"{ "model" : "small", "input":["a"], "x" : 1.0e5 }"#;
    let document = scan(body, &Limits::default()).unwrap();
    let out = Api::OpenAi.write(&document, "text-embedding-3-small", &mut Warnings::default()).unwrap();
    assert_eq!(out, br#"{ "model" : "text-embedding-3-small", "input":["a"], "x" : 1.0e5 }"#);
}

#[test]
fn the_usual_answer_passes_as_it_came_and_tells_its_usage() {
    let request = json!({"model": "m", "input": "a"});
    for (usage, input) in [
        (json!({"prompt_tokens": 7, "total_tokens": 7}), Some(7)),
        (json!({"total_tokens": 9}), Some(9)),
        (json!({"prompt_tokens": -1}), None),
        (json!(null), None),
    ] {
        let answer =
            json!({"object": "list", "data": [{"index": 0, "embedding": "AAAA"}], "model": "x", "usage": usage});
        let (body, told) = answered(Api::OpenAi, &request, &answer).unwrap();
        assert_eq!((body, told.map(|usage| usage.input)), (answer, input));
    }
    for (answer, upstream) in
        [(json!({"error": {"message": "no"}}), true), (json!({"ok": 1}), false), (json!([]), false)]
    {
        let error = answered(Api::OpenAi, &request, &answer).expect_err("no answer");
        assert_eq!(matches!(error, ProtocolError::Upstream(_)), upstream, "{answer}");
    }
}

#[test]
fn gemini_is_asked_in_one_batch() {
    let body =
        json!({"model": "m", "input": ["a", "b"], "dimensions": 256, "input_type": "search_query", "strange": 1});
    let (out, warnings) = written(Api::Gemini, &body).unwrap();
    let one = |text: &str| {
        json!({"model": "models/the-model", "content": {"parts": [{"text": text}]}, "taskType": "RETRIEVAL_QUERY",
            "outputDimensionality": 256})
    };
    assert_eq!(out, json!({"requests": [one("a"), one("b")]}));
    assert_eq!(warnings, ["strange"]);
    let error = written(Api::Gemini, &json!({"model": "m", "input": [1, 2]})).expect_err("tokens");
    assert_eq!(error.param.as_deref(), Some("input"));
}

#[test]
fn geminis_answer_becomes_openais() {
    let answer =
        json!({"embeddings": [{"values": [0.5, -1]}, {"values": [1, 0]}], "usageMetadata": {"promptTokenCount": 6}});
    let (body, usage) = answered(Api::Gemini, &json!({"model": "m", "input": ["a", "b"]}), &answer).unwrap();
    assert_eq!(
        body,
        json!({"object": "list", "model": "the-model", "usage": {"prompt_tokens": 6, "total_tokens": 6}, "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, -1]},
            {"object": "embedding", "index": 1, "embedding": [1, 0]}]})
    );
    assert_eq!(usage.map(|usage| usage.input), Some(6));
    let request = json!({"model": "m", "input": "a", "encoding_format": "base64"});
    let (body, usage) = answered(Api::Gemini, &request, &json!({"embedding": {"values": [1.0]}})).unwrap();
    assert_eq!(body.pointer("/data/0/embedding"), Some(&json!("AACAPw==")));
    assert_eq!(usage, None);
    for broken in [json!({"embeddings": [{}]}), json!({"embeddings": [{"values": ["x"]}]}), json!({"embeddings": 7})] {
        assert!(answered(Api::Gemini, &request, &broken).is_err(), "{broken}");
    }
}

#[test]
fn cohere_is_told_what_the_vectors_are_for() {
    let (out, warnings) =
        written(Api::Cohere, &json!({"model": "m", "input": "a", "dimensions": 512, "encoding_format": "base64"}))
            .unwrap();
    assert_eq!(
        out,
        json!({"model": "the-model", "texts": ["a"], "input_type": "search_document", "embedding_types": ["float"],
            "output_dimension": 512})
    );
    assert!(warnings.is_empty());
    let (out, _) =
        written(Api::Cohere, &json!({"model": "m", "input": ["a"], "input_type": "search_query", "truncate": "END"}))
            .unwrap();
    assert_eq!(
        (out.pointer("/input_type"), out.pointer("/truncate")),
        (Some(&json!("search_query")), Some(&json!("END")))
    );
}

#[test]
fn coheres_answer_becomes_openais() {
    let request = json!({"model": "m", "input": ["a", "b"]});
    let answer = json!({"id": "x", "embeddings": {"float": [[0.016, -0.008], [1, 2]]}, "texts": ["a", "b"],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 2, "image_tokens": 3}}});
    let (body, usage) = answered(Api::Cohere, &request, &answer).unwrap();
    assert_eq!(body.pointer("/data/0/embedding"), Some(&json!([0.016, -0.008])));
    assert_eq!(body.pointer("/usage/total_tokens"), Some(&json!(5)));
    assert_eq!(usage.map(|usage| (usage.input, usage.input_image)), Some((2, 3)));
    let (body, _) = answered(Api::Cohere, &request, &json!({"embeddings": [[1], [2]]})).unwrap();
    assert_eq!(body.pointer("/data/1/embedding"), Some(&json!([2])));
    for broken in [json!({"embeddings": {"int8": [[1]]}}), json!({"embeddings": null}), json!({"message": "no"})] {
        assert!(answered(Api::Cohere, &request, &broken).is_err(), "{broken}");
    }
}

#[test]
fn workers_ai_is_asked_for_texts_and_answers_vectors_in_an_envelope_or_without() {
    let body = json!({"model": "m", "input": ["a", "b"], "dimensions": 3, "strange": 1});
    let (out, warnings) = written(Api::WorkersAi, &body).unwrap();
    assert_eq!(out, json!({"text": ["a", "b"]}));
    assert_eq!(warnings, ["dimensions", "strange"]);
    let answer = json!({"shape": [2, 2], "data": [[0.5, -1], [1, 0]], "pooling": "cls"});
    for (answer, input) in [
        (answer.clone(), None),
        (json!({"result": answer, "success": true, "errors": [], "messages": []}), None),
        (json!({"data": [[1], [2]], "usage": {"prompt_tokens": 4}}), Some(4)),
    ] {
        let (body, usage) = answered(Api::WorkersAi, &body, &answer).unwrap();
        assert_eq!(body.pointer("/data/1/index"), Some(&json!(1)), "{answer}");
        assert_eq!(usage.map(|usage| usage.input), input, "{answer}");
    }
    for broken in [json!({"data": 7}), json!({"result": null}), json!({"data": [["x"]]}), json!({"shape": [0]})] {
        assert!(answered(Api::WorkersAi, &body, &broken).is_err(), "{broken}");
    }
    let failed = json!({"result": null, "success": false, "errors": [{"code": 5007, "message": "no"}]});
    assert!(answered(Api::WorkersAi, &body, &failed).is_err());
}
