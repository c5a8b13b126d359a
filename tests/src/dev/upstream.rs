//! Which providers a developer's run has, and the model its first call asks for: the gateway's own rules say so.

use std::collections::BTreeMap;

use signalbox::config::{self, Config};

/// The providers of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Providers {
    /// The model of the first call.
    pub model: String,
    /// No provider is configured: the simulator is wanted.
    pub simulated: bool,
}

/// The variables of this process that are text.
pub fn environment() -> BTreeMap<String, String> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// The providers that a gateway with this environment enables decide. One whose bindings are there and wrong is meant, too: what is
/// wrong with them shows in the first call, not in an answer of the simulator's. A key of anything else is none of ours.
pub fn providers(environment: &BTreeMap<String, String>) -> Providers {
    // A document that is none is the gateway's to complain about.
    let config = environment.get("SIGNALBOX_CONFIG").and_then(|text| Config::parse(text).ok()).unwrap_or_default();
    let enabled = config::Providers::from(&config, environment);
    let simulated = enabled.is_empty() && enabled.problems().is_empty();
    let model = match (enabled.get("openai"), enabled.get("anthropic")) {
        (Some(_), _) => "openai:gpt-5.4-mini",
        (None, _) if simulated => "openai:gpt-5.4-mini",
        (None, Some(_)) => "anthropic:claude-haiku-4-5",
        (None, None) => "fast",
    };
    Providers { model: model.to_owned(), simulated }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[(&str, &str)]) -> Providers {
        providers(&names.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn without_a_provider_binding_the_simulator_is_wanted() {
        for none in [
            &[][..],
            &[("OPENAI_API_KEY", "")],
            &[("SIGNALBOX_ADMIN_KEY", "x"), ("PATH", "/bin")],
            // Keys and places of what is no provider.
            &[("SENDGRID_API_KEY", "k"), ("APP_BASE_URL", "http://127.0.0.1:1"), ("CI_ACCESS_TOKEN", "t")],
            &[("SIGNALBOX_CONFIG", "no document"), ("ACME_API_KEY", "k")],
        ] {
            assert!(of(none).simulated, "{none:?}");
        }
        for some in [("GROQ_API_KEY", "k"), ("OLLAMA_BASE_URL", "http://127.0.0.1:1"), ("VERTEX_ACCESS_TOKEN", "t")] {
            assert!(!of(&[some, ("SENDGRID_API_KEY", "k")]).simulated, "{some:?}");
        }
    }

    #[test]
    fn a_provider_of_the_document_is_one_once_its_key_is_there() {
        let document = r#"
            [providers.acme]
            dialect = "openai_chat"
            base_url = "https://llm.acme.example/v1"
            api_key = { binding = "ACME_TOKEN" }
        "#;
        assert!(of(&[("SIGNALBOX_CONFIG", document)]).simulated);
        assert!(!of(&[("SIGNALBOX_CONFIG", document), ("ACME_TOKEN", "k")]).simulated);
    }

    #[test]
    fn the_first_call_asks_for_a_model_of_a_provider_that_is_there() {
        assert_eq!(of(&[]).model, "openai:gpt-5.4-mini");
        assert_eq!(of(&[("ANTHROPIC_API_KEY", "k")]).model, "anthropic:claude-haiku-4-5");
        assert_eq!(of(&[("ANTHROPIC_API_KEY", "k"), ("OPENAI_API_KEY", "k")]).model, "openai:gpt-5.4-mini");
        assert_eq!(of(&[("GROQ_API_KEY", "k")]).model, "fast");
    }
}
