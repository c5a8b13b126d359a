//! The caller's own bytes with little changed.

use crate::dialect::Edits;
use crate::dialect::gemini::seal::{MARK_IN_BASE64, UNSIGNED};
use crate::json::{self, Document, Limits};
use crate::search;

/// The model stands in the path, and a stream always tells its usage: only the limit can change, and
/// signatures of other providers, which Google would refuse.
pub(in crate::dialect) fn rewrite(body: &Document<'_>, edits: &Edits<'_>) -> Vec<u8> {
    let config = ["generationConfig", "generation_config"].into_iter().find(|name| body.get(name).is_some());
    let limited = edits.max_output_tokens.and_then(|limit| {
        let own = config.and_then(|name| body.get(name)).unwrap_or("{}");
        limit_in(own, limit)
    });
    let mut changes = json::Edits::new(body);
    if let Some(limited) = &limited {
        changes.set(config.unwrap_or("generationConfig"), limited);
    }
    without_foreign_seals(changes.apply())
}

/// A generation config that keeps to `limit`; `None` when it does already.
fn limit_in(config: &str, limit: u64) -> Option<String> {
    let config = if config.starts_with('{') { config } else { "{}" };
    let document = json::scan(config.as_bytes(), &Limits::default()).ok()?;
    let named = ["maxOutputTokens", "max_output_tokens"].into_iter().find(|name| document.get(name).is_some());
    let wish = named.and_then(|name| document.get(name)).and_then(|text| text.parse::<u64>().ok());
    if wish.is_some_and(|wish| wish <= limit) {
        return None;
    }
    let limit = limit.to_string();
    let mut changes = json::Edits::new(&document);
    changes.set(named.unwrap_or("maxOutputTokens"), &limit);
    String::from_utf8(changes.apply()).ok()
}

/// Puts Google's stand-in in the place of signatures that are marked as another provider's.
pub(super) fn without_foreign_seals(body: Vec<u8>) -> Vec<u8> {
    let opening = [b"\"", MARK_IN_BASE64.as_bytes()].concat();
    let mut out = Vec::new();
    let mut rest = body.as_slice();
    while let Some(at) = search::find(rest, &opening) {
        let (before, seal) = rest.split_at(at + 1);
        let Some(end) = memchr::memchr(b'"', seal) else { break };
        out.extend_from_slice(before);
        out.extend_from_slice(UNSIGNED.as_bytes());
        rest = seal.get(end..).unwrap_or_default();
    }
    if out.is_empty() {
        return body;
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dialect::gemini::seal;
    use crate::dialect::ir::Seal;
    use crate::json::scan;

    #[test]
    fn only_what_must_change_changes() {
        let limit = Edits { model: Some("x"), max_output_tokens: Some(10), include_usage: true, ..Edits::default() };
        for (body, edits, expected) in [
            (r#"{ "contents":[] }"#, Edits::default(), r#"{ "contents":[] }"#),
            (r#"{"contents":[]}"#, limit, r#"{"contents":[],"generationConfig":{"maxOutputTokens":10}}"#),
            (
                r#"{"generationConfig":{"maxOutputTokens":9, "a":1}}"#,
                limit,
                r#"{"generationConfig":{"maxOutputTokens":9, "a":1}}"#,
            ),
            (
                r#"{"generation_config":{ "max_output_tokens":11}}"#,
                limit,
                r#"{"generation_config":{ "max_output_tokens":10}}"#,
            ),
            (r#"{"generationConfig":null}"#, limit, r#"{"generationConfig":{"maxOutputTokens":10}}"#),
        ] {
            let rewritten = rewrite(&scan(body.as_bytes(), &Limits::default()).unwrap(), &edits);
            assert_eq!(String::from_utf8(rewritten).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn a_signature_of_another_provider_does_not_reach_google() {
        let seal = seal::write(&Seal::anthropic("sig+")).into_owned();
        let body = format!(r#"{{"a":"{seal}","b":["{seal}","own"]}}"#);
        let rewritten = rewrite(&scan(body.as_bytes(), &Limits::default()).unwrap(), &Edits::default());
        assert_eq!(String::from_utf8(rewritten).unwrap(), format!(r#"{{"a":"{UNSIGNED}","b":["{UNSIGNED}","own"]}}"#));
    }
}
