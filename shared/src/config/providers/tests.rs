//! Which providers are enabled by which bindings, and how they are then addressed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use super::*;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::dialect::{SamplingSupport, ThinkingSupport};
use crate::operation::embeddings;
use crate::units::Millis;
use std::collections::{BTreeMap, BTreeSet};

fn providers(document: &str, bound: &[(&str, &str)]) -> Providers {
    let bindings: BTreeMap<String, String> =
        bound.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Providers::from(&Config::parse(document).unwrap(), &bindings)
}

fn ids(providers: &Providers) -> Vec<&str> {
    providers.iter().map(|provider| provider.id.as_str()).collect()
}

fn credential(provider: &Provider) -> Option<(&str, &str)> {
    match &provider.auth {
        Auth::None | Auth::Aws(_) | Auth::Google(_) => None,
        Auth::Header { name, value } => Some((name, value.expose())),
    }
}

#[test]
fn a_key_enables_its_provider_and_nothing_else() {
    assert!(providers("", &[]).is_empty());
    for known in BUILTIN {
        let Some(key) = known.key_binding else { continue };
        let project = known.cloud.map_or("UNUSED", |cloud| cloud.project);
        let bound = [(key, "k"), (known.base_url_binding, "https://llm.example.com"), (project, "p")];
        assert_eq!(ids(&providers("", &bound)), [known.id]);
        assert!(providers("", &bound[1..]).is_empty(), "{}", known.id);
    }
    assert_eq!(ids(&providers("", &[("OLLAMA_BASE_URL", "http://127.0.0.1:11434")])), ["ollama"]);
}

#[test]
fn the_table_of_built_in_providers_is_sound() {
    let ids: BTreeSet<&str> = BUILTIN.iter().map(|known| known.id).collect();
    assert_eq!(ids.len(), BUILTIN.len());
    for known in BUILTIN {
        assert!(crate::config::ProviderId::parse(known.id).is_some(), "{}", known.id);
        let filled = known.base_url.map(|url| url.replace(['{', '}'], ""));
        assert!(
            filled.is_none_or(|url| crate::config::BaseUrl::parse(&url).is_ok_and(|url| url.is_private())),
            "{}",
            known.id
        );
        for binding in known.key_binding.into_iter().chain([known.base_url_binding]) {
            assert!(crate::config::BindingName::parse(binding).is_some(), "{binding}");
        }
        assert!(known.api.chat_path.starts_with('/'), "{}", known.id);
    }
}

#[test]
fn openai_itself_has_no_quirks() {
    assert_eq!(builtin("openai").unwrap().api.quirks, crate::dialect::Quirks::default());
}

#[test]
fn each_provider_is_called_at_the_url_its_documentation_names() {
    for (key, url) in [
        ("OPENAI_API_KEY", "https://api.openai.com/v1/chat/completions"),
        ("ANTHROPIC_API_KEY", "https://api.anthropic.com/v1/messages"),
        ("MISTRAL_API_KEY", "https://api.mistral.ai/v1/chat/completions"),
        ("GROQ_API_KEY", "https://api.groq.com/openai/v1/chat/completions"),
        ("DEEPSEEK_API_KEY", "https://api.deepseek.com/chat/completions"),
        ("XAI_API_KEY", "https://api.x.ai/v1/chat/completions"),
        ("TOGETHER_API_KEY", "https://api.together.xyz/v1/chat/completions"),
        ("FIREWORKS_API_KEY", "https://api.fireworks.ai/inference/v1/chat/completions"),
        ("OPENROUTER_API_KEY", "https://openrouter.ai/api/v1/chat/completions"),
        ("PERPLEXITY_API_KEY", "https://api.perplexity.ai/chat/completions"),
        ("CEREBRAS_API_KEY", "https://api.cerebras.ai/v1/chat/completions"),
        ("COHERE_API_KEY", "https://api.cohere.com/v2/chat"),
        ("GEMINI_API_KEY", "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"),
    ] {
        let providers = providers("", &[(key, "k")]);
        assert_eq!(providers.iter().next().unwrap().chat_url("m", false), url);
    }
}

#[test]
fn what_is_beside_chats_lies_where_the_provider_documents_it() {
    for (key, url) in [
        ("OPENAI_API_KEY", "https://api.openai.com/v1/embeddings"),
        ("MISTRAL_API_KEY", "https://api.mistral.ai/v1/embeddings"),
        ("TOGETHER_API_KEY", "https://api.together.xyz/v1/embeddings"),
        ("FIREWORKS_API_KEY", "https://api.fireworks.ai/inference/v1/embeddings"),
        ("OPENROUTER_API_KEY", "https://openrouter.ai/api/v1/embeddings"),
        ("PERPLEXITY_API_KEY", "https://api.perplexity.ai/v1/embeddings"),
        ("JINA_API_KEY", "https://api.jina.ai/v1/embeddings"),
        ("VOYAGE_API_KEY", "https://api.voyageai.com/v1/embeddings"),
    ] {
        let providers = providers("", &[(key, "k")]);
        let provider = providers.iter().next().unwrap();
        assert_eq!(provider.operation_url("/embeddings"), url);
        assert!(provider.operations.embeddings.is_some(), "{key}");
    }
    let document = r#"
        [providers.acme]
        dialect = "openai_chat"
        base_url = "https://llm.acme.example/v1"
        embeddings = "cohere"
        rerank = "none"
        completions = false
    "#;
    let acme = providers(document, &[]).get("acme").unwrap().operations;
    assert_eq!(
        (acme.embeddings, acme.rerank, acme.completions),
        (Some(crate::operation::embeddings::Api::Cohere), None, false)
    );
    for none in ["ANTHROPIC_API_KEY", "GROQ_API_KEY", "DEEPSEEK_API_KEY"] {
        assert_eq!(providers("", &[(none, "k")]).iter().next().unwrap().operations, Operations::NONE, "{none}");
    }
}

#[test]
fn a_base_url_written_for_the_providers_own_sdk_works_here() {
    for (key, binding, base, want) in [
        ("OPENAI_API_KEY", "OPENAI_BASE_URL", "http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1/chat/completions"),
        ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "http://127.0.0.1:9", "http://127.0.0.1:9/v1/messages"),
        (
            "GROQ_API_KEY",
            "GROQ_BASE_URL",
            "https://g.example/openai/v1/",
            "https://g.example/openai/v1/chat/completions",
        ),
        (
            "AZURE_OPENAI_API_KEY",
            "AZURE_OPENAI_BASE_URL",
            "https://r.openai.azure.com/openai/v1/",
            "https://r.openai.azure.com/openai/v1/chat/completions",
        ),
    ] {
        let providers = providers("", &[(key, "k"), (binding, base)]);
        assert_eq!(providers.iter().next().unwrap().chat_url("m", false), want);
    }
}

#[test]
fn a_key_travels_as_its_provider_wants_it_and_is_never_shown() {
    let bound = [
        ("OPENAI_API_KEY", " hunter2\n"),
        ("ANTHROPIC_API_KEY", "hunter2"),
        ("AZURE_OPENAI_API_KEY", "hunter2"),
        ("AZURE_OPENAI_BASE_URL", "https://a.example/openai/v1"),
    ];
    let providers = providers("", &bound);
    assert_eq!(credential(providers.get("openai").unwrap()), Some(("authorization", "Bearer hunter2")));
    assert_eq!(credential(providers.get("anthropic").unwrap()), Some(("x-api-key", "hunter2")));
    assert_eq!(credential(providers.get("azure").unwrap()), Some(("api-key", "hunter2")));
    let headers = &providers.get("anthropic").unwrap().headers;
    assert_eq!((headers[0].0.as_str(), headers[0].1.expose()), ("anthropic-version", "2023-06-01"));
    assert!(!format!("{providers:?}").contains("hunter2"));
}

#[test]
fn the_document_adds_and_changes_providers() {
    let document = r#"
        [timeouts]
        idle_ms = 7
        [providers.acme]
        dialect = "anthropic"
        base_url = "https://llm.acme.example"
        api_key = { binding = "ACME_API_KEY" }
        region = "eu"
        data_policy = ["no_training"]
        headers = { anthropic-version = "2099-01-01", x-signature = { binding = "ACME_SIGNATURE" } }
        timeouts = { total_ms = 9 }
        [providers.keyless]
        dialect = "openai_chat"
        base_url = "http://localhost:8000/v1"
        [providers.openai]
        api_key = { binding = "OTHER_KEY" }
    "#;
    let providers = providers(document, &[("ACME_API_KEY", "a"), ("ACME_SIGNATURE", "s"), ("OTHER_KEY", "o")]);
    assert_eq!(ids(&providers), ["openai", "acme", "keyless"]);
    let acme = providers.get("acme").unwrap();
    assert_eq!(acme.chat_url("m", false), "https://llm.acme.example/v1/messages");
    assert_eq!(credential(acme), Some(("x-api-key", "a")));
    let headers: Vec<(&str, &str)> = acme.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("anthropic-version", "2099-01-01"), ("x-signature", "s")]);
    assert_eq!((acme.timeouts.idle, acme.timeouts.total), (Millis(7), Millis(9)));
    assert_eq!((acme.region.as_deref(), acme.data_policy.len()), (Some("eu"), 1));
    let keyless = providers.get("keyless").unwrap();
    assert_eq!(
        (credential(keyless), keyless.chat_url("m", false).as_str()),
        (None, "http://localhost:8000/v1/chat/completions")
    );
    assert_eq!(credential(providers.get("openai").unwrap()), Some(("authorization", "Bearer o")));
}

#[test]
fn a_provider_of_ones_own_without_its_key_is_not_enabled() {
    let document = "[providers.acme]\ndialect = \"openai_chat\"\nbase_url = \"https://a.example\"\napi_key = { binding = \"ACME_API_KEY\" }";
    assert!(providers(document, &[]).is_empty());
    assert!(providers(document, &[("ACME_API_KEY", "  ")]).is_empty());
    let overridden = providers(document, &[("ACME_API_KEY", "k"), ("ACME_BASE_URL", "http://localhost:1")]);
    assert_eq!(overridden.get("acme").unwrap().chat_url("m", false), "http://localhost:1/chat/completions");
}

#[test]
fn one_bad_binding_disables_one_provider_and_is_told_without_its_text() {
    for (bound, path) in [
        (vec![("OPENAI_API_KEY", "hunter2\r\nx: y")], "OPENAI_API_KEY"),
        (vec![("OPENAI_API_KEY", "hunter2\u{e9}")], "OPENAI_API_KEY"),
        (vec![("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "hunter2")], "OPENAI_BASE_URL"),
        (vec![("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "https://a:hunter2@b.example")], "OPENAI_BASE_URL"),
        (vec![("OPENAI_API_KEY", "k"), ("OPENAI_BASE_URL", "http://hunter2.example")], "OPENAI_BASE_URL"),
        (vec![("AZURE_OPENAI_API_KEY", "k")], "AZURE_OPENAI_BASE_URL"),
    ] {
        let mut all = bound.clone();
        all.push(("ANTHROPIC_API_KEY", "k"));
        let providers = providers("", &all);
        assert_eq!(ids(&providers), ["anthropic"], "{bound:?}");
        assert_eq!(providers.problems().len(), 1, "{bound:?}");
        assert_eq!(providers.problems()[0].path, path);
        assert!(!format!("{:?}", providers.problems()).contains("hunter2"), "{:?}", providers.problems());
    }
}

#[test]
fn a_models_own_quirks_are_laid_over_its_providers() {
    let config = Config::default();
    let keys = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "MISTRAL_API_KEY", "BEDROCK_API_KEY"].map(|name| (name, "k"));
    let providers = providers("", &[keys.as_slice(), &[("BEDROCK_REGION", "eu-west-1")]].concat());
    let catalog = Catalog::new(&config, &providers);
    let quirks = |id: &str| {
        let id = crate::config::ModelId::parse(id).unwrap();
        providers.get(id.provider.as_str()).unwrap().quirks_for(&catalog.model(&id))
    };
    let current = quirks("anthropic:claude-opus-4-8");
    assert_eq!((current.thinking, current.sampling), (ThinkingSupport::Adaptive, SamplingSupport::None));
    assert!(current.system_in_conversation && current.cache_control);
    let older = quirks("anthropic:claude-haiku-4-5-20251001");
    assert_eq!((older.thinking, older.sampling), (ThinkingSupport::Budget, SamplingSupport::OneOf));
    let unknown = quirks("anthropic:claude-unheard-of");
    assert_eq!((unknown.thinking, unknown.sampling), (ThinkingSupport::Adaptive, SamplingSupport::All));
    assert!(quirks("openai:gpt-5.4").reasoning_effort && !quirks("openai:gpt-4o").reasoning_effort);
    let strict = quirks("mistral:mistral-small-latest");
    assert!(!strict.stream_usage && !strict.developer_role && !strict.user && !strict.account_members);
    let on_bedrock = quirks("bedrock:eu.anthropic.claude-haiku-4-5-20251001-v1:0");
    assert_eq!((on_bedrock.thinking, on_bedrock.sampling), (ThinkingSupport::Budget, SamplingSupport::OneOf));
}

#[test]
fn bedrock_is_where_its_region_says_and_takes_any_model_name_as_one_segment() {
    let providers = providers("", &[("BEDROCK_API_KEY", "k"), ("BEDROCK_REGION", "eu-central-1")]);
    let bedrock = providers.get("bedrock").unwrap();
    assert_eq!(credential(bedrock), Some(("authorization", "Bearer k")));
    assert_eq!(
        bedrock.chat_url("us.anthropic.claude-sonnet-4-5-20250929-v1:0", false),
        "https://bedrock-runtime.eu-central-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    );
    assert!(
        bedrock.chat_url("arn:aws:bedrock:a/b", true).ends_with("/model/arn%3Aaws%3Abedrock%3Aa%2Fb/converse-stream")
    );
}

#[test]
fn aws_credentials_enable_bedrock_where_its_region_is_bound() {
    let region = ("BEDROCK_REGION", "us-east-1");
    let own = [("BEDROCK_ACCESS_KEY_ID", "own-id"), ("BEDROCK_SECRET_ACCESS_KEY", "hunter2")];
    let functions =
        [("AWS_ACCESS_KEY_ID", "env-id"), ("AWS_SECRET_ACCESS_KEY", "hunter2"), ("AWS_SESSION_TOKEN", "hunter2")];
    // What every Lambda function has is not meant until the region says so.
    assert!(ids(&providers("", &functions)).is_empty() && providers("", &functions).problems().is_empty());
    let id_of = |bound: &[(&str, &str)]| {
        let providers = providers("", bound);
        let Auth::Aws(signer) = &providers.get("bedrock").unwrap().auth else { panic!("not signed") };
        assert!(!format!("{providers:?}").contains("hunter2"));
        (signer.access_key_id.expose().to_owned(), signer.session_token.is_some(), signer.region.clone())
    };
    let with = |bound: &[(&'static str, &'static str)]| [bound, &[region]].concat();
    assert_eq!(id_of(&with(&own)), ("own-id".to_owned(), false, "us-east-1".to_owned()));
    assert_eq!(id_of(&with(&functions)), ("env-id".to_owned(), true, "us-east-1".to_owned()));
    assert_eq!(id_of(&with(&[own.as_slice(), &functions].concat())).0, "own-id");
    // A key is the simpler of the two.
    let key = providers("", &with(&[own.as_slice(), &[("BEDROCK_API_KEY", "k")]].concat()));
    assert_eq!(credential(key.get("bedrock").unwrap()), Some(("authorization", "Bearer k")));
}

#[test]
fn half_of_a_providers_bindings_is_a_problem_with_a_name() {
    for (bound, path) in [
        (vec![("BEDROCK_API_KEY", "k")], "BEDROCK_REGION"),
        (vec![("BEDROCK_ACCESS_KEY_ID", "i"), ("BEDROCK_SECRET_ACCESS_KEY", "s")], "BEDROCK_REGION"),
        (vec![("BEDROCK_ACCESS_KEY_ID", "i"), ("BEDROCK_REGION", "r")], "BEDROCK_SECRET_ACCESS_KEY"),
        (vec![("BEDROCK_API_KEY", "k"), ("BEDROCK_REGION", "evil.example/x#")], "BEDROCK_REGION"),
    ] {
        let providers = providers("", &bound);
        assert!(providers.is_empty(), "{bound:?}");
        assert_eq!(providers.problems()[0].path, path, "{bound:?}");
    }
}

#[test]
fn workers_ai_is_where_its_account_says_and_takes_either_name_of_its_key() {
    for key in ["CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN"] {
        let providers = providers("", &[(key, "k"), ("CLOUDFLARE_ACCOUNT_ID", "0123abcd")]);
        let cloudflare = providers.get("cloudflare").unwrap();
        assert_eq!(credential(cloudflare), Some(("authorization", "Bearer k")));
        assert_eq!(
            cloudflare.chat_url("@cf/meta/llama", false),
            "https://api.cloudflare.com/client/v4/accounts/0123abcd/ai/v1/chat/completions"
        );
    }
    let document =
        "[providers.own]\ndialect = \"workers_ai\"\nbase_url = \"https://api.cloudflare.com/client/v4/accounts/a/ai\"";
    let providers = providers(document, &[]);
    let own = providers.get("own").unwrap();
    assert!(own.chat_url("@cf/meta/ll?ama", true).ends_with("/ai/run/%40cf/meta/ll%3Fama"));
}

#[test]
fn workers_ai_needs_no_key_where_the_platform_has_its_binding() {
    let bound = ("AI.run", "run");
    let url = |document: &str, bindings: &[(&str, &str)]| {
        let cloudflare = providers(document, bindings).get("cloudflare").cloned();
        cloudflare.map(|provider| (provider.chat_url("@cf/a/b", true), credential(&provider).is_some()))
    };
    let by_binding = || Some(("https://binding.invalid/AI/run/%40cf/a/b".to_owned(), false));
    assert_eq!(url("", &[bound]), by_binding());
    assert_eq!(url("[providers.cloudflare]\ndialect = \"workers_ai\"", &[bound]), by_binding());
    // A text of that name is no binding, an endpoint or a dialect that is written down is what was meant.
    assert_eq!(url("", &[("AI", "https://evil.example")]), None);
    assert_eq!(url("", &[bound, ("CLOUDFLARE_BASE_URL", "https://host.example/v1")]), None);
    assert_eq!(url("[providers.cloudflare]\ndialect = \"openai_chat\"", &[bound]), None);
    let rest = "https://api.cloudflare.com/client/v4/accounts/a/ai/v1/chat/completions".to_owned();
    let key = [bound, ("CLOUDFLARE_API_KEY", "k"), ("CLOUDFLARE_ACCOUNT_ID", "a")];
    assert_eq!(url("", &key), Some((rest, true)));
}

#[test]
fn a_url_that_names_the_model_takes_any_name_as_one_segment() {
    let providers = providers("", &[("GEMINI_API_KEY", "k"), ("GEMINI_BASE_URL", "https://proxy.example/v1beta")]);
    let gemini = providers.get("gemini").unwrap();
    let url = |model| gemini.chat_url(model, true);
    assert_eq!(
        url("gemini-2.5-pro"),
        "https://proxy.example/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
    );
    assert_eq!(
        url("../a?b#c:d é{model}"),
        "https://proxy.example/v1beta/models/..%2Fa%3Fb%23c%3Ad%20%C3%A9%7Bmodel%7D:streamGenerateContent?alt=sse"
    );
    assert!(url("..").contains("/models/%2E%2E:stream"));
    for (api, path) in [
        (embeddings::Api::Gemini, "/models/..%2Fa%3Fb:batchEmbedContents"),
        (embeddings::Api::WorkersAi, "/run/%2E%2E/a%3Fb"),
    ] {
        let url = gemini.model_url(api.path().unwrap(), "../a?b");
        assert!(url.ends_with(path), "{url}");
    }
}

#[test]
fn vertex_is_where_its_project_and_location_say() {
    let key = ("VERTEX_ACCESS_TOKEN", "t");
    let url = |bound: &[(&str, &str)]| {
        let providers = providers("", bound);
        let vertex = providers.get("vertex").unwrap();
        assert_eq!(credential(vertex), Some(("authorization", "Bearer t")));
        assert!(!vertex.quirks.call_ids);
        vertex.chat_url("gemini-2.5-pro", false)
    };
    assert_eq!(
        url(&[key, ("VERTEX_PROJECT", "p-1"), ("VERTEX_LOCATION", "europe-west4")]),
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west4/publishers/google/models/gemini-2.5-pro:generateContent"
    );
    assert_eq!(
        url(&[key, ("VERTEX_PROJECT", "p")]),
        "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro:generateContent"
    );
    assert_eq!(
        url(&[key, ("VERTEX_PROJECT", "p"), ("VERTEX_BASE_URL", "http://localhost:1")]),
        "http://localhost:1/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro:generateContent"
    );
    for (bound, path) in [
        (vec![key], "VERTEX_PROJECT"),
        (vec![key, ("VERTEX_PROJECT", "a/b")], "VERTEX_PROJECT"),
        (vec![key, ("VERTEX_PROJECT", "p"), ("VERTEX_LOCATION", "evil.example/")], "VERTEX_LOCATION"),
    ] {
        let providers = providers("", &bound);
        assert!(providers.is_empty(), "{bound:?}");
        assert_eq!(providers.problems()[0].path, path);
    }
}
