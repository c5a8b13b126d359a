//! A chunk of a stream as it stands on the wire, read with as few allocations as its text has
//! escapes. Whatever has an unexpected type is absent.

use crate::dialect::lenient::{Count, Many, One, ServiceTier, Text, ignore_the_rest};
use crate::dialect::openai_chat::usage::UsageWire;
use crate::dialect::text::stand_in_for_surrogates;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// One `data` of a stream.
#[derive(Deserialize)]
pub(in crate::dialect) struct ChunkWire<'a> {
    #[serde(borrow, default)]
    pub(in crate::dialect) id: Text<'a>,
    #[serde(borrow, default)]
    pub(in crate::dialect) model: Text<'a>,
    #[serde(borrow, default)]
    pub(in crate::dialect) choices: Many<One<ChoiceWire<'a>>>,
    #[serde(default)]
    service_tier: ServiceTier,
    #[serde(default)]
    pub(super) usage: One<UsageWire>,
    #[serde(borrow, default)]
    pub(in crate::dialect) error: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) x_groq: One<GroqWire>,
}

impl ChunkWire<'_> {
    /// The usage this chunk tells, wherever it does.
    pub(in crate::dialect) fn usage(&self) -> Option<crate::usage::Usage> {
        let groq = self.x_groq.0.as_ref().and_then(|groq| groq.usage.0.as_ref());
        let usage = self.usage.0.as_ref().or(groq)?.usage()?;
        Some(crate::usage::Usage { tier: self.service_tier.0, ..usage })
    }
}

#[derive(Deserialize)]
pub(super) struct GroqWire {
    #[serde(default)]
    usage: One<UsageWire>,
}

#[derive(Deserialize)]
pub(in crate::dialect) struct ChoiceWire<'a> {
    #[serde(default)]
    pub(in crate::dialect) index: Count,
    #[serde(borrow, default)]
    pub(super) delta: One<DeltaWire<'a>>,
    /// Some servers put a whole message into a stream.
    #[serde(borrow, default)]
    pub(super) message: One<DeltaWire<'a>>,
    /// Legacy completions.
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    #[serde(borrow, default)]
    pub(in crate::dialect) finish_reason: Text<'a>,
    #[serde(borrow, default)]
    pub(super) logprobs: Option<&'a RawValue>,
}

/// What a chunk adds; a whole message reads the same way.
#[derive(Deserialize)]
pub(in crate::dialect) struct DeltaWire<'a> {
    #[serde(borrow, default)]
    pub(super) content: ContentWire<'a>,
    #[serde(borrow, default)]
    reasoning_content: Text<'a>,
    #[serde(borrow, default)]
    reasoning: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reasoning_details: Many<One<DetailWire<'a>>>,
    #[serde(borrow, default)]
    pub(super) refusal: Text<'a>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Many<One<CallWire<'a>>>,
    #[serde(borrow, default)]
    pub(super) function_call: One<FunctionWire<'a>>,
    #[serde(borrow, default)]
    pub(super) annotations: Many<&'a RawValue>,
}

impl<'a> DeltaWire<'a> {
    /// The thoughts in words, under one of two names.
    pub(super) fn take_thoughts(&mut self) -> Option<Cow<'a, str>> {
        let named = std::mem::take(&mut self.reasoning_content).into_some();
        named.or_else(|| std::mem::take(&mut self.reasoning).into_some())
    }

    /// Whether thoughts have a name here. Their details then only repeat them, in this stream and
    /// to its end.
    pub(super) fn names_thoughts(&self) -> bool {
        self.reasoning_content.some().is_some() || self.reasoning.some().is_some()
    }

    /// Whether it opens a block that has no bytes yet.
    pub(super) fn starts_block(&self) -> bool {
        let sealed = |detail: &DetailWire<'_>| detail.signature.some().is_some() || detail.data.some().is_some();
        self.tool_calls.0.iter().any(|call| call.0.is_some())
            || self.function_call.0.is_some()
            || !self.annotations.0.is_empty()
            || self.reasoning_details.0.iter().filter_map(|detail| detail.0.as_ref()).any(sealed)
    }

    /// Bytes of text, thoughts and arguments, for an estimate where usage is not told. `named` tells
    /// that thoughts have had a name before.
    pub(in crate::dialect) fn output_bytes(&self, named: bool) -> u64 {
        let long = |text: &Text<'_>| text.some().map_or(0, str::len);
        let thoughts = match long(&self.reasoning_content) {
            0 => long(&self.reasoning),
            length => length,
        };
        let details =
            || self.reasoning_details.0.iter().filter_map(|detail| Some(detail.0.as_ref()?.words()?.len())).sum();
        let thoughts = if thoughts == 0 && !named { details() } else { thoughts };
        let calls = self.tool_calls.0.iter().filter_map(|call| call.0.as_ref()?.function.0.as_ref());
        let calls = calls.chain(self.function_call.0.as_ref());
        let arguments: usize = calls.map(|function| function.arguments_text().map_or(0, |(text, _)| text.len())).sum();
        (self.content.len() + thoughts + long(&self.refusal) + arguments) as u64
    }
}

#[derive(Deserialize)]
pub(super) struct DetailWire<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(borrow, default)]
    summary: Text<'a>,
    #[serde(borrow, default)]
    pub(super) signature: Text<'a>,
    #[serde(borrow, default)]
    pub(super) data: Text<'a>,
    #[serde(borrow, default)]
    pub(super) format: Text<'a>,
}

impl DetailWire<'_> {
    pub(super) fn words(&self) -> Option<&str> {
        self.text.some().or(self.summary.some())
    }
}

#[derive(Deserialize)]
pub(super) struct CallWire<'a> {
    #[serde(default)]
    pub(super) index: Count,
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) function: One<FunctionWire<'a>>,
}

#[derive(Default, Deserialize)]
pub(super) struct FunctionWire<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

impl<'a> FunctionWire<'a> {
    /// The piece of the arguments: a string, or (some servers) the object itself; and whether it
    /// holds stand-ins for surrogates.
    pub(super) fn arguments_text(&self) -> Option<(Cow<'a, str>, bool)> {
        let raw = self.arguments?.get();
        if !raw.starts_with('"') {
            return (raw.starts_with('{') || raw.starts_with('[')).then_some((Cow::Borrowed(raw), false));
        }
        match serde_json::from_str::<Text<'a>>(raw) {
            Ok(text) => Some((text.into_some()?, false)),
            Err(_) => {
                let fixed = stand_in_for_surrogates(raw)?;
                let text: String = serde_json::from_str(&fixed).ok()?;
                Some((Cow::Owned(text), true))
            }
        }
    }
}

/// `content`: a string, or (Mistral) parts.
#[derive(Default)]
pub(super) enum ContentWire<'a> {
    #[default]
    Nothing,
    Text(Cow<'a, str>),
    Pieces(Vec<PieceWire<'a>>),
}

impl ContentWire<'_> {
    fn len(&self) -> usize {
        match self {
            ContentWire::Nothing => 0,
            ContentWire::Text(text) => text.len(),
            ContentWire::Pieces(pieces) => pieces.iter().map(|piece| piece.text().len()).sum(),
        }
    }
}

/// A piece of content.
pub(super) enum PieceWire<'a> {
    Text(Cow<'a, str>),
    Thoughts(Cow<'a, str>),
}

impl PieceWire<'_> {
    fn text(&self) -> &str {
        match self {
            PieceWire::Text(text) | PieceWire::Thoughts(text) => text,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ContentWire<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ContentWire<'a>, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = ContentWire<'de>;
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<ContentWire<'de>, E> {
                Ok(one(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<ContentWire<'de>, E> {
                Ok(one(Cow::Owned(text.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ContentWire<'de>, A::Error> {
                let mut pieces = Vec::new();
                while let Some(One(part)) = seq.next_element::<One<PartWire<'de>>>()? {
                    pieces.extend(part.and_then(PartWire::piece));
                }
                Ok(ContentWire::Pieces(pieces))
            }
            ignore_the_rest!(common);
            ignore_the_rest!(numbers);
            ignore_the_rest!(map);
        }
        deserializer.deserialize_any(V)
    }
}

fn one(text: Cow<'_, str>) -> ContentWire<'_> {
    if text.is_empty() { ContentWire::Nothing } else { ContentWire::Text(text) }
}

#[derive(Deserialize)]
struct PartWire<'a> {
    #[serde(borrow, default)]
    text: Text<'a>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
}

impl<'a> PartWire<'a> {
    fn piece(self) -> Option<PieceWire<'a>> {
        if let Some(thinking) = self.thinking {
            let text = crate::dialect::openai_chat::request::thinking_text(Some(thinking));
            return (!text.is_empty()).then_some(PieceWire::Thoughts(Cow::Owned(text)));
        }
        self.text.into_some().map(PieceWire::Text)
    }
}
