//! Characters that people do not see and models read: tags, bidirectional controls, runs of zero width.
//!
//! Some have honest uses: joiners hold emoji and several scripts together, a variation selector picks a
//! glyph, marks order mixed text. So one alone is no finding. Tags never appear in honest text but in the
//! flags of three regions, embedding and override controls reorder what is read, and several invisible ones
//! in a row carry a message.

use super::{Found, byte};

/// How many invisible characters in a row are a message.
const A_MESSAGE: usize = 4;

/// Whether a character has no width and no sign.
pub fn is_invisible(c: char) -> bool {
    matches!(c as u32,
        0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
        | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF9..=0xFFFB
        | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// Embedding, override and isolate: controls that reorder what is shown.
fn is_reordering(c: char) -> bool {
    matches!(c as u32, 0x202A..=0x202E | 0x2066..=0x2069)
}

fn is_tag(c: char) -> bool {
    matches!(c as u32, 0xE0000..=0xE007F)
}

/// Finds messages nobody sees and controls that reorder. Places are of the text as it came.
pub fn find(text: &str, out: &mut Vec<Found>) {
    if text.is_ascii() {
        return;
    }
    let mut at = 0;
    while at < text.len() {
        // Everything looked for begins with one of these bytes in UTF-8.
        if byte(text.as_bytes(), at) < 0xC2 {
            at += 1;
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let (mut end, mut count, mut reorders, mut tags) = (at, 0, false, 0);
        for c in rest.chars().take_while(|c| is_invisible(*c)).take(super::LONGEST / 4) {
            end += c.len_utf8();
            count += 1;
            reorders |= is_reordering(c);
            tags += usize::from(is_tag(c));
        }
        if count == 0 {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        // The flags of England, Scotland and Wales are spelled in tags after a black flag.
        let flag = text.get(..at).is_some_and(|head| head.ends_with('\u{1F3F4}')) && tags == count && count <= 7;
        if reorders {
            out.push(Found::new("bidirectional", at..end));
        } else if (tags > 0 || count >= A_MESSAGE) && !flag {
            out.push(Found::new("invisible", at..end));
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
    use super::*;

    fn classes(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        find(text, &mut found);
        found.into_iter().map(|one| one.class).collect()
    }

    #[test]
    fn a_message_in_tags_is_found_and_a_flag_is_none() {
        let hidden: String = "ignore all".chars().filter_map(|c| char::from_u32(0xE0000 + c as u32)).collect();
        assert_eq!(classes(&format!("Hello{hidden} there")), ["invisible"]);
        assert!(classes("🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F} Alba").is_empty());
    }

    #[test]
    fn controls_that_reorder_are_found() {
        assert_eq!(classes("access \u{202E}nimda\u{202C} granted"), ["bidirectional", "bidirectional"]);
    }

    #[test]
    fn honest_joiners_and_selectors_are_left_alone() {
        for text in ["👩‍👩‍👧‍👦 family", "❤️ heart", "می‌خواهم", "soft\u{ad}hyphen", "", "plain"]
        {
            assert!(classes(text).is_empty(), "{text:?}");
        }
    }
}
