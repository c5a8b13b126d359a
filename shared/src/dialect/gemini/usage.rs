//! Token counts as Gemini tells them, and back.

use crate::dialect::json_write::Members;
use crate::dialect::lenient::Count;
use crate::dialect::wire::wire;
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
    }

    /// The usage, unless nothing believable was said. The prompt's count includes what came from a
    /// cache, but not what Google's own tools read; the candidates' count excludes thoughts.
    pub(super) fn usage(&self) -> Option<Usage> {
        let (prompt, candidates) = (self.prompt_token_count.tokens(), self.candidates_token_count.tokens());
        prompt.or(candidates).or(self.total_token_count.tokens())?;
        let prompt = prompt.unwrap_or(0);
        let cached = self.cached_content_token_count.tokens().unwrap_or(0).min(prompt);
        Some(Usage {
            input: prompt - cached + self.tool_use_prompt_token_count.tokens().unwrap_or(0),
            cache_read: cached,
            output: candidates.unwrap_or(0),
            reasoning: self.thoughts_token_count.tokens().unwrap_or(0),
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
    o.number("candidatesTokenCount", usage.output);
    if usage.reasoning > 0 {
        o.number("thoughtsTokenCount", usage.reasoning);
    }
    o.number("totalTokenCount", usage.total_tokens());
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
    fn a_report_without_counts_says_nothing() {
        assert_eq!(read(r#"{"trafficType":"ON_DEMAND"}"#), None);
        assert_eq!(read(r#"{"promptTokenCount":-1,"candidatesTokenCount":1e99}"#), None);
        assert_eq!(read(r#"{"promptTokenCount":14,"totalTokenCount":14}"#).unwrap().completion_tokens(), 0);
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
