//! The body scanner: what it accepts serde_json reads the same way, what it refuses it explains, and
//! an edited body holds the edit and everything else.

use serde_json::Value;
use signalbox::json::{Edits, ErrorKind, Limits, scan};

pub fn run(body: &[u8]) {
    let limits = Limits::default();
    let document = match scan(body, &limits) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.offset <= body.len());
            assert!(error.to_string().len() < 1_000, "a sentence for a person");
            // What serde_json refuses too, or what the scanner is there to refuse.
            let stricter = match error.kind {
                ErrorKind::DuplicateKey { .. }
                | ErrorKind::LoneSurrogate
                | ErrorKind::TooDeep { .. }
                | ErrorKind::NotAnObject => true,
                ErrorKind::Empty
                | ErrorKind::NotUtf8
                | ErrorKind::ByteOrderMark
                | ErrorKind::Incomplete
                | ErrorKind::Syntax { .. }
                | ErrorKind::ControlCharacter
                | ErrorKind::TrailingData => false,
            };
            assert!(stricter || serde_json::from_slice::<Value>(body).is_err(), "{error}");
            return;
        }
    };
    // The digits of a number it cannot hold are forwarded all the same: it is no concern of ours.
    let read: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return assert!(error.to_string().starts_with("number out of range"), "{error}"),
    };
    let object = read.as_object().expect("the scanner lets objects through only");
    assert_eq!(document.members().len(), object.len());
    for (name, value) in object {
        let text = document.get(name).expect("every member has a place");
        assert_eq!(&serde_json::from_str::<Value>(text).expect("a value is JSON"), value);
    }

    let mut expected = object.clone();
    let mut edits = Edits::new(&document);
    edits.set("model", "\"other\"");
    expected.insert("model".to_owned(), Value::from("other"));
    if let Some(member) = document.members().last().filter(|member| member.name != "model") {
        edits.remove(&member.name);
        expected.remove(&*member.name);
    }
    let edited = edits.apply();
    assert!(scan(&edited, &limits).is_ok());
    assert_eq!(serde_json::from_slice::<Value>(&edited).expect("an edited body is JSON"), Value::Object(expected));
}
