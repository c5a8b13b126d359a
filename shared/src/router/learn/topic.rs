//! What a prompt is about: the built-in topics, by their marks and, where there are weights of an embedding, by what it means.
//! An operator's own stand in `own_topics`.
//!
//! A topic is no difficulty: it says who is good at this, not how good they need to be. Whatever is not clear
//! is no topic, and outside English nothing is: the words that are counted are English ones.

use super::fixed::lg16;
use super::mark::Mark;
use super::scan::Scan;
use super::topic_model::TopicModel;
use crate::embed::Vector;
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
/// What a topic must have for it, and be ahead of the next by, where marks are all there is.
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

    /// What a prompt is about, by its marks and, where that is known, by what it means; `None` when that is not clear.
    pub fn of(scan: &Scan, meaning: Option<(&Vector, &TopicModel<'_>)>) -> Option<Topic> {
        if !english(scan) {
            return None;
        }
        let mut scores = Topic::scores(scan);
        let (mut clear, mut ahead) = (CLEAR, AHEAD);
        if let Some((vector, model)) = meaning {
            scores.iter_mut().zip(model.speaks(vector)).for_each(|((score, _), speaks)| *score += speaks);
            (clear, ahead) = (model.clear, model.ahead);
        }
        sorted::sort_by_key(&mut scores, |(score, _)| -score);
        let [first, second, ..] = scores;
        (first.0 >= clear && first.0 - second.0 >= ahead).then_some(first.1)
    }

    /// What a prompt's marks speak for each topic, in their order.
    pub fn scores(scan: &Scan) -> [(i32, Topic); 8] {
        // What stands once in ten words speaks louder than what stands once in a thousand.
        let weigh = |mark| lg16(scan.count(mark)) / 2 + lg16(scan.per_mille(mark) / 16) / 2;
        TOPICS.map(|(topic, _, marks)| (marks.iter().map(|(mark, weight)| weigh(*mark) * weight / 16).sum(), topic))
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::super::lexicon::Lexicon;
    use super::super::sample::Sample;
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
            assert_eq!(Topic::of(&scan(text), None).map(Topic::as_str), topic, "{text}");
        }
        assert_eq!(Topic::parse("math"), Some(Topic::Math));
        assert_eq!(Topic::parse("alchemy"), None);
    }
}
