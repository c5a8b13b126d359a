//! Leaves out of a stream the usage event that the gateway asked for and the caller did not.
//!
//! A caller that did not ask may read `choices[0]` of every event, and that event has none.

use crate::dialect::codec::reader;
use crate::sse;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A stream less its usage event. Every other event's data passes byte for byte.
#[derive(Debug)]
pub struct Stripper {
    reader: sse::Reader,
}

impl Default for Stripper {
    fn default() -> Stripper {
        Stripper { reader: reader() }
    }
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<IgnoredAny>,
    usage: Option<IgnoredAny>,
}

impl Stripper {
    /// What the caller gets for the next bytes of the provider's, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.reader.push(bytes);
        let mut out = Vec::with_capacity(bytes.len());
        // An event too large to be read cannot be judged; the meter ends such a stream.
        while let Some(event) = self.reader.next() {
            if let Ok(event) = event {
                write(&mut out, &event);
            }
        }
        out
    }

    /// What is left when the provider's bytes have ended: a whole event that lost its blank line, but
    /// not half of one.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(event) = self.reader.finish()
            && (event.data.trim() == "[DONE]" || crate::json::parse::<IgnoredAny>(event.data).is_ok())
        {
            write(&mut out, &event);
        }
        out
    }
}

fn write(out: &mut Vec<u8>, event: &sse::Event<'_>) {
    if !is_usage(event.data) {
        let name = (event.name != "message").then_some(event.name);
        sse::write_event(out, name, event.data.as_bytes());
    }
}

/// Whether an event carries usage and no choice. Ordinary events are told by one search.
fn is_usage(data: &str) -> bool {
    data.contains("\"usage\"")
        && crate::json::parse::<Chunk>(data).is_ok_and(|chunk| chunk.choices.is_empty() && chunk.usage.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\" é\"}}],\"x\":1.0}\n\n\
        data: {\"choices\":[{\"finish_reason\":\"stop\"}],\"usage\":null}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\n\
        data: [DONE]\n\n";

    #[test]
    fn only_the_usage_event_is_left_out_wherever_the_stream_is_cut() {
        let wanted = STREAM.replace("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\n", "");
        for cut in 0..=STREAM.len() {
            let (head, tail) = STREAM.as_bytes().split_at(cut);
            let mut stripper = Stripper::default();
            let mut out = stripper.push(head);
            out.extend(stripper.push(tail));
            out.extend(stripper.finish());
            assert_eq!(String::from_utf8_lossy(&out), wanted, "cut at {cut}");
        }
    }

    #[test]
    fn usage_beside_a_choice_stays() {
        let event = "data: {\"choices\":[{\"index\":0}],\"usage\":{\"prompt_tokens\":3}}\n\n";
        assert_eq!(Stripper::default().push(event.as_bytes()), event.as_bytes());
    }
}
