//! Who is asked what an opaque token is worth (RFC 7662).

use super::super::BindingName;
use super::super::names::{NAME_PATTERN, NAME_RULE};
use super::super::providers::Reference;
use super::super::shape::{Dict, Fields, Parsed, Record, Whole};
use super::super::url::BaseUrl;
use super::claims::{self, Claims};
use super::{PRIVATE_URL, TEXT, idp};
use crate::units::Millis;

/// An introspection endpoint, and by which rules its answers make somebody a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// Where it is.
    pub url: BaseUrl,
    /// This gateway's name with it.
    pub client_id: String,
    /// The binding that holds this gateway's secret with it.
    pub client_secret: BindingName,
    /// How its tokens begin; empty: every credential that is nobody else's is shown to it.
    pub token_prefix: String,
    /// What `iss` must say, where that is wanted.
    pub issuer: Option<String>,
    /// What `aud` must hold, where that is wanted.
    pub audience: Option<String>,
    /// Who somebody is.
    pub claims: Claims,
    /// How long an answer is believed without asking again.
    pub cache: Millis,
}

const PREFIX: Parsed<String> = Parsed {
    parse: |text| {
        let good = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        match good {
            true if text.starts_with("sk-sb-") => Err("is how this gateway's own keys begin"),
            true => Ok(text.to_owned()),
            false => Err("is empty, too long or not printable"),
        }
    },
    pattern: "^[!-~]{1,64}$",
    hint: "Use what all tokens of this issuer begin with, such as opq_",
};

pub(super) fn section() -> Dict<String, Record<Introspection>> {
    Dict { name: idp::name, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(introspection) }
}

fn introspection(fields: &mut Fields<'_, '_>) -> Option<Introspection> {
    let url = fields.required("url", "the introspection endpoint", PRIVATE_URL);
    let client_id = fields.required("client_id", "this gateway's name with the issuer", TEXT);
    let client_secret =
        fields.required("client_secret", "the binding that holds its secret with the issuer", Reference);
    let about = "how its tokens begin; else every credential that is no other's is shown to it";
    let token_prefix = fields.optional("token_prefix", about, PREFIX);
    let issuer = fields.optional("issuer", "what iss must say, where that is wanted", TEXT);
    let audience = fields.optional("audience", "what aud must hold, where that is wanted", TEXT);
    let claims = fields.optional("claims", "where in an answer it stands who somebody is", Record(claims::claims));
    let about = "how long an answer is believed, at most until the token ends; 0: every call asks";
    let cache = fields.defaulted("cache_s", about, Whole { min: 0, max: 300 }, 30);
    Some(Introspection {
        url: url?,
        client_id: client_id?,
        client_secret: client_secret?,
        token_prefix: token_prefix.unwrap_or_default(),
        issuer,
        audience,
        claims: claims.unwrap_or_default(),
        cache: Millis(cache * 1_000),
    })
}
