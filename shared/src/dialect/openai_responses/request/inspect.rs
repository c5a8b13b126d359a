//! A request at a glance.

use crate::dialect::facts::{ContentScan, Facts, tier, tools, value};
use crate::dialect::lenient::{One, Text};
use crate::dialect::wire::wire;
use crate::error::ApiError;
use crate::json::Document;

wire! {
    struct Typed<'a> {
        kind: Text<'a> as "type",
    }
}

wire! {
    struct TextConfig<'a> {
        format: One<Typed<'a>>,
    }
}

wire! {
    struct Reasoning<'a> {
        effort: Text<'a>,
        summary: Text<'a>,
    }
}

wire! {
    /// An item as far as it is looked into: what it is, what media it holds.
    struct ItemScan<'a> {
        kind: Text<'a> as "type",
        content: ContentScan,
        output: ContentScan,
    }
}

pub(in crate::dialect) fn inspect(body: &Document<'_>) -> Result<Facts, ApiError> {
    let mut facts = Facts { n: 1, include_usage: true, text_bytes: body.body().len(), ..Facts::default() };
    let mut conversation = false;
    for member in body.members() {
        let text = body.body().get(member.value.clone()).unwrap_or_default();
        let name = member.name.as_ref();
        match name {
            "model" => facts.model = value(text, name, "a string")?,
            "stream" => facts.stream = value(text, name, "true or false")?.unwrap_or(false),
            "max_output_tokens" => facts.max_output_tokens = value(text, name, "an integer of at least 0")?,
            "user" => facts.user = value(text, name, "a string")?,
            "tools" => {
                let (any, theirs) = tools(text, name, |kind| !matches!(kind, "function" | "custom"))?;
                facts.needs.tools = any;
                facts.unseen_input |= theirs;
            }
            "text" => {
                let One(config): One<TextConfig<'_>> = value(text, name, "an object")?.unwrap_or_default();
                let format = config.and_then(|config| config.format.0);
                facts.needs.json_schema = format.is_some_and(|format| format.kind.some() == Some("json_schema"));
            }
            "reasoning" => {
                let One(reasoning): One<Reasoning<'_>> = value(text, name, "an object")?.unwrap_or_default();
                facts.needs.reasoning = reasoning.is_some_and(|reasoning| match reasoning.effort.some() {
                    Some(effort) => effort != "none",
                    None => reasoning.summary.some().is_some(),
                });
            }
            "previous_response_id" | "conversation" | "prompt" if text != "null" => {
                facts.unseen_input = true;
                conversation = true;
            }
            "input" if text.starts_with('"') => {
                conversation = true;
                facts.messages += 1;
            }
            "input" if text != "null" => {
                let items: Option<Vec<ItemScan<'_>>> = value(text, name, "a string or an array of items")?;
                conversation = true;
                for item in items.unwrap_or_default() {
                    facts.messages += 1;
                    facts.unseen_input |= item.kind.some() == Some("item_reference");
                    facts.count(item.content.0);
                    facts.count(item.output.0);
                }
            }
            "service_tier" => facts.tier = tier(text),
            _ => {}
        }
    }
    if conversation { Ok(facts) } else { Err(ApiError::invalid("input", "`input` is missing.")) }
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
            r#"{{"model":"m","stream":true,"max_output_tokens":9,"user":"u","tools":[{{"type":"function"}}],"instructions":"x",
            "text":{{"format":{{"type":"json_schema"}}}},"reasoning":{{"effort":"low"}},"input":[
            {{"role":"user","content":[{{"type":"input_text","text":"y"}},{{"type":"input_image","image_url":"data:image/png;base64,{data}"}},
            {{"type":"input_image","image_url":"https://x.example/y"}},{{"type":"input_file","file_data":"{data}"}},
            {{"type":"input_audio","input_audio":{{"data":"{data}","format":"wav"}}}}]}},
            {{"type":"function_call_output","call_id":"c","output":[{{"type":"input_image","image_url":"data:image/png;base64,{data}"}}]}}]}}"#
        );
        let facts = facts(&body).unwrap();
        assert_eq!((facts.model.as_deref(), facts.user.as_deref()), (Some("m"), Some("u")));
        assert!(facts.stream && facts.include_usage && !facts.unseen_input);
        assert_eq!((facts.max_output_tokens, facts.n, facts.messages, facts.images), (Some(9), 1, 2, 3));
        assert_eq!((facts.media_bytes, facts.text_bytes), (4_044, body.len() - 4_044));
        let needs = facts.needs;
        assert!(needs.tools && needs.vision && needs.documents && needs.audio && needs.json_schema && needs.reasoning);
    }

    #[test]
    fn a_member_of_the_wrong_type_is_named() {
        for (body, param) in [
            (r#"{"model":5,"input":"x"}"#, "model"),
            (r#"{"stream":"yes","input":"x"}"#, "stream"),
            (r#"{"max_output_tokens":-1,"input":"x"}"#, "max_output_tokens"),
            (r#"{"input":5}"#, "input"),
            (r#"{"input":["hi"]}"#, "input"),
            (r#"{"input":null}"#, "input"),
            (r#"{"model":"m"}"#, "input"),
            (r#"{"tools":{},"input":"x"}"#, "tools"),
        ] {
            assert_eq!(facts(body).expect_err(body).param.as_deref(), Some(param), "{body}");
        }
    }

    #[test]
    fn input_that_is_not_in_the_body_is_told_of() {
        for (body, unseen) in [
            (r#"{"input":"x"}"#, false),
            (r#"{"input":"x","previous_response_id":null,"tools":[{"type":"custom"}]}"#, false),
            (r#"{"previous_response_id":"resp_1"}"#, true),
            (r#"{"conversation":{"id":"conv_1"},"input":"x"}"#, true),
            (r#"{"prompt":{"id":"p"}}"#, true),
            (r#"{"input":[{"type":"item_reference","id":"msg_1"}]}"#, true),
            (r#"{"input":"x","tools":[{"type":"web_search"}]}"#, true),
            (
                r#"{"input":[{"content":[{"type":"input_file","file_data":"data:application/pdf;base64,AAAA"}]}]}"#,
                false,
            ),
            (r#"{"input":[{"content":[{"type":"input_file","file_url":"https://x.example/y.pdf"}]}]}"#, true),
            (r#"{"input":[{"content":[{"type":"input_file","file_id":"file-1"}]}]}"#, true),
        ] {
            assert_eq!(facts(body).expect(body).unseen_input, unseen, "{body}");
        }
    }
}
