//! Who else is asked about words: a webhook of the operator's, or a model.

use crate::config::names::{BindingName, ModelId};
use crate::config::providers::Reference;
use crate::config::routes::MODEL;
use crate::config::shape::{Fields, List, OneOf, Parsed, Whole};
use crate::config::url::{self, BaseUrl};
use crate::units::{Millis, Tokens};

/// Somebody else.
#[derive(Clone, Debug, PartialEq)]
pub enum Outside {
    /// A webhook.
    Webhook(Webhook),
    /// A model.
    Moderation(Moderation),
}

impl Outside {
    /// How long it is waited for.
    pub fn timeout(&self) -> Millis {
        match self {
            Outside::Webhook(webhook) => webhook.timeout,
            Outside::Moderation(moderation) => moderation.timeout,
        }
    }

    /// How many tokens of a streamed answer it judges at a time; all of it without.
    pub fn every(&self) -> Option<Tokens> {
        match self {
            Outside::Webhook(webhook) => webhook.every,
            Outside::Moderation(moderation) => moderation.every,
        }
    }
}

/// A webhook of the operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where it is.
    pub url: BaseUrl,
    /// What it knows us by: the binding of the secret its calls are signed with.
    pub secret: Option<BindingName>,
    /// How long it is waited for.
    pub timeout: Millis,
    /// How many tokens of a streamed answer it judges at a time; all of it without.
    pub every: Option<Tokens>,
}

/// A model that judges words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moderation {
    /// Which.
    pub model: ModelId,
    /// How it is asked and answers.
    pub by: By,
    /// The categories that count, in its own words; empty: all.
    pub categories: Vec<String>,
    /// How long it is waited for.
    pub timeout: Millis,
    /// How many tokens of a streamed answer it judges at a time; all of it without.
    pub every: Option<Tokens>,
}

/// How a model is asked and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// As OpenAI's moderations endpoint.
    Endpoint,
    /// As Llama Guard: the conversation as it is, then `safe`, or `unsafe` and its categories.
    LlamaGuard,
    /// Any model, by a policy in words: `allow`, or `deny`.
    Judge(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Endpoint,
    LlamaGuard,
    Judge,
}

/// What a rail that asks somebody else says.
pub(super) struct Asked {
    pub(super) url: Option<BaseUrl>,
    pub(super) secret: Option<BindingName>,
    pub(super) model: Option<ModelId>,
    pub(super) by: Option<Manner>,
    pub(super) policy: Option<String>,
    pub(super) categories: Option<Vec<String>>,
    pub(super) timeout: Option<u64>,
    pub(super) every: Option<Tokens>,
}

/// What is said goes over the wire: a place that is not encrypted is on this machine.
const URL: Parsed<BaseUrl> = Parsed {
    parse: |text| match BaseUrl::parse(text) {
        Ok(url) if url.is_private() => Ok(url),
        Ok(_) => Err("is not encrypted"),
        Err(wrong) => Err(wrong),
    },
    pattern: url::PATTERN,
    hint: "Use an absolute URL such as https://guard.example.com/check",
};

const POLICY: Parsed<String> = Parsed {
    parse: |text| match (1..=16_384).contains(&text.trim().len()) {
        true => Ok(text.to_owned()),
        false => Err("is no policy"),
    },
    pattern: ".",
    hint: "Write what is not allowed, in at most 16 KiB",
};

const CATEGORY: Parsed<String> = Parsed {
    parse: |text| match (1..=64).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err("is no category"),
    },
    pattern: "^.{1,64}$",
    hint: "Use the model's own words, such as violence or S1",
};

/// A minute: longer than anybody waits for a guardrail.
const LONGEST_MS: u64 = 60_000;
const WEBHOOK_MS: u64 = 2_000;
const MODERATION_MS: u64 = 10_000;

pub(super) fn asked(fields: &mut Fields<'_, '_>) -> Asked {
    let manners = OneOf {
        words: &[("openai", Manner::Endpoint), ("llama_guard", Manner::LlamaGuard), ("judge", Manner::Judge)],
        later: &[],
    };
    let about = "for webhook, moderation: how long it is waited for; else 2 s, and 10 s for moderation";
    Asked {
        url: fields.optional("url", "for webhook: where it is", URL),
        secret: fields.optional("secret", "for webhook: the secret its calls are signed with", Reference),
        model: fields.optional("model", "for moderation: the model that is asked", MODEL),
        by: fields.optional("by", "for moderation: how the model is asked; else by its name", manners),
        policy: fields.optional("policy", "for moderation by a judge: what is not allowed, in words", POLICY),
        categories: fields.optional(
            "categories",
            "for moderation: the categories that count; else all",
            List { of: CATEGORY, min: 1 },
        ),
        timeout: fields.optional("timeout_ms", about, Whole { min: 1, max: LONGEST_MS }),
        every: None,
    }
}

/// How much of an answer that streams is judged at a time.
pub(super) fn every(fields: &mut Fields<'_, '_>) -> Option<Tokens> {
    let about =
        "for webhook, moderation: of an answer that streams, so many tokens are judged at a time; else all of it";
    fields.optional("every", about, Whole { min: 16, max: 100_000 })
}

impl Asked {
    pub(super) fn webhook(self) -> Option<Webhook> {
        let timeout = Millis(self.timeout.unwrap_or(WEBHOOK_MS));
        Some(Webhook { url: self.url?, secret: self.secret, timeout, every: self.every })
    }

    pub(super) fn moderation(self, fields: &mut Fields<'_, '_>) -> Option<Moderation> {
        let model = self.model?;
        let by = self.by.unwrap_or_else(|| by_name(model.model.as_str(), self.policy.is_some()));
        let by = match (by, self.policy) {
            (Manner::Endpoint, None) => By::Endpoint,
            (Manner::LlamaGuard, None) => By::LlamaGuard,
            (Manner::Judge, Some(policy)) => By::Judge(policy),
            (Manner::Judge, None) => {
                fields.problem("policy", "is missing", "Add it: what is not allowed, in words");
                return None;
            }
            (Manner::Endpoint | Manner::LlamaGuard, Some(_)) => {
                fields.problem("policy", "is for a judge", "Remove it, or write by = \"judge\"");
                return None;
            }
        };
        let timeout = Millis(self.timeout.unwrap_or(MODERATION_MS));
        Some(Moderation { model, by, categories: self.categories.unwrap_or_default(), timeout, every: self.every })
    }
}

/// How a model of this name is asked.
fn by_name(model: &str, has_policy: bool) -> Manner {
    match (model.contains("moderation"), model.contains("guard")) {
        _ if has_policy => Manner::Judge,
        (true, _) => Manner::Endpoint,
        (false, true) => Manner::LlamaGuard,
        (false, false) => Manner::Judge,
    }
}
