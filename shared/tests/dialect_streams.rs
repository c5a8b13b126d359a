//! Streams as hostile providers send them, and as generated ones must survive.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros, reason = "tests read files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod corpus;

use corpus::{Answer, decode, encode};
use proptest::prelude::*;
use signalbox::dialect::ir::{BlockKind, Event, FinishReason};
use signalbox::dialect::{Dialect, Finish, State, UpstreamClass};

fn openai(events: &[&str]) -> Vec<Event> {
    let stream: String = events.iter().map(|data| format!("data: {data}\n\n")).collect();
    decode(Dialect::OpenAiChat, [stream.as_bytes()])
}

fn anthropic(events: &[&str]) -> Vec<Event> {
    let stream: String = events
        .iter()
        .map(|data| {
            let json: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
            format!("event: {}\ndata: {data}\n\n", json["type"].as_str().unwrap_or("x"))
        })
        .collect();
    decode(Dialect::Anthropic, [stream.as_bytes()])
}

fn delta(delta: &str) -> String {
    format!(r#"{{"id":"c1","model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
}

const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const DONE: &str = "[DONE]";

#[test]
fn openai_streams_survive_what_servers_really_send() {
    let text = |events: &[&str]| {
        let answer = Answer::from_events(&openai(events));
        assert!(answer.ended && answer.error.is_none(), "{events:?}: {:?}", answer.error);
        answer.text
    };
    let hi = delta(r#"{"content":"hi"}"#);
    // role-only, null content, unknown members, values of the wrong type
    assert_eq!(text(&[&delta(r#"{"role":"assistant","content":null}"#), &hi, STOP, DONE]), "hi");
    assert_eq!(text(&[&delta(r#"{"content":"","audio":{"x":[1]}}"#), &hi, STOP, DONE]), "hi");
    let odd = r#"{"choices":[{"index":0,"delta":{"content":"hi","tool_calls":null,"refusal":7},"logprobs":-0.5,"finish_reason":false}],"usage":"none"}"#;
    assert_eq!(text(&[odd, STOP, DONE]), "hi");
    // prompt filter results first, usage alone last
    assert_eq!(
        text(&[
            r#"{"choices":[],"prompt_filter_results":[{}]}"#,
            &hi,
            STOP,
            r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#,
            DONE
        ]),
        "hi"
    );
    // no [DONE], repeated finish reasons, events after the end
    assert_eq!(text(&[&hi, STOP]), "hi");
    assert_eq!(text(&[&hi, STOP, STOP, DONE, &hi, "not json"]), "hi");
    // no finish reason, but [DONE]
    assert_eq!(text(&[&hi, DONE]), "hi");
    // a message in place of a delta, both, a repeated member
    assert_eq!(text(&[r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#, DONE]), "hi");
    assert_eq!(text(&[r#"{"choices":[{"delta":{"content":"hi"},"message":{},"finish_reason":"stop"}]}"#, DONE]), "hi");
    assert_eq!(text(&[r#"{"id":"a","id":"b","choices":[{"delta":{"content":"hi"}}]}"#, STOP, DONE]), "hi");
    // JSON that is no object, an empty object
    assert_eq!(text(&["3", "\"x\"", "{}", &hi, STOP, DONE]), "hi");
    // a surrogate pair cut in two, and halves that never meet
    assert_eq!(text(&[&delta(r#"{"content":"a\ud83d"}"#), &delta(r#"{"content":"\ude00b"}"#), STOP, DONE]), "a😀b");
    assert_eq!(text(&[&delta(r#"{"content":"a\ud83d"}"#), &hi, STOP, DONE]), "a\u{fffd}hi");
    assert_eq!(text(&[&delta(r#"{"content":"\ud83d"}"#), STOP, DONE]), "\u{fffd}");
    // list content
    assert_eq!(
        text(&[
            &delta(
                r#"{"content":[{"type":"text","text":"h"},{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"i"}]}"#
            ),
            STOP,
            DONE
        ]),
        "hi"
    );
}

#[test]
fn openai_tool_calls_find_their_pieces_and_have_unique_ids() {
    let calls = |events: &[String]| {
        let mut all: Vec<&str> = events.iter().map(String::as_str).collect();
        all.extend([r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#, DONE]);
        let answer = Answer::from_events(&openai(&all));
        assert_eq!(answer.finish, Some(FinishReason::ToolCalls));
        let ids: std::collections::HashSet<_> = answer.calls.iter().map(|(id, ..)| id.clone()).collect();
        assert_eq!(ids.len(), answer.calls.len(), "{:?}", answer.calls);
        answer.calls.into_iter().map(|(_, name, arguments)| format!("{name}{arguments}")).collect::<Vec<_>>()
    };
    let piece = |call: &str| delta(&format!(r#"{{"tool_calls":[{call}]}}"#));
    let interleaved = [
        piece(r#"{"index":1,"id":"b","function":{"name":"g","arguments":""}}"#),
        piece(r#"{"index":0,"id":"a","function":{"name":"f"}}"#),
        piece(r#"{"index":1,"function":{"arguments":"{\"x\":"}}"#),
        piece(r#"{"index":0,"function":{"arguments":"{}"}}"#),
        piece(r#"{"index":1,"function":{"arguments":"1}"}}"#),
    ];
    assert_eq!(calls(&interleaved), ["g{\"x\":1}", "f{}"]);
    // no index, no id
    assert_eq!(
        calls(&[piece(r#"{"function":{"name":"f","arguments":"{"}}"#), piece(r#"{"function":{"arguments":"}"}}"#)]),
        ["f{}"]
    );
    assert_eq!(
        calls(&[piece(r#"{"function":{"name":"f","arguments":"{}"}},{"function":{"name":"g","arguments":"{}"}}"#)]),
        ["f{}", "g{}"]
    );
    // one index for two calls; one id for two calls
    assert_eq!(
        calls(&[
            piece(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#),
            piece(r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}"#)
        ]),
        ["f{}", "g{}"]
    );
    assert_eq!(
        calls(&[
            piece(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#),
            piece(r#"{"index":1,"id":"a","function":{"name":"g","arguments":"{}"}}"#)
        ]),
        ["f{}", "g{}"]
    );
    // a name that comes after the id, and after arguments; one that never comes
    assert_eq!(
        calls(&[
            piece(r#"{"index":0,"id":"a","function":{"arguments":""}}"#),
            piece(r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#),
            piece(r#"{"index":0,"function":{"name":"f","arguments":"1"}}"#),
            piece(r#"{"index":0,"function":{"arguments":"}"}}"#)
        ]),
        ["f{\"x\":1}"]
    );
    assert_eq!(calls(&[piece(r#"{"index":0,"id":"a","function":{"arguments":"{}"}}"#)]), ["{}"]);
    // arguments as an object; the older form
    assert_eq!(calls(&[piece(r#"{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}"#)]), ["f{\"x\":1}"]);
    assert_eq!(
        calls(&[
            delta(r#"{"function_call":{"name":"f","arguments":"{"}}"#),
            delta(r#"{"function_call":{"arguments":"}"}}"#)
        ]),
        ["f{}"]
    );
}

#[test]
fn a_failure_inside_a_stream_is_told_once_and_never_as_an_end() {
    use UpstreamClass::*;
    let hi = delta(r#"{"content":"hi"}"#);
    for (events, class) in [
        (vec![hi.as_str()], Protocol),
        (vec![], Protocol),
        (vec![&hi, "{broken", STOP, DONE], Protocol),
        (vec![&hi, r#"{"choices":5}x"#, DONE], Protocol),
        (vec![&hi, r#"{"error":{"message":"m","code":"rate_limit_exceeded"}}"#, DONE], RateLimited),
        (
            vec![&hi, r#"{"error":{"message":"m","code":503},"choices":[{"delta":{},"finish_reason":"error"}]}"#],
            Overloaded,
        ),
        (vec![r#"{"error":"text"}"#, DONE], ServerError),
    ] {
        let told = openai(&events);
        let answer = Answer::from_events(&told);
        assert_eq!((answer.error.map(|error| error.class), answer.ended), (Some(class), false), "{events:?}");
        assert_eq!(told.iter().filter(|event| matches!(event, Event::Error(_))).count(), 1);
        for dialect in corpus::ALL {
            let stream = String::from_utf8(encode(dialect, &told)).unwrap();
            assert!(stream.contains("\"error\"") && !stream.contains("[DONE]") && !stream.contains("message_stop"));
        }
    }
    let start = r#"{"type":"message_start","message":{"id":"m","model":"c","content":[],"usage":{"input_tokens":1}}}"#;
    for (events, class) in [
        (vec![start], Protocol),
        (vec![start, "{"], Protocol),
        (vec![start, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#], Overloaded),
        (vec![r#"{"type":"error"}"#], ServerError),
    ] {
        let answer = Answer::from_events(&anthropic(&events));
        assert_eq!((answer.error.map(|error| error.class), answer.ended), (Some(class), false), "{events:?}");
    }
}

#[test]
fn usage_that_follows_an_error_still_counts() {
    let usage = r#"{"choices":[{"delta":{"content":""}}],"usage":{"prompt_tokens":41,"completion_tokens":243}}"#;
    let told = openai(&[&delta(r#"{"content":"hi"}"#), r#"{"error":{"message":"m"}}"#, usage, DONE]);
    assert_eq!(Answer::from_events(&told).usage.map(|usage| usage.total_tokens()), Some(284));
}

#[test]
fn anthropic_streams_survive_what_the_provider_may_come_to_send() {
    let start = r#"{"type":"message_start","message":{"id":"m","model":"c","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}"#;
    let answer = Answer::from_events(&anthropic(&[
        start,
        r#"{"type":"ping"}"#,
        r#"{"type":"brand_new","index":0,"delta":5}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"a"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"b\ud83d"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"\ude00"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"unheard_of","text":"x"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"x":1}}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":9}}"#,
        r#"{"type":"message_stop"}"#,
        r#"{"type":"error","error":{"type":"api_error","message":"late"}}"#,
    ]));
    assert!(answer.ended && answer.error.is_none());
    assert_eq!((answer.text.as_str(), answer.calls[0].2.as_str()), ("ab😀", r#"{"x":1}"#));
    assert_eq!(answer.usage.map(|usage| (usage.input, usage.output)), Some((1, 9)));
    // without message_stop, but with its stop reason
    let answer = Answer::from_events(&anthropic(&[
        start,
        r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"}}"#,
    ]));
    assert!(answer.ended);
    assert_eq!(answer.finish, Some(FinishReason::StopSequence(Some("END".to_owned()))));
}

#[test]
fn an_event_with_a_picture_in_it_is_read_in_every_dialect() {
    let picture = "A".repeat(3 << 20);
    for (dialect, events) in [
        (
            Dialect::OpenAiChat,
            format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"x\",\"images\":[{{\"image_url\":{{\"url\":\"data:image/png;base64,{picture}\"}}}}]}},\"finish_reason\":\"stop\"}}]}}\n\ndata: [DONE]\n\n"
            ),
        ),
        (
            Dialect::OpenAiResponses,
            format!(
                "data: {{\"type\":\"response.image_generation_call.partial_image\",\"output_index\":0,\"partial_image_b64\":\"{picture}\"}}\n\ndata: {{\"type\":\"response.completed\",\"response\":{{\"status\":\"completed\",\"output\":[{{\"type\":\"image_generation_call\",\"result\":\"{picture}\"}}]}}}}\n\n"
            ),
        ),
        (
            Dialect::Anthropic,
            format!(
                "data: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"web_fetch_tool_result\",\"content\":{{\"data\":\"{picture}\"}}}}}}\n\ndata: {{\"type\":\"message_stop\"}}\n\n"
            ),
        ),
    ] {
        let mut meter = dialect.meter();
        events.as_bytes().chunks(64 << 10).for_each(|chunk| meter.push(chunk));
        assert_eq!(meter.state(), State::Complete, "{dialect:?}: {:?}", meter.error());
    }
}

#[test]
fn an_event_beyond_the_limit_is_a_protocol_error_in_bounded_memory() {
    for dialect in corpus::ALL {
        let mut decoder = dialect.decoder();
        let mut meter = dialect.meter();
        let mut events = Vec::new();
        decoder.push(b"data: ", &mut events);
        meter.push(b"data: ");
        for _ in 0..400 {
            decoder.push(&[b'x'; 64 * 1024], &mut events);
            meter.push(&[b'x'; 64 * 1024]);
        }
        assert!(matches!(events.as_slice(), [Event::Error(error)] if error.class == UpstreamClass::Protocol));
        assert_eq!(meter.state(), State::Failed);
    }
}

#[test]
fn interleaved_calls_reach_anthropic_one_after_the_other_and_as_early_as_they_can() {
    let piece = |call: &str| delta(&format!(r#"{{"tool_calls":[{call}]}}"#));
    let mut encoder = Dialect::Anthropic.encoder(corpus::context());
    let mut decoder = Dialect::OpenAiChat.decoder();
    let mut seen = |data: &str| {
        let (mut events, mut out) = (Vec::new(), Vec::new());
        decoder.push(format!("data: {data}\n\n").as_bytes(), &mut events);
        events.into_iter().for_each(|event| encoder.push(event, &mut out));
        let text = String::from_utf8(out).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("event: ")).map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        seen(&piece(r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#)),
        "message_start content_block_start"
    );
    assert_eq!(seen(&piece(r#"{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}"#)), "");
    assert_eq!(seen(&piece(r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#)), "content_block_delta");
    assert_eq!(
        seen(&piece(r#"{"index":0,"function":{"arguments":"1}"}}"#)),
        "content_block_delta content_block_stop content_block_start content_block_delta"
    );
    assert_eq!(seen(&piece(r#"{"index":1,"function":{"arguments":"}"}}"#)), "content_block_delta");
    assert_eq!(seen(DONE), "content_block_stop message_delta message_stop");
}

#[test]
fn the_meter_tells_early_whether_content_or_an_error_came_first() {
    let mut meter = Dialect::OpenAiChat.meter();
    assert_eq!(meter.state(), State::Waiting);
    meter.push(format!("data: {}\n\n", delta(r#"{"role":"assistant","content":""}"#)).as_bytes());
    assert_eq!(meter.state(), State::Waiting);
    meter.push(format!("data: {}\n\n", delta(r#"{"content":"x"}"#)).as_bytes());
    assert_eq!(meter.state(), State::Streaming);
    meter.push(b"data: [DONE]\n\n");
    assert_eq!(meter.state(), State::Complete);

    let mut meter = Dialect::Anthropic.meter();
    meter.push(b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n");
    assert_eq!(
        (meter.state(), meter.error().map(|error| error.class)),
        (State::Failed, Some(UpstreamClass::Overloaded))
    );
    assert!(!meter.finish().content_started);
}

/// A generated answer: blocks of text, thoughts and calls, cut into pieces.
#[derive(Clone, Debug)]
enum Block {
    Text(Vec<String>),
    Thoughts(Vec<String>, Option<String>),
    Call(String, Vec<String>),
}

fn pieces() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-zé\"\\\\\n😀{}:,\\[\\] ]{1,12}", 1..6)
}

fn answer() -> impl Strategy<Value = Vec<Block>> {
    let call = ("[a-z]{1,8}", prop::collection::vec("[a-z\"\\\\]{0,9}", 0..3)).prop_map(|(name, values)| {
        let json = serde_json::to_string(&serde_json::json!({ "values": values })).unwrap();
        let middle = json.len() / 2;
        Block::Call(name, vec![json[..middle].to_owned(), json[middle..].to_owned()])
    });
    let block = prop_oneof![
        pieces().prop_map(Block::Text),
        (pieces(), prop::option::of("[A-Za-z0-9+/=]{4,20}")).prop_map(|(pieces, seal)| Block::Thoughts(pieces, seal)),
        call,
    ];
    prop::collection::vec(block, 0..6)
}

/// The answer as an Anthropic provider streams it.
fn as_anthropic(blocks: &[Block]) -> String {
    let mut events = vec![
        serde_json::json!({"type": "message_start", "message": {"id": "m", "model": "c", "content": [], "usage": {"input_tokens": 7, "output_tokens": 1}}}),
    ];
    for (index, block) in blocks.iter().enumerate() {
        let (start, deltas): (serde_json::Value, Vec<serde_json::Value>) = match block {
            Block::Text(pieces) => (
                serde_json::json!({"type": "text", "text": ""}),
                pieces.iter().map(|piece| serde_json::json!({"type": "text_delta", "text": piece})).collect(),
            ),
            Block::Thoughts(pieces, seal) => {
                let mut deltas: Vec<_> = pieces
                    .iter()
                    .map(|piece| serde_json::json!({"type": "thinking_delta", "thinking": piece}))
                    .collect();
                deltas
                    .extend(seal.iter().map(|seal| serde_json::json!({"type": "signature_delta", "signature": seal})));
                (serde_json::json!({"type": "thinking", "thinking": "", "signature": ""}), deltas)
            }
            Block::Call(name, pieces) => (
                serde_json::json!({"type": "tool_use", "id": format!("t{index}"), "name": name, "input": {}}),
                pieces
                    .iter()
                    .map(|piece| serde_json::json!({"type": "input_json_delta", "partial_json": piece}))
                    .collect(),
            ),
        };
        events.push(serde_json::json!({"type": "content_block_start", "index": index, "content_block": start}));
        events.extend(
            deltas
                .into_iter()
                .map(|delta| serde_json::json!({"type": "content_block_delta", "index": index, "delta": delta})),
        );
        events.push(serde_json::json!({"type": "content_block_stop", "index": index}));
    }
    events.push(serde_json::json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}));
    events.push(serde_json::json!({"type": "message_stop"}));
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())).collect()
}

/// What an answer says in any dialect: blocks of one kind joined, calls without their ids.
#[derive(Debug, PartialEq)]
struct Essence {
    text: String,
    thoughts: String,
    signatures: Vec<String>,
    calls: Vec<(String, serde_json::Value)>,
    total_tokens: Option<u64>,
}

fn essence(answer: &Answer) -> Essence {
    let arguments = |text: &str| serde_json::from_str(if text.is_empty() { "{}" } else { text }).unwrap();
    Essence {
        text: answer.text.clone(),
        thoughts: answer.thoughts.clone(),
        signatures: answer.signatures.clone(),
        calls: answer.calls.iter().map(|(_, name, text)| (name.clone(), arguments(text))).collect(),
        total_tokens: answer.usage.map(|usage| usage.total_tokens()),
    }
}

fn observed(dialect: Dialect, stream: &[u8], size: usize) -> signalbox::dialect::Observed {
    let mut meter = dialect.meter();
    stream.chunks(size).for_each(|chunk| meter.push(chunk));
    meter.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_answer_survives_translation_there_and_back_in_any_chunking(blocks in answer(), size in 1usize..50) {
        let stream = as_anthropic(&blocks);
        let events = decode(Dialect::Anthropic, stream.as_bytes().chunks(size));
        prop_assert_eq!(&events, &decode(Dialect::Anthropic, [stream.as_bytes()]));
        let original = Answer::from_events(&events);
        prop_assert!(original.ended);

        let chat = encode(Dialect::OpenAiChat, &events);
        let there_events = decode(Dialect::OpenAiChat, chat.chunks(size));
        prop_assert_eq!(&there_events, &decode(Dialect::OpenAiChat, [chat.as_slice()]));
        let there = Answer::from_events(&there_events);
        prop_assert_eq!(essence(&there), essence(&original));

        let back = encode(Dialect::Anthropic, &there_events);
        let back = Answer::from_events(&decode(Dialect::Anthropic, [back.as_slice()]));
        prop_assert_eq!(essence(&back), essence(&original));

        let responses = encode(Dialect::OpenAiResponses, &events);
        let over_events = decode(Dialect::OpenAiResponses, responses.chunks(size));
        prop_assert_eq!(&over_events, &decode(Dialect::OpenAiResponses, [responses.as_slice()]));
        let over = Answer::from_events(&over_events);
        prop_assert_eq!(essence(&over), essence(&original));

        for (dialect, stream, answer) in [
            (Dialect::Anthropic, stream.as_bytes(), &original),
            (Dialect::OpenAiChat, &chat, &there),
            (Dialect::OpenAiResponses, &responses, &over),
        ] {
            let observed = observed(dialect, stream, size);
            let arguments: usize = answer.calls.iter().map(|(.., text)| text.len()).sum();
            prop_assert_eq!(observed.output_bytes, (answer.text.len() + answer.thoughts.len() + arguments) as u64);
            prop_assert_eq!((observed.finish, observed.usage), (Finish::Complete, answer.usage));
        }
    }

    #[test]
    fn no_bytes_panic_a_decoder_an_encoder_or_a_meter(
        fragments in prop::collection::vec(prop::sample::select(FRAGMENTS), 0..40),
        size in 1usize..30,
    ) {
        let stream = fragments.concat();
        for dialect in corpus::ALL {
            let events = decode(dialect, stream.as_bytes().chunks(size));
            prop_assert_eq!(&events, &decode(dialect, [stream.as_bytes()]));
            let answer = Answer::from_events(&events);
            prop_assert!(answer.ended != answer.error.is_some());
            for out in corpus::ALL {
                let written = encode(out, &events);
                let again = Answer::from_events(&decode(out, [written.as_slice()]));
                prop_assert_eq!(again.ended, answer.ended);
            }
            let observed = observed(dialect, stream.as_bytes(), size);
            prop_assert_eq!(observed.finish == Finish::Complete, answer.ended);
            prop_assert_eq!(observed.usage, answer.usage);
            let started = events.iter().any(|event| matches!(event, Event::BlockStart { .. }));
            prop_assert_eq!(observed.content_started, started);
        }
    }
}

/// Pieces of streams that mean something, so that rare meetings become common.
const FRAGMENTS: &[&str] = &[
    "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\\n\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":1,\"delta\":{\"reasoning\":\"r\",\"reasoning_details\":[{\"text\":\"r\",\"signature\":\"s\"}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"reasoning_details\":[{\"data\":\"d\"},{\"text\":\"t\"}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"refusal\":\"no\"},\"finish_reason\":\"content_filter\"}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"\\ud83d\\ude00\"}}],\"usage\":null,\"error\":null}\n\n",
    "data: {\"error\":{\"message\":\"m\",\"code\":429}}\n\n",
    "data: [DONE]\n\n",
    "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":1}}}\n\n",
    "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"a\"}}\n\n",
    "data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\n",
    "data: {\"type\":\"content_block_start\",\"index\":2,\"content_block\":{\"type\":\"new\"}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"b\"}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"index\":3,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"t\"}}\n\n",
    "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "data: {\"type\":\"content_block_stop\",\"index\":1}\n\n",
    "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},\"usage\":{\"output_tokens\":5}}\n\n",
    "data: {\"type\":\"message_stop\"}\n\n",
    "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"model\":\"m\",\"output\":[]}}\n\n",
    "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\"}}\n\n",
    "data: {\"type\":\"response.output_item.added\",\"output_index\":1,\"item\":{\"type\":\"custom_tool_call\",\"call_id\":\"d\",\"name\":\"g\"}}\n\n",
    "data: {\"type\":\"response.output_item.added\",\"output_index\":2,\"item\":{\"type\":\"web_search_call\",\"id\":\"w\"}}\n\n",
    "data: {\"type\":\"response.output_text.delta\",\"output_index\":3,\"content_index\":0,\"delta\":\"x\\\"\",\"logprobs\":[{\"token\":\"x\"}]}\n\n",
    "data: {\"type\":\"response.output_text.delta\",\"output_index\":3,\"content_index\":0,\"delta\":\"\\ud83d\"}\n\n",
    "data: {\"type\":\"response.output_text.done\",\"output_index\":3,\"content_index\":1,\"text\":\"whole\"}\n\n",
    "data: {\"type\":\"response.refusal.delta\",\"output_index\":3,\"content_index\":2,\"delta\":\"no\"}\n\n",
    "data: {\"type\":\"response.output_text.annotation.added\",\"output_index\":3,\"annotation\":{\"url\":\"https://x\"}}\n\n",
    "data: {\"type\":\"response.reasoning_summary_text.delta\",\"output_index\":4,\"summary_index\":0,\"delta\":\"t\"}\n\n",
    "data: {\"type\":\"response.reasoning_text.delta\",\"output_index\":4,\"content_index\":0,\"delta\":\"t\"}\n\n",
    "data: {\"type\":\"response.function_call_arguments.delta\",\"output_index\":0,\"delta\":\"{}\"}\n\n",
    "data: {\"type\":\"response.custom_tool_call_input.delta\",\"output_index\":1,\"delta\":\"\\\"i\"}\n\n",
    "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"}}\n\n",
    "data: {\"type\":\"response.output_item.done\",\"output_index\":4,\"item\":{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"e\"}}\n\n",
    "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"all\"}]}],\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}}\n\n",
    "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"m\"},\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}}\n\n",
    "event: error\n",
    ": comment\n\n",
    "data: \n\n",
    "data: {\n",
    "\r",
];

#[test]
fn a_block_knows_its_kind() {
    let events = openai(&[&delta(r#"{"refusal":"no"}"#), STOP, DONE]);
    assert!(events.iter().any(|event| matches!(event, Event::BlockStart { kind: BlockKind::Refusal, .. })));
}
