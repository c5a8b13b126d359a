//! The names of the objects that are open, so that none is used twice.

use super::{ErrorKind, JsonError};
use std::borrow::Cow;

/// Up to here a new name is compared with each one before it; above, all are sorted when the object
/// closes. Sorting needs no hash, so there is no hash to flood.
const FEW: usize = 16;

/// Names of all open objects, the innermost object's last.
#[derive(Default)]
pub(super) struct Names<'a> {
    open: Vec<Name<'a>>,
}

/// Ordered by the name first: of two equal ones the later in the body comes second.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name<'a> {
    text: Cow<'a, str>,
    offset: usize,
}

impl<'a> Names<'a> {
    /// Begins an object; what it returns is the object's mark.
    pub(super) fn begin(&self) -> usize {
        self.open.len()
    }

    /// Adds a name to the innermost object.
    pub(super) fn add(&mut self, mark: usize, text: Cow<'a, str>, offset: usize) -> Result<(), JsonError> {
        let before = self.open.get(mark..).unwrap_or_default();
        if before.len() < FEW && before.iter().any(|name| name.text == text) {
            return Err(duplicate(&text, offset));
        }
        self.open.push(Name { text, offset });
        Ok(())
    }

    /// Ends the innermost object.
    pub(super) fn end(&mut self, mark: usize) -> Result<(), JsonError> {
        let names = self.open.get_mut(mark..).unwrap_or_default();
        if names.len() > FEW {
            names.sort_unstable();
            let twice = names.windows(2).filter_map(|pair| match pair {
                [first, second] if first.text == second.text => Some(second),
                _ => None,
            });
            if let Some(name) = twice.min_by_key(|name| name.offset) {
                return Err(duplicate(&name.text, name.offset));
            }
        }
        self.open.truncate(mark);
        Ok(())
    }
}

fn duplicate(name: &str, offset: usize) -> JsonError {
    JsonError::new(offset, ErrorKind::DuplicateKey { name: name.to_owned() })
}
