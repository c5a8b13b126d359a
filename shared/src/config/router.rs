//! The section `router`: what prompts can be about beside the built-in topics, and whom else to ask for decisions.

use super::authentication::PRIVATE_URL;
use super::bindings;
use super::names::{BindingName, NAME_PATTERN, NAME_RULE, TeamName};
use super::providers::Reference;
use super::shape::{Dict, Fields, List, Parsed, Record, Whole};
use super::url::BaseUrl;
use super::{Bindings, Config};
use crate::secret::Secret;
use crate::sorted::SortedMap;
use crate::units::Millis;

/// What our router is told beside routes and rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// Who is asked for decisions.
    pub remote: Option<Remote>,
    /// Topics of the operator's own, each by examples.
    pub topics: SortedMap<String, Vec<String>>,
}

/// Another service that decides, asked in the words of `POST /v1/route`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Where it is asked: the whole URL.
    pub url: BaseUrl,
    /// The binding of the key it is asked with.
    pub api_key: Option<BindingName>,
    /// How long its answer is waited for.
    pub patience: Millis,
}

/// The same with its key.
#[derive(Clone, Debug)]
pub struct RemoteAccess {
    /// Where it is asked.
    pub url: String,
    /// With what key.
    pub key: Option<Secret>,
    /// How long its answer is waited for.
    pub patience: Millis,
}

impl Config {
    /// The other router, where there is one and its key is bound. `Err`: the binding that is missing.
    pub fn remote_router(&self, bindings: &(impl Bindings + ?Sized)) -> Result<Option<RemoteAccess>, &BindingName> {
        let Some(remote) = &self.router.remote else { return Ok(None) };
        let key = match &remote.api_key {
            Some(name) => Some(Secret::new(bindings::text(bindings, name.as_str()).ok_or(name)?)),
            None => None,
        };
        Ok(Some(RemoteAccess { url: remote.url.as_str().to_owned(), key, patience: remote.patience }))
    }
}

/// An example is a prompt as users write it. Few tell what a topic is not; many cost memory in every process.
const EXAMPLES: usize = 64;
const TOPICS: usize = 32;

pub(super) fn router(fields: &mut Fields<'_, '_>) -> Option<Routing> {
    let remote =
        fields.optional("remote", "a service that is asked for each decision; else our own decides", Record(remote));
    let topics = Dict { name, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(topic) };
    let topics = fields.optional("topics", "what prompts can be about, by examples, beside what is built in", topics);
    let topics = topics.unwrap_or_default();
    if topics.len() > TOPICS {
        fields.problem("topics", "are too many", "Use at most 32");
    }
    if topics.keys().any(|name| super::TOPICS.contains(&name.as_str())) {
        fields.problem("topics", "take the name of a built-in topic", "Give it a name of its own");
    }
    Some(Routing { remote, topics })
}

fn name(text: &str) -> Option<String> {
    TeamName::parse(text).map(|_| text.to_owned())
}

fn topic(fields: &mut Fields<'_, '_>) -> Option<Vec<String>> {
    let about = "prompts of this topic as users write them, in English, 3 to 64";
    let examples = fields.required("examples", about, List { of: EXAMPLE, min: 3 });
    if examples.as_ref().is_some_and(|examples| examples.len() > EXAMPLES) {
        fields.problem("examples", "are too many", "Keep the 64 that differ most");
    }
    examples
}

const EXAMPLE: Parsed<String> = Parsed {
    parse: |text| match text.trim() {
        "" => Err("is empty"),
        text if text.len() > 2_000 => Err("is longer than 2,000 bytes"),
        text => Ok(text.to_owned()),
    },
    pattern: "\\S",
    hint: "Write a prompt as a user would",
};

fn remote(fields: &mut Fields<'_, '_>) -> Option<Remote> {
    let url = fields.required(
        "url",
        "where it is asked: the whole URL, such as https://router.example/v1/route",
        PRIVATE_URL,
    );
    let api_key = fields.optional("api_key", "the binding that holds the key it is asked with", Reference);
    // It stands in the way of every call: what is not there soon is done without.
    let wait = Whole { min: 10, max: 5_000 };
    let patience = fields.defaulted("timeout_ms", "how long its answer is waited for", wait, 250);
    Some(Remote { url: url?, api_key, patience: Millis(patience) })
}
