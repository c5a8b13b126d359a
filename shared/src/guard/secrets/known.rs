//! Credentials that are told by where they stand: in addresses, in commands, in tokens of several parts.

use super::{Match, entropy, is_placeholder};
use crate::guard::{byte, run, within};
use crate::search;

/// What begins here.
pub(super) fn find(text: &[u8], at: usize) -> Option<Match> {
    match byte(text, at) {
        b'e' => token(text, at),
        b'd' => hook(text, at),
        b'h' | b'p' | b'm' | b'r' | b'a' | b'w' | b'f' => address(text, at).or_else(|| hook(text, at)),
        b'c' => command(text, at),
        b't' => service_account(text, at),
        b'0'..=b'9' => facebook(text, at),
        _ => None,
    }
}

/// The longest head of a token, in base64: another could begin behind every sign within it.
const LONGEST_HEAD: usize = 1024;

/// A JSON Web Token (RFC 7519): three parts, of which the first two begin as JSON objects do.
fn token(text: &[u8], at: usize) -> Option<Match> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    if !text.get(at..)?.starts_with(b"eyJ") {
        return None;
    }
    let head = within(text, at, LONGEST_HEAD, good);
    if head < 17 || byte(text, at + head) != b'.' {
        return None;
    }
    let middle = at + head + 1;
    if !text.get(middle..)?.starts_with(b"ey") {
        return None;
    }
    let claims = run(text, middle, good);
    if claims < 17 || byte(text, middle + claims) != b'.' {
        return None;
    }
    let last = middle + claims + 1;
    let signature = run(text, last, good);
    (signature >= 10).then(|| ("jwt", at..(last + signature).min(at + crate::guard::LONGEST)))
}

/// `scheme://user:password@host`: the password and what it is for.
fn address(text: &[u8], at: usize) -> Option<Match> {
    let scheme = within(text, at, 24, |b| b.is_ascii_alphanumeric() || b"+.".contains(&b));
    let rest = text.get(at + scheme..)?.strip_prefix(b"://")?;
    let length = within(rest, 0, 256, |b| b.is_ascii_graphic() && !b"/?#\"'<>".contains(&b));
    let authority = rest.get(..length)?;
    let sign = authority.iter().rposition(|b| *b == b'@')?;
    let (user, password) = authority.get(..sign)?.split_at(authority.iter().position(|b| *b == b':')?.min(sign));
    let password = password.get(1..)?;
    let good = password.len() >= 4
        && password != user
        && !is_placeholder(password)
        && !is_common(password)
        && password.first() != Some(&b'$');
    let start = at + scheme + 3;
    good.then(|| ("url_password", start..start + sign))
}

/// An address that is itself the credential: whoever has it may post.
fn hook(text: &[u8], at: usize) -> Option<Match> {
    const HOSTS: [(&[u8], usize); 4] = [
        (b"hooks.slack.com/services/", 40),
        (b"hooks.slack.com/workflows/", 40),
        (b"hooks.slack.com/triggers/", 40),
        (b"discord.com/api/webhooks/", 60),
    ];
    let rest = text.get(at..)?;
    let (host, least) = HOSTS.iter().find(|(host, _)| rest.starts_with(host))?;
    let path = run(rest, host.len(), |b| b.is_ascii_alphanumeric() || b"/_-".contains(&b));
    (path >= *least && entropy(rest.get(host.len()..host.len() + path)?) > 350)
        .then(|| ("webhook_url", at..at + host.len() + path))
}

/// `curl -u user:password`, `curl -H 'Authorization: …'`.
fn command(text: &[u8], at: usize) -> Option<Match> {
    let rest = text.get(at..text.len().min(at + 512))?;
    if !rest.starts_with(b"curl") || byte(rest, 4).is_ascii_alphanumeric() {
        return None;
    }
    let line = rest.get(..rest.windows(2).position(|pair| pair == b"\n\n").unwrap_or(rest.len()))?;
    // Up to another, which is looked at by itself.
    let line = line.get(..search::find(line.get(4..)?, b"curl").map_or(line.len(), |next| next + 4))?;
    user(line).or_else(|| header(line)).map(|range| ("curl_credential", at + range.start..at + range.end))
}

fn user(line: &[u8]) -> Option<std::ops::Range<usize>> {
    let after =
        |flag: &[u8]| line.windows(flag.len()).position(|window| window == flag).map(|place| place + flag.len());
    let mut at = after(b" -u ").or_else(|| after(b" --user ")).or_else(|| after(b" --user="))?;
    at += run(line, at, |b| b" \"'".contains(&b));
    let length = run(line, at, |b| b.is_ascii_graphic() && b != b'"' && b != b'\'');
    let value = line.get(at..at + length)?;
    let (user, password) = value.split_at(value.iter().position(|b| *b == b':')?);
    let password = password.get(1..)?;
    let plain = password.len() >= 4 && password != user && password.first().is_some_and(|b| !b"$<[{".contains(b));
    (plain && user.first() != Some(&b'<') && !is_placeholder(password)).then_some(at..at + length)
}

fn header(line: &[u8]) -> Option<std::ops::Range<usize>> {
    const NAME: &[u8] = b"authorization:";
    let mut at = line.windows(NAME.len()).position(|window| window.eq_ignore_ascii_case(NAME))? + NAME.len();
    at += run(line, at, |b| b == b' ');
    for scheme in [b"bearer ".as_slice(), b"basic ", b"token ", b"apikey "] {
        if line.get(at..at + scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme)) {
            at += scheme.len();
        }
    }
    at += run(line, at, |b| b == b' ');
    let length = run(line, at, |b| b.is_ascii_alphanumeric() || b"-_.~+/=".contains(&b));
    let value = line.get(at..at + length)?;
    (length >= 16 && value.iter().any(u8::is_ascii_digit) && entropy(value) > 250 && !is_placeholder(value))
        .then_some(at..at + length)
}

/// The key file of a Google service account.
fn service_account(text: &[u8], at: usize) -> Option<Match> {
    let rest = text.get(at..text.len().min(at + 40))?;
    if !rest.starts_with(b"type\"") {
        return None;
    }
    let compact: Vec<u8> = rest.iter().filter(|b| !b.is_ascii_whitespace()).copied().collect();
    compact.starts_with(b"type\":\"service_account\"").then_some(())?;
    let length = rest.windows(15).position(|window| window == b"service_account")? + 15;
    Some(("gcp_service_account", at..at + length))
}

/// Facebook's application token: number, sign, secret.
fn facebook(text: &[u8], at: usize) -> Option<Match> {
    let digits = run(text, at, |b| b.is_ascii_digit());
    if !(15..=16).contains(&digits) || !b"|%".contains(&byte(text, at + digits)) {
        return None;
    }
    let secret = run(text, at + digits + 1, |b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    (27..=40).contains(&secret).then(|| ("facebook_token", at..at + digits + 1 + secret))
}

/// Passwords of tutorials.
fn is_common(password: &[u8]) -> bool {
    ["password", "pass", "secret", "postgres", "root", "test", "guest", "admin", "user", "pwd", "token"]
        .iter()
        .any(|word| password.eq_ignore_ascii_case(word.as_bytes()))
}
