//! Streams in the dialects that providers alone speak: what servers really send, and what they may come to send.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros, reason = "tests read files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod corpus;

use corpus::{Answer, decode};
use signalbox::dialect::ir::{Delta, Event, FinishReason};
use signalbox::dialect::{ProviderDialect, UpstreamClass};
use signalbox::eventstream::crc32;

/// A frame of an AWS event stream. A name that begins with `!` is an exception's.
fn frame(name: &str, payload: &str) -> Vec<u8> {
    let (kind, name) = name.strip_prefix('!').map_or(("event", name), |name| ("exception", name));
    let mut headers = Vec::new();
    for (header, value) in [(format!(":{kind}-type"), name), (":message-type".to_owned(), kind)] {
        headers.push(header.len() as u8);
        headers.extend(header.as_bytes());
        headers.push(7);
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let mut out = Vec::new();
    out.extend(((16 + headers.len() + payload.len()) as u32).to_be_bytes());
    out.extend((headers.len() as u32).to_be_bytes());
    out.extend(crc32(&out).to_be_bytes());
    out.extend(headers);
    out.extend(payload.as_bytes());
    out.extend(crc32(&out).to_be_bytes());
    out
}

fn bedrock(frames: &[(&str, &str)]) -> Answer {
    let stream: Vec<u8> = frames.iter().flat_map(|(name, payload)| frame(name, payload)).collect();
    read(ProviderDialect::Bedrock, &stream)
}

fn cohere(events: &[&str]) -> Answer {
    let stream: String = events.iter().map(|data| format!("data: {data}\n\n")).collect();
    read(ProviderDialect::Cohere, stream.as_bytes())
}

fn ollama(lines: &[&str]) -> Answer {
    read(ProviderDialect::Ollama, format!("{}\n", lines.join("\n")).as_bytes())
}

fn workers_ai(events: &[&str]) -> Answer {
    let stream: String = events.iter().map(|data| format!("data: {data}\n\n")).collect();
    read(ProviderDialect::WorkersAi, stream.as_bytes())
}

/// What a stream says, whichever way it is cut.
fn read(dialect: ProviderDialect, stream: &[u8]) -> Answer {
    let events: Vec<Event> = decode(dialect, [stream]);
    for size in [1, 3, 17] {
        assert_eq!(decode(dialect, stream.chunks(size)), events, "in chunks of {size}");
    }
    Answer::from_events(&events)
}

const START: (&str, &str) = ("messageStart", r#"{"role":"assistant"}"#);
const STOP: (&str, &str) = ("messageStop", r#"{"stopReason":"end_turn"}"#);

#[test]
fn thoughts_signatures_and_sealed_thoughts_of_converse_are_told_apart() {
    let answer = bedrock(&[
        START,
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Th"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"ink"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"sig"}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"AAAA"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"BBBB"}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"text":"So","new":1},"p":"abc"}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":2}"#),
        ("somethingNew", r#"{"contentBlockIndex":9}"#),
        ("messageStop", r#"{"stopReason":"stop_sequence","additionalModelResponseFields":{"stop_sequence":"END"}}"#),
        ("metadata", r#"{"usage":{"inputTokens":3,"outputTokens":2,"cacheReadInputTokens":5}}"#),
    ]);
    assert_eq!((answer.thoughts.as_str(), answer.text.as_str(), answer.ended), ("Think", "So", true));
    assert_eq!(answer.signatures, ["anthropic-claude-v1 sig"]);
    assert_eq!(answer.redacted, ["anthropic-claude-v1 AAAABBBB"]);
    assert_eq!(answer.finish, Some(FinishReason::StopSequence(Some("END".to_owned()))));
    assert_eq!(answer.usage.map(|usage| usage.prompt_tokens()), Some(8));
}

#[test]
fn what_bedrocks_own_tools_do_is_not_taken_for_the_callers() {
    let answer = bedrock(&[
        START,
        (
            "contentBlockStart",
            r#"{"contentBlockIndex":0,"start":{"toolUse":{"name":"nova_code_interpreter","toolUseId":"t","type":"server_tool_use"}}}"#,
        ),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("contentBlockStart", r#"{"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"t"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"toolResult":[{"text":"x"}]}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":7,"delta":{"toolUse":{"input":"unopened"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"text":"4"}}"#),
        STOP,
    ]);
    assert_eq!((answer.text.as_str(), answer.calls.len(), answer.ended), ("4", 0, true));
}

#[test]
fn a_stream_of_converse_that_fails_or_stops_short_is_never_complete() {
    let text = ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Hel"}}"#);
    for (frames, class) in [
        (vec![START, text, ("!throttlingException", r#"{"message":"slow"}"#)], UpstreamClass::RateLimited),
        (vec![START, text, ("!modelStreamErrorException", r#"{"message":"x"}"#), STOP], UpstreamClass::ServerError),
        (vec![("!validationException", r#"{"message":"Input is too long."}"#)], UpstreamClass::ContextLength),
        (vec![START, text], UpstreamClass::Protocol),
        (vec![START, text, ("contentBlockDelta", "not json")], UpstreamClass::Protocol),
        (vec![], UpstreamClass::Protocol),
    ] {
        let answer = bedrock(&frames);
        assert_eq!((answer.error.map(|error| error.class), answer.ended), (Some(class), false), "{frames:?}");
    }
    // The usage that comes last is all that may be missing.
    assert!(bedrock(&[START, text, STOP]).ended);
}

#[test]
fn a_character_cut_between_two_deltas_is_joined() {
    let answer = bedrock(&[
        START,
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"a\ud83d"}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"\ude00b"}}"#),
        STOP,
    ]);
    assert_eq!(answer.text, "a😀b");
}

#[test]
fn coheres_pieces_calls_and_citations_find_their_places() {
    let answer = cohere(&[
        r#"{"type":"message-start","id":"i","delta":{"message":{"role":"assistant"}}}"#,
        r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will."}}}"#,
        r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a","function":{"name":"f","arguments":"null"}}}}}"#,
        r#"{"type":"tool-call-end","index":0}"#,
        r#"{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"b","function":{"name":"g","arguments":""}}}}}"#,
        r#"{"type":"tool-call-delta","index":1,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"x\":"}}}}}"#,
        r#"{"type":"tool-call-delta","index":1,"delta":{"message":{"tool_calls":{"function":{"arguments":"1}"}}}}}"#,
        r#"{"type":"debug","prompt":"x"}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":9,"output_tokens":4}}}}"#,
        "[DONE]",
    ]);
    assert_eq!((answer.thoughts.as_str(), answer.ended), ("I will.", true));
    let calls: Vec<(&str, &str)> = answer.calls.iter().map(|(id, _, text)| (id.as_str(), text.as_str())).collect();
    assert_eq!(calls, [("a", ""), ("b", "{\"x\":1}")]);

    let stream = [
        r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":"Hm"}}}}"#,
        r#"{"type":"content-end","index":0}"#,
        r#"{"type":"content-delta","index":1,"delta":{"message":{"content":{"text":"Ruby."}}}}"#,
        r#"{"type":"content-end","index":1}"#,
        r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":4,"text":"Ruby","sources":[{"type":"document","id":"d","document":{"url":"https://a.example/x","title":"T"}}]}}}}"#,
        r#"{"type":"citation-end","index":0}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS"}}"#,
    ];
    let stream: String = stream.iter().map(|data| format!("data: {data}\n\n")).collect();
    let events = decode(ProviderDialect::Cohere, [stream.as_bytes()]);
    let cited = events.iter().find_map(|event| {
        if let Event::Delta { delta: Delta::Citation(citation), .. } = event { Some(citation.clone()) } else { None }
    });
    let cited = cited.expect("a citation");
    assert_eq!((cited.url.as_deref(), cited.title.as_deref()), (Some("https://a.example/x"), Some("T")));
    let answer = Answer::from_events(&events);
    assert_eq!((answer.thoughts.as_str(), answer.text.as_str()), ("Hm", "Ruby."));
    assert_eq!(answer.finish, Some(FinishReason::Length));
}

#[test]
fn a_stream_of_coheres_that_fails_or_stops_short_is_never_complete() {
    let said = r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hel"}}}}"#;
    for (last, class, message) in [
        (
            r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"why"}}"#,
            UpstreamClass::ServerError,
            "why",
        ),
        (
            r#"{"type":"message-end","delta":{"finish_reason":"TIMEOUT"}}"#,
            UpstreamClass::Timeout,
            "the generation failed before it was complete",
        ),
        (r#"{"message":"internal server error"}"#, UpstreamClass::ServerError, "internal server error"),
        ("[DONE]", UpstreamClass::Protocol, "the stream ended early"),
        ("{", UpstreamClass::Protocol, "an event of the stream is not JSON"),
    ] {
        let answer = cohere(&[said, last]);
        let error = answer.error.expect(last);
        assert_eq!((error.class, error.message.as_deref(), answer.ended), (class, Some(message), false), "{last}");
    }
}

#[test]
fn ollamas_lines_are_read_with_thoughts_calls_and_counts() {
    let answer = ollama(&[
        r#"{"model":"q","message":{"role":"assistant","thinking":"Hm"},"done":false}"#,
        r#"{"model":"q","message":{"role":"assistant","content":"So"},"done":false,"new":[1]}"#,
        "null",
        r#"{"model":"q","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},{"id":"x","function":{"name":"g"}}]},"done":false}"#,
        r#"{"model":"q","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":7}"#,
    ]);
    assert_eq!((answer.thoughts.as_str(), answer.text.as_str(), answer.model.as_deref()), ("Hm", "So", Some("q")));
    let calls: Vec<(&str, &str)> = answer.calls.iter().map(|(id, _, text)| (id.as_str(), text.as_str())).collect();
    assert_eq!(calls, [("call_0", "{\"a\":1}"), ("x", "{}")]);
    assert_eq!(answer.finish, Some(FinishReason::ToolCalls));
    assert_eq!(answer.usage.map(|usage| (usage.input, usage.output)), Some((0, 7)));

    let said = r#"{"model":"q","message":{"role":"assistant","content":"Hel"},"done":false}"#;
    for (last, class) in [
        (r#"{"error":"an error was encountered"}"#, UpstreamClass::ServerError),
        (said, UpstreamClass::Protocol),
        (r#"{"model":"q","mess"#, UpstreamClass::Protocol),
    ] {
        let answer = ollama(&[said, last]);
        assert_eq!((answer.error.map(|error| error.class), answer.ended), (Some(class), false), "{last}");
    }
}

#[test]
fn workers_ais_events_are_read_in_its_own_form_and_in_openais() {
    let answer = workers_ai(&[
        r#"{"response":"He","p":"abc"}"#,
        r#"{"response":"llo","p":"a"}"#,
        r#"{"tool_calls":[{"name":"f","arguments":{"a":1}}]}"#,
        r#"{"response":"","usage":{"prompt_tokens":11,"completion_tokens":3}}"#,
        "[DONE]",
    ]);
    assert_eq!((answer.text.as_str(), answer.calls[0].2.as_str(), answer.ended), ("Hello", "{\"a\":1}", true));
    assert_eq!(answer.usage.map(|usage| usage.total_tokens()), Some(14));
    let answer = workers_ai(&[
        r#"{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}"#,
        r#"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#,
        "[DONE]",
    ]);
    assert_eq!((answer.text.as_str(), answer.finish, answer.ended), ("Hello", Some(FinishReason::Length), true));
    let answer = workers_ai(&[
        r#"{"response":"He"}"#,
        r#"{"errors":[{"code":3040,"message":"Capacity temporarily exceeded"}]}"#,
    ]);
    assert_eq!(
        (answer.error.and_then(|error| error.message).as_deref(), answer.ended),
        (Some("Capacity temporarily exceeded"), false)
    );
}
