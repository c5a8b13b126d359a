//! Recorded provider traffic, read in place (`$SIGNALBOX_SHARED`, or `../shared` beside the
//! repository), and answers in the terms of its `expect.json`.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs, unreachable_pub)]

use serde_json::Value;
use signalbox::dialect::ir::{BlockKind, ChatResponse, Delta, Event, FinishReason, Part, Seal};
use signalbox::dialect::{Dialect, ProviderDialect, StreamContext, UpstreamError};
use signalbox::usage::Usage;
use std::path::{Path, PathBuf};

pub fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("SIGNALBOX_SHARED").map_or(beside, PathBuf::from);
    if folder.join("traffic").is_dir() {
        return Some(folder);
    }
    eprintln!("notice: no recorded traffic at {}; skipped", folder.display());
    None
}

pub struct Case {
    pub name: String,
    pub folder: PathBuf,
    pub dialect: ProviderDialect,
    pub streaming: bool,
    pub status: u16,
    pub meta: Value,
    pub expect: Value,
    pub body: Vec<u8>,
}

/// Every dialect that callers speak.
pub const ALL: [Dialect; 4] = [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::OpenAiResponses, Dialect::Gemini];

/// Every case of the dialects we read.
pub fn cases() -> Vec<Case> {
    let Some(shared) = shared() else { return Vec::new() };
    let mut cases = Vec::new();
    for provider in std::fs::read_dir(shared.join("traffic/corpus/dev")).unwrap().flatten() {
        if !provider.path().is_dir() {
            continue;
        }
        for case in std::fs::read_dir(provider.path()).unwrap().flatten() {
            cases.extend(load(&case.path()));
        }
    }
    assert!(cases.len() > 50, "only {} cases", cases.len());
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn load(folder: &Path) -> Option<Case> {
    let json = |name: &str| Some(serde_json::from_slice::<Value>(&std::fs::read(folder.join(name)).ok()?).unwrap());
    let meta = json("meta.json")?;
    let dialect = match meta["api"].as_str()? {
        "openai_chat" | "mistral_chat" => ProviderDialect::Both(Dialect::OpenAiChat),
        "anthropic_messages" => ProviderDialect::Both(Dialect::Anthropic),
        "openai_responses" => ProviderDialect::Both(Dialect::OpenAiResponses),
        "gemini" => ProviderDialect::Both(Dialect::Gemini),
        "bedrock_converse" => ProviderDialect::Bedrock,
        "cohere_v2" => ProviderDialect::Cohere,
        "ollama_chat" => ProviderDialect::Ollama,
        "cloudflare_native" => ProviderDialect::WorkersAi,
        _ => return None,
    };
    Some(Case {
        name: format!("{}/{}", meta["provider"].as_str()?, meta["id"].as_str()?),
        folder: folder.to_owned(),
        dialect,
        streaming: meta["streaming"].as_bool()? && !meta["response_file"].as_str()?.ends_with(".json"),
        status: meta["status"].as_u64()? as u16,
        expect: json("expect.json")?,
        body: std::fs::read(folder.join(meta["response_file"].as_str()?)).unwrap(),
        meta,
    })
}

impl Case {
    pub fn client_chat(&self) -> Option<Vec<u8>> {
        std::fs::read(self.folder.join("client_chat.json")).ok()
    }

    pub fn request(&self) -> Option<Value> {
        Some(serde_json::from_slice(&std::fs::read(self.folder.join("request.json")).ok()?).unwrap())
    }
}

/// An answer, however it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub text: String,
    pub thoughts: String,
    pub refusal: String,
    /// Format and text.
    pub signatures: Vec<String>,
    pub redacted: Vec<String>,
    /// Id, name, arguments.
    pub calls: Vec<(String, String, String)>,
    pub finish: Option<FinishReason>,
    pub usage: Option<Usage>,
    pub error: Option<UpstreamError>,
    pub ended: bool,
    pub model: Option<String>,
}

impl Answer {
    /// The first choice of a streamed answer.
    pub fn from_events(events: &[Event]) -> Answer {
        let mut answer = Answer::default();
        let mut kinds: Vec<(u64, &BlockKind, bool)> = Vec::new();
        let mut calls: Vec<u64> = Vec::new();
        for (place, event) in events.iter().enumerate() {
            assert!(!answer.ended, "an event after the end");
            assert!(answer.error.is_none() || matches!(event, Event::Usage(_)), "an event after the error");
            match event {
                Event::Start { model, .. } => {
                    assert_eq!(place, 0, "a late start");
                    answer.model = model.clone();
                }
                Event::BlockStart { choice: 0, block, kind } => {
                    assert!(kinds.iter().all(|(known, ..)| known != block), "block {block} opened twice");
                    kinds.push((*block, kind, true));
                    match kind {
                        BlockKind::ToolCall { id, name } => {
                            calls.push(*block);
                            answer.calls.push((id.clone(), name.clone(), String::new()));
                        }
                        BlockKind::RedactedThinking(seal) => answer.redacted.push(sealed(seal)),
                        BlockKind::Thinking => answer.signatures.push(String::new()),
                        BlockKind::Text | BlockKind::Refusal | BlockKind::Opaque { .. } => {}
                    }
                }
                Event::Delta { choice: 0, block, delta } => {
                    let (_, kind, open) = kinds.iter().find(|(known, ..)| known == block).expect("an unopened block");
                    assert!(open, "a delta after its block");
                    match (kind, delta) {
                        (BlockKind::Text, Delta::Text(text)) => answer.text.push_str(text),
                        (BlockKind::Refusal, Delta::Text(text)) => answer.refusal.push_str(text),
                        (BlockKind::Thinking, Delta::Text(text)) => answer.thoughts.push_str(text),
                        (BlockKind::Thinking, Delta::Signature(seal)) => {
                            let place = answer.signatures.last_mut().unwrap();
                            if place.is_empty() {
                                place.push_str(&format!("{} ", seal.format.as_str()));
                            }
                            place.push_str(&seal.text);
                        }
                        (BlockKind::ToolCall { .. }, Delta::Arguments(text)) => {
                            let place = calls.iter().position(|known| known == block).unwrap();
                            answer.calls[place].2.push_str(text);
                        }
                        // What a provider's own tool is given.
                        (BlockKind::Opaque { .. }, Delta::Arguments(_)) => {}
                        (_, Delta::Citation(_) | Delta::Opaque(_)) => {}
                        (kind, delta) => panic!("{delta:?} in {kind:?}"),
                    }
                }
                Event::BlockStop { choice: 0, block } => {
                    let open = &mut kinds.iter_mut().find(|(known, ..)| known == block).expect("an unopened block").2;
                    assert!(std::mem::take(open), "block {block} closed twice");
                }
                Event::Finish { choice: 0, reason } => answer.finish = Some(reason.clone()),
                Event::Usage(usage) => answer.usage = Some(*usage),
                Event::Error(error) => answer.error = Some(error.clone()),
                Event::End => answer.ended = true,
                Event::BlockStart { .. }
                | Event::Delta { .. }
                | Event::BlockStop { .. }
                | Event::Finish { .. }
                | Event::Logprobs { .. } => {}
            }
        }
        if answer.ended {
            assert!(kinds.iter().all(|(_, _, open)| !open), "a block left open");
        }
        answer.signatures.retain(|signature| !signature.is_empty());
        answer
    }

    /// The first choice of a whole answer.
    pub fn from_response(response: &ChatResponse) -> Answer {
        let mut answer =
            Answer { usage: response.usage, ended: true, model: response.model.clone(), ..Answer::default() };
        let choice = &response.choices[0];
        answer.finish = choice.finish.clone();
        for part in &choice.content {
            match part {
                Part::Text { text, .. } => answer.text.push_str(text),
                Part::Refusal(text) => answer.refusal.push_str(text),
                Part::Thinking { text, signature } => {
                    answer.thoughts.push_str(text);
                    answer.signatures.extend(signature.as_ref().map(sealed));
                }
                Part::RedactedThinking(seal) => answer.redacted.push(sealed(seal)),
                Part::ToolCall { id, name, arguments, .. } => {
                    answer.calls.push((id.clone(), name.clone(), arguments.as_text().to_owned()));
                }
                Part::Media(_) | Part::ToolResult { .. } | Part::Opaque { .. } => {}
            }
        }
        answer
    }

    /// What differs from `expect.json`.
    pub fn differences(&self, expect: &Value) -> Vec<String> {
        let mut wrong = Vec::new();
        let accept = &expect["accept"];
        let accepted = |name: &str, value: &Value, wanted: &Value| match accept[name].as_array() {
            Some(others) => others.contains(value) || value == wanted,
            None => value == wanted,
        };
        if !accepted("text", &Value::from(self.text.as_str()), &expect["text"]) {
            wrong.push(format!("text {:?} != {}", self.text, expect["text"]));
        }
        let arguments = |text: &str| -> Value {
            let value =
                serde_json::from_str(if text.trim().is_empty() { "{}" } else { text }).unwrap_or(Value::from(text));
            if value.is_null() { serde_json::json!({}) } else { value }
        };
        let calls: Vec<Value> =
            self.calls.iter().map(|(_, name, text)| serde_json::json!([name, arguments(text)])).collect();
        let wanted: Vec<Value> = expect["tool_calls"].as_array().map_or(Vec::new(), |calls| {
            let arguments = |call: &Value| {
                if call["arguments"].is_null() { &call["arguments_raw"] } else { &call["arguments"] }.clone()
            };
            calls.iter().map(|call| serde_json::json!([call["name"], arguments(call)])).collect()
        });
        // Argued (gemini/gemini-stream-parallel-tool-calls-gemini-3-flash-134e17e4): the recording's reader does not put
        // together arguments that come in pieces and expects none. They are what the model called with.
        let pieces = expect["extra"]["partial_args"] == true;
        let names = |calls: &[Value]| calls.iter().map(|call| call[0].clone()).collect::<Vec<_>>();
        if calls != wanted && !(pieces && names(&calls) == names(&wanted)) {
            wrong.push(format!("calls {calls:?} != {wanted:?}"));
        }
        let ids: std::collections::HashSet<&str> = self.calls.iter().map(|(id, ..)| id.as_str()).collect();
        if ids.len() != self.calls.len() || ids.contains("") {
            wrong.push(format!("ids {:?}", self.calls));
        }
        let finish = self.finish.as_ref().map_or(Value::Null, |reason| Value::from(openai_finish(reason)));
        let missing = expect["finish_reason"].is_null() && !finish.is_null();
        if !accepted("finish_reason", &finish, &expect["finish_reason"]) && !missing {
            wrong.push(format!("finish {finish} != {}", expect["finish_reason"]));
        }
        if let Some(thoughts) = expect["reasoning_text"].as_str()
            && thoughts != self.thoughts
        {
            wrong.push(format!("thoughts {:?} != {thoughts:?}", self.thoughts));
        }
        if let Some(refusal) = expect["refusal"].as_str()
            && refusal != self.refusal
        {
            wrong.push(format!("refusal {:?} != {refusal:?}", self.refusal));
        }
        // A seal of OpenAI's is of the whole item, words and all: the corpus counts it as redacted. Google signs parts that
        // are no thoughts; in the common form such a signature stands alone.
        let whole = self.signatures.iter().filter(|seal| seal.starts_with("openai-responses-v1 ")).count();
        let google = self.redacted.iter().filter(|seal| seal.starts_with("google-gemini-v1 ")).count();
        let signatures = self.signatures.len() - whole + google;
        for (name, got) in [("signatures", signatures), ("redacted", self.redacted.len() + whole - google)] {
            if expect[name].as_u64().unwrap_or(0) != got as u64 {
                wrong.push(format!("{name} {got} != {}", expect[name]));
            }
        }
        wrong.extend(self.usage_differences(expect));
        wrong
    }

    fn usage_differences(&self, expect: &Value) -> Vec<String> {
        let wanted = &expect["usage"];
        if wanted.is_null() || wanted["prompt_tokens"].is_null() {
            return Vec::new();
        }
        let Some(usage) = self.usage else { return vec!["no usage".to_owned()] };
        let mut wrong = Vec::new();
        let written = usage.cache_write_5m + usage.cache_write_1h;
        for (name, got) in [
            ("prompt_tokens", usage.prompt_tokens()),
            ("completion_tokens", usage.completion_tokens()),
            ("total_tokens", usage.total_tokens()),
            ("cached_tokens", usage.cache_read),
            ("reasoning_tokens", usage.reasoning),
            ("cache_write_tokens", written),
        ] {
            let Some(exact) = wanted[name].as_u64() else { continue };
            let prompt = wanted["prompt_tokens"].as_u64().unwrap();
            let others = expect["accept"][name].as_array().cloned().unwrap_or_default();
            // More cached tokens than prompt tokens were recorded once; and where the total has
            // output nobody named, it is reasoning.
            let clamped = name == "cached_tokens" && exact > prompt && got == prompt;
            let unnamed = name == "reasoning_tokens" && !expect["accept"]["completion_tokens"].is_null();
            if got != exact && !others.contains(&Value::from(got)) && !clamped && !unnamed {
                wrong.push(format!("{name} {got} != {exact}"));
            }
        }
        wrong
    }
}

fn sealed(seal: &Seal) -> String {
    format!("{} {}", seal.format.as_str(), seal.text)
}

fn openai_finish(reason: &FinishReason) -> &str {
    match reason {
        FinishReason::Stop | FinishReason::StopSequence(_) | FinishReason::PauseTurn => "stop",
        FinishReason::Length | FinishReason::ContextWindow => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter | FinishReason::Refusal => "content_filter",
        FinishReason::Other(word) => word,
    }
}

/// All events of a stream that arrives in these chunks.
pub fn decode<'a>(dialect: impl Into<ProviderDialect>, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = dialect.into().decoder();
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.push(chunk, &mut events);
    }
    decoder.finish(&mut events);
    events
}

/// The stream a caller of this dialect gets.
pub fn encode(dialect: Dialect, events: &[Event]) -> Vec<u8> {
    let mut encoder = dialect.encoder(context());
    let mut out = Vec::new();
    for event in events {
        encoder.push(event.clone(), &mut out);
    }
    out
}

pub fn context() -> StreamContext {
    StreamContext {
        id: "answer_1".to_owned(),
        model: None,
        created: 1_700_000_000,
        include_usage: true,
        request_id: "req_1".to_owned(),
        echo: signalbox::dialect::Echo::default(),
    }
}
