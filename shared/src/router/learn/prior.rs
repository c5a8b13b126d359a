//! What is known before anything is learned: how hard a prompt looks, written by hand.
//!
//! Programs, mathematics, deduction and many constraints are where a cheap model fails; writing, play
//! and small talk are where it does not. Each figure is a judgement in thousandths of complexity.

use super::fixed::lg16;
use super::mark::Mark;
use super::scan::Scan;

/// What an octave of a count adds.
const WEIGHTS: [(Mark, i32); 24] = [
    (Mark::CodeWords, 22),
    (Mark::Identifiers, 16),
    (Mark::Brackets, 10),
    (Mark::Fences, 30),
    (Mark::MathWords, 36),
    (Mark::Operators, 16),
    (Mark::Backslashes, 12),
    (Mark::LongWords, 16),
    (Mark::QuantityWords, 14),
    (Mark::ReasoningWords, 34),
    (Mark::ScienceWords, 22),
    (Mark::ConstraintWords, 16),
    (Mark::NegationWords, 14),
    (Mark::ExtractionWords, 8),
    (Mark::WhyWords, -4),
    (Mark::Words, 45),
    (Mark::Sentences, 14),
    (Mark::Clauses, 6),
    (Mark::FactWords, -8),
    (Mark::WritingWords, -52),
    (Mark::PersonaWords, -30),
    (Mark::ChatWords, -30),
    (Mark::TranslationWords, -8),
    (Mark::SocietyWords, -12),
];
/// What a prompt with none of it amounts to.
const BASE: i32 = -140;

/// How hard a prompt looks: 0 to 1,000.
pub fn complexity(scan: &Scan) -> u32 {
    let sum: i32 = WEIGHTS.iter().map(|(mark, weight)| lg16(scan.count(*mark)) * weight / 16).sum();
    u32::try_from(BASE + sum).unwrap_or(0).min(1_000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::router::learn::lexicon::Lexicon;
    use crate::router::learn::sample::Sample;

    fn of(text: &str) -> u32 {
        complexity(&Scan::of(Sample::of(text), &Lexicon::built_in()))
    }

    #[test]
    fn proofs_and_programs_look_harder_than_play_and_small_talk() {
        let hard = [
            "Prove that the sum of two odd integers is even, and deduce that no integer equation x^2 = 4y + 2 has a solution.",
            "def f(xs):\n    return sorted(set(xs))\nassert f([3, 1, 3]) == ??\nComplete the assertion exactly, without explanation.",
        ];
        let easy =
            ["hi, how are you today?", "Write a short poem about the sea.", "Imagine you are a pirate and greet me."];
        for hard in hard {
            assert!(easy.iter().all(|easy| of(easy) + 100 < of(hard)), "{hard}");
        }
        assert_eq!(of(""), 0);
        assert!(of(&"prove x = 1 if not y; ".repeat(400)) <= 1_000);
    }
}
