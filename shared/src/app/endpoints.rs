//! The table of everything beside the admin plane: what is at which path. A path of this table that does not take a
//! method says so; the OpenAPI document is made from it and from the admin plane's.
//!
//! A new endpoint is a row here and an arm in `route`.

/// An endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, with `{name}` for what varies.
    pub path: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// Who may, what travels, and in whose words an error is told.
    pub kind: Kind,
    /// The schemas of its body and its answer; the first is empty for none.
    pub schemas: (&'static str, &'static str),
}

/// What holds for several endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A call of a model, in the dialect of the path.
    Call,
    /// Something a key may look at.
    Look,
    /// Open to everybody.
    Open,
}

const fn call(path: &'static str, schemas: (&'static str, &'static str), about: &'static str) -> Endpoint {
    Endpoint { method: "POST", path, about, kind: Kind::Call, schemas }
}

const fn get(path: &'static str, kind: Kind, answer: &'static str, about: &'static str) -> Endpoint {
    Endpoint { method: "GET", path, about, kind, schemas: ("", answer) }
}

/// Every endpoint of the gateway, those below `/admin/v1/` and `/passthrough/` apart.
pub const ENDPOINTS: &[Endpoint] = &[
    call("/v1/chat/completions", ("ChatRequest", "Answer"), "OpenAI Chat Completions."),
    call("/v1/responses", ("ResponsesRequest", "Answer"), "OpenAI Responses."),
    call("/v1/messages", ("MessagesRequest", "Answer"), "Anthropic Messages."),
    call("/v1/messages/count_tokens", ("MessagesRequest", "Answer"), "Counts the tokens of an Anthropic request."),
    call("/v1beta/models/{model}:generateContent", ("GeminiRequest", "Answer"), "Gemini's generateContent."),
    call("/v1beta/models/{model}:streamGenerateContent", ("GeminiRequest", "Answer"), "The same as a stream."),
    call("/v1beta/models/{model}:countTokens", ("GeminiRequest", "Answer"), "Counts the tokens of a Gemini request."),
    call("/v1/route", ("ChatRequest", "Answer"), "Decides which model would get a request, without calling one."),
    call("/v1/completions", ("CompletionsRequest", "Answer"), "OpenAI's legacy completions."),
    call("/v1/embeddings", ("EmbeddingsRequest", "Answer"), "OpenAI's embeddings."),
    call("/v1/rerank", ("RerankRequest", "Answer"), "Orders documents by how well they answer a query."),
    call("/v2/rerank", ("RerankRequest", "Answer"), "The same, where Cohere's SDK looks for it."),
    Endpoint {
        method: "POST",
        path: "/oauth/token",
        about: "OAuth 2.0 client credentials: a short-lived access token, by RFC 6749.",
        kind: Kind::Open,
        schemas: ("", "Answer"),
    },
    get("/.well-known/jwks.json", Kind::Open, "Answer", "The keys that access tokens are signed with."),
    get("/.well-known/oauth-authorization-server", Kind::Open, "Answer", "Where tokens are issued, by RFC 8414."),
    get("/v1/models", Kind::Look, "ModelList", "The models this key may use."),
    get("/v1/models/{id}", Kind::Look, "Model", "One of them."),
    get("/v1beta/models", Kind::Look, "Answer", "The models this key may use, in Gemini's form."),
    get("/v1beta/models/{id}", Kind::Look, "Answer", "One of them, in Gemini's form."),
    get("/health", Kind::Open, "Health", "200 when the gateway has a valid configuration."),
    get("/config.schema.json", Kind::Open, "Answer", "JSON Schema of the configuration document."),
    get("/openapi.json", Kind::Open, "Answer", "This document."),
];

/// Whether there is something at exactly this path, for some method.
pub(super) fn is_known(path: &str) -> bool {
    ENDPOINTS.iter().any(|endpoint| endpoint.path == path)
}

/// The OpenAPI document (3.1) of the whole gateway, as served at `/openapi.json`. A test makes it from the tables and
/// compares: see `openapi/tests.rs`.
pub(super) const OPENAPI: &str = include_str!("../../../tests/golden/openapi.json");
