//! Where a provider is: an absolute HTTP URL that carries nothing but a place.

use std::fmt;
use std::net::Ipv4Addr;

/// A provider's base URL: `http` or `https`, a host, perhaps a port and a path; no credentials, no
/// query, no fragment, no trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    /// Where the path begins in `text`; `text.len()` when there is none.
    path: usize,
}

/// What [`BaseUrl::parse`] accepts as a regular expression, for the schema.
pub(super) const PATTERN: &str = "^https?://[^@?#\\s]+$";
/// The rule in words.
pub(super) const RULE: &str = "Use an absolute URL such as https://llm.example.com/v1";

impl BaseUrl {
    /// Reads a base URL; the error says what is wrong without repeating it, for it may hold a password.
    pub fn parse(text: &str) -> Result<BaseUrl, &'static str> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or("does not begin with https:// or http://")?;
        if text.len() > 2048 {
            return Err("is longer than 2048 bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
            return Err("has characters that do not belong in a URL");
        }
        if rest.contains('#') {
            return Err("has a fragment");
        }
        if rest.contains('?') {
            return Err("has a query");
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("has credentials in it");
        }
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err("has a . or .. in its path");
        }
        if !is_authority(authority) {
            return Err("has no good host and port");
        }
        let text = text.trim_end_matches('/');
        let path = text.len() - rest.trim_end_matches('/').len() + authority.len();
        Ok(BaseUrl { text: text.to_owned(), path })
    }

    /// The URL as text, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a web origin: scheme, host and port alone.
    pub(super) fn is_origin(&self) -> bool {
        self.path == self.text.len()
    }

    /// Whether traffic to it is encrypted or never leaves the machine (`localhost`, 127.0.0.0/8, `[::1]`).
    pub fn is_private(&self) -> bool {
        let Some(rest) = self.text.strip_prefix("http://") else { return true };
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit_once(':').filter(|_| !authority.ends_with(']')).map_or(authority, |(host, _)| host);
        let host = host.to_ascii_lowercase();
        host == "localhost"
            || host.ends_with(".localhost")
            || host == "[::1]"
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// The URL of an endpoint below this one.
    ///
    /// Some SDKs count the version as part of the base (`…/v1`), others as part of the path, and people
    /// follow either. So where the base ends in what the path begins with, it is not repeated:
    /// `https://host/openai/v1` and `/openai/v1/chat/completions` give `https://host/openai/v1/chat/completions`.
    pub fn join(&self, path: &str) -> String {
        let own = self.text.get(self.path..).unwrap_or_default();
        let whole_segments = |end: &usize| path.get(*end..).is_some_and(|rest| rest.starts_with('/'));
        let overlap = (1..path.len())
            .rev()
            .filter(whole_segments)
            .find(|end| path.get(..*end).is_some_and(|prefix| own.ends_with(prefix)))
            .unwrap_or(0);
        format!("{}{}", self.text, path.get(overlap..).unwrap_or_default())
    }
}

/// A text as one segment of a path: everything but RFC 3986's unreserved characters is escaped.
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    // A path's own two names for places escape nothing, but mean other places.
    if matches!(out.as_str(), "." | "..") { out.replace('.', "%2E") } else { out }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => return address.parse::<std::net::Ipv6Addr>().is_ok(),
        Some((address, port)) => {
            let Some(port) = port.strip_prefix(':') else { return false };
            return address.parse::<std::net::Ipv6Addr>().is_ok() && is_port(port);
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let host_is_good = host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        });
    host_is_good && port.is_none_or(is_port)
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_absolute_http_url_is_accepted_without_its_trailing_slash() {
        for (text, want) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1"),
            ("https://api.anthropic.com/", "https://api.anthropic.com"),
            ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
            ("http://[::1]:8080/a/b//", "http://[::1]:8080/a/b"),
            ("https://my_host-1.example:443", "https://my_host-1.example:443"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().as_str(), want);
        }
    }

    #[test]
    fn a_url_that_is_more_or_less_than_a_place_is_refused() {
        for text in [
            "",
            "api.openai.com",
            "ftp://host",
            "//host",
            "https://",
            "https:///v1",
            "https://user:pass@host",
            "https://host/#a",
            "https://host?x=1",
            "https://host/ v1",
            "https://ho st",
            "https://host:0",
            "https://host:99999",
            "https://host:+1",
            "https://host:",
            "https://[::1",
            "https://[zz]",
            "https://[::1]x",
            "https://a..b",
            "https://host/../x",
            "https://host\\@evil",
            "https://h\u{f6}st",
        ] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_loopback_is_private_over_plain_http() {
        for (text, want) in [
            ("https://example.com", true),
            ("http://localhost:1", true),
            ("http://a.localhost", true),
            ("http://LOCALHOST/x", true),
            ("http://127.9.9.9/x", true),
            ("http://[::1]", true),
            ("http://[::1]:80/", true),
            ("http://example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://10.0.0.1", false),
            ("http://[::2]", false),
            ("http://notlocalhost", false),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().is_private(), want, "{text}");
        }
    }

    #[test]
    fn a_version_that_both_base_and_path_name_is_written_once() {
        for (base, path, want) in [
            ("https://h/v1", "/chat/completions", "https://h/v1/chat/completions"),
            ("https://h", "/v1/messages", "https://h/v1/messages"),
            ("https://h/v1", "/v1/messages", "https://h/v1/messages"),
            ("https://h/openai/v1/", "/openai/v1/chat/completions", "https://h/openai/v1/chat/completions"),
            ("https://h/openai", "/openai/v1/chat/completions", "https://h/openai/v1/chat/completions"),
            ("https://h/xv1", "/v1/messages", "https://h/xv1/v1/messages"),
            ("https://h.v1", "/v1/messages", "https://h.v1/v1/messages"),
        ] {
            assert_eq!(BaseUrl::parse(base).unwrap().join(path), want);
        }
    }
}
