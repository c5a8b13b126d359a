//! The section `mcp`: servers whose resources are taken as governed definitions.

use super::authentication::PRIVATE_URL;
use super::context::TAG;
use super::names::{BindingName, ContextName, NAME_PATTERN, NAME_RULE, TeamName};
use super::providers::Reference;
use super::shape::{Dict, Fields, List, OneOf, Parsed, Record};
use super::url::BaseUrl;
use crate::sorted::SortedMap;
use crate::units::Millis;

/// Servers by name: how their definitions' ids begin.
pub type Mcp = SortedMap<ContextName, Server>;

/// A server, and what becomes of its resources.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Its endpoint.
    pub url: BaseUrl,
    /// The binding of what it knows us by.
    pub token: Option<BindingName>,
    /// How often it is asked.
    pub every: Millis,
    /// The tags of its definitions: what a server says of itself chooses nothing.
    pub tags: Vec<String>,
    /// Who may see them; everybody where there are none.
    pub teams: Vec<String>,
    /// What becomes of a definition that the server no longer lists.
    pub vanished: Vanished,
}

/// What becomes of a definition that its server no longer lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Vanished {
    /// It counts as one whose certification has ended: policies say what happens to those.
    #[default]
    Stale,
    /// It is given to nobody any more.
    Retire,
    /// It stays as it is.
    Keep,
}

const EVERY: Millis = Millis(3_600_000);

const SPAN: Parsed<Millis> = Parsed {
    parse: |text| {
        let span = crate::time::parse_span(text);
        span.filter(|span| (60_000..=31 * 24 * 3_600_000).contains(&span.0)).ok_or("is not a span from 1m to 31d")
    },
    pattern: "^[0-9]+ ?[a-z]+( ?[0-9]+ ?[a-z]+)*$",
    hint: "Write a number and a unit, such as \"15m\", \"1h\" or \"1d\"",
};

const TEAM: Parsed<String> = Parsed {
    parse: |text| TeamName::parse(text).map(|team| team.to_string()).ok_or("is not a good name"),
    pattern: NAME_PATTERN,
    hint: NAME_RULE,
};

pub(super) fn section() -> Dict<ContextName, Record<Server>> {
    Dict { name: ContextName::parse, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(server) }
}

fn server(fields: &mut Fields<'_, '_>) -> Option<Server> {
    let url = fields.required("url", "the endpoint of its streamable HTTP transport", PRIVATE_URL);
    let token = fields.optional("token", "the binding that holds what it knows us by", Reference);
    let every = fields.optional("every", "how often it is asked; else 1h", SPAN);
    let tags = fields.optional("tags", "the tags of its definitions", List { of: TAG, min: 1 });
    let teams = fields.optional("teams", "who may see them; else everybody", List { of: TEAM, min: 1 });
    let words: OneOf<Vanished> = OneOf {
        words: &[("stale", Vanished::Stale), ("retire", Vanished::Retire), ("keep", Vanished::Keep)],
        later: &[],
    };
    let vanished = fields.optional("vanished", "what becomes of a definition it no longer lists; else stale", words);
    Some(Server {
        url: url?,
        token,
        every: every.unwrap_or(EVERY),
        tags: tags.unwrap_or_default(),
        teams: teams.unwrap_or_default(),
        vanished: vanished.unwrap_or_default(),
    })
}
