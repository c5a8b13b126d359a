//! Turns of a conversation and what they are made of.

use super::Json;
use crate::dialect::json_read::{Object, Path};
use crate::dialect::{Dialect, ProviderDialect, base64};
use std::borrow::Cow;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions, in the conversation (the ones above it are [`super::ChatRequest::instructions`]).
    System,
    /// Instructions in OpenAI's newer word for them.
    Developer,
    /// The person, and what tools answered.
    User,
    /// The model.
    Assistant,
}

/// One turn. Consecutive turns of one role are allowed; writers merge them where a provider insists.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<Part>,
    /// OpenAI's name of a participant.
    pub name: Option<String>,
}

impl Message {
    /// A turn without a name.
    pub fn new(role: Role, content: Vec<Part>) -> Message {
        Message { role, content, name: None }
    }
}

/// A piece of a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Plain text.
    Text {
        /// The text.
        text: String,
        /// A prompt-cache breakpoint after this part, as Anthropic's `cache_control` object.
        cache: Option<Json>,
        /// Where the text has its facts from. Only in answers.
        citations: Vec<Citation>,
    },
    /// An image, a document or sound.
    Media(Media),
    /// The model's words when it declines (OpenAI).
    Refusal(String),
    /// The model's reasoning. Without a signature it can be shown but not given back to Anthropic.
    Thinking {
        /// What was thought; may be empty when the provider only signs it.
        text: String,
        /// The provider's proof that it wrote this.
        signature: Option<Seal>,
    },
    /// Reasoning that only the provider can read.
    RedactedThinking(Seal),
    /// The model calls a tool.
    ToolCall {
        /// The call's id; its result bears the same.
        id: String,
        /// The tool's name.
        name: String,
        /// The arguments.
        arguments: Arguments,
        /// A prompt-cache breakpoint.
        cache: Option<Json>,
    },
    /// What a tool answered; lives in turns of [`Role::User`].
    ToolResult {
        /// The id of the call.
        id: String,
        /// Text, images, documents.
        content: Vec<Part>,
        /// Whether the tool failed.
        is_error: Option<bool>,
        /// A prompt-cache breakpoint.
        cache: Option<Json>,
    },
    /// A part of one dialect that no other has: server tools, their results, search results.
    Opaque {
        /// The dialect that understands it.
        origin: Dialect,
        /// Its `type` there.
        kind: String,
        /// The part as it came.
        json: Json,
    },
}

impl Part {
    /// Text and nothing beside it.
    pub fn text(text: impl Into<String>) -> Part {
        Part::Text { text: text.into(), cache: None, citations: Vec::new() }
    }
}

/// Something only the provider that made it can read: a signature, or encrypted reasoning. Another
/// provider refuses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The sealed text.
    pub text: String,
    /// Who made it, in OpenRouter's words.
    pub format: SealFormat,
}

impl Seal {
    /// One that Anthropic made.
    pub fn anthropic(text: impl Into<String>) -> Seal {
        Seal { text: text.into(), format: SealFormat::Anthropic }
    }
}

/// Who made a [`Seal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealFormat {
    /// Anthropic.
    Anthropic,
    /// Somebody else, by the name their seals go by.
    Other(String),
}

impl SealFormat {
    const ANTHROPIC: &str = "anthropic-claude-v1";
    const OPENAI_RESPONSES: &str = "openai-responses-v1";

    /// OpenAI's, in the Responses API.
    pub fn openai_responses() -> SealFormat {
        SealFormat::Other(SealFormat::OPENAI_RESPONSES.to_owned())
    }

    /// Whether it is OpenAI's, in the Responses API.
    pub fn is_openai_responses(&self) -> bool {
        self.as_str() == SealFormat::OPENAI_RESPONSES
    }

    /// The format's name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            SealFormat::Anthropic => SealFormat::ANTHROPIC,
            SealFormat::Other(name) => name,
        }
    }

    /// The format of this name; Anthropic's where none is told.
    pub fn from_name(name: Option<&str>) -> SealFormat {
        match name {
            Some(name) if name != SealFormat::ANTHROPIC => SealFormat::Other(name.to_owned()),
            Some(_) | None => SealFormat::Anthropic,
        }
    }
}

/// Arguments of a tool call.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments {
    /// One JSON value, nearly always an object.
    Json(Json),
    /// What a model wrote when it failed to write JSON.
    Text(String),
}

impl Arguments {
    /// From the text OpenAI's dialect carries. The empty text means no arguments: `{}`.
    pub fn from_text(text: &str) -> Arguments {
        match Json::parse(if text.trim().is_empty() { "{}" } else { text }) {
            Some(json) => Arguments::Json(json),
            None => Arguments::Text(text.to_owned()),
        }
    }

    /// Whether they are what arguments should be.
    pub fn is_object(&self) -> bool {
        match self {
            Arguments::Json(json) => json.is_object(),
            Arguments::Text(_) => false,
        }
    }

    /// The text of an object, for dialects that take nothing else: what is none is put into one.
    pub fn as_object(&self) -> Cow<'_, str> {
        match self {
            Arguments::Json(json) if json.is_object() => Cow::Borrowed(json.text()),
            Arguments::Json(json) if json.text() == "null" => Cow::Borrowed("{}"),
            Arguments::Json(json) => Cow::Owned(format!("{{\"value\":{}}}", json.text())),
            Arguments::Text(text) => Cow::Owned(crate::json::json!({ "text": text }).to_string()),
        }
    }

    /// The text OpenAI's dialect carries.
    pub fn as_text(&self) -> &str {
        match self {
            Arguments::Json(json) => json.text(),
            Arguments::Text(text) => text,
        }
    }
}

/// What a [`Media`] part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A PDF or another file to read.
    Document,
    /// Sound.
    Audio,
}

/// An image, a document or sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where its bytes are.
    pub source: Source,
    /// OpenAI's `detail` of an image: low, high, auto.
    pub detail: Option<String>,
    /// A file name or title.
    pub name: Option<String>,
    /// Anthropic's `context` of a document.
    pub context: Option<String>,
    /// Anthropic's `citations` setting of a document: `{"enabled":true}`.
    pub citations: Option<Json>,
    /// A prompt-cache breakpoint.
    pub cache: Option<Json>,
}

impl Media {
    /// What OpenAI calls the format of sound, which it knows in two.
    pub(crate) fn audio_format(media_type: &str) -> &str {
        match media_type.rsplit('/').next().unwrap_or(media_type) {
            "mpeg" | "mpga" | "x-mp3" => "mp3",
            "x-wav" | "wave" | "vnd.wave" => "wav",
            format => format,
        }
    }

    /// A bare part: only bytes.
    pub fn new(kind: MediaKind, source: Source) -> Media {
        Media { kind, source, detail: None, name: None, context: None, citations: None, cache: None }
    }
}

/// Where the bytes of a [`Media`] part are.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// In the request, in base64.
    Base64 {
        /// MIME type; for audio the bare format (`wav`) is allowed.
        media_type: String,
        /// The base64 text.
        data: String,
    },
    /// Somewhere the provider fetches them from.
    Url(String),
    /// A file uploaded to the provider before.
    File(String),
    /// A text document, inline.
    Text(String),
    /// A shape of source only its own dialect knows.
    Opaque(Json),
}

impl Source {
    /// The text of a document that is plain text, however it came.
    pub(crate) fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Source::Text(text) => Some(Cow::Borrowed(text)),
            Source::Base64 { media_type, data } if media_type.starts_with("text/") => {
                String::from_utf8(base64::decode(data)?).ok().map(Cow::Owned)
            }
            Source::Base64 { .. } | Source::Url(_) | Source::File(_) | Source::Opaque(_) => None,
        }
    }

    /// From a URL: a `data:` URL in base64 becomes its content.
    pub fn from_url(url: &str) -> Source {
        let inline = url.strip_prefix("data:").and_then(|rest| {
            let (head, data) = rest.split_once(',')?;
            let media_type = head.strip_suffix(";base64")?;
            let media_type = media_type.split(';').next().unwrap_or(media_type);
            Some(Source::Base64 { media_type: media_type.to_owned(), data: data.to_owned() })
        });
        inline.unwrap_or_else(|| Source::Url(url.to_owned()))
    }
}

/// A source of a statement in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Citation {
    /// The dialect [`Citation::json`] is written in.
    pub origin: ProviderDialect,
    /// The page, when it is one.
    pub url: Option<String>,
    /// The page's title.
    pub title: Option<String>,
    /// The citation as it came.
    pub json: Json,
}

impl Citation {
    /// Which characters of the text it is about, where OpenAI's members tell: first, and one past the last.
    pub fn span(&self) -> Option<(u64, u64)> {
        let root = Path::Root;
        let mut told = Object::read(self.json.text(), &root).ok()?;
        if let Some(inner) = told.take("url_citation") {
            told = Object::read(inner.get(), &root).ok()?;
        }
        Some((told.count("start_index").ok()??, told.count("end_index").ok()??))
    }
}
