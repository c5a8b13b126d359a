//! The members of an object in the order in which a struct has its fields.
//!
//! serde has every struct compile a loop over an object's names, with a comparison for each of its own. Here names are compared once for
//! all structs: each is given its fields one after the other, as if it were an array, and its code is a list of their types. What
//! stands in that order is read in one pass; a member that stands before its turn is passed over, and read when that comes.

use super::ReadError;
use super::cursor::{Cursor, Inside};
use serde::de::Error;
use std::mem::replace;

/// What is left to read of a struct.
pub(super) struct Fields<'c, 'de> {
    members: Inside<'c, 'de>,
    names: &'static [&'static str],
    /// How many fields were asked for.
    asked: usize,
    /// Fields that stood before their turn, and where their values begin.
    early: Vec<(usize, usize)>,
    /// Where the members go on, while a field is read that stood before its turn.
    resume: Option<usize>,
    /// What is read in place of the field that was asked for last, when it is not there.
    absent: Option<Cursor<'de>>,
}

impl<'c, 'de> Fields<'c, 'de> {
    /// Enters an object by its opening brace.
    pub(super) fn enter(
        cursor: &'c mut Cursor<'de>,
        names: &'static [&'static str],
    ) -> Result<Fields<'c, 'de>, ReadError> {
        let members = Inside::enter(cursor, b'{')?;
        Ok(Fields { members, names, asked: 0, early: Vec::new(), resume: None, absent: None })
    }

    /// Goes to the value of the next field, or to the absence of one.
    pub(super) fn next(&mut self) -> Result<&mut Cursor<'de>, ReadError> {
        let wanted = self.asked;
        self.asked += 1;
        self.absent = None;
        self.go_on();
        if let Some((_, at)) = self.early.iter().find(|(field, _)| *field == wanted) {
            self.resume = Some(replace(&mut self.members.cursor.at, *at));
        } else if !self.seek(wanted)? {
            return Ok(self.absent.insert(Cursor::absent()));
        }
        Ok(&mut *self.members.cursor)
    }

    /// Whether the field that was asked for last is not there.
    pub(super) fn is_absent(&self) -> bool {
        self.absent.is_some()
    }

    /// Back to the members, where they were left for one that stood before its turn.
    fn go_on(&mut self) {
        if let Some(at) = self.resume.take() {
            self.members.cursor.at = at;
        }
    }

    /// Passes over members up to the value of a field.
    fn seek(&mut self, wanted: usize) -> Result<bool, ReadError> {
        while let Some(name) = self.members.name()? {
            let cursor = &mut *self.members.cursor;
            let field = self.names.iter().position(|known| *known == name);
            if let Some(field) = field
                && (field < wanted || self.early.iter().any(|(early, _)| *early == field))
            {
                return Err(ReadError::duplicate_field(self.names.get(field).copied().unwrap_or_default()));
            }
            cursor.colon()?;
            if field == Some(wanted) {
                return Ok(true);
            }
            self.early.extend(field.map(|field| (field, cursor.at)));
            cursor.skip()?;
        }
        Ok(false)
    }

    /// Leaves the object: what is left is nobody's.
    pub(super) fn leave(mut self) -> Result<(), ReadError> {
        self.go_on();
        self.seek(self.names.len()).map(drop)
    }

    /// Why the struct cannot be had: for want of the last field it asked for, if that is not there.
    pub(super) fn refused(&self, error: ReadError) -> ReadError {
        match self.names.get(self.asked.wrapping_sub(1)) {
            Some(name) if self.is_absent() => ReadError::missing_field(name),
            Some(_) | None => error,
        }
    }
}
