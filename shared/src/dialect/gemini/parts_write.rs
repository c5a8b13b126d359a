//! Parts of a turn or an answer, and where signatures go.
//!
//! In the common form a signature of Google's is a part before the one it signs; here it stands on a
//! part. A signature belongs to a tool call where there is one left, else to a text that follows, else it
//! goes on an empty text at the end, as Google itself streams it.

use super::request::write_media;
use super::seal::{self, UNSIGNED};
use crate::dialect::ir::{Arguments, Json, Part, Seal};
use crate::dialect::json_write::{Items, Members, array};
use crate::dialect::turns::Placed;
use crate::dialect::{Dialect, Effect, Quirks, ThinkingSupport, Warnings};
use crate::sorted::SortedMap;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Who reads what is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Towards {
    /// A provider: seals of others are refused, ids may be.
    Provider {
        /// The dialect the parts came in.
        origin: Dialect,
        /// How the model differs.
        quirks: Quirks,
    },
    /// A caller, who gives everything back as it is.
    Caller,
}

/// Writes turns one after the other.
pub(super) struct Writer<'w> {
    towards: Towards,
    pub(super) warnings: &'w mut Warnings,
    /// A turn's first tool call needs a signature, or the stand-in for one.
    pub(super) must_sign: bool,
    /// Names of the tools called, by the call's id.
    names: SortedMap<String, String>,
}

/// Signatures of one turn on their way to their parts.
struct Signatures {
    waiting: VecDeque<String>,
    /// How many of the turn's signatures, and of its tool calls, have not been written.
    seals: usize,
    calls: usize,
}

impl Signatures {
    fn of(parts: &[Placed<'_>]) -> Signatures {
        let count = |is: fn(&Part) -> bool| parts.iter().filter(|placed| is(placed.part)).count();
        Signatures {
            waiting: VecDeque::new(),
            seals: count(|part| matches!(part, Part::RedactedThinking(seal) if seal::is_google(seal))),
            calls: count(|part| matches!(part, Part::ToolCall { .. })),
        }
    }

    fn for_text(&mut self) -> Option<String> {
        if self.seals > self.calls { self.next() } else { None }
    }

    fn for_call(&mut self) -> Option<String> {
        self.calls = self.calls.saturating_sub(1);
        self.next()
    }

    fn next(&mut self) -> Option<String> {
        let next = self.waiting.pop_front()?;
        self.seals = self.seals.saturating_sub(1);
        Some(next)
    }
}

impl<'w> Writer<'w> {
    pub(super) fn new(towards: Towards, warnings: &'w mut Warnings) -> Writer<'w> {
        Writer { towards, warnings, must_sign: false, names: SortedMap::new() }
    }

    /// The parts of one turn.
    pub(super) fn turn(&mut self, a: &mut Items<'_>, parts: &[Placed<'_>]) {
        let mut signatures = Signatures::of(parts);
        let mut unsigned = self.must_sign;
        for Placed { path, part } in parts {
            match part {
                Part::Text { text, cache, .. } => {
                    if cache.is_some() {
                        self.warnings.dropped(format_args!("{path}.cache_control"));
                    }
                    write_text(a, text, false, signatures.for_text().as_deref());
                }
                Part::Refusal(text) => {
                    self.warnings.add(path, Effect::Converted);
                    write_text(a, text, false, None);
                }
                Part::Media(media) => match self.towards {
                    Towards::Provider { origin, .. } => write_media(a, path, media, origin, self.warnings),
                    Towards::Caller => write_media(a, path, media, Dialect::Gemini, self.warnings),
                },
                Part::Thinking { text, signature } => self.thought(a, path, text, signature.as_ref()),
                Part::RedactedThinking(seal) if seal::is_google(seal) => {
                    signatures.waiting.push_back(seal.text.clone())
                }
                Part::RedactedThinking(seal) => match self.sealed(seal) {
                    Some(sealed) => write_text(a, "", false, Some(&sealed)),
                    None => self.warnings.dropped(path),
                },
                Part::ToolCall { id, name, arguments, cache } => {
                    if cache.is_some() {
                        self.warnings.dropped(format_args!("{path}.cache_control"));
                    }
                    if !arguments.is_object() {
                        self.warnings.add(format_args!("{path}.function.arguments"), Effect::Converted);
                    }
                    self.names.insert(id.clone(), name.clone());
                    let signature = signatures.for_call();
                    let stand_in = std::mem::take(&mut unsigned).then_some(UNSIGNED);
                    let id = Some(id.as_str()).filter(|_| self.tells_ids());
                    a.object(|o| write_call(o, id, name, arguments, signature.as_deref().or(stand_in)));
                }
                Part::ToolResult { id, content, is_error, cache } => {
                    if cache.is_some() {
                        self.warnings.dropped(format_args!("{path}.cache_control"));
                    }
                    self.result(a, path, id, content, is_error.unwrap_or(false));
                }
                Part::Opaque { origin: Dialect::Gemini, json, .. } => a.json(json),
                Part::Opaque { .. } => self.warnings.dropped(path),
            }
        }
        for signature in signatures.waiting {
            write_text(a, "", false, Some(&signature));
        }
    }

    fn tells_ids(&self) -> bool {
        match self.towards {
            Towards::Provider { quirks, .. } => quirks.call_ids,
            Towards::Caller => true,
        }
    }

    /// A seal as the reader takes it; `None` when it would be refused.
    fn sealed<'s>(&self, seal: &'s Seal) -> Option<Cow<'s, str>> {
        match self.towards {
            Towards::Provider { .. } if !seal::is_google(seal) => None,
            Towards::Provider { .. } | Towards::Caller => Some(seal::write(seal)),
        }
    }

    fn thought(&mut self, a: &mut Items<'_>, path: &str, text: &str, signature: Option<&Seal>) {
        let sealed = signature.and_then(|seal| self.sealed(seal));
        if signature.is_some() && sealed.is_none() {
            self.warnings.dropped(format_args!("{path}.signature"));
        }
        if !text.is_empty() || sealed.is_some() {
            write_text(a, text, true, sealed.as_deref());
        }
    }

    /// What a function answered, under its name. Gemini 3 takes media in the answer; before that they
    /// stand beside it.
    fn result(&mut self, a: &mut Items<'_>, path: &str, id: &str, content: &[Part], is_error: bool) {
        let name = self.names.get(id).cloned().unwrap_or_else(|| id.to_owned());
        let (mut text, mut media) = (String::new(), Vec::new());
        for (index, part) in content.iter().enumerate() {
            let path = format!("{path}.content[{index}]");
            match part {
                Part::Text { text: piece, .. } => {
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(piece);
                }
                Part::Media(one) => media.push((path, one)),
                Part::Refusal(_)
                | Part::Thinking { .. }
                | Part::RedactedThinking(_)
                | Part::ToolCall { .. }
                | Part::ToolResult { .. }
                | Part::Opaque { .. } => self.warnings.dropped(path),
            }
        }
        let (origin, inside) = match self.towards {
            Towards::Provider { origin, quirks } => (origin, quirks.thinking == ThinkingSupport::Adaptive),
            Towards::Caller => (Dialect::Gemini, true),
        };
        let tells_ids = self.tells_ids();
        a.object(|o| {
            o.object("functionResponse", |o| {
                o.maybe_string("id", Some(id).filter(|_| tells_ids));
                o.string("name", &name);
                write_output(o, &text, is_error);
                if inside && !media.is_empty() {
                    let mut parts = Vec::new();
                    array(&mut parts, |a| {
                        media.iter().for_each(|(path, one)| write_media(a, path, one, origin, self.warnings));
                    });
                    o.value("parts").append(&mut parts);
                }
            });
        });
        for (path, one) in media.iter().filter(|_| !inside) {
            self.warnings.add(path, Effect::Moved);
            write_media(a, path, one, origin, self.warnings);
        }
    }
}

/// Writes a text, or a thought in words.
pub(super) fn write_text(a: &mut Items<'_>, text: &str, thought: bool, signature: Option<&str>) {
    a.object(|o| {
        o.string("text", text);
        if thought {
            o.boolean("thought", true);
        }
        o.maybe_string("thoughtSignature", signature);
    });
}

/// Writes the members of a part with a `functionCall`. Its arguments must be an object: what is none is
/// put into one.
pub(super) fn write_call(
    o: &mut Members<'_>,
    id: Option<&str>,
    name: &str,
    arguments: &Arguments,
    signature: Option<&str>,
) {
    o.object("functionCall", |o| {
        o.maybe_string("id", id);
        o.string("name", name);
        match arguments {
            Arguments::Json(json) if json.is_object() => o.json("args", json),
            Arguments::Json(json) if json.text() == "null" => o.object("args", |_| {}),
            Arguments::Json(json) => o.object("args", |o| o.json("value", json)),
            Arguments::Text(text) => o.object("args", |o| o.string("text", text)),
        }
    });
    o.maybe_string("thoughtSignature", signature);
}

/// Writes `response`, which must be an object: the text's own where it is one, else under the names
/// Google gives to what a function says and to what went wrong.
fn write_output(o: &mut Members<'_>, text: &str, is_error: bool) {
    let json = Json::parse(text.trim());
    match json {
        Some(json) if json.is_object() && !is_error => o.json("response", &json),
        Some(json) if json.text().starts_with('[') && !is_error => o.object("response", |o| o.json("output", &json)),
        Some(_) | None => o.object("response", |o| o.string(if is_error { "error" } else { "output" }, text)),
    }
}
