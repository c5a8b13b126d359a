//! A request at a glance.

use crate::dialect::facts::{ContentScan, Facts, MessageScan, tier, tools, value};
use crate::dialect::lenient::{One, Text};
use crate::dialect::wire::wire;
use crate::error::ApiError;
use crate::json::Document;
use crate::usage::Tier;
use serde::Deserialize;
use serde_json::value::RawValue;

wire! {
    struct Typed<'a> {
        kind: Text<'a> as "type",
    }
}

wire! {
    struct OutputConfig<'a> {
        format: Option<&'a RawValue>,
        effort: Text<'a>,
    }
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    user_id: Option<String>,
}

/// How the kinds of tools begin that Anthropic runs; those of others (`bash_…`, `text_editor_…`) run with the caller.
const THEIRS: [&str; 5] = ["web_search", "web_fetch", "code_execution", "tool_search", "mcp_toolset"];

pub(in crate::dialect) fn inspect(body: &Document<'_>) -> Result<Facts, ApiError> {
    let mut facts = Facts { n: 1, include_usage: true, text_bytes: body.body().len(), ..Facts::default() };
    let mut conversation = false;
    for member in body.members() {
        let text = body.body().get(member.value.clone()).unwrap_or_default();
        let name = member.name.as_ref();
        match name {
            "model" => facts.model = value(text, name, "a string")?,
            "stream" => facts.stream = value(text, name, "true or false")?.unwrap_or(false),
            "max_tokens" => facts.max_output_tokens = value(text, name, "an integer of at least 0")?,
            "metadata" => {
                let metadata: Option<Metadata> = value(text, name, "an object with a string `user_id`")?;
                facts.user = metadata.and_then(|metadata| metadata.user_id);
            }
            "tools" => {
                let (any, theirs) = tools(text, name, |kind| THEIRS.iter().any(|theirs| kind.starts_with(theirs)))?;
                facts.needs.tools = any;
                facts.unseen_input |= theirs;
            }
            "mcp_servers" => facts.unseen_input |= !matches!(text, "null" | "[]"),
            "output_config" => {
                let One(config): One<OutputConfig<'_>> = value(text, name, "an object")?.unwrap_or_default();
                facts.needs.json_schema |= config.as_ref().is_some_and(|config| config.format.is_some());
                facts.needs.reasoning |= config.is_some_and(|config| config.effort.some().is_some());
            }
            "output_format" => facts.needs.json_schema |= text != "null",
            "thinking" => {
                let One(thinking): One<Typed<'_>> = value(text, name, "an object")?.unwrap_or_default();
                facts.needs.reasoning |= thinking.is_some_and(|thinking| thinking.kind.some() != Some("disabled"));
            }
            "system" => {
                let ContentScan(counts) = value(text, name, "a string or an array")?.unwrap_or_default();
                facts.count(counts);
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
            // Fast mode is the dearer of the two.
            "speed" if tier(text) == Tier::Fast => facts.tier = Tier::Fast,
            "service_tier" if facts.tier != Tier::Fast => facts.tier = tier(text),
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
            r#"{{"model":"m","stream":true,"max_tokens":9,"metadata":{{"user_id":"u"}},"tools":[{{}}],"system":"s",
            "output_config":{{"format":{{"type":"json_schema"}}}},"thinking":{{"type":"adaptive"}},"messages":[
            {{"role":"user","content":[{{"type":"text","text":"y"}},{{"type":"image","source":{{"type":"base64","data":"{data}"}}}},
            {{"type":"document","source":{{"type":"text","data":"plain words"}}}},
            {{"type":"tool_result","content":[{{"type":"image","source":{{"type":"base64","data":"{data}"}}}}]}}]}}]}}"#
        );
        let facts = facts(&body).unwrap();
        assert_eq!((facts.model.as_deref(), facts.user.as_deref()), (Some("m"), Some("u")));
        assert_eq!((facts.stream, facts.max_output_tokens, facts.messages, facts.images), (true, Some(9), 1, 2));
        assert_eq!((facts.media_bytes, facts.text_bytes), (2_000, body.len() - 2_000));
        let needs = facts.needs;
        assert!(needs.tools && needs.vision && needs.documents && !needs.audio && needs.json_schema && needs.reasoning);
    }

    #[test]
    fn input_that_is_not_in_the_body_is_told_of() {
        for (more, unseen) in [
            (r#"[{"type":"text","text":"x"}]"#, false),
            (r#"[{"type":"document","source":{"type":"base64","data":"AAAA"}}]"#, false),
            (r#"[{"type":"document","source":{"type":"text","data":"x"}}]"#, false),
            (r#"[{"type":"document","source":{"type":"content","content":[{"type":"text","text":"x"}]}}]"#, false),
            (r#"[{"type":"document","source":{"type":"url","url":"https://x.example/y.pdf"}}]"#, true),
            (r#"[{"type":"document","source":{"type":"file","file_id":"file_1"}}]"#, true),
            (r#"[{"type":"tool_result","content":[{"type":"document","source":{"type":"url","url":"u"}}]}]"#, true),
            (r#""x"}],"tools":[{"name":"f"},{"type":"custom"},{"type":"bash_20250124"}],"x":[{"y":"z""#, false),
            (r#""x"}],"tools":[{"type":"web_search_20250305"}],"x":[{"y":"z""#, true),
            (r#""x"}],"mcp_servers":[{"url":"u"}],"x":[{"y":"z""#, true),
        ] {
            let body = format!(r#"{{"messages":[{{"role":"user","content":{more}}}]}}"#);
            assert_eq!(facts(&body).expect(&body).unseen_input, unseen, "{body}");
        }
    }

    #[test]
    fn a_member_of_the_wrong_type_is_named() {
        for (body, param) in [
            (r#"{"model":5,"messages":[]}"#, "model"),
            (r#"{"max_tokens":"9","messages":[]}"#, "max_tokens"),
            (r#"{"messages":["hi"]}"#, "messages"),
            (r#"{"metadata":{"user_id":7},"messages":[]}"#, "metadata"),
            (r#"{"model":"m"}"#, "messages"),
        ] {
            assert_eq!(facts(body).expect_err(body).param.as_deref(), Some(param), "{body}");
        }
    }
}
