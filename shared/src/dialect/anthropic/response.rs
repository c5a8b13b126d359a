//! Whole answers in Anthropic's dialect.

use super::request::{read_answer_block, write_tool_use};
use super::stream::BlockWire;
use super::usage::{self, UsageWire};
use super::{read_stop, stop_sequence, stop_word};
use crate::dialect::ir::{ChatResponse, Choice, FinishReason, Part, Seal, SealFormat};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Items, object};
use crate::dialect::lenient::{Many, One, Text};
use crate::dialect::text::{self, Repaired, repair};
use crate::dialect::wire::wire;
use crate::dialect::{
    Dialect, Effect, Finish, Observed, ProtocolError, ProviderDialect, ResponseContext, UpstreamError, Warnings,
};

/// Checks that a body is an answer, and not an error in an answer's clothes.
fn open<'a, 'p>(body: &'a [u8], path: &'p Path<'p>) -> Result<Object<'a, 'p>, ProtocolError> {
    let text = std::str::from_utf8(body).map_err(|_| ProtocolError::NotJson)?.trim_start_matches('\u{feff}');
    let Ok(mut top) = Object::read(text, path) else {
        let json = crate::json::parse::<serde::de::IgnoredAny>(text).is_ok();
        return Err(if json {
            ProtocolError::WrongShape("the answer is not a JSON object")
        } else {
            ProtocolError::NotJson
        });
    };
    if !top.has("content") {
        let failed = top.take("error").map(|raw| UpstreamError::from_event(raw.get()));
        let failed = failed.or_else(|| {
            ["errors", "detail", "message"].iter().any(|name| top.has(name)).then(|| UpstreamError::from_event(text))
        });
        return Err(failed.map_or(ProtocolError::WrongShape("the answer has no content"), ProtocolError::Upstream));
    }
    Ok(top)
}

pub(in crate::dialect) fn read(body: &[u8]) -> Result<ChatResponse, ProtocolError> {
    let path = Path::Root;
    let mut top = open(body, &path)?;
    let blocks = top.items("content").map_err(|_| ProtocolError::WrongShape("content is not an array"))?;
    let content = blocks.into_iter().map(read_answer_block).collect();
    let sequence = top.string("stop_sequence").ok().flatten();
    let finish = top.string("stop_reason").ok().flatten().map(|word| read_stop(&word, sequence));
    let usage = top.take("usage");
    let service_tier = usage.and_then(|raw| Object::read(raw.get(), &path).ok()?.string("service_tier").ok()?);
    for known in ["type", "role", "content"] {
        top.take(known);
    }
    Ok(ChatResponse {
        origin: Dialect::Anthropic.into(),
        id: top.string("id").ok().flatten(),
        model: top.string("model").ok().flatten(),
        created: None,
        usage: usage.and_then(|raw| text::read::<UsageWire>(raw.get())?.usage()),
        service_tier,
        choices: vec![Choice { index: 0, content, finish, logprobs: None, extra: Vec::new() }],
        extra: top.rest(),
    })
}

pub(in crate::dialect) fn write(
    response: &ChatResponse,
    context: &ResponseContext<'_>,
    warnings: &mut Warnings,
) -> Vec<u8> {
    if response.choices.len() > 1 {
        warnings.dropped("n");
    }
    let choice = response.choices.first();
    let content = choice.map_or(&[][..], |choice| &choice.content);
    let finish = choice.and_then(|choice| choice.finish.as_ref());
    let calls = content.iter().any(|part| matches!(part, Part::ToolCall { .. }));
    let mut out = Vec::with_capacity(1_024);
    object(&mut out, |o| {
        o.string("id", response.id.as_deref().unwrap_or(context.id));
        o.string("type", "message");
        o.string("role", "assistant");
        o.string("model", context.model.or(response.model.as_deref()).unwrap_or_default());
        o.array("content", |a| {
            for (place, part) in content.iter().enumerate() {
                write_block(a, part, place, warnings);
            }
        });
        o.string("stop_reason", stop_word(finish, calls));
        if let Some(FinishReason::Other(word)) = finish {
            warnings.add(format_args!("response.stop_reason({word})"), Effect::Converted);
        }
        match stop_sequence(finish) {
            Some(sequence) => o.string("stop_sequence", sequence),
            None => o.null("stop_sequence"),
        }
        o.object("usage", |o| {
            usage::write(o, &response.usage.unwrap_or_default());
            o.maybe_string("service_tier", response.service_tier.as_deref());
        });
        for (name, json) in &response.extra {
            if response.origin == Dialect::Anthropic {
                o.json(name, json);
            } else if name != "system_fingerprint" {
                // That one is a label of the provider's build, which nobody misses.
                warnings.dropped(format_args!("response.{name}"));
            }
        }
    });
    if let Some(choice) = choice {
        if choice.logprobs.is_some() {
            warnings.dropped("response.logprobs");
        }
        for (name, _) in &choice.extra {
            warnings.dropped(format_args!("response.{name}"));
        }
    }
    out
}

fn write_block(a: &mut Items<'_>, part: &Part, place: usize, warnings: &mut Warnings) {
    let path = format_args!("response.content[{place}]").to_string();
    match part {
        Part::Text { text, citations, .. } => a.object(|o| {
            o.string("type", "text");
            o.string("text", text);
            let ours = |origin: ProviderDialect| origin == Dialect::Anthropic;
            if citations.iter().any(|citation| ours(citation.origin)) {
                o.array("citations", |a| {
                    citations
                        .iter()
                        .filter(|citation| ours(citation.origin))
                        .for_each(|citation| a.json(&citation.json));
                });
            }
            if citations.iter().any(|citation| !ours(citation.origin)) {
                warnings.dropped(format_args!("{path}.annotations"));
            }
        }),
        Part::Refusal(text) => a.object(|o| {
            o.string("type", "text");
            o.string("text", text);
        }),
        Part::Thinking { text, signature } => a.object(|o| {
            o.string("type", "thinking");
            o.string("thinking", text);
            // Another provider's signature would come back as if it were Anthropic's.
            let ours = signature.as_ref().filter(|seal| seal.format == SealFormat::Anthropic);
            if signature.is_some() && ours.is_none() {
                warnings.dropped(format_args!("{path}.signature"));
            }
            o.string("signature", ours.map_or("", |seal| &seal.text));
        }),
        Part::RedactedThinking(Seal { text, format: SealFormat::Anthropic }) => a.object(|o| {
            o.string("type", "redacted_thinking");
            o.string("data", text);
        }),
        Part::ToolCall { id, name, arguments, .. } => {
            if !arguments.is_object() {
                warnings.add(format_args!("{path}.function.arguments"), Effect::Converted);
            }
            a.object(|o| write_tool_use(o, id, name, arguments));
        }
        Part::Opaque { origin: Dialect::Anthropic, json, .. } => a.json(json),
        Part::RedactedThinking(_) | Part::Opaque { .. } | Part::Media(_) | Part::ToolResult { .. } => {
            warnings.dropped(path)
        }
    }
}

wire! {
    /// The members settlement looks at.
    struct Whole<'a> {
        model: Text<'a>,
        usage: One<UsageWire>,
        content: Many<One<BlockWire<'a>>>,
    }
}

pub(in crate::dialect) fn observe(body: &[u8]) -> Result<Observed, ProtocolError> {
    let path = Path::Root;
    open(body, &path)?;
    let text = std::str::from_utf8(body).unwrap_or_default().trim_start_matches('\u{feff}');
    let fixed;
    let whole: Whole<'_> = match crate::json::parse(text) {
        Ok(whole) => whole,
        Err(_) => {
            let strange = ProtocolError::WrongShape("the answer has another shape");
            let Repaired::Object(object) = repair(text) else { return Err(strange) };
            fixed = object;
            crate::json::parse(&fixed).map_err(|_| strange)?
        }
    };
    let output_bytes = whole.content.0.iter().filter_map(|block| block.0.as_ref()).map(BlockWire::output_bytes).sum();
    Ok(Observed {
        usage: whole.usage.0.and_then(|usage| usage.usage()),
        finish: Finish::Complete,
        output_bytes,
        model: whole.model.into_some().map(|model| model.into_owned()),
        content_started: output_bytes > 0,
    })
}
