//! Texts that are longer than a record: in parts on one shelf, under a name that is used once.
//!
//! A part never changes, so nobody ever reads half of one text and half of another. One that is missing, because it was not
//! written or has expired, is a text that is missing.

use crate::ports::{Records, StoreError};
use crate::records::Write;
use crate::units::Timestamp;

/// Bytes of a part: with what may stand before it, what every store takes as a record.
const PART: usize = 240 * 1024;
/// Parts that are written in one change: stores bound how much that may be.
const AT_ONCE: usize = 8;

/// The record of a part.
pub(super) fn name(of: &str, number: usize) -> String {
    format!("{of}/{number:04}")
}

/// Where the first part of a text ends: at a whole character.
pub(super) fn first(text: &str) -> usize {
    (0..=text.len().min(PART)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}

/// Writes a text; tells in how many parts.
pub(super) async fn write(
    ports: &impl Records,
    shelf: &str,
    of: &str,
    text: &str,
    until: Option<Timestamp>,
) -> Result<usize, StoreError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(first(rest));
        parts.push(Write { expires_at: until, ..Write::put(name(of, parts.len()), part) });
        rest = after;
    }
    let count = parts.len();
    while !parts.is_empty() {
        let later = parts.split_off(parts.len().min(AT_ONCE));
        ports.write_records(shelf, parts).await?;
        parts = later;
    }
    Ok(count)
}

/// Reads a text of so many parts; `None` where one of them is missing.
pub(super) async fn read(
    ports: &impl Records,
    shelf: &str,
    of: &str,
    count: usize,
) -> Result<Option<String>, StoreError> {
    let mut text = String::new();
    for number in 0..count {
        let Some(part) = ports.read_record(shelf, &name(of, number)).await? else { return Ok(None) };
        text.push_str(&part.value);
    }
    Ok(Some(text))
}
