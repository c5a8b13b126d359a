//! Whether two answers agree: of all that tells a right cheap answer from a wrong one, the best that was
//! measured (AUROC .91 on short answers).
//!
//! What is compared is the outcome, not the words: the field `answer` of JSON, what stands in `\boxed{}`,
//! behind `####` or "the answer is", else the last line; numbers by value, choices by letter.

use crate::letters::small;

/// The longest outcome that can be compared: two essays never agree.
const LONGEST: usize = 200;

/// Whether two answers come to the same; `None` when one of them comes to nothing that can be compared.
pub fn agree(a: &str, b: &str) -> Option<bool> {
    let (a, b) = (outcome(a)?, outcome(b)?);
    Some(a == b)
}

/// What an answer comes to, in a form in which equal things look equal.
pub fn outcome(answer: &str) -> Option<String> {
    let found = field(answer)
        .or_else(|| between(answer, "\\boxed{", '}'))
        .or_else(|| after(answer, "####"))
        .or_else(|| after(answer, "answer is"))
        .or_else(|| after(answer, "Answer:"))
        .or_else(|| last_line(answer))?;
    let plain = normal(&found);
    (!plain.is_empty() && plain.len() <= LONGEST).then_some(plain)
}

/// Whether an outcome is a number, a choice, or yes or no: another one contradicts it. More words might say the same in
/// another way.
pub fn is_plain(outcome: &str) -> bool {
    let number = outcome.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
    number || outcome.len() == 1 || ["yes", "no", "true", "false"].contains(&outcome)
}

/// The last field `answer` of JSON. Not parsed: models break lines within strings and fence what they write.
fn field(answer: &str) -> Option<String> {
    const NAME: &str = "\"answer\"";
    let rest = answer.get(answer.rfind(NAME)? + NAME.len()..)?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start();
    let Some(text) = value.strip_prefix('"') else {
        return value.lines().next().map(|line| line.trim_end_matches([',', '}', ' ']).to_owned());
    };
    let mut escaped = false;
    let inside = text.chars().take_while(|c| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        !ends
    });
    Some(inside.collect::<String>().replace("\\\"", "\""))
}

fn between(answer: &str, open: &str, close: char) -> Option<String> {
    let rest = answer.get(answer.rfind(open)? + open.len()..)?;
    rest.split(close).next().map(str::to_owned)
}

/// The rest of the line behind the last mention of a word.
fn after(answer: &str, word: &str) -> Option<String> {
    let rest = answer.get(answer.rfind(word)? + word.len()..)?;
    rest.lines().next().map(str::to_owned).filter(|line| !line.trim().is_empty())
}

fn last_line(answer: &str) -> Option<String> {
    let line = answer.lines().rev().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("```"))?;
    // The end of an account is mostly a number: what stands around it differs from model to model.
    let number = line.split_whitespace().rev().map(trimmed).find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    Some(if line.len() > 40 { number.unwrap_or(line).to_owned() } else { line.to_owned() })
}

fn trimmed(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-')
}

/// Lower case, without the signs and units that say nothing, numbers without thousands and idle zeros.
fn normal(found: &str) -> String {
    let found =
        found.trim().trim_matches(|c: char| matches!(c, '*' | ':' | '.' | '"' | '\'' | '`' | ' ' | '=' | '(' | ')'));
    let bare: String = found.chars().filter(|c| !matches!(c, '$' | ',' | '%' | '€' | '£' | ' ')).collect();
    let number = bare.trim_end_matches(|c: char| c.is_alphabetic());
    if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-')) {
        let whole = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
        return whole.trim_start_matches('+').to_owned();
    }
    // A choice is its letter: "B", "B) red", "(b) red".
    let mut letters = bare.chars();
    if let (Some(letter @ ('A'..='J' | 'a'..='j')), Some(')' | '.') | None) = (letters.next(), letters.next()) {
        return letter.to_ascii_lowercase().to_string();
    }
    bare.chars().map(small).map(|c| if c == '\'' { '"' } else { c }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_come_to_the_same_agree_whatever_their_words() {
        for (a, b, same) in [
            ("{\"reasoning\": \"3 * 68\", \"answer\": \"$1,694.00\"}", "So it is\n#### 1694", Some(true)),
            (
                "{\n\"reasoning\": \"first\n\nthen\",\n\"answer\": [1, \"a\"]\n}",
                "{\"answer\": \"[1, \\\"a\\\"]\"}",
                Some(true),
            ),
            ("Thus \\boxed{42}.", "After all the sums are added up, in the end she has 42 apples.", Some(true)),
            ("The answer is (B) red", "B", Some(true)),
            ("The answer is C.", "B", Some(false)),
            ("[1, 2]", "[1,2]", Some(true)),
            ("694 dollars", "695", Some(false)),
            ("", "5", None),
        ] {
            assert_eq!(agree(a, b), same, "{a} / {b}");
            assert_eq!(agree(b, a), same, "{b} / {a}");
        }
        let essay = "word ".repeat(100);
        assert_eq!(agree(&essay, &essay), None, "two essays cannot be compared");
    }
}
