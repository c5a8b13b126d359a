//! Who else says who somebody is: issuers of signed tokens.

use super::super::names::{NAME_PATTERN, NAME_RULE, TeamName};
use super::super::shape::{Dict, Fields, List, OneOf, Parsed, Record, Whole};
use super::super::url::{self, BaseUrl};
use super::claims::{self, Claims};
use super::{PRIVATE_URL, TEXT};
use crate::jose::Algorithm;
use crate::units::Millis;

/// An identity provider, and by which rules its tokens are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idp {
    /// Its name for itself, to the letter: what `iss` must say.
    pub issuer: String,
    /// This gateway's name with it: what `aud` must hold.
    pub audience: String,
    /// Where its keys are; else found through the issuer's own description.
    pub jwks_uri: Option<BaseUrl>,
    /// The algorithms it signs with. No other is tried, whatever a token says.
    pub algorithms: Vec<Algorithm>,
    /// Who somebody is.
    pub claims: Claims,
    /// How far ahead a token's end may lie.
    pub longest: Millis,
}

const ISSUER: Parsed<String> = Parsed {
    parse: |text| (PRIVATE_URL.parse)(text).map(|_| text.to_owned()),
    pattern: url::PATTERN,
    hint: "Use the issuer's URL to the letter, such as https://login.example.com",
};

const ALGORITHM: OneOf<Algorithm> = OneOf { words: &Algorithm::ALL, later: &[] };

pub(super) fn name(text: &str) -> Option<String> {
    TeamName::parse(text).map(|_| text.to_owned())
}

pub(super) fn section() -> Dict<String, Record<Idp>> {
    Dict { name, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(idp) }
}

fn idp(fields: &mut Fields<'_, '_>) -> Option<Idp> {
    let issuer = fields.required("issuer", "what the claim iss says, to the letter", ISSUER);
    let audience = fields.required("audience", "what the claim aud holds: this gateway's name with the issuer", TEXT);
    let jwks_uri = fields.optional("jwks_uri", "where its keys are; else discovered from the issuer", PRIVATE_URL);
    let algorithms = List { of: ALGORITHM, min: 1 };
    let algorithms = fields.optional("algorithms", "what it signs with; else RS256 and ES256", algorithms);
    let claims = fields.optional("claims", "where in a token it stands who somebody is", Record(claims::claims));
    // Ten years: tokens of service accounts are long-lived, and it is the operator who says so.
    let seconds = Whole { min: 60, max: 3_650 * 86_400 };
    let longest = fields.defaulted("max_lifetime_s", "how far ahead a token's end may lie", seconds, 86_400);
    Some(Idp {
        issuer: issuer?,
        audience: audience?,
        jwks_uri,
        algorithms: algorithms.unwrap_or_else(|| vec![Algorithm::Rs256, Algorithm::Es256]),
        claims: claims.unwrap_or_default(),
        longest: Millis(longest * 1_000),
    })
}
