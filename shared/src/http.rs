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
