//! The catalog against the built-in table.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use super::*;
use crate::error::{ApiError, Code};
use crate::units::NanoUsd;
use crate::usage::{Tier, Usage};
use std::collections::BTreeMap;

const TABLE: &str = include_str!("models.tsv");

fn catalog(document: &str, bound: &[&str]) -> Catalog {
    let config = Config::parse(document).unwrap();
    let value = |name: &str| if name.ends_with("_URL") { "http://127.0.0.1:1" } else { "not-a-key" }.to_owned();
    let bindings: BTreeMap<String, String> = bound.iter().map(|name| ((*name).to_owned(), value(name))).collect();
    Catalog::new(&config, &Providers::from(&config, &bindings))
}

fn id(text: &str) -> ModelId {
    ModelId::parse(text).unwrap()
}

fn resolve(catalog: &Catalog, name: &str) -> Result<Asked, ApiError> {
    catalog.resolve(Some(&ModelRef::parse(name)?))
}

fn models(ids: &[&str]) -> Asked {
    Asked::Models(ids.iter().map(|text| id(text)).collect())
}

fn lines() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| !line.starts_with('#'))
}

#[test]
fn the_table_is_sorted_without_doubles_and_every_line_is_found_where_it_lies() {
    let ids: Vec<&str> = TABLE.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert!(ids.is_sorted());
    let ids: Vec<&str> = lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert!(ids.len() > 500);
    for (before, after) in ids.iter().zip(ids.iter().skip(1)) {
        assert!(before < after, "{before} {after}");
    }
    for id in ids {
        assert_eq!(table::find(id).unwrap().id, id);
    }
    for absent in ["", "a", "openai:", "openai:gpt-5.", "zzz:zzz", "#", "xai:zzz"] {
        assert_eq!(table::find(absent).map(|row| row.id).filter(|id| *id != "#"), None, "{absent}");
    }
}

#[test]
fn every_line_of_the_table_is_a_good_model_with_good_cells() {
    for line in lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        assert!((5..=13).contains(&cells.len()), "{line}");
        let dearest = cells[0] == "*" || cells[0].ends_with(":*");
        assert!(dearest || ModelId::parse(cells[0]).is_some(), "{line}");
        for count in &cells[1..3] {
            assert!(count.is_empty() || count.parse::<u64>().is_ok_and(|count| count > 0), "{line}");
        }
        for price in cells.iter().take(9).skip(3) {
            assert!(price.is_empty() || Rate::from_decimal(price).is_some(), "{line}");
        }
        assert!(!cells[3].is_empty() && !cells[4].is_empty(), "{line}");
        let letters = cells.get(9).copied().unwrap_or_default();
        assert!(
            letters.chars().all(|letter| Capabilities::LETTERS.iter().any(|(known, _)| *known == letter)),
            "{line}"
        );
        let provider = cells[0].split(':').next().unwrap();
        assert!(provider == "*" || builtin(provider).is_some(), "{line}");
        let special = table::find(cells[0]).unwrap().price;
        let others = [special.input_audio, special.output_audio, special.input_image].iter().flatten().count();
        let items = cells.get(12).map_or(0, |cell| cell.split(' ').count());
        let searched = usize::from(special.search > Rate(0));
        assert_eq!(special.special.len() + others + searched, items, "every item is read: {line}");
    }
}

#[test]
fn the_dearest_price_of_a_provider_is_above_each_of_its_models() {
    for provider in ["openai", "anthropic", "mistral", "groq", "deepseek", "xai", "together", "fireworks", "azure"] {
        let dearest = table::dearest(provider);
        for row in table::of_provider(provider) {
            for tier in [Tier::Standard, Tier::Flex, Tier::Batch, Tier::Priority, Tier::Fast] {
                for input in [1_000, 1_000_000] {
                    let size = Size { input, output: 1_000, searches: 10, audio: true, images: true, tier };
                    assert!(row.price.most(&size) <= dearest.most(&size), "{} {tier:?}", row.id);
                    assert!(dearest.most(&size) <= table::dearest("somebody-else").most(&size), "{provider}");
                }
            }
        }
    }
}

#[test]
fn a_listed_model_has_its_facts() {
    let catalog = catalog("", &["ANTHROPIC_API_KEY"]);
    let model = catalog.model(&id("anthropic:claude-opus-4-8"));
    assert_eq!((model.context_tokens, model.max_output_tokens), (Some(1_000_000), Some(128_000)));
    let usd = |text| Rate::from_decimal(text).unwrap();
    let rates = Rates {
        input: usd("5"),
        output: usd("25"),
        cache_read: usd("0.5"),
        cache_write_5m: usd("6.25"),
        cache_write_1h: usd("10"),
        reasoning: usd("25"),
    };
    assert_eq!(model.price.rates, rates);
    assert!(model.capabilities.has(Capabilities::TOOLS.with(Capabilities::VISION).with(Capabilities::REASONING)));
    assert!(!model.capabilities.has(Capabilities::AUDIO));
    assert!(model.known && !model.estimated_price && model.traits.fixed_sampling && !model.traits.budget_thinking);
    assert!(catalog.model(&id("anthropic:claude-haiku-4-5")).traits.budget_thinking);
}

#[test]
fn a_snapshot_or_alias_that_is_not_listed_has_the_facts_of_the_plain_name() {
    let catalog = catalog("", &[]);
    for (asked, like) in [
        ("anthropic:claude-opus-4-8-20991231", "anthropic:claude-opus-4-8"),
        ("openai:gpt-5.4-2099-12-31", "openai:gpt-5.4"),
        ("openai:ft:gpt-4o-2024-08-06:acme::x", "openai:ft:gpt-4o-2024-08-06"),
        ("openai:openai/gpt-5.4", "openai:gpt-5.4"),
    ] {
        let (asked, like) = (catalog.model(&id(asked)), catalog.model(&id(like)));
        assert_eq!(asked.price, like.price);
        assert_eq!(asked.context_tokens, like.context_tokens);
        assert!(asked.known && !asked.estimated_price);
    }
}

#[test]
fn a_model_nobody_knows_is_dear_and_capable() {
    let catalog = catalog("", &[]);
    let model = catalog.model(&id("openai:gpt-99"));
    assert!(model.estimated_price && !model.known);
    assert_eq!(model.price, table::dearest("openai"));
    assert!(model.price.rates.input > Rate(0) && model.price.rates.output > Rate(0));
    assert_eq!(model.capabilities, Capabilities::ALL);
    assert_eq!(catalog.model(&id("acme:anything")).price, table::dearest("*"));
    // A reseller passes prices on, so an estimate need not be the worst.
    let resold = catalog.model(&id("openrouter:anthropic/claude-opus-4.8"));
    assert_eq!(resold.price, catalog.model(&id("anthropic:claude-opus-4-8")).price);
    assert!(resold.estimated_price);
}

#[test]
fn the_configuration_has_the_last_word_on_a_model() {
    let document = r#"
        [providers.acme]
        dialect = "openai_chat"
        base_url = "https://llm.acme.example/v1"
        [models."acme:large"]
        context_tokens = 131072
        usd_per_million = { input = 0.5, output = 1.5 }
        capabilities = ["tools", "vision"]
        quality = 0.82
        [models."openai:gpt-5.4"]
        max_output_tokens = 1000
    "#;
    let catalog = catalog(document, &["OPENAI_API_KEY"]);
    let large = catalog.model(&id("acme:large"));
    assert_eq!((large.context_tokens, large.max_output_tokens, large.quality), (Some(131_072), None, Some(0.82)));
    assert_eq!(
        (large.price.rates.input, large.price.rates.cache_write_1h, large.price.rates.reasoning),
        (Rate(500_000_000), Rate(500_000_000), Rate(1_500_000_000))
    );
    assert_eq!(large.capabilities, Capabilities::TOOLS.with(Capabilities::VISION));
    assert!(large.known && !large.estimated_price);
    let gpt = catalog.model(&id("openai:gpt-5.4"));
    assert_eq!((gpt.context_tokens, gpt.max_output_tokens), (Some(1_050_000), Some(1000)));
    assert!(!gpt.estimated_price);
    assert!(catalog.models().any(|model| model.id == id("acme:large")));
}

#[test]
fn a_callers_model_means_what_the_documented_order_says() {
    let document = r#"
        default_route = "openai:gpt-5.4"
        [providers.acme]
        dialect = "openai_chat"
        base_url = "https://llm.acme.example/v1"
        [models."acme:gpt-5.4"]
        quality = 0.5
        [routes.fast]
        candidates = ["openai:gpt-5.4-mini"]
    "#;
    let catalog = catalog(
        document,
        &[
            "OPENAI_API_KEY",
            "ANTHROPIC_API_KEY",
            "GROQ_API_KEY",
            "AZURE_OPENAI_API_KEY",
            "AZURE_OPENAI_BASE_URL",
            "OLLAMA_BASE_URL",
        ],
    );
    assert_eq!(catalog.resolve(None).unwrap(), models(&["openai:gpt-5.4"]));
    for (name, want) in [
        ("auto", models(&["openai:gpt-5.4"])),
        ("fast", Asked::Route(RouteName::parse("fast").unwrap())),
        ("smart", Asked::Class(Class::Smart)),
        ("openai:gpt-5.4", models(&["openai:gpt-5.4"])),
        ("openai:never-heard-of", models(&["openai:never-heard-of"])),
        ("openai/gpt-5.4", models(&["openai:gpt-5.4"])),
        ("gpt-5.4", models(&["openai:gpt-5.4", "acme:gpt-5.4"])),
        ("gpt-5.4-2099-01-01", models(&["openai:gpt-5.4-2099-01-01"])),
        ("claude-opus-4-8", models(&["anthropic:claude-opus-4-8"])),
        ("gpt-77-turbo", models(&["openai:gpt-77-turbo"])),
        ("claude-next", models(&["anthropic:claude-next"])),
        ("openai/gpt-oss-120b", models(&["groq:openai/gpt-oss-120b"])),
        ("anthropic/claude-next", models(&["anthropic:claude-next"])),
        ("llama3:8b", models(&["azure:llama3:8b"])),
    ] {
        assert_eq!(resolve(&catalog, name).unwrap(), want, "{name}");
    }
}

#[test]
fn an_ollama_server_is_asked_for_whatever_nobody_else_has() {
    let catalog = catalog("", &["OPENAI_API_KEY", "OLLAMA_BASE_URL"]);
    assert_eq!(resolve(&catalog, "llama3:8b").unwrap(), models(&["ollama:llama3:8b"]));
    assert_eq!(resolve(&catalog, "gpt-4o").unwrap(), models(&["openai:gpt-4o"]));
    assert!(catalog.models().all(|model| model.id.provider.as_str() == "openai"));
}

#[test]
fn an_unknown_model_is_404_with_a_way_out() {
    let catalog = catalog("", &["OPENAI_API_KEY"]);
    for (name, says) in [
        ("no-such-model", "GET /v1/models"),
        ("gtp-5.4", "`gpt-5.4`"),
        ("smrt", "`smart`"),
        ("anthropic:claude-opus-4-8", "ANTHROPIC_API_KEY"),
        ("anthropic/claude-opus-4-8", "ANTHROPIC_API_KEY"),
        ("claude-opus-4-8", "ANTHROPIC_API_KEY"),
        ("ollama:llama3", "OLLAMA_BASE_URL"),
        ("gemini:gemini-2.5-pro", "GEMINI_API_KEY"),
        ("bedrock:some-model", "BEDROCK_API_KEY"),
    ] {
        let error = resolve(&catalog, name).unwrap_err();
        assert_eq!((error.code, error.param.as_deref()), (Code::ModelNotFound, Some("model")), "{name}");
        assert!(error.message.contains(says), "{name}: {}", error.message);
    }
}

#[test]
fn without_any_provider_the_answer_says_what_to_bind() {
    let error = resolve(&catalog("", &[]), "gpt-5.4").unwrap_err();
    assert_eq!(error.code, Code::NotConfigured);
    assert!(error.message.contains("OPENAI_API_KEY"));
}

#[test]
fn each_class_keeps_its_rule_and_every_enabled_maker_has_a_say() {
    let catalog = catalog("", &["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY"]);
    for class in Class::ALL {
        let members = catalog.class(class);
        let nominated = |provider: &str| members.iter().filter(|id| id.provider.as_str() == provider).count();
        assert!(
            (1..=2).contains(&nominated("openai")) && (1..=2).contains(&nominated("anthropic")),
            "{class:?} {members:?}"
        );
        for id in members {
            let model = catalog.model(id);
            assert!(model.capabilities.has(Capabilities::TOOLS) && model.retires.is_none(), "{class:?} {id}");
            let usd = model.price.blended() as f64 / 1e9;
            let thinks = model.capabilities.has(Capabilities::REASONING);
            let keeps_the_rule = match class {
                Class::Fast => thinks && usd <= 2.0,
                Class::Cheap => model.context_tokens >= Some(32_000),
                Class::Smart => thinks && usd <= 8.0,
                Class::Reasoning | Class::Code => thinks && usd <= 4.0,
                Class::Long => model.context_tokens >= Some(500_000),
                Class::Vision => model.capabilities.has(Capabilities::VISION) && usd <= 4.0,
            };
            assert!(keeps_the_rule, "{class:?} {id}");
        }
    }
    let prices: Vec<u64> =
        catalog.class(Class::Cheap).iter().take(3).map(|id| catalog.model(id).price.blended()).collect();
    assert!(prices.is_sorted(), "{prices:?}");
    let first = |class| catalog.class(class)[0].provider.to_string();
    assert_eq!((first(Class::Fast), first(Class::Smart)), ("openai".to_owned(), "openai".to_owned()));
    assert!(catalog.class(Class::Smart).iter().all(|id| !id.model.as_str().contains("2026")));
}

#[test]
fn names_lists_routes_then_classes_that_have_models_then_models() {
    let catalog = catalog("[routes.fast]\ncandidates = [\"openai:gpt-5.4\"]", &["OPENAI_API_KEY"]);
    let names = catalog.names();
    assert_eq!(names[0], ("fast".to_owned(), "signalbox".to_owned()));
    assert_eq!(names.iter().filter(|(name, _)| name == "fast").count(), 1);
    assert!(names.contains(&("smart".to_owned(), "signalbox".to_owned())));
    assert!(names.contains(&("openai:gpt-5.4".to_owned(), "openai".to_owned())));
    assert!(names.iter().all(|(name, _)| ModelRef::parse(name).is_ok()));
    assert_eq!(catalog_without_providers().names(), []);
}

fn catalog_without_providers() -> Catalog {
    catalog("", &[])
}

#[test]
fn embedding_rerank_and_completion_models_are_listed_with_their_prices() {
    let catalog = catalog("", &["OPENAI_API_KEY"]);
    let small = catalog.model(&id("openai:text-embedding-3-small"));
    assert_eq!(
        (small.traits.kind, small.context_tokens, small.max_output_tokens),
        (Some(Kind::Embedding), Some(8_191), None)
    );
    assert_eq!(small.price.cost(&Usage { input: 1_000, ..Usage::default() }), NanoUsd(20_000));
    let rerank = catalog.model(&id("cohere:rerank-v3.5"));
    assert_eq!(rerank.traits.kind, Some(Kind::Rerank));
    assert_eq!(rerank.price.cost(&Usage { searches: 3, ..Usage::default() }), NanoUsd(6_000_000));
    let old = catalog.model(&id("openai:gpt-3.5-turbo-instruct"));
    assert_eq!((old.traits.kind, old.retires), (Some(Kind::Completion), Some("2026-09-28")));
    let responses = catalog.model(&id("openai:o3-pro"));
    assert!(responses.traits.only_responses && responses.traits.kind == Some(Kind::Chat));
    assert!(catalog.models().any(|model| model.id == id("openai:text-embedding-3-small")));
}

#[test]
fn bands_and_tiers_of_the_table_are_charged() {
    let catalog = catalog("", &[]);
    let cost = |model: &str, usage: Usage| catalog.model(&id(model)).price.cost(&usage);
    let usage = |tier, input, output| Usage { tier, input, output, ..Usage::default() };
    for (model, tier, input, output, nano) in [
        ("openai:gpt-5.4", Tier::Standard, 1_000, 1_000, 17_500_000),
        ("openai:gpt-5.4", Tier::Flex, 1_000, 1_000, 8_750_000),
        ("openai:gpt-5.4", Tier::Priority, 1_000, 1_000, 35_000_000),
        ("openai:gpt-5.4", Tier::Batch, 1_000, 1_000, 8_750_000),
        ("openai:gpt-5.4", Tier::Standard, 300_000, 1_000, 1_522_500_000),
        ("gemini:gemini-2.5-pro", Tier::Standard, 200_000, 1_000, 260_000_000),
        ("gemini:gemini-2.5-pro", Tier::Standard, 200_001, 1_000, 515_002_500),
        ("anthropic:claude-sonnet-4-5", Tier::Batch, 1_000, 1_000, 9_000_000),
    ] {
        assert_eq!(cost(model, usage(tier, input, output)), NanoUsd(nano), "{model} {tier:?} {input}");
    }
}

#[test]
fn an_unknown_price_is_never_nothing() {
    let catalog = catalog("", &[]);
    for unknown in ["openai:new", "cohere:new", "acme:new", "ollama:new", "openai:passthrough"] {
        let model = catalog.model(&id(unknown));
        let one = |usage: Usage| model.price.cost(&usage) > NanoUsd::ZERO;
        let free = unknown.starts_with("ollama");
        assert!(model.estimated_price, "{unknown}");
        assert!(one(Usage { input: 1, ..Usage::default() }) != free, "{unknown}");
        assert!(one(Usage { output: 1, ..Usage::default() }) != free, "{unknown}");
    }
    assert!(catalog.model(&id("acme:new")).price.search > Rate(0));
}
