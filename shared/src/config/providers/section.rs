//! The section `providers`: endpoints of the operator's own, and changes to the built-in ones.

use super::builtin::builtin;
use crate::config::names::{BINDING_PATTERN, BindingName, NAME_PATTERN, NAME_RULE, ProviderId};
use crate::config::problem::At;
use crate::config::shape::{Dict, Fields, Flag, Kind, List, OneOf, Parsed, Record, wrong_type};
use crate::config::timing::{self, TimeoutsOverride};
use crate::config::url::{self, BaseUrl};
use crate::dialect::{Dialect, ProviderDialect};
#[cfg(test)]
use crate::json::json;
use crate::operation::{embeddings, rerank};
use crate::sorted::{SortedMap, SortedSet};
use serde_json::Value;

/// What one table adds to the built-in providers or says instead of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderOverride {
    /// Which dialect it speaks.
    pub dialect: Option<ProviderDialect>,
    /// Where it is.
    pub base_url: Option<BaseUrl>,
    /// The binding that holds its key.
    pub api_key: Option<BindingName>,
    /// Where it keeps data, as the rules name it: `eu`.
    pub region: Option<String>,
    /// What it promises about data.
    pub data_policy: SortedSet<DataPolicy>,
    /// Headers sent with every call, names in lower case.
    pub headers: SortedMap<String, HeaderValue>,
    /// Its own timeouts, over the document's.
    pub timeouts: TimeoutsOverride,
    /// Whether it has OpenAI's legacy completions.
    pub completions: Option<bool>,
    /// How it spells embeddings; `Some(None)`: it has none.
    pub embeddings: Option<Option<embeddings::Api>>,
    /// How it spells rerank; `Some(None)`: it has none.
    pub rerank: Option<Option<rerank::Api>>,
    /// Plain `http` to another machine is wanted.
    pub allow_http: bool,
}

/// A provider's promise about the data it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataPolicy {
    /// Data trains no model.
    NoTraining,
    /// Data is not kept after the answer.
    ZeroRetention,
}

/// The value of a header: written down, or a secret by reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// As it stands in the document.
    Literal(String),
    /// The text of a binding.
    Binding(BindingName),
}

pub(in crate::config) fn section() -> Dict<ProviderId, Record<ProviderOverride>> {
    Dict { name: ProviderId::parse, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(provider) }
}

const DIALECT: OneOf<ProviderDialect> = OneOf {
    words: &[
        ("openai_chat", ProviderDialect::Both(Dialect::OpenAiChat)),
        ("anthropic", ProviderDialect::Both(Dialect::Anthropic)),
        ("openai_responses", ProviderDialect::Both(Dialect::OpenAiResponses)),
        ("gemini", ProviderDialect::Both(Dialect::Gemini)),
        ("bedrock", ProviderDialect::Bedrock),
        ("cohere", ProviderDialect::Cohere),
        ("ollama", ProviderDialect::Ollama),
        ("workers_ai", ProviderDialect::WorkersAi),
    ],
    later: &[],
};

const EMBEDDINGS: OneOf<Option<embeddings::Api>> = OneOf {
    words: &[
        ("openai", Some(embeddings::Api::OpenAi)),
        ("gemini", Some(embeddings::Api::Gemini)),
        ("cohere", Some(embeddings::Api::Cohere)),
        ("workers_ai", Some(embeddings::Api::WorkersAi)),
        ("none", None),
    ],
    later: &[],
};

const RERANK: OneOf<Option<rerank::Api>> = OneOf {
    words: &[
        ("common", Some(rerank::Api::Common)),
        ("voyage", Some(rerank::Api::Voyage)),
        ("cohere", Some(rerank::Api::Cohere)),
        ("none", None),
    ],
    later: &[],
};

const BASE_URL: Parsed<BaseUrl> = Parsed { parse: BaseUrl::parse, pattern: url::PATTERN, hint: url::RULE };

const REGION: Parsed<String> = Parsed {
    parse: |text| ProviderId::parse(text).map(|_| text.to_owned()).ok_or("is not a good name"),
    pattern: NAME_PATTERN,
    hint: NAME_RULE,
};

const DATA_POLICY: OneOf<DataPolicy> = OneOf {
    words: &[("no_training", DataPolicy::NoTraining), ("zero_retention", DataPolicy::ZeroRetention)],
    later: &[],
};

fn provider(fields: &mut Fields<'_, '_>) -> Option<ProviderOverride> {
    let dialect = fields.optional("dialect", "which dialect it speaks", DIALECT);
    let base_url = fields.optional("base_url", "where it is", BASE_URL);
    let api_key = fields.optional("api_key", "the binding that holds its key", Reference);
    let region = fields.optional("region", "where it keeps data", REGION);
    let data_policy = fields.optional("data_policy", "its promises about data", List { of: DATA_POLICY, min: 0 });
    let headers = sent_headers(fields);
    let timeouts = fields.optional("timeouts", "over the document's", Record(timing::timeouts));
    let completions = fields.optional("completions", "whether it has OpenAI's legacy completions", Flag);
    let embeddings = fields.optional("embeddings", "how it spells embeddings", EMBEDDINGS);
    let rerank = fields.optional("rerank", "how it spells rerank", RERANK);
    let allow_http = fields.defaulted("allow_http", "permit plain http to another machine", Flag, false);
    if base_url.as_ref().is_some_and(|url| !url.is_private()) && !allow_http {
        fields.problem("base_url", "would send keys and prompts unencrypted", "Use https://, or set allow_http = true");
    }
    let mut promises = SortedSet::new();
    promises.extend(data_policy.unwrap_or_default());
    Some(ProviderOverride {
        dialect,
        base_url,
        api_key,
        region,
        data_policy: promises,
        headers,
        timeouts: timeouts.unwrap_or_default(),
        completions,
        embeddings,
        rerank,
        allow_http,
    })
}

/// The key `headers`: what is sent with every call. One that is a secret by its name is a reference.
pub(in crate::config) fn sent_headers(fields: &mut Fields<'_, '_>) -> SortedMap<String, HeaderValue> {
    let headers = Dict { name: header_name, pattern: HEADER_PATTERN, rule: HEADER_RULE, of: HeaderKind };
    let headers = fields.optional("headers", "sent with every call", headers).unwrap_or_default();
    for name in headers.iter().filter(|(name, value)| is_credential(name) && matches!(value, HeaderValue::Literal(_))) {
        let hint = "Write { binding = \"NAME\" } and put the value into that binding";
        fields.place().key("headers").key(name.0).problem("holds a secret, and secrets are references", hint);
    }
    headers
}

/// What only makes sense when the name is known: a provider of one's own needs a dialect and a place.
pub(in crate::config) fn check(overrides: &SortedMap<ProviderId, ProviderOverride>, at: &mut At<'_>) {
    for (id, provider) in overrides {
        let mut at = at.key(id.as_str());
        match builtin(id.as_str()) {
            Some(_) => {}
            None => {
                missing(
                    &mut at.key("dialect"),
                    provider.dialect.is_none(),
                    "openai_chat, openai_responses, anthropic, gemini, bedrock, cohere, ollama or workers_ai",
                );
                missing(&mut at.key("base_url"), provider.base_url.is_none(), url::RULE);
            }
        }
    }
}

/// What is there but wrong is told already.
fn missing(at: &mut At<'_>, is_missing: bool, hint: &str) {
    if is_missing && !at.is_told() {
        at.problem("is missing: a provider of your own needs it", hint);
    }
}

/// A secret by reference: `{ binding = "NAME" }`. A value in its place is refused unseen.
pub(in crate::config) struct Reference;

impl Kind for Reference {
    type Out = BindingName;

    #[cfg(test)]
    fn schema(&self) -> Value {
        Record(reference).schema()
    }

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<BindingName> {
        if value.is_string() {
            at.problem(
                "holds a value, and secrets are references",
                "Write { binding = \"NAME\" } and put the value into that binding",
            );
            return None;
        }
        Record(reference).read(value, at)
    }
}

fn reference(fields: &mut Fields<'_, '_>) -> Option<BindingName> {
    let name = Parsed {
        parse: |text| BindingName::parse(text).ok_or("is not the name of a binding"),
        pattern: BINDING_PATTERN,
        hint: "Use capitals, digits and _, such as ACME_API_KEY",
    };
    fields.required("binding", "the name of the binding", name)
}

/// A header's value: a text, or a reference.
struct HeaderKind;

impl Kind for HeaderKind {
    type Out = HeaderValue;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "anyOf": [HEADER_TEXT.schema(), Reference.schema()] })
    }

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<HeaderValue> {
        match value {
            Value::String(_) => HEADER_TEXT.read(value, at).map(HeaderValue::Literal),
            Value::Object(_) => Reference.read(value, at).map(HeaderValue::Binding),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                wrong_type(at, value, "a text or a reference", "Write a text or { binding = \"NAME\" }");
                None
            }
        }
    }
}

const HEADER_TEXT: Parsed<String> = Parsed {
    parse: |text| if is_header_value(text) { Ok(text.to_owned()) } else { Err("cannot stand in a header") },
    pattern: "^[\\x20-\\x7e]{1,4096}$",
    hint: "Use printable ASCII characters, at most 4096",
};

pub(in crate::config) const HEADER_PATTERN: &str = "^[a-z0-9][a-z0-9-]{0,63}$";
pub(in crate::config) const HEADER_RULE: &str =
    "Use a header's name in lower case that is not one the transport sets itself";

/// Whether a text can be the value of a header, without a way out of it (no CR, no LF).
pub(super) fn is_header_value(text: &str) -> bool {
    (1..=4096).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}

/// The name of a header that may be sent with calls.
pub(in crate::config) fn header_name(text: &str) -> Option<String> {
    let set_by_transport =
        ["host", "content-length", "content-type", "transfer-encoding", "connection", "te", "upgrade", "trailer"];
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let named = (1..=64).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(good);
    (named && !set_by_transport.contains(&text)).then(|| text.to_owned())
}

/// Headers that carry credentials by name, so that one written as text is surely a leaked secret.
pub(in crate::config) fn is_credential(name: &str) -> bool {
    ["authorization", "api-key", "apikey", "token", "secret", "cookie", "password"]
        .iter()
        .any(|word| name.contains(word))
}
