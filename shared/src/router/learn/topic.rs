//! What a prompt is about: the built-in topics by their marks, an operator's own by examples.
//!
//! A topic is no difficulty: it says who is good at this, not how good they need to be. Whatever is not clear
//! is no topic, and outside English nothing is: the words that are counted are English ones.

use super::fixed::{lg16, log2, sqrt_q8};
use super::lexicon::Lexicon;
use super::mark::Mark;
use super::sample::Sample;
use super::scan::{BUCKETS, Scan};
use crate::sorted;

/// The topics that need no examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Programs: writing, explaining, mending them.
    Code,
    /// Mathematics and word problems.
    Math,
    /// Essays, poems, letters.
    Writing,
    /// Taking out, classifying, summarising what is given.
    Extraction,
    /// From one language to another.
    Translation,
    /// Puzzles and deduction.
    Reasoning,
    /// Questions for a fact or an account.
    Knowledge,
    /// Small talk and advice.
    Chat,
}

/// What an octave of a mark speaks for a topic.
type Marks = [(Mark, i32)];

/// Every built-in topic and its name.
const TOPICS: [(Topic, &str, &Marks); 8] = [
    (
        Topic::Code,
        "code",
        &[
            (Mark::Fences, 60),
            (Mark::CodeWords, 34),
            (Mark::Identifiers, 26),
            (Mark::Brackets, 10),
            (Mark::Indented, 12),
            (Mark::QuantityWords, -20),
            (Mark::TranslationWords, -20),
        ],
    ),
    (
        Topic::Math,
        "math",
        &[
            (Mark::MathWords, 30),
            (Mark::Numbers, 26),
            (Mark::QuantityWords, 26),
            (Mark::Operators, 12),
            (Mark::Backslashes, 14),
            (Mark::Amounts, 14),
            (Mark::CodeWords, -18),
            (Mark::Identifiers, -18),
            (Mark::Choices, -12),
        ],
    ),
    (Topic::Writing, "writing", &[(Mark::WritingWords, 80), (Mark::TaskWords, 18), (Mark::CodeWords, -26)]),
    (Topic::Extraction, "extraction", &[(Mark::ExtractionWords, 62), (Mark::TaskWords, 8), (Mark::CodeWords, -22)]),
    (Topic::Translation, "translation", &[(Mark::TranslationWords, 88)]),
    (
        Topic::Reasoning,
        "reasoning",
        &[
            (Mark::ReasoningWords, 46),
            (Mark::NegationWords, 14),
            (Mark::Items, 8),
            (Mark::CodeWords, -26),
            (Mark::QuantityWords, -14),
        ],
    ),
    (
        Topic::Knowledge,
        "knowledge",
        &[
            (Mark::FactWords, 52),
            (Mark::WhyWords, 40),
            (Mark::Questions, 16),
            (Mark::Choices, 14),
            (Mark::SocietyWords, 16),
            (Mark::ScienceWords, 16),
            (Mark::MedicineWords, 16),
            (Mark::LawWords, 16),
            (Mark::BusinessWords, 12),
            (Mark::Numbers, -14),
            (Mark::CodeWords, -22),
        ],
    ),
    (Topic::Chat, "chat", &[(Mark::ChatWords, 76), (Mark::PersonaWords, 20), (Mark::TaskWords, -14)]),
];
/// What a topic must have for it, and be ahead of the next by.
const CLEAR: i32 = 56;
const AHEAD: i32 = 6;

impl Topic {
    /// The name in configuration, rules and decisions.
    pub fn as_str(self) -> &'static str {
        TOPICS.iter().find(|(topic, _, _)| *topic == self).map_or("", |(_, name, _)| name)
    }

    /// The built-in topic of this name.
    pub fn parse(name: &str) -> Option<Topic> {
        TOPICS.iter().find(|(_, known, _)| *known == name).map(|(topic, _, _)| *topic)
    }

    /// What a prompt is about; `None` when that is not clear.
    pub fn of(scan: &Scan) -> Option<Topic> {
        if !english(scan) {
            return None;
        }
        let score = |marks: &Marks| -> i32 {
            // What stands once in ten words speaks louder than what stands once in a thousand.
            let weigh = |mark| lg16(scan.count(mark)) / 2 + lg16(scan.per_mille(mark) / 16) / 2;
            marks.iter().map(|(mark, weight)| weigh(*mark) * weight / 16).sum()
        };
        let mut scores = TOPICS.map(|(topic, _, marks)| (score(marks), topic));
        sorted::sort_by_key(&mut scores, |(score, _)| -score);
        let [first, second, ..] = scores;
        (first.0 >= CLEAR && first.0 - second.0 >= AHEAD).then_some(first.1)
    }
}

/// Whether a text can be judged by English words. A few words are given the benefit of the doubt.
pub fn english(scan: &Scan) -> bool {
    let words = scan.count(Mark::Words);
    let code =
        scan.per_mille(Mark::Identifiers) + scan.per_mille(Mark::CodeWords) > 150 || scan.count(Mark::Fences) > 0;
    scan.count(Mark::Foreign) * 8 < scan.count(Mark::Bytes)
        && (words < 8 || code || scan.per_mille(Mark::English) >= 60 || scan.count(Mark::TranslationWords) > 1)
}

/// An operator's own topics: what n-grams their examples have that others' have not.
#[derive(Clone, Debug, Default)]
pub struct OwnTopics {
    topics: Vec<Own>,
    /// How telling a bucket is, in Q8: the rarer among examples, the more.
    telling: Vec<u16>,
}

#[derive(Clone, Debug)]
struct Own {
    name: String,
    /// How many of its examples have a bucket, weighed by how telling it is, for a length of 2^12.
    centre: Vec<u16>,
}

/// How alike a prompt and a topic's centre must be, in parts of 4,096, and by how much it must be ahead.
const ALIKE: i64 = 520;
const MARGIN: i64 = 80;

impl OwnTopics {
    /// From examples, by topic.
    pub fn new<'a>(examples: impl IntoIterator<Item = (&'a str, &'a str)>, lexicon: &Lexicon) -> OwnTopics {
        let scans: Vec<(&str, Scan)> =
            examples.into_iter().map(|(name, text)| (name, Scan::of(Sample::of(text), lexicon))).collect();
        let mut seen = vec![0_u32; BUCKETS];
        for bucket in scans.iter().flat_map(|(_, scan)| scan.grams().buckets()) {
            if let Some(count) = seen.get_mut(bucket) {
                *count += 1;
            }
        }
        let all = log2(scans.len() as u64 + 1);
        // A bucket that no example has is unknown rather than rare: it counts as much as the rarest.
        let telling = seen.iter().map(|count| ((all - log2(u64::from((*count).max(1)))) / 1024 + 64) as u16).collect();
        let mut own = OwnTopics { topics: Vec::new(), telling };
        for (name, _) in &scans {
            if !own.topics.iter().any(|topic| topic.name == *name) {
                let centre = own.centre(scans.iter().filter(|(other, _)| other == name).map(|(_, scan)| scan));
                own.topics.push(Own { name: (*name).to_owned(), centre });
            }
        }
        own
    }

    fn centre<'a>(&self, scans: impl Iterator<Item = &'a Scan>) -> Vec<u16> {
        let mut sums = vec![0_u32; BUCKETS];
        for bucket in scans.flat_map(|scan| scan.grams().buckets()) {
            if let (Some(sum), Some(telling)) = (sums.get_mut(bucket), self.telling.get(bucket)) {
                *sum += u32::from(*telling);
            }
        }
        let square: u64 = sums.iter().map(|sum| u64::from(*sum).pow(2)).sum();
        let length = square.isqrt().max(1);
        sums.iter().map(|sum| (u64::from(*sum) * 4_096 / length) as u16).collect()
    }

    /// How alike a prompt is to each topic, in parts of 4,096, in their order.
    pub fn similarities(&self, scan: &Scan) -> Vec<(&str, i64)> {
        let telling = |bucket: usize| self.telling.get(bucket).map_or(0, |telling| i64::from(*telling));
        let square: i64 = scan.grams().buckets().map(|bucket| telling(bucket).pow(2)).sum();
        let length = sqrt_q8(u32::try_from(square / 256).unwrap_or(u32::MAX)) / 16;
        let dot = |own: &Own| -> i64 {
            let parts = scan
                .grams()
                .buckets()
                .map(|bucket| own.centre.get(bucket).map_or(0, |c| i64::from(*c)) * telling(bucket));
            parts.sum()
        };
        self.topics.iter().map(|own| (own.name.as_str(), dot(own) / length.max(1))).collect()
    }

    /// The topic a prompt is most like; `None` when it is like none, or like two.
    pub fn of(&self, scan: &Scan) -> Option<&str> {
        if !english(scan) {
            return None;
        }
        let mut similarities = self.similarities(scan);
        sorted::sort_by_key(&mut similarities, |(_, similarity)| -similarity);
        let first = similarities.first()?;
        let second = similarities.get(1).map_or(0, |(_, similarity)| *similarity);
        (first.1 >= ALIKE && first.1 - second >= MARGIN).then_some(first.0)
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
    fn clear_prompts_have_their_topic_and_unclear_ones_have_none() {
        for (text, topic) in [
            ("Fix this bug:\n```python\ndef add(a, b):\n    return a - b\n```", Some("code")),
            ("Write a Python function that returns the nth Fibonacci number.", Some("code")),
            (
                "Sara has 24 apples and sells half of them for $3 each. How many dollars does she earn in total?",
                Some("math"),
            ),
            ("Solve the equation x^2 - 5x + 6 = 0 and prove that both roots are integers.", Some("math")),
            ("Write a persuasive essay about public libraries in an engaging tone.", Some("writing")),
            ("Extract all entities from the passage and classify its sentiment as a label.", Some("extraction")),
            ("Translate this sentence from English to French: good morning to you all", Some("translation")),
            (
                "If no birds are mammals, and suppose all bats are mammals, does it follow that bats are not birds? Deduce step by step.",
                Some("reasoning"),
            ),
            ("Who was the president of the United States when the war ended?", Some("knowledge")),
            ("hey, thanks! hello again my friend", Some("chat")),
            ("The the the.", None),
            ("", None),
            ("Schreibe bitte einen Brief an meine Vermieterin wegen der kaputten Heizung im Bad.", None),
            ("Explique-moi pourquoi le ciel est bleu et donne trois exemples simples pour des enfants.", None),
            ("日本の首都はどこですか。教えてください。", None),
        ] {
            assert_eq!(Topic::of(&scan(text)).map(Topic::as_str), topic, "{text}");
        }
        assert_eq!(Topic::parse("math"), Some(Topic::Math));
        assert_eq!(Topic::parse("alchemy"), None);
    }

    #[test]
    fn a_topic_of_ones_own_is_told_by_examples_and_nothing_else_is_one() {
        let lexicon = Lexicon::built_in();
        let examples = [
            ("refunds", "How do I get my money back for a cancelled order?"),
            ("refunds", "I want a refund, the parcel arrived broken"),
            ("refunds", "When will the refund for my order be paid out?"),
            ("travel", "Which visa do I need to travel to Brazil?"),
            ("travel", "Book me a flight from Oslo to Rome for Friday"),
            ("travel", "What can I take in my hand luggage on the flight?"),
        ];
        let own = OwnTopics::new(examples, &lexicon);
        assert_eq!(own.of(&scan("My order was broken, can I get a refund for it?")), Some("refunds"));
        assert_eq!(own.of(&scan("Is my luggage checked through on a flight to Rome?")), Some("travel"));
        assert_eq!(own.of(&scan("Prove that there are infinitely many primes.")), None);
        assert_eq!(own.of(&scan("")), None);
        assert_eq!(OwnTopics::new([], &lexicon).of(&scan("anything at all")), None);
    }
}
