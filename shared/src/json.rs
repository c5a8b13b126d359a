//! Reading JSON strictly before anything believes it.
//!
//! A gateway decides by what a body says and then forwards it: gateway and provider must read the
//! same thing. [`scan`] therefore accepts exactly the texts of RFC 8259 whose meaning nobody
//! disputes, in one pass without recursion, and tells where the members of the object lie, so that
//! [`Edits`] and [`splice`] can change one and leave every other byte alone.
//!
//! Where the RFC leaves the choice to the reader:
//!
//! | in the body | here | because |
//! |---|---|---|
//! | the same name twice in one object, however spelled | refused | readers disagree which one counts |
//! | an escape for half a surrogate pair | refused | it is no character; readers disagree what it becomes |
//! | bytes that are not UTF-8, UTF-16, a byte order mark | refused | RFC 8259, section 8.1 |
//! | nesting above [`Limits::depth`] | refused | readers behind us recurse |
//! | numbers of any size and precision | accepted | nothing is converted, the digits are forwarded |
//! | U+FFFE, U+FFFF, escaped U+0000 | accepted | they are code points like others |
//!
//! Cost: linear in the length of the body, `n log n` in the members of a large object.

mod build;
mod cursor;
mod de;
mod edit;
mod error;
mod fields;
mod float;
mod names;
mod read;
mod scanner;
pub mod strings;
mod tree;

pub(crate) use build::{add, items, json, members, put, value};
pub use edit::{Edits, splice};
pub use error::{ErrorKind, JsonError};
pub(crate) use float::float;
pub use read::{ReadError, parse, read, text};
pub use tree::{any, object, strict_tree, tree};

use std::borrow::Cow;
use std::ops::Range;

/// What a body may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many objects and arrays may be open at once.
    pub depth: usize,
}

impl Default for Limits {
    /// 127 levels: the most serde_json reads by default, so that what is let in can be read by all
    /// that comes after; far above what any dialect needs.
    fn default() -> Limits {
        Limits { depth: 127 }
    }
}

/// A member of the object at the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name, escapes decoded.
    pub name: Cow<'a, str>,
    /// Where in the body it begins: at the opening quote of its name.
    pub start: usize,
    /// Where in the body its value lies, without white space around.
    pub value: Range<usize>,
}

/// A body that has been read and found to be a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    body: &'a str,
    members: Vec<Member<'a>>,
    /// Just after the opening brace.
    inside: usize,
}

impl<'a> Document<'a> {
    /// The body, every byte of it.
    pub fn body(&self) -> &'a str {
        self.body
    }

    /// The members of the object at the top, as they stand.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member<'a>> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The value of the member of this name, as JSON text.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.body.get(self.member(name)?.value.clone())
    }
}

/// Reads a body whole and strictly. Errors name the first byte that cannot be accepted; a repeated
/// name in an object of more than a few members is told at the object's end.
pub fn scan<'a>(body: &'a [u8], limits: &Limits) -> Result<Document<'a>, JsonError> {
    let text = str::from_utf8(body).map_err(|e| JsonError::new(e.valid_up_to(), ErrorKind::NotUtf8))?;
    scanner::Scanner::new(text, limits).document()
}

#[cfg(test)]
mod tests;
