//! Other names of models that the table lists under one.

use crate::config::providers::builtin;
use crate::dialect::ProviderDialect;

/// What a model has to do with the one whose facts it shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinship {
    /// It is the same at the same provider: its price is the same too.
    Same,
    /// It is sold on by someone who passes the maker's price on: that price, as an estimate.
    Resold,
    /// It is run by someone else, at a price nobody told us.
    Hosted,
}

/// Lines of the table (`provider:model`) that may hold a model's facts, the nearest first.
///
/// A dated snapshot (`-2026-03-05`, `-20260305`) and `-latest` share the facts of the plain name, a
/// fine-tune (`ft:base:org:name:id`) those of its base, and what another calls `maker/model` those of
/// the maker's model.
pub(super) fn aliases(provider: &str, model: &str) -> Vec<(String, Kinship)> {
    let own_name = model.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
    let plain = [without_date(model), model.strip_suffix("-latest"), own_name];
    let plain = plain.into_iter().flatten().map(|plain| (format!("{provider}:{plain}"), Kinship::Same));
    let tuned = fine_tune_base(model).map(|base| (format!("{provider}:ft:{base}"), Kinship::Same));
    plain.chain(tuned).chain(of_maker(provider, model)).chain(on_bedrock(provider, model)).collect()
}

/// Bedrock's `us.anthropic.claude-…-v1:0`, alone or at the end of an ARN, is Anthropic's `claude-…`.
pub(super) fn on_bedrock(provider: &str, model: &str) -> Vec<(String, Kinship)> {
    let id = model.rsplit('/').next().unwrap_or(model);
    let is_bedrock = builtin(provider).is_some_and(|known| known.api.dialect == ProviderDialect::Bedrock);
    let Some((_, name)) = id.split_once("anthropic.").filter(|(place, _)| is_bedrock && !place.contains(':')) else {
        return Vec::new();
    };
    let is_version = |tail: &str| tail.starts_with(|c: char| c.is_ascii_digit());
    let name = name.rsplit_once("-v").filter(|(_, tail)| is_version(tail)).map_or(name, |(base, _)| base);
    let names = [Some(name), without_date(name)].into_iter().flatten();
    names.map(|name| (format!("anthropic:{name}"), Kinship::Resold)).collect()
}

fn of_maker(provider: &str, model: &str) -> Vec<(String, Kinship)> {
    let Some((maker, name)) = model.split_once('/') else { return Vec::new() };
    let resells = builtin(provider).is_some_and(|known| known.resells);
    let kinship = if resells { Kinship::Resold } else { Kinship::Hosted };
    let maker = match maker {
        "x-ai" => "xai",
        "mistralai" => "mistral",
        maker => maker,
    };
    // Resellers write claude-opus-4.8 where the maker writes claude-opus-4-8.
    [format!("{maker}:{name}"), format!("{maker}:{}", name.replace('.', "-"))].map(|id| (id, kinship)).into()
}

/// The name without a date at its end, if it has one.
pub(super) fn without_date(model: &str) -> Option<&str> {
    const SHAPES: [&[u8]; 2] = [b"-dddd-dd-dd", b"-dddddddd"];
    SHAPES.iter().find_map(|shape| {
        let (base, tail) = model.split_at_checked(model.len().checked_sub(shape.len())?)?;
        let fits = |(byte, want): (u8, &u8)| if *want == b'd' { byte.is_ascii_digit() } else { byte == *want };
        (!base.is_empty() && tail.bytes().zip(shape.iter()).all(fits)).then_some(base)
    })
}

fn fine_tune_base(model: &str) -> Option<&str> {
    model.strip_prefix("ft:")?.split_once(':').map(|(base, _)| base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_at_the_end_is_taken_off_and_nothing_else_is() {
        for (model, want) in [
            ("gpt-5.4-2026-03-05", Some("gpt-5.4")),
            ("claude-opus-4-5-20251101", Some("claude-opus-4-5")),
            ("gpt-5.4", None),
            ("20251101", None),
            ("-20251101", None),
            ("gpt-2026-03-0x", None),
            ("mistral-large-2512", None),
        ] {
            assert_eq!(without_date(model), want, "{model}");
        }
    }

    #[test]
    fn a_fine_tune_has_its_base_and_a_resold_model_its_maker() {
        let first = |provider, model| aliases(provider, model).into_iter().next();
        assert_eq!(
            first("openai", "ft:gpt-4o-2024-08-06:acme::x"),
            Some(("openai:ft:gpt-4o-2024-08-06".to_owned(), Kinship::Same))
        );
        assert_eq!(first("openai", "openai/gpt-5.4"), Some(("openai:gpt-5.4".to_owned(), Kinship::Same)));
        assert_eq!(first("openrouter", "x-ai/grok-4.7"), Some(("xai:grok-4.7".to_owned(), Kinship::Resold)));
        assert_eq!(first("acme", "openai/gpt-5.4"), Some(("openai:gpt-5.4".to_owned(), Kinship::Hosted)));
        assert_eq!(first("openai", "gpt-5.4"), None);
        for model in [
            "anthropic.claude-opus-4-8-v1",
            "eu.anthropic.claude-opus-4-8-v1:0",
            "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-opus-4-8-v1:0",
            "global.anthropic.claude-opus-4-8",
        ] {
            let found = aliases("bedrock", model);
            assert!(found.contains(&("anthropic:claude-opus-4-8".to_owned(), Kinship::Resold)), "{model}: {found:?}");
        }
        assert_eq!(first("bedrock", "amazon.nova-lite-v1:0"), None);
        assert_eq!(first("acme", "anthropic.claude-opus-4-8-v1"), None);
    }
}
