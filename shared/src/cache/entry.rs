//! A kept answer, and how it is told to somebody who asked in another way.

use crate::dialect::ir::ChatResponse;
use crate::dialect::{Dialect, Framing, ProviderDialect, ResponseContext, StreamContext, Warnings};
use crate::operation::Operation;
use crate::proxy::{CallerRequest, frame_whole};
use crate::sorted::SortedMap;
use crate::units::{NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};

/// An answer as it was given, complete and in its caller's dialect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was given.
    pub at: Timestamp,
    /// Who answered, `provider:model`.
    pub model: String,
    /// The route it went by; `None` when a model was named.
    pub route: Option<String>,
    /// The dialect it is in.
    pub dialect: Dialect,
    /// Whether it is a stream of events.
    pub events: bool,
    /// What it cost: what a hit saves.
    pub cost: NanoUsd,
    /// The request's tags, to purge by.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub tags: SortedMap<String, String>,
    /// The versions of definitions its model was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<String>,
    /// The answer; kept behind the rest, as it is.
    #[serde(skip)]
    pub body: String,
}

/// A kept answer in the words of the one who asks now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The body.
    pub body: Vec<u8>,
    /// Whether it is a stream, in the framing that was asked for.
    pub stream: bool,
}

impl Entry {
    /// An entry from the text it was kept as; `None` for one that another version wrote.
    pub fn read(text: &str) -> Option<Entry> {
        let (about, body) = text.split_once('\n')?;
        Some(Entry { body: body.to_owned(), ..crate::json::parse(about).ok()? })
    }

    /// The text to keep: what there is to say of the answer, in a line, and the answer. Where not all of it can be read, the
    /// line still can.
    pub fn text(&self) -> String {
        // Strings, integers and a map of them: nothing here can fail to be written.
        let about = serde_json::to_string(self).unwrap_or_default();
        [about.as_str(), "\n", self.body.as_str()].concat()
    }

    /// The answer for this request; `None` if what is kept cannot be read any more.
    pub fn tell(self, request: &CallerRequest, request_id: &str, now: Timestamp) -> Option<Told> {
        let stream = request.facts.stream;
        let same_words = self.dialect == request.dialect && self.events == stream;
        let is_chat = match &request.operation {
            Operation::Chat(_) => true,
            Operation::Completions
            | Operation::Embeddings
            | Operation::Rerank
            | Operation::CountTokens(_)
            | Operation::PassThrough(_) => false,
        };
        if same_words && (!stream || request.facts.framing == Framing::Events) {
            return Some(Told { body: self.body.into_bytes(), stream });
        }
        if !is_chat {
            return None;
        }
        let response = self.response()?;
        let created = now.0 / 1_000;
        let body = if stream {
            let mut encoder = request.dialect.encoder(StreamContext {
                id: request_id.to_owned(),
                model: None,
                created,
                include_usage: request.facts.include_usage,
                request_id: request_id.to_owned(),
                echo: request.dialect.echo(&request.body),
            });
            let mut events = Vec::new();
            response.into_events().into_iter().for_each(|event| encoder.push(event, &mut events));
            frame_whole(request.facts.framing, events).into()
        } else {
            let echo = &request.dialect.echo(&request.body);
            let context = ResponseContext { id: request_id, model: None, created, echo };
            // What this dialect cannot say was in the first answer's warnings already, or is not said at all.
            request.dialect.write_response(&response, &context, &mut Warnings::default())
        };
        Some(Told { body, stream })
    }

    fn response(&self) -> Option<ChatResponse> {
        if !self.events {
            return self.dialect.read_response(self.body.as_bytes()).ok();
        }
        let (mut decoder, mut events) = (self.dialect.decoder(), Vec::new());
        decoder.push(self.body.as_bytes(), &mut events);
        decoder.finish(&mut events);
        Some(ChatResponse::from_events(ProviderDialect::from(self.dialect), events))
    }
}
