//! What policy and routing need to know of a request, read in one pass over the caller's body.

use super::Framing;
use super::lenient::{Many, One, Text};
use super::wire::{Broken, Sink, Value, read, wire};
use crate::error::ApiError;
use crate::usage::Tier;
use serde::de::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A request at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The model the caller names.
    pub model: Option<String>,
    /// Whether the answer streams.
    pub stream: bool,
    /// How the events of a stream are told apart; a body never says it.
    pub framing: Framing,
    /// Whether the caller wants a usage chunk (OpenAI; always true elsewhere).
    pub include_usage: bool,
    /// The longest answer the caller wants, in tokens.
    pub max_output_tokens: Option<u64>,
    /// How many answers. At least 1.
    pub n: u64,
    /// What the model must be able to do.
    pub needs: Needs,
    /// The dearest service tier the caller's wish can lead to.
    pub tier: Tier,
    /// Searches the answer may be billed as, at the most (rerank).
    pub searches: u64,
    /// The caller's word for its own user.
    pub user: Option<String>,
    /// Turns in the conversation.
    pub messages: usize,
    /// Bytes of the body that are not base64 media. A token is at least a byte, so this bounds the
    /// input tokens of everything but media.
    pub text_bytes: usize,
    /// Images, by URL or inline.
    pub images: usize,
    /// Bytes of base64 in the body: images, documents, sound.
    pub media_bytes: usize,
    /// Those of images among them.
    pub image_bytes: usize,
    /// The model reads more than the body shows: what the provider keeps, or what its own tools find.
    pub unseen_input: bool,
}

/// What a model must be able to do for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Call tools.
    pub tools: bool,
    /// See images.
    pub vision: bool,
    /// Read documents.
    pub documents: bool,
    /// Hear.
    pub audio: bool,
    /// Answer by a JSON Schema.
    pub json_schema: bool,
    /// Reason.
    pub reasoning: bool,
}

/// Parses a member's value, or says which member is wrong and what it must be.
pub(crate) fn value<'a, T: serde::Deserialize<'a>>(
    text: &'a str,
    name: &str,
    what: &str,
) -> Result<Option<T>, ApiError> {
    crate::json::parse(text).map_err(|_| ApiError::invalid(name, format!("`{name}` must be {what}.")))
}

/// What a caller's `service_tier` can lead to; its provider decides whether it is a good one.
pub(crate) fn tier(text: &str) -> Tier {
    Tier::dearest(text.trim_matches('"'))
}

/// What the parts of messages amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) images: usize,
    pub(crate) documents: usize,
    pub(crate) audio: usize,
    pub(crate) media_bytes: usize,
    pub(crate) image_bytes: usize,
    /// What is meant is elsewhere: behind a URL, or with the provider.
    pub(crate) unseen: bool,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Counts) {
        self.images += other.images;
        self.documents += other.documents;
        self.audio += other.audio;
        self.media_bytes += other.media_bytes;
        self.image_bytes += other.image_bytes;
        self.unseen |= other.unseen;
    }
}

/// Bytes of text a token stands for, on average over languages and tokenizers, erring to the dear side.
pub const BYTES_PER_TOKEN: u64 = 4;
/// An ordinary image.
const USUAL_IMAGE_TOKENS: u64 = 1_200;

impl Facts {
    /// Input tokens as they will probably be.
    pub fn probable_input(&self) -> u64 {
        let text = (self.text_bytes as u64).div_ceil(BYTES_PER_TOKEN);
        text.saturating_add((self.images as u64).saturating_mul(USUAL_IMAGE_TOKENS))
    }

    pub(crate) fn count(&mut self, counts: Counts) {
        self.images += counts.images;
        self.media_bytes += counts.media_bytes;
        self.image_bytes += counts.image_bytes;
        self.unseen_input |= counts.unseen;
        self.text_bytes = self.text_bytes.saturating_sub(counts.media_bytes);
        self.needs.vision |= counts.images > 0;
        self.needs.documents |= counts.documents > 0;
        self.needs.audio |= counts.audio > 0;
    }
}

wire! {
    /// A message as far as [`Facts`] look into it: what media its content holds.
    pub(crate) struct MessageScan {
        pub(crate) content: ContentScan,
    }
}

/// What the content of a message or of a tool result amounts to, in either dialect's spelling.
#[derive(Clone, Copy, Default)]
pub(crate) struct ContentScan(pub(crate) Counts);

impl<'de> Deserialize<'de> for ContentScan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ContentScan, D::Error> {
        let mut scan = ContentScan::default();
        read(deserializer, &mut scan)?;
        Ok(scan)
    }
}

impl<'de> Sink<'de> for ContentScan {
    fn item(&mut self, value: &mut dyn Value<'de>) -> Result<(), Broken> {
        let mut part = One::<PartScan<'de>>::default();
        part.fill(value)?;
        self.0.add(part.0.map_or(Counts::default(), |part| part.counts()));
        Ok(())
    }
}

wire! {
    struct PartScan<'a> {
        kind: Text<'a> as "type",
        image_url: Place<'a>,
        file_data: Text<'a>,
        input_audio: One<Bytes<'a>>,
        file: One<Bytes<'a>>,
        source: One<Bytes<'a>>,
        content: ContentScan,
    }
}

wire! {
    /// Every member that may hold base64, whatever it hangs under.
    struct Bytes<'a> {
        kind: Text<'a> as "type",
        url: Text<'a>,
        data: Text<'a>,
        file_data: Text<'a>,
    }
}

/// A URL, bare or in an object.
#[derive(Default)]
struct Place<'a>(Option<Bytes<'a>>);

impl<'a> Sink<'a> for Place<'a> {
    fn text(&mut self, url: Cow<'a, str>) {
        self.0 = Some(Bytes { url: Text(Some(url)), ..Bytes::default() });
    }

    fn object(&mut self) {
        self.0 = Some(Bytes::default());
    }

    fn member(&mut self, name: &str, value: &mut dyn Value<'a>) -> Result<(), Broken> {
        self.0.as_mut().map_or(Ok(()), |bytes| bytes.member(name, value))
    }
}

impl PartScan<'_> {
    fn counts(&self) -> Counts {
        let mut counts = Counts { media_bytes: self.file_data.some().map_or(0, str::len), ..Counts::default() };
        for bytes in [&self.image_url.0, &self.input_audio.0, &self.file.0, &self.source.0].into_iter().flatten() {
            // The text of a plain-text document is prompt, not media.
            if bytes.kind.0.as_deref() != Some("text") {
                let long = |text: &Text<'_>| text.0.as_deref().map_or(0, str::len);
                let inline = |text: &Text<'_>| {
                    if text.0.as_deref().is_some_and(|t| t.starts_with("data:")) { long(text) } else { 0 }
                };
                counts.media_bytes += inline(&bytes.url) + long(&bytes.data) + long(&bytes.file_data);
            }
        }
        match self.kind.0.as_deref() {
            Some("image_url" | "image" | "input_image") => {
                (counts.images, counts.image_bytes) = (1, counts.media_bytes);
            }
            Some("input_audio") => counts.audio = 1,
            Some("file" | "document" | "document_url" | "input_file" | "container_upload") => {
                let source = self.source.0.as_ref().and_then(|source| source.kind.0.as_deref());
                counts.documents = 1;
                counts.unseen = counts.media_bytes == 0 && !matches!(source, Some("text" | "content"));
            }
            Some(_) | None => {}
        }
        counts.add(self.content.0);
        counts
    }
}

wire! {
    struct Tool<'a> {
        kind: Text<'a> as "type",
    }
}

/// Whether there are tools, and whether the provider runs one of them: what such a one finds is read by the model and billed
/// as input. `theirs` tells by the kind, where a tool says one.
pub(crate) fn tools(text: &str, name: &str, theirs: fn(&str) -> bool) -> Result<(bool, bool), ApiError> {
    if !text.starts_with('[') && text != "null" {
        return Err(ApiError::invalid(name, format!("`{name}` must be an array.")));
    }
    let Many(tools): Many<Tool<'_>> =
        value::<Option<Many<Tool<'_>>>>(text, name, "an array of objects")?.flatten().unwrap_or_default();
    Ok((!tools.is_empty(), tools.iter().any(|tool| tool.kind.some().is_some_and(theirs))))
}
