//! What policy and routing need to know of a request, read in one pass over the caller's body.

use super::Framing;
use super::lenient::{One, Text, ignore_the_rest};
use crate::error::ApiError;
use crate::usage::Tier;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

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
    serde_json::from_str(text).map_err(|_| ApiError::invalid(name, format!("`{name}` must be {what}.")))
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
}

impl Counts {
    pub(crate) fn add(&mut self, other: Counts) {
        self.images += other.images;
        self.documents += other.documents;
        self.audio += other.audio;
        self.media_bytes += other.media_bytes;
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
        self.text_bytes = self.text_bytes.saturating_sub(counts.media_bytes);
        self.needs.vision |= counts.images > 0;
        self.needs.documents |= counts.documents > 0;
        self.needs.audio |= counts.audio > 0;
    }
}

/// A message as far as [`Facts`] look into it: what media its content holds.
#[derive(serde::Deserialize)]
pub(crate) struct MessageScan {
    #[serde(default)]
    pub(crate) content: ContentScan,
}

/// What the content of a message or of a tool result amounts to, in either dialect's spelling.
#[derive(Clone, Copy, Default)]
pub(crate) struct ContentScan(pub(crate) Counts);

impl<'de> Deserialize<'de> for ContentScan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ContentScan, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = ContentScan;
            fn visit_str<E>(self, _: &str) -> Result<ContentScan, E> {
                Ok(ContentScan::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ContentScan, A::Error> {
                let mut counts = Counts::default();
                while let Some(One(part)) = seq.next_element::<One<PartScan<'de>>>()? {
                    counts.add(part.map_or(Counts::default(), |part| part.counts()));
                }
                Ok(ContentScan(counts))
            }
            ignore_the_rest!(common);
            ignore_the_rest!(numbers);
            ignore_the_rest!(map);
        }
        deserializer.deserialize_any(V)
    }
}

#[derive(serde::Deserialize)]
struct PartScan<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    image_url: Place<'a>,
    #[serde(borrow, default)]
    file_data: Text<'a>,
    #[serde(borrow, default)]
    input_audio: One<Bytes<'a>>,
    #[serde(borrow, default)]
    file: One<Bytes<'a>>,
    #[serde(borrow, default)]
    source: One<Bytes<'a>>,
    #[serde(default)]
    content: ContentScan,
}

/// Every member that may hold base64, whatever it hangs under.
#[derive(Default, serde::Deserialize)]
struct Bytes<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    url: Text<'a>,
    #[serde(borrow, default)]
    data: Text<'a>,
    #[serde(borrow, default)]
    file_data: Text<'a>,
}

/// A URL, bare or in an object.
#[derive(Default)]
struct Place<'a>(Option<Bytes<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Place<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Place<'a>, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Place<'de>;
            fn visit_borrowed_str<E>(self, url: &'de str) -> Result<Place<'de>, E> {
                Ok(Place(Some(Bytes { url: Text(Some(url.into())), ..Bytes::default() })))
            }
            fn visit_str<E>(self, url: &str) -> Result<Place<'de>, E> {
                Ok(Place(Some(Bytes { url: Text(Some(url.to_owned().into())), ..Bytes::default() })))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Place<'de>, A::Error> {
                Bytes::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|bytes| Place(Some(bytes)))
            }
            ignore_the_rest!(common);
            ignore_the_rest!(numbers);
            ignore_the_rest!(sequence);
        }
        deserializer.deserialize_any(V)
    }
}

impl PartScan<'_> {
    fn counts(&self) -> Counts {
        let mut counts = self.content.0;
        match self.kind.0.as_deref() {
            Some("image_url" | "image" | "input_image") => counts.images += 1,
            Some("input_audio") => counts.audio += 1,
            Some("file" | "document" | "document_url" | "input_file") => counts.documents += 1,
            Some(_) | None => {}
        }
        counts.media_bytes += self.file_data.some().map_or(0, str::len);
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
        counts
    }
}
