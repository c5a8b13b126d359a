//! Placeholders, and what they stand for.
//!
//! Numbered by the first appearance in the request. A conversation is sent whole with every turn, so its
//! beginning, and with it every number, is the same each time; nothing is stored between requests.

use crate::sorted::SortedMap;
use std::collections::BTreeMap;

/// What stands for what, in one request. A request may hold a hundred thousand addresses, hence the trees.
#[derive(Debug, Default)]
pub(super) struct Masks {
    /// The placeholder of each value, behind its class.
    known: BTreeMap<String, String>,
    counts: SortedMap<String, usize>,
    /// What placeholders the caller gets replaced.
    originals: BTreeMap<String, String>,
}

/// The longest placeholder: a class, a number, brackets.
const LONGEST: usize = 48;
/// Nobody has so many placeholders, or so many classes of them: what says so is no placeholder.
const HIGHEST: usize = 100_000;
const CLASSES: usize = 256;

impl Masks {
    /// The placeholder of a value: `[EMAIL_1]`. `value` is what was meant, `original` how it was written.
    pub(super) fn placeholder(&mut self, class: &str, value: &str, original: &str, restore: bool) -> String {
        let class = class.to_ascii_uppercase();
        let name = [&class, " ", value].concat();
        let placeholder = match self.known.get(&name) {
            Some(placeholder) => placeholder.clone(),
            None => {
                let count = self.counts.entry(class.clone()).or_insert(0);
                *count += 1;
                let placeholder = format!("[{class}_{count}]");
                self.known.insert(name, placeholder.clone());
                placeholder
            }
        };
        if restore {
            self.originals.entry(placeholder.clone()).or_insert_with(|| original.to_owned());
        }
        placeholder
    }

    /// Placeholders that stand in a text of the request already are somebody's whom an earlier answer named: whoever comes
    /// after them gets another number.
    pub(super) fn keep_clear_of(&mut self, text: &str) {
        for tail in text.split('[').skip(1) {
            let Some((class, number)) = tail.split_once(']').and_then(|(name, _)| name.rsplit_once('_')) else {
                continue;
            };
            let named = class.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            let number = number.parse::<usize>().ok().filter(|number| *number <= HIGHEST);
            let Some(number) = number.filter(|_| named && class.len() < LONGEST) else { continue };
            if self.counts.len() < CLASSES || self.counts.contains_key(class) {
                let count = self.counts.entry(class.to_owned()).or_insert(0);
                *count = number.max(*count);
            }
        }
    }

    /// The text with what placeholders stand for. In JSON source what is put in is escaped.
    pub(super) fn restored(&self, text: &str, json: bool) -> String {
        if self.originals.is_empty() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((head, tail)) = rest.split_once('[') {
            out.push_str(head);
            let found = tail.bytes().take(LONGEST).position(|b| b == b']').and_then(|end| {
                let name = tail.get(..end)?;
                Some((self.originals.get(&format!("[{name}]"))?, end + 1))
            });
            match found {
                Some((original, length)) => {
                    match json {
                        true => {
                            let quoted = serde_json::Value::from(original.as_str()).to_string();
                            out.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
                        }
                        false => out.push_str(original),
                    }
                    rest = tail.get(length..).unwrap_or_default();
                }
                None => {
                    out.push('[');
                    rest = tail;
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// From where on a text could still become a placeholder.
    pub(super) fn unfinished(&self, text: &str) -> usize {
        let open = text.rfind('[').filter(|open| !self.originals.is_empty() && text.len() - open < LONGEST);
        let begun = open.filter(|open| {
            let tail = text.get(open + 1..).unwrap_or_default();
            tail.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        });
        begun.unwrap_or(text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_placeholder_and_another_has_another() {
        let mut masks = Masks::default();
        assert_eq!(masks.placeholder("email", "a@b.org", "a@b.org", true), "[EMAIL_1]");
        assert_eq!(masks.placeholder("email", "c@d.org", "c@d.org", true), "[EMAIL_2]");
        assert_eq!(masks.placeholder("email", "a@b.org", "a@b.org", true), "[EMAIL_1]");
        assert_eq!(masks.placeholder("phone", "a@b.org", "a@b.org", false), "[PHONE_1]");
        assert_eq!(
            masks.restored("To [EMAIL_2] and [EMAIL_9] [x] [PHONE_1]", false),
            "To c@d.org and [EMAIL_9] [x] [PHONE_1]"
        );
    }

    #[test]
    fn a_number_that_stands_in_the_conversation_is_given_to_nobody_else() {
        let mut masks = Masks::default();
        assert_eq!(masks.placeholder("email", "a@b.org", "a@b.org", true), "[EMAIL_1]");
        masks.keep_clear_of("[[EMAIL_1] and [EMAIL_2]] [EMAIL_x] [EMAIL_99999999999999999999] [PHONE_7");
        assert_eq!(masks.placeholder("email", "c@d.org", "c@d.org", true), "[EMAIL_3]");
        assert_eq!(masks.placeholder("email", "a@b.org", "a@b.org", true), "[EMAIL_1]");
        assert_eq!(masks.placeholder("phone", "1", "1", true), "[PHONE_1]");
    }

    #[test]
    fn what_is_put_into_json_is_escaped() {
        let mut masks = Masks::default();
        masks.placeholder("term", "a\"b", "a\"b", true);
        assert_eq!(masks.restored(r#"{"x":"[TERM_1]"}"#, true), r#"{"x":"a\"b"}"#);
    }

    #[test]
    fn a_placeholder_under_way_is_held() {
        let mut masks = Masks::default();
        assert_eq!(masks.unfinished("see [EMA"), 8, "nothing is to be restored");
        masks.placeholder("email", "a@b.org", "a@b.org", true);
        assert_eq!(masks.unfinished("see [EMA"), 4);
        assert_eq!(masks.unfinished("see [note"), 9);
    }
}
