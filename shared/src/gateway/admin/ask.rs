//! What an admin route is asked, and what it answers.

use super::routes::Route;
use crate::error::{ApiError, Code};
use crate::gateway::Caller;
use crate::gateway::journal::Hash;
use crate::http::{Head, Header, percent_decode, query_parameter};
use crate::json;
use crate::records::Record;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The most entries one page of a list holds, and how many it holds unless asked.
pub(super) const MAX_PAGE: usize = 200;
const PAGE: usize = 100;

const JSON: &str = "application/json";

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The query, still encoded.
    pub query: String,
    /// `if-match`.
    pub if_match: Option<String>,
    /// `idempotency-key`.
    pub idempotency_key: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A request that may be served.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Who asks.
    pub who: &'a Caller,
    /// What stands in the braces of the path.
    pub args: &'a [String],
    /// The rest.
    pub request: &'a Request,
}

impl Ask<'_> {
    /// The argument in the path's first braces.
    pub fn id(&self) -> &str {
        self.args.first().map_or("", String::as_str)
    }

    /// A query parameter, decoded; an empty one counts as absent.
    pub fn query(&self, name: &str) -> Option<String> {
        query_parameter(&self.request.query, name).filter(|value| !value.is_empty())
    }

    /// Refuses parameters that nobody would look at: a filter that is misspelt must not list everything.
    pub fn refuse_unknown(&self, known: &[&str]) -> Result<(), ApiError> {
        for pair in self.request.query.split('&').filter(|pair| !pair.is_empty()) {
            let name = percent_decode(pair.split('=').next().unwrap_or_default());
            // `tag_name` stands for `tag.NAME` of any name.
            let is_tag = name.starts_with("tag.") && known.contains(&"tag_name");
            if !is_tag && (name == "tag_name" || !known.contains(&name.as_str())) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let known = known.replace("tag_name", "tag.NAME");
                return Err(ApiError::new(
                    Code::InvalidRequest,
                    format!("There is no such query parameter here. Known: {known}."),
                ));
            }
        }
        Ok(())
    }

    /// Refuses a request without the body that its route takes: nothing at all would pass for an empty document.
    pub fn refuse_empty(&self, route: &Route) -> Result<(), ApiError> {
        let wanted = !route.takes.is_empty() && !route.takes.ends_with('?');
        match wanted && self.request.body.iter().all(u8::is_ascii_whitespace) {
            true => Err(ApiError::new(Code::InvalidRequest, "The body is missing. `{}` is an empty one.")),
            false => Ok(()),
        }
    }

    /// `limit`: how many entries a page may have.
    pub fn limit(&self) -> Result<usize, ApiError> {
        let Some(text) = self.query("limit") else { return Ok(PAGE) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
        limit.ok_or_else(|| ApiError::invalid("limit", format!("limit must be a whole number from 1 to {MAX_PAGE}.")))
    }

    /// The body, read as JSON. `shape` says what is expected, for the error.
    pub fn json<T: DeserializeOwned>(&self, shape: &str) -> Result<T, ApiError> {
        json::read(&self.request.body).map_err(|error| unlike(shape, &error))
    }

    /// The body, which must be a JSON object. None at all is an empty one.
    pub fn members(&self) -> Result<Map<String, Value>, ApiError> {
        if self.request.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Map::new());
        }
        // A name that is written twice is read by nobody the same way.
        json::scan(&self.request.body, &json::Limits::default())?;
        let read = json::text(&self.request.body).and_then(json::object);
        read.map_err(|error| unlike("a JSON object", &error))
    }

    /// Holds `if-match` against a record as it stands (RFC 9110, section 13.1.1). `None`: there is no such record.
    pub fn precondition(&self, record: Option<&Record>) -> Result<(), ApiError> {
        let Some(wanted) = self.request.if_match.as_deref() else { return Ok(()) };
        let holds = record.is_some_and(|record| {
            let tag = etag(record.version);
            wanted.trim() == "*" || wanted.split(',').any(|one| one.trim() == tag)
        });
        if holds { Ok(()) } else { Err(changed()) }
    }
}

/// The answer to a body that is not of this shape.
fn unlike(shape: &str, error: &json::ReadError) -> ApiError {
    ApiError::new(Code::InvalidRequest, format!("The body must be {shape}: {error}."))
}

/// The answer where somebody else was faster.
pub(super) fn changed() -> ApiError {
    ApiError::new(
        Code::PreconditionFailed,
        "It was changed since you read it, or is not there. Read it again, and send its `etag` as `if-match`.",
    )
}

/// The `etag` of a record's version.
pub(super) fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// An answer of the admin plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub content: Content,
    /// Headers beside the content's type.
    pub headers: Vec<Header>,
    /// Something was changed that this process must take over before its next request.
    pub is_news: bool,
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// JSON, as nearly always.
    Json(Value),
    /// Text of another type: `text/csv`, `application/x-ndjson`.
    Text(&'static str, String),
}

impl Answer {
    /// 200.
    pub fn ok(body: Value) -> Answer {
        Answer { status: 200, content: Content::Json(body), headers: Vec::new(), is_news: false }
    }

    /// 201.
    pub fn created(body: Value) -> Answer {
        Answer { status: 201, ..Answer::ok(body) }
    }

    /// 200 with text of a type.
    pub fn text(kind: &'static str, text: String) -> Answer {
        Answer { content: Content::Text(kind, text), ..Answer::ok(Value::Null) }
    }

    /// The same, with the `etag` of what it shows.
    #[must_use]
    pub fn tagged(mut self, version: u64) -> Answer {
        self.headers.push(("etag".into(), etag(version)));
        self
    }

    /// The same, with an `etag` of what it says where it has none of its own: lists and figures have no version.
    #[must_use]
    pub fn told(mut self) -> Answer {
        if let Content::Json(body) = &self.content {
            // Plain data with string keys cannot fail to serialise.
            self.content = Content::Text(JSON, serde_json::to_string(body).unwrap_or_default());
        }
        if let Content::Text(_, text) = &self.content
            && self.headers.iter().all(|(name, _)| name != "etag")
        {
            self.headers.push(("etag".into(), format!("\"{}\"", Hash::of(&[text.as_bytes()]))));
        }
        self
    }

    /// The same, after a change that every process takes over.
    #[must_use]
    pub fn news(self) -> Answer {
        Answer { is_news: true, ..self }
    }

    /// Head and body as they are sent. The request's id stands in a header, and within an error.
    pub fn written(mut self, id: &str) -> (Head, Vec<u8>) {
        if let Content::Json(body) = &mut self.content
            && let Some(error) = body.get_mut("error").and_then(Value::as_object_mut)
        {
            error.insert("request_id".to_owned(), id.into());
        }
        let (kind, body) = match self.content {
            // Plain data with string keys cannot fail to serialise.
            Content::Json(value) => (JSON, serde_json::to_vec(&value).unwrap_or_default()),
            Content::Text(kind, text) => (kind, text.into_bytes()),
        };
        let mut head = Head::new(self.status, kind);
        head.set("cache-control", "no-store");
        head.set("x-signalbox-request-id", id);
        head.headers.extend(self.headers);
        (head, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(version: u64) -> Record {
        Record { key: "k".into(), value: "{}".into(), version }
    }

    #[test]
    fn a_precondition_holds_for_the_version_that_was_read() {
        let who = Caller::default();
        for (if_match, record, holds) in [
            (None, None, true),
            (Some("\"3\""), Some(record(3)), true),
            (Some("\"2\", \"3\""), Some(record(3)), true),
            (Some("*"), Some(record(3)), true),
            (Some("*"), None, false),
            (Some("\"2\""), Some(record(3)), false),
            // Weak tags never match here (RFC 9110, section 8.8.3.2).
            (Some("W/\"3\""), Some(record(3)), false),
            (Some("3"), Some(record(3)), false),
        ] {
            let request = Request { if_match: if_match.map(str::to_owned), ..Request::default() };
            let ask = Ask { who: &who, args: &[], request: &request };
            assert_eq!(ask.precondition(record.as_ref()).is_ok(), holds, "{if_match:?}");
        }
    }

    #[test]
    fn a_parameter_nobody_reads_is_refused() {
        let who = Caller::default();
        for (query, good) in [
            ("", true),
            ("team=a&limit=3", true),
            ("tag.app=shop", true),
            ("tag_name=shop", false),
            ("tema=a", false),
            ("team=a&x", false),
        ] {
            let request = Request { query: query.to_owned(), ..Request::default() };
            let ask = Ask { who: &who, args: &[], request: &request };
            assert_eq!(ask.refuse_unknown(&["team", "limit", "tag_name"]).is_ok(), good, "{query}");
        }
    }

    #[test]
    fn a_page_has_a_size_in_bounds() {
        let who = Caller::default();
        for (query, size) in
            [("", Some(PAGE)), ("limit=1", Some(1)), ("limit=0", None), ("limit=201", None), ("limit=x", None)]
        {
            let request = Request { query: query.to_owned(), ..Request::default() };
            let ask = Ask { who: &who, args: &[], request: &request };
            assert_eq!(ask.limit().ok(), size, "{query}");
        }
    }
}
