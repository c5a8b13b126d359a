//! The conversation. Each tool result is a message of its own; documents that are text stand beside
//! the conversation, where the model can cite them.

use crate::dialect::ir::{ChatRequest, Media, MediaKind, Message, Part, Role, Source};
use crate::dialect::json_write::{Items, Members, array};
use crate::dialect::{Effect, Warnings};

/// A document that was found in the conversation: its title and its text.
pub(super) type Document = (Option<String>, String);

/// Writes `messages`; returns the documents.
pub(super) fn write(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) -> Vec<Document> {
    let mut writer = Writer { request, warnings, documents: Vec::new() };
    o.array("messages", |a| {
        if !request.instructions.is_empty() {
            let parts: Vec<(String, &Part)> =
                request.instructions.iter().enumerate().map(|(i, part)| (request.instruction_place(i), part)).collect();
            writer.message(a, "system", &parts);
        }
        for (index, message) in request.messages.iter().enumerate() {
            if message.name.is_some() {
                writer.warnings.dropped(format_args!("messages[{index}].name"));
            }
            match message.role {
                Role::System | Role::Developer => {
                    let parts = writer.placed(message, index);
                    writer.message(a, "system", &parts);
                }
                Role::User => writer.user(a, message, index),
                Role::Assistant => writer.assistant(a, message, index),
            }
        }
    });
    writer.documents
}

struct Writer<'r, 'w> {
    request: &'r ChatRequest,
    warnings: &'w mut Warnings,
    documents: Vec<Document>,
}

impl<'r> Writer<'r, '_> {
    fn placed(&self, message: &'r Message, index: usize) -> Vec<(String, &'r Part)> {
        let parts = message.content.iter().enumerate();
        parts.map(|(place, part)| (self.request.place(index, place), part)).collect()
    }

    /// A turn of tool results and whatever the person says beside them.
    fn user(&mut self, a: &mut Items<'_>, message: &'r Message, index: usize) {
        let (mut said, mut any_result) = (Vec::new(), false);
        for (path, part) in self.placed(message, index) {
            let Part::ToolResult { id, content, is_error, cache } = part else {
                said.push((path, part));
                continue;
            };
            any_result = true;
            self.uncached(&path, cache.is_some());
            if *is_error == Some(true) {
                self.warnings.dropped(format_args!("{path}.is_error"));
            }
            let inner =
                content.iter().enumerate().map(|(i, part)| (self.request.origin.result_part_path(&path, i), part));
            let (text, other): (Vec<_>, Vec<_>) = inner.partition(|(_, part)| matches!(part, Part::Text { .. }));
            for (path, part) in other {
                // A tool message takes text alone.
                if matches!(part, Part::Media(_)) {
                    self.warnings.add(&path, Effect::Moved);
                    said.push((path, part));
                } else {
                    self.warnings.dropped(path);
                }
            }
            a.object(|o| {
                o.string("role", "tool");
                o.string("tool_call_id", id);
                self.content(o, &text);
            });
        }
        if !said.is_empty() || !any_result {
            self.message(a, "user", &said);
        }
    }

    fn message(&mut self, a: &mut Items<'_>, role: &str, parts: &[(String, &Part)]) {
        a.object(|o| {
            o.string("role", role);
            self.content(o, parts);
        });
    }

    fn assistant(&mut self, a: &mut Items<'_>, message: &'r Message, index: usize) {
        let calls: Vec<&Part> = message.content.iter().filter(|part| matches!(part, Part::ToolCall { .. })).collect();
        let mut plan = String::new();
        let mut said = Vec::new();
        for (path, part) in self.placed(message, index) {
            match part {
                Part::ToolCall { cache, .. } => self.uncached(&path, cache.is_some()),
                Part::Thinking { text, signature } => {
                    if signature.is_some() {
                        self.warnings.dropped(format_args!("{path}.signature"));
                    }
                    // Thoughts before calls are the plan.
                    if calls.is_empty() && !text.is_empty() {
                        said.push((path, part));
                    } else {
                        plan.push_str(text);
                    }
                }
                Part::Text { .. }
                | Part::Media(_)
                | Part::Refusal(_)
                | Part::RedactedThinking(_)
                | Part::ToolResult { .. }
                | Part::Opaque { .. } => said.push((path, part)),
            }
        }
        a.object(|o| {
            o.string("role", "assistant");
            if !said.is_empty() || calls.is_empty() {
                self.content(o, &said);
            }
            if calls.is_empty() {
                return;
            }
            if !plan.is_empty() {
                o.string("tool_plan", &plan);
            }
            o.array("tool_calls", |a| calls.iter().for_each(|part| write_call(a, part)));
        });
    }

    fn uncached(&mut self, path: &str, asked: bool) {
        if asked {
            self.warnings.dropped(format_args!("{path}.cache_control"));
        }
    }

    /// `content`: a string where one text is all there is, else an array of parts.
    fn content(&mut self, o: &mut Members<'_>, parts: &[(String, &Part)]) {
        if let [(path, Part::Text { text, cache, .. })] = parts {
            self.uncached(path, cache.is_some());
            return o.string("content", text);
        }
        let mut content = Vec::new();
        array(&mut content, |a| parts.iter().for_each(|(path, part)| self.part(a, path, part)));
        // Nothing of it could be carried: an empty array is refused, an empty text is not.
        if content == b"[]" {
            content = b"\"\"".to_vec();
        }
        o.value("content").append(&mut content);
    }

    fn part(&mut self, a: &mut Items<'_>, path: &str, part: &Part) {
        match part {
            Part::Text { text, .. } if text.is_empty() => {}
            Part::Text { text, cache, .. } => {
                self.uncached(path, cache.is_some());
                write_text(a, text);
            }
            Part::Refusal(text) => {
                self.warnings.add(path, Effect::Converted);
                write_text(a, text);
            }
            Part::Thinking { text, .. } => a.object(|o| {
                o.string("type", "thinking");
                o.string("thinking", text);
            }),
            Part::Media(media) => self.media(a, path, media),
            Part::RedactedThinking(_) | Part::ToolCall { .. } | Part::ToolResult { .. } | Part::Opaque { .. } => {
                self.warnings.dropped(path);
            }
        }
    }

    fn media(&mut self, a: &mut Items<'_>, path: &str, media: &Media) {
        self.uncached(path, media.cache.is_some());
        let url = match (media.kind, &media.source) {
            (MediaKind::Image, Source::Url(url)) => url.clone(),
            (MediaKind::Image, Source::Base64 { media_type, data }) => format!("data:{media_type};base64,{data}"),
            (MediaKind::Document, source) => {
                return match source.as_text() {
                    Some(text) => {
                        self.warnings.add(path, Effect::Moved);
                        self.documents.push((media.name.clone(), text.into_owned()));
                    }
                    None => self.warnings.dropped(path),
                };
            }
            (MediaKind::Image, Source::File(_) | Source::Text(_) | Source::Opaque(_)) | (MediaKind::Audio, _) => {
                return self.warnings.dropped(path);
            }
        };
        a.object(|o| {
            o.string("type", "image_url");
            o.object("image_url", |o| {
                o.string("url", &url);
                o.maybe_string("detail", media.detail.as_deref());
            });
        });
    }
}

fn write_text(a: &mut Items<'_>, text: &str) {
    a.object(|o| {
        o.string("type", "text");
        o.string("text", text);
    });
}

fn write_call(a: &mut Items<'_>, part: &Part) {
    let Part::ToolCall { id, name, arguments, .. } = part else { return };
    a.object(|o| {
        o.string("id", id);
        o.string("type", "function");
        o.object("function", |o| {
            o.string("name", name);
            o.string("arguments", arguments.as_text());
        });
    });
}
