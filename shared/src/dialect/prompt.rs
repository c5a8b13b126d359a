//! The text of the last turn, as much as a router reads to judge it: in any dialect, without decoding a
//! long prompt.
//!
//! Only what the user says now is judged: system prompts and earlier turns are the same call after call.
//! A long turn is cut while it is still JSON, so that the work beyond finding it is bounded.

use super::json_read::{Object, Path, read_list};
use crate::json::Document;
use serde_json::value::RawValue;

/// Bytes of a turn's JSON that are decoded from its beginning and from its end.
const ENDS: (usize, usize) = (6 * 1_024, 2 * 1_024);

/// The last turn of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The beginning of what the user says, or all of it.
    pub head: String,
    /// The end of it, where it is long.
    pub tail: String,
    /// Bytes of all of it, as JSON.
    pub bytes: usize,
    /// Turns before it.
    pub earlier: usize,
    /// The conversation ends with a tool's result: the model is at work, and the user said nothing new.
    pub in_tool_loop: bool,
    /// That result is marked as an error, where the dialect has such a mark.
    pub tool_failed: bool,
}

/// Finds the last turn in a request's body; `None` where there is none to find.
pub fn last_turn(body: &Document<'_>) -> Option<Prompt> {
    let find = |name: &&str| body.get(name).filter(|text| *text != "null");
    let text = ["messages", "input", "contents", "prompt", "query"].iter().find_map(find)?;
    let mut prompt = Prompt::default();
    let raw: &RawValue = crate::json::parse(text).ok()?;
    if text.starts_with('"') {
        prompt.add(text);
        return Some(prompt);
    }
    let turns = read_list(raw, &Path::Root).ok()?;
    for (place, raw) in turns.iter().enumerate().rev() {
        if raw.get().starts_with('"') {
            prompt.add(raw.get());
            prompt.earlier = place;
            return Some(prompt);
        }
        let Ok(turn) = Object::read(raw.get(), &Path::Root) else { continue };
        let is = |name: &str, word: &str| turn.peek(name).is_some_and(|raw| raw.get().trim_matches('"') == word);
        if is("role", "tool") || is("role", "function") || is("type", "function_call_output") {
            prompt.in_tool_loop |= place + 1 == turns.len();
            continue;
        }
        // Gemini leaves the role of a single turn out; what is no message has none either, and no content.
        if !is("role", "user") && turn.has("role") {
            continue;
        }
        let Some(content) = turn.peek("content").or_else(|| turn.peek("parts")) else { continue };
        if prompt.read(content) {
            prompt.tool_failed &= prompt.in_tool_loop;
            prompt.earlier = place;
            return Some(prompt);
        }
        prompt.in_tool_loop |= place + 1 == turns.len();
        // Those of earlier turns are over.
        prompt.tool_failed &= place + 1 == turns.len();
    }
    (prompt.in_tool_loop || !turns.is_empty()).then_some(prompt)
}

impl Prompt {
    /// Reads a turn's content; `false` when it holds only tools' results.
    fn read(&mut self, content: &RawValue) -> bool {
        if content.get().starts_with('"') {
            self.add(content.get());
            return true;
        }
        let mut said = false;
        for raw in read_list(content, &Path::Root).unwrap_or_default() {
            if raw.get().starts_with('"') {
                self.add(raw.get());
                said = true;
                continue;
            }
            let Ok(part) = Object::read(raw.get(), &Path::Root) else { continue };
            let result = ["tool_use_id", "toolResult", "functionResponse", "function_response"];
            if result.iter().any(|name| part.has(name)) {
                let failed = part.peek("is_error").is_some_and(|mark| mark.get() == "true");
                self.tool_failed |= failed && self.head.is_empty();
                continue;
            }
            said = true;
            if let Some(text) = part.peek("text").filter(|text| text.get().starts_with('"')) {
                self.add(text.get());
            }
        }
        said
    }

    /// Adds a JSON string, as far as there is room for it.
    fn add(&mut self, quoted: &str) {
        let json = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
        self.bytes += json.len();
        if !self.head.is_empty() {
            self.head.push('\n');
        }
        let room = ENDS.0.saturating_sub(self.head.len());
        if json.len() <= room {
            decode(json, &mut self.head);
            return;
        }
        let (mut cut, mut from) = (room, json.len().saturating_sub(ENDS.1).max(room));
        while !json.is_char_boundary(cut) {
            cut -= 1;
        }
        while !json.is_char_boundary(from) {
            from += 1;
        }
        decode(json.get(..cut).unwrap_or_default(), &mut self.head);
        self.tail.clear();
        decode(json.get(from..).unwrap_or_default(), &mut self.tail);
    }
}

/// Decodes the inside of a JSON string that may have been cut within an escape: what is broken is left out.
fn decode(json: &str, text: &mut String) {
    let mut rest = json;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let mut chars = escape.chars().skip(1);
        let skip = match chars.next() {
            Some('n') => push(text, '\n', 2),
            Some('t') => push(text, '\t', 2),
            Some('r' | 'b' | 'f') => 2,
            Some('u') => {
                let unit = escape.get(2..6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                // A half of a pair stands for a character outside the basic plane: for judging, one sign.
                unit.and_then(char::from_u32).map_or(6, |c| push(text, c, 6))
            }
            Some(c) => push(text, c, 1 + c.len_utf8()),
            None => 1,
        };
        rest = escape.get(skip..).unwrap_or_default();
    }
    text.push_str(rest);
}

fn push(text: &mut String, c: char, length: usize) -> usize {
    text.push(c);
    length
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::json::{Limits, scan};

    fn found(body: &str) -> Option<Prompt> {
        last_turn(&scan(body.as_bytes(), &Limits::default()).unwrap())
    }

    #[test]
    fn the_last_thing_the_user_says_is_found_in_every_dialect() {
        for (body, head, earlier) in [
            (
                r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a \"b\"\n\u00e9"}]}"#,
                "a \"b\"\né",
                1,
            ),
            (
                r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c"},{"type":"image_url","image_url":{"url":"data:x"}},{"type":"text","text":"d"}]}]}"#,
                "c\nd",
                2,
            ),
            (
                r#"{"messages":[{"role":"user","content":[{"text":"bedrock"}]},{"role":"assistant","content":[{"text":"{"}]}]}"#,
                "bedrock",
                0,
            ),
            (r#"{"input":"plain"}"#, "plain", 0),
            (
                r#"{"input":[{"type":"reasoning","summary":[]},{"role":"user","content":[{"type":"input_text","text":"r"}]},{"type":"item_reference","id":"x"}]}"#,
                "r",
                1,
            ),
            (r#"{"contents":[{"parts":[{"text":"g"}]}]}"#, "g", 0),
            (r#"{"contents":{"role":"user","parts":{"text":"one"}}}"#, "one", 0),
            (r#"{"prompt":["p","q"]}"#, "q", 1),
        ] {
            let prompt = found(body).unwrap();
            assert_eq!((prompt.head.as_str(), prompt.earlier, prompt.in_tool_loop), (head, earlier, false), "{body}");
        }
        for body in ["{}", r#"{"messages":null}"#, r#"{"messages":[]}"#, r#"{"prompt":7}"#] {
            assert_eq!(found(body).filter(|prompt| !prompt.head.is_empty()), None, "{body}");
        }
    }

    #[test]
    fn a_conversation_that_ends_with_a_tools_result_is_in_a_loop_and_the_question_before_it_counts() {
        for body in [
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[]},{"role":"tool","content":"42"}]}"#,
            r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"42"}]}]}"#,
            r#"{"messages":[{"role":"user","content":"q"},{"role":"user","content":[{"toolResult":{}}]}]}"#,
            r#"{"input":[{"role":"user","content":"q"},{"type":"function_call","name":"f"},{"type":"function_call_output","output":"42"}]}"#,
            r#"{"contents":[{"role":"user","parts":[{"text":"q"}]},{"role":"user","parts":[{"functionResponse":{}}]}]}"#,
        ] {
            let prompt = found(body).unwrap();
            assert_eq!((prompt.head.as_str(), prompt.in_tool_loop), ("q", true), "{body}");
        }
    }

    #[test]
    fn of_a_long_turn_both_ends_are_decoded_and_no_more() {
        for filler in ["x", "é", "\\n", "\\u00e9", "\\\\"] {
            let body = format!(r#"{{"input":"begin {} end"}}"#, filler.repeat(400_000 / filler.len()));
            let prompt = found(&body).unwrap();
            assert!(prompt.head.starts_with("begin ") && prompt.tail.ends_with(" end"), "{filler}");
            assert!(prompt.head.len() <= ENDS.0 && prompt.tail.len() <= ENDS.1 && prompt.bytes > 390_000, "{filler}");
        }
    }
}
