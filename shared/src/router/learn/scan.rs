//! One pass over the bytes of a prompt: its marks counted, its word 1- and 2-grams hashed.
//!
//! It never allocates and reads a bounded [`Sample`], so that a prompt of 100,000 tokens costs what one
//! of 2,000 costs. It understands nothing: what the counts mean is for the models behind it.

use super::lexicon::{Lexicon, WORD_LIMIT, WordHash};
use super::mark::Mark;
use super::sample::Sample;

/// How many buckets n-grams are hashed to.
pub const BUCKETS: usize = 4_096;
const BITS: usize = 64;

/// What a scan found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    counts: [u32; Mark::COUNT],
    grams: Grams,
}

/// Which buckets the word 1- and 2-grams of a text fall into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grams([u64; BUCKETS / BITS]);

impl Grams {
    /// No n-gram at all.
    pub const NONE: Grams = Grams([0; BUCKETS / BITS]);

    /// Adds the n-gram with this hash.
    pub(super) fn add(&mut self, hash: u32) {
        // The high bits of a product are its best mixed ones.
        let bucket = (hash.wrapping_mul(0x9e37_79b1) >> 20) as usize % BUCKETS;
        if let Some(word) = self.0.get_mut(bucket / BITS) {
            *word |= 1 << (bucket % BITS);
        }
    }

    /// The buckets, ascending.
    pub fn buckets(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                (bit < BITS).then_some(index * BITS + bit)
            })
        })
    }

    /// How many buckets are taken.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether there was no word.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Scan {
    /// How often a mark was seen.
    pub fn count(&self, mark: Mark) -> u32 {
        self.counts.get(mark as usize).copied().unwrap_or(0)
    }

    /// How often, of a thousand words.
    pub fn per_mille(&self, mark: Mark) -> u32 {
        self.count(mark).saturating_mul(1_000) / self.count(Mark::Words).max(1)
    }

    /// The hashed n-grams.
    pub fn grams(&self) -> &Grams {
        &self.grams
    }

    /// Reads a sample.
    pub fn of(sample: Sample<'_>, lexicon: &Lexicon) -> Scan {
        let mut scanner = Scanner {
            lexicon,
            scan: Scan { counts: [0; Mark::COUNT], grams: Grams::NONE },
            word: Word::default(),
            previous: WordHash::START,
            line: Line::Start,
            last: b'\n',
            run: 0,
        };
        for part in [sample.head, sample.tail].into_iter().filter(|part| !part.is_empty()) {
            part.bytes().for_each(|byte| scanner.byte(byte));
            // The two ends do not touch: no n-gram spans the gap.
            scanner.byte(b'\n');
            scanner.previous = WordHash::START;
        }
        scanner.scan.add(Mark::Bytes, u32::try_from(sample.bytes).unwrap_or(u32::MAX));
        scanner.scan
    }

    fn add(&mut self, mark: Mark, by: u32) {
        if let Some(count) = self.counts.get_mut(mark as usize) {
            *count = count.saturating_add(by);
        }
    }
}

/// Where in a line the scanner is: only its beginning tells an item from a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Start,
    /// One letter, perhaps behind a parenthesis, was all so far.
    Letter,
    /// Digits were all so far.
    Digits,
    Inside,
}

/// The run of letters or digits being read.
#[derive(Clone, Copy, Debug)]
struct Word {
    hash: WordHash,
    length: usize,
    letters: usize,
    capitals: usize,
    first_capital: bool,
    digits: usize,
    joints: usize,
}

impl Default for Word {
    fn default() -> Word {
        Word { hash: WordHash::START, length: 0, letters: 0, capitals: 0, first_capital: false, digits: 0, joints: 0 }
    }
}

struct Scanner<'a> {
    lexicon: &'a Lexicon,
    scan: Scan,
    word: Word,
    previous: WordHash,
    line: Line,
    last: u8,
    /// How often the last byte has been repeated.
    run: u32,
}

impl Scanner<'_> {
    fn byte(&mut self, byte: u8) {
        self.run = if byte == self.last { self.run + 1 } else { 0 };
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0x80.. => self.inside_word(byte),
            // An apostrophe belongs to a word it stands within.
            b'\'' if self.word.letters > 0 => self.inside_word(byte),
            b'.' | b',' if self.word.digits > 0 && self.word.letters == 0 => {
                self.word.joints += usize::from(byte == b'.');
                self.start_of_line(byte);
            }
            _ => self.between_words(byte),
        }
        self.last = byte;
    }

    fn inside_word(&mut self, byte: u8) {
        if self.line == Line::Start {
            self.line = if byte.is_ascii_digit() { Line::Digits } else { Line::Letter };
        } else if !(self.line == Line::Digits && byte.is_ascii_digit()) {
            self.line = Line::Inside;
        }
        let word = &mut self.word;
        if word.length < WORD_LIMIT {
            word.hash = word.hash.add(byte);
        }
        match byte {
            b'0'..=b'9' => word.digits += 1,
            b'_' => {
                word.joints += 1;
                if self.run == 2 {
                    self.scan.add(Mark::Gaps, 1);
                }
            }
            0x80.. => {
                word.letters += 1;
                self.scan.add(Mark::Foreign, 1);
            }
            b'A'..=b'Z' => {
                word.first_capital |= word.length == 0;
                word.joints += usize::from(word.letters > word.capitals);
                word.capitals += 1;
                word.letters += 1;
            }
            _ => word.letters += 1,
        }
        self.word.length += 1;
    }

    fn between_words(&mut self, byte: u8) {
        let ended = self.end_word(byte);
        let mark = match byte {
            b'\n' => Some(Mark::Lines),
            b'?' => Some(Mark::Questions),
            b'.' | b'!' if ended => Some(Mark::Sentences),
            b',' | b':' => Some(Mark::Clauses),
            b'"' => Some(Mark::Quotes),
            b'$' | b'%' => Some(Mark::Amounts),
            b'+' | b'*' | b'/' | b'^' | b'=' | b'<' | b'>' => Some(Mark::Operators),
            b'\\' => Some(Mark::Backslashes),
            b'{' | b'}' | b'[' | b']' | b';' => Some(Mark::Brackets),
            b'(' => Some(Mark::Parentheses),
            b'`' if self.run == 2 => Some(Mark::Fences),
            b' ' | b'\t' if self.last == b'\n' => Some(Mark::Indented),
            _ => None,
        };
        if let Some(mark) = mark {
            self.scan.add(mark, 1);
        }
        self.start_of_line(byte);
    }

    /// Tells items of lists and choices by how their lines begin.
    fn start_of_line(&mut self, byte: u8) {
        self.line = match (self.line, byte) {
            (_, b'\n') => Line::Start,
            (Line::Start, b' ' | b'\t' | b'(') => Line::Start,
            (Line::Start, b'-' | b'*') => {
                self.scan.add(Mark::Items, 1);
                Line::Inside
            }
            (Line::Letter, b'.' | b')') => {
                self.scan.add(Mark::Choices, 1);
                Line::Inside
            }
            (Line::Digits, b'.' | b')') => {
                self.scan.add(Mark::Items, 1);
                Line::Inside
            }
            (Line::Start | Line::Letter | Line::Digits | Line::Inside, _) => Line::Inside,
        };
    }

    /// Counts the word that ends before `next`, if there is one.
    fn end_word(&mut self, next: u8) -> bool {
        let word = std::mem::take(&mut self.word);
        if word.length == 0 {
            return false;
        }
        let scan = &mut self.scan;
        if word.letters == 0 {
            if word.digits > 0 {
                scan.add(Mark::Numbers, 1);
                scan.add(Mark::LargeNumbers, u32::from(word.digits > 3));
                scan.add(Mark::Decimals, u32::from(word.joints > 0));
            }
            // Numbers of one size are one n-gram: which number it is teaches nothing.
            return self.gram(WordHash::of(&[b'#', word.digits.min(5) as u8]));
        }
        scan.add(Mark::Words, 1);
        scan.add(Mark::LongWords, u32::from(word.letters >= 8));
        scan.add(Mark::Shouted, u32::from(word.capitals == word.letters && word.letters > 1));
        scan.add(Mark::Capitalised, u32::from(word.first_capital));
        scan.add(Mark::Identifiers, u32::from(word.joints > 0 || next == b'('));
        let mut marks = self.lexicon.marks(word.hash);
        while marks != 0 {
            if let Some(mark) = Mark::ALL.get(marks.trailing_zeros() as usize) {
                scan.add(*mark, 1);
            }
            marks &= marks.wrapping_sub(1);
        }
        self.gram(word.hash)
    }

    fn gram(&mut self, hash: WordHash) -> bool {
        self.scan.grams.add(hash.0);
        self.scan.grams.add(self.previous.0.rotate_left(5).wrapping_mul(0x85eb_ca6b) ^ hash.0);
        self.previous = hash;
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Scan {
        Scan::of(Sample::of(text), &Lexicon::built_in())
    }

    #[test]
    fn marks_are_counted_by_bytes_and_words() {
        use Mark::*;
        for (text, marks) in [
            ("", vec![(Words, 0), (Lines, 0), (Bytes, 0)]),
            (
                "What is 12,345.50 + 7?",
                vec![
                    (Words, 2),
                    (Numbers, 2),
                    (LargeNumbers, 1),
                    (Decimals, 1),
                    (Operators, 1),
                    (Questions, 1),
                    (FactWords, 1),
                ],
            ),
            ("Pick one:\nA. red\nB) blue\n(c) none", vec![(Choices, 3), (Lines, 4)]),
            ("- milk\n* eggs\n1. bread\n12) tea", vec![(Items, 4), (Choices, 0)]),
            (
                "```\n  let my_name = getThing(x);\n```",
                vec![(Fences, 2), (Indented, 1), (Identifiers, 2), (Brackets, 1)],
            ),
            ("The capital of France is ____.", vec![(Gaps, 1), (Capitalised, 2), (English, 2)]),
            ("NASA isn't USA.", vec![(Shouted, 2), (NegationWords, 1), (Sentences, 1)]),
            ("Übersetze ins Französische", vec![(Words, 3), (LongWords, 2), (Foreign, 4)]),
        ] {
            let scan = scan(text);
            for (mark, count) in marks {
                assert_eq!(scan.count(mark), count, "{} in {text:?}", mark.name());
            }
        }
    }

    #[test]
    fn n_grams_are_of_one_and_two_words_in_any_case_and_numbers_of_a_size_are_alike() {
        assert!(scan("").grams().is_empty());
        // Two words, and each with the one before it.
        assert_eq!(scan("Add five").grams().len(), 4);
        assert_eq!(scan("add FIVE").grams(), scan("Add five").grams());
        assert_eq!(scan("add 12").grams(), scan("add 77").grams());
        assert_ne!(scan("add 12").grams(), scan("add 7").grams());
        assert_ne!(scan("five add").grams(), scan("add five").grams());
        let scan = scan("a b c d e f g");
        let buckets: Vec<usize> = scan.grams().buckets().collect();
        assert!(buckets.is_sorted() && buckets.len() == scan.grams().len() as usize);
        assert!(buckets.iter().all(|bucket| *bucket < BUCKETS));
    }

    #[test]
    fn any_bytes_can_be_read() {
        let mut seed = 7_u32;
        for length in 0..400 {
            let text: String = (0..length)
                .filter_map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    char::from_u32(if seed & 1 == 0 { seed >> 25 } else { seed >> 12 })
                })
                .collect();
            assert_eq!(scan(&text).count(Mark::Bytes) as usize, text.len());
        }
    }
}
