//! What error bodies mean, in every shape they have been seen in.

use super::*;

#[test]
fn every_shape_of_error_body_is_read() {
    use UpstreamClass::*;
    #[rustfmt::skip]
    let table: &[(u16, &str, UpstreamClass, Option<&str>)] = &[
        (400, r#"{"error":{"message":"bad","type":"invalid_request_error","param":"n","code":null}}"#, InvalidRequest, Some("bad")),
        (400, r#"{"error":"text"}"#, InvalidRequest, Some("text")),
        (429, r#"{"message":"Requests rate limit exceeded"}"#, RateLimited, Some("Requests rate limit exceeded")),
        (422, r#"{"detail":"why"}"#, InvalidRequest, Some("why")),
        (422, r#"{"detail":[{"loc":["body"],"msg":"field required","type":"missing"}]}"#, InvalidRequest, Some("field required")),
        (400, r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]"#, Auth, Some("API key not valid.")),
        (400, r#"{"result":{},"success":false,"errors":[{"code":5007,"message":"AiError: No such model"}],"messages":[]}"#, NotFound, Some("AiError: No such model")),
        (400, r#"{"code":"invalid-argument","error":"Bad thing"}"#, InvalidRequest, Some("Bad thing")),
        (502, "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>", ServerError, Some("an HTML page: 502 Bad Gateway")),
        (500, "", ServerError, None),
        (500, "oops", ServerError, Some("oops")),
        (503, "{broken", Overloaded, Some("{broken")),
        (529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Overloaded, Some("Overloaded")),
        (429, r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#, QuotaExhausted, Some("You exceeded your current quota")),
        (400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#, QuotaExhausted, Some("Your credit balance is too low to access the Anthropic API.")),
        (400, r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","code":"context_length_exceeded"}}"#, ContextLength, Some("This model's maximum context length is 8192 tokens.")),
        (400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 200001 tokens > 200000 maximum"}}"#, ContextLength, Some("prompt is too long: 200001 tokens > 200000 maximum")),
        (401, r#"{"error":{"message":"Missing Authentication header","code":401}}"#, Auth, Some("Missing Authentication header")),
        (400, r#"{"error":{"code":"content_filter","message":"filtered"}}"#, ContentPolicy, Some("filtered")),
        (404, r#"{"error":{"code":"DeploymentNotFound","message":"no deployment"}}"#, NotFound, Some("no deployment")),
        (400, r#"{"code":"invalid-argument","error":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}"#, ContextLength, Some("This model's maximum prompt length is 131072 but the request contains 537812 tokens.")),
        (400, r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#, ContextLength, Some("the request exceeds the available context size")),
        (400, r#"{"error":{"code":400,"message":"the input token count is 1200000 but model only supports up to 1048576","status":"INVALID_ARGUMENT"}}"#, ContextLength, Some("the input token count is 1200000 but model only supports up to 1048576")),
        (429, r#"{"code":"resource-exhausted","error":"Your team has used all its credits or reached its monthly spending limit."}"#, QuotaExhausted, Some("Your team has used all its credits or reached its monthly spending limit.")),
        (413, "", TooLarge, None),
        (408, "", Timeout, None),
        (403, r#"{"error":{"message":"no"}}"#, Permission, Some("no")),
    ];
    for (status, body, class, message) in table {
        let error = UpstreamError::from_body(*status, body.as_bytes());
        assert_eq!((error.class, error.message.as_deref()), (*class, *message), "{status} {body}");
    }
}

#[test]
fn errors_inside_streams_are_told_by_type_and_code() {
    use UpstreamClass::*;
    for (json, class) in [
        (r#"{"type":"overloaded_error","message":"Overloaded"}"#, Overloaded),
        (r#"{"message":"Internal error","type":"api_error"}"#, ServerError),
        (r#"{"message":"Provider returned error","code":502}"#, ServerError),
        (r#"{"message":"slow down","code":429}"#, RateLimited),
        (
            r#"{"message":"tool call validation failed","type":"invalid_request_error","code":"tool_use_failed"}"#,
            InvalidRequest,
        ),
        (r#""text only""#, ServerError),
        ("null", ServerError),
    ] {
        assert_eq!(UpstreamError::from_event(json).class, class, "{json}");
    }
}

#[test]
fn what_a_provider_says_about_our_credential_is_not_passed_on() {
    let body = br#"{"error":{"message":"Incorrect API key provided: abc.","code":"invalid_api_key"}}"#;
    let error = UpstreamError::from_body(401, body).to_api_error();
    assert_eq!((error.code, error.message.contains("abc")), (Code::UpstreamAuthError, false));
}

#[test]
fn deeply_nested_errors_do_not_recurse_far() {
    let body = r#"{"error":"#.repeat(50_000);
    assert_eq!(UpstreamError::from_body(500, body.as_bytes()).class, UpstreamClass::ServerError);
    let body = format!("{}1{}", r#"{"error":"#.repeat(100), "}".repeat(100));
    assert_eq!(UpstreamError::from_body(500, body.as_bytes()).message, None);
}
