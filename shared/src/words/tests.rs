//! Words through rails: what comes out does not depend on how they came in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

use super::*;
use crate::config::Config;
use crate::dialect::Dialect;
use crate::dialect::ir::{BlockKind, Citation, Delta, Event, FinishReason, Json, Seal};
use crate::guard::plain::Source;
use proptest::prelude::*;

fn words(document: &str) -> Words {
    let config = Config::parse(document).expect("good");
    Guards::of(&config).words("", &[], &[])
}

const ALL: &str = r#"
[guardrails.default]
input = [{ kind = "pii", action = "restore" }]
output = [
    { kind = "invisible", action = "mask" },
    { kind = "pii", action = "mask" },
    { kind = "secrets", action = "mask" },
    { kind = "terms", terms = ["project zeus", "zeus"], action = "mask" },
    { kind = "patterns", patterns = ['EMP-\\d{3,5}'], action = "mask" },
    { kind = "repetition", times = 24, action = "flag" },
]
"#;

/// A text in these pieces through the rails of an answer.
fn through(words: &Words, source: Source, pieces: &[&str]) -> (String, Vec<Hit>) {
    let mut seen = Seen::default();
    seen.masks.placeholder("email", "me@corp.example", "me@corp.example", true);
    let mut chain = words.chain(source, true);
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        out.push_str(&chain.push(piece, at + 1 == pieces.len(), &mut seen).text);
    }
    seen.hits.sort_by_key(|hit| hit.kind);
    (out, seen.hits)
}

/// Pieces that are cut at these places, moved to whole characters.
fn cut<'a>(text: &'a str, cuts: &[usize]) -> Vec<&'a str> {
    let mut places: Vec<usize> =
        cuts.iter().map(|cut| cut % (text.len() + 1)).filter(|at| text.is_char_boundary(*at)).collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

const TEXTS: [&str; 13] = [
    "Write to ana.perez@example.org or call 0490 75 40 81 office, thanks. ",
    "My IBAN is DE89 3704 0044 0532 0130 00 and the card 4111 1111 1111 1111 too. ",
    "Zeus and PROJECT ZEUS are names; EMP-1234 is one of ours, EMP-12 is not. ",
    "Nothing at all to see in this long and quiet sentence about the sea. ",
    "[EMAIL_1] is [EMAIL_9] and [not this] or [EMAIL_",
    "password = \"Xk7!pq92-Lm\" and token: d664c9fabe53deff85f9dfaed43fdd75 ",
    concat!(
        "-----BEGIN",
        " PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n-----END",
        " PRIVATE KEY-----\n"
    ),
    "{\"mail\":\"ana\\u0040example.org\",\"n\":5} ",
    r#"{"q":"a\u202ehi\u202c \udb40\udc41\udb40\udc42 b"} "#,
    "\u{202e}hidden\u{202c} an\u{200d}a@example.org ４１１１ １１１１ １１１１ １１１１ ",
    "born on 31 May 1981; 2001:db8::8a2e:370:7334, 10.0.0.7, 00:1a:2b:3c:4d:5e. ",
    "日本語の文章です。電話 03-1234-5678 まで。",
    "no no no no no no no no no no no no no no no no no no no no no no no no no no no no ",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_chunking_of_an_answer_gives_the_same(
        order in prop::collection::vec(0..TEXTS.len(), 1..6),
        cuts in prop::collection::vec(0usize..1000, 0..60),
        json in any::<bool>(),
    ) {
        let words = words(ALL);
        let source = if json { Source::Json } else { Source::Words };
        let text: String = order.iter().map(|at| TEXTS[*at]).collect();
        let whole = through(&words, source, &[&text]);
        let pieces = through(&words, source, &cut(&text, &cuts));
        prop_assert_eq!(&whole.0, &pieces.0);
        prop_assert_eq!(whole.1, pieces.1);
    }
}

#[test]
fn clean_text_waits_for_one_word_at_the_most() {
    let words = words(ALL);
    let mut seen = Seen::default();
    let mut chain = words.chain(Source::Words, true);
    let mut sent = 0;
    let mut got = 0;
    for word in "the quick brown fox jumps over the lazy dog and goes on to live in peace".split_inclusive(' ') {
        got += chain.push(word, false, &mut seen).text.len();
        assert!(sent <= got, "what came with the event before has gone on: {sent} of {got}");
        sent += word.len();
    }
}

#[test]
fn arguments_stay_json_where_a_number_is_masked() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"pii\", action = \"mask\" }]");
    let text = r#"{"card":4111111111111111,"n":[4111111111111111,2],"s":"\"4111111111111111","e":"a@b.org"}"#;
    let masked = r#"{"card":"[CARD_1]","n":["[CARD_1]",2],"s":"\"[CARD_1]","e":"[EMAIL_2]"}"#;
    let cuts: Vec<usize> = (1..text.len()).collect();
    for pieces in [vec![text], cut(text, &cuts)] {
        assert_eq!(through(&words, Source::Json, &pieces).0, masked);
    }
    let other = "pay \"4111111111111111\" and 4111111111111111";
    assert_eq!(through(&words, Source::Json, &[other]).0, "pay \"[CARD_1]\" and [CARD_1]", "a tool may be given words");
}

#[test]
fn what_a_tool_is_given_is_masked_whatever_it_is() {
    let words = words("[guardrails.default]\ninput = [{ kind = \"pii\", action = \"mask\" }]");
    let body = r#"{"content":[{"type":"document","source":{"data":"a@b.org","type":"text"}},{"type":"tool_use","input":{"card":4111111111111111,"schema":{"type":"a@b.org"}}}],"seed":4111111111111111}"#;
    let sent = String::from_utf8(words.request(body, 0..1).unwrap().unwrap()).unwrap();
    let masked = body.replace("a@b.org", "[EMAIL_1]").replacen("4111111111111111", "\"[CARD_1]\"", 1);
    assert_eq!(sent, masked);
}

#[test]
fn what_was_replaced_in_the_request_is_put_back_in_the_answer() {
    let words = words("[guardrails.default]\ninput = [{ kind = \"pii\", action = \"restore\" }]");
    let body = r#"{"messages":[{"role":"user","content":"I am ana@example.org, he is bob@example.org"}]}"#;
    let sent = String::from_utf8(words.request(body, 0..1).unwrap().unwrap()).unwrap();
    assert_eq!(sent, r#"{"messages":[{"role":"user","content":"I am [EMAIL_1], he is [EMAIL_2]"}]}"#);
    let answer = r#"{"choices":[{"message":{"content":"Hello [EMAIL_1]!","tool_calls":[{"function":{"arguments":"{\"to\":\"[EMAIL_2]\"}"}}]}}]}"#;
    let heard = String::from_utf8(words.answer(answer, 0..1, true).unwrap().unwrap()).unwrap();
    assert_eq!(heard, answer.replace("[EMAIL_1]", "ana@example.org").replace("[EMAIL_2]", "bob@example.org"));
}

#[test]
fn nothing_but_the_finding_is_touched() {
    let words = words("[guardrails.default]\ninput = [{ kind = \"pii\", action = \"mask\" }]");
    let body = "{ \"n\" : 1.0, \"messages\":[ {\"content\":\"a\\u0040b.org\\n\"} ],\"x\":{\"y\":1e5} }";
    let sent = String::from_utf8(words.request(body, 0..1).unwrap().unwrap()).unwrap();
    assert_eq!(sent, body.replace("a\\u0040b.org", "[EMAIL_1]"));
    assert_eq!(words.request(r#"{"messages":[{"content":"nothing"}]}"#, 0..1), Ok(None));
}

#[test]
fn tokens_told_again_would_tell_what_is_masked() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"pii\", action = \"mask\" }]");
    let body = r#"{"choices":[{"message":{"content":"a@b.org"},"logprobs":{"content":[{"token":"a@b.org"}]}}]}"#;
    let heard = String::from_utf8(words.answer(body, 0..1, true).unwrap().unwrap()).unwrap();
    assert_eq!(heard, r#"{"choices":[{"message":{"content":"[EMAIL_1]"},"logprobs":null}]}"#);
}

fn stream(words: &Words, pieces: &[&str]) -> Vec<Event> {
    let mut rewrite = words.rewrite();
    let mut events =
        vec![Event::Start { id: None, model: None }, Event::BlockStart { choice: 0, block: 0, kind: BlockKind::Text }];
    events.extend(pieces.iter().map(|&piece| Event::Delta {
        choice: 0,
        block: 0,
        delta: Delta::Text(piece.to_owned()),
    }));
    events.push(Event::BlockStop { choice: 0, block: 0 });
    events.push(Event::Finish { choice: 0, reason: FinishReason::Stop });
    events.push(Event::End);
    let mut out = Vec::new();
    events.into_iter().for_each(|event| rewrite.event(event, &mut out));
    out
}

fn text(events: &[Event]) -> String {
    let piece = |event: &Event| {
        let Event::Delta { delta: Delta::Text(text), .. } = event else { return None };
        Some(text.clone())
    };
    events.iter().filter_map(piece).collect()
}

#[test]
fn a_denial_in_the_middle_of_a_stream_ends_it_as_a_content_filter_does() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"terms\", terms = [\"zeus\"], action = \"deny\" }]");
    let events = stream(&words, &["All about pro", "ject ze", "us and its secret", " parts"]);
    assert_eq!(text(&events), "All about project ");
    let ends: Vec<&Event> = events
        .iter()
        .filter(|event| matches!(event, Event::Finish { .. } | Event::BlockStop { .. } | Event::End))
        .collect();
    assert_eq!(
        ends,
        [
            &Event::BlockStop { choice: 0, block: 0 },
            &Event::Finish { choice: 0, reason: FinishReason::ContentFilter },
            &Event::End
        ]
    );
    assert_eq!(words.hits().len(), 1);
}

#[test]
fn reasoning_is_covered_and_all_of_it_is_out_before_it_is_signed() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"pii\", action = \"mask\" }]");
    let mut rewrite = words.rewrite();
    let piece = |text: &str| Event::Delta { choice: 0, block: 0, delta: Delta::Text(text.to_owned()) };
    let signed = Event::Delta { choice: 0, block: 0, delta: Delta::Signature(Seal::anthropic("sig")) };
    let start = Event::BlockStart { choice: 0, block: 0, kind: BlockKind::Thinking };
    let mut out = Vec::new();
    for event in [start, piece("Ask a@b."), piece("or"), piece("g"), signed.clone()] {
        rewrite.event(event, &mut out);
    }
    assert_eq!(text(&out), "Ask [EMAIL_1]");
    assert_eq!(out.last(), Some(&signed));
}

#[test]
fn watching_changes_nothing_and_is_written_down() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"pii\", action = \"mask\", mode = \"monitor\" }]");
    let events = stream(&words, &["a@b.o", "rg is mine"]);
    assert_eq!(text(&events), "a@b.org is mine");
    let hit = Hit { name: "default".into(), kind: "pii", action: "monitor", side: "output", count: 1 };
    assert_eq!(words.hits(), [hit]);
}

#[test]
fn an_answer_that_does_not_follow_its_schema_is_denied() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"json_schema\", schema = { required = [\"a\"] } }]");
    for (said, follows) in [(&["{\"a\":1}", " "][..], true), (&["{\"a\":1}", "{\"b\":1}"], false), (&["no"], false)] {
        assert_eq!(words.follow(|| said.iter().map(|&text| text.to_owned()).collect()).is_ok(), follows, "{said:?}");
    }
    let body = r#"{"provider":"acme","choices":[{"message":{"reasoning":"Hm.","content":"{\"a\":1}"}}]}"#;
    assert_eq!(words.answer(body, 0..1, true), Ok(None), "what else stands in an answer follows no schema");
    let mut rewrite = words.rewrite();
    let call = BlockKind::ToolCall { id: "c".to_owned(), name: "f".to_owned() };
    let mut out = Vec::new();
    for (block, kind, delta) in [
        (0, BlockKind::Thinking, Delta::Text("Hm.".to_owned())),
        (1, BlockKind::Text, Delta::Text("{\"a\":1}".to_owned())),
        (2, call, Delta::Arguments("{}".to_owned())),
        (3, BlockKind::Text, Delta::Text("{}".to_owned())),
    ] {
        rewrite.event(Event::BlockStart { choice: 0, block, kind }, &mut out);
        rewrite.event(Event::Delta { choice: 0, block, delta }, &mut out);
        rewrite.event(Event::BlockStop { choice: 0, block }, &mut out);
        assert_eq!(out.last() == Some(&Event::BlockStop { choice: 0, block }), block < 3, "{out:?}");
    }
}

#[test]
fn fault_78_what_a_tool_is_given_is_read_alike_as_a_string_and_as_an_object() {
    let masks = words("[guardrails.default]\ninput = [{ kind = \"pii\", action = \"mask\" }]");
    let given = r#"{"card":4111111111111111,"ana@example.org":"bob@example.org"}"#;
    let masked = r#"{"card":"[CARD_1]","[EMAIL_1]":"[EMAIL_2]"}"#;
    let string = |json: &str| serde_json::Value::from(json).to_string();
    for (before, after) in [(given.to_owned(), masked.to_owned()), (string(given), string(masked))] {
        let name = if before.starts_with('{') { "input" } else { "arguments" };
        let body = |value: &str| format!(r#"{{"messages":[{{"content":[{{"{name}":{value}}}]}}]}}"#);
        let sent = masks.request(&body(&before), 0..1).unwrap().unwrap();
        assert_eq!(String::from_utf8(sent).unwrap(), body(&after));
    }
    let denies = words("[guardrails.default]\ninput = [{ kind = \"secrets\" }]");
    let body = r#"{"messages":[{"content":[{"type":"tool_use","input":{"password":"Xk7!pq92-Lm"}}]}]}"#;
    assert!(denies.request(body, 0..1).is_err(), "the name says what the value is");
}

#[test]
fn what_would_break_an_object_is_replaced_in_its_strings_alone() {
    let rails = r#"{ kind = "patterns", patterns = ['x","b'], action = "mask" }, { kind = "pii", action = "mask" }"#;
    let words = words(&format!("[guardrails.default]\ninput = [{rails}]"));
    let body = r#"{"messages":[{"content":[{"input":{"a":"x","b":"ana@example.org"}}]}]}"#;
    let sent = String::from_utf8(words.request(body, 0..2).unwrap().unwrap()).unwrap();
    assert_eq!(sent, body.replace("ana@example.org", "[EMAIL_1]"));
}

#[test]
fn what_nobody_sees_is_found_behind_escapes_too() {
    let words = words("[guardrails.default]\ninput = [{ kind = \"invisible\", action = \"mask\" }]");
    let body = r#"{"messages":[{"content":[{"input":{"q":"a\u202eb \udb40\udc41\udb40\udc42c"}}]}]}"#;
    let sent = String::from_utf8(words.request(body, 0..1).unwrap().unwrap()).unwrap();
    assert_eq!(sent, r#"{"messages":[{"content":[{"input":{"q":"ab c"}}]}]}"#);
}

#[test]
fn half_a_character_hides_nothing() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"pii\", action = \"mask\" }]");
    let body = r#"{"choices":[{"message":{"content":"\ud83d ana@example.org \"hi\""}}]}"#;
    let heard = String::from_utf8(words.answer(body, 0..1, true).unwrap().unwrap()).unwrap();
    assert_eq!(heard, body.replace("ana@example.org", "[EMAIL_1]"));
}

/// The events of an answer through its rails.
fn heard(words: &Words, events: Vec<Event>) -> Vec<Event> {
    let (mut rewrite, mut out) = (words.rewrite(), Vec::new());
    events.into_iter().for_each(|event| rewrite.event(event, &mut out));
    out
}

#[test]
fn sources_of_a_streamed_answer_are_masked_wherever_they_are_told() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"pii\", action = \"mask\" }]");
    let cited = |who: &str| {
        let json = Json::parse(&format!(r#"{{"type":"page","cited_text":"Ask {who}","title":"{who}"}}"#)).unwrap();
        let citation = Citation { origin: Dialect::Anthropic.into(), url: None, title: Some(who.to_owned()), json };
        Event::Delta { choice: 0, block: 0, delta: Delta::Citation(citation) }
    };
    let start = Event::BlockStart { choice: 0, block: 0, kind: BlockKind::Text };
    assert_eq!(heard(&words, vec![start.clone(), cited("ana@example.org")]), [start, cited("[EMAIL_1]")]);
}

#[test]
fn tokens_told_again_would_tell_what_is_held_before_it_is_denied() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"terms\", terms = [\"zeus\"], action = \"deny\" }]");
    let events = vec![
        Event::BlockStart { choice: 0, block: 0, kind: BlockKind::Text },
        Event::Delta { choice: 0, block: 0, delta: Delta::Text("zeu".to_owned()) },
        Event::Logprobs { choice: 0, json: Json::parse(r#"{"content":[{"token":"zeu"}]}"#).unwrap() },
    ];
    assert_eq!(heard(&words, events.clone()), events[..1]);
}

#[test]
fn every_choice_that_was_begun_is_ended_by_a_denial() {
    let words = words("[guardrails.default]\noutput = [{ kind = \"terms\", terms = [\"zeus\"], action = \"deny\" }]");
    let text = |choice| Event::BlockStart { choice, block: 0, kind: BlockKind::Text };
    let stop = |choice| Event::BlockStop { choice, block: 0 };
    let json = Json::parse(r#"{"type":"server_tool_use","input":{"q":"zeus"}}"#).unwrap();
    let opaque = BlockKind::Opaque { origin: Dialect::Anthropic, json };
    let finish = |choice, reason| Event::Finish { choice, reason };
    let events = vec![
        text(0),
        stop(0),
        text(1),
        stop(1),
        finish(1, FinishReason::Stop),
        Event::BlockStart { choice: 2, block: 0, kind: opaque },
        finish(0, FinishReason::Stop),
        Event::End,
    ];
    let ended = [0, 2].map(|choice| finish(choice, FinishReason::ContentFilter));
    assert_eq!(heard(&words, events.clone()), [&events[..5], &ended, &[Event::End]].concat());
}

#[test]
fn the_rails_of_all_of_a_team_and_of_a_route_hold_together() {
    let config = Config::parse(
        r#"
        [guardrails.default]
        input = [{ kind = "secrets" }]
        [guardrails.strict]
        input = [{ kind = "pii" }]
        [guardrails.short]
        input = [{ kind = "length", max_chars = 10 }]
        [teams.a]
        guardrails = "strict"
        [routes.r]
        candidates = ["openai:gpt-5.4"]
        guardrails = "short"
        "#,
    );
    let guards = Guards::of(&config.unwrap());
    let names = |team, routes: &[String]| -> Vec<String> {
        guards.words(team, routes, &[]).sides.input.iter().map(|named| named.name.clone()).collect()
    };
    assert_eq!(names("", &[]), ["default"]);
    assert_eq!(names("a", &["r".to_owned(), "r".to_owned()]), ["default", "strict", "short"]);
}
