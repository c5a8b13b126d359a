//! When two requests ask the same.
//!
//! Two chats do if they read the same once written for a third party: then it does not matter which dialect they came in,
//! in which order their members stood or whether they stream. Where that writing would lose anything, and for everything
//! that is no chat, a request equals only one of the same endpoint with the same members.

use crate::dialect::ir::ChatRequest;
use crate::dialect::{Dialect, Quirks, Target, Warnings};
use crate::json;
use crate::operation::Operation;
use crate::proxy::CallerRequest;
use crate::sorted;
use sha2::{Digest, Sha256};

/// Changes whenever requests are compared or answers are kept in another way: what is older is not found any more.
const EDITION: &str = "signalbox cache 1";

/// Within what requests are compared. Tenants are apart already: each has a shelf of its own.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The policy in force: under another one the answer might have been another.
    pub policy: &'a str,
    /// The model, class or route that was asked for; `None` for the default.
    pub asked: Option<&'a str>,
    /// The guardrails that hold for the answer: what one let pass another may not.
    pub guarded: &'a str,
}

/// A header of a caller's that says nothing: Anthropic's SDKs send it with every request, and no other version is in use.
const USUAL: (&str, &str) = ("anthropic-version", "2023-06-01");

impl Scope<'_> {
    /// Begins with what is no part of the body: where, what the provider is told in headers, how long an answer may be.
    fn digest(&self, request: &CallerRequest) -> Digested {
        let mut digest = Digested(Sha256::new());
        for part in [EDITION, self.policy, self.asked.unwrap_or_default(), self.guarded] {
            digest.part(part.as_bytes());
        }
        let beside = request.forwarded.iter().chain(&request.added);
        for (name, value) in beside.filter(|(name, value)| (name.as_ref(), value.as_str()) != USUAL) {
            digest.part(name.as_bytes());
            digest.part(value.as_bytes());
        }
        if let Some(limit) = request.limit {
            digest.part(&limit.to_be_bytes());
        }
        digest
    }
}

/// The name under which the answer to this request is kept; `None` where answers are never kept.
pub fn key(scope: &Scope<'_>, request: &CallerRequest) -> Option<String> {
    let mut digest = scope.digest(request);
    digest.part(request.operation.as_str().as_bytes());
    match &request.operation {
        Operation::Chat(_) => match common(request) {
            Some(written) => digest.part(&written),
            None => members(request, &mut digest)?,
        },
        Operation::Completions | Operation::Embeddings | Operation::Rerank => members(request, &mut digest)?,
        Operation::CountTokens(_) | Operation::PassThrough(_) => return None,
    }
    Some(digest.hex())
}

/// The name of a chat whose last turn is these words.
pub(super) fn named(
    scope: &Scope<'_>,
    request: &CallerRequest,
    chat: &ChatRequest,
    words: &[String],
) -> Option<String> {
    let mut digest = scope.digest(request);
    digest.part(&written(chat)?);
    words.iter().for_each(|word| digest.part(word.as_bytes()));
    Some(digest.hex())
}

/// A chat as a third party would read it; `None` if that leaves anything out.
fn common(request: &CallerRequest) -> Option<Vec<u8>> {
    written(request.common().ok()?)
}

fn written(common: &ChatRequest) -> Option<Vec<u8>> {
    if common.needs_native().is_some() {
        return None;
    }
    let target = Target {
        model: "",
        stream: false,
        max_output_tokens: None,
        default_max_output_tokens: 0,
        quirks: &Quirks::STANDARD,
    };
    let mut warnings = Warnings::default();
    let written = Dialect::OpenAiChat.write_request(common, &target, &mut warnings);
    warnings.list().is_empty().then_some(written)
}

/// Members that say how an answer travels, not what it is.
const MANNER: [&str; 2] = ["stream", "stream_options"];

/// The members of a request by name, as they stand.
fn members(request: &CallerRequest, digest: &mut Digested) -> Option<()> {
    let document = json::scan(&request.body, &json::Limits::default()).ok()?;
    digest.part(request.dialect.as_str().as_bytes());
    let mut members: Vec<_> =
        document.members().iter().filter(|member| !MANNER.contains(&member.name.as_ref())).collect();
    sorted::sort_by(&mut members, |one, other| one.name.cmp(&other.name));
    for member in members {
        digest.part(member.name.as_bytes());
        digest.part(document.body().get(member.value.clone())?.as_bytes());
    }
    Some(())
}

/// Parts with their lengths, so that none can run into the next.
struct Digested(Sha256);

impl Digested {
    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn hex(self) -> String {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        self.0.finalize().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dialect::Endpoint;

    const SCOPE: Scope<'_> = Scope { policy: "p", asked: Some("fast"), guarded: "" };

    fn chat(dialect: Dialect, body: &str) -> Option<String> {
        let operation = Operation::Chat(Endpoint::from(dialect));
        let facts = operation.inspect(body.as_bytes()).unwrap();
        key(&SCOPE, &CallerRequest::new(operation, body.as_bytes().to_vec(), facts, Vec::new()))
    }

    fn openai(body: &str) -> Option<String> {
        chat(Dialect::OpenAiChat, body)
    }

    #[test]
    fn the_same_question_has_one_key_in_any_dialect_order_and_manner() {
        let asked = openai(r#"{"model":"fast","messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":9}"#);
        for same in [
            r#"{"max_completion_tokens":9, "messages": [{"content":"\u0048i","role":"user"}], "model":"fast"}"#,
            r#"{"model":"fast","messages":[{"role":"user","content":"Hi"}],"max_tokens":9,"stream":true}"#,
        ] {
            assert_eq!(openai(same), asked, "{same}");
        }
        let body =
            r#"{"model":"fast","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#;
        assert_eq!(chat(Dialect::Anthropic, body), asked);
        let body = r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"generationConfig":{"maxOutputTokens":9}}"#;
        assert_eq!(chat(Dialect::Gemini, body), asked);
    }

    #[test]
    fn whatever_can_change_an_answer_changes_the_key() {
        let asked = openai(r#"{"messages":[{"role":"user","content":"Hi"}]}"#);
        for other in [
            r#"{"messages":[{"role":"user","content":"Hi!"}]}"#,
            r#"{"messages":[{"role":"user","content":"Hi"}],"temperature":0}"#,
            r#"{"messages":[{"role":"user","content":"Hi"}],"seed":1}"#,
            r#"{"messages":[{"role":"user","content":"Hi"}],"n":2}"#,
            r#"{"messages":[{"role":"system","content":"x"},{"role":"user","content":"Hi"}]}"#,
            r#"{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f"}}]}"#,
            r#"{"messages":[{"role":"user","content":"Hi"}],"member_nobody_knows":1}"#,
            r#"{"messages":[{"role":"user","content":"Hi"}],"member_nobody_knows":2}"#,
        ] {
            assert_ne!(openai(other), asked, "{other}");
        }
        let unknown = |value: &str| openai(&format!(r#"{{"messages":[],"member_nobody_knows":{value}}}"#));
        assert_ne!(unknown("1"), unknown("2"));
    }

    #[test]
    fn what_a_provider_is_told_in_headers_is_part_of_the_key() {
        let body = br#"{"max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"#;
        let key = |forwarded: &[(&'static str, &str)], added: &[(&'static str, &str)]| {
            let operation = Operation::Chat(Endpoint::from(Dialect::Anthropic));
            let facts = operation.inspect(body).unwrap();
            let headers = |of: &[(&'static str, &str)]| {
                of.iter().map(|(name, value)| ((*name).into(), (*value).to_owned())).collect()
            };
            let mut request = CallerRequest::new(operation, body.to_vec(), facts, headers(forwarded));
            request.added = headers(added);
            super::key(&SCOPE, &request)
        };
        let asked = key(&[], &[]);
        assert_eq!(key(&[("anthropic-version", "2023-06-01")], &[]), asked, "every SDK says it");
        for (forwarded, added) in [
            (&[("anthropic-version", "2023-01-01")][..], &[][..]),
            (&[("anthropic-beta", "context-1m-2025-08-07")], &[]),
            (&[("openai-beta", "x")], &[]),
            (&[], &[("x-for", "ana")]),
            (&[], &[("x-for", "ben")]),
        ] {
            assert_ne!(key(forwarded, added), asked, "{forwarded:?} {added:?}");
        }
        assert_ne!(key(&[], &[("x-for", "ana")]), key(&[], &[("x-for", "ben")]));
    }

    #[test]
    fn how_long_an_answer_may_be_is_part_of_every_name() {
        let body = br#"{"messages":[{"role":"user","content":"Hi"}]}"#;
        let operation = Operation::Chat(Endpoint::from(Dialect::OpenAiChat));
        let facts = operation.inspect(body).unwrap();
        let mut request = CallerRequest::new(operation, body.to_vec(), facts, Vec::new());
        let names = |request: &CallerRequest| {
            [key(&SCOPE, request), named(&SCOPE, request, request.common().unwrap(), &["hi".to_owned()])]
        };
        let any = names(&request);
        request.limit = Some(5);
        let short = names(&request);
        assert!(any.iter().zip(&short).all(|(any, short)| any.is_some() && any != short));
    }

    #[test]
    fn policy_route_and_guardrails_are_part_of_the_key() {
        let body = br#"{"messages":[{"role":"user","content":"Hi"}]}"#;
        let operation = Operation::Chat(Endpoint::from(Dialect::OpenAiChat));
        let facts = operation.inspect(body).unwrap();
        let request = CallerRequest::new(operation, body.to_vec(), facts, Vec::new());
        let keys = [
            ("p", Some("fast"), ""),
            ("q", Some("fast"), ""),
            ("p", Some("smart"), ""),
            ("p", None, ""),
            ("pf", Some("ast"), ""),
            ("p", Some("fast"), "strict"),
            ("p", Some("fast"), "strict lax"),
        ];
        let key = |(policy, asked, guarded)| key(&Scope { policy, asked, guarded }, &request);
        let mut keys: Vec<_> = keys.into_iter().filter_map(key).collect();
        sorted::sort(&mut keys);
        keys.dedup();
        assert_eq!(keys.len(), 7);
    }
}
