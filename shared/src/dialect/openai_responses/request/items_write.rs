//! The conversation from the common form: each turn becomes the items it is made of.

use crate::dialect::ir::{ChatRequest, Media, MediaKind, Message, Part, Role, Seal, Source};
use crate::dialect::json_write::{Items, Members, array};
use crate::dialect::{Dialect, Effect, Quirks, ReasoningReplay, Warnings};

type Placed<'r> = (String, &'r Part);

/// Writes `instructions` and `input`.
pub(super) fn write_input(o: &mut Members<'_>, request: &ChatRequest, quirks: &Quirks, warnings: &mut Warnings) {
    let mut writer = Writer { request, quirks, warnings };
    let instructions: Vec<Placed<'_>> =
        request.instructions.iter().enumerate().map(|(index, part)| (request.instruction_place(index), part)).collect();
    // One text is what `instructions` takes; several keep their bounds in a message on top.
    if let [(path, Part::Text { text, cache, .. })] = instructions.as_slice() {
        if cache.is_some() {
            writer.warnings.dropped(format_args!("{path}.cache_control"));
        }
        o.string("instructions", text);
    }
    o.array("input", |a| {
        if instructions.len() > 1
            || matches!(instructions.as_slice(), [(_, part)] if !matches!(part, Part::Text { .. }))
        {
            writer.message(a, "system", &instructions);
        }
        for (index, message) in request.messages.iter().enumerate() {
            if message.name.is_some() {
                writer.warnings.dropped(format_args!("messages[{index}].name"));
            }
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
    /// A turn that is not the model's: results of tools are items of their own, what stands between
    /// them stays in order.
    fn turn(&mut self, a: &mut Items<'_>, message: &Message, index: usize) {
        let role = match message.role {
            Role::Developer if self.quirks.developer_role => "developer",
            Role::System | Role::Developer => "system",
            Role::User | Role::Assistant => "user",
        };
        let mut said: Vec<Placed<'_>> = Vec::new();
        for (place, part) in message.content.iter().enumerate() {
            let path = self.request.place(index, place);
            match part {
                Part::ToolResult { id, content, is_error, cache } => {
                    self.flush(a, role, &mut said);
                    for (name, present) in [("is_error", *is_error == Some(true)), ("cache_control", cache.is_some())] {
                        if present {
                            self.warnings.dropped(format_args!("{path}.{name}"));
                        }
                    }
                    a.object(|o| {
                        o.string("type", "function_call_output");
                        o.string("call_id", id);
                        let origin = self.request.origin;
                        let parts: Vec<Placed<'_>> =
                            (0..).zip(content).map(|(i, part)| (origin.result_part_path(&path, i), part)).collect();
                        self.content(o, "output", "user", &parts);
                    });
                }
                Part::Opaque { origin: Dialect::OpenAiResponses, kind, json } if is_item(kind) => {
                    self.flush(a, role, &mut said);
                    a.json(json);
                }
                Part::Text { .. }
                | Part::Media(_)
                | Part::Refusal(_)
                | Part::Thinking { .. }
                | Part::RedactedThinking(_)
                | Part::ToolCall { .. }
                | Part::Opaque { .. } => said.push((path, part)),
            }
        }
        self.flush(a, role, &mut said);
    }

    fn assistant(&mut self, a: &mut Items<'_>, message: &Message, index: usize) {
        let mut said: Vec<Placed<'_>> = Vec::new();
        // Words that no seal has followed yet.
        let mut words: Vec<Placed<'_>> = Vec::new();
        for (place, part) in message.content.iter().enumerate() {
            let path = self.request.place(index, place);
            if !matches!(part, Part::Thinking { .. } | Part::RedactedThinking(_)) {
                self.unsealed(a, &mut words);
            }
            match part {
                Part::Text { .. } | Part::Refusal(_) | Part::Media(_) => said.push((path, part)),
                Part::Thinking { signature: None, .. } => {
                    self.flush(a, "assistant", &mut said);
                    words.push((path, part));
                }
                Part::Thinking { signature: Some(seal), .. } if seal.format.is_openai_responses() => {
                    self.flush(a, "assistant", &mut said);
                    words.push((path, part));
                    sealed(a, &mut words, seal);
                }
                Part::RedactedThinking(seal) if seal.format.is_openai_responses() => {
                    self.flush(a, "assistant", &mut said);
                    sealed(a, &mut words, seal);
                }
                // Another provider's seal is refused, and words that bear it are not this one's.
                Part::Thinking { .. } | Part::RedactedThinking(_) => self.warnings.dropped(path),
                Part::ToolCall { id, name, arguments, cache } => {
                    self.flush(a, "assistant", &mut said);
                    if cache.is_some() {
                        self.warnings.dropped(format_args!("{path}.cache_control"));
                    }
                    a.object(|o| {
                        o.string("type", "function_call");
                        o.string("call_id", id);
                        o.string("name", name);
                        o.string("arguments", arguments.as_text());
                    });
                }
                Part::Opaque { origin: Dialect::OpenAiResponses, kind, json } if is_item(kind) => {
                    self.flush(a, "assistant", &mut said);
                    a.json(json);
                }
                Part::Opaque { origin: Dialect::OpenAiResponses, .. } => said.push((path, part)),
                Part::Opaque { .. } | Part::ToolResult { .. } => self.warnings.dropped(path),
            }
        }
        self.unsealed(a, &mut words);
        self.flush(a, "assistant", &mut said);
    }

    /// Thoughts in words alone: some providers take them back, OpenAI does not.
    fn unsealed(&mut self, a: &mut Items<'_>, words: &mut Vec<Placed<'_>>) {
        if words.is_empty() {
            return;
        }
        match self.quirks.reasoning_replay {
            ReasoningReplay::None => words.iter().for_each(|(path, _)| self.warnings.dropped(path)),
            ReasoningReplay::ReasoningContent | ReasoningReplay::ReasoningDetails => a.object(|o| {
                o.string("type", "reasoning");
                o.array("summary", |_| {});
                o.array("content", |a| write_words(a, "reasoning_text", words));
            }),
        }
        words.clear();
    }

    fn flush(&mut self, a: &mut Items<'_>, role: &str, said: &mut Vec<Placed<'_>>) {
        if !said.is_empty() {
            self.message(a, role, said);
            said.clear();
        }
    }

    fn message(&mut self, a: &mut Items<'_>, role: &str, parts: &[Placed<'_>]) {
        a.object(|o| {
            o.string("role", role);
            self.content(o, "content", role, parts);
        });
    }

    /// A string where one text is all there is, else an array of parts.
    fn content(&mut self, o: &mut Members<'_>, name: &str, role: &str, parts: &[Placed<'_>]) {
        match parts {
            [] => o.string(name, ""),
            [(_, Part::Text { text, cache: None, .. })] => o.string(name, text),
            parts => {
                let mut content = Vec::new();
                array(&mut content, |a| parts.iter().for_each(|(path, part)| self.part(a, path, part, role)));
                // Nothing of it could be carried: an empty array is refused, an empty text is not.
                if content == b"[]" {
                    content = b"\"\"".to_vec();
                }
                o.value(name).append(&mut content);
            }
        }
    }

    fn part(&mut self, a: &mut Items<'_>, path: &str, part: &Part, role: &str) {
        match part {
            Part::Text { text, cache, .. } => {
                if cache.is_some() {
                    self.warnings.dropped(format_args!("{path}.cache_control"));
                }
                text_part(a, role, text);
            }
            Part::Refusal(text) if role == "assistant" => a.object(|o| {
                o.string("type", "refusal");
                o.string("refusal", text);
            }),
            Part::Media(_) if role == "assistant" => self.warnings.dropped(path),
            Part::Media(media) => self.media(a, path, media),
            Part::Opaque { origin: Dialect::OpenAiResponses, json, .. } => a.json(json),
            Part::Refusal(_)
            | Part::Thinking { .. }
            | Part::RedactedThinking(_)
            | Part::ToolCall { .. }
            | Part::ToolResult { .. }
            | Part::Opaque { .. } => self.warnings.dropped(path),
        }
    }

    fn media(&mut self, a: &mut Items<'_>, path: &str, media: &Media) {
        let unknown = [
            ("context", media.context.is_some()),
            ("citations", media.citations.is_some()),
            ("cache_control", media.cache.is_some()),
        ];
        for (name, present) in unknown {
            if present {
                self.warnings.dropped(format_args!("{path}.{name}"));
            }
        }
        // A file lives at the provider it was uploaded to.
        let foreign = !self.request.has_files_at_openai();
        match (media.kind, &media.source) {
            (_, Source::File(_)) if foreign => self.warnings.dropped(self.request.origin.file_id_path(path)),
            (MediaKind::Image, Source::Url(url)) => image(a, media, "image_url", url),
            (MediaKind::Image, Source::Base64 { media_type, data }) => {
                image(a, media, "image_url", &format!("data:{media_type};base64,{data}"));
            }
            (MediaKind::Image, Source::File(id)) => image(a, media, "file_id", id),
            (MediaKind::Audio, Source::Base64 { media_type, data }) => a.object(|o| {
                o.string("type", "input_audio");
                o.object("input_audio", |o| {
                    o.string("data", data);
                    o.string("format", Media::audio_format(media_type));
                });
            }),
            (MediaKind::Document, Source::Base64 { media_type, data }) => {
                file(a, media, "file_data", &format!("data:{media_type};base64,{data}"), Some("document.pdf"));
            }
            (MediaKind::Document, Source::Url(url)) => file(a, media, "file_url", url, None),
            (MediaKind::Document, Source::File(id)) => file(a, media, "file_id", id, None),
            (MediaKind::Document, Source::Text(text)) => {
                self.warnings.add(path, Effect::Converted);
                text_part(a, "user", text);
            }
            (MediaKind::Document, Source::Opaque(_))
            | (MediaKind::Image, Source::Text(_) | Source::Opaque(_))
            | (MediaKind::Audio, Source::Url(_) | Source::File(_) | Source::Text(_) | Source::Opaque(_)) => {
                self.warnings.dropped(path);
            }
        }
    }
}

/// Whether an opaque part of this dialect stands beside messages; else it stands in one.
fn is_item(kind: &str) -> bool {
    !kind.starts_with("input_") && !kind.starts_with("output_")
}

/// A reasoning item with the words before its seal.
fn sealed(a: &mut Items<'_>, words: &mut Vec<Placed<'_>>, seal: &Seal) {
    a.object(|o| {
        o.string("type", "reasoning");
        o.array("summary", |a| write_words(a, "summary_text", words));
        o.string("encrypted_content", &seal.text);
    });
    words.clear();
}

fn write_words(a: &mut Items<'_>, kind: &str, words: &[Placed<'_>]) {
    for (_, part) in words {
        if let Part::Thinking { text, .. } = part
            && !text.is_empty()
        {
            a.object(|o| {
                o.string("type", kind);
                o.string("text", text);
            });
        }
    }
}

fn text_part(a: &mut Items<'_>, role: &str, text: &str) {
    a.object(|o| {
        o.string("type", if role == "assistant" { "output_text" } else { "input_text" });
        o.string("text", text);
    });
}

fn image(a: &mut Items<'_>, media: &Media, member: &str, value: &str) {
    a.object(|o| {
        o.string("type", "input_image");
        o.string(member, value);
        o.maybe_string("detail", media.detail.as_deref());
    });
}

fn file(a: &mut Items<'_>, media: &Media, member: &str, value: &str, name: Option<&str>) {
    a.object(|o| {
        o.string("type", "input_file");
        // A URL names its file itself, and so does an id.
        o.maybe_string("filename", name.and(media.name.as_deref().or(name)));
        o.string(member, value);
    });
}
