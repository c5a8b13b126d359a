//! Whole answers that providers should not write, and what is made of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use serde_json::Value;
use signalbox::dialect::{Dialect, ResponseContext, Warnings};

#[test]
fn a_number_beyond_all_numbers_says_nothing_and_the_answer_is_carried_all_the_same() {
    let openai = |usage: &str| {
        format!(
            r#"{{"id":"c","model":"m","odd":51e999,"choices":[{{"index":51e999,"message":{{"role":"assistant","content":"Hi"}},"finish_reason":"stop"}}],"usage":{usage}}}"#
        )
    };
    let anthropic = |usage: &str| {
        format!(
            r#"{{"id":"m","type":"message","role":"assistant","model":"m","odd":51e999,"content":[{{"type":"text","text":"Hi"}}],"stop_reason":"end_turn","usage":{usage}}}"#
        )
    };
    for (dialect, body, output) in [
        (Dialect::OpenAiChat, openai(r#"{"prompt_tokens":51e999,"completion_tokens":7}"#), Some(7)),
        (Dialect::OpenAiChat, openai(r#"{"prompt_tokens":51e999,"completion_tokens":-9e9999}"#), None),
        (Dialect::OpenAiChat, openai("51e999"), None),
        (Dialect::Anthropic, anthropic(r#"{"input_tokens":51e999,"output_tokens":7}"#), Some(7)),
        (Dialect::Anthropic, anthropic("51e999"), None),
    ] {
        let observed = dialect.observe_response(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error:?}"));
        assert_eq!(observed.usage.map(|usage| usage.output), output, "{body}");
        assert_eq!((observed.output_bytes, observed.model.as_deref()), (2, Some("m")));
        let read = dialect.read_response(body.as_bytes()).unwrap();
        assert_eq!(read.usage, observed.usage, "{body}");
        assert_eq!(read.extra.len(), 1, "what nobody knows is kept as it was written: {:?}", read.extra);
    }
}

#[test]
fn members_of_a_choice_that_only_a_message_has_are_not_said_twice() {
    let body = r#"{"choices":[{"index":0,"content":"twice","text":"beside","role":"user","own":1,"message":{"role":"assistant","content":"once","own":2},"finish_reason":"stop"}]}"#;
    let read = Dialect::OpenAiChat.read_response(body.as_bytes()).unwrap();
    let context =
        ResponseContext { id: "answer_1", model: None, created: 1, echo: &signalbox::dialect::Echo::default() };
    let written = Dialect::OpenAiChat.write_response(&read, &context, &mut Warnings::default());
    let text = String::from_utf8(written).unwrap();
    for name in ["content", "role", "own"] {
        assert_eq!(text.matches(&format!("\"{name}\":")).count(), 1, "{name} in {text}");
    }
    let written: Value = serde_json::from_str(&text).unwrap();
    let message = &written["choices"][0]["message"];
    assert_eq!((&message["content"], &message["own"], &message["text"]), (&"once".into(), &2.into(), &"beside".into()));
}
