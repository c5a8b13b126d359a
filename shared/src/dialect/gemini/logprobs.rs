//! Token probabilities: Gemini's `logprobsResult` and OpenAI's `logprobs`, the common form.

use super::citation::json_of;
use crate::dialect::ir::Json;
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{self, Members, object};
use serde_json::value::RawValue;

/// `{"content":[{"token","logprob","bytes","top_logprobs":[…]}],"refusal":null}`; `None` when it holds
/// no token.
pub(super) fn read(raw: &RawValue) -> Option<Json> {
    let path = Path::Root;
    let mut result = Object::read(raw.get(), &path).ok()?.camel_case();
    let chosen: Vec<Token> = result.items("chosenCandidates").ok()?.into_iter().filter_map(token).collect();
    let top = result.items("topCandidates").unwrap_or_default();
    if chosen.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    object(&mut out, |o| {
        o.array("content", |a| {
            for (place, chosen) in chosen.iter().enumerate() {
                let others = top.get(place).map_or(Vec::new(), |raw| alternatives(raw));
                a.object(|o| {
                    write_token(o, chosen);
                    o.array("top_logprobs", |a| others.iter().for_each(|other| a.object(|o| write_token(o, other))));
                });
            }
        });
        o.null("refusal");
    });
    Some(json_of(&out))
}

struct Token {
    text: String,
    logprob: f64,
}

fn token(raw: &RawValue) -> Option<Token> {
    let path = Path::Root;
    let mut token = Object::read(raw.get(), &path).ok()?.camel_case();
    let logprob = token.number("logProbability").ok()?.unwrap_or(0.0);
    Some(Token { text: token.string("token").ok()??, logprob })
}

fn alternatives(raw: &RawValue) -> Vec<Token> {
    let path = Path::Root;
    let Ok(mut top) = Object::read(raw.get(), &path) else { return Vec::new() };
    top.items("candidates").unwrap_or_default().into_iter().filter_map(token).collect()
}

fn write_token(o: &mut Members<'_>, token: &Token) {
    o.string("token", &token.text);
    o.number("logprob", token.logprob);
    o.array("bytes", |a| token.text.bytes().for_each(|byte| json_write::number(a.value(), byte)));
}

/// Writes `logprobsResult` from OpenAI's form; nothing when it has no tokens of the answer's text.
pub(super) fn write(o: &mut Members<'_>, json: &Json) {
    let path = Path::Root;
    let Ok(mut logprobs) = Object::read(json.text(), &path) else { return };
    let content = logprobs.items("content").unwrap_or_default();
    let read: Vec<_> = content.into_iter().filter_map(openai_token).collect();
    if read.is_empty() {
        return;
    }
    let one = |o: &mut Members<'_>, token: &Token| {
        o.string("token", &token.text);
        o.number("logProbability", token.logprob);
    };
    o.object("logprobsResult", |o| {
        o.array("chosenCandidates", |a| read.iter().for_each(|(token, _)| a.object(|o| one(o, token))));
        if read.iter().any(|(_, top)| !top.is_empty()) {
            o.array("topCandidates", |a| {
                for (_, top) in &read {
                    a.object(|o| o.array("candidates", |a| top.iter().for_each(|token| a.object(|o| one(o, token)))));
                }
            });
        }
    });
}

fn openai_token(raw: &RawValue) -> Option<(Token, Vec<Token>)> {
    let path = Path::Root;
    let mut object = Object::read(raw.get(), &path).ok()?;
    let top = object.items("top_logprobs").unwrap_or_default();
    let top = top.into_iter().filter_map(|raw| one_openai_token(&mut Object::read(raw.get(), &path).ok()?)).collect();
    Some((one_openai_token(&mut object)?, top))
}

fn one_openai_token(object: &mut Object<'_, '_>) -> Option<Token> {
    Some(Token { text: object.string("token").ok()??, logprob: object.number("logprob").ok()?? })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_survive_the_way_there_and_back() {
        let google = r#"{"logprobsResult":{"chosenCandidates":[{"token":"Hé","logProbability":-0.5}],
            "topCandidates":[{"candidates":[{"token":"Hé","logProbability":-0.5},{"token":"Yo","logProbability":-1.5}]}]}}"#;
        let google: serde_json::Value = serde_json::from_str(google).unwrap();
        let raw = google.get("logprobsResult").unwrap().to_string();
        let openai = read(serde_json::from_str(&raw).unwrap()).unwrap();
        let expected = crate::json::json!({"refusal": null, "content": [{"token": "Hé", "logprob": -0.5, "bytes": [72, 195, 169],
            "top_logprobs": [{"token": "Hé", "logprob": -0.5, "bytes": [72, 195, 169]}, {"token": "Yo", "logprob": -1.5, "bytes": [89, 111]}]}]});
        assert_eq!(serde_json::from_str::<serde_json::Value>(openai.text()).unwrap(), expected);
        let mut back = Vec::new();
        object(&mut back, |o| write(o, &openai));
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&back).unwrap(), google);
    }
}
