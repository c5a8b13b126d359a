//! A provider's stream into events: what begins and ends it, and to which item each event belongs.

use super::items::Items;
use super::wire::{EventWire, Place, ResponseWire};
use crate::dialect::UpstreamError;
use crate::dialect::ir::{Event, FinishReason, Json};
use crate::dialect::openai_responses::{read_incomplete, response};
use crate::dialect::text::{Repaired, repair};
use std::borrow::Cow;

/// The state of a stream.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Decode {
    phase: Phase,
    items: Items,
    /// The event at hand holds stand-ins for surrogates.
    repaired: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Before,
    Running,
    /// An error was told; usage may follow.
    Failed,
    Ended,
}

impl Decode {
    /// Takes one event of the stream.
    pub(in crate::dialect) fn event(&mut self, name: &str, data: &str, out: &mut Vec<Event>) {
        if self.phase == Phase::Ended || data.trim() == "[DONE]" {
            return;
        }
        self.repaired = false;
        if let Ok(event) = crate::json::parse::<EventWire<'_>>(data) {
            return self.take(name, data, event, out);
        }
        match repair(data) {
            Repaired::Object(fixed) => match crate::json::parse::<EventWire<'_>>(&fixed) {
                Ok(event) => {
                    self.repaired = true;
                    self.take(name, &fixed, event, out);
                }
                Err(_) => self.fail(UpstreamError::protocol("an event of the stream has another shape"), out),
            },
            Repaired::Nothing => {}
            Repaired::NotJson => self.fail(UpstreamError::protocol("an event of the stream is not JSON"), out),
        }
    }

    /// The stream is broken: tells it once.
    pub(in crate::dialect) fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        if matches!(self.phase, Phase::Before | Phase::Running) {
            self.phase = Phase::Failed;
            out.push(Event::Error(error));
        }
    }

    /// The body has ended. Without its last event no answer is complete.
    pub(in crate::dialect) fn end_of_body(&mut self, out: &mut Vec<Event>) {
        self.fail(UpstreamError::protocol("the stream ended early"), out);
    }

    /// Takes note of a piece of words that is told elsewhere; `false` where it must be read in full.
    pub(super) fn note(&mut self, item: u64, place: Place) -> bool {
        self.phase == Phase::Running && self.items.note(item, place)
    }

    fn take(&mut self, name: &str, data: &str, event: EventWire<'_>, out: &mut Vec<Event>) {
        let kind = match event.kind.some() {
            Some(kind) => kind,
            None => name,
        };
        if self.phase == Phase::Failed {
            out.extend(event.response.0.and_then(|response| response.usage()).map(Event::Usage));
            return;
        }
        if kind == "error" {
            return self.fail(UpstreamError::from_event(data), out);
        }
        // As servers say it that know only OpenAI's other dialect.
        if let Some(error) = event.error {
            return self.fail(UpstreamError::from_event(error.get()), out);
        }
        let item = event.output_index.0.unwrap_or(0);
        let (content, summary) = (event.content_index.0.unwrap_or(0), event.summary_index.0.unwrap_or(0));
        if let Some(place) = Place::of_delta(kind, content, summary) {
            self.ensure_started(out);
            if let Some(piece) = event.delta.into_some() {
                self.items.words(item, place, piece, self.repaired, out);
            }
            if !event.logprobs.0.is_empty() {
                out.extend(logprobs(&event.logprobs.0).map(|json| Event::Logprobs { choice: 0, json }));
            }
            return;
        }
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                if let Some(response) = event.response.0 {
                    self.start(&response, out);
                }
            }
            "response.output_item.added" => {
                if let Some(raw) = event.item {
                    self.ensure_started(out);
                    self.items.open(item, raw, out);
                }
            }
            "response.output_item.done" => {
                if let Some(raw) = event.item {
                    self.ensure_started(out);
                    self.items.finish(item, raw, self.repaired, out);
                }
            }
            "response.content_part.done" => {
                if let Some(raw) = event.part {
                    self.ensure_started(out);
                    self.items.finish_part(item, content, raw, self.repaired, out);
                }
            }
            // Servers that send no deltas tell the words here.
            "response.reasoning_summary_text.done" => {
                self.whole(item, Place::Summary(summary), event.text.into_some(), out)
            }
            "response.reasoning_text.done" => self.whole(item, Place::Thoughts(content), event.text.into_some(), out),
            "response.output_text.done" => self.whole(item, Place::Text(content), event.text.into_some(), out),
            "response.refusal.done" => self.whole(item, Place::Refusal(content), event.refusal.into_some(), out),
            "response.output_text.annotation.added" => {
                if let Some(raw) = event.annotation {
                    self.ensure_started(out);
                    self.items.cite(item, content, raw, out);
                }
            }
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                match event.response.0 {
                    Some(response) => self.end(kind, response, out),
                    None => self.fail(UpstreamError::protocol("the last event of the stream has no answer"), out),
                }
            }
            // How far a built-in tool is, and whatever comes to exist.
            _ => {}
        }
    }

    fn whole(&mut self, item: u64, place: Place, text: Option<Cow<'_, str>>, out: &mut Vec<Event>) {
        if let Some(text) = text {
            self.ensure_started(out);
            self.items.whole(item, place, text, self.repaired, out);
        }
    }

    fn ensure_started(&mut self, out: &mut Vec<Event>) {
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            out.push(Event::Start { id: None, model: None });
        }
    }

    fn start(&mut self, response: &ResponseWire<'_>, out: &mut Vec<Event>) {
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            let owned = |text: Option<&str>| text.map(str::to_owned);
            out.push(Event::Start { id: owned(response.id.some()), model: owned(response.model.some()) });
        }
    }

    /// The last event has the whole answer. What it has that no event told is told now.
    fn end(&mut self, kind: &str, response: ResponseWire<'_>, out: &mut Vec<Event>) {
        let usage = response.usage().map(Event::Usage);
        let status = match kind {
            "response.failed" => Some("failed"),
            "response.cancelled" => Some("cancelled"),
            _ => response.status.some(),
        };
        if let Some(error) = response::failure(status, response.error.map(|raw| raw.get())) {
            self.fail(error, out);
            out.extend(usage);
            return;
        }
        self.start(&response, out);
        for (index, raw) in (0..).zip(&response.output.0) {
            self.items.finish(index, raw, self.repaired, out);
        }
        self.items.close_all(out);
        let reason = if kind == "response.incomplete" || status == Some("incomplete") {
            read_incomplete(response.incomplete_details.0.as_ref().and_then(|details| details.reason.some()))
        } else if self.items.called() {
            FinishReason::ToolCalls
        } else {
            FinishReason::Stop
        };
        out.push(Event::Finish { choice: 0, reason });
        out.extend(usage);
        self.phase = Phase::Ended;
        out.push(Event::End);
    }
}

/// Probabilities in the form of the common answer.
fn logprobs(tokens: &[&serde_json::value::RawValue]) -> Option<Json> {
    let mut text = String::from("{\"content\":[");
    for (index, token) in tokens.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(token.get());
    }
    text.push_str("]}");
    Json::parse(&text)
}
