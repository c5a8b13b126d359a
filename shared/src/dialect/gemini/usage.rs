//! Token counts as Gemini tells them, and back.

use crate::dialect::json_write::Members;
use crate::dialect::lenient::{Count, ServiceTier, Text};
use crate::dialect::wire::{Broken, Sink, Value, wire};
use crate::usage::Usage;

wire! {
    /// `usageMetadata`. In a stream every event has one; what a later one says replaces what an earlier
    /// one said.
    #[derive(Clone, Debug)]
    pub(super) struct UsageWire {
        prompt_token_count: Count as "promptTokenCount",
        cached_content_token_count: Count as "cachedContentTokenCount",
        tool_use_prompt_token_count: Count as "toolUsePromptTokenCount",
        candidates_token_count: Count as "candidatesTokenCount",
        thoughts_token_count: Count as "thoughtsTokenCount",
        total_token_count: Count as "totalTokenCount",
        /// AI Studio and Vertex tell it each in its own words.
        service_tier: ServiceTier as "serviceTier",
        traffic_type: ServiceTier as "trafficType",
        prompt_tokens_details: Modalities as "promptTokensDetails",
        cache_tokens_details: Modalities as "cacheTokensDetails",
        candidates_tokens_details: Modalities as "candidatesTokensDetails",
    }
}

wire! {
    /// An item of `…TokensDetails`.
    struct Detail<'a> {
        modality: Text<'a>,
        token_count: Count as "tokenCount",
    }
}

/// How many tokens of a count were sound, and how many images; what is neither is priced as text.
#[derive(Clone, Copy, Debug, Default)]
struct Modalities {
    told: bool,
    audio: u64,
    image: u64,
}

impl<'de> Sink<'de> for Modalities {
    fn item(&mut self, value: &mut dyn Value<'de>) -> Result<(), Broken> {
        let mut detail = Detail::default();
        detail.fill(value)?;
        let tokens = detail.token_count.tokens().unwrap_or(0);
        match detail.modality.some() {
            Some("AUDIO") => self.audio = self.audio.saturating_add(tokens),
            Some("IMAGE") => self.image = self.image.saturating_add(tokens),
            Some(_) | None => {}
        }
        self.told = true;
        Ok(())
    }
}

impl UsageWire {
    /// Takes over what a later report says.
    pub(super) fn merge(&mut self, later: UsageWire) {
        for (mine, theirs) in [
            (&mut self.prompt_token_count, later.prompt_token_count),
            (&mut self.cached_content_token_count, later.cached_content_token_count),
            (&mut self.tool_use_prompt_token_count, later.tool_use_prompt_token_count),
            (&mut self.candidates_token_count, later.candidates_token_count),
            (&mut self.thoughts_token_count, later.thoughts_token_count),
            (&mut self.total_token_count, later.total_token_count),
        ] {
            if theirs.tokens().is_some() {
                *mine = theirs;
            }
        }
        self.service_tier.0 = self.service_tier.0.max(later.service_tier.0);
        self.traffic_type.0 = self.traffic_type.0.max(later.traffic_type.0);
        for (mine, theirs) in [
            (&mut self.prompt_tokens_details, later.prompt_tokens_details),
            (&mut self.cache_tokens_details, later.cache_tokens_details),
            (&mut self.candidates_tokens_details, later.candidates_tokens_details),
        ] {
            if theirs.told {
                *mine = theirs;
            }
        }
    }

    /// The usage, unless nothing believable was said. The prompt's count includes what came from a
    /// cache, but not what Google's own tools read; the candidates' count excludes thoughts.
    pub(super) fn usage(&self) -> Option<Usage> {
        let (prompt, candidates) = (self.prompt_token_count.tokens(), self.candidates_token_count.tokens());
        prompt.or(candidates).or(self.total_token_count.tokens())?;
        let prompt = prompt.unwrap_or(0);
        let cached = self.cached_content_token_count.tokens().unwrap_or(0).min(prompt);
        // The prompt's sound and images include cached ones, which are counted as what the cache gave.
        let (read, kept) = (self.prompt_tokens_details, self.cache_tokens_details);
        let fresh = prompt - cached;
        let audio = read.audio.saturating_sub(kept.audio).min(fresh);
        let image = read.image.saturating_sub(kept.image).min(fresh - audio);
        let output = candidates.unwrap_or(0);
        let spoken = self.candidates_tokens_details.audio.min(output);
        Some(Usage {
            input: fresh - audio - image + self.tool_use_prompt_token_count.tokens().unwrap_or(0),
            input_audio: audio,
            input_image: image,
            cache_read: cached,
            output: output - spoken,
            output_audio: spoken,
            reasoning: self.thoughts_token_count.tokens().unwrap_or(0),
            tier: self.service_tier.0.max(self.traffic_type.0),
            ..Usage::default()
        })
    }
}

/// Writes the members of `usageMetadata`.
pub(super) fn write(o: &mut Members<'_>, usage: &Usage) {
    o.number("promptTokenCount", usage.prompt_tokens());
    if usage.cache_read > 0 {
        o.number("cachedContentTokenCount", usage.cache_read);
    }
    modalities(o, "promptTokensDetails", [(usage.input_audio, "AUDIO"), (usage.input_image, "IMAGE")]);
    o.number("candidatesTokenCount", usage.output.saturating_add(usage.output_audio));
    modalities(o, "candidatesTokensDetails", [(usage.output_audio, "AUDIO"), (0, "IMAGE")]);
    if usage.reasoning > 0 {
        o.number("thoughtsTokenCount", usage.reasoning);
    }
    o.number("totalTokenCount", usage.total_tokens());
}

/// What of a count was not text, if anything.
fn modalities(o: &mut Members<'_>, name: &str, counts: [(u64, &str); 2]) {
    if counts.iter().any(|(tokens, _)| *tokens > 0) {
        o.array(name, |a| {
            for (tokens, modality) in counts.into_iter().filter(|(tokens, _)| *tokens > 0) {
                a.object(|o| {
                    o.string("modality", modality);
                    o.number("tokenCount", tokens);
                });
            }
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Usage> {
        serde_json::from_str::<UsageWire>(json).unwrap().usage()
    }

    #[test]
    fn cached_and_tool_tokens_are_prompt_and_thoughts_are_completion() {
        let json = r#"{"promptTokenCount":15,"cachedContentTokenCount":10,"toolUsePromptTokenCount":770,
            "candidatesTokenCount":37,"thoughtsTokenCount":742,"totalTokenCount":1564}"#;
        let usage = read(json).unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (775, 10, 37, 742));
        assert_eq!((usage.prompt_tokens(), usage.completion_tokens(), usage.total_tokens()), (785, 779, 1564));
        let mut out = Vec::new();
        crate::dialect::json_write::object(&mut out, |o| write(o, &usage));
        assert_eq!(read(std::str::from_utf8(&out).unwrap()), Some(usage));
    }

    #[test]
    fn sound_and_images_are_counted_apart_and_what_was_cached_only_once() {
        let json = r#"{"promptTokenCount":100,"cachedContentTokenCount":30,"candidatesTokenCount":50,"thoughtsTokenCount":5,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":20},{"modality":"AUDIO","tokenCount":60},{"modality":"IMAGE","tokenCount":20}],
            "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":25},{"modality":"TEXT","tokenCount":5},7],
            "candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":40},{"modality":null}]}"#;
        let usage = read(json).unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.input_audio, usage.input_image), (15, 30, 35, 20));
        assert_eq!((usage.output, usage.reasoning, usage.output_audio, usage.total_tokens()), (10, 5, 40, 155));
        let mut out = Vec::new();
        crate::dialect::json_write::object(&mut out, |o| write(o, &usage));
        assert_eq!(read(std::str::from_utf8(&out).unwrap()), Some(usage));
        // More in the details than in all.
        let odd = r#"{"promptTokenCount":3,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":9}],"candidatesTokensDetails":"many"}"#;
        assert_eq!(read(odd).map(|usage| (usage.input, usage.input_audio)), Some((0, 3)));
        let mut first: UsageWire = serde_json::from_str(json).unwrap();
        first.merge(serde_json::from_str(r#"{"promptTokenCount":100,"promptTokensDetails":[]}"#).unwrap());
        assert_eq!(first.usage(), Some(usage));
    }

    #[test]
    fn a_report_without_counts_says_nothing() {
        assert_eq!(read(r#"{"trafficType":"ON_DEMAND"}"#), None);
        assert_eq!(read(r#"{"promptTokenCount":-1,"candidatesTokenCount":1e99}"#), None);
        assert_eq!(read(r#"{"promptTokenCount":14,"totalTokenCount":14}"#).unwrap().completion_tokens(), 0);
    }

    #[test]
    fn the_tier_is_told_in_one_word_or_another() {
        use crate::usage::Tier;
        for (told, tier) in [
            (r#""serviceTier":"priority""#, Tier::Priority),
            (r#""serviceTier":"STANDARD""#, Tier::Standard),
            (r#""trafficType":"ON_DEMAND_PRIORITY""#, Tier::Priority),
            (r#""trafficType":"ON_DEMAND_FLEX""#, Tier::Flex),
            (r#""trafficType":"PROVISIONED_THROUGHPUT""#, Tier::Standard),
        ] {
            assert_eq!(read(&format!(r#"{{"promptTokenCount":1,{told}}}"#)).unwrap().tier, tier, "{told}");
        }
    }

    #[test]
    fn a_later_report_replaces_what_it_names() {
        let mut first: UsageWire =
            serde_json::from_str(r#"{"promptTokenCount":95,"thoughtsTokenCount":68,"candidatesTokenCount":23}"#)
                .unwrap();
        first.merge(serde_json::from_str(r#"{"promptTokenCount":189,"candidatesTokenCount":29}"#).unwrap());
        let usage = first.usage().unwrap();
        assert_eq!((usage.input, usage.output, usage.reasoning), (189, 29, 68));
    }
}
