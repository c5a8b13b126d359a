//! The caller's own bytes with little changed.

use crate::dialect::{Edits, MaxTokensField, json_write};
use crate::json::{self, Document, Limits};

pub(in crate::dialect) fn rewrite(body: &Document<'_>, edits: &Edits<'_>) -> Vec<u8> {
    let model = edits.model.map(literal);
    let options = edits.include_usage.then(|| with_usage(body.get("stream_options")));
    let limits =
        edits.max_output_tokens.map_or_else(Vec::new, |limit| limit_members(body, limit, edits.max_tokens_field));

    let mut changes = json::Edits::new(body);
    if let Some(model) = &model {
        changes.set("model", model);
    }
    if let Some(options) = &options {
        changes.set("stream_options", options);
    }
    for (name, value) in &limits {
        changes.set(name, value);
    }
    changes.apply()
}

/// The members that must change for the answer to stay within `limit`.
fn limit_members(body: &Document<'_>, limit: u64, field: MaxTokensField) -> Vec<(&'static str, String)> {
    let names = [MaxTokensField::MaxCompletionTokens, MaxTokensField::MaxTokens].map(MaxTokensField::as_str);
    let wished = names.map(|name| (name, body.get(name).and_then(|text| text.parse::<u64>().ok())));
    if wished.iter().all(|(_, wish)| wish.is_none()) {
        return vec![(field.as_str(), limit.to_string())];
    }
    let above = wished.into_iter().filter(|(_, wish)| wish.is_some_and(|wish| wish > limit));
    above.map(|(name, _)| (name, limit.to_string())).collect()
}

/// `stream_options` that ask for usage, the caller's other options kept.
fn with_usage(options: Option<&str>) -> String {
    let alone = || r#"{"include_usage":true}"#.to_owned();
    let Some(options) = options.filter(|text| text.starts_with('{')) else { return alone() };
    let Ok(document) = json::scan(options.as_bytes(), &Limits::default()) else { return alone() };
    let mut changes = json::Edits::new(&document);
    changes.set("include_usage", "true");
    String::from_utf8(changes.apply()).unwrap_or_else(|_| alone())
}

fn literal(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    json_write::string(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::json::scan;

    #[test]
    fn only_what_must_change_changes() {
        let model = Edits { model: Some("gpt\"x"), ..Edits::default() };
        let usage = Edits { include_usage: true, ..Edits::default() };
        let limit = Edits { max_output_tokens: Some(10), ..Edits::default() };
        for (body, edits, expected) in [
            (r#"{ "model" : "a", "x":1.0e5 }"#, model, r#"{ "model" : "gpt\"x", "x":1.0e5 }"#),
            (
                r#"{"stream_options":{"a":1, "include_usage":false}}"#,
                usage,
                r#"{"stream_options":{"a":1, "include_usage":true}}"#,
            ),
            (r#"{"stream_options":null}"#, usage, r#"{"stream_options":{"include_usage":true}}"#),
            (r#"{"a":1}"#, usage, r#"{"a":1,"stream_options":{"include_usage":true}}"#),
            (r#"{"max_tokens":11}"#, limit, r#"{"max_tokens":10}"#),
            (r#"{"max_tokens":9}"#, limit, r#"{"max_tokens":9}"#),
            (r#"{"max_tokens":9,"max_completion_tokens":99}"#, limit, r#"{"max_tokens":9,"max_completion_tokens":10}"#),
            (r#"{"max_tokens":null}"#, limit, r#"{"max_tokens":null,"max_completion_tokens":10}"#),
            ("{ }", Edits::default(), "{ }"),
        ] {
            let rewritten = rewrite(&scan(body.as_bytes(), &Limits::default()).unwrap(), &edits);
            assert_eq!(String::from_utf8(rewritten).unwrap(), expected, "{body}");
        }
    }
}
