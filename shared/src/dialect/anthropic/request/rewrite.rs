//! The caller's own bytes with little changed.

use crate::dialect::{Edits, json_write};
use crate::json::{self, Document};

pub(in crate::dialect) fn rewrite(body: &Document<'_>, edits: &Edits<'_>) -> Vec<u8> {
    let model = edits.model.map(|model| {
        let mut out = Vec::with_capacity(model.len() + 2);
        json_write::string(&mut out, model);
        String::from_utf8_lossy(&out).into_owned()
    });
    let wish = body.get("max_tokens").and_then(|text| text.parse::<u64>().ok());
    let limit =
        edits.max_output_tokens.filter(|limit| wish.is_none_or(|wish| wish > *limit)).map(|limit| limit.to_string());

    let mut changes = json::Edits::new(body);
    if let Some(model) = &model {
        changes.set("model", model);
    }
    if let Some(limit) = &limit {
        changes.set("max_tokens", limit);
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
        let edits =
            Edits { model: Some("claude"), max_output_tokens: Some(10), include_usage: true, ..Edits::default() };
        for (body, expected) in [
            (r#"{ "model":"a", "max_tokens": 11,"x":1.0 }"#, r#"{ "model":"claude", "max_tokens": 10,"x":1.0 }"#),
            (r#"{"max_tokens":9,"model":"a"}"#, r#"{"max_tokens":9,"model":"claude"}"#),
        ] {
            let rewritten = rewrite(&scan(body.as_bytes(), &Limits::default()).unwrap(), &edits);
            assert_eq!(String::from_utf8(rewritten).unwrap(), expected, "{body}");
        }
    }
}
