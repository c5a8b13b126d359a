//! Parts into content blocks. A block is an object with one member, named after what it is; a cache
//! breakpoint is a block of its own behind the one it belongs to.

use super::media::{self, Names};
use crate::dialect::anthropic::request::Ids;
use crate::dialect::ir::{Json, Part, Seal, SealFormat};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Items, array};
use crate::dialect::turns::Placed;
use crate::dialect::{Dialect, Effect, Warnings};

/// Writes the blocks of one request.
pub(super) struct Blocks<'w> {
    origin: Dialect,
    warnings: &'w mut Warnings,
    ids: Ids,
    names: Names,
    /// Whether the model takes cache points.
    caches: bool,
}

impl<'w> Blocks<'w> {
    pub(super) fn new(origin: Dialect, caches: bool, warnings: &'w mut Warnings) -> Blocks<'w> {
        Blocks { origin, warnings, ids: Ids::default(), names: Names::default(), caches }
    }

    /// A block of `system`, which takes text alone.
    pub(super) fn instruction(&mut self, a: &mut Items<'_>, placed: &Placed<'_>) {
        match placed.part {
            Part::Text { text, cache, .. } => {
                a.object(|o| o.string("text", text));
                self.cache_point(a, &placed.path, cache.as_ref());
            }
            Part::Media(_)
            | Part::Refusal(_)
            | Part::Thinking { .. }
            | Part::RedactedThinking(_)
            | Part::ToolCall { .. }
            | Part::ToolResult { .. }
            | Part::Opaque { .. } => self.warnings.dropped(&placed.path),
        }
    }

    /// The blocks of a turn as an array; empty when nothing of it could be carried.
    pub(super) fn turn(&mut self, role: &str, parts: &[Placed<'_>], last: Option<&Json>) -> Vec<u8> {
        let mut out = Vec::new();
        array(&mut out, |a| {
            parts.iter().for_each(|placed| self.block(a, role, placed));
            self.cache_point(a, "cache_control", last);
        });
        if out == b"[]" { Vec::new() } else { out }
    }

    fn block(&mut self, a: &mut Items<'_>, role: &str, placed: &Placed<'_>) {
        let path = &placed.path;
        match placed.part {
            Part::Text { text, cache, .. } => {
                a.object(|o| o.string("text", text));
                self.cache_point(a, path, cache.as_ref());
            }
            Part::Refusal(text) => {
                self.warnings.add(path, Effect::Converted);
                a.object(|o| o.string("text", text));
            }
            Part::Media(_) if role == "assistant" => self.warnings.dropped(path),
            Part::Media(media) => {
                media::write(a, self.origin, path, media, &mut self.names, self.warnings);
                self.cache_point(a, path, media.cache.as_ref());
            }
            Part::Thinking { text, signature: Some(Seal { text: signature, format: SealFormat::Anthropic }) }
                if role == "assistant" =>
            {
                a.object(|o| {
                    o.object("reasoningContent", |o| {
                        o.object("reasoningText", |o| {
                            o.string("text", text);
                            o.string("signature", signature);
                        });
                    });
                });
            }
            Part::RedactedThinking(Seal { text: data, format: SealFormat::Anthropic }) if role == "assistant" => {
                a.object(|o| o.object("reasoningContent", |o| o.string("redactedContent", data)));
            }
            // Thoughts that nobody signed, or somebody else, are refused.
            Part::Thinking { .. } | Part::RedactedThinking(_) | Part::Opaque { .. } => self.warnings.dropped(path),
            Part::ToolCall { id, name, arguments, cache } => {
                if !arguments.is_object() {
                    self.warnings.add(self.origin.arguments_path(path), Effect::Converted);
                }
                let id = self.ids.call(id);
                a.object(|o| {
                    o.object("toolUse", |o| {
                        o.string("toolUseId", &id);
                        o.string("name", name);
                        o.value("input").extend_from_slice(arguments.as_object().as_bytes());
                    });
                });
                self.cache_point(a, path, cache.as_ref());
            }
            Part::ToolResult { id, content, is_error, cache } => {
                let id = self.ids.result(id);
                a.object(|o| {
                    o.object("toolResult", |o| {
                        o.string("toolUseId", &id);
                        o.array("content", |a| self.result(a, path, content));
                        if let Some(is_error) = is_error {
                            o.string("status", if *is_error { "error" } else { "success" });
                        }
                    });
                });
                self.cache_point(a, path, cache.as_ref());
            }
        }
    }

    /// What a tool answered: text, images, documents.
    fn result(&mut self, a: &mut Items<'_>, path: &str, content: &[Part]) {
        for (index, part) in content.iter().enumerate() {
            let path = self.origin.result_part_path(path, index);
            match part {
                Part::Text { text, .. } if text.is_empty() => {}
                Part::Text { text, .. } => a.object(|o| o.string("text", text)),
                Part::Media(media) => media::write(a, self.origin, &path, media, &mut self.names, self.warnings),
                Part::Refusal(_)
                | Part::Thinking { .. }
                | Part::RedactedThinking(_)
                | Part::ToolCall { .. }
                | Part::ToolResult { .. }
                | Part::Opaque { .. } => self.warnings.dropped(path),
            }
        }
    }

    fn cache_point(&mut self, a: &mut Items<'_>, path: &str, cache: Option<&Json>) {
        let Some(cache) = cache else { return };
        if self.caches {
            write_cache_point(a, cache);
        } else if path == "cache_control" {
            self.warnings.dropped(path);
        } else {
            self.warnings.dropped(format_args!("{path}.cache_control"));
        }
    }
}

/// A cache point, with the time to live that `cache_control` names.
pub(super) fn write_cache_point(a: &mut Items<'_>, cache: &Json) {
    let path = Path::Root;
    let ttl = Object::read(cache.text(), &path).ok().and_then(|mut cache| cache.string("ttl").ok()?);
    a.object(|o| {
        o.object("cachePoint", |o| {
            o.string("type", "default");
            o.maybe_string("ttl", ttl.as_deref().filter(|ttl| matches!(*ttl, "5m" | "1h")));
        });
    });
}
