//! Parts into content blocks.

use super::ids::Ids;
use crate::dialect::ir::{Arguments, Media, MediaKind, Part, Seal, SealFormat, Source};
use crate::dialect::json_write::{Items, Members};
use crate::dialect::turns::Placed;
use crate::dialect::{Dialect, Effect, Warnings};

/// Writes the blocks of one request; ids of tool calls are made fit as they pass.
pub(super) struct Blocks<'w> {
    origin: Dialect,
    warnings: &'w mut Warnings,
    ids: Ids,
}

impl<'w> Blocks<'w> {
    pub(super) fn new(origin: Dialect, warnings: &'w mut Warnings) -> Blocks<'w> {
        Blocks { origin, warnings, ids: Ids::default() }
    }

    /// A block of `system`, which takes text alone.
    pub(super) fn instruction(&mut self, a: &mut Items<'_>, placed: &Placed<'_>) {
        if matches!(placed.part, Part::Text { .. }) {
            self.block(a, "system", placed);
        } else {
            self.warnings.dropped(&placed.path);
        }
    }

    /// A block of a turn.
    pub(super) fn block(&mut self, a: &mut Items<'_>, role: &str, placed: &Placed<'_>) {
        let path = &placed.path;
        match placed.part {
            Part::Text { text, cache, .. } => a.object(|o| {
                o.string("type", "text");
                o.string("text", text);
                o.maybe_json("cache_control", cache.as_ref());
            }),
            Part::Refusal(text) => {
                self.warnings.add(path, Effect::Converted);
                a.object(|o| {
                    o.string("type", "text");
                    o.string("text", text);
                });
            }
            Part::Media(_) if role == "assistant" => self.warnings.dropped(path),
            Part::Media(media) => self.media(a, path, media),
            Part::Thinking { text, signature: Some(Seal { text: signature, format: SealFormat::Anthropic }) }
                if role == "assistant" =>
            {
                a.object(|o| {
                    o.string("type", "thinking");
                    o.string("thinking", text);
                    o.string("signature", signature);
                });
            }
            Part::RedactedThinking(Seal { text: data, format: SealFormat::Anthropic }) if role == "assistant" => a
                .object(|o| {
                    o.string("type", "redacted_thinking");
                    o.string("data", data);
                }),
            // Thoughts that nobody signed, or somebody else, are refused.
            Part::Thinking { .. } | Part::RedactedThinking(_) => self.warnings.dropped(path),
            Part::ToolCall { id, name, arguments, cache } => {
                if !arguments.is_object() {
                    self.warnings.add(self.origin.arguments_path(path), Effect::Converted);
                }
                let id = self.ids.call(id);
                a.object(|o| {
                    write_tool_use(o, &id, name, arguments);
                    o.maybe_json("cache_control", cache.as_ref());
                });
            }
            Part::ToolResult { id, content, is_error, cache } => {
                let id = self.ids.result(id);
                a.object(|o| {
                    o.string("type", "tool_result");
                    o.string("tool_use_id", &id);
                    self.result_content(o, path, content);
                    if let Some(is_error) = is_error {
                        o.boolean("is_error", *is_error);
                    }
                    o.maybe_json("cache_control", cache.as_ref());
                });
            }
            Part::Opaque { origin: Dialect::Anthropic, json, .. } => a.json(json),
            Part::Opaque { .. } => self.warnings.dropped(path),
        }
    }

    fn result_content(&mut self, o: &mut Members<'_>, path: &str, content: &[Part]) {
        match content {
            [] => {}
            [Part::Text { text, cache: None, .. }] => o.string("content", text),
            parts => o.array("content", |a| {
                for (index, part) in parts.iter().enumerate() {
                    let path = self.origin.result_part_path(path, index);
                    let empty = matches!(part, Part::Text { text, .. } if text.is_empty());
                    if !empty {
                        self.block(a, "user", &Placed { path, part });
                    }
                }
            }),
        }
    }

    fn media(&mut self, a: &mut Items<'_>, path: &str, media: &Media) {
        let kind = match media.kind {
            MediaKind::Image => "image",
            MediaKind::Document => "document",
            MediaKind::Audio => return self.warnings.dropped(format_args!("{path}.input_audio")),
        };
        // A file lives at the provider it was uploaded to.
        if matches!(media.source, Source::File(_)) && self.origin != Dialect::Anthropic {
            return self.warnings.dropped(self.origin.file_id_path(path));
        }
        if matches!(media.source, Source::Opaque(_)) && self.origin != Dialect::Anthropic {
            return self.warnings.dropped(path);
        }
        if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
            self.warnings.dropped(self.origin.image_detail_path(path));
        }
        a.object(|o| {
            o.string("type", kind);
            write_source(o, &media.source);
            if media.kind == MediaKind::Document {
                o.maybe_string("title", media.name.as_deref());
                o.maybe_string("context", media.context.as_deref());
                o.maybe_json("citations", media.citations.as_ref());
            }
            o.maybe_json("cache_control", media.cache.as_ref());
        });
    }
}

fn write_source(o: &mut Members<'_>, source: &Source) {
    let text = source.as_text();
    if let Source::Opaque(json) = source {
        return o.json("source", json);
    }
    o.object("source", |o| match (text, source) {
        (Some(text), _) => {
            o.string("type", "text");
            o.string("media_type", "text/plain");
            o.string("data", &text);
        }
        (None, Source::Base64 { media_type, data }) => {
            o.string("type", "base64");
            o.string("media_type", if media_type == "image/jpg" { "image/jpeg" } else { media_type });
            o.string("data", data);
        }
        (None, Source::Url(url)) => {
            o.string("type", "url");
            o.string("url", url);
        }
        (None, Source::File(id)) => {
            o.string("type", "file");
            o.string("file_id", id);
        }
        (None, Source::Text(_) | Source::Opaque(_)) => {}
    });
}

/// The members of a `tool_use` block. Its input must be an object: what is none is put into one.
pub(in crate::dialect::anthropic) fn write_tool_use(o: &mut Members<'_>, id: &str, name: &str, arguments: &Arguments) {
    o.string("type", "tool_use");
    o.string("id", id);
    o.string("name", name);
    o.value("input").extend_from_slice(arguments.as_object().as_bytes());
}
