//! The table of everything beside the admin plane: what is at which path. A path of this table that does not take a
//! method says so; the OpenAPI document is made from it and from the admin plane's.
//!
//! A new endpoint is a row here and an arm in `route`.

use crate::gateway::admin;
use crate::operation::passthrough;
use crate::sorted;

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
    /// A form of OAuth's; the client stands in it, or in the header.
    Form,
    /// Something a key may look at.
    Look,
    /// Open to everybody.
    Open,
    /// For a browser: a page, a redirect, a session.
    Browser,
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
    call(
        "/v1/feedback",
        ("Feedback", "FeedbackTaken"),
        "Says what an answer was worth, so that its route learns from it.",
    ),
    call("/v1/completions", ("CompletionsRequest", "Answer"), "OpenAI's legacy completions."),
    call("/v1/embeddings", ("EmbeddingsRequest", "Answer"), "OpenAI's embeddings."),
    call("/v1/rerank", ("RerankRequest", "Answer"), "Orders documents by how well they answer a query."),
    call("/v2/rerank", ("RerankRequest", "Answer"), "The same, where Cohere's SDK looks for it."),
    Endpoint {
        method: "POST",
        path: "/mcp",
        about: "Model Context Protocol, streamable HTTP: the definitions this key's team may see, as resources.",
        kind: Kind::Look,
        schemas: ("McpMessage", "McpMessage"),
    },
    Endpoint {
        method: "POST",
        path: "/oauth/token",
        about: "OAuth 2.0 client credentials: a short-lived access token, by RFC 6749.",
        kind: Kind::Form,
        schemas: ("TokenRequest", "Token"),
    },
    get("/.well-known/jwks.json", Kind::Open, "Answer", "The keys that access tokens are signed with."),
    get("/.well-known/oauth-authorization-server", Kind::Open, "Answer", "Where tokens are issued, by RFC 8414."),
    get("/console", Kind::Browser, "Page", "A page that says who is signed in."),
    get("/console/", Kind::Browser, "Page", "The same."),
    get("/console/login", Kind::Browser, "", "Sends a browser to the identity provider (OpenID Connect, PKCE)."),
    get("/console/callback", Kind::Browser, "", "Where the identity provider sends it back: opens a session."),
    get("/console/session", Kind::Browser, "Session", "Who is signed in, with which roles, and the csrf token."),
    Endpoint {
        method: "POST",
        path: "/console/logout",
        about: "Ends the session.",
        kind: Kind::Browser,
        schemas: ("", ""),
    },
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

/// What `allow` says where a method was refused (RFC 9110, section 15.5.6): the methods of a path, none twice. `None` where
/// the method is among them: then it was not refused here, but by a provider behind a pass-through.
pub(super) fn allowed(path: &str, method: &str) -> Option<String> {
    let mut methods: Vec<&str> = Vec::new();
    if path.starts_with(passthrough::PREFIX) {
        methods.extend(passthrough::METHODS);
    } else if let Some(below) = path.strip_prefix(admin::PREFIX) {
        // A path that is written out is meant before one with an id in its place.
        let literal = admin::ROUTES.iter().any(|route| route.path == below);
        let same = |route: &&admin::routes::Route| {
            if literal { route.path == below } else { route.arguments(below).is_some() }
        };
        methods.extend(admin::ROUTES.iter().filter(same).map(|route| route.method));
    } else {
        // Where a model's name could be another endpoint's end, the longer pattern is meant.
        let at = ENDPOINTS.iter().filter(|endpoint| endpoint.is_at(path)).max_by_key(|endpoint| endpoint.path.len());
        let same = |endpoint: &&Endpoint| at.is_some_and(|at| at.path == endpoint.path);
        methods.extend(ENDPOINTS.iter().filter(same).map(|endpoint| endpoint.method));
        if path == "/health" {
            methods.push("HEAD");
        }
    }
    sorted::sort(&mut methods);
    methods.dedup();
    (!methods.is_empty() && !methods.contains(&method)).then(|| methods.join(", "))
}

impl Endpoint {
    /// Whether a path is this endpoint's. What stands for the braces may hold slashes, as names of models do.
    fn is_at(&self, path: &str) -> bool {
        let Some((before, rest)) = self.path.split_once('{') else { return self.path == path };
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        let between = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        between.is_some_and(|name| !name.is_empty())
    }
}

/// The OpenAPI document (3.1) of the whole gateway, as served at `/openapi.json`. A test makes it from the tables and
/// compares: see `openapi/tests.rs`.
pub(super) const OPENAPI: &str = include_str!("../../../tests/golden/openapi.json");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_method_is_told_which_are_not() {
        for (path, method, wanted) in [
            ("/v1/chat/completions", "GET", Some("POST")),
            ("/v1/models/openai/gpt-5.4", "POST", Some("GET")),
            ("/v1beta/models/openai:gpt-5.4:countTokens", "PUT", Some("POST")),
            ("/health", "POST", Some("GET, HEAD")),
            ("/admin/v1/keys", "PUT", Some("GET, POST")),
            ("/admin/v1/keys/key_1", "PUT", Some("DELETE, GET, PATCH")),
            ("/admin/v1/nothing", "GET", None),
            ("/passthrough/openai/v1/files", "TRACE", Some("DELETE, GET, HEAD, PATCH, POST, PUT")),
            // Refused by the provider.
            ("/passthrough/openai/v1/files", "PUT", None),
            ("/nowhere", "GET", None),
        ] {
            assert_eq!(allowed(path, method).as_deref(), wanted, "{method} {path}");
        }
    }
}
