//! Values that are secrets by what they are called: `api_key = "…"`, `password: …`.
//!
//! Entropy decides whether the value is one: names, paths and ids of things are called such things, too.

use super::{Match, entropy, is_placeholder};
use crate::guard::within;

/// What a name must hold.
const NAMES: [&str; 20] = [
    "secret",
    "password",
    "passwd",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "api key",
    "access_key",
    "access-key",
    "accesskey",
    "private_key",
    "auth_key",
    "client_secret",
    "credentials",
    "passphrase",
    "bearer",
    "signing_key",
    "pwd",
    "encryption_key",
];

/// Providers whose keys have no beginning of their own: a random value is one where one of them stands before it.
const PROVIDERS: [&str; 52] = [
    "adafruit",
    "airtable",
    "algolia",
    "alibaba",
    "asana",
    "atlassian",
    "bitbucket",
    "bittrex",
    "cloudflare",
    "codecov",
    "cohere",
    "coinbase",
    "confluent",
    "contentful",
    "datadog",
    "discord",
    "droneci",
    "dropbox",
    "etsy",
    "facebook",
    "fastly",
    "finicity",
    "finnhub",
    "flickr",
    "freshbooks",
    "gitter",
    "heroku",
    "hubspot",
    "intercom",
    "jfrog",
    "kraken",
    "kucoin",
    "launchdarkly",
    "linkedin",
    "mapbox",
    "mattermost",
    "messagebird",
    "netlify",
    "nytimes",
    "okta",
    "plaid",
    "rapidapi",
    "sendbird",
    "sentry",
    "snyk",
    "squarespace",
    "sumologic",
    "travis",
    "twilio",
    "twitch",
    "twitter",
    "zendesk",
];

/// Endings of names whose values are not the secret itself.
const OTHERS: [&str; 14] = [
    "id",
    "url",
    "uri",
    "name",
    "path",
    "file",
    "type",
    "count",
    "version",
    "length",
    "expiry",
    "endpoint",
    "max_tokens",
    "tokens",
];

/// The least entropy of a value without digits, of one with, in hundredths of a bit.
const RANDOM: u32 = 350;

/// A value shorter than that is never one.
const SHORTEST: usize = 8;
/// One that only its provider's name speaks for is longer.
const LONG: usize = 20;
/// No more of one is looked at.
const LONGEST: usize = 512;

/// The value that this sign (`=`, `:`, `>`) gives to the name before it.
pub(super) fn value(text: &[u8], at: usize) -> Option<Match> {
    let mut start = at + 1;
    start += within(text, start, 6, |b| matches!(b, b' ' | b'"' | b'\'' | b'`' | b'=' | b'>'));
    for scheme in [b"bearer ".as_slice(), b"basic ", b"token "] {
        if text.get(start..start + scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme)) {
            start += scheme.len();
        }
    }
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-_.=+/~!@#$%^&*|".contains(&b);
    let length = within(text, start, LONG, good);
    if length < SHORTEST {
        return None;
    }
    let name_end = at - text.get(..at)?.iter().rev().take_while(|b| b" \"'`:=-|?".contains(b)).take(4).count();
    let head = text.get(name_end.saturating_sub(40)..name_end)?;
    let part = |b: &&u8| b.is_ascii_alphanumeric() || b"_-. ".contains(b) || !b.is_ascii();
    let named = head.iter().rev().take_while(part).count();
    let name = head.get(head.len() - named..)?.to_ascii_lowercase();
    // An argument of a call that stands without quotes is a variable.
    let quoted = text.get(at + 1..at + 4).is_some_and(|next| next.iter().any(|b| b"\"'`".contains(b)));
    let called = head.len().checked_sub(named + 1).and_then(|place| head.get(place)) == Some(&b'(');
    let theirs = length >= LONG && holds(&name, &PROVIDERS);
    if !(theirs || holds(&name, &NAMES)) || is_of_another(&name) || (called && !quoted) {
        return None;
    }
    // A key that says itself whose it is is told by that.
    if super::table::is_prefixed(text, start) || super::known::find(text, start).is_some() {
        return None;
    }
    let value = text.get(start..start + within(text, start, LONGEST, good))?;
    let value = value.get(..value.len() - value.iter().rev().take_while(|b| b".,".contains(b)).count())?;
    is_secret(&name, value, theirs).then(|| ("credential", start..start + value.len()))
}

/// Whether one of these stands in the last words of a name: long sentences in front of a colon are prose, and only their end
/// names anything.
fn holds(name: &[u8], words: &[&str]) -> bool {
    let near = name.trim_ascii_end();
    let near = near.get(near.len().saturating_sub(24)..).unwrap_or_default();
    words.iter().any(|word| near.windows(word.len()).any(|window| window == word.as_bytes()))
}

fn is_of_another(name: &[u8]) -> bool {
    OTHERS.iter().any(|end| name.trim_ascii_end().ends_with(end.as_bytes()))
}

/// Whether what a secret's name is given is one.
fn is_secret(name: &[u8], value: &[u8], theirs: bool) -> bool {
    let count = |good: fn(&u8) -> bool| value.iter().filter(|b| good(b)).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    let upper = count(u8::is_ascii_uppercase);
    let password = name.windows(4).any(|window| window == b"pass") || name.windows(3).any(|window| window == b"pwd");
    if is_placeholder(value)
        || value.first().is_some_and(|b| b"$%#*/.".contains(b))
        || (is_uuid(value) && !(theirs && holds(name, &NAMES)))
        || is_mixed_hex(value)
    {
        return false;
    }
    if password {
        // What people choose: short, of several kinds.
        let signs = value.len() - digits - letters;
        let kinds = [digits > 0, upper > 0, upper < letters, signs > 0].into_iter().filter(|kind| *kind).count();
        return value.len() >= 8 && kinds >= 3 && entropy(value) > 250;
    }
    // Where only a provider's name speaks for it: names of pages, releases and apps have few digits.
    let plain = value.iter().all(|b| b.is_ascii_alphanumeric() || b"_-=".contains(b)) && digits * 6 >= value.len();
    if theirs && !plain && !holds(name, &NAMES) {
        return false;
    }
    // Sixteen signs cannot be as random as more of them.
    let hex = value.iter().all(u8::is_ascii_hexdigit);
    value.len() >= 16 && digits >= 2 && letters >= 2 && entropy(value) >= if hex { RANDOM - 40 } else { RANDOM }
}

/// Ids of credentials are UUIDs as often as credentials are, but for providers whose keys are.
fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36 && value.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-')
}

/// Machines write hexadecimal in one case; both at once is somebody's example.
fn is_mixed_hex(value: &[u8]) -> bool {
    let hex = value.iter().all(u8::is_ascii_hexdigit);
    hex && value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase)
}

/// Whether these last words of a text announce a secret that has not come yet.
pub(super) fn is_open(words: &[u8]) -> bool {
    let lower = words.to_ascii_lowercase();
    let has = |word: &str| lower.windows(word.len()).any(|window| window == word.as_bytes());
    NAMES.iter().any(|name| has(name)) || has("authorization") || has("curl")
}
