//! What is asked: callers' bodies, the upstream's scripts, and who is compared with whom.

use serde_json::{Value, json};

use super::load::Call;

/// Events of a measured stream.
pub const EVENTS: usize = 100;
/// The word every answer is made of; the empty events before it hold none.
pub const TOKEN: &str = "word ";
const PACE_MS: u64 = 2;

/// With what credential, and in which team, ours is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Team {
    /// Without limits: no store is asked.
    Free,
    /// With a rate limit and a hard budget: one hop to the tenant's ledger.
    Limited,
    /// The same, lent to the process: no hop.
    Lent,
    /// With every built-in guardrail that a request can have.
    Guarded,
    /// Without limits, by a token of an identity provider that is remembered: what it costs more than a key.
    Token,
}

/// One way through our Worker.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Its name within the scenario.
    pub name: &'static str,
    /// Whose key.
    pub team: Team,
    /// What is asked.
    pub call: Call,
}

/// One answer of the upstream, and the ways to it that are compared.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What the upstream plays.
    pub script: Value,
    /// What is asked of the upstream itself and of the bare Worker.
    pub plain: Call,
    /// Who the upstream plays, by the name peers know.
    pub provider: &'static str,
    /// What is asked of a peer: always OpenAI's dialect.
    pub peers: Call,
    /// What is asked of ours.
    pub arms: Vec<Arm>,
    /// Requests of a phase over 8 connections, and over one.
    pub requests: [usize; 2],
}

const OPENAI: &str = "/v1/chat/completions";
const ANTHROPIC: &str = "/v1/messages";

/// All of them.
pub fn all() -> Vec<Scenario> {
    let mut all = vec![
        Scenario {
            name: "json",
            script: json!({ "body": openai_answer() }),
            plain: call(OPENAI, "gpt-5.4-mini~json", json!({})),
            provider: "openai",
            peers: call(OPENAI, "gpt-5.4-mini~json", json!({})),
            arms: vec![
                arm(BY_KEY, Team::Free, call(OPENAI, "openai:gpt-5.4-mini~json", json!({}))),
                arm("rpm + budget", Team::Limited, call(OPENAI, "openai:gpt-5.4-mini~json", json!({}))),
                arm("rpm + budget in escrow", Team::Lent, call(OPENAI, "openai:gpt-5.4-mini~json", json!({}))),
                arm(BY_TOKEN, Team::Token, call(OPENAI, "openai:gpt-5.4-mini~json", json!({}))),
            ],
            requests: [400, 120],
        },
        Scenario {
            name: "json-cross",
            script: json!({ "body": anthropic_answer() }),
            plain: call(ANTHROPIC, "claude-haiku-4-5~json-cross", json!({ "max_tokens": 1000 })),
            provider: "anthropic",
            peers: call(OPENAI, "claude-haiku-4-5~json-cross", json!({ "max_tokens": 1000 })),
            arms: vec![arm(
                "cross-dialect",
                Team::Free,
                call(OPENAI, "anthropic:claude-haiku-4-5~json-cross", json!({})),
            )],
            requests: [400, 120],
        },
    ];
    all.push(guarded());
    all.push(decision());
    for (pace, openai, anthropic, [a, b], requests) in [
        (None, "burst", "burst-cross", ["~burst", "~burst-cross"], [64, 24]),
        (Some(PACE_MS), "paced", "paced-cross", ["~paced", "~paced-cross"], [40, 4]),
    ] {
        let streamed = |mut more: Value| {
            more.as_object_mut().into_iter().for_each(|more| drop(more.insert("stream".to_owned(), json!(true))));
            more
        };
        let usage = || streamed(json!({ "stream_options": { "include_usage": true } }));
        let gpt = format!("openai:gpt-5.4-mini{a}");
        let claude = format!("anthropic:claude-haiku-4-5{b}");
        all.push(Scenario {
            name: openai,
            script: paced(openai_events(), pace),
            plain: call(OPENAI, &format!("gpt-5.4-mini{a}"), usage()),
            provider: "openai",
            peers: call(OPENAI, &format!("gpt-5.4-mini{a}"), usage()),
            arms: vec![
                arm("native relay", Team::Free, call(OPENAI, &gpt, usage())),
                arm("usage unasked", Team::Free, call(OPENAI, &gpt, streamed(json!({})))),
                arm("relay, rpm + budget", Team::Limited, call(OPENAI, &gpt, usage())),
                arm("relay, rpm + budget in escrow", Team::Lent, call(OPENAI, &gpt, usage())),
            ],
            requests,
        });
        all.push(Scenario {
            name: anthropic,
            script: paced(anthropic_events(), pace),
            plain: call(ANTHROPIC, &format!("claude-haiku-4-5{b}"), streamed(json!({ "max_tokens": 1000 }))),
            provider: "anthropic",
            peers: call(OPENAI, &format!("claude-haiku-4-5{b}"), streamed(json!({ "max_tokens": 1000 }))),
            arms: vec![arm("cross-dialect", Team::Free, call(OPENAI, &claude, usage()))],
            requests,
        });
    }
    all
}

/// What looking at every word costs: a prompt of 4 kB with every built-in guardrail, beside the same without.
fn guarded() -> Scenario {
    let asked = |model: &str| Call {
        path: OPENAI,
        body: json!({ "model": model, "messages": [{ "role": "user", "content": signalbox_rails::prompt() }] }),
    };
    Scenario {
        name: "guarded",
        script: json!({ "body": openai_answer() }),
        plain: asked("gpt-5.4-mini~guarded"),
        provider: "openai",
        peers: asked("gpt-5.4-mini~guarded"),
        arms: vec![
            arm("no rails", Team::Free, asked("openai:gpt-5.4-mini~guarded")),
            arm("all rails", Team::Guarded, asked("openai:gpt-5.4-mini~guarded")),
        ],
        requests: [400, 120],
    }
}

/// What a decision costs: the same prompt of about a thousand tokens to a model that is named, to the cheapest of twenty, and
/// by what the prompt shows.
fn decision() -> Scenario {
    let model = "gpt-5.4-mini~decision";
    let asks = |model: &str| {
        let prompt = "Prove that the number of ships in the harbour, which is 12 or 13, cannot be odd. ".repeat(50);
        call(OPENAI, model, json!({ "messages": [{ "role": "user", "content": prompt }] }))
    };
    let named = format!("openai:{model}");
    Scenario {
        name: "decision",
        script: json!({ "body": openai_answer() }),
        plain: asks(model),
        provider: "openai",
        peers: asks(model),
        arms: vec![
            arm(NAMED, Team::Free, asks(&named)),
            arm(CHEAPEST, Team::Free, asks("cheapest-of-20")),
            arm(LEARNED, Team::Free, asks("by-what-it-shows")),
        ],
        requests: [400, 120],
    }
}

/// The arm of `json` without limits, by a virtual key that is remembered.
pub const BY_KEY: &str = "no limits";
/// The same by a token that is.
pub const BY_TOKEN: &str = "by a token";
/// The arm of `decision` the others are held against.
pub const NAMED: &str = "a model that is named";
/// The arm that goes by price.
pub const CHEAPEST: &str = "cheapest of 20";
/// The arm that reads the prompt.
pub const LEARNED: &str = "learned, semantic";

/// The routes of that scenario.
pub fn routes() -> String {
    let twenty: Vec<String> = (0..20).map(|at| format!("\"openai:m{at}~decision\"")).collect();
    let learned = "{ strategy = \"learned\", candidates = [\"openai:small~decision\", \"openai:large~decision\"] }";
    format!(
        "[routes.cheapest-of-20]\nstrategy = \"cost\"\ncandidates = [{}]\n\
         [routes.by-what-it-shows]\nstrategy = \"semantic\"\ncandidates = [{learned}, {{ model = \"openai:code~decision\", topics = [\"code\"] }}]\n",
        twenty.join(", ")
    )
}

fn arm(name: &'static str, team: Team, call: Call) -> Arm {
    Arm { name, team, call }
}

/// About 1 kB.
fn call(path: &'static str, model: &str, more: Value) -> Call {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": "question ".repeat(100) }] });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    Call { path, body }
}

pub(super) fn openai_answer() -> Value {
    json!({
        "id": "chatcmpl-bench", "object": "chat.completion", "created": 1_700_000_000, "model": "gpt-5.4-mini",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": TOKEN.repeat(150), "refusal": null }, "logprobs": null, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 110, "completion_tokens": 120, "total_tokens": 230 },
    })
}

fn anthropic_answer() -> Value {
    json!({
        "id": "msg_bench", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
        "content": [{ "type": "text", "text": TOKEN.repeat(150) }], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": { "input_tokens": 110, "output_tokens": 120 },
    })
}

/// [`EVENTS`] events of about 250 bytes, and `[DONE]`.
fn openai_events() -> Vec<Value> {
    let chunk = |choices: Value, usage: Value| {
        json!({ "data": {
            "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "gpt-5.4-mini",
            "choices": choices, "usage": usage,
        } })
    };
    let delta = |delta: Value, finish: Value| json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
    let mut events = vec![chunk(delta(json!({ "role": "assistant", "content": "" }), Value::Null), Value::Null)];
    let text = TOKEN.repeat(14);
    events.extend((0..EVENTS - 3).map(|_| chunk(delta(json!({ "content": text }), Value::Null), Value::Null)));
    events.push(chunk(delta(json!({}), json!("stop")), Value::Null));
    events.push(chunk(json!([]), json!({ "prompt_tokens": 110, "completion_tokens": 900, "total_tokens": 1010 })));
    events.push(json!({ "data": "[DONE]" }));
    events
}

/// [`EVENTS`] events of about 250 bytes.
fn anthropic_events() -> Vec<Value> {
    let event = |value: Value| json!({ "event": value });
    let message = json!({
        "id": "msg_bench", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 110, "output_tokens": 1 },
    });
    let mut events = vec![
        event(json!({ "type": "message_start", "message": message })),
        event(json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } })),
    ];
    let text = TOKEN.repeat(27);
    events.extend((0..EVENTS - 5).map(|_| {
        event(json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } }))
    }));
    events.push(event(json!({ "type": "content_block_stop", "index": 0 })));
    events.push(event(json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null }, "usage": { "output_tokens": 900 } })));
    events.push(event(json!({ "type": "message_stop" })));
    events
}

fn paced(events: Vec<Value>, pace: Option<u64>) -> Value {
    let Some(pace) = pace else { return json!({ "steps": events }) };
    let steps: Vec<Value> = events.into_iter().flat_map(|event| [event, json!({ "delay_ms": pace })]).collect();
    json!({ "steps": steps })
}
