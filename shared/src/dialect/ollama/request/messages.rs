//! The conversation. A message has one text, its images beside it in base64, its calls with their
//! arguments as objects; each tool result is a message of its own and names its tool.

use crate::dialect::ir::{ChatRequest, Media, MediaKind, Message, Part, Role, Source};
use crate::dialect::json_write::{Items, Members};
use crate::dialect::{Effect, Warnings};
use crate::sorted::SortedMap;

pub(super) fn write(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    let mut writer = Writer { request, warnings, tools: SortedMap::new() };
    o.array("messages", |a| {
        if !request.instructions.is_empty() {
            let mut said = Said::default();
            for (index, part) in request.instructions.iter().enumerate() {
                writer.take(&mut said, request.instruction_place(index), part);
            }
            said.write(a, "system");
        }
        for (index, message) in request.messages.iter().enumerate() {
            if message.name.is_some() {
                writer.warnings.dropped(format_args!("messages[{index}].name"));
            }
            writer.message(a, message, index);
        }
    });
}

struct Writer<'r, 'w> {
    request: &'r ChatRequest,
    warnings: &'w mut Warnings,
    /// From a call's id to the name of its tool.
    tools: SortedMap<&'r str, &'r str>,
}

/// What one message says.
#[derive(Default)]
struct Said<'r> {
    text: String,
    thinking: String,
    images: Vec<&'r str>,
    calls: Vec<&'r Part>,
}

impl<'r> Writer<'r, '_> {
    fn message(&mut self, a: &mut Items<'_>, message: &'r Message, index: usize) {
        let role = match message.role {
            Role::System | Role::Developer => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let (mut said, mut any_result) = (Said::default(), false);
        for (place, part) in message.content.iter().enumerate() {
            let path = self.request.place(index, place);
            let Part::ToolResult { id, content, is_error, cache } = part else {
                self.take(&mut said, path, part);
                continue;
            };
            any_result = true;
            for (name, asked) in [("is_error", *is_error == Some(true)), ("cache_control", cache.is_some())] {
                if asked {
                    self.warnings.dropped(format_args!("{path}.{name}"));
                }
            }
            let mut result = Said::default();
            for (i, part) in content.iter().enumerate() {
                self.take(&mut result, self.request.origin.result_part_path(&path, i), part);
            }
            a.object(|o| {
                o.string("role", "tool");
                o.string("content", &result.text);
                result.write_images(o);
                o.maybe_string("tool_name", self.tools.get(id.as_str()).copied());
                o.string("tool_call_id", id);
            });
        }
        if !any_result || !said.is_empty() {
            said.write(a, role);
        }
    }

    fn take(&mut self, said: &mut Said<'r>, path: String, part: &'r Part) {
        match part {
            Part::Text { text, cache, .. } => {
                said.add(text);
                if cache.is_some() {
                    self.warnings.dropped(format_args!("{path}.cache_control"));
                }
            }
            Part::Refusal(text) => {
                said.add(text);
                self.warnings.add(path, Effect::Converted);
            }
            Part::Thinking { text, signature } => {
                said.thinking.push_str(text);
                if signature.is_some() {
                    self.warnings.dropped(format_args!("{path}.signature"));
                }
            }
            Part::Media(media) => self.media(said, path, media),
            Part::ToolCall { id, name, cache, .. } => {
                self.tools.insert(id, name);
                said.calls.push(part);
                if cache.is_some() {
                    self.warnings.dropped(format_args!("{path}.cache_control"));
                }
            }
            Part::RedactedThinking(_) | Part::ToolResult { .. } | Part::Opaque { .. } => self.warnings.dropped(path),
        }
    }

    /// Images by their bytes alone; documents that are text become part of what is said.
    fn media(&mut self, said: &mut Said<'r>, path: String, media: &'r Media) {
        match (media.kind, &media.source) {
            (MediaKind::Image, Source::Base64 { data, .. }) => {
                said.images.push(data);
                if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
                    self.warnings.dropped(self.request.origin.image_detail_path(&path));
                }
            }
            (MediaKind::Document, source) => match source.as_text() {
                Some(text) => {
                    said.add(&text);
                    self.warnings.add(path, Effect::Converted);
                }
                None => self.warnings.dropped(path),
            },
            (MediaKind::Image | MediaKind::Audio, _) => self.warnings.dropped(path),
        }
    }
}

impl Said<'_> {
    /// Parts of one message are paragraphs of its text.
    fn add(&mut self, text: &str) {
        if !self.text.is_empty() && !text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.images.is_empty() && self.calls.is_empty()
    }

    fn write(&self, a: &mut Items<'_>, role: &str) {
        a.object(|o| {
            o.string("role", role);
            o.string("content", &self.text);
            if !self.thinking.is_empty() {
                o.string("thinking", &self.thinking);
            }
            self.write_images(o);
            if !self.calls.is_empty() {
                o.array("tool_calls", |a| self.calls.iter().for_each(|part| write_call(a, part)));
            }
        });
    }

    fn write_images(&self, o: &mut Members<'_>) {
        if !self.images.is_empty() {
            o.array("images", |a| self.images.iter().for_each(|data| a.string(data)));
        }
    }
}

fn write_call(a: &mut Items<'_>, part: &Part) {
    let Part::ToolCall { id, name, arguments, .. } = part else { return };
    a.object(|o| {
        o.string("id", id);
        o.object("function", |o| {
            o.string("name", name);
            o.value("arguments").extend_from_slice(arguments.as_object().as_bytes());
        });
    });
}
