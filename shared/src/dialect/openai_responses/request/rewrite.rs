//! The caller's own bytes with little changed.

use crate::dialect::{Edits, json_write};
use crate::json::{self, Document};

/// Usage needs no asking here: the last event always tells it.
pub(in crate::dialect) fn rewrite(body: &Document<'_>, edits: &Edits<'_>) -> Vec<u8> {
    let model = edits.model.map(|name| {
        let mut literal = Vec::with_capacity(name.len() + 2);
        json_write::string(&mut literal, name);
        String::from_utf8_lossy(&literal).into_owned()
    });
    let wish = body.get("max_output_tokens").and_then(|text| text.parse::<u64>().ok());
    let limit = edits.max_output_tokens.filter(|limit| wish.is_none_or(|wish| wish > *limit));
    let limit = limit.map(|limit| limit.to_string());

    let mut changes = json::Edits::new(body);
    if let Some(model) = &model {
        changes.set("model", model);
    }
    if let Some(limit) = &limit {
        changes.set("max_output_tokens", limit);
    }
    changes.apply()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::json::{Limits, scan};

    #[test]
    fn only_what_must_change_changes() {
        let model = Edits { model: Some("gpt\"x"), include_usage: true, ..Edits::default() };
        let limit = Edits { max_output_tokens: Some(10), ..Edits::default() };
        for (body, edits, expected) in [
            (
                r#"{ "model" : "a", "x":1.0e5,"stream_options":{} }"#,
                model,
                r#"{ "model" : "gpt\"x", "x":1.0e5,"stream_options":{} }"#,
            ),
            (r#"{"max_output_tokens":11}"#, limit, r#"{"max_output_tokens":10}"#),
            (r#"{"max_output_tokens":9}"#, limit, r#"{"max_output_tokens":9}"#),
            (r#"{"a":1}"#, limit, r#"{"a":1,"max_output_tokens":10}"#),
            ("{ }", Edits::default(), "{ }"),
        ] {
            let rewritten = rewrite(&scan(body.as_bytes(), &Limits::default()).unwrap(), &edits);
            assert_eq!(String::from_utf8(rewritten).unwrap(), expected, "{body}");
        }
    }
}
