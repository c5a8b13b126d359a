//! A request at a glance.

use super::thinking;
use crate::dialect::facts::{Counts, Facts};
use crate::dialect::json_read::{Object, Path, read_list};
use crate::error::ApiError;
use crate::json::Document;
use crate::usage::Tier;
use serde_json::value::RawValue;

/// Model and stream are not in the body: whoever knows the path adds them.
pub(in crate::dialect) fn inspect(body: &Document<'_>) -> Result<Facts, ApiError> {
    let root = Path::Root;
    let mut top = Object::read(body.body(), &root)?.camel_case();
    let mut facts = Facts { n: 1, include_usage: true, text_bytes: body.body().len(), ..Facts::default() };
    let path = root.member("contents");
    let contents = top.take("contents").ok_or_else(|| path.invalid("`contents` is missing."))?;
    let contents = read_list(contents, &path)?;
    facts.messages = contents.len();
    for (index, raw) in contents.into_iter().enumerate() {
        facts.count(parts(raw, &path.item(index))?);
    }
    if let Some(raw) = top.take("systemInstruction") {
        facts.count(parts(raw, &root.member("systemInstruction"))?);
    }
    let tools = top.items("tools")?;
    facts.needs.tools = !tools.is_empty();
    // What Google's own tools find is billed as input, and so is what it keeps.
    facts.unseen_input |= top.has("cachedContent");
    for raw in tools {
        let path = root.member("tools");
        let Ok(tool) = Object::read(raw.get(), &path) else { continue };
        let mut tool = tool.camel_case();
        tool.take("functionDeclarations");
        facts.unseen_input |= !tool.rest().is_empty();
    }
    facts.tier = top.string("serviceTier")?.as_deref().map(Tier::dearest).unwrap_or_default();
    let path = root.member("generationConfig");
    if let Some(raw) = top.take("generationConfig") {
        let mut config = Object::read(raw.get(), &path)?.camel_case();
        facts.max_output_tokens = config.count("maxOutputTokens")?;
        facts.n = config.count("candidateCount")?.unwrap_or(1).max(1);
        facts.needs.json_schema = config.has("responseSchema") || config.has("responseJsonSchema");
        facts.needs.reasoning = thinking::read(&mut config, &mut Vec::new())?.is_wanted();
    }
    Ok(facts)
}

fn parts(raw: &RawValue, path: &Path<'_>) -> Result<Counts, ApiError> {
    let mut counts = Counts::default();
    let mut content = Object::read(raw.get(), path)?.camel_case();
    let path = path.member("parts");
    let Some(raw) = content.take("parts") else { return Ok(counts) };
    for (index, raw) in read_list(raw, &path)?.into_iter().enumerate() {
        let path = path.item(index);
        let mut part = Object::read(raw.get(), &path)?.camel_case();
        count(&mut part, &mut counts);
        let inner = path.member("functionResponse");
        if let Some(result) = part.take("functionResponse").and_then(|raw| Object::read(raw.get(), &inner).ok()) {
            for raw in result.camel_case().items("parts")? {
                if let Ok(part) = Object::read(raw.get(), &inner) {
                    count(&mut part.camel_case(), &mut counts);
                }
            }
        }
    }
    Ok(counts)
}

/// What a part's bytes or file amount to.
fn count(part: &mut Object<'_, '_>, counts: &mut Counts) {
    let path = Path::Root;
    for name in ["inlineData", "fileData"] {
        let blob = part.take(name).and_then(|raw| Object::read(raw.get(), &path).ok());
        let Some(mut blob) = blob.map(Object::camel_case) else { continue };
        // Its quotes are no media, but escapes are nothing base64 has.
        let bytes = blob.take("data").map_or(0, |raw| raw.get().len().saturating_sub(2));
        counts.media_bytes += bytes;
        let is_elsewhere = name == "fileData";
        match blob.string("mimeType").ok().flatten().as_deref().and_then(|kind| kind.split('/').next()) {
            Some("image") => {
                counts.images += 1;
                counts.image_bytes += bytes;
            }
            Some("audio") => {
                counts.audio += 1;
                counts.unseen |= is_elsewhere;
            }
            Some(_) | None => {
                counts.documents += 1;
                counts.unseen |= is_elsewhere;
            }
        }
    }
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
            r#"{{"contents":[{{"parts":[{{"text":"y"}},{{"inline_data":{{"mime_type":"image/png","data":"{data}"}}}},
            {{"functionResponse":{{"name":"f","parts":[{{"inlineData":{{"mimeType":"image/png","data":"{data}"}}}}]}}}}]}},
            {{"parts":{{"fileData":{{"mimeType":"application/pdf","fileUri":"gs://x"}}}}}}],"tools":[{{}}],"service_tier":"priority",
            "generation_config":{{"max_output_tokens":9,"candidateCount":2,"responseSchema":{{}},"thinkingConfig":{{"thinkingBudget":1}}}}}}"#
        );
        let facts = facts(&body).unwrap();
        assert_eq!((facts.max_output_tokens, facts.n, facts.messages, facts.images), (Some(9), 2, 2, 2));
        assert_eq!((facts.media_bytes, facts.text_bytes), (2_000, body.len() - 2_000));
        assert_eq!(facts.tier, Tier::Priority);
        let needs = facts.needs;
        assert!(needs.tools && needs.vision && needs.documents && !needs.audio && needs.json_schema && needs.reasoning);
    }

    #[test]
    fn input_that_is_not_in_the_body_is_told_of() {
        for (more, unseen) in [
            (r#"{"text":"x"}"#, false),
            (r#"{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}}"#, false),
            (r#"{"fileData":{"mimeType":"application/pdf","fileUri":"gs://x"}}"#, true),
            (r#"{"fileData":{"fileUri":"https://video.example/x"}}"#, true),
            (r#"{}]}],"tools":[{"function_declarations":[]},{}],"x":[{"y":[{}"#, false),
            (r#"{}]}],"tools":[{"urlContext":{}}],"x":[{"y":[{}"#, true),
            (r#"{}]}],"cached_content":"cachedContents/1","x":[{"y":[{}"#, true),
        ] {
            let body = format!(r#"{{"contents":[{{"parts":[{more}]}}]}}"#);
            assert_eq!(facts(&body).expect(&body).unseen_input, unseen, "{body}");
        }
    }

    #[test]
    fn a_member_of_the_wrong_type_is_named() {
        for (body, param) in [
            (r#"{}"#, "contents"),
            (r#"{"contents":["hi"]}"#, "contents[0]"),
            (r#"{"contents":[],"generationConfig":{"maxOutputTokens":"9"}}"#, "generationConfig.maxOutputTokens"),
            (r#"{"contents":[],"tools":{}}"#, "tools"),
        ] {
            assert_eq!(facts(body).expect_err(body).param.as_deref(), Some(param), "{body}");
        }
    }
}
