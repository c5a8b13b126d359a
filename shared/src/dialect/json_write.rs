//! Writing JSON member by member into a buffer, without a tree in between.

use super::ir::Json;
use std::fmt::Display;
use std::io::Write;

/// Writes a string literal.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Writes the inside of a string literal.
pub(crate) fn escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\') {
        let (clean, tail) = rest.split_at(at);
        out.extend_from_slice(clean);
        let Some((&byte, tail)) = tail.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => number(out, format_args!("\\u{control:04x}")),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}

/// Writes anything that displays as JSON.
pub(crate) fn number(out: &mut Vec<u8>, value: impl Display) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}

/// Writes an object.
pub(crate) fn object(out: &mut Vec<u8>, members: impl FnOnce(&mut Members<'_>)) {
    out.push(b'{');
    members(&mut Members { out, first: true });
    out.push(b'}');
}

/// Writes an array.
pub(crate) fn array(out: &mut Vec<u8>, items: impl FnOnce(&mut Items<'_>)) {
    out.push(b'[');
    items(&mut Items { out, first: true });
    out.push(b']');
}

/// The members of an object being written.
pub(crate) struct Members<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    /// The buffer, where the member's value comes next.
    pub(crate) fn value(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        string(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub(crate) fn string(&mut self, name: &str, text: &str) {
        string(self.value(name), text);
    }

    pub(crate) fn number(&mut self, name: &str, value: impl Display) {
        number(self.value(name), value);
    }

    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        number(self.value(name), value);
    }

    pub(crate) fn null(&mut self, name: &str) {
        self.value(name).extend_from_slice(b"null");
    }

    pub(crate) fn json(&mut self, name: &str, json: &Json) {
        self.value(name).extend_from_slice(json.text().as_bytes());
    }

    pub(crate) fn object(&mut self, name: &str, members: impl FnOnce(&mut Members<'_>)) {
        object(self.value(name), members);
    }

    pub(crate) fn array(&mut self, name: &str, items: impl FnOnce(&mut Items<'_>)) {
        array(self.value(name), items);
    }

    /// Writes the member only when there is a value.
    pub(crate) fn maybe_string(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.string(name, text);
        }
    }

    /// Writes the member only when there is a value.
    pub(crate) fn maybe_number(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    /// Writes the member only when there is a value.
    pub(crate) fn maybe_json(&mut self, name: &str, json: Option<&Json>) {
        if let Some(json) = json {
            self.json(name, json);
        }
    }
}

/// The items of an array being written.
pub(crate) struct Items<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Items<'_> {
    /// The buffer, where the item comes next.
    pub(crate) fn value(&mut self) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out
    }

    pub(crate) fn string(&mut self, text: &str) {
        string(self.value(), text);
    }

    pub(crate) fn json(&mut self, json: &Json) {
        self.value().extend_from_slice(json.text().as_bytes());
    }

    pub(crate) fn object(&mut self, members: impl FnOnce(&mut Members<'_>)) {
        object(self.value(), members);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_reads_back_as_itself(text in any::<String>()) {
            let mut out = Vec::new();
            string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn objects_and_arrays_nest_with_commas_where_they_belong() {
        let mut out = Vec::new();
        object(&mut out, |o| {
            o.string("a", "x\ny");
            o.array("b", |a| {
                a.object(|o| o.null("c"));
                a.string("d");
            });
            o.number("e", 0.5);
            o.object("f", |_| {});
        });
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":"x\ny","b":[{"c":null},"d"],"e":0.5,"f":{}}"#);
    }
}
