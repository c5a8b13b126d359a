//! A request at a glance.

use crate::dialect::facts::{Facts, MessageScan, tier, tools, value};
use crate::dialect::lenient::{One, Text};
use crate::dialect::wire::wire;
use crate::error::ApiError;
use crate::json::Document;
use serde::Deserialize;

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

wire! {
    struct Typed<'a> {
        kind: Text<'a> as "type",
        effort: Text<'a>,
    }
}

pub(in crate::dialect) fn inspect(body: &Document<'_>) -> Result<Facts, ApiError> {
    let mut facts = Facts { n: 1, text_bytes: body.body().len(), ..Facts::default() };
    let mut conversation = false;
    for member in body.members() {
        let text = body.body().get(member.value.clone()).unwrap_or_default();
        let name = member.name.as_ref();
        match name {
            "model" => facts.model = value(text, name, "a string")?,
            "stream" => facts.stream = value(text, name, "true or false")?.unwrap_or(false),
            "stream_options" => {
                let options: Option<StreamOptions> = value(text, name, "an object with a boolean `include_usage`")?;
                facts.include_usage = options.and_then(|options| options.include_usage).unwrap_or(false);
            }
            "max_completion_tokens" | "max_tokens" => {
                let limit: Option<u64> = value(text, name, "an integer of at least 0")?;
                // A body with both means the stricter one.
                facts.max_output_tokens = match (facts.max_output_tokens, limit) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            "n" => facts.n = value::<u64>(text, name, "an integer of at least 1")?.unwrap_or(1).max(1),
            "user" => facts.user = value(text, name, "a string")?,
            "tools" | "functions" => {
                let (any, theirs) = tools(text, name, |kind| !matches!(kind, "function" | "custom"))?;
                facts.needs.tools |= any;
                facts.unseen_input |= theirs;
            }
            "web_search_options" => facts.unseen_input |= text != "null",
            "response_format" => {
                let One(format): One<Typed<'_>> = value(text, name, "an object")?.unwrap_or_default();
                facts.needs.json_schema = format.is_some_and(|format| format.kind.some() == Some("json_schema"));
            }
            "reasoning_effort" => {
                let effort: Option<String> = value(text, name, "a string")?;
                facts.needs.reasoning |= effort.is_some_and(|effort| effort != "none");
            }
            "reasoning" => {
                let One(reasoning): One<Typed<'_>> = value(text, name, "an object")?.unwrap_or_default();
                facts.needs.reasoning |= reasoning.is_some_and(|reasoning| reasoning.effort.some() != Some("none"));
            }
            "thinking" => {
                let One(thinking): One<Typed<'_>> = value(text, name, "an object")?.unwrap_or_default();
                facts.needs.reasoning |= thinking.is_some_and(|thinking| thinking.kind.some() != Some("disabled"));
            }
            "messages" => {
                let messages: Vec<MessageScan> =
                    value(text, name, "an array of objects")?.ok_or_else(|| missing("messages"))?;
                conversation = true;
                facts.messages = messages.len();
                for message in messages {
                    facts.count(message.content.0);
                }
            }
            "service_tier" => facts.tier = tier(text),
            _ => {}
        }
    }
    if conversation { Ok(facts) } else { Err(missing("messages")) }
}

fn missing(name: &str) -> ApiError {
    ApiError::invalid(name, format!("`{name}` is missing."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::json::{Limits, scan};

    fn facts(body: &str) -> Result<Facts, ApiError> {
        inspect(&scan(body.as_bytes(), &Limits::default()).unwrap())
    }

    #[test]
    fn a_request_tells_at_a_glance_what_it_needs() {
        let data = "A".repeat(1_000);
        let body = format!(
            r#"{{"model":"m","stream":true,"stream_options":{{"include_usage":true}},"max_tokens":9,"n":2,"user":"u","tools":[{{}}],
            "response_format":{{"type":"json_schema"}},"reasoning_effort":"low","messages":[{{"role":"system","content":"x"}},
            {{"role":"user","content":[{{"type":"text","text":"y"}},{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}},
            {{"type":"image_url","image_url":{{"url":"https://x.example/y"}}}},{{"type":"file","file":{{"file_data":"{data}"}}}},
            {{"type":"input_audio","input_audio":{{"data":"{data}","format":"wav"}}}}]}}]}}"#
        );
        let facts = facts(&body).unwrap();
        assert_eq!((facts.model.as_deref(), facts.user.as_deref()), (Some("m"), Some("u")));
        assert!(facts.stream && facts.include_usage);
        assert_eq!((facts.max_output_tokens, facts.n, facts.messages, facts.images), (Some(9), 2, 2, 2));
        assert_eq!((facts.media_bytes, facts.text_bytes), (3_022, body.len() - 3_022));
        let needs = facts.needs;
        assert!(needs.tools && needs.vision && needs.documents && needs.audio && needs.json_schema && needs.reasoning);
    }

    #[test]
    fn input_that_is_not_in_the_body_is_told_of() {
        for (more, unseen) in [
            (r#"[{"type":"text","text":"x"}]"#, false),
            (r#"[{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA"}}]"#, false),
            (r#"[{"type":"file","file":{"file_id":"file-1"}}]"#, true),
            (r#""x"}],"tools":[{"type":"function"},{"type":"custom"},{}],"x":[{"y":"z""#, false),
            (r#""x"}],"tools":[{"type":"browser_search"}],"x":[{"y":"z""#, true),
            (r#""x"}],"web_search_options":null,"x":[{"y":"z""#, false),
            (r#""x"}],"web_search_options":{},"x":[{"y":"z""#, true),
        ] {
            let body = format!(r#"{{"messages":[{{"role":"user","content":{more}}}]}}"#);
            assert_eq!(facts(&body).expect(&body).unseen_input, unseen, "{body}");
        }
    }

    #[test]
    fn a_member_of_the_wrong_type_is_named() {
        for (body, param) in [
            (r#"{"model":5,"messages":[]}"#, "model"),
            (r#"{"stream":"yes","messages":[]}"#, "stream"),
            (r#"{"max_tokens":-1,"messages":[]}"#, "max_tokens"),
            (r#"{"max_completion_tokens":1.5,"messages":[]}"#, "max_completion_tokens"),
            (r#"{"n":"2","messages":[]}"#, "n"),
            (r#"{"messages":"hi"}"#, "messages"),
            (r#"{"messages":["hi"]}"#, "messages"),
            (r#"{"messages":null}"#, "messages"),
            (r#"{"model":"m"}"#, "messages"),
            (r#"{"tools":{},"messages":[]}"#, "tools"),
        ] {
            assert_eq!(facts(body).expect_err(body).param.as_deref(), Some(param), "{body}");
        }
    }

    #[test]
    fn null_is_absence() {
        let facts = facts(
            r#"{"model":null,"stream":null,"stream_options":null,"max_tokens":null,"n":null,"tools":null,"response_format":null,"messages":[]}"#,
        );
        assert_eq!(facts.unwrap(), Facts { n: 1, text_bytes: 127, ..Facts::default() });
    }
}
