//! Events into a caller's stream.

use crate::dialect::StreamContext;
use crate::dialect::ir::{BlockKind, Delta, Event, Seal};
use crate::dialect::json_write::{self, Members, array, object};
use crate::dialect::openai_chat::{error, finish_word, reasoning, response, usage};
use crate::usage::Usage;

/// Thoughts kept to be given back signed; beyond this they are shown but not repeated.
const MOST_THOUGHTS: usize = 1 << 20;

/// The state of a stream.
#[derive(Debug)]
pub(in crate::dialect) struct Encode {
    context: StreamContext,
    /// `data: {"id":…,"model":…,"choices":[`, the same in every chunk.
    head: Vec<u8>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
    ended: bool,
}

#[derive(Debug)]
struct Choice {
    index: u64,
    calls: Vec<Call>,
    /// The thinking block being sent: its number, its words, its signature.
    thoughts: Option<(u64, String, Option<Seal>)>,
    /// The refusal block being sent.
    refusal: Option<u64>,
    details: usize,
    /// The seal just sent: it may sign the call that follows.
    seal: Option<Seal>,
    finish: Option<&'static str>,
}

#[derive(Debug)]
struct Call {
    block: u64,
    empty: bool,
}

impl Encode {
    pub(in crate::dialect) fn new(context: StreamContext) -> Encode {
        Encode { context, head: Vec::new(), choices: Vec::new(), usage: None, ended: false }
    }

    /// Appends what an event becomes.
    pub(in crate::dialect) fn event(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            Event::Start { id, model } => {
                self.start(id.as_deref(), model.as_deref());
                self.choice(0, out);
            }
            Event::BlockStart { choice, block, kind } => self.block_start(choice, block, kind, out),
            Event::Delta { choice, block, delta } => self.delta(choice, block, delta, out),
            Event::BlockStop { choice, block } => self.block_stop(choice, block, out),
            Event::Logprobs { choice, json } => {
                self.choice(choice, out);
                self.chunk(out, |out| {
                    object(out, |o| {
                        o.number("index", choice);
                        o.object("delta", |_| {});
                        o.json("logprobs", &json);
                        o.null("finish_reason");
                    });
                });
            }
            Event::Finish { choice, reason } => {
                let place = self.choice(choice, out);
                if let Some(choice) = self.choices.get_mut(place) {
                    choice.finish = Some(finish_word(&reason));
                }
            }
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Error(failure) => {
                self.ended = true;
                error::write_event(out, &failure.to_api_error(), &self.context.request_id);
            }
            Event::End => self.end(out),
        }
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>) {
        let mut head = Vec::with_capacity(192);
        object(&mut head, |o| {
            o.string("id", id.unwrap_or(&self.context.id));
            o.string("object", "chat.completion.chunk");
            o.number("created", self.context.created);
            o.string("model", self.context.model.as_deref().or(model).unwrap_or_default());
        });
        head.pop();
        self.head = [b"data: ", head.as_slice(), b",\"choices\":["].concat();
    }

    /// One chunk whose only choice is written by `choice`.
    fn chunk(&self, out: &mut Vec<u8>, choice: impl FnOnce(&mut Vec<u8>)) {
        out.extend_from_slice(&self.head);
        choice(out);
        out.extend_from_slice(b"]}\n\n");
    }

    /// One chunk that adds to a choice's message.
    fn add(&self, choice: u64, out: &mut Vec<u8>, delta: impl FnOnce(&mut Members<'_>)) {
        self.chunk(out, |out| {
            out.extend_from_slice(b"{\"index\":");
            json_write::number(out, choice);
            out.extend_from_slice(b",\"delta\":");
            object(out, delta);
            out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":null}");
        });
    }

    /// The place of a choice; its first chunk, which tells the role, is sent when it is new.
    fn choice(&mut self, index: u64, out: &mut Vec<u8>) -> usize {
        if let Some(place) = self.choices.iter().position(|choice| choice.index == index) {
            return place;
        }
        if self.head.is_empty() {
            self.start(None, None);
        }
        self.add(index, out, |o| {
            o.string("role", "assistant");
            o.string("content", "");
        });
        self.choices.push(Choice {
            index,
            calls: Vec::new(),
            thoughts: None,
            refusal: None,
            details: 0,
            seal: None,
            finish: None,
        });
        self.choices.len() - 1
    }

    fn block_start(&mut self, index: u64, block: u64, kind: BlockKind, out: &mut Vec<u8>) {
        let place = self.choice(index, out);
        let Some(choice) = self.choices.get_mut(place) else { return };
        match kind {
            BlockKind::Text | BlockKind::Opaque { .. } => {}
            BlockKind::Refusal => choice.refusal = Some(block),
            BlockKind::Thinking => choice.thoughts = Some((block, String::new(), None)),
            BlockKind::RedactedThinking(data) => {
                let number = choice.details;
                choice.details += 1;
                choice.seal = Some(data.clone());
                self.add(index, out, |o| {
                    array(o.value("reasoning_details"), |a| reasoning::write_redacted(a, &data, number));
                });
            }
            BlockKind::ToolCall { id, name } => {
                let number = choice.calls.len();
                let seal = choice.seal.take();
                choice.calls.push(Call { block, empty: true });
                self.add(index, out, |o| {
                    o.array("tool_calls", |a| {
                        a.object(|o| {
                            o.number("index", number);
                            o.string("id", &id);
                            o.string("type", "function");
                            o.object("function", |o| {
                                o.string("name", &name);
                                o.string("arguments", "");
                            });
                            reasoning::write_signature(o, seal.as_ref());
                        });
                    });
                });
            }
        }
    }

    fn delta(&mut self, index: u64, block: u64, delta: Delta, out: &mut Vec<u8>) {
        let place = self.choice(index, out);
        let Some(choice) = self.choices.get_mut(place) else { return };
        match delta {
            Delta::Text(text) => {
                let name = match &mut choice.thoughts {
                    Some((thinking, words, _)) if *thinking == block => {
                        if words.len() + text.len() <= MOST_THOUGHTS {
                            words.push_str(&text);
                        }
                        "reasoning_content"
                    }
                    Some(_) | None if choice.refusal == Some(block) => "refusal",
                    Some(_) | None => "content",
                };
                self.add(index, out, |o| o.string(name, &text));
            }
            Delta::Signature(piece) => {
                if let Some((_, _, signature)) = choice.thoughts.as_mut().filter(|(thinking, ..)| *thinking == block) {
                    match signature {
                        Some(signature) => signature.text.push_str(&piece.text),
                        None => *signature = Some(piece),
                    }
                }
            }
            Delta::Arguments(piece) => {
                let Some(number) = choice.calls.iter().position(|call| call.block == block) else { return };
                if let Some(call) = choice.calls.get_mut(number) {
                    call.empty &= piece.is_empty();
                }
                self.arguments(index, number, &piece, out);
            }
            Delta::Citation(citation) => {
                let mut annotation = Vec::new();
                if response::write_annotation(&mut annotation, &citation, None) {
                    self.add(index, out, |o| {
                        o.array("annotations", |a| a.value().extend_from_slice(&annotation));
                    });
                }
            }
            Delta::Opaque(_) => {}
        }
    }

    fn arguments(&self, index: u64, number: usize, piece: &str, out: &mut Vec<u8>) {
        self.add(index, out, |o| {
            o.array("tool_calls", |a| {
                a.object(|o| {
                    o.number("index", number);
                    o.object("function", |o| o.string("arguments", piece));
                });
            });
        });
    }

    fn block_stop(&mut self, index: u64, block: u64, out: &mut Vec<u8>) {
        let place = self.choice(index, out);
        let Some(choice) = self.choices.get_mut(place) else { return };
        // A call without arguments: clients parse what they collected.
        if let Some(number) = choice.calls.iter().position(|call| call.block == block && call.empty) {
            if let Some(call) = choice.calls.get_mut(number) {
                call.empty = false;
            }
            self.arguments(index, number, "{}", out);
            return;
        }
        let sealed = choice.thoughts.take_if(|(thinking, ..)| *thinking == block);
        if let Some((_, words, Some(signature))) = sealed {
            let number = choice.details;
            choice.details += 1;
            self.add(index, out, |o| {
                o.array("reasoning_details", |a| reasoning::write_thought(a, &words, Some(&signature), number));
            });
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.ended = true;
        self.choice(0, out);
        for choice in &self.choices {
            self.chunk(out, |out| {
                object(out, |o| {
                    o.number("index", choice.index);
                    o.object("delta", |_| {});
                    o.null("logprobs");
                    o.string("finish_reason", choice.finish.unwrap_or("stop"));
                });
            });
        }
        if let Some(usage) = self.usage.as_ref().filter(|_| self.context.include_usage) {
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"],\"usage\":");
            object(out, |o| usage::write(o, usage));
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}
