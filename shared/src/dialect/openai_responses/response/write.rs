//! An answer for a caller: the parts of the common form become items, in order.

use super::super::{item, seal};
use super::shape::{Shape, Status, id};
use crate::dialect::ir::{ChatResponse, Choice, Citation, FinishReason, Json, Part};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Items, array, object};
use crate::dialect::{Dialect, Effect, ResponseContext, Warnings};

pub(in crate::dialect) fn write(
    response: &ChatResponse,
    context: &ResponseContext<'_>,
    warnings: &mut Warnings,
) -> Vec<u8> {
    if response.choices.len() > 1 {
        warnings.dropped("n");
    }
    let choice = response.choices.first();
    let finish = choice.and_then(|choice| choice.finish.as_ref());
    if let Some(FinishReason::Other(word)) = finish {
        warnings.add(format_args!("response.finish_reason({word})"), Effect::Converted);
    }
    let tier = response.service_tier.as_deref().and_then(tier_word);
    if tier.is_none() && response.service_tier.is_some() {
        warnings.dropped("response.service_tier");
    }
    let answer = id(response.id.as_deref().unwrap_or(context.id));
    let shape = Shape {
        id: &answer,
        model: context.model.or(response.model.as_deref()).unwrap_or_default(),
        created: response.created.unwrap_or(context.created),
        status: Status::of(finish),
        usage: response.usage.as_ref(),
        service_tier: tier,
        echo: context.echo,
    };
    let mut out = Vec::with_capacity(2_048);
    object(&mut out, |o| {
        shape.write(o, |out| {
            array(out, |a| {
                if let Some(choice) = choice {
                    let mut writer = Writer { answer: &answer, status: shape.status, next: 0, warnings };
                    writer.items(a, choice);
                }
            });
        });
        for (name, json) in &response.extra {
            if response.origin == Dialect::OpenAiResponses {
                o.json(name, json);
            } else if name != "system_fingerprint" {
                // That one is a label of the provider's build, which nobody misses.
                warnings.dropped(format_args!("response.{name}"));
            }
        }
    });
    for (name, _) in choice.map_or(&[][..], |choice| &choice.extra) {
        warnings.dropped(format_args!("response.{name}"));
    }
    out
}

/// A priority class in OpenAI's words; other providers have others.
fn tier_word(tier: &str) -> Option<&str> {
    match tier {
        "auto" | "default" | "flex" | "scale" | "priority" => Some(tier),
        "standard" => Some("default"),
        _ => None,
    }
}

struct Writer<'w> {
    answer: &'w str,
    status: Status,
    /// The number of the next item.
    next: usize,
    warnings: &'w mut Warnings,
}

impl Writer<'_> {
    fn id(&mut self, kind: item::Kind) -> String {
        self.next += 1;
        item::id(kind, self.answer, self.next - 1)
    }

    /// Consecutive texts are one message, consecutive thoughts up to their seal one reasoning item.
    fn items(&mut self, a: &mut Items<'_>, choice: &Choice) {
        let mut logprobs = choice.logprobs.as_ref();
        let mut rest = choice.content.as_slice();
        let mut place = 0;
        while let Some((first, others)) = rest.split_first() {
            let taken = match first {
                Part::Text { .. } | Part::Refusal(_) => {
                    let said = |part: &&Part| matches!(part, Part::Text { .. } | Part::Refusal(_));
                    let parts = rest.get(..rest.iter().take_while(said).count()).unwrap_or_default();
                    self.message(a, parts, place, logprobs.take());
                    parts.len()
                }
                Part::Thinking { .. } => self.reasoning(a, rest),
                Part::RedactedThinking(seal) => {
                    let id = self.id(item::Kind::Reasoning);
                    a.object(|o| {
                        item::write_reasoning(o, &id, std::iter::empty(), Some(&seal::of_thoughts(seal)));
                    });
                    1
                }
                Part::ToolCall { id: call, name, arguments, .. } => {
                    let id = self.id(item::Kind::Call);
                    a.object(|o| item::write_call(o, &id, "completed", call, name, arguments.as_text()));
                    1
                }
                Part::Opaque { origin: Dialect::OpenAiResponses, json, .. } => {
                    self.next += 1;
                    a.json(json);
                    1
                }
                Part::Opaque { .. } | Part::Media(_) | Part::ToolResult { .. } => {
                    self.warnings.dropped(format_args!("response.content[{place}]"));
                    1
                }
            };
            place += taken;
            rest = rest.get(taken..).unwrap_or(others);
        }
        if logprobs.is_some() {
            self.warnings.dropped("response.logprobs");
        }
    }

    fn message(&mut self, a: &mut Items<'_>, parts: &[Part], place: usize, logprobs: Option<&Json>) {
        let id = self.id(item::Kind::Message);
        let mut logprobs = logprobs.map(token_logprobs).unwrap_or_default();
        a.object(|o| {
            item::write_message(o, &id, self.status.as_str(), |a| {
                for (offset, part) in parts.iter().enumerate() {
                    if let Part::Text { text, citations, .. } = part {
                        let annotations = self.annotations(citations, text, place + offset);
                        let logprobs = std::mem::take(&mut logprobs);
                        a.object(|o| item::write_text(o, text, &annotations, &logprobs));
                    } else if let Part::Refusal(text) = part {
                        a.object(|o| item::write_refusal(o, text));
                    }
                }
            });
        });
    }

    fn annotations(&mut self, citations: &[Citation], text: &str, place: usize) -> Vec<Vec<u8>> {
        let span = (0, text.chars().count() as u64);
        let mut annotations = Vec::new();
        for citation in citations {
            let mut annotation = Vec::new();
            if item::write_annotation(&mut annotation, citation, span) {
                annotations.push(annotation);
            } else {
                self.warnings.dropped(format_args!("response.content[{place}].citations"));
            }
        }
        annotations
    }

    /// Thoughts up to the first that bears a seal; how many parts that were.
    fn reasoning(&mut self, a: &mut Items<'_>, parts: &[Part]) -> usize {
        let id = self.id(item::Kind::Reasoning);
        let (mut words, mut sealed, mut taken) = (Vec::new(), None, 0);
        for part in parts {
            let Part::Thinking { text, signature } = part else { break };
            taken += 1;
            words.extend(Some(text.as_str()).filter(|text| !text.is_empty()));
            sealed = signature.as_ref().map(seal::of_words);
            if sealed.is_some() {
                break;
            }
        }
        a.object(|o| item::write_reasoning(o, &id, words.into_iter(), sealed.as_deref()));
        taken
    }
}

/// The probabilities of a text's tokens, one by one.
pub(in crate::dialect::openai_responses) fn token_logprobs(json: &Json) -> Vec<Json> {
    let path = Path::Root;
    let Ok(mut told) = Object::read(json.text(), &path) else { return Vec::new() };
    told.items("content").unwrap_or_default().into_iter().map(Json::from).collect()
}
