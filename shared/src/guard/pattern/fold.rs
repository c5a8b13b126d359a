//! Letters in either case are the same: pattern and text are compared as small letters.
//!
//! A pattern is folded when it is compiled, so that a text's letters need to be told in one way only; the table that tells the capital of a
//! letter is not needed at all.

use super::parse::Inst;
use crate::letters::small;

/// Nothing after it has another case.
const LAST: char = '\u{1e943}';

/// The small letter; of those that share a capital, the usual one.
pub(super) fn folded(c: char) -> char {
    match small(c) {
        'ς' => 'σ',
        'ſ' => 's',
        'ı' => 'i',
        'µ' => 'μ',
        small => small,
    }
}

/// Adds the small letters to what a step takes.
pub(super) fn fold(inst: &mut Inst) {
    match inst {
        Inst::One(one) => *one = folded(*one),
        Inst::Class { ranges, .. } => {
            let mut small: Vec<(char, char)> = Vec::new();
            for c in ranges.iter().flat_map(|(low, high)| *low..=(*high).min(LAST)) {
                let one = folded(c);
                match small.last_mut() {
                    _ if one == c => {}
                    Some((_, high)) if u32::from(*high) + 1 == u32::from(one) => *high = one,
                    Some(_) | None => small.push((one, one)),
                }
            }
            ranges.extend(small);
        }
        Inst::Any | Inst::Split(..) | Inst::Jump(_) | Inst::Edge | Inst::Start | Inst::End | Inst::Match => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::guard::pattern::Pattern;

    #[test]
    fn case_counts_in_no_alphabet() {
        for (pattern, text) in [
            ("straße", "STRAßE"),
            ("ПАРОЛЬ", "пароль"),
            ("[а-я]+", "ПАРОЛЬ"),
            ("[А-Я]+", "пароль"),
            ("ΟΔΟΣ", "οδος"),
            ("οδος", "ΟΔΟΣ"),
            ("[A-Z]{3}", "aBc"),
            ("ISI", "ısı"),
            ("kelvin", "\u{212a}elvin"),
            ("[^0-9]ẞ", "ßß"),
        ] {
            assert!(Pattern::new("x", &format!("^{pattern}$")).unwrap().is_in(text), "{pattern} {text}");
        }
        for (pattern, text) in [("[^A-Z]", "q"), ("[^q]", "Q"), ("[^Я]", "я"), ("[^я]", "Я"), ("[А-Г]", "д")] {
            assert!(!Pattern::new("x", pattern).unwrap().is_in(text), "{pattern} {text}");
        }
    }

    #[test]
    fn nothing_has_another_case_after_the_last_that_is_asked() {
        assert!((super::LAST..=char::MAX).skip(1).all(|c| c.to_lowercase().eq([c]) && c.to_uppercase().eq([c])));
    }
}
