//! The object around an answer's output: what OpenAI's SDKs want of it, in one piece and in the events
//! that begin and end a stream.

use super::super::{incomplete_word, usage};
use crate::dialect::Echo;
use crate::dialect::ir::FinishReason;
use crate::dialect::json_write::Members;
use crate::usage::Usage;

/// How far an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect::openai_responses) enum Status {
    InProgress,
    Completed,
    /// Cut off, for this reason.
    Incomplete(&'static str),
}

impl Status {
    /// How an answer ended.
    pub(in crate::dialect::openai_responses) fn of(finish: Option<&FinishReason>) -> Status {
        incomplete_word(finish).map_or(Status::Completed, Status::Incomplete)
    }

    /// The word in the answer, and in its last message.
    pub(in crate::dialect::openai_responses) fn as_str(self) -> &'static str {
        match self {
            Status::InProgress => "in_progress",
            Status::Completed => "completed",
            Status::Incomplete(_) => "incomplete",
        }
    }
}

/// What an answer repeats of its request, and what stands there where the request says nothing.
const REPEATED: [(&str, &str); 13] = [
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_p", "null"),
    ("truncation", r#""disabled""#),
    ("user", "null"),
];

/// What the answer to a request repeats of it.
pub(in crate::dialect) fn echo(request: &[u8]) -> Echo {
    Echo::of(request, REPEATED.iter().map(|(name, _)| *name))
}

/// An answer but for its output.
#[derive(Debug)]
pub(in crate::dialect::openai_responses) struct Shape<'a> {
    pub(in crate::dialect::openai_responses) id: &'a str,
    pub(in crate::dialect::openai_responses) model: &'a str,
    /// In seconds since 1970.
    pub(in crate::dialect::openai_responses) created: u64,
    pub(in crate::dialect::openai_responses) status: Status,
    pub(in crate::dialect::openai_responses) usage: Option<&'a Usage>,
    pub(in crate::dialect::openai_responses) service_tier: Option<&'a str>,
    pub(in crate::dialect::openai_responses) echo: &'a Echo,
}

/// The id of an answer; clients tell by its beginning what it is of.
pub(in crate::dialect::openai_responses) fn id(provider: &str) -> String {
    if provider.starts_with("resp_") { provider.to_owned() } else { format!("resp_{provider}") }
}

impl Shape<'_> {
    /// Writes the answer with what `output` writes.
    pub(in crate::dialect::openai_responses) fn write(&self, o: &mut Members<'_>, output: impl FnOnce(&mut Vec<u8>)) {
        o.string("id", self.id);
        o.string("object", "response");
        o.number("created_at", self.created);
        o.string("status", self.status.as_str());
        o.boolean("background", false);
        o.null("error");
        match self.status {
            Status::Incomplete(reason) => o.object("incomplete_details", |o| o.string("reason", reason)),
            Status::InProgress | Status::Completed => o.null("incomplete_details"),
        }
        o.string("model", self.model);
        output(o.value("output"));
        o.null("previous_response_id");
        o.maybe_string("service_tier", self.service_tier);
        // Nothing is kept here, so no later request can refer to it.
        o.boolean("store", false);
        for (name, usual) in REPEATED {
            match self.echo.get(name) {
                Some(json) => o.json(name, json),
                None => o.value(name).extend_from_slice(usual.as_bytes()),
            }
        }
        match self.usage {
            Some(usage) => o.object("usage", |o| usage::write(o, usage)),
            None => o.null("usage"),
        }
    }
}
