//! A request as the simulator reads it: which API is called, and which script is wanted.

use serde_json::Value;

/// A request to the simulated provider, wherever it came from.
#[derive(Clone, Debug)]
pub struct Ask {
    /// HTTP method, upper case.
    pub method: String,
    /// Path with query, as asked.
    pub path: String,
    /// Headers in order, names lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Now, in Unix seconds: what `created` says.
    pub unix_seconds: u64,
}

/// The API whose shapes an answer must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI: chat completions, responses, models, and everything unknown.
    OpenAi,
    /// Anthropic: messages and its models list.
    Anthropic,
    /// Gemini: generateContent.
    Gemini,
}

/// The endpoints that have a friendly answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    ChatCompletions,
    Responses,
    Messages,
    CountTokens,
    Models,
    GenerateContent,
}

/// A request with its body read.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    pub(crate) dialect: Dialect,
    pub(crate) endpoint: Option<Endpoint>,
    /// The wanted script's name, from path or model.
    pub(crate) name: Option<String>,
    /// The body; null where it is no JSON.
    pub(crate) body: Value,
    pub(crate) model: String,
    pub(crate) stream: bool,
    pub(crate) unix_seconds: u64,
}

impl Ask {
    pub(crate) fn parse(&self) -> Parsed {
        let path = self.path.split('?').next().unwrap_or_default();
        let (named, path) = match path.strip_prefix("/__use/").and_then(|rest| rest.split_once('/')) {
            Some((name, rest)) => (Some(name.to_owned()), rest),
            None => (None, path),
        };
        // Gemini's model and method stand in the path.
        let google = path.rsplit_once("/models/").and_then(|(_, rest)| rest.rsplit_once(':'));
        let google =
            google.filter(|(_, method)| matches!(*method, "generateContent" | "streamGenerateContent" | "countTokens"));
        let endpoint = if let Some((_, method)) = google {
            Some(if method == "countTokens" { Endpoint::CountTokens } else { Endpoint::GenerateContent })
        } else if path.ends_with("/chat/completions") {
            Some(Endpoint::ChatCompletions)
        } else if path.ends_with("/responses") {
            Some(Endpoint::Responses)
        } else if path.ends_with("/messages") {
            Some(Endpoint::Messages)
        } else if path.ends_with("/messages/count_tokens") {
            Some(Endpoint::CountTokens)
        } else if path.ends_with("/models") {
            Some(Endpoint::Models)
        } else {
            None
        };
        let speaks_anthropic = self.headers.iter().any(|(name, _)| name == "anthropic-version" || name == "x-api-key");
        let dialect = match endpoint {
            Some(Endpoint::CountTokens) if google.is_some() => Dialect::Gemini,
            Some(Endpoint::Messages | Endpoint::CountTokens) => Dialect::Anthropic,
            Some(Endpoint::ChatCompletions | Endpoint::Responses) => Dialect::OpenAi,
            Some(Endpoint::GenerateContent) => Dialect::Gemini,
            Some(Endpoint::Models) | None if speaks_anthropic => Dialect::Anthropic,
            Some(Endpoint::Models) | None => Dialect::OpenAi,
        };
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        // Google, Bedrock and Workers AI have the model in the path.
        let named_in_body = || body.get("model").and_then(Value::as_str).unwrap_or(path);
        let model = google.map_or_else(named_in_body, |(model, _)| model).to_owned();
        let streams = || body.get("stream").and_then(Value::as_bool).unwrap_or(false);
        Parsed {
            dialect,
            endpoint,
            name: named.or_else(|| name_in_model(&model)),
            stream: google.map_or_else(streams, |(_, method)| method == "streamGenerateContent"),
            model,
            body,
            unix_seconds: self.unix_seconds,
        }
    }
}

/// `gpt-4o-mini~fails-once` wants `fails-once`: from the last `~` while the characters are those of a name.
fn name_in_model(model: &str) -> Option<String> {
    let (_, tail) = model.rsplit_once('~')?;
    let name: String = tail.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    (!name.is_empty()).then_some(name)
}
