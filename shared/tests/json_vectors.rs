//! The body scanner against JSON that others wrote: the parsing suite, naughty strings, recorded
//! requests. All are read in place; where they are absent the tests say so and pass.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros, reason = "tests read files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

use serde_json::Value;
use signalbox::json::{Edits, ErrorKind, JsonError, Limits, scan};
use std::path::PathBuf;

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SIGNALBOX_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let found = Some(root.join(path)).filter(|path| path.exists());
    if found.is_none() {
        eprintln!("skipped: no {path} in {}", root.display());
    }
    found
}

/// The suite's cases whose name begins with `prefix`.
fn cases(prefix: &str) -> Vec<(String, Vec<u8>)> {
    let Some(folder) = shared("security/vectors/json/test_parsing") else { return Vec::new() };
    let files = folder.read_dir().unwrap().flatten();
    let files = files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()));
    let cases: Vec<_> = files.filter(|(name, _)| name.starts_with(prefix)).collect();
    assert!(!cases.is_empty());
    cases
}

/// The verdict on a body whose top may be anything.
fn refusal(body: &[u8]) -> Option<ErrorKind> {
    match scan(body, &Limits::default()) {
        Ok(_) | Err(JsonError { kind: ErrorKind::NotAnObject, .. }) => None,
        Err(error) => Some(error.kind),
    }
}

#[test]
fn everything_that_is_no_json_is_refused() {
    for (name, body) in cases("n_") {
        assert!(refusal(&body).is_some(), "{name}");
    }
}

#[test]
fn everything_that_is_json_is_accepted_but_for_repeated_names() {
    for (name, body) in cases("y_") {
        let repeats = name.starts_with("y_object_duplicated_key");
        let expected = repeats.then(|| ErrorKind::DuplicateKey { name: "a".to_owned() });
        assert_eq!(refusal(&body), expected, "{name}");
    }
}

#[test]
fn what_a_reader_may_choose_is_chosen_as_documented() {
    for (name, body) in cases("i_") {
        let refusal = refusal(&body);
        let as_documented = match name.as_str() {
            name if name.starts_with("i_number_") => refusal.is_none(),
            "i_structure_500_nested_arrays.json" => refusal == Some(ErrorKind::TooDeep { limit: 127 }),
            "i_structure_UTF-8_BOM_empty_object.json" => refusal == Some(ErrorKind::ByteOrderMark),
            "i_string_utf16BE_no_BOM.json" | "i_string_utf16LE_no_BOM.json" => {
                matches!(refusal, Some(ErrorKind::Syntax { .. } | ErrorKind::NotUtf8))
            }
            // All others: bytes that are not UTF-8, and halves of surrogate pairs.
            _ => match std::str::from_utf8(&body) {
                Ok(_) => refusal == Some(ErrorKind::LoneSurrogate),
                Err(_) => refusal == Some(ErrorKind::NotUtf8),
            },
        };
        assert!(as_documented, "{name}: {refusal:?}");
    }
}

#[test]
fn naughty_strings_are_accepted_as_names_and_as_values() {
    let Some(path) = shared("security/vectors/text/blns.json") else { return };
    let strings: Vec<String> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(strings.len() > 400);
    for text in strings {
        let body = format!("{{{0}:{0}}}", Value::from(text.as_str()));
        let document = scan(body.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(serde_json::from_str::<String>(document.get(&text).unwrap()).unwrap(), text);
    }
}

#[test]
fn recorded_requests_keep_every_byte_but_the_model() {
    let Some(root) = shared("traffic/corpus/dev") else { return };
    let mut bodies = 0;
    for case in root.read_dir().unwrap().flatten().filter_map(|provider| provider.path().read_dir().ok()) {
        for path in case.flatten().map(|case| case.path().join("request.json")).filter(|path| path.exists()) {
            let mut request: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let Value::Object(object) = request["body"].take() else { continue };
            let body = serde_json::to_string_pretty(&object).unwrap();
            let document = scan(body.as_bytes(), &Limits::default()).unwrap();
            assert!(document.members().iter().map(|member| &*member.name).eq(object.keys()), "{}", path.display());
            let Some(model) = document.get("model") else { continue };
            let mut edits = Edits::new(&document);
            edits.set("model", r#""other""#);
            let expected = body.replacen(&format!("\"model\": {model}"), "\"model\": \"other\"", 1);
            assert_eq!(edits.apply(), expected.as_bytes(), "{}", path.display());
            bodies += 1;
        }
    }
    assert!(bodies > 100, "only {bodies}");
}
