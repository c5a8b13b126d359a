//! Watches what goes by for the usage it tells, in the shapes that are known: OpenAI's chats and
//! responses, Anthropic's, Gemini's; as one JSON body or as events.

use crate::dialect::lenient::{Count, One, Text};
use crate::dialect::wire::wire;
use crate::dialect::{Finish, LARGEST_EVENT, Observed};
use crate::sse;
use crate::usage::{Tier, Usage};

/// As much of a JSON body as is kept to look for usage in it; of a larger one nothing is known.
const MOST_JSON: usize = 8 * 1024 * 1024;

/// A watcher of one answer.
#[derive(Debug)]
pub struct Meter {
    shape: Shape,
    events: bool,
    told: Told,
    /// What the head promised, and what has come.
    length: Option<u64>,
    seen: u64,
}

#[derive(Debug)]
enum Shape {
    Events(Box<sse::Reader>),
    Json(Vec<u8>),
    Opaque,
}

impl Meter {
    /// For an answer with this content type and length. `billed`: whether usage in it is this call's; a
    /// stored answer that is only looked at was paid for when it was made.
    pub fn new(content_type: &str, length: Option<u64>, billed: bool) -> Meter {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let shape = match essence.as_str() {
            "text/event-stream" if billed => Shape::Events(Box::new(sse::Reader::with_limit(LARGEST_EVENT))),
            "application/json" if billed => Shape::Json(Vec::new()),
            _ => Shape::Opaque,
        };
        Meter { shape, events: essence == "text/event-stream", told: Told::default(), length, seen: 0 }
    }

    /// Whether the answer is a stream of events.
    pub fn is_events(&self) -> bool {
        self.events
    }

    /// Takes the next bytes, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        match &mut self.shape {
            Shape::Events(reader) => {
                reader.push(bytes);
                while let Some(event) = reader.next() {
                    // One too large to be read is only passed on.
                    if let Ok(event) = event {
                        self.told.read(event.data);
                    }
                }
            }
            Shape::Json(body) if body.len().saturating_add(bytes.len()) <= MOST_JSON => body.extend_from_slice(bytes),
            Shape::Json(_) => self.shape = Shape::Opaque,
            Shape::Opaque => {}
        }
    }

    /// The body has ended, or nobody listens any more.
    pub fn finish(mut self) -> Observed {
        match &mut self.shape {
            Shape::Events(reader) => {
                if let Some(event) = reader.finish() {
                    self.told.read(event.data);
                }
            }
            Shape::Json(body) => {
                if let Ok(text) = std::str::from_utf8(body) {
                    self.told.read(text);
                }
            }
            Shape::Opaque => {}
        }
        let cut = self.length.is_some_and(|length| self.seen < length);
        Observed {
            usage: self.told.usage(),
            finish: if cut { Finish::Truncated } else { Finish::Complete },
            output_bytes: 0,
            model: self.told.model,
            content_started: self.seen > 0,
        }
    }
}

/// What has been told so far. Later reports replace what they name.
#[derive(Debug, Default)]
struct Told {
    model: Option<String>,
    counts: Counts,
    tier: Tier,
}

wire! {
    /// Usage under every name it goes by. A member of another type is absent.
    #[derive(Clone, Debug)]
    struct Counts {
        prompt_tokens: Count,
        completion_tokens: Count,
        prompt_tokens_details: One<Details>,
        completion_tokens_details: One<Details>,
        input_tokens: Count,
        output_tokens: Count,
        total_tokens: Count,
        input_tokens_details: One<Details>,
        output_tokens_details: One<Details>,
        cache_read_input_tokens: Count,
        cache_creation_input_tokens: Count,
        cache_creation: One<CacheCreation>,
        gemini_prompt: Count as "promptTokenCount",
        gemini_cached: Count as "cachedContentTokenCount",
        gemini_tools: Count as "toolUsePromptTokenCount",
        gemini_candidates: Count as "candidatesTokenCount",
        gemini_thoughts: Count as "thoughtsTokenCount",
    }
}

wire! {
    #[derive(Clone, Copy, Debug)]
    struct Details {
        cached_tokens: Count,
        audio_tokens: Count,
        image_tokens: Count,
        reasoning_tokens: Count,
    }
}

wire! {
    /// What Anthropic's cache took for an hour.
    #[derive(Clone, Copy, Debug)]
    struct CacheCreation {
        ephemeral_1h_input_tokens: Count,
    }
}

wire! {
    /// An answer or an event: itself, or what it wraps.
    struct Wire<'a> {
        model: Text<'a>,
        model_version: Text<'a> as "modelVersion",
        service_tier: Text<'a>,
        usage: One<Counts>,
        usage_metadata: One<Counts> as "usageMetadata",
        /// Anthropic's first event.
        message: One<Box<Wire<'a>>>,
        /// OpenAI's responses.
        response: One<Box<Wire<'a>>>,
    }
}

impl Told {
    fn read(&mut self, text: &str) {
        // Most events tell nothing, which one search shows.
        let tells = |word: &str| text.contains(word);
        let wanted = (self.model.is_none() && tells("\"model\"")) || tells("\"usage");
        if let Some(wire) = wanted.then(|| crate::json::parse::<Wire<'_>>(text).ok()).flatten() {
            self.take(wire);
        }
    }

    fn take(&mut self, wire: Wire<'_>) {
        let named = wire.model.into_some().or(wire.model_version.into_some());
        self.model = named.map(|name| name.chars().take(256).collect()).or(self.model.take());
        if let Some(tier) = wire.service_tier.some() {
            self.tier = Tier::parse(tier);
        }
        for counts in [wire.usage.0, wire.usage_metadata.0].into_iter().flatten() {
            self.counts.merge(counts);
        }
        for wrapped in [wire.message.0, wire.response.0].into_iter().flatten() {
            self.take(*wrapped);
        }
    }

    fn usage(&self) -> Option<Usage> {
        let usage =
            self.counts.openai_chat().or_else(|| self.counts.gemini()).or_else(|| self.counts.input_output())?;
        Some(Usage { tier: self.tier, ..usage })
    }
}

impl Counts {
    fn merge(&mut self, later: Counts) {
        let take = |mine: &mut Count, theirs: Count| {
            if theirs.tokens().is_some() {
                *mine = theirs;
            }
        };
        take(&mut self.prompt_tokens, later.prompt_tokens);
        take(&mut self.completion_tokens, later.completion_tokens);
        take(&mut self.input_tokens, later.input_tokens);
        take(&mut self.output_tokens, later.output_tokens);
        take(&mut self.total_tokens, later.total_tokens);
        take(&mut self.cache_read_input_tokens, later.cache_read_input_tokens);
        take(&mut self.cache_creation_input_tokens, later.cache_creation_input_tokens);
        take(&mut self.gemini_prompt, later.gemini_prompt);
        take(&mut self.gemini_cached, later.gemini_cached);
        take(&mut self.gemini_tools, later.gemini_tools);
        take(&mut self.gemini_candidates, later.gemini_candidates);
        take(&mut self.gemini_thoughts, later.gemini_thoughts);
        self.cache_creation.0 = later.cache_creation.0.or(self.cache_creation.0);
        let details = |mine: &mut One<Details>, theirs: One<Details>| mine.0 = theirs.0.or(mine.0);
        details(&mut self.prompt_tokens_details, later.prompt_tokens_details);
        details(&mut self.completion_tokens_details, later.completion_tokens_details);
        details(&mut self.input_tokens_details, later.input_tokens_details);
        details(&mut self.output_tokens_details, later.output_tokens_details);
    }

    /// `prompt_tokens` include cached ones, `completion_tokens` reasoning.
    fn openai_chat(&self) -> Option<Usage> {
        let input = self.prompt_tokens.tokens().or(self.completion_tokens.tokens().map(|_| 0))?;
        let output = self.completion_tokens.tokens().unwrap_or(0);
        Some(split(input, self.prompt_tokens_details.0, output, self.completion_tokens_details.0))
    }

    fn gemini(&self) -> Option<Usage> {
        let zero = |count: Count| count.tokens().unwrap_or(0);
        let prompt = self.gemini_prompt.tokens()?;
        let cached = zero(self.gemini_cached).min(prompt);
        Some(Usage {
            input: (prompt - cached).saturating_add(zero(self.gemini_tools)),
            cache_read: cached,
            output: zero(self.gemini_candidates),
            reasoning: zero(self.gemini_thoughts),
            ..Usage::default()
        })
    }

    /// Anthropic's `input_tokens` exclude what its cache gave or took; OpenAI's responses and images
    /// include it, and tell the total.
    fn input_output(&self) -> Option<Usage> {
        let (input, output) = (self.input_tokens.tokens(), self.output_tokens.tokens());
        input.or(output)?;
        let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
        let (read, written) = (self.cache_read_input_tokens.tokens(), self.cache_creation_input_tokens.tokens());
        let usage = split(input, self.input_tokens_details.0, output, self.output_tokens_details.0);
        Some(match read.or(written).filter(|_| self.total_tokens.tokens().is_none()) {
            Some(_) => {
                let long = self.cache_creation.0.and_then(|written| written.ephemeral_1h_input_tokens.tokens());
                let (read, written) = (read.unwrap_or(0), written.unwrap_or(0));
                let long = long.unwrap_or(0).min(written);
                Usage { cache_read: read, cache_write_5m: written - long, cache_write_1h: long, input, ..usage }
            }
            None => usage,
        })
    }
}

/// Sums and the parts that are in them.
fn split(input: u64, of_input: Option<Details>, output: u64, of_output: Option<Details>) -> Usage {
    let part = |count: Option<Count>, left: u64| count.and_then(Count::tokens).unwrap_or(0).min(left);
    let cached = part(of_input.map(|details| details.cached_tokens), input);
    let audio = part(of_input.map(|details| details.audio_tokens), input - cached);
    let image = part(of_input.map(|details| details.image_tokens), input - cached - audio);
    let reasoning = part(of_output.map(|details| details.reasoning_tokens), output);
    let spoken = part(of_output.map(|details| details.audio_tokens), output - reasoning);
    Usage {
        input: input - cached - audio - image,
        input_audio: audio,
        input_image: image,
        cache_read: cached,
        output: output - reasoning - spoken,
        reasoning,
        output_audio: spoken,
        ..Usage::default()
    }
}
