//! How much of a prompt is read: its beginning and its end, by measurement enough to judge it by.

/// Bytes read from the beginning.
pub const HEAD: usize = 6 * 1_024;
/// Bytes read from the end.
pub const TAIL: usize = 2 * 1_024;

/// The part of a text that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    /// The beginning: at most [`HEAD`] bytes, or the whole of a text no longer than both together.
    pub head: &'a str,
    /// The end of a longer text: at most [`TAIL`] bytes.
    pub tail: &'a str,
    /// Bytes of the whole text.
    pub bytes: usize,
}

impl<'a> Sample<'a> {
    /// The sample of a text, cut between characters.
    pub fn of(text: &'a str) -> Sample<'a> {
        if text.len() <= HEAD + TAIL {
            return Sample { head: text, tail: "", bytes: text.len() };
        }
        let end = (0..=HEAD).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let start = (text.len() - TAIL..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        Sample { head: text.get(..end).unwrap_or(""), tail: text.get(start..).unwrap_or(""), bytes: text.len() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_read_whole() {
        assert_eq!(Sample::of("Why?"), Sample { head: "Why?", tail: "", bytes: 4 });
    }

    #[test]
    fn a_long_text_is_read_at_both_ends_and_cut_between_characters() {
        let text = "é".repeat(100_000);
        let sample = Sample::of(&text);
        assert_eq!((sample.head.len(), sample.tail.len(), sample.bytes), (HEAD, TAIL, 200_000));
        let odd = format!("x{text}");
        let sample = Sample::of(&odd);
        assert_eq!((sample.head.len(), sample.tail.len()), (HEAD - 1, TAIL));
    }
}
