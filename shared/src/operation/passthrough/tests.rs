//! Where a caller's path can lead, and what is read of what goes by.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::usage::{Tier, Usage};
use proptest::prelude::*;

const BASE: &str = "https://api.openai.com/v1";

fn url(path: &str, query: Option<&str>) -> Result<String, ApiError> {
    let target = Target::read("POST", path, query.unwrap_or_default())?;
    Ok(target.url(&BaseUrl::parse(BASE).unwrap()))
}

#[test]
fn a_path_leads_below_the_providers_base_url_with_or_without_its_version() {
    for (path, query, want) in [
        ("/passthrough/openai/v1/images/generations", None, "https://api.openai.com/v1/images/generations"),
        ("/passthrough/openai/images/generations", None, "https://api.openai.com/v1/images/generations"),
        ("/passthrough/openai/v1/files/a%20b/content", None, "https://api.openai.com/v1/files/a%20b/content"),
        (
            "/passthrough/openai/v1/files/",
            Some("limit=2&key=x&after=f-1"),
            "https://api.openai.com/v1/files/?limit=2&after=f-1",
        ),
        ("/passthrough/openai/v1/x", Some("k%65y=secret"), "https://api.openai.com/v1/x"),
        ("/passthrough/openai/v1/x", Some("API_KEY=a&access_token=b&alt=sse"), "https://api.openai.com/v1/x?alt=sse"),
        (
            "/passthrough/openai/v1beta/models/gemini:embedContent",
            None,
            "https://api.openai.com/v1/v1beta/models/gemini:embedContent",
        ),
        ("/passthrough/openai/run/%40cf/meta", None, "https://api.openai.com/v1/run/%40cf/meta"),
    ] {
        assert_eq!(url(path, query).as_deref(), Ok(want), "{path}");
    }
}

#[test]
fn a_path_that_could_lead_elsewhere_is_refused() {
    for rest in [
        "..",
        "v1/../x",
        "v1/./x",
        "v1/%2e%2e/x",
        "v1/%2E./x",
        "v1/.%2e",
        "v1//x",
        "/evil.test/x",
        "//evil.test/x",
        "v1/..;/x",
        "v1/..;a=b/x",
        "v1/%2e%2e;/x",
        "v1/%252e%252e/x",
        "v1/a%2fb",
        "v1/a%5cb",
        "v1/a\\b",
        "\\evil.test",
        "@evil.test",
        "v1@evil.test/x",
        "v1/a%0d%0aHost:x",
        "v1/a%00",
        "v1/a\r\nHost: x",
        "v1/a b",
        "v1/\u{e4}",
        "v1/%",
        "v1/%2",
        "v1/%zz",
        "v1/a#b",
        "v1/a?b",
        "v1/a%23b",
        "v1/a%3fb",
        "v1/%ff/..",
        "v1/x/%2e",
        "v1/{x}",
        "v1/<x>",
        "v1/x|y",
        "v1/\"x\"",
    ] {
        let error = url(&format!("/passthrough/openai/{rest}"), None).expect_err(rest);
        assert_eq!(error.code, Code::InvalidRequest, "{rest}");
    }
    for query in ["a=b\r\nHost: x", "a=b c", "a#b", "\u{e4}=1"] {
        assert!(url("/passthrough/openai/v1/x", Some(query)).is_err(), "{query:?}");
    }
    for path in [
        "/passthrough/",
        "/passthrough/openai",
        "/passthrough/openai/",
        "/passthrough//x",
        "/passthrough/Open AI/x",
        "/passthrough/evil.test/x",
        "/passthrough/https:/x",
        "/passthrough/%6fpenai/x",
        "/passthrough/../admin",
    ] {
        assert_eq!(url(path, None).expect_err(path).code, Code::NotFound, "{path}");
    }
    assert_eq!(
        Target::read("CONNECT", "/passthrough/openai/v1/x", "").expect_err("method").code,
        Code::MethodNotAllowed
    );
    assert!(url(&format!("/passthrough/openai/{}", "x/".repeat(2_000)), None).is_err());
}

/// Whether a URL is what [`BASE`] says and nothing more clever, judged without the code under test.
fn stays(url: &str) -> bool {
    let clean = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#".contains(&byte));
    let Some(path) = url.strip_prefix("https://api.openai.com/v1/") else { return false };
    let path = path.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let path = path.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    clean
        && !path.contains(['@'])
        && !path.contains("//")
        && path.split(['/', ';']).all(|segment| !matches!(segment, "." | ".."))
}

/// Fault 75. Hostile URLs recorded for proxies, as paths: whatever is not refused stays at the provider.
#[test]
fn no_url_of_the_collection_leads_to_another_host() {
    let root = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared = std::env::var_os("SIGNALBOX_SHARED").map_or_else(|| root.join("../shared"), std::path::PathBuf::from);
    let Ok(list) = std::fs::read_to_string(shared.join("security/vectors/ssrf/ssrf_urls.jsonl")) else {
        eprintln!("notice: no collection of URLs in {}; not checked", shared.display());
        return;
    };
    let mut passed = 0;
    for line in list.lines() {
        let vector: serde_json::Value = serde_json::from_str(line).unwrap();
        let hostile = vector.get("url").and_then(|url| url.as_str()).unwrap();
        let rest = hostile.split_once("://").map_or(hostile, |(_, rest)| rest);
        let after_host = rest.split_once('/').map_or("", |(_, path)| path);
        for path in [
            format!("/passthrough/openai/{hostile}"),
            format!("/passthrough/openai/{rest}"),
            format!("/passthrough/openai/{after_host}"),
            format!("/passthrough/{hostile}"),
            format!("/passthrough/{rest}"),
            format!("/passthrough/openai{hostile}"),
            format!("/passthrough/openai@{rest}"),
        ] {
            // As the platforms do: what follows a `?` is the query.
            let (path, query) = path.split_once('?').map_or((path.as_str(), None), |(path, query)| (path, Some(query)));
            if let Ok(url) = url(path, query) {
                assert!(stays(&url), "{path} leads to {url}");
                passed += 1;
            }
        }
    }
    assert!(passed > 50, "most of them are harmless as paths: {passed}");
}

proptest! {
    #[test]
    fn no_path_leads_out(rest in "[a-z./%2eEfF5cC@:;?#\\\\ \r\n0-9-]{0,40}", query in "[a-z=&%\r\n#/@:.]{0,20}") {
        if let Ok(url) = url(&format!("/passthrough/openai/{rest}"), Some(&query)) {
            prop_assert!(stays(&url), "{rest:?} {query:?} leads to {url}");
        }
    }
}

fn seen(kind: &str, body: &str, billed: bool) -> crate::dialect::Observed {
    let mut meter = Meter::new(kind, None, billed);
    body.as_bytes().chunks(7).for_each(|piece| meter.push(piece));
    meter.finish()
}

#[test]
fn usage_is_read_in_every_known_shape() {
    let usage = Usage::default;
    for (body, want) in [
        (
            r#"{"model":"m","usage":{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":1}}}"#,
            Usage { input: 7, cache_read: 3, output: 3, reasoning: 1, ..usage() },
        ),
        (
            r#"{"model":"m","service_tier":"flex","usage":{"input_tokens":10,"output_tokens":4,"total_tokens":14,"input_tokens_details":{"cached_tokens":3},"output_tokens_details":{"reasoning_tokens":1}}}"#,
            Usage { input: 7, cache_read: 3, output: 3, reasoning: 1, tier: Tier::Flex, ..usage() },
        ),
        (
            r#"{"model":"m","usage":{"input_tokens":10,"output_tokens":4,"cache_read_input_tokens":3,"cache_creation_input_tokens":2}}"#,
            Usage { input: 10, cache_read: 3, cache_write_5m: 2, output: 4, ..usage() },
        ),
        (
            r#"{"model":"m","usage":{"input_tokens":10,"output_tokens":4,"cache_creation_input_tokens":9,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":7}}}"#,
            Usage { input: 10, cache_write_5m: 2, cache_write_1h: 7, output: 4, ..usage() },
        ),
        (
            r#"{"modelVersion":"m","usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":4,"cachedContentTokenCount":3,"thoughtsTokenCount":2}}"#,
            Usage { input: 7, cache_read: 3, output: 4, reasoning: 2, ..usage() },
        ),
        (
            r#"{"model":"m","usage":{"input_tokens":50,"output_tokens":9,"total_tokens":59,"input_tokens_details":{"text_tokens":10,"image_tokens":40}}}"#,
            Usage { input: 10, input_image: 40, output: 9, ..usage() },
        ),
    ] {
        let observed = seen("application/json; charset=utf-8", body, true);
        assert_eq!((observed.usage, observed.model.as_deref()), (Some(want), Some("m")), "{body}");
        assert_eq!(seen("application/json", body, false).usage, None, "what is only looked at is not paid again");
        assert_eq!(seen("text/plain", body, true).usage, None);
    }
    for strange in [
        r#"{"usage":{"type":"duration","seconds":9}}"#,
        r#"{"usage":null}"#,
        r#"{"usage":{"prompt_tokens":-1}}"#,
        "{",
        "[]",
        "",
    ] {
        assert_eq!(seen("application/json", strange, true).usage, None, "{strange}");
    }
}

#[test]
fn usage_is_read_from_events_and_later_reports_replace_earlier_ones() {
    let openai = "data: {\"type\":\"response.created\",\"response\":{\"model\":\"m\",\"usage\":null}}\n\n\
        data: {\"type\":\"response.output_text.delta\",\"delta\":\"\\\"usage\\\"\"}\n\n\
        data: {\"type\":\"response.completed\",\"response\":{\"model\":\"m\",\"usage\":{\"input_tokens\":9,\"output_tokens\":2,\"total_tokens\":11}}}\n\n";
    let anthropic = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":9,\
        \"cache_read_input_tokens\":4,\"output_tokens\":1}}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":2}}\n\n";
    for (body, cached) in [(openai, 0), (anthropic, 4)] {
        let observed = seen("text/event-stream", body, true);
        let want = Usage { input: 9, cache_read: cached, output: 2, ..Usage::default() };
        assert_eq!((observed.usage, observed.model.as_deref()), (Some(want), Some("m")));
    }
}
