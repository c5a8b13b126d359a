//! Legacy completions, OpenAI's API from before there were conversations: for providers that still
//! have it, in their own words. It is not translated; whoever lacks it is told to chat.

use super::model;
use crate::dialect::Facts;
use crate::error::ApiError;
use crate::json::Document;
use serde_json::value::RawValue;

pub(super) fn inspect(body: &Document<'_>) -> Result<Facts, ApiError> {
    let mut facts = Facts { model: model(body.get("model"))?, text_bytes: body.body().len(), ..Facts::default() };
    facts.stream = member(body, "stream", "true or false")?.unwrap_or(false);
    facts.max_output_tokens = member(body, "max_tokens", "an integer of at least 0")?;
    facts.user = member(body, "user", "a string")?;
    #[derive(serde::Deserialize)]
    struct StreamOptions {
        #[serde(default)]
        include_usage: Option<bool>,
    }
    let options: Option<StreamOptions> = member(body, "stream_options", "an object with a boolean `include_usage`")?;
    facts.include_usage = options.and_then(|options| options.include_usage).unwrap_or(false);
    let answers = member(body, "n", "an integer of at least 1")?.unwrap_or(1_u64);
    let drafts = member(body, "best_of", "an integer of at least 1")?.unwrap_or(1_u64);
    facts.messages = prompts(body.get("prompt"))?;
    // Every prompt is answered `n` times; the drafts behind the best ones are billed too.
    facts.n = answers.max(drafts).max(1).saturating_mul(facts.messages.max(1) as u64);
    Ok(facts)
}

fn member<'a, T: serde::Deserialize<'a>>(body: &Document<'a>, name: &str, what: &str) -> Result<Option<T>, ApiError> {
    let Some(text) = body.get(name) else { return Ok(None) };
    crate::json::parse(text).map_err(|_| ApiError::invalid(name, format!("`{name}` must be {what}.")))
}

/// How many prompts there are: a text or a list of tokens is one, a list of either is several.
fn prompts(text: Option<&str>) -> Result<usize, ApiError> {
    let wrong = || ApiError::invalid("prompt", "`prompt` must be a string, a list of strings, or tokens.");
    let text = text.filter(|text| *text != "null").ok_or_else(wrong)?;
    match text.bytes().next() {
        Some(b'"') => Ok(1),
        Some(b'[') => {
            let items: Vec<&RawValue> = crate::json::parse(text).map_err(|_| wrong())?;
            let is_token = |item: &&RawValue| item.get().bytes().all(|byte| byte.is_ascii_digit());
            Ok(if items.iter().all(is_token) { 1 } else { items.len() })
        }
        Some(_) | None => Err(wrong()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::json::{Limits, scan};

    #[test]
    fn a_request_tells_how_many_answers_it_wants() {
        for (body, n) in [
            (r#"{"model":"m","prompt":"x"}"#, 1),
            (r#"{"model":"m","prompt":[1,2,3],"n":2}"#, 2),
            (r#"{"model":"m","prompt":["x","y"],"n":2,"best_of":5}"#, 10),
            (r#"{"model":"m","prompt":[[1],[2,3]]}"#, 2),
        ] {
            let facts = inspect(&scan(body.as_bytes(), &Limits::default()).unwrap()).unwrap();
            assert_eq!(facts.n, n, "{body}");
        }
        for (body, param) in [
            (r#"{"prompt":"x"}"#, "model"),
            (r#"{"model":"m"}"#, "prompt"),
            (r#"{"model":"m","prompt":7}"#, "prompt"),
            (r#"{"model":"m","prompt":"x","max_tokens":"9"}"#, "max_tokens"),
        ] {
            let error = inspect(&scan(body.as_bytes(), &Limits::default()).unwrap()).expect_err(body);
            assert_eq!(error.param.as_deref(), Some(param), "{body}");
        }
    }
}
