//! What is wrong with a configuration document, said so that it can be put right at once.
//!
//! A problem names keys, types and limits, never the offending value: the value may be a secret
//! that was written where a reference belongs.

use serde::Serialize;
use std::fmt;

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where: `teams.payments.budgets[1].per`, `line 3, column 7`, or a binding's name.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.path, self.message, self.hint)
    }
}

/// A document that is refused, with everything that is wrong with it. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invalid {
    /// The problems, in the order of the document; those between sections come last.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is refused")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl std::error::Error for Invalid {}

/// A place in a document and the list its problems are added to.
pub(super) struct At<'p> {
    path: String,
    problems: &'p mut Vec<Problem>,
}

impl<'p> At<'p> {
    /// The whole document.
    pub(super) fn root(problems: &'p mut Vec<Problem>) -> At<'p> {
        At { path: String::new(), problems }
    }

    /// A member of the table here.
    // Not inlined, as much of this module: documents are read rarely, and copies of this code are bytes to load.
    #[inline(never)]
    pub(super) fn key(&mut self, key: &str) -> At<'_> {
        let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = if bare { format!("{}{dot}{key}", self.path) } else { format!("{}{dot}{key:?}", self.path) };
        At { path, problems: self.problems }
    }

    /// The same place.
    pub(super) fn here(&mut self) -> At<'_> {
        At { path: self.path.clone(), problems: self.problems }
    }

    /// An element of the list here.
    #[inline(never)]
    pub(super) fn index(&mut self, index: usize) -> At<'_> {
        At { path: format!("{}[{index}]", self.path), problems: self.problems }
    }

    /// Whether a problem is recorded at exactly this place.
    pub(super) fn is_told(&self) -> bool {
        self.problems.iter().any(|problem| problem.path == self.path)
    }

    /// Records a problem here.
    #[inline(never)]
    #[cold]
    pub(super) fn problem(&mut self, message: &str, hint: &str) {
        let path = if self.path.is_empty() { "document".to_owned() } else { self.path.clone() };
        self.problems.push(Problem { path, message: message.to_owned(), hint: hint.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_path_quotes_keys_that_are_not_bare() {
        let mut problems = Vec::new();
        At::root(&mut problems).key("models").key("acme:large").key("list").index(2).problem("wrong", "right");
        At::root(&mut problems).problem("wrong", "right");
        At::root(&mut problems).key("a\r\nb").problem("wrong", "right");
        assert_eq!(problems[0].path, "models.\"acme:large\".list[2]");
        assert_eq!(problems[1].path, "document");
        assert_eq!(problems[2].path, "\"a\\r\\nb\"");
    }
}
