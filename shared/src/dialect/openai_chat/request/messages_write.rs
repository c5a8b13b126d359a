//! The conversation from the common form.

use crate::dialect::ir::{ChatRequest, Media, MediaKind, Message, Part, Role, Seal, Source};
use crate::dialect::json_write::{Items, Members, array};
use crate::dialect::openai_chat::reasoning;
use crate::dialect::{Dialect, Effect, Quirks, ReasoningReplay, Warnings};

pub(in crate::dialect) fn write_messages(
    o: &mut Members<'_>,
    request: &ChatRequest,
    quirks: &Quirks,
    warnings: &mut Warnings,
) {
    o.array("messages", |a| {
        if !request.instructions.is_empty() {
            let parts: Vec<(String, &Part)> =
                request.instructions.iter().enumerate().map(|(i, part)| (request.instruction_place(i), part)).collect();
            let mut writer = Writer { request, quirks, warnings };
            a.object(|o| {
                o.string("role", "system");
                writer.content(o, &parts, Role::System);
            });
        }
        for (index, message) in request.messages.iter().enumerate() {
            let mut writer = Writer { request, quirks, warnings };
            match message.role {
                Role::System | Role::Developer | Role::User => writer.turn(a, message, index),
                Role::Assistant => writer.assistant(a, message, index),
            }
        }
    });
}

struct Writer<'w> {
    request: &'w ChatRequest,
    quirks: &'w Quirks,
    warnings: &'w mut Warnings,
}

impl Writer<'_> {
    /// A turn that is not the model's: each tool result becomes a message of its own, what stands
    /// between them stays in order.
    fn turn(&mut self, a: &mut Items<'_>, message: &Message, index: usize) {
        let role = match message.role {
            Role::Developer if self.quirks.developer_role => "developer",
            Role::System | Role::Developer => "system",
            Role::User | Role::Assistant => "user",
        };
        let mut rest: Vec<(String, &Part)> = Vec::new();
        // Media of tool results: a tool message takes text alone.
        let mut media: Vec<(String, &Part)> = Vec::new();
        let mut any_result = false;
        for (place, part) in message.content.iter().enumerate() {
            let path = self.request.place(index, place);
            let Part::ToolResult { id, content, is_error, cache } = part else {
                rest.push((path, part));
                continue;
            };
            any_result = true;
            if *is_error == Some(true) {
                self.warnings.dropped(format_args!("{path}.is_error"));
            }
            if cache.is_some() && !self.quirks.cache_control {
                self.warnings.dropped(format_args!("{path}.cache_control"));
            }
            let origin = self.request.origin;
            let inner = content.iter().enumerate().map(|(i, part)| (origin.result_part_path(&path, i), part));
            let (text, other): (Vec<_>, Vec<_>) = inner.partition(|(_, part)| matches!(part, Part::Text { .. }));
            for (path, part) in other {
                if matches!(part, Part::Media(_)) {
                    self.warnings.add(&path, Effect::Moved);
                    media.push((path, part));
                } else {
                    self.warnings.dropped(path);
                }
            }
            a.object(|o| {
                o.string("role", "tool");
                o.string("tool_call_id", id);
                self.content(o, &text, Role::System);
            });
        }
        media.append(&mut rest);
        if !media.is_empty() || (!any_result && message.content.is_empty()) {
            a.object(|o| {
                o.string("role", role);
                o.maybe_string("name", message.name.as_deref());
                self.content(o, &media, message.role);
            });
        }
    }

    fn assistant(&mut self, a: &mut Items<'_>, message: &Message, index: usize) {
        let mut said: Vec<(String, &Part)> = Vec::new();
        let mut calls: Vec<&Part> = Vec::new();
        let mut refusal: Option<&str> = None;
        for (place, part) in message.content.iter().enumerate() {
            let path = || self.request.place(index, place);
            match part {
                Part::Text { .. } | Part::Media(_) => said.push((path(), part)),
                Part::Refusal(text) => refusal = Some(text),
                Part::ToolCall { cache, .. } => {
                    if cache.is_some() && !self.quirks.cache_control {
                        self.warnings.dropped(format_args!("{}.cache_control", path()));
                    }
                    calls.push(part);
                }
                Part::Thinking { .. } | Part::RedactedThinking(_) => self.replayed(part, &path()),
                Part::Opaque { origin: Dialect::OpenAiChat, .. } => calls.push(part),
                Part::Opaque { .. } | Part::ToolResult { .. } => self.warnings.dropped(path()),
            }
        }
        a.object(|o| {
            o.string("role", "assistant");
            o.maybe_string("name", message.name.as_deref());
            if said.is_empty() {
                o.null("content");
            } else {
                self.content(o, &said, Role::Assistant);
            }
            match self.quirks.reasoning_replay {
                ReasoningReplay::None => {}
                ReasoningReplay::ReasoningContent => reasoning::write_text(o, &message.content),
                ReasoningReplay::ReasoningDetails => {
                    if message
                        .content
                        .iter()
                        .any(|part| matches!(part, Part::Thinking { .. } | Part::RedactedThinking(_)))
                    {
                        reasoning::write_details(o, &message.content);
                    }
                }
            }
            o.maybe_string("refusal", refusal);
            if !calls.is_empty() {
                o.array("tool_calls", |a| calls.iter().for_each(|part| write_call(a, part, None)));
            }
        });
    }

    /// Warns of reasoning this provider cannot be given back.
    fn replayed(&mut self, part: &Part, path: &str) {
        match (self.quirks.reasoning_replay, part) {
            (ReasoningReplay::ReasoningDetails, _) => {}
            (ReasoningReplay::ReasoningContent, Part::Thinking { signature: None, .. }) => {}
            (ReasoningReplay::ReasoningContent, Part::Thinking { .. }) => {
                self.warnings.dropped(format_args!("{path}.signature"));
            }
            (ReasoningReplay::ReasoningContent | ReasoningReplay::None, _) => self.warnings.dropped(path),
        }
    }

    /// `content`: a string where one text is all there is, else an array of parts.
    fn content(&mut self, o: &mut Members<'_>, parts: &[(String, &Part)], role: Role) {
        match parts {
            [] => o.string("content", ""),
            [(path, Part::Text { text, cache, .. })] if cache.is_none() || !self.quirks.cache_control => {
                if cache.is_some() {
                    self.warnings.dropped(format_args!("{path}.cache_control"));
                }
                o.string("content", text);
            }
            parts => {
                let mut content = Vec::new();
                array(&mut content, |a| parts.iter().for_each(|(path, part)| self.part(a, path, part, role)));
                // Nothing of it could be carried: an empty array is refused, an empty text is not.
                if content == b"[]" {
                    content = b"\"\"".to_vec();
                }
                o.value("content").append(&mut content);
            }
        }
    }

    fn part(&mut self, a: &mut Items<'_>, path: &str, part: &Part, role: Role) {
        match part {
            Part::Text { text, cache, .. } => a.object(|o| {
                o.string("type", "text");
                o.string("text", text);
                self.cache(o, path, cache.as_ref());
            }),
            Part::Media(_) if role == Role::Assistant => self.warnings.dropped(path),
            Part::Media(media) => self.media(a, path, media),
            Part::Opaque { origin: Dialect::OpenAiChat, json, .. } => a.json(json),
            Part::Refusal(_)
            | Part::Thinking { .. }
            | Part::RedactedThinking(_)
            | Part::ToolCall { .. }
            | Part::ToolResult { .. }
            | Part::Opaque { .. } => self.warnings.dropped(path),
        }
    }

    fn cache(&mut self, o: &mut Members<'_>, path: &str, cache: Option<&crate::dialect::ir::Json>) {
        match cache {
            Some(cache) if self.quirks.cache_control => o.json("cache_control", cache),
            Some(_) => self.warnings.dropped(format_args!("{path}.cache_control")),
            None => {}
        }
    }

    fn media(&mut self, a: &mut Items<'_>, path: &str, media: &Media) {
        for (name, present) in [("context", media.context.is_some()), ("citations", media.citations.is_some())] {
            if present {
                self.warnings.dropped(format_args!("{path}.{name}"));
            }
        }
        match (media.kind, &media.source) {
            (MediaKind::Image, Source::Url(url)) => self.image(a, path, media, url),
            (MediaKind::Image, Source::Base64 { media_type, data }) => {
                self.image(a, path, media, &format!("data:{media_type};base64,{data}"));
            }
            (MediaKind::Audio, Source::Base64 { media_type, data }) => a.object(|o| {
                o.string("type", "input_audio");
                o.object("input_audio", |o| {
                    o.string("data", data);
                    o.string("format", Media::audio_format(media_type));
                });
                self.cache(o, path, media.cache.as_ref());
            }),
            (MediaKind::Document, Source::Base64 { media_type, data }) => {
                let url = format!("data:{media_type};base64,{data}");
                self.file(a, path, media, "file_data", &url, Some("document.pdf"));
            }
            (MediaKind::Document, Source::File(id)) if self.request.has_files_at_openai() => {
                self.file(a, path, media, "file_id", id, None);
            }
            (MediaKind::Document, Source::Text(text)) => {
                self.warnings.add(path, Effect::Converted);
                a.object(|o| {
                    o.string("type", "text");
                    o.string("text", text);
                    self.cache(o, path, media.cache.as_ref());
                });
            }
            // A file lives at the provider it was uploaded to.
            (_, Source::File(_)) => self.warnings.dropped(self.request.origin.file_id_path(path)),
            (MediaKind::Document, Source::Url(_) | Source::Opaque(_))
            | (MediaKind::Image, Source::Text(_) | Source::Opaque(_))
            | (MediaKind::Audio, Source::Url(_) | Source::Text(_) | Source::Opaque(_)) => {
                self.warnings.dropped(path);
            }
        }
    }

    fn image(&mut self, a: &mut Items<'_>, path: &str, media: &Media, url: &str) {
        a.object(|o| {
            o.string("type", "image_url");
            o.object("image_url", |o| {
                o.string("url", url);
                o.maybe_string("detail", media.detail.as_deref());
            });
            self.cache(o, path, media.cache.as_ref());
        });
    }

    fn file(&mut self, a: &mut Items<'_>, path: &str, media: &Media, member: &str, value: &str, name: Option<&str>) {
        a.object(|o| {
            o.string("type", "file");
            o.object("file", |o| {
                o.maybe_string("filename", media.name.as_deref().or(name));
                o.string(member, value);
            });
            self.cache(o, path, media.cache.as_ref());
        });
    }
}

/// A tool call, or a call of OpenAI's own kind as it came. `signature` is the seal that stands before it.
pub(in crate::dialect::openai_chat) fn write_call(a: &mut Items<'_>, part: &Part, signature: Option<&Seal>) {
    if let Part::ToolCall { id, name, arguments, .. } = part {
        a.object(|o| {
            o.string("id", id);
            o.string("type", "function");
            o.object("function", |o| {
                o.string("name", name);
                o.string("arguments", arguments.as_text());
            });
            reasoning::write_signature(o, signature);
        });
    } else if let Part::Opaque { json, .. } = part {
        a.json(json);
    }
}
