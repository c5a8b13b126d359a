//! Which providers a developer's run has, and the model its first call asks for.

/// The providers of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Providers {
    /// The model of the first call.
    pub model: String,
    /// No provider is configured: the simulator is wanted.
    pub simulated: bool,
}

/// What enables a provider beside keys and base URLs.
const CREDENTIALS: [&str; 5] = [
    "BEDROCK_ACCESS_KEY_ID",
    "CLOUDFLARE_API_TOKEN",
    "VERTEX_ACCESS_TOKEN",
    "VERTEX_SERVICE_ACCOUNT",
    "VERTEX_WORKLOAD_IDENTITY",
];

/// The provider bindings of an environment decide; an empty value counts as none.
pub fn providers(environment: impl Iterator<Item = (String, String)>) -> Providers {
    let set = environment.filter(|(name, value)| {
        let usual = ["_API_KEY", "_BASE_URL"].iter().any(|end| name.ends_with(end));
        let binds = usual || CREDENTIALS.contains(&name.as_str());
        binds && !value.is_empty() && !name.starts_with("SIGNALBOX_")
    });
    let mut names: Vec<String> = set.map(|(name, _)| name).collect();
    names.sort();
    let has = |provider: &str| names.iter().any(|name| name.split('_').next() == Some(provider));
    let model = match (names.is_empty(), has("OPENAI"), has("ANTHROPIC")) {
        (true, _, _) | (_, true, _) => "openai:gpt-5.4-mini",
        (_, _, true) => "anthropic:claude-haiku-4-5",
        (false, false, false) => "fast",
    };
    Providers { model: model.to_owned(), simulated: names.is_empty() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[(&str, &str)]) -> Providers {
        providers(names.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn without_a_provider_binding_the_simulator_is_wanted() {
        for none in [&[][..], &[("OPENAI_API_KEY", "")], &[("SIGNALBOX_ADMIN_KEY", "x"), ("PATH", "/bin")]] {
            assert!(of(none).simulated, "{none:?}");
        }
        for some in [("GROQ_API_KEY", "k"), ("OLLAMA_BASE_URL", "http://127.0.0.1:1"), ("VERTEX_ACCESS_TOKEN", "t")] {
            assert!(!of(&[some]).simulated, "{some:?}");
        }
    }

    #[test]
    fn the_first_call_asks_for_a_model_of_a_provider_that_is_there() {
        assert_eq!(of(&[]).model, "openai:gpt-5.4-mini");
        assert_eq!(of(&[("ANTHROPIC_API_KEY", "k")]).model, "anthropic:claude-haiku-4-5");
        assert_eq!(of(&[("ANTHROPIC_API_KEY", "k"), ("OPENAI_API_KEY", "k")]).model, "openai:gpt-5.4-mini");
        assert_eq!(of(&[("GROQ_API_KEY", "k")]).model, "fast");
    }
}
