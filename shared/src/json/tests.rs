//! The scanner against tables, against serde_json, and against bodies made to be expensive.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{Edits, ErrorKind, JsonError, Limits, scan, splice};
use proptest::prelude::*;
use serde_json::Value;

fn kind(body: &[u8]) -> ErrorKind {
    error(body).kind
}

fn error(body: &[u8]) -> JsonError {
    scan(body, &Limits::default()).expect_err("should be refused")
}

fn syntax(expected: &'static str) -> ErrorKind {
    ErrorKind::Syntax { expected }
}

fn twice(name: &str) -> ErrorKind {
    ErrorKind::DuplicateKey { name: name.to_owned() }
}

#[test]
fn members_are_told_by_their_decoded_name_and_the_place_of_their_value() {
    let body = br#" {"model" : "fast", "\u006d\n" :[1, {"a":2} ],"n":-1.50e+3 ,"empty":{}} "#;
    let document = scan(body, &Limits::default()).unwrap();
    let found: Vec<_> = document.members().iter().map(|member| (&*member.name, &body[member.value.clone()])).collect();
    let expected: [(&str, &[u8]); 4] =
        [("model", br#""fast""#), ("m\n", br#"[1, {"a":2} ]"#), ("n", b"-1.50e+3"), ("empty", b"{}")];
    assert_eq!(found, expected);
    assert_eq!(document.get("n"), Some("-1.50e+3"));
    assert_eq!(document.get("a"), None);
    assert_eq!(body[document.member("m\n").unwrap().start..][..4], *br#""\u0"#);
}

#[test]
fn each_refusal_names_its_reason_and_its_place() {
    let table: [(&[u8], usize, ErrorKind); 32] = [
        (b"", 0, ErrorKind::Empty),
        (b" \r\n\t", 4, ErrorKind::Empty),
        (b"\xEF\xBB\xBF{}", 0, ErrorKind::ByteOrderMark),
        (b"{\"a\":\"\xE9\"}", 6, ErrorKind::NotUtf8),
        (b"{\"a\":\"\xED\xA0\x80\"}", 6, ErrorKind::NotUtf8),
        (b"\xFF\xFE{\0}\0", 0, ErrorKind::NotUtf8),
        (b"{\0}\0", 1, syntax("a member name in double quotes")),
        (b"{\"a\":1", 6, ErrorKind::Incomplete),
        (b"{\"a\":\"b", 7, ErrorKind::Incomplete),
        (b"{\"a\":tru", 5, syntax("a value")),
        (b"{\"a\":\"b\\", 8, ErrorKind::Incomplete),
        (b"{\"a\":1,}", 7, syntax("a member name in double quotes")),
        (b"{\"a\":1 \"b\":2}", 7, syntax("a comma or a closing brace")),
        (b"{\"a\" 1}", 5, syntax("a colon")),
        (b"{'a':1}", 1, syntax("a member name in double quotes")),
        (b"{\"a\":[1,]}", 8, syntax("a value")),
        (b"{\"a\":[1}", 7, syntax("a comma or a closing bracket")),
        (b"{\"a\":01}", 6, syntax("a comma or a closing brace")),
        (b"{\"a\":-}", 6, syntax("a digit")),
        (b"{\"a\":1.}", 7, syntax("a digit")),
        (b"{\"a\":1e+}", 8, syntax("a digit")),
        (b"{\"a\":+1}", 5, syntax("a value")),
        (b"{\"a\":NaN}", 5, syntax("a value")),
        (b"{\"a\":\"\n\"}", 6, ErrorKind::ControlCharacter),
        (b"{\"a\":\"b\0c\"}", 7, ErrorKind::ControlCharacter),
        (b"{\"a\":\"\\x41\"}", 7, syntax("an escape sequence")),
        (b"{\"a\":\"\\u12G4\"}", 10, syntax("four hexadecimal digits")),
        (br#"{"a":"x\uD83D"}"#, 7, ErrorKind::LoneSurrogate),
        (br#"{"a":"\uD83D\u0041"}"#, 6, ErrorKind::LoneSurrogate),
        (br#"{"a":"\uDE00\uD83D"}"#, 6, ErrorKind::LoneSurrogate),
        (b"{} {}", 3, ErrorKind::TrailingData),
        (b" [1]", 1, ErrorKind::NotAnObject),
    ];
    for (body, offset, kind) in table {
        assert_eq!(error(body), JsonError { offset, kind }, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn the_refusal_is_a_sentence_for_the_caller() {
    let error = error(br#"{"model":"a","model":"b"}"#);
    assert_eq!(
        error.to_string(),
        r#"The request body names "model" twice in one object, again at byte 13. Send it once."#
    );
    let long = format!("{{{0}:1,{0}:2}}", Value::from("é\n".repeat(10_000)));
    assert!(kind(long.as_bytes()) != ErrorKind::Empty && self::error(long.as_bytes()).to_string().len() < 400);
}

#[test]
fn what_the_rfc_leaves_open_is_accepted_where_nothing_is_lost() {
    for body in [
        r#"{"n":1e400}"#,
        r#"{"n":-123456789012345678901234567890.123456789012345678901234567890}"#,
        r#"{"s":"\u0000\uFFFF\uD83D\uDE00\ud83d\ude00"}"#,
        "{\"s\":\"\u{7f}\u{80}\u{2028}\u{FFFF}\"}",
        r#"{"":0}"#,
    ] {
        assert!(scan(body.as_bytes(), &Limits::default()).is_ok(), "{body}");
    }
}

#[test]
fn fault_56_a_name_used_twice_is_refused_however_it_is_spelled_and_wherever_it_stands() {
    let table: [(&str, usize, &str); 7] = [
        (r#"{"model":"a","model":"b"}"#, 13, "model"),
        (r#"{"messages":[],"model":"a","messages":[1]}"#, 27, "messages"),
        (r#"{"stream":true,"stream":false}"#, 15, "stream"),
        (r#"{"a":1,"\u0061":2}"#, 7, "a"),
        (r#"{"\ud83d\ude00":1,"😀":2}"#, 18, "😀"),
        (r#"{"a":[{"b":{"c":1,"d":2,"c":3}}]}"#, 24, "c"),
        (r#"{"":1,"":2}"#, 6, ""),
    ];
    for (body, offset, name) in table {
        assert_eq!(error(body.as_bytes()), JsonError { offset, kind: twice(name) }, "{body}");
    }
    let same_name_in_other_objects = br#"{"a":{"a":{"a":1},"b":[{"a":1},{"a":2}]},"b":1}"#;
    assert!(scan(same_name_in_other_objects, &Limits::default()).is_ok());
    assert!(scan("{\"\u{e9}\":1,\"e\u{301}\":2}".as_bytes(), &Limits::default()).is_ok(), "not the same code points");
}

#[test]
fn fault_56_a_name_used_twice_is_found_in_an_object_of_any_size() {
    for size in 2..60 {
        for (first, second) in [(0, size - 1), (0, 1), (size / 2, size - 1)].into_iter().filter(|(a, b)| a < b) {
            let name = |i: usize| if i == second { format!("\\u006bey{first}") } else { format!("key{i}") };
            let members: Vec<_> = (0..size).map(|i| format!("\"{}\":{{\"key0\":0}}", name(i))).collect();
            let body = format!("{{{}}}", members.join(","));
            let offset = body.find("\"\\u006b").unwrap();
            let kind = twice(&format!("key{first}"));
            assert_eq!(error(body.as_bytes()), JsonError { offset, kind }, "{body}");
        }
    }
}

#[test]
fn fault_56_of_several_repeated_names_the_first_to_repeat_is_told() {
    let members: Vec<_> = (0..20).map(|i| format!("\"k{i:02}\":0")).collect();
    let body = format!("{{{},\"k09\":1,\"k03\":1,\"k09\":2}}", members.join(","));
    assert_eq!(error(body.as_bytes()), JsonError { offset: body.find(",\"k09\":1").unwrap() + 1, kind: twice("k09") });
}

#[test]
fn fault_55_depth_is_refused_at_the_limit_whatever_comes_after() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(scan(nested(127).as_bytes(), &Limits::default()).is_ok());
    assert!(serde_json::from_str::<Value>(&nested(127)).is_ok(), "serde_json can read what is let in");
    assert_eq!(error(nested(128).as_bytes()), JsonError { offset: 131, kind: ErrorKind::TooDeep { limit: 127 } });
    for unit in ["[", "{\"a\":", "[{\"a\":[1,"] {
        assert_eq!(kind(unit.repeat(1_000_000).as_bytes()), ErrorKind::TooDeep { limit: 127 });
    }
    assert!(scan(nested(100_000).as_bytes(), &Limits { depth: 100_000 }).is_ok(), "no recursion");
    assert_eq!(scan(b"{}", &Limits { depth: 0 }).unwrap_err().kind, ErrorKind::TooDeep { limit: 0 });
}

#[test]
fn an_object_of_a_hundred_thousand_members_is_read_in_one_go() {
    let prefix = "a".repeat(100);
    for spelled in ["", "\\u0061"] {
        let members: Vec<_> = (0..100_000).map(|i| format!("\"{spelled}{prefix}{i}\":{i}")).collect();
        let body = format!("{{{}}}", members.join(","));
        assert_eq!(scan(body.as_bytes(), &Limits::default()).unwrap().members().len(), 100_000);
        let body = format!("{{{},\"{spelled}{prefix}50000\":0}}", members.join(","));
        assert_eq!(error(body.as_bytes()).offset, body.rfind(",\"").unwrap() + 1);
    }
}

#[test]
fn edits_change_what_they_name_and_no_other_byte() {
    type Change = (&'static str, Option<&'static str>);
    let table: [(&str, &[Change], &str); 12] = [
        (r#"{ "a" : 1 , "b":2 }"#, &[], r#"{ "a" : 1 , "b":2 }"#),
        (r#"{ "a" : 1 , "b":2 }"#, &[("a", Some("[]"))], r#"{ "a" : [] , "b":2 }"#),
        (r#"{ "a" : 1 , "b":2 }"#, &[("c", Some("3"))], r#"{ "a" : 1 , "b":2,"c":3 }"#),
        (r#"{ "a" : 1 , "b":2 }"#, &[("a", None)], r#"{ "b":2 }"#),
        (r#"{ "a" : 1 , "b":2 }"#, &[("b", None)], r#"{ "a" : 1 }"#),
        (r#"{ "a" : 1 , "b":2 }"#, &[("b", None), ("a", None)], r#"{  }"#),
        (r#"{ "a" : 1 , "b":2 }"#, &[("b", None), ("a", None), ("c", Some("3"))], r#"{ "c":3 }"#),
        (r#"{"a":1,"b":2,"c":3}"#, &[("b", None)], r#"{"a":1,"c":3}"#),
        (r#"{"\u0061":1}"#, &[("a", Some("2"))], r#"{"\u0061":2}"#),
        (r#"{"a":1}"#, &[("a", Some("2")), ("a", Some("3"))], r#"{"a":3}"#),
        (r#" {} "#, &[("x\"", Some("1")), ("y", Some("2"))], r#" {"x\"":1,"y":2} "#),
        (r#"{ }"#, &[("missing", None)], r#"{ }"#),
    ];
    for (body, changes, expected) in table {
        let document = scan(body.as_bytes(), &Limits::default()).unwrap();
        let mut edits = Edits::new(&document);
        for (name, value) in changes {
            match value {
                Some(value) => edits.set(name, value),
                None => edits.remove(name),
            }
        }
        assert_eq!(edits.is_empty(), changes.is_empty());
        assert_eq!(String::from_utf8(edits.apply()).unwrap(), expected, "{body} {changes:?}");
    }
}

#[test]
fn a_splice_replaces_ranges_in_any_order_and_survives_nonsense() {
    assert_eq!(splice(b"abcdef", &[]), b"abcdef");
    assert_eq!(splice(b"abcdef", &[(4..5, b"E"), (0..1, b"AA"), (2..2, b"-"), (2..2, b"+")]), b"AAb-+cdEf");
    assert_eq!(splice(b"abc", &[(3..3, b"d")]), b"abcd");
    assert_eq!(splice(b"abc", &[(1..9, b"x"), (7..8, b"y")]), b"axy");
    assert_eq!(splice(b"abcdef", &[(1..4, b"x"), (2..5, b"y")]), b"axyf");
}

/// JSON and things that are nearly JSON.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"a\"",
        b"\"b\"",
        b"\"\\u0061\"",
        b"\"",
        b"\\",
        b"\\u",
        b"\\uD83D",
        b"\\uDE00",
        b"\\n",
        b"1",
        b"0",
        b"-",
        b".",
        b"e",
        b"E+",
        b"true",
        b"false",
        b"null",
        b" ",
        b"\n",
        b"\0",
        b"\x1f",
        b"\xC3\xA9",
        b"\xFF",
        b"\xEF\xBB\xBF",
        b"12345678",
    ]);
    prop_oneof![
        prop::collection::vec(token.clone(), 0..12).prop_map(|tokens| tokens.concat()),
        // A valid document, with at most a few tokens put into it anywhere.
        (document(), prop::collection::vec((any::<prop::sample::Index>(), token), 0..3)).prop_map(|(value, tokens)| {
            let mut body = value.to_string().into_bytes();
            for (at, token) in tokens {
                let at = at.index(body.len() + 1);
                body.splice(at..at, token.iter().copied());
            }
            body
        }),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Exact in few digits: serde_json does not read back every float it writes.
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z\"\\\\\n😀]{0,3}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Whether serde_json finds the body to be one JSON text, whatever its numbers and surrogates mean.
fn serde_accepts(body: &[u8]) -> bool {
    str::from_utf8(body).is_ok() && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn serde_json_agrees_but_for_what_is_documented(body in body()) {
        match scan(&body, &Limits::default()) {
            Ok(document) => {
                prop_assert!(serde_accepts(&body));
                // It must be able to read what we forward, but for numbers it cannot hold.
                if let Err(error) = serde_json::from_slice::<Value>(&body) {
                    prop_assert!(error.to_string().starts_with("number out of range"), "{}", error);
                }
                prop_assert_eq!(document.body().as_bytes(), &body[..]);
            }
            Err(error) => {
                prop_assert!(error.offset <= body.len());
                match error.kind {
                    ErrorKind::DuplicateKey { .. } | ErrorKind::LoneSurrogate | ErrorKind::TooDeep { .. } => {}
                    ErrorKind::NotAnObject => prop_assert!(serde_accepts(&body)),
                    ErrorKind::Empty
                    | ErrorKind::NotUtf8
                    | ErrorKind::ByteOrderMark
                    | ErrorKind::Incomplete
                    | ErrorKind::Syntax { .. }
                    | ErrorKind::ControlCharacter
                    | ErrorKind::TrailingData => prop_assert!(!serde_accepts(&body)),
                }
            }
        }
    }

    #[test]
    fn every_document_is_accepted_and_its_members_are_what_serde_json_reads(value in document()) {
        for body in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let result = scan(body.as_bytes(), &Limits::default());
            let Value::Object(object) = &value else {
                prop_assert_eq!(result.unwrap_err().kind, ErrorKind::NotAnObject);
                continue;
            };
            let document = result.unwrap();
            prop_assert_eq!(document.members().len(), object.len());
            for (name, value) in object {
                prop_assert_eq!(&serde_json::from_str::<Value>(document.get(name).unwrap()).unwrap(), value);
            }
        }
    }

    #[test]
    fn an_edited_body_reads_as_the_edited_object(value in document(), names in prop::collection::vec("[a-z]{0,3}", 0..4)) {
        let Value::Object(mut object) = value else { return Ok(()) };
        let body = serde_json::to_string_pretty(&object).unwrap();
        let document = scan(body.as_bytes(), &Limits::default()).unwrap();
        let mut edits = Edits::new(&document);
        let first = object.keys().next().cloned();
        if let Some(first) = &first {
            edits.remove(first);
            object.shift_remove(first);
        }
        for name in names.iter().filter(|name| Some(*name) != first.as_ref()) {
            edits.set(name, "[true]");
            object.insert(name.clone(), Value::from(vec![true]));
        }
        prop_assert_eq!(serde_json::from_slice::<Value>(&edits.apply()).unwrap(), Value::Object(object));
    }

    #[test]
    fn a_string_is_cut_at_its_first_special_byte(text in "[ -~é\u{0}-\u{1f}\u{7f}-\u{ff}]{0,40}") {
        let special = text.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        prop_assert_eq!(super::scanner::plain_run(text.as_bytes()), special.unwrap_or(text.len()));
    }
}

/// `cargo test --release -p signalbox throughput -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement needs a clock")]
fn throughput_of_the_scanner() {
    let message = |text: &str| format!(r#"{{"role":"user","content":{}}}"#, Value::from(text));
    let prose = "The quick brown fox jumps over the lazy dog, says \"the cat\".\n".repeat(20);
    let chat = |text: &str, count: usize| {
        let messages = vec![message(text); count].join(",");
        format!(r#"{{"model":"fast","stream":true,"messages":[{messages}],"max_tokens":100}}"#)
    };
    let members: Vec<_> = (0..100_000).map(|i| format!("\"member{i}\":{i}")).collect();
    let bodies = [
        ("a short chat", chat("Hello there", 2)),
        ("a long chat", chat(&prose, 200)),
        ("a long chat in Chinese", chat(&"敏捷的棕色狐狸跳过了懒狗。".repeat(100), 200)),
        ("an image of 4 MB", chat(&"A/b+".repeat(1 << 20), 1)),
        ("an embedding", format!(r#"{{"input":[{}]}}"#, vec!["-0.0123456789"; 100_000].join(", "))),
        ("100,000 members", format!("{{{}}}", members.join(","))),
    ];
    for (name, body) in bodies {
        let rounds = (200 << 20) / body.len();
        let time = |read: &dyn Fn() -> bool| {
            let start = std::time::Instant::now();
            assert!((0..rounds).all(|_| read()));
            (rounds * body.len()) as f64 / 1e6 / start.elapsed().as_secs_f64()
        };
        let ours = time(&|| scan(std::hint::black_box(body.as_bytes()), &Limits::default()).is_ok());
        let theirs = time(&|| serde_accepts(std::hint::black_box(body.as_bytes())));
        println!("json, {name} ({} bytes): {ours:.0} MB/s, serde_json's validation {theirs:.0} MB/s", body.len());
    }
}
