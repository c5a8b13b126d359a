//! The providers the product knows, as data.
//!
//! Where a provider is, which binding holds its key, how it wants to be addressed. A provider is
//! data, not code: a difference between two of them is a named field of [`Quirks`].
//!
//! Base URLs follow each provider's own SDK, so that a `<PROVIDER>_BASE_URL` written for that SDK
//! works here: OpenAI's includes `/v1`, Anthropic's does not. Where both an SDK's convention and the
//! longer URL of the documentation are in use, [`BaseUrl::join`](crate::config::BaseUrl::join) takes either.

use super::api::{ANTHROPIC, BEDROCK, COHERE, COMMON, COMPATIBLE, GEMINI, OPENAI, RESPONSES_PATH, VERTEX, WORKERS_AI};
use super::google::GoogleBindings;
use super::{Api, AuthStyle, Operations};
use crate::dialect::{Quirks, ReasoningReplay};
use crate::operation::rerank;

/// A provider the product knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Its name before the colon of a model id.
    pub id: &'static str,
    /// Where it is; `None` where every customer has a place of their own. `{NAME}` stands for the text
    /// of the binding of that name: a region, an account.
    pub base_url: Option<&'static str>,
    /// The binding that holds its key; `None` where there is no key and the base URL's binding enables it.
    pub key_binding: Option<&'static str>,
    /// Another binding for the key, by which the provider's own tools go.
    pub other_key_binding: Option<&'static str>,
    /// The AWS credentials its calls can be signed with instead.
    pub signing: Option<Signing>,
    /// The binding that overrides its base URL.
    pub base_url_binding: &'static str,
    /// How it is addressed.
    pub api: Api,
    /// How the names of its own models begin. A bare name that begins so is its, even when it is too
    /// new for the catalog. Empty for those who serve others' models.
    pub families: &'static [&'static str],
    /// Whether it sells other makers' models at the makers' prices, as `maker/model`.
    pub resells: bool,
    /// What else must be bound to say where the customer's models are.
    pub cloud: Option<Cloud>,
    /// How a platform reaches it by a binding of its own, where no key is bound.
    pub bound: Option<Bound>,
}

/// A provider's binding on a platform: called without a URL and without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What the binding must be able to do, as `NAME.method`: no environment variable is called so.
    pub method: &'static str,
    /// Stands for it where URLs are wanted, and the platform's transport knows it. There is no such host (RFC 6761).
    pub base_url: &'static str,
    /// How it is addressed.
    pub api: Api,
}

/// The bindings that say where in a provider's cloud a customer's models are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Holds the project's id.
    pub project: &'static str,
    /// Holds the location; `global` without it. Every other location has a host of its own: its name
    /// and a hyphen before the common host.
    pub location: &'static str,
    /// Hold credentials that tokens are exchanged for, where no token is bound.
    pub google: GoogleBindings,
}

/// Where AWS credentials are bound: `{prefix}_ACCESS_KEY_ID`, `{prefix}_SECRET_ACCESS_KEY` and
/// `{prefix}_SESSION_TOKEN`, else the same names with AWS's own prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signing {
    /// The provider's own prefix.
    pub prefix: &'static str,
    /// The binding that holds the region. AWS's own credentials count only where it is bound: a
    /// Lambda function always has them, and may not mean to use them here.
    pub region_binding: &'static str,
    /// The service's name in signatures.
    pub service: &'static str,
}

impl Builtin {
    /// Whether every customer has models of their own here (deployments, pulled models), as they have
    /// a place of their own.
    pub fn own_models(&self) -> bool {
        self.base_url.is_none()
    }
}

/// Looks a provider up by its id.
pub fn builtin(id: &str) -> Option<&'static Builtin> {
    BUILTIN.iter().find(|builtin| builtin.id == id)
}

/// All of them, in the order in which a bare model name is looked for: those who make models before
/// those who serve others', within each the order of the documentation.
pub(crate) const BUILTIN: &[Builtin] = &[
    Builtin {
        base_url: Some("https://api.openai.com/v1"),
        api: OPENAI,
        families: &["gpt-", "chatgpt-", "o1", "o3", "o4", "ft:"],
        ..keyed("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.anthropic.com"),
        api: ANTHROPIC,
        families: &["claude-"],
        ..keyed("anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
    },
    Builtin {
        base_url: Some("https://generativelanguage.googleapis.com"),
        api: GEMINI,
        families: &["gemini-", "gemma-"],
        ..keyed("gemini", "GEMINI_API_KEY", "GEMINI_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.mistral.ai"),
        // Refuses members it does not know; its streams end with usage unasked.
        api: Api {
            chat_path: "/v1/chat/completions",
            quirks: Quirks { stream_usage: false, user: false, ..COMMON },
            operations: Operations::EMBEDDINGS,
            ..COMPATIBLE
        },
        families: &["mistral-", "ministral-", "codestral-", "devstral-", "magistral-", "pixtral-", "open-mi"],
        ..keyed("mistral", "MISTRAL_API_KEY", "MISTRAL_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.deepseek.com"),
        api: Api {
            // A schema for the answer is refused; JSON as such is not.
            quirks: Quirks { reasoning_replay: ReasoningReplay::ReasoningContent, json_schema: false, ..COMMON },
            responses_path: Some(RESPONSES_PATH),
            operations: Operations::NONE,
            ..COMPATIBLE
        },
        families: &["deepseek-"],
        ..keyed("deepseek", "DEEPSEEK_API_KEY", "DEEPSEEK_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.x.ai/v1"),
        api: Api { responses_path: Some(RESPONSES_PATH), operations: Operations::COMPLETIONS, ..COMPATIBLE },
        families: &["grok-"],
        ..keyed("xai", "XAI_API_KEY", "XAI_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.perplexity.ai"),
        api: Api { operations: Operations { prefix: Some("/v1"), ..Operations::EMBEDDINGS }, ..COMPATIBLE },
        families: &["sonar"],
        ..keyed("perplexity", "PERPLEXITY_API_KEY", "PERPLEXITY_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.cohere.com"),
        api: COHERE,
        families: &["command-", "c4ai-"],
        ..keyed("cohere", "COHERE_API_KEY", "COHERE_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.groq.com"),
        api: Api { chat_path: "/openai/v1/chat/completions", operations: Operations::NONE, ..COMPATIBLE },
        ..keyed("groq", "GROQ_API_KEY", "GROQ_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.cerebras.ai"),
        api: Api { chat_path: "/v1/chat/completions", operations: Operations::COMPLETIONS, ..COMPATIBLE },
        ..keyed("cerebras", "CEREBRAS_API_KEY", "CEREBRAS_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.together.xyz/v1"),
        ..keyed("together", "TOGETHER_API_KEY", "TOGETHER_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.fireworks.ai"),
        api: Api { chat_path: "/inference/v1/chat/completions", ..COMPATIBLE },
        ..keyed("fireworks", "FIREWORKS_API_KEY", "FIREWORKS_BASE_URL")
    },
    Builtin {
        base_url: Some("https://openrouter.ai/api/v1"),
        api: Api {
            quirks: Quirks {
                reasoning_replay: ReasoningReplay::ReasoningDetails,
                cache_control: true,
                account_members: true,
                ..COMMON
            },
            ..COMPATIBLE
        },
        resells: true,
        ..keyed("openrouter", "OPENROUTER_API_KEY", "OPENROUTER_BASE_URL")
    },
    Builtin {
        base_url: Some("https://bedrock-runtime.{BEDROCK_REGION}.amazonaws.com"),
        api: BEDROCK,
        families: &["anthropic.", "us.anthropic.", "eu.anthropic.", "apac.anthropic.", "global.anthropic.", "amazon."],
        signing: Some(Signing { prefix: "BEDROCK", region_binding: "BEDROCK_REGION", service: "bedrock" }),
        ..keyed("bedrock", "BEDROCK_API_KEY", "BEDROCK_BASE_URL")
    },
    // Workers AI, by the endpoint that speaks OpenAI's dialect, or by its binding, which speaks its own.
    Builtin {
        base_url: Some("https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1"),
        api: Api { operations: Operations::EMBEDDINGS, ..COMPATIBLE },
        other_key_binding: Some("CLOUDFLARE_API_TOKEN"),
        bound: Some(Bound { method: "AI.run", base_url: "https://binding.invalid/AI", api: WORKERS_AI }),
        ..keyed("cloudflare", "CLOUDFLARE_API_KEY", "CLOUDFLARE_BASE_URL")
    },
    // Google's cloud, where the same models have another door.
    Builtin {
        base_url: Some("https://aiplatform.googleapis.com"),
        api: VERTEX,
        families: &["gemini-"],
        cloud: Some(Cloud {
            project: "VERTEX_PROJECT",
            location: "VERTEX_LOCATION",
            google: GoogleBindings {
                service_account: "VERTEX_SERVICE_ACCOUNT",
                workload_identity: "VERTEX_WORKLOAD_IDENTITY",
                subject_token: "VERTEX_SUBJECT_TOKEN",
            },
        }),
        ..keyed("vertex", "VERTEX_ACCESS_TOKEN", "VERTEX_BASE_URL")
    },
    // These two have no chats.
    Builtin {
        base_url: Some("https://api.jina.ai/v1"),
        api: Api { operations: Operations { completions: false, ..Operations::USUAL }, ..COMPATIBLE },
        families: &["jina-"],
        ..keyed("jina", "JINA_API_KEY", "JINA_BASE_URL")
    },
    Builtin {
        base_url: Some("https://api.voyageai.com/v1"),
        api: Api {
            operations: Operations { rerank: Some(rerank::Api::Voyage), ..Operations::EMBEDDINGS },
            ..COMPATIBLE
        },
        families: &["voyage-"],
        ..keyed("voyage", "VOYAGE_API_KEY", "VOYAGE_BASE_URL")
    },
    // The v1 surface, whose base URL ends in /openai/v1/: no api-version, models are deployment names.
    Builtin {
        api: Api { auth: AuthStyle::Header("api-key"), ..OPENAI },
        ..keyed("azure", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_BASE_URL")
    },
    Builtin {
        key_binding: None,
        api: Api { chat_path: "/v1/chat/completions", ..COMPATIBLE },
        ..keyed("ollama", "", "OLLAMA_BASE_URL")
    },
];

/// An OpenAI-compatible provider with a key, whose place is yet to be said.
const fn keyed(id: &'static str, key_binding: &'static str, base_url_binding: &'static str) -> Builtin {
    Builtin {
        id,
        base_url: None,
        key_binding: Some(key_binding),
        other_key_binding: None,
        signing: None,
        base_url_binding,
        api: COMPATIBLE,
        families: &[],
        resells: false,
        cloud: None,
        bound: None,
    }
}
