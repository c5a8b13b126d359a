//! The small sections: what holds for the service as a whole.

use super::shape::{Fields, Flag, List, Parsed, Real, Whole};
use super::url::BaseUrl;
use crate::units::NanoUsd;

/// What any request is held to before anything else is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body that is read, in bytes.
    pub max_body_bytes: u64,
}

impl Default for Limits {
    /// 16 MiB: several large images, and a fraction of a Worker's 128 MB.
    fn default() -> Limits {
        Limits { max_body_bytes: 16 << 20 }
    }
}

pub(super) fn limits(fields: &mut Fields<'_, '_>) -> Option<Limits> {
    // A Worker holds the body, its translation and other requests' in 128 MB.
    let range = Whole { min: 1 << 10, max: 64 << 20 };
    let default = Limits::default().max_body_bytes;
    Some(Limits { max_body_bytes: fields.defaulted("max_body_bytes", "the largest request body", range, default) })
}

/// How streams are passed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    /// Leave out the usage event of an OpenAI stream whose caller did not ask for one. The gateway always
    /// asks for it, because it settles by it, and by default passes it on: a program that reads
    /// `choices[0]` of every event unguarded stumbles over it, for it has none. Hiding the event means
    /// looking at every piece of the stream, which is else forwarded natively.
    pub hide_unasked_usage: bool,
}

pub(super) fn streams(fields: &mut Fields<'_, '_>) -> Option<Streams> {
    let default = Streams::default().hide_unasked_usage;
    let about = "leave out the usage event of callers that did not ask for one; else streams flow untouched";
    Some(Streams { hide_unasked_usage: fields.defaulted("hide_unasked_usage", about, Flag, default) })
}

/// Which web pages may call the service from a browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Whose pages.
    pub origins: Origins,
    /// How long a browser may remember the answer, in seconds.
    pub max_age_s: u64,
}

/// A set of web origins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// No page may call.
    #[default]
    None,
    /// Every page may.
    Any,
    /// The pages of these origins may: `https://app.example.com`.
    Only(Vec<String>),
}

impl Cors {
    /// The value of `access-control-allow-origin` for a request from `origin`, if its page may call.
    pub fn allow(&self, origin: &str) -> Option<String> {
        match &self.origins {
            Origins::None => None,
            Origins::Any => Some("*".to_owned()),
            Origins::Only(origins) => origins.iter().find(|known| known.as_str() == origin).cloned(),
        }
    }
}

const ORIGIN: Parsed<String> = Parsed {
    parse: |text| {
        let is_origin = |url: BaseUrl| url.as_str() == text && url.is_origin();
        let good = text == "*" || BaseUrl::parse(text).is_ok_and(is_origin);
        good.then(|| text.to_owned()).ok_or("is not a web origin")
    },
    pattern: "^(\\*|https?://[^/@?#\\s]+)$",
    hint: "Write scheme, host and perhaps port, such as \"https://app.example.com\", or \"*\"",
};

pub(super) fn cors(fields: &mut Fields<'_, '_>) -> Option<Cors> {
    let list = List { of: ORIGIN, min: 1 };
    let origins = fields.required("allow_origins", "the origins whose pages may call, or \"*\"", list);
    let max_age_s = fields.defaulted("max_age_s", "how long a browser remembers", Whole { min: 0, max: 86_400 }, 600);
    let origins = origins?;
    let any = origins.iter().any(|origin| origin == "*");
    Some(Cors { origins: if any { Origins::Any } else { Origins::Only(origins) }, max_age_s })
}

/// How calls are passed through to providers' APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassThrough {
    /// Whether they are at all.
    pub enabled: bool,
    /// What a call is taken to cost that may be billed and whose answer does not tell: reserved before it
    /// is made, charged afterwards.
    pub per_call: NanoUsd,
}

impl Default for PassThrough {
    /// A quarter of a dollar: a large image.
    fn default() -> PassThrough {
        PassThrough { enabled: true, per_call: NanoUsd(250_000_000) }
    }
}

pub(super) fn passthrough(fields: &mut Fields<'_, '_>) -> Option<PassThrough> {
    let default = PassThrough::default();
    let usd = Real { min: 0.0, max: 1_000_000.0, hint: "Use dollars, from 0 to 1000000" };
    let about = "what a call costs whose answer does not tell, in dollars; else 0.25";
    let per_call = fields.optional("usd_per_call", about, usd).and_then(NanoUsd::from_usd);
    Some(PassThrough {
        enabled: fields.defaulted("enabled", "pass calls through to providers' APIs", Flag, default.enabled),
        per_call: per_call.unwrap_or(default.per_call),
    })
}
