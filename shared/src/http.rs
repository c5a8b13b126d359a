//! HTTP as the core sees it: heads, and bodies that are pulled.

use crate::config::segment;
use std::borrow::Cow;

/// A header: lower-case name and value.
pub type Header = (Cow<'static, str>, String);

/// Status and headers of an answer to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// HTTP status.
    pub status: u16,
    /// Headers in order; names are lower case.
    pub headers: Vec<Header>,
}

impl Head {
    /// A head with a content type.
    pub fn new(status: u16, content_type: &'static str) -> Head {
        Head { status, headers: vec![(Cow::Borrowed("content-type"), content_type.to_owned())] }
    }

    /// Adds a header.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.headers.push((Cow::Borrowed(name), value.into()));
    }

    /// Whether there is a header of this name.
    pub fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other == name)
    }
}

/// Path and query of an absolute URL, the query without its question mark.
pub fn path_and_query(url: &str) -> (&str, &str) {
    let url = url.split('#').next().unwrap_or_default();
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let rest = place.split_once("://").map_or(place, |(_, rest)| rest);
    (rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"), query)
}

/// The bytes a percent-encoded text stands for (RFC 3986, section 2.1); `None` where an escape is broken.
pub fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || (bytes.next()? as char).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        out.push(u8::try_from(high << 4 | low).ok()?);
    }
    Some(out)
}

/// Percent-encoded text as it is meant; what is not properly encoded stays as it stands.
pub fn percent_decode(text: &str) -> String {
    percent_decoded(text).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| text.to_owned())
}

/// A form as it is sent (`application/x-www-form-urlencoded`), and a query as it is written.
pub fn form(members: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = members.iter().map(|(name, value)| [name, "=", &segment(value)].concat()).collect();
    pairs.join("&")
}

/// A parameter of a query, decoded.
pub fn query_parameter(query: &str, name: &str) -> Option<String> {
    query_parameters(query).find_map(|(key, value)| (key == name).then_some(value))
}

/// Every parameter of a query, decoded.
pub fn query_parameters(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    query.split('&').map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode(key), percent_decode(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_meant() {
        let form = form(&[("grant_type", "a b"), ("secret", "100%&x=y+é")]);
        assert_eq!(form, "grant_type=a%20b&secret=100%25%26x%3Dy%2B%C3%A9");
        assert_eq!(query_parameter(&form, "secret").as_deref(), Some("100%&x=y+é"));
    }

    #[test]
    fn the_path_is_what_lies_between_host_and_query() {
        for (url, path, query) in [
            ("https://gateway.example/v1/messages?beta=true&a=b?c#d", "/v1/messages", "beta=true&a=b?c"),
            ("http://127.0.0.1:8787", "/", ""),
            ("http://127.0.0.1:8787?a=/b://c", "/", "a=/b://c"),
            ("http://127.0.0.1:8787/a%2fb#c?d", "/a%2fb", ""),
        ] {
            assert_eq!(path_and_query(url), (path, query), "{url}");
        }
    }

    #[test]
    fn a_parameter_is_found_and_decoded() {
        assert_eq!(query_parameter("a=1&key=sk%2Dsb&key=2", "key").as_deref(), Some("sk-sb"));
        assert_eq!((query_parameter("akey=1", "key"), query_parameter("key", "key").as_deref()), (None, Some("")));
    }
}
