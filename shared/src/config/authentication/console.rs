//! Who lets people into the console.

use super::super::BindingName;
use super::super::providers::Reference;
use super::super::shape::{Fields, List, Parsed, Whole};
use super::{TEXT, idp};
use crate::units::Millis;

/// Sign-in of people with an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    /// Which of the identity providers.
    pub idp: String,
    /// This gateway's name with it as a client that people sign in to.
    pub client_id: String,
    /// The binding that holds its secret, where it has one beside the proof key.
    pub client_secret: Option<BindingName>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// How long a session lasts at the most.
    pub longest: Millis,
    /// How long it lasts when nothing is done with it.
    pub idle: Millis,
}

const IDP: Parsed<String> = Parsed {
    parse: |text| idp::name(text).ok_or("is no good name"),
    pattern: super::NAME_PATTERN,
    hint: "Name one of auth.idp",
};

pub(super) fn console(fields: &mut Fields<'_, '_>) -> Option<Console> {
    let idp = fields.required("idp", "the identity provider people sign in with: one of auth.idp", IDP);
    let client_id = fields.required("client_id", "this gateway's name with it", TEXT);
    let about = "the binding that holds its secret with it; else the proof key (PKCE) alone is shown";
    let client_secret = fields.optional("client_secret", about, Reference);
    let scopes =
        fields.optional("scopes", "what is asked for; else openid, profile and email", List { of: TEXT, min: 1 });
    let longest = Whole { min: 300, max: 7 * 86_400 };
    let longest = fields.defaulted("session_s", "how long a session lasts at the most", longest, 28_800);
    let idle = Whole { min: 60, max: 86_400 };
    let idle = fields.defaulted("idle_s", "how long it lasts when nothing is done with it", idle, 1_800);
    Some(Console {
        idp: idp?,
        client_id: client_id?,
        client_secret,
        scopes: scopes.unwrap_or_else(|| ["openid", "profile", "email"].map(str::to_owned).to_vec()),
        longest: Millis(longest * 1_000),
        idle: Millis(idle * 1_000),
    })
}
