//! Token counts as OpenAI's kin tell them, and back.

use crate::dialect::json_write::Members;
use crate::dialect::lenient::{Count, One};
use crate::dialect::wire::wire;
use crate::usage::Usage;

wire! {
    /// `usage` with every place its parts have been seen in.
    #[derive(Debug)]
    pub(super) struct UsageWire {
        prompt_tokens: Count,
        completion_tokens: Count,
        total_tokens: Count,
        prompt_tokens_details: One<PromptDetails>,
        completion_tokens_details: One<CompletionDetails>,
        /// DeepSeek.
        prompt_cache_hit_tokens: Count,
        /// Moonshot.
        cached_tokens: Count,
        num_cached_tokens: Count,
        reasoning_tokens: Count,
    }
}

wire! {
    #[derive(Debug)]
    struct PromptDetails {
        cached_tokens: Count,
        audio_tokens: Count,
        image_tokens: Count,
        cache_write_tokens: Count,
    }
}

wire! {
    #[derive(Debug)]
    struct CompletionDetails {
        reasoning_tokens: Count,
        audio_tokens: Count,
    }
}

impl UsageWire {
    /// The usage, unless nothing believable was said.
    pub(super) fn usage(&self) -> Option<Usage> {
        let prompt_details = self.prompt_tokens_details.0.as_ref();
        let completion_details = self.completion_tokens_details.0.as_ref();
        let elsewhere = [self.prompt_cache_hit_tokens, self.cached_tokens, self.num_cached_tokens];
        let cached = prompt_details.and_then(|details| details.cached_tokens.tokens());
        let reasoning = completion_details.and_then(|details| details.reasoning_tokens.tokens());
        let told = Told {
            prompt: self.prompt_tokens.tokens(),
            completion: self.completion_tokens.tokens(),
            total: self.total_tokens.tokens(),
            cached: cached.or_else(|| elsewhere.into_iter().find_map(Count::tokens)),
            written: prompt_details.and_then(|details| details.cache_write_tokens.tokens()),
            reasoning: reasoning.or(self.reasoning_tokens.tokens()),
            audio: prompt_details.and_then(|details| details.audio_tokens.tokens()),
            images: prompt_details.and_then(|details| details.image_tokens.tokens()),
            spoken: completion_details.and_then(|details| details.audio_tokens.tokens()),
        };
        told.usage()
    }
}

/// Token counts as OpenAI means them in either of its dialects.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::dialect) struct Told {
    /// All input, cached or not.
    pub(in crate::dialect) prompt: Option<u64>,
    /// All output, reasoning included.
    pub(in crate::dialect) completion: Option<u64>,
    pub(in crate::dialect) total: Option<u64>,
    pub(in crate::dialect) cached: Option<u64>,
    /// Written to a cache.
    pub(in crate::dialect) written: Option<u64>,
    pub(in crate::dialect) reasoning: Option<u64>,
    /// Of the input, sound and images.
    pub(in crate::dialect) audio: Option<u64>,
    pub(in crate::dialect) images: Option<u64>,
    /// Of the output, sound.
    pub(in crate::dialect) spoken: Option<u64>,
}

impl Told {
    /// The usage, unless neither input nor output was told. Output includes reasoning, except where
    /// the total says otherwise (xAI, Gemini).
    pub(in crate::dialect) fn usage(self) -> Option<Usage> {
        self.prompt.or(self.completion)?;
        let (prompt, completion) = (self.prompt.unwrap_or(0), self.completion.unwrap_or(0));
        let cached = self.cached.unwrap_or(0).min(prompt);
        let written = self.written.unwrap_or(0).min(prompt - cached);
        // What the cache gave is counted as that, whatever it was.
        let fresh = prompt - cached - written;
        let audio = self.audio.unwrap_or(0).min(fresh);
        let images = self.images.unwrap_or(0).min(fresh - audio);
        let reasoning = self.reasoning.unwrap_or(0);
        // What the total has beyond its stated parts is output nobody named: reasoning.
        let unnamed = self.total.and_then(|total| total.checked_sub(prompt + completion)).unwrap_or(0);
        let (output, reasoning) = match unnamed {
            0 if reasoning > completion => (completion, reasoning),
            0 => (completion - reasoning, reasoning),
            _ if reasoning == 0 => (completion, unnamed),
            _ if reasoning <= unnamed => (completion, unnamed),
            _ => ((completion + unnamed).saturating_sub(reasoning), reasoning),
        };
        let spoken = self.spoken.unwrap_or(0).min(output);
        Some(Usage {
            input: fresh - audio - images,
            input_audio: audio,
            input_image: images,
            cache_read: cached,
            cache_write_5m: written,
            output: output - spoken,
            reasoning,
            output_audio: spoken,
            ..Usage::default()
        })
    }
}

/// Writes the members of `usage`.
pub(super) fn write(o: &mut Members<'_>, usage: &Usage) {
    o.number("prompt_tokens", usage.prompt_tokens());
    o.number("completion_tokens", usage.completion_tokens());
    o.number("total_tokens", usage.total_tokens());
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    o.object("prompt_tokens_details", |o| {
        o.number("cached_tokens", usage.cache_read);
        if written > 0 {
            o.number("cache_write_tokens", written);
        }
        if usage.input_audio > 0 {
            o.number("audio_tokens", usage.input_audio);
        }
        if usage.input_image > 0 {
            o.number("image_tokens", usage.input_image);
        }
    });
    o.object("completion_tokens_details", |o| {
        o.number("reasoning_tokens", usage.reasoning);
        if usage.output_audio > 0 {
            o.number("audio_tokens", usage.output_audio);
        }
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Usage> {
        serde_json::from_str::<UsageWire>(json).unwrap().usage()
    }

    /// prompt, completion, cached, written, reasoning
    fn parts(json: &str) -> Option<[u64; 5]> {
        let u = read(json)?;
        Some([u.prompt_tokens(), u.completion_tokens(), u.cache_read, u.cache_write_5m, u.reasoning])
    }

    #[test]
    fn the_parts_of_usage_never_overlap_and_add_up() {
        #[rustfmt::skip]
        let table = [
            (r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#, Some([10, 5, 0, 0, 0])),
            (r#"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}"#, Some([10, 5, 4, 3, 2])),
            // xAI leaves reasoning out of completion_tokens, the total has it
            (r#"{"prompt_tokens":257,"completion_tokens":15,"total_tokens":500,"completion_tokens_details":{"reasoning_tokens":228}}"#, Some([257, 243, 0, 0, 228])),
            // Gemini's compatible endpoint does not name it at all
            (r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":40}"#, Some([10, 30, 0, 0, 25])),
            // more cached than prompted
            (r#"{"prompt_tokens":347,"completion_tokens":18,"total_tokens":365,"prompt_tokens_details":{"cached_tokens":403}}"#, Some([347, 18, 347, 0, 0])),
            (r#"{"prompt_tokens":7,"completion_tokens":1,"prompt_cache_hit_tokens":6}"#, Some([7, 1, 6, 0, 0])),
            (r#"{"prompt_tokens":7,"completion_tokens":null,"prompt_tokens_details":null}"#, Some([7, 0, 0, 0, 0])),
            (r#"{"prompt_tokens":-7,"completion_tokens":3.0}"#, Some([0, 3, 0, 0, 0])),
            (r#"{"prompt_tokens":18446744073709551615,"completion_tokens":1e30,"total_tokens":"x"}"#, None),
            (r#"{"prompt_tokens":3,"completion_tokens":4,"total_tokens":9223372036854775808}"#, Some([3, 4, 0, 0, 0])),
            (r#"{}"#, None),
        ];
        for (json, expected) in table {
            assert_eq!(parts(json), expected, "{json}");
        }
    }

    #[test]
    fn sound_and_images_are_counted_apart() {
        let json = r#"{"prompt_tokens":100,"completion_tokens":50,"prompt_tokens_details":{"cached_tokens":10,"audio_tokens":60,
            "image_tokens":70,"text_tokens":0},"completion_tokens_details":{"audio_tokens":30,"reasoning_tokens":5}}"#;
        let usage = read(json).unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.input_audio, usage.input_image), (0, 10, 60, 30));
        assert_eq!((usage.output, usage.reasoning, usage.output_audio, usage.total_tokens()), (15, 5, 30, 150));
        let mut out = Vec::new();
        crate::dialect::json_write::object(&mut out, |o| write(o, &usage));
        assert_eq!(read(std::str::from_utf8(&out).unwrap()), Some(usage));
    }
}
