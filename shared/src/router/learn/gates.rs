//! What a cheap answer must get past before it is taken: a cascade's gates.
//!
//! They find answers that are surely none: empty, a refusal, cut short, not the JSON that was asked for. A
//! valid answer is not thereby a right one: a gate is no score. What a score is worth, see [`agreement`].
//!
//! [`agreement`]: super::agreement

use serde_json::Value;

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It says nothing.
    Empty,
    /// It declines.
    Refusal,
    /// It has fewer tokens than an answer needs.
    TooShort,
    /// It was asked for JSON and is none.
    NotJson,
    /// It is JSON, but not as the schema has it.
    OffSchema,
    /// It calls a tool that was not offered, or with arguments its schema does not have.
    BadToolCall,
    /// The model itself was unsure of its words.
    Unsure,
    /// Who was asked to judge it says that it will not do.
    BadVerdict,
    /// Who was asked to judge it said nothing, or nothing that is understood.
    NoVerdict,
}

impl Flaw {
    /// The word in a decision.
    pub fn as_str(self) -> &'static str {
        match self {
            Flaw::Empty => "empty",
            Flaw::Refusal => "refusal",
            Flaw::TooShort => "too_short",
            Flaw::NotJson => "not_json",
            Flaw::OffSchema => "off_schema",
            Flaw::BadToolCall => "bad_tool_call",
            Flaw::Unsure => "unsure",
            Flaw::BadVerdict => "bad_verdict",
            Flaw::NoVerdict => "no_verdict",
        }
    }
}

/// How much of an answer is searched for a refusal: who declines says so at once.
const OPENING: usize = 240;
/// Bytes of text a token stands for.
const BYTES_PER_TOKEN: usize = 4;

/// How refusals begin, in lower case and with plain apostrophes.
const REFUSALS: [&str; 22] = [
    "i'm sorry, but",
    "i am sorry, but",
    "i'm sorry, i can",
    "sorry, but i can",
    "sorry, i can",
    "i can't assist",
    "i can't help with",
    "i cannot assist",
    "i cannot help with",
    "i can't provide",
    "i cannot provide",
    "i can't fulfil",
    "i cannot fulfil",
    "i'm not able to help",
    "i am not able to help",
    "i'm unable to",
    "i am unable to",
    "i won't be able to",
    "i must decline",
    "as an ai language model, i",
    "as an ai, i can",
    "i don't have enough information to",
];

/// Judges a whole answer of text.
pub fn text(answer: &str, min_tokens: usize) -> Option<Flaw> {
    let answer = answer.trim();
    match opening(answer) {
        None if answer.len() < min_tokens.saturating_sub(1) * BYTES_PER_TOKEN => Some(Flaw::TooShort),
        flaw => flaw,
    }
}

/// Judges how an answer begins: all that a stream can be held back for.
pub fn opening(answer: &str) -> Option<Flaw> {
    let answer = answer.trim_start();
    if answer.is_empty() {
        return Some(Flaw::Empty);
    }
    let plain: String =
        answer.chars().take(OPENING).map(|c| if c == '’' { '\'' } else { c.to_ascii_lowercase() }).collect();
    REFUSALS.iter().any(|refusal| plain.contains(refusal)).then_some(Flaw::Refusal)
}

/// Judges an answer that was to be JSON. `conforms` holds it to the schema, where one was given.
pub fn json(answer: &str, conforms: impl Fn(&Value) -> bool) -> Option<Flaw> {
    match crate::json::tree(answer.trim()) {
        Ok(value) if conforms(&value) => None,
        Ok(_) => Some(Flaw::OffSchema),
        Err(_) => Some(Flaw::NotJson),
    }
}

/// Judges a tool call. `conforms` holds its arguments to the schema of the tool of this name; `None` when no
/// such tool was offered.
pub fn tool_call(arguments: &str, conforms: Option<impl Fn(&Value) -> bool>) -> Option<Flaw> {
    // A call without arguments is written as nothing by some providers.
    let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
    let sound =
        conforms.is_some_and(|conforms| json(arguments, |value| value.is_object() && conforms(value)).is_none());
    (!sound).then_some(Flaw::BadToolCall)
}

/// Judges how sure a model was: the log-probabilities of its tokens, in thousandths, of which the lowest
/// `quantile` thousandth must not lie below `least`.
pub fn confidence(log_probabilities: &mut [i32], quantile: usize, least: i32) -> Option<Flaw> {
    let at = (log_probabilities.len() * quantile / 1_000).min(log_probabilities.len().checked_sub(1)?);
    crate::sorted::sort(log_probabilities);
    (*log_probabilities.get(at)? < least).then_some(Flaw::Unsure)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_a_short_and_a_declining_answer_are_none() {
        for (answer, flaw) in [
            ("", Some(Flaw::Empty)),
            (" \n\t", Some(Flaw::Empty)),
            ("No.", Some(Flaw::TooShort)),
            ("I’m sorry, but I can’t help with that request.", Some(Flaw::Refusal)),
            ("Unfortunately, I am unable to open links.", Some(Flaw::Refusal)),
            ("AS AN AI LANGUAGE MODEL, I have no opinion on that.", Some(Flaw::Refusal)),
            ("Paris is the capital of France.", None),
            ("He wrote: \"Sorry for the delay\", and sent the parcel the same day.", None),
        ] {
            assert_eq!(text(answer, 3), flaw, "{answer}");
        }
        assert_eq!(text("7", 1), None, "a short answer will do where none longer is asked for");
        let late = format!("{} I'm sorry, but", "It is well known. ".repeat(20));
        assert_eq!(text(&late, 1), None, "an answer that has begun is no refusal");
    }

    #[test]
    fn json_is_parsed_and_held_to_its_schema() {
        let conforms = |value: &Value| value.get("age").is_some_and(Value::is_u64);
        for (answer, flaw) in [
            (" {\"age\": 5}\n", None),
            ("{\"age\": \"five\"}", Some(Flaw::OffSchema)),
            ("```json\n{\"age\": 5}\n```", Some(Flaw::NotJson)),
            ("{\"age\": 5", Some(Flaw::NotJson)),
        ] {
            assert_eq!(json(answer, conforms), flaw, "{answer}");
        }
        assert_eq!(tool_call("{\"age\": 5}", Some(conforms)), None);
        assert_eq!(tool_call("", Some(|_: &Value| true)), None);
        assert_eq!(tool_call("[5]", Some(|_: &Value| true)), Some(Flaw::BadToolCall));
        assert_eq!(tool_call("{\"age\": 5}", None::<fn(&Value) -> bool>), Some(Flaw::BadToolCall));
    }

    #[test]
    fn a_model_that_was_unsure_of_a_tenth_of_its_words_is_not_trusted() {
        let mut sure = vec![-10; 20];
        assert_eq!(confidence(&mut sure, 50, -2_000), None);
        let mut unsure: Vec<i32> = (0..20).map(|at| if at % 8 == 0 { -4_000 } else { -20 }).collect();
        assert_eq!(confidence(&mut unsure, 50, -2_000), Some(Flaw::Unsure));
        assert_eq!(confidence(&mut [], 50, -2_000), None);
    }
}
