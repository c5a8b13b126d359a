//! `encrypted_content` of a reasoning item: the one place where a caller of this dialect keeps what
//! only a provider can read.
//!
//! OpenAI's own travels as it is. What another provider sealed travels with a label, so that it
//! finds back to its maker whoever answers next.

use crate::dialect::ir::{Part, Seal, SealFormat};
use std::borrow::Cow;

const LABEL: &str = "signalbox:";

/// What was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A whole item, by OpenAI.
    Item,
    /// The words beside it, by another provider.
    Words,
    /// Thoughts nobody else can read, by another provider.
    Thoughts,
}

/// The text a caller gets for the signature of words.
pub(super) fn of_words(seal: &Seal) -> Cow<'_, str> {
    labelled(seal, "words")
}

/// The text a caller gets for thoughts only their maker can read.
pub(super) fn of_thoughts(seal: &Seal) -> Cow<'_, str> {
    labelled(seal, "thoughts")
}

fn labelled<'a>(seal: &'a Seal, kind: &str) -> Cow<'a, str> {
    if seal.format.is_openai_responses() {
        return Cow::Borrowed(&seal.text);
    }
    Cow::Owned(format!("{LABEL}{kind}:{}:{}", seal.format.as_str(), seal.text))
}

fn read(text: String) -> (Seal, Kind) {
    let labelled = text.strip_prefix(LABEL).and_then(|rest| {
        let (kind, rest) = rest.split_once(':')?;
        let (format, sealed) = rest.split_once(':')?;
        let kind = if kind == "thoughts" { Kind::Thoughts } else { Kind::Words };
        Some((Seal { text: sealed.to_owned(), format: SealFormat::from_name(Some(format)) }, kind))
    });
    labelled.unwrap_or_else(|| (Seal { text, format: SealFormat::openai_responses() }, Kind::Item))
}

/// The seal that ends a reasoning item: for its last words, or for a block of its own.
pub(super) enum Ending {
    /// It signs the words before it.
    Signs(Seal),
    /// It stands alone, as this part.
    Alone(Part),
}

/// What `encrypted_content` is in an item that has words, or none.
pub(super) fn ending(text: String, has_words: bool) -> Ending {
    let (seal, kind) = read(text);
    match kind {
        Kind::Item | Kind::Words if has_words => Ending::Signs(seal),
        Kind::Words => Ending::Alone(Part::Thinking { text: String::new(), signature: Some(seal) }),
        Kind::Item | Kind::Thoughts => Ending::Alone(Part::RedactedThinking(seal)),
    }
}

/// The thoughts of a reasoning item: its words piece by piece, sealed at their end.
pub(super) fn thoughts(words: Vec<String>, encrypted: Option<String>) -> Vec<Part> {
    let words = words.into_iter().filter(|text| !text.is_empty());
    let mut parts: Vec<Part> = words.map(|text| Part::Thinking { text, signature: None }).collect();
    let Some(encrypted) = encrypted.filter(|text| !text.is_empty()) else { return parts };
    match (ending(encrypted, !parts.is_empty()), parts.last_mut()) {
        (Ending::Signs(seal), Some(Part::Thinking { signature, .. })) => *signature = Some(seal),
        (Ending::Alone(part), _) => parts.push(part),
        (Ending::Signs(seal), _) => parts.push(Part::RedactedThinking(seal)),
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_provider_sealed_comes_back_as_what_it_was() {
        let seal = |format: SealFormat| Seal { text: "a:b==".to_owned(), format };
        let words = |signature| vec![Part::Thinking { text: "hm".to_owned(), signature: Some(signature) }];
        for format in [SealFormat::openai_responses(), SealFormat::Anthropic, SealFormat::Other("mistral".to_owned())] {
            let sent = of_words(&seal(format.clone())).into_owned();
            assert_eq!(thoughts(vec!["hm".to_owned()], Some(sent)), words(seal(format.clone())));
            let sent = of_thoughts(&seal(format.clone())).into_owned();
            assert_eq!(thoughts(Vec::new(), Some(sent)), vec![Part::RedactedThinking(seal(format))]);
        }
        let empty = Part::Thinking { text: String::new(), signature: Some(seal(SealFormat::Anthropic)) };
        assert_eq!(thoughts(Vec::new(), Some(of_words(&seal(SealFormat::Anthropic)).into_owned())), vec![empty]);
    }
}
