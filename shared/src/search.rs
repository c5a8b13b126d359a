//! Finding a word in bytes by where its first byte stands. What is searched here is short, or searched once: a search that prepares itself would
//! begin later, and has four ways to go on.

use memchr::{memchr_iter, memrchr_iter};

/// Where a word stands first.
pub(crate) fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr_iter(*word.first()?, text).find(|at| is_at(text, *at, word))
}

/// Where a word stands last.
pub(crate) fn rfind(text: &[u8], word: &[u8]) -> Option<usize> {
    memrchr_iter(*word.first()?, text).find(|at| is_at(text, *at, word))
}

fn is_at(text: &[u8], at: usize, word: &[u8]) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_from_either_end_and_only_whole() {
        let text = b"--a-b--b-";
        assert_eq!((find(text, b"-b"), rfind(text, b"-b")), (Some(3), Some(6)));
        assert_eq!((find(text, b"b--b--"), rfind(text, b"c")), (None, None));
        assert_eq!((find(text, b""), find(b"", b"a")), (None, None));
    }
}
