//! What the friendly answer says, before any dialect words it.

use serde_json::{Value, json};

use super::{Style, schema};

/// What a request asks for, as far as the simulator cares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) model: String,
    /// The last user's text.
    pub(crate) question: String,
    /// The last message's tool result, when that is what the conversation waits on.
    pub(crate) tool_result: Option<String>,
    /// Estimated: a token for every four bytes of text in messages, system and tools, at least one.
    pub(crate) prompt_tokens: u64,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) stop: Vec<String>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) tool_choice: ToolChoice,
    /// The JSON Schema the text must be an instance of.
    pub(crate) schema: Option<Value>,
    pub(crate) thinking: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) schema: Value,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    #[default]
    Free,
    Required,
    Named(String),
}

/// What is said.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// Thoughts, word by word.
    pub(crate) thoughts: Vec<String>,
    /// The text, word by word; one word is one token.
    pub(crate) words: Vec<String>,
    /// Name and arguments.
    pub(crate) calls: Vec<(String, Value)>,
    pub(crate) finish: Finish,
    pub(crate) prompt_tokens: u64,
    /// Thoughts and arguments included.
    pub(crate) completion_tokens: u64,
    pub(crate) thinking_tokens: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    /// A stop sequence was met.
    StopSequence(String),
    /// `max_tokens` was reached.
    Length,
    ToolCalls,
    Filtered,
}

impl Reply {
    pub(crate) fn compose(wishes: &Wishes, style: &Style) -> Reply {
        let calls: Vec<(String, Value)> =
            called(wishes, style).into_iter().map(|tool| (tool.name.clone(), schema::minimal(&tool.schema))).collect();
        let thoughts =
            if wishes.thinking { words("The caller asks the simulator; the simulator answers.") } else { Vec::new() };
        let mut reply = Reply {
            words: if calls.is_empty() { words(&text(wishes, style)) } else { Vec::new() },
            finish: if calls.is_empty() { Finish::Stop } else { Finish::ToolCalls },
            calls,
            thoughts,
            prompt_tokens: wishes.prompt_tokens,
            completion_tokens: 0,
            thinking_tokens: 0,
        };
        reply.stop_at(&wishes.stop);
        if style.filtered {
            reply.words.truncate(reply.words.len() / 2);
            reply.finish = Finish::Filtered;
        }
        let limit = wishes.max_tokens.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        if reply.words.len() > limit {
            reply.words.truncate(limit);
            reply.finish = Finish::Length;
        }
        reply.thinking_tokens = count(reply.thoughts.len());
        let arguments: u64 = reply.calls.iter().map(|(_, arguments)| tokens(&arguments.to_string())).sum();
        reply.completion_tokens =
            reply.thinking_tokens.saturating_add(count(reply.words.len())).saturating_add(arguments).max(1);
        reply
    }

    pub(crate) fn text(&self) -> String {
        self.words.concat()
    }

    fn stop_at(&mut self, stops: &[String]) {
        let text = self.text();
        let met = stops.iter().filter(|stop| !stop.is_empty());
        let met = met.filter_map(|stop| text.split_once(stop.as_str()).map(|(before, _)| (before, stop)));
        if let Some((before, stop)) = met.min_by_key(|(before, _)| before.len()) {
            self.words = words(before);
            self.finish = Finish::StopSequence(stop.clone());
        }
    }
}

/// The tools to call: the named one, the first when one is required, all when the style wants it.
fn called<'a>(wishes: &'a Wishes, style: &Style) -> Vec<&'a Tool> {
    if wishes.tool_result.is_some() {
        return Vec::new();
    }
    if style.every_tool {
        return wishes.tools.iter().collect();
    }
    match &wishes.tool_choice {
        ToolChoice::Free => Vec::new(),
        ToolChoice::Required => wishes.tools.first().into_iter().collect(),
        ToolChoice::Named(name) => wishes.tools.iter().filter(|tool| tool.name == *name).collect(),
    }
}

fn text(wishes: &Wishes, style: &Style) -> String {
    if let Some(wanted) = style.words {
        return (1..=wanted).map(|number| format!("word{number} ")).collect::<String>().trim_end().to_owned();
    }
    if let Some(wanted) = &wishes.schema {
        return schema::minimal(wanted).to_string();
    }
    if let Some(result) = &wishes.tool_result {
        return format!("The tool answered: {}", shortened(result));
    }
    let asked = if wishes.question.is_empty() {
        String::new()
    } else {
        format!(" You asked {}: “{}”.", wishes.model, shortened(&wishes.question))
    };
    format!(
        "This is Signalbox's built-in simulator: your request went through the whole gateway, and no provider was called.{asked} \
         To hear from a real model, export OPENAI_API_KEY or ANTHROPIC_API_KEY and start again."
    )
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Words with the space that precedes them, so that joining them gives the text back.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in text.split_inclusive(' ') {
        let (word, space) = part.strip_suffix(' ').map_or((part, ""), |word| (word, " "));
        match words.last_mut() {
            Some(last) => last.push_str(word),
            None => words.push(word.to_owned()),
        }
        if !space.is_empty() {
            words.push(space.to_owned());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A token for every four bytes, at least one.
pub(super) fn tokens(text: &str) -> u64 {
    count(text.len().div_ceil(4)).max(1)
}

/// The text parts of a message's content: a string, or a list of parts with `text`.
pub(super) fn content_text(content: &Value) -> String {
    match content.as_str() {
        Some(text) => text.to_owned(),
        None => {
            let parts = content.as_array().into_iter().flatten();
            parts.filter_map(|part| part.get("text").and_then(Value::as_str)).collect::<Vec<_>>().join("\n")
        }
    }
}

/// A schema that any JSON object satisfies, for "some JSON, please".
pub(super) fn any_object() -> Value {
    json!({"type": "object", "properties": {"answer": {"const": "This is Signalbox's built-in simulator."}}, "required": ["answer"]})
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
