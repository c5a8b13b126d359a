//! HTTP as the core sees it: heads, and bodies that are pulled.

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
