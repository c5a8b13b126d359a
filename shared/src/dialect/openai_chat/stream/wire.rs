//! A chunk of a stream as it stands on the wire, read with as few allocations as its text has
//! escapes. Whatever has an unexpected type is absent.

use crate::dialect::lenient::{Count, Many, One, ServiceTier, Text};
use crate::dialect::openai_chat::usage::UsageWire;
use crate::dialect::text::stand_in_for_surrogates;
use crate::dialect::wire::{Broken, Sink, Value, wire};
use serde_json::value::RawValue;
use std::borrow::Cow;

wire! {
    /// One `data` of a stream.
    pub(in crate::dialect) struct ChunkWire<'a> {
        pub(in crate::dialect) id: Text<'a>,
        pub(in crate::dialect) model: Text<'a>,
        pub(in crate::dialect) choices: Many<One<ChoiceWire<'a>>>,
        service_tier: ServiceTier,
        pub(super) usage: One<UsageWire>,
        pub(in crate::dialect) error: Option<&'a RawValue>,
        pub(super) x_groq: One<GroqWire>,
    }
}

impl ChunkWire<'_> {
    /// The usage this chunk tells, wherever it does.
    pub(in crate::dialect) fn usage(&self) -> Option<crate::usage::Usage> {
        let groq = self.x_groq.0.as_ref().and_then(|groq| groq.usage.0.as_ref());
        let usage = self.usage.0.as_ref().or(groq)?.usage()?;
        Some(crate::usage::Usage { tier: self.service_tier.0, ..usage })
    }
}

wire! {
    pub(super) struct GroqWire {
        usage: One<UsageWire>,
    }
}

wire! {
    pub(in crate::dialect) struct ChoiceWire<'a> {
        pub(in crate::dialect) index: Count,
        pub(super) delta: One<DeltaWire<'a>>,
        /// Some servers put a whole message into a stream.
        pub(super) message: One<DeltaWire<'a>>,
        /// Legacy completions.
        pub(super) text: Text<'a>,
        pub(in crate::dialect) finish_reason: Text<'a>,
        pub(super) logprobs: Option<&'a RawValue>,
    }
}

wire! {
    /// What a chunk adds; a whole message reads the same way.
    pub(in crate::dialect) struct DeltaWire<'a> {
        pub(super) content: ContentWire<'a>,
        reasoning_content: Text<'a>,
        reasoning: Text<'a>,
        pub(super) reasoning_details: Many<One<DetailWire<'a>>>,
        pub(super) refusal: Text<'a>,
        pub(super) tool_calls: Many<One<CallWire<'a>>>,
        pub(super) function_call: One<FunctionWire<'a>>,
        pub(super) annotations: Many<&'a RawValue>,
    }
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

wire! {
    pub(super) struct DetailWire<'a> {
        text: Text<'a>,
        summary: Text<'a>,
        pub(super) signature: Text<'a>,
        pub(super) data: Text<'a>,
        pub(super) format: Text<'a>,
    }
}

impl DetailWire<'_> {
    pub(super) fn words(&self) -> Option<&str> {
        self.text.some().or(self.summary.some())
    }
}

wire! {
    pub(super) struct CallWire<'a> {
        pub(super) index: Count,
        pub(super) id: Text<'a>,
        pub(super) function: One<FunctionWire<'a>>,
    }
}

wire! {
    pub(super) struct FunctionWire<'a> {
        pub(super) name: Text<'a>,
        arguments: Option<&'a RawValue>,
    }
}

impl<'a> FunctionWire<'a> {
    /// The piece of the arguments: a string, or (some servers) the object itself; and whether it
    /// holds stand-ins for surrogates.
    pub(super) fn arguments_text(&self) -> Option<(Cow<'a, str>, bool)> {
        let raw = self.arguments?.get();
        if !raw.starts_with('"') {
            return (raw.starts_with('{') || raw.starts_with('[')).then_some((Cow::Borrowed(raw), false));
        }
        match crate::json::parse::<Text<'a>>(raw) {
            Ok(text) => Some((text.into_some()?, false)),
            Err(_) => {
                let fixed = stand_in_for_surrogates(raw)?;
                let text: String = crate::json::parse(&fixed).ok()?;
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

impl<'a> Sink<'a> for ContentWire<'a> {
    fn text(&mut self, text: Cow<'a, str>) {
        *self = if text.is_empty() { ContentWire::Nothing } else { ContentWire::Text(text) };
    }

    fn item(&mut self, value: &mut dyn Value<'a>) -> Result<(), Broken> {
        let mut part = One::<PartWire<'a>>::default();
        part.fill(value)?;
        let piece = part.0.and_then(PartWire::piece);
        match self {
            ContentWire::Pieces(pieces) => pieces.extend(piece),
            ContentWire::Nothing | ContentWire::Text(_) => *self = ContentWire::Pieces(piece.into_iter().collect()),
        }
        Ok(())
    }
}

wire! {
    struct PartWire<'a> {
        text: Text<'a>,
        thinking: Option<&'a RawValue>,
    }
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
