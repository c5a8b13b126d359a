//! How an endpoint is addressed, and the usual ways of it: one for each dialect that providers speak.

use crate::dialect::{Dialect, MaxTokensField, ProviderDialect, Quirks};
use crate::operation::{embeddings, rerank};

/// How a provider wants its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthStyle {
    /// `authorization: Bearer …`.
    Bearer,
    /// A header of its own.
    Header(&'static str),
}

/// How an endpoint is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    /// Which dialect it speaks.
    pub dialect: ProviderDialect,
    /// How it wants its key.
    pub auth: AuthStyle,
    /// The chat endpoint below the base URL. `{model}` stands for the model as one segment,
    /// `{model/path}` for the model with its slashes, and `{project}` and `{location}` for what the
    /// bindings of a [`Cloud`](super::Cloud) say.
    pub chat_path: &'static str,
    /// The endpoint of a streamed chat, where it is another.
    pub stream_path: Option<&'static str>,
    /// Where it speaks the Responses dialect too, below the base URL: a caller of that dialect then
    /// gets it at first hand.
    pub responses_path: Option<&'static str>,
    /// The endpoint that counts a prompt's tokens, where there is one.
    pub count_path: Option<&'static str>,
    /// Headers it always wants, names in lower case.
    pub headers: &'static [(&'static str, &'static str)],
    /// What it does differently.
    pub quirks: Quirks,
    /// What it does beside chats.
    pub operations: Operations,
}

/// What an endpoint does beside chats, and how it spells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Whether it still has OpenAI's completions.
    pub completions: bool,
    /// How it spells embeddings; `None`: it has none.
    pub embeddings: Option<embeddings::Api>,
    /// How it spells rerank; `None`: it has none.
    pub rerank: Option<rerank::Api>,
    /// What these paths begin with; `None`: what the chat's begins with.
    pub prefix: Option<&'static str>,
}

impl Operations {
    /// Chats alone.
    pub const NONE: Operations = Operations { completions: false, embeddings: None, rerank: None, prefix: None };
    /// What the usual OpenAI-compatible server has, or answers 404 to.
    pub const USUAL: Operations = Operations {
        completions: true,
        embeddings: Some(embeddings::Api::OpenAi),
        rerank: Some(rerank::Api::Common),
        prefix: None,
    };
    /// OpenAI's own.
    pub(super) const OPENAI: Operations = Operations { rerank: None, ..Operations::USUAL };
    pub(super) const EMBEDDINGS: Operations = Operations { completions: false, ..Operations::OPENAI };
    pub(super) const COMPLETIONS: Operations = Operations { completions: true, ..Operations::NONE };
}

/// What an OpenAI-compatible server is taken to do unless known otherwise.
pub(super) const COMMON: Quirks = Quirks {
    max_tokens_field: MaxTokensField::MaxTokens,
    developer_role: false,
    account_members: false,
    stops: usize::MAX,
    ..Quirks::STANDARD
};

/// What an OpenAI-compatible server is taken for unless known otherwise.
pub(super) const COMPATIBLE: Api = Api {
    dialect: ProviderDialect::Both(Dialect::OpenAiChat),
    auth: AuthStyle::Bearer,
    chat_path: "/chat/completions",
    stream_path: None,
    responses_path: None,
    count_path: None,
    headers: &[],
    quirks: COMMON,
    operations: Operations::USUAL,
};

pub(super) const OPENAI: Api = Api {
    quirks: Quirks::STANDARD,
    operations: Operations::OPENAI,
    responses_path: Some(RESPONSES_PATH),
    ..COMPATIBLE
};

pub(super) const RESPONSES_PATH: &str = "/responses";

const RESPONSES: Api = Api {
    dialect: ProviderDialect::Both(Dialect::OpenAiResponses),
    chat_path: RESPONSES_PATH,
    responses_path: None,
    ..OPENAI
};

pub(super) const ANTHROPIC: Api = Api {
    dialect: ProviderDialect::Both(Dialect::Anthropic),
    auth: AuthStyle::Header("x-api-key"),
    chat_path: "/v1/messages",
    stream_path: None,
    responses_path: None,
    count_path: Some("/v1/messages/count_tokens"),
    headers: &[("anthropic-version", "2023-06-01")],
    quirks: Quirks { cache_control: true, ..Quirks::STANDARD },
    operations: Operations::NONE,
};

pub(super) const BEDROCK: Api = Api {
    dialect: ProviderDialect::Bedrock,
    auth: AuthStyle::Bearer,
    chat_path: "/model/{model}/converse",
    stream_path: Some("/model/{model}/converse-stream"),
    responses_path: None,
    count_path: None,
    headers: &[],
    quirks: Quirks { cache_control: true, ..Quirks::STANDARD },
    operations: Operations::NONE,
};

pub(super) const COHERE: Api = Api {
    dialect: ProviderDialect::Cohere,
    auth: AuthStyle::Bearer,
    chat_path: "/v2/chat",
    stream_path: None,
    responses_path: None,
    count_path: None,
    headers: &[],
    quirks: Quirks::STANDARD,
    operations: Operations {
        embeddings: Some(embeddings::Api::Cohere),
        rerank: Some(rerank::Api::Cohere),
        ..Operations::NONE
    },
};

const OLLAMA: Api = Api {
    dialect: ProviderDialect::Ollama,
    auth: AuthStyle::Bearer,
    chat_path: "/api/chat",
    stream_path: None,
    responses_path: None,
    count_path: None,
    headers: &[],
    quirks: Quirks::STANDARD,
    operations: Operations::NONE,
};

pub(super) const WORKERS_AI: Api = Api {
    dialect: ProviderDialect::WorkersAi,
    auth: AuthStyle::Bearer,
    chat_path: "/run/{model/path}",
    stream_path: None,
    responses_path: None,
    count_path: None,
    headers: &[],
    quirks: COMMON,
    operations: Operations { embeddings: Some(embeddings::Api::WorkersAi), ..Operations::NONE },
};

pub(super) const GEMINI: Api = Api {
    dialect: ProviderDialect::Both(Dialect::Gemini),
    auth: AuthStyle::Header("x-goog-api-key"),
    chat_path: "/v1beta/models/{model}:generateContent",
    stream_path: Some("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
    count_path: Some("/v1beta/models/{model}:countTokens"),
    responses_path: None,
    headers: &[],
    quirks: Quirks::STANDARD,
    operations: Operations { embeddings: Some(embeddings::Api::Gemini), ..Operations::NONE },
};

pub(super) const VERTEX: Api = Api {
    auth: AuthStyle::Bearer,
    chat_path: "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent",
    stream_path: Some(
        "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:streamGenerateContent?alt=sse",
    ),
    count_path: Some("/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens"),
    quirks: Quirks { call_ids: false, ..Quirks::STANDARD },
    operations: Operations::NONE,
    ..GEMINI
};

impl Api {
    /// How an endpoint of this dialect is addressed when nothing else is known of it.
    pub fn of(dialect: ProviderDialect) -> Api {
        match dialect {
            ProviderDialect::Both(Dialect::OpenAiChat) => COMPATIBLE,
            ProviderDialect::Both(Dialect::Anthropic) => ANTHROPIC,
            ProviderDialect::Both(Dialect::OpenAiResponses) => RESPONSES,
            ProviderDialect::Both(Dialect::Gemini) => GEMINI,
            ProviderDialect::Bedrock => BEDROCK,
            ProviderDialect::Cohere => COHERE,
            ProviderDialect::Ollama => OLLAMA,
            ProviderDialect::WorkersAi => WORKERS_AI,
        }
    }

    /// The same endpoint held to one dialect; `None` where it does not speak it.
    pub fn only(self, dialect: ProviderDialect) -> Option<Api> {
        let alone = Api { responses_path: None, ..self };
        if dialect == self.dialect {
            return Some(alone);
        }
        let path = self.responses_path.filter(|_| dialect == Dialect::OpenAiResponses)?;
        Some(Api { dialect, chat_path: path, ..alone })
    }
}
