//! The object around an answer's output: what OpenAI's SDKs want of it, in one piece and in the events
//! that begin and end a stream.

use super::super::{incomplete_word, usage};
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
}

/// The id of an answer; clients tell by its beginning what it is of.
pub(in crate::dialect::openai_responses) fn id(provider: &str) -> String {
    if provider.starts_with("resp_") { provider.to_owned() } else { format!("resp_{provider}") }
}

impl Shape<'_> {
    /// Writes the answer with what `output` writes. What would repeat the request stands at its default.
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
        for name in ["instructions", "max_output_tokens", "max_tool_calls"] {
            o.null(name);
        }
        o.string("model", self.model);
        output(o.value("output"));
        o.boolean("parallel_tool_calls", true);
        o.null("previous_response_id");
        o.object("reasoning", |o| {
            o.null("effort");
            o.null("summary");
        });
        o.maybe_string("service_tier", self.service_tier);
        // Nothing is kept here, so no later request can refer to it.
        o.boolean("store", false);
        o.null("temperature");
        o.object("text", |o| o.object("format", |o| o.string("type", "text")));
        o.string("tool_choice", "auto");
        o.array("tools", |_| {});
        o.null("top_p");
        o.string("truncation", "disabled");
        match self.usage {
            Some(usage) => o.object("usage", |o| usage::write(o, usage)),
            None => o.null("usage"),
        }
        o.null("user");
        o.object("metadata", |_| {});
    }
}
