//! The section `auth`: whom the gateway believes, beside the virtual keys it makes itself.

mod claims;
mod console;
mod idp;
mod introspection;
mod secrets;

pub use claims::{ClaimPath, Claims, Found};
pub use console::Console;
pub use idp::Idp;
pub use introspection::Introspection;
pub use secrets::Secrets;

use super::TeamName;
use super::names::{NAME_PATTERN, NAME_RULE};
use super::problem::At;
use super::shape::{Fields, Parsed, Record, Whole};
use super::url::{self, BaseUrl};
use crate::sorted::SortedMap;
use crate::units::Millis;

/// Whom the gateway believes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authentication {
    /// Where the gateway itself is reached: the issuer of its tokens.
    pub public_url: Option<BaseUrl>,
    /// Identity providers whose signed tokens are good.
    pub idp: SortedMap<String, Idp>,
    /// Issuers of opaque tokens, which are asked about each.
    pub introspection: SortedMap<String, Introspection>,
    /// The gateway's own tokens.
    pub tokens: Tokens,
    /// The team of callers who have nothing but a provider's key; else such a key is no credential.
    pub raw_provider_keys: Option<TeamName>,
    /// Sign-in of people; else there is none.
    pub console: Option<Console>,
}

/// What the gateway's own access tokens say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// For whom they are.
    pub audience: String,
    /// How long they live.
    pub lifetime: Millis,
}

impl Default for Tokens {
    fn default() -> Tokens {
        Tokens { audience: "signalbox".to_owned(), lifetime: Millis(600_000) }
    }
}

impl Authentication {
    /// The issuer of the gateway's own tokens: its URL, or a plain name where that is not known.
    pub fn issuer(&self) -> &str {
        self.public_url.as_ref().map_or("signalbox", BaseUrl::as_str)
    }

    /// Who is asked about an opaque token: of those whose prefix it has, the one with the longest. Nobody else hears of
    /// it.
    pub fn introspector(&self, token: &str) -> Option<(&str, &Introspection)> {
        let its = self.introspection.iter().filter(|(_, rules)| token.starts_with(&rules.token_prefix));
        its.max_by_key(|(_, rules)| rules.token_prefix.len()).map(|(name, rules)| (name.as_str(), rules))
    }
}

/// A URL that keys and tokens may travel to: encrypted, or on the same machine.
pub(in crate::config) const PRIVATE_URL: Parsed<BaseUrl> = Parsed {
    parse: |text| match BaseUrl::parse(text) {
        Ok(url) if url.is_private() => Ok(url),
        Ok(_) => Err("would be asked unencrypted"),
        Err(wrong) => Err(wrong),
    },
    pattern: url::PATTERN,
    hint: "Use https://, or http:// on a loopback address",
};

/// A short text without control characters, such as an audience or a client's id.
pub(super) const TEXT: Parsed<String> = Parsed {
    parse: |text| {
        let good = (1..=256).contains(&text.len()) && !text.chars().any(char::is_control);
        if good { Ok(text.to_owned()) } else { Err("is empty, too long or not printable") }
    },
    pattern: "^[^\\x00-\\x1f\\x7f]{1,256}$",
    hint: "Use 1 to 256 printable characters",
};

pub(super) fn section() -> Record<Authentication> {
    Record(authentication)
}

fn authentication(fields: &mut Fields<'_, '_>) -> Option<Authentication> {
    let public_url = fields.optional("public_url", "where this gateway is reached", PRIVATE_URL);
    let idp = fields.optional("idp", "identity providers whose signed tokens are good", idp::section());
    let tokens = fields.optional("tokens", "this gateway's own access tokens", Record(tokens));
    let about = "issuers of opaque tokens, which are asked about each (RFC 7662)";
    let introspection = fields.optional("introspection", about, introspection::section());
    let about = "take a provider's key alone as a credential; else it is none";
    let raw_provider_keys = fields.optional("raw_provider_keys", about, Record(raw_provider_keys));
    let console = fields.optional("console", "sign-in of people; else there is none", Record(console::console));
    Some(Authentication {
        public_url,
        idp: idp.unwrap_or_default(),
        introspection: introspection.unwrap_or_default(),
        tokens: tokens.unwrap_or_default(),
        raw_provider_keys,
        console,
    })
}

const TEAM: Parsed<TeamName> =
    Parsed { parse: |text| TeamName::parse(text).ok_or("is not a good name"), pattern: NAME_PATTERN, hint: NAME_RULE };

fn raw_provider_keys(fields: &mut Fields<'_, '_>) -> Option<TeamName> {
    fields.required("team", "the team that such callers are in; it must have provider_keys = true", TEAM)
}

fn tokens(fields: &mut Fields<'_, '_>) -> Option<Tokens> {
    let default = Tokens::default();
    let audience = fields.optional("audience", "for whom tokens are; else signalbox", TEXT);
    let seconds = Whole { min: 60, max: 3_600 };
    let lifetime = fields.defaulted("lifetime_s", "how long tokens live", seconds, default.lifetime.0 / 1_000);
    Some(Tokens { audience: audience.unwrap_or(default.audience), lifetime: Millis(lifetime * 1_000) })
}

/// What only the whole section can tell: an issuer is believed by one set of rules alone, and of every credential it is
/// clear who is asked about it.
pub(super) fn check(auth: &Authentication, at: &mut At<'_>) {
    let mut known: Vec<&str> = vec![auth.issuer()];
    for (name, idp) in &auth.idp {
        if known.contains(&idp.issuer.as_str()) {
            let mut at = at.key("idp");
            at.key(name).key("issuer").problem("is an issuer already", "Describe each issuer once");
        }
        known.push(&idp.issuer);
    }
    let mut prefixes: Vec<&str> = Vec::new();
    for (name, rules) in &auth.introspection {
        if prefixes.contains(&rules.token_prefix.as_str()) {
            let mut at = at.key("introspection");
            let hint = "Give each its own: a token is shown to one issuer alone";
            at.key(name).key("token_prefix").problem("is that of another issuer", hint);
        }
        prefixes.push(&rules.token_prefix);
    }
    if auth.raw_provider_keys.is_some() && prefixes.contains(&"") {
        let hint = "Set token_prefix for each issuer of opaque tokens: else providers' keys would be shown to it";
        at.key("raw_provider_keys").problem("cannot be told from opaque tokens", hint);
    }
    let Some(console) = &auth.console else { return };
    let mut at = at.key("console");
    if !auth.idp.contains_key(&console.idp) {
        at.key("idp").problem("there is no such identity provider", "Name one of auth.idp");
    }
    if auth.public_url.is_none() {
        at.problem("needs to know where this gateway is reached", "Set auth.public_url: people come back to it");
    }
}
