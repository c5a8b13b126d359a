//! A generated conversation from every dialect of callers through every other and back: what both can say comes back,
//! and of whatever does not the warnings tell.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Value, json};
use signalbox::dialect::ir::{ChatRequest, Message, Part, Role, Tool, ToolChoice};
use signalbox::dialect::{Dialect, Quirks, ReasoningReplay, Target, Warnings};

const ALL: [Dialect; 4] = [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::OpenAiResponses, Dialect::Gemini];

/// The request as this dialect's provider gets it and reads it again, and what could not be said.
fn through(request: &ChatRequest, dialect: Dialect) -> (ChatRequest, Vec<String>) {
    let quirks = Quirks { reasoning_replay: ReasoningReplay::ReasoningDetails, ..Quirks::default() };
    let target = Target {
        model: "m",
        stream: false,
        max_output_tokens: None,
        default_max_output_tokens: 4_096,
        quirks: &quirks,
    };
    let mut warnings = Warnings::default();
    let body = dialect.write_request(request, &target, &mut warnings);
    let read = dialect.read_request(&body);
    let read = read.unwrap_or_else(|error| panic!("{dialect:?}: {error}: {}", String::from_utf8_lossy(&body)));
    (read, warnings.list().iter().map(|warning| warning.path.clone()).collect())
}

/// Who said what, with turns of one role joined: how they are cut is a dialect's own affair.
fn told(request: &ChatRequest) -> Vec<(Role, Part)> {
    let instructions = Message::new(Role::System, request.instructions.clone());
    let messages = std::iter::once(&instructions).chain(&request.messages);
    let parts = messages.flat_map(|message| message.content.iter().map(|part| (message.role, part.clone())));
    parts.map(|(role, part)| (if role == Role::Developer { Role::System } else { role }, part)).collect()
}

/// What no dialect may lose, whatever it warns of: every word, every call and every result, in order.
fn words(request: &ChatRequest) -> Vec<(Role, String)> {
    fn text(part: &Part) -> Option<String> {
        match part {
            // White space alone is refused by some, and left out for them.
            Part::Text { text, .. } | Part::Refusal(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
            Part::ToolCall { name, arguments, .. } => Some(format!("{name}({arguments:?})")),
            Part::ToolResult { content, .. } => {
                Some(format!("={}", content.iter().filter_map(text).collect::<String>()))
            }
            Part::Media(_) | Part::Thinking { .. } | Part::RedactedThinking(_) | Part::Opaque { .. } => None,
        }
    }
    told(request).iter().filter_map(|(role, part)| Some((*role, text(part)?))).collect()
}

/// A conversation in OpenAI's words: with images, documents, parallel calls and their results, thoughts.
fn conversation() -> impl Strategy<Value = Value> {
    let words = "[a-zé😀\"\\\\\n]{1,10}";
    let part = prop_oneof![
        words.prop_map(|text| json!({"type": "text", "text": text})),
        "[A-Za-z0-9+/]{8}".prop_map(|data| json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{data}")}})),
        ("[A-Za-z0-9+/]{8}", "[a-z]{1,6}").prop_map(|(data, name)| json!({"type": "file", "file": {"filename": name, "file_data": format!("data:application/pdf;base64,{data}")}})),
    ];
    let arguments = prop::collection::btree_map("[a-z]{1,4}", "[a-z\"\\\\😀]{0,6}", 0..3);
    let used = prop::collection::vec((arguments, words), 0..3);
    let exchange = (prop::collection::vec(part, 1..4), prop::option::of(words), used, any::<bool>());
    (prop::option::of(words), prop::collection::vec(exchange, 1..4)).prop_map(|(system, exchanges)| {
        let system = system.map(|text| json!({"role": "system", "content": text}));
        let mut messages: Vec<Value> = system.into_iter().collect();
        let mut calls = 0;
        for (user, said, used, thought) in exchanges {
            messages.push(json!({"role": "user", "content": user}));
            let ids: Vec<String> = (calls..).take(used.len()).map(|number| format!("call_{number}")).collect();
            calls += used.len();
            if said.is_none() && ids.is_empty() {
                continue;
            }
            let mut assistant = json!({"role": "assistant", "content": said});
            if !ids.is_empty() {
                let call = |(id, (arguments, _)): (&String, &(_, String))| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": serde_json::to_string::<std::collections::BTreeMap<String, String>>(arguments).unwrap()}});
                assistant["tool_calls"] = ids.iter().zip(&used).map(call).collect();
            }
            if thought {
                assistant["reasoning_details"] = json!([{"type": "reasoning.text", "text": "hm", "signature": "c2lnbmVk"}]);
            }
            messages.push(assistant);
            messages.extend(ids.iter().zip(&used).map(|(id, (_, result))| json!({"role": "tool", "tool_call_id": id, "content": result})));
        }
        json!({"messages": messages})
    })
}

/// Members that not every dialect has.
fn members() -> impl Strategy<Value = Value> {
    let choice = prop::sample::select(vec![
        json!("auto"),
        json!("none"),
        json!("required"),
        json!({"type": "function", "function": {"name": "f"}}),
    ]);
    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}, "strict": true}});
    let output = prop::option::of(prop::sample::select(vec![schema, json!({"type": "json_object"})]));
    let stop = prop::collection::vec("[a-z]{1,3}", 0..3);
    let effort = prop::option::of(prop::sample::select(vec!["low", "medium", "high"]));
    (choice, any::<Option<bool>>(), output, stop, effort, any::<[bool; 6]>()).prop_map(
        |(choice, parallel, output, stop, effort, [user, seed, penalty, logprobs, n, tier])| {
            let tool = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {"enum": ["x"], "pattern": "^x$"}}, "$defs": {}}}});
            let all = [
                ("tools", Some(json!([tool]))),
                ("tool_choice", Some(choice)),
                ("parallel_tool_calls", parallel.map(Value::from)),
                ("response_format", output),
                ("stop", (!stop.is_empty()).then(|| json!(stop))),
                ("reasoning_effort", effort.map(Value::from)),
                ("max_completion_tokens", Some(json!(9_000))),
                ("temperature", Some(json!(0.25))),
                ("user", user.then(|| json!("u"))),
                ("seed", seed.then(|| json!(7))),
                ("presence_penalty", penalty.then(|| json!(0.5))),
                ("logprobs", logprobs.then(|| json!(true))),
                ("n", n.then(|| json!(2))),
                ("service_tier", tier.then(|| json!("flex"))),
            ];
            all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
        },
    )
}

/// Tools, where a schema that need not be followed strictly may say so or say nothing.
fn tools(request: &ChatRequest) -> Vec<Tool> {
    let mut tools = request.tools.clone();
    for tool in &mut tools {
        if let Tool::Function { strict, .. } = tool {
            *strict = Some(strict.unwrap_or(false));
        }
    }
    tools
}

/// Whether calls are to come one by one: several at once is what everybody does unasked.
fn one_at_a_time(request: &ChatRequest) -> bool {
    request.parallel_tool_calls == Some(false) && request.tool_choice != Some(ToolChoice::None)
}

/// What is not the same, member by member. What a dialect cannot be without (a limit, a tool's schema) is no difference.
fn differences(before: &ChatRequest, after: &ChatRequest) -> Vec<&'static str> {
    let same = [
        ("messages", told(before) == told(after)),
        ("tools", tools(before) == tools(after)),
        ("tool_choice", before.tool_choice == after.tool_choice),
        ("parallel_tool_calls", one_at_a_time(before) == one_at_a_time(after)),
        ("output", before.output == after.output),
        ("reasoning", before.reasoning == after.reasoning),
        ("sampling", before.sampling == after.sampling),
        ("max_output_tokens", before.max_output_tokens == after.max_output_tokens),
        ("stop", before.stop == after.stop),
        ("user", before.user == after.user),
        ("service_tier", before.service_tier == after.service_tier),
    ];
    same.into_iter().filter_map(|(name, same)| (!same).then_some(name)).collect()
}

/// Whether a warning's path, in any dialect's words, is about this member.
fn names(path: &str, member: &str) -> bool {
    let words: &[&str] = match member {
        "messages" => &["messages", "input", "contents", "system"],
        "tools" => &["tools"],
        "tool_choice" => &["tool_choice", "toolConfig"],
        "parallel_tool_calls" => &["parallel_tool_calls", "disable_parallel_tool_use"],
        "output" => &[
            "response_format",
            "output_config",
            "text.format",
            "responseSchema",
            "responseMimeType",
            "responseJsonSchema",
        ],
        "reasoning" => &["reasoning", "thinking", "output_config.effort", "thinkingConfig"],
        "sampling" => {
            &["temperature", "top_p", "seed", "penalty", "Penalty", "logprobs", "Logprobs", "n", "candidateCount"]
        }
        "stop" => &["stop"],
        "user" => &["user", "metadata", "safety_identifier"],
        "service_tier" => &["service_tier", "serviceTier"],
        _ => &[],
    };
    words.iter().any(|word| path.contains(word))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_conversation_survives_every_dialect_there_and_back_or_the_warnings_say_what_did_not(body in conversation(), members in members()) {
        let mut body = body;
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let spoken = Dialect::OpenAiChat.read_request(body.to_string().as_bytes()).unwrap();
        let mut problems = Vec::new();
        for (caller, provider) in ALL.iter().flat_map(|caller| ALL.map(|provider| (*caller, provider))) {
            let (original, _) = through(&spoken, caller);
            let (there, mut warnings) = through(&original, provider);
            let (back, on_the_way_back) = through(&there, caller);
            warnings.extend(on_the_way_back);
            let mut lost = differences(&original, &back);
            lost.retain(|lost| !warnings.iter().any(|path| names(path, lost)));
            if words(&back) != words(&original) {
                lost.push("words");
            }
            if !lost.is_empty() {
                problems.push(format!("{caller:?} by {provider:?} lost {lost:?}, and told of {warnings:?}"));
            }
        }
        prop_assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
