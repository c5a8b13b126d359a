//! Definitions as a model reads them: one block, the same for the same versions.

use super::Definition;
use crate::units::Timestamp;

/// How the block begins.
const HEAD: &str = "Governed definitions. Where a term below is used, it means exactly this.";

/// What a definition adds to the block. One whose certification has ended says so.
pub(super) fn entry(definition: &Definition, now: Timestamp) -> String {
    let mut text = format!("\n\n[{}] {}", definition.name(), definition.term());
    let others = definition.terms.get(1..).unwrap_or_default();
    if !others.is_empty() {
        text.push_str(&format!(" (also {})", others.join(", ")));
    }
    text.push_str(": ");
    text.push_str(definition.text.trim());
    if let Some(day) = definition.ended(now) {
        text.push_str(&format!("\n(Its certification ended on {day}: say so where you rely on it.)"));
    }
    text
}

/// The block of these entries, in their order.
pub(super) fn block(entries: &[String]) -> String {
    let mut block = HEAD.to_owned();
    entries.iter().for_each(|entry| block.push_str(entry));
    block
}

/// The bytes of a block without entries.
pub(super) const EMPTY: usize = HEAD.len();
