//! Reasoning in a dialect that has no place for it.
//!
//! Text goes as `reasoning_content`, which most servers and clients know. What must come back
//! unchanged for the next turn (signatures, encrypted thoughts) goes as `reasoning_details`, in
//! OpenRouter's shape: one entry per block, in order. A caller that returns either gives it back.

use crate::dialect::ir::{Part, Seal, SealFormat};
use crate::dialect::json_read::Object;
use crate::dialect::json_write::{Items, Members, object};
use crate::error::ApiError;

/// The thinking blocks of a message, in order: from `reasoning_details`, or `thinking_blocks`, or the
/// bare text.
pub(super) fn take(message: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Vec<Part>, ApiError> {
    let text = message.string("reasoning_content").ok().flatten();
    let other = message.string("reasoning").ok().flatten();
    let text = text.filter(|text| !text.is_empty()).or(other).filter(|text| !text.is_empty());
    let mut blocks = Vec::new();
    for name in ["reasoning_details", "thinking_blocks"] {
        let path = message.path.member(name);
        for (index, raw) in message.items(name)?.into_iter().enumerate() {
            let at = path.item(index);
            let mut entry = Object::read(raw.get(), &at)?;
            let said = ["text", "thinking", "summary"].into_iter().find_map(|name| entry.string(name).ok().flatten());
            let format = SealFormat::from_name(entry.string("format").ok().flatten().as_deref());
            let mut seal = |name| {
                let text = entry.string(name).ok().flatten().filter(|text| !text.is_empty())?;
                Some(Seal { text, format: format.clone() })
            };
            match (said, seal("signature"), seal("data")) {
                (None, None, Some(data)) => blocks.push(Part::RedactedThinking(data)),
                (None, None, None) => unread.push(at.to_string()),
                (said, signature, _) => push(&mut blocks, said.unwrap_or_default(), signature),
            }
        }
    }
    let told = blocks.iter().any(|block| matches!(block, Part::Thinking { text, .. } if !text.is_empty()));
    if let Some(words) = text.filter(|_| !told) {
        // A lone signature belongs to the bare text.
        let signed = blocks
            .iter_mut()
            .find_map(|block| if let Part::Thinking { text, signature: Some(_) } = block { Some(text) } else { None });
        match signed {
            Some(place) => *place = words,
            None => blocks.insert(0, Part::Thinking { text: words, signature: None }),
        }
    }
    Ok(blocks)
}

/// Adds a piece: entries of a stream that was collected piecewise grow the last unsigned block.
fn push(blocks: &mut Vec<Part>, piece: String, sign: Option<Seal>) {
    if let Some(Part::Thinking { text, signature: signature @ None }) = blocks.last_mut() {
        text.push_str(&piece);
        *signature = sign;
    } else {
        blocks.push(Part::Thinking { text: piece, signature: sign });
    }
}

/// Whether a message needs `reasoning_details` to be given back whole.
pub(super) fn needs_details(content: &[Part]) -> bool {
    content.iter().any(|part| matches!(part, Part::Thinking { signature: Some(_), .. } | Part::RedactedThinking(_)))
}

/// The format of Google's signatures.
const GOOGLE: &str = "google-gemini-v1";

/// Takes a call's `extra_content.google.thought_signature`, Google's own way to put a signature into this
/// dialect, unless `reasoning_details` brought the same one already.
pub(super) fn take_signature(call: &mut Object<'_, '_>, content: &mut Vec<Part>) {
    let Some(extra) = call.take("extra_content") else { return };
    let path = *call.path;
    let google = Object::read(extra.get(), &path).ok().and_then(|mut extra| extra.take("google"));
    let google = google.and_then(|raw| Object::read(raw.get(), &path).ok());
    let signature = google.and_then(|mut google| google.string("thought_signature").ok().flatten());
    let is_known =
        |text: &String| content.iter().any(|part| matches!(part, Part::RedactedThinking(seal) if seal.text == *text));
    if let Some(text) = signature.filter(|text| !text.is_empty() && !is_known(text)) {
        content.push(Part::RedactedThinking(Seal { text, format: SealFormat::Other(GOOGLE.to_owned()) }));
    }
}

/// Writes a signature of Google's that stands before a call, where Google's own clients look for it.
pub(super) fn write_signature(o: &mut Members<'_>, seal: Option<&Seal>) {
    if let Some(seal) = seal.filter(|seal| seal.format.as_str() == GOOGLE) {
        o.object("extra_content", |o| {
            o.object("google", |o| o.string("thought_signature", &seal.text));
        });
    }
}

/// Writes `reasoning_content` of a message that has thoughts in words.
pub(super) fn write_text(o: &mut Members<'_>, content: &[Part]) {
    let words = content
        .iter()
        .filter_map(|part| if let Part::Thinking { text, .. } = part { Some(text.as_str()) } else { None });
    let text: String = words.collect();
    if !text.is_empty() {
        o.string("reasoning_content", &text);
    }
}

/// Writes `reasoning_details` of a message.
pub(super) fn write_details(o: &mut Members<'_>, content: &[Part]) {
    o.array("reasoning_details", |a| {
        let mut index = 0;
        for part in content {
            if let Part::Thinking { text, signature } = part {
                write_thought(a, text, signature.as_ref(), index);
                index += 1;
            } else if let Part::RedactedThinking(data) = part {
                write_redacted(a, data, index);
                index += 1;
            }
        }
    });
}

/// One entry for thoughts in words.
pub(super) fn write_thought(a: &mut Items<'_>, text: &str, signature: Option<&Seal>, index: usize) {
    object(a.value(), |o| {
        o.string("type", "reasoning.text");
        o.string("text", text);
        if let Some(signature) = signature {
            o.string("signature", &signature.text);
            o.string("format", signature.format.as_str());
        }
        o.number("index", index);
    });
}

/// One entry for thoughts only the provider can read.
pub(super) fn write_redacted(a: &mut Items<'_>, data: &Seal, index: usize) {
    object(a.value(), |o| {
        o.string("type", "reasoning.encrypted");
        o.string("data", &data.text);
        o.string("format", data.format.as_str());
        o.number("index", index);
    });
}
