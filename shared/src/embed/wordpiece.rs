//! BERT's uncased WordPiece, over a vocabulary that is a prebuilt table of fingerprints: 393 kB that need
//! no building at start, where strings would need 110 ms.

use crate::letters::small;

/// What the table's file begins with.
pub const MAGIC: &[u8; 8] = b"SVOC0001";
/// Slots of the table.
pub const SLOTS: usize = 65_536;
/// The longest word that is looked up; a longer one is unknown.
const LONGEST: usize = 100;
/// Letters from À to ſ without their accents.
const PLAIN: &str = "aaaaaaæceeeeiiiiðnooooo×øuuuuyþßaaaaaaæceeeeiiiiðnooooo÷øuuuuyþyaaaaaaccccccccddđđeeeeeeeeeegggggggghhħħiiiiiiiiiıĳĳjjkkĸllllllŀŀłłnnnnnnŉŋŋooooooœœrrrrrrssssssssttttŧŧuuuuuuuuuuuuwwyyyzzzzzzſ";

/// The vocabulary: for each slot the fingerprint of a piece, 0 where free, and its id.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary<'a> {
    prints: &'a [u8],
    ids: &'a [u8],
}

/// FNV-1a over a piece's bytes, `##` included.
fn fingerprint(piece: impl Iterator<Item = u8>, start: u32) -> u32 {
    piece.fold(start, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
const START: u32 = 0x811c_9dc5;

/// Builds the table's file from the pieces, in the order of their ids; `None` when two have one fingerprint.
pub fn build<'v>(pieces: impl Iterator<Item = &'v str>) -> Option<Vec<u8>> {
    let mut slots = vec![(0_u32, 0_u16); SLOTS];
    for (id, piece) in pieces.enumerate() {
        let found = fingerprint(piece.bytes(), START).max(1);
        let mut at = found as usize % SLOTS;
        while let Some((taken, _)) = slots.get(at).filter(|slot| slot.0 != 0) {
            if *taken == found {
                return None;
            }
            at = (at + 1) % SLOTS;
        }
        *slots.get_mut(at)? = (found, u16::try_from(id).ok()?);
    }
    let mut file = MAGIC.to_vec();
    file.extend(slots.iter().flat_map(|slot| slot.0.to_le_bytes()));
    file.extend(slots.iter().flat_map(|slot| slot.1.to_le_bytes()));
    Some(file)
}

impl<'a> Vocabulary<'a> {
    /// Reads the table's file; `None` when it is none.
    pub fn parse(file: &'a [u8]) -> Option<Vocabulary<'a>> {
        let table = file.strip_prefix(MAGIC).filter(|table| table.len() == 6 * SLOTS)?;
        let (prints, ids) = table.split_at_checked(4 * SLOTS)?;
        Some(Vocabulary { prints, ids })
    }

    fn id(&self, wanted: u32) -> Option<u16> {
        let wanted = wanted.max(1);
        let mut at = wanted as usize % SLOTS;
        // The table is half empty: a free slot is near.
        for _ in 0..SLOTS {
            let bytes = self.prints.get(4 * at..4 * at + 4)?;
            match u32::from_le_bytes(bytes.try_into().ok()?) {
                0 => return None,
                found if found == wanted => {
                    return Some(u16::from_le_bytes(self.ids.get(2 * at..2 * at + 2)?.try_into().ok()?));
                }
                _ => at = (at + 1) % SLOTS,
            }
        }
        None
    }

    /// Calls `each` with the ids of a text's pieces, at most `limit`. An unknown word has none.
    pub fn pieces(&self, text: &str, limit: usize, mut each: impl FnMut(u16)) {
        let (mut word, mut left) = (String::with_capacity(LONGEST), limit);
        for c in text.chars().chain([' ']) {
            let apart = c.is_whitespace() || c.is_control() || is_punctuation(c) || is_ideograph(c);
            if !apart {
                if word.len() <= LONGEST {
                    word.extend(Some(small(c)).filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).map(plain));
                }
                continue;
            }
            self.word(&word, &mut left, &mut each);
            word.clear();
            if is_punctuation(c) || is_ideograph(c) {
                word.push(c);
                self.word(&word, &mut left, &mut each);
                word.clear();
            }
            if left == 0 {
                return;
            }
        }
    }

    /// A word's pieces, longest first; none at all when a rest of it is unknown.
    fn word(&self, word: &str, left: &mut usize, each: &mut impl FnMut(u16)) {
        let (mut found, mut count, mut rest) = ([0_u16; LONGEST], 0, word);
        if word.len() > LONGEST {
            return;
        }
        while !rest.is_empty() {
            let mut hash = if count == 0 { START } else { fingerprint(b"##".iter().copied(), START) };
            let mut longest = None;
            for (at, c) in rest.char_indices() {
                let end = at + c.len_utf8();
                hash = fingerprint(rest.get(at..end).unwrap_or_default().bytes(), hash);
                longest = self.id(hash).map(|id| (id, end)).or(longest);
            }
            let (Some((id, end)), Some(slot)) = (longest, found.get_mut(count)) else { return };
            *slot = id;
            count += 1;
            rest = rest.get(end..).unwrap_or_default();
        }
        let count = count.min(*left);
        found.iter().take(count).for_each(|id| each(*id));
        *left -= count;
    }
}

fn plain(c: char) -> char {
    match (c as usize).checked_sub(0xc0).filter(|at| *at < 0x180 - 0xc0) {
        Some(at) => PLAIN.chars().nth(at).unwrap_or(c),
        None => c,
    }
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}')
        || matches!(c, '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}
