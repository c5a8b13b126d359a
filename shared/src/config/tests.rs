//! The document as a whole: what is accepted, and what is said about what is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use super::*;
use crate::catalog::{Capabilities, Rate};
use crate::json::json;
use crate::units::{Millis, NanoUsd};

/// Every section with every key of this version.
pub(super) const FULL: &str = include_str!("every_key.toml");

pub(super) fn problems(text: &str) -> Vec<Problem> {
    match Config::parse(text) {
        Ok(_) => Vec::new(),
        Err(invalid) => invalid.problems,
    }
}

/// Asserts that `text` has exactly these problems: path, and a part of message or hint.
pub(super) fn assert_problems(text: &str, want: &[(&str, &str)]) {
    let found = problems(text);
    let shown = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert_eq!(found.len(), want.len(), "{text}\n{shown}");
    for (path, part) in want {
        let said = |problem: &&Problem| {
            problem.path == *path && format!("{}. {}", problem.message, problem.hint).contains(part)
        };
        assert!(found.iter().any(|problem| said(&problem)), "no {path} {part:?} in\n{shown}");
    }
}

#[test]
fn every_section_of_this_version_is_read() {
    let config = Config::parse(FULL).unwrap();
    let id = |text| ModelId::parse(text).unwrap();
    let acme = &config.providers["acme"];
    assert_eq!(acme.base_url.as_ref().unwrap().as_str(), "https://llm.acme.example/v1");
    assert_eq!(acme.api_key.as_ref().unwrap().as_str(), "ACME_API_KEY");
    assert_eq!(acme.data_policy.len(), 2);
    assert_eq!(acme.headers["x-tenant"], HeaderValue::Literal("blue".to_owned()));
    let large = &config.models[&id("acme:large")];
    assert_eq!(large.price.as_ref().unwrap().rates.cache_write_1h, Rate(700_000_000));
    assert_eq!(
        large.capabilities.unwrap(),
        Capabilities::TOOLS.with(Capabilities::VISION).with(Capabilities::JSON_SCHEMA).with(Capabilities::REASONING)
    );
    let fast = &config.routes["fast"];
    assert_eq!(fast.group.strategy, Strategy::Weighted { sticky: Some(Sticky::Session) });
    let large = Candidate::of(Choice::Target(Target::Model(id("acme:large"))));
    assert_eq!(fast.group.candidates[2], Candidate { weight: 2.0, ..large });
    let spare = RouteName::parse("spare").unwrap();
    assert_eq!(
        fast.group.fallbacks,
        [Target::Class(Class::Cheap), Target::Route(spare), Target::Model(id("openai:gpt-5.4"))]
    );
    assert_eq!(config.default_route.to_string(), "fast");
    assert!(matches!(config.default_route, Target::Route(_)));
    let team = config.team("payments").unwrap();
    assert!(
        team.models.permits("fast")
            && team.models.permits("openai:o3")
            && !team.models.permits("anthropic:claude-opus-5")
    );
    let Terms { limits, budgets, .. } = &team.terms;
    let rpm = UsageLimit { measure: Measure::Requests(Millis(60_000)), most: 600, scope: Scope::team() };
    assert_eq!((limits.len(), &limits[1]), (8, &rpm));
    let scope = Scope::of([Party::Team, Party::User]);
    let day = Budget {
        limit: NanoUsd(2_000_000_000),
        per: Period::Day,
        hard: false,
        scope,
        on_exceeded: budgets[1].on_exceeded.clone(),
        alert_at: vec![90],
    };
    assert_eq!(budgets[1], day);
    assert_eq!(day.on_exceeded.unwrap().to_string(), "spare");
    assert_eq!(budgets[0].alert_at, [80, 100]);
    assert_eq!(config.timeouts, Timeouts { total: Millis(120_000), ..Timeouts::default() });
    assert_eq!(config.timeouts.with(&fast.timeouts).first_token, Millis(2000));
    assert_eq!(config.retries, Retries { max: 3, base: Millis(100), cap: Millis(1000) });
    assert_eq!(config.limits.max_body_bytes, 1 << 20);
    assert!(config.streams.hide_unasked_usage);
    assert_eq!(config.cors.allow("https://app.example.com").as_deref(), Some("https://app.example.com"));
    assert_eq!(config.cors.allow("https://evil.example.com"), None);
}

#[test]
fn toml_and_json_are_the_same_document() {
    let mut found = Vec::new();
    let tree = source::read(FULL, &mut found).unwrap();
    let from_toml = Config::parse(FULL).unwrap();
    assert_eq!(from_toml, Config::from_value(&tree).unwrap());
    assert_eq!(from_toml, Config::parse(&format!("\u{feff} \n\t{tree}")).unwrap());
}

#[test]
fn an_empty_document_is_the_default() {
    for text in ["", "  \n", "# nothing\n", "{}", " { } "] {
        assert_eq!(Config::parse(text).unwrap(), Config::default(), "{text:?}");
    }
    let config = Config::default();
    assert_eq!(config.default_route, Target::Class(Class::Fast));
    assert_eq!(config.team(DEFAULT_TEAM), Some(&Team::default()));
    assert_eq!(config.team("payments"), None);
}

#[test]
fn all_problems_are_told_at_once() {
    let text = r#"
        colour = "red"
        [context.finance]
        when = "topic = 1"
        aliases = false
        [provider.acme]
        [providers.acme]
        base_url = "llm.acme.example"
        api_key = "not-a-real-key"
        [models."acme:large"]
        quality = 2
        [routes.fast]
        strategy = "telepathy"
        candidates = []
        [routes.slow]
        candidates = ["unheard-of:gpt", { model = "openai:gpt-5.4", weight = -1 }]
        [teams.payments]
        models = ["fsat"]
        limits = { rpm = 0, parallel = 0 }
        budgets = [{ usd = 1, per = "month" }, { usd = "2", per = "fortnight" }]
        [retries]
        base_ms = 10
        cap_ms = 5
    "#;
    assert_problems(
        text,
        &[
            ("colour", "not a known key"),
            ("context.finance.when", "column"),
            ("context.finance.aliases", "nothing is chosen"),
            ("provider", "`providers`"),
            ("providers.acme.base_url", "https://"),
            ("providers.acme.api_key", "secrets are references"),
            ("models.\"acme:large\".quality", "from 0 to 1"),
            ("routes.fast.strategy", "Use one of: ordered, fallback"),
            ("routes.fast.candidates", "at least 1"),
            ("routes.slow.candidates[1].weight", "out of range"),
            ("teams.payments.limits.rpm", "out of range"),
            ("teams.payments.limits.parallel", "out of range"),
            ("teams.payments.budgets[1].usd", "found a text"),
            ("teams.payments.budgets[1].per", "hour, day, week, month, total"),
            ("retries.base_ms", "more than cap_ms"),
            // Between sections, though sections are wrong.
            ("providers.acme.dialect", "is missing"),
            ("routes.slow.candidates[0]", "no such provider"),
            ("teams.payments.models[0]", "`fast`"),
        ],
    );
}

#[test]
fn a_syntax_error_is_told_with_line_and_column() {
    for (text, path) in [
        ("[routes.fast]\ncandidates = [\"a:b\"", "line 2, column 20"),
        ("\n\n\n  default_route = \n", "line 4, column 19"),
        ("{\n  \"routes\": {\n    oops\n", "line 3, column 5"),
        ("{} trailing", "line 1, column 4"),
    ] {
        let found = problems(text);
        assert!(found.iter().any(|problem| problem.path == path), "{text:?} {found:?}");
    }
    let both = problems("a = \nb = \n");
    assert_eq!(both.len(), 2, "{both:?}");
}

#[test]
fn a_key_written_twice_is_refused_in_both_formats() {
    let json = problems(r#"{"routes": {}, "routes": {}}"#);
    assert!(json[0].message.contains("\"routes\" is written twice"), "{json:?}");
    assert!(json[0].path.starts_with("line 1, column "), "{json:?}");
    let escaped = problems(r#"{"a": 1, "\u0061": 2}"#);
    assert!(escaped[0].message.contains("twice"), "{escaped:?}");
    let toml = problems("default_route = \"fast\"\ndefault_route = \"cheap\"");
    assert_eq!(toml[0].path, "line 2, column 1", "{toml:?}");
}

#[test]
fn values_that_have_no_place_in_a_document_are_refused() {
    assert_problems("[retries]\nmax = nan", &[("retries.max", "finite")]);
    assert_problems("[retries]\nmax = 2026-01-01", &[("retries.max", "Use a text")]);
    assert_problems("[retries]\nmax = 99999999999999999999", &[("retries.max", "64 bits")]);
    assert_problems("{\"retries\": null}", &[("retries", "found null")]);
    assert_problems("[retries]\nmax = 2.5", &[("retries.max", "whole number")]);
    assert_problems("[retries]\nmax = -1", &[("retries.max", "whole number")]);
    assert_eq!(Config::parse("[retries]\nmax = 0x2").unwrap().retries.max, 2);
    assert_eq!(Config::parse("{\"retries\":{\"max\":2.0}}").unwrap().retries.max, 2);
    assert_problems(&" ".repeat((1 << 20) + 1), &[("document", "1 MiB")]);
    assert_problems(&format!("{{\"a\":{}", "[".repeat(100_000)), &[("line 1, column 132", "nested too deep")]);
    assert!(!problems(&format!("a = {}", "[".repeat(100_000))).is_empty());
    assert!(Config::from_value(&Value::Null).is_err());
    assert!(Config::from_value(&json!([])).is_err());
}

#[test]
fn a_secret_written_into_the_document_is_refused_and_never_repeated() {
    const SECRET: &str = "hunter2-hunter2-hunter2";
    for text in [
        format!("[providers.openai]\napi_key = \"{SECRET}\""),
        format!("[providers.openai]\napi_key = [\"{SECRET}\"]"),
        format!("[providers.openai]\napi_key = {{ binding = \"{SECRET}\" }}"),
        format!("[providers.openai]\napi_key = {{ value = \"{SECRET}\" }}"),
        format!("[providers.openai]\nheaders = {{ authorization = \"Bearer {SECRET}\" }}"),
        format!("[providers.openai]\nheaders = {{ x-api-key = \"{SECRET}\" }}"),
        format!("[providers.openai]\nbase_url = \"https://user:{SECRET}@api.openai.com\""),
        format!("[providers.openai]\nbase_url = \"https://api.openai.com/?key={SECRET}\""),
        format!("[providers.openai]\nregion = \"{SECRET} \""),
        format!("[providers.openai]\ndialect = \"{SECRET}\""),
        format!("[routes.a]\ncandidates = [\"{SECRET} \"]"),
        format!("default_route = \"{SECRET} \""),
        format!("{{\"providers\": {{\"openai\": {{\"api_key\": \"{SECRET}\"}}}}}}"),
        format!("[providers.openai]\napi_key = \"{SECRET}\nregion = 1"),
        format!("[providers.openai]\napi_key = {SECRET}"),
        format!("{{\"api_key\": {SECRET}}}"),
    ] {
        let found = Config::parse(&text).unwrap_err();
        let shown = format!("{found} {found:?} {}", serde_json::to_string(&found).unwrap());
        assert!(!shown.contains("hunter2"), "{text}\n{shown}");
    }
}

#[test]
fn a_provider_of_ones_own_needs_a_dialect_and_a_safe_place() {
    let with = |url: &str| format!("[providers.acme]\ndialect = \"openai_chat\"\nbase_url = \"{url}\"");
    for good in ["https://llm.acme.example/v1", "http://localhost:8080", "http://127.0.0.1:1/v1", "http://[::1]:9"] {
        assert_problems(&with(good), &[]);
    }
    for (bad, says) in [
        ("http://llm.acme.example", "allow_http = true"),
        ("https://user:pass@llm.acme.example", "credentials"),
        ("https://llm.acme.example/#x", "fragment"),
        ("ftp://llm.acme.example", "https://"),
        ("/v1", "https://"),
    ] {
        assert_problems(&with(bad), &[("providers.acme.base_url", says)]);
    }
    assert_problems(&format!("{}\nallow_http = true", with("http://llm.acme.example")), &[]);
    assert_problems(
        "[providers.acme]",
        &[("providers.acme.dialect", "missing"), ("providers.acme.base_url", "missing")],
    );
    assert_problems("[providers.openai]", &[]);
    assert_problems(
        "[providers.\"Ac me\"]\ndialect = \"anthropic\"\nbase_url = \"https://a.example\"",
        &[("providers.\"Ac me\"", "a-z")],
    );
    assert_problems(
        "[providers.openai]\nheaders = { content-length = \"1\" }",
        &[("providers.openai.headers.content-length", "transport")],
    );
    assert_problems(
        "[providers.openai]\nheaders = { x-a = \"a\\r\\nb: c\" }",
        &[("providers.openai.headers.x-a", "cannot stand in a header")],
    );
}

#[test]
fn cors_names_origins_and_nothing_more() {
    let with = |origin: &str| format!("[cors]\nallow_origins = [\"{origin}\"]");
    let any = Config::parse(&with("*")).unwrap().cors;
    assert_eq!(any.allow("https://anywhere.example").as_deref(), Some("*"));
    assert_eq!(Cors::default().allow("https://anywhere.example"), None);
    for bad in [
        "https://app.example.com/",
        "https://app.example.com/x",
        "app.example.com",
        "null",
        "https://*.example.com",
        "file://x",
    ] {
        assert_problems(&with(bad), &[("cors.allow_origins[0]", "web origin")]);
    }
}
