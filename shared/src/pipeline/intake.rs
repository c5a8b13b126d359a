//! What a request says beside its body: who, for whom, how long, where to.

use crate::cache::Wish;
use crate::dialect::Dialect;
use crate::error::{ApiError, Code};
use crate::gateway::caller;
use crate::gateway::keys::token;
use crate::gateway::ledger::RateState;
use crate::http::{Header, query_parameter};
use crate::operation::{Operation, passthrough};
use crate::ports::{BodyError, Clock, Request};
use crate::secret::Secret;
use crate::sorted::SortedMap;
use crate::units::{Millis, Timestamp};
use futures_util::future::{Either, select};
use std::borrow::Cow;
use std::pin::pin;

/// Most tags a request may carry, and the most bytes in a tag's name or value.
const MAX_TAGS: usize = 32;
const MAX_TAG_BYTES: usize = 256;
/// Most bytes of the name of a user, a session or a request.
const MAX_NAME_BYTES: usize = 256;

/// Headers of the caller's that a provider of the same dialect understands.
const FORWARDED: [&str; 5] =
    ["anthropic-version", "anthropic-beta", "openai-beta", "openai-organization", "openai-project"];

/// Most bytes of a provider's key.
const MAX_PROVIDER_KEY_BYTES: usize = 4096;

/// The envelope of a request.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    /// The request's id, `req_…`.
    pub id: String,
    /// When it came.
    pub at: Timestamp,
    /// What it is for, as the audit line says it.
    pub operation: &'static str,
    /// The dialect it is answered in.
    pub dialect: Dialect,
    /// W3C trace context of the answer: the caller's trace, or a new one.
    pub traceparent: String,
    /// Whether it is the caller's.
    pub traced: bool,
    /// `x-signalbox-route`: takes the place of the body's model.
    pub route: Option<String>,
    /// `x-signalbox-user`.
    pub user: Option<String>,
    /// `x-signalbox-tags`.
    pub tags: SortedMap<String, String>,
    /// `x-signalbox-session`.
    pub session: Option<String>,
    /// `x-signalbox-explain`: the decision goes with the answer.
    pub explain: bool,
    /// `x-signalbox-timeout-ms`.
    pub timeout: Option<Millis>,
    /// `x-signalbox-cache`.
    pub cache: Wish,
    /// `idempotency-key`: the caller's own name for the request.
    pub idempotency_key: Option<String>,
    /// The governed definitions the model is given, as `x-signalbox-context` names them.
    pub context: Option<String>,
    /// What the configuration wants and the gateway cannot do, as warnings name it.
    pub notes: Vec<&'static str>,
    /// How the limit stands that refused the request.
    pub rates: Vec<RateState>,
    /// Headers for a provider of the same dialect.
    pub forwarded: Vec<Header>,
}

/// A trace of our own, not sampled.
fn new_trace(clock: &impl Clock) -> String {
    let nonzero = || clock.entropy().max(1);
    format!("00-{:016x}{:016x}-{:016x}-00", nonzero(), clock.entropy(), nonzero())
}

/// A new request id: the time, then 90 bits of chance. What is kept by the ids of one moment lies side by side, so that a
/// table's page is written once for many of them.
pub fn request_id(clock: &impl Clock) -> String {
    format!("req_{:011x}{}", clock.now().0, token(|| clock.entropy(), 15))
}

impl Intake {
    /// Before anything is read: an id and a time, so that every error has them.
    pub(super) fn new(clock: &impl Clock, operation: &Operation, request: &impl Request) -> Intake {
        let given = request.header("traceparent").filter(|value| is_traceparent(value));
        let traced = given.is_some();
        let traceparent = given.map_or_else(|| new_trace(clock), str::to_owned);
        Intake {
            id: request_id(clock),
            at: clock.now(),
            operation: operation.as_str(),
            dialect: operation.dialect(),
            traceparent,
            traced,
            route: None,
            user: None,
            tags: SortedMap::new(),
            session: None,
            explain: false,
            timeout: None,
            cache: Wish::Any,
            idempotency_key: None,
            context: None,
            notes: Vec::new(),
            rates: Vec::new(),
            forwarded: Vec::new(),
        }
    }

    /// Reads the optional headers.
    pub(super) fn read(&mut self, operation: &Operation, request: &impl Request) -> Result<(), ApiError> {
        let others: &[&str] = match operation {
            Operation::PassThrough(_) => &passthrough::REQUEST_HEADERS,
            Operation::Chat(_)
            | Operation::CountTokens(_)
            | Operation::Completions
            | Operation::Embeddings
            | Operation::Rerank => {
                self.route = request.header("x-signalbox-route").map(str::to_owned);
                &[]
            }
        };
        self.user = name(request, "x-signalbox-user")?;
        self.session = name(request, "x-signalbox-session")?;
        self.explain = request.header("x-signalbox-explain").is_some_and(|wish| wish.trim() == "1");
        if let Some(text) = request.header("x-signalbox-tags") {
            self.tags = tags(text)?;
        }
        if let Some(text) = request.header("x-signalbox-timeout-ms") {
            let ms = text.trim().parse().ok().filter(|ms| (1..=3_600_000).contains(ms));
            let ms = ms.ok_or_else(|| {
                ApiError::invalid(
                    "x-signalbox-timeout-ms",
                    "x-signalbox-timeout-ms must be a whole number from 1 to 3600000.",
                )
            })?;
            self.timeout = Some(Millis(ms));
        }
        self.cache = Wish::read(request.header("x-signalbox-cache"))?;
        self.idempotency_key = match request.header("idempotency-key").map(str::trim) {
            Some(name) if name.is_empty() || name.len() > MAX_NAME_BYTES || !is_printable(name) => {
                let message = "idempotency-key must be printable and 1 to 256 bytes.";
                return Err(ApiError::invalid("idempotency-key", message));
            }
            Some(_) if self.cache == Wish::NoStore => {
                let message = "idempotency-key has the answer kept, and x-signalbox-cache: no-store forbids it.";
                return Err(ApiError::invalid("idempotency-key", message));
            }
            name => name.map(str::to_owned),
        };
        self.forwarded = FORWARDED
            .iter()
            .chain(others)
            .filter_map(|name| Some((Cow::Borrowed(*name), request.header(name)?.to_owned())))
            .collect();
        Ok(())
    }
}

/// A header that is a name: printable and short.
fn name(request: &impl Request, header: &'static str) -> Result<Option<String>, ApiError> {
    match request.header(header) {
        Some(name) if name.len() > MAX_NAME_BYTES || !is_printable(name) => {
            Err(ApiError::invalid(header, format!("{header} must be printable and at most 256 bytes.")))
        }
        name => Ok(name.map(str::to_owned)),
    }
}

/// The credential of a chat: Google's SDKs may put it into the query, too.
pub(super) fn chat_credential(request: &impl Request, dialect: Dialect) -> Result<Option<String>, ApiError> {
    let key = match dialect {
        Dialect::Gemini => query_parameter(request.query(), "key"),
        Dialect::OpenAiChat | Dialect::Anthropic | Dialect::OpenAiResponses => None,
    };
    found(request, key.as_deref())
}

/// `x-signalbox-provider-key`: the key the provider is to be called with in place of the gateway's.
pub(super) fn provider_key(request: &impl Request) -> Result<Option<Secret>, ApiError> {
    request.header("x-signalbox-provider-key").map(checked).transpose()
}

/// The same where it is all the caller has: their credential itself.
pub(super) fn alone(request: &impl Request, credential: Option<String>) -> Result<Option<Secret>, ApiError> {
    if request.header("x-signalbox-provider-key").is_some() {
        let sentence = "The request carries two provider keys. Send one, as you would to the provider itself.";
        return Err(ApiError::new(Code::InvalidApiKey, sentence));
    }
    credential.as_deref().map(checked).transpose()
}

fn checked(key: &str) -> Result<Secret, ApiError> {
    if key.len() > MAX_PROVIDER_KEY_BYTES || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let sentence = "A provider's key must be one key of printable ASCII characters.";
        return Err(ApiError::invalid("x-signalbox-provider-key", sentence));
    }
    Ok(Secret::new(key))
}

/// The caller's credential, from any of the places SDKs put it.
pub fn credential(request: &impl Request) -> Result<Option<String>, ApiError> {
    found(request, None)
}

fn found(request: &impl Request, in_query: Option<&str>) -> Result<Option<String>, ApiError> {
    let [a, b, c] = ["x-api-key", "api-key", "x-goog-api-key"].map(|name| request.header(name));
    caller::credential(request.header("authorization"), &[a, b, c, in_query]).map_err(|_| {
        ApiError::new(Code::InvalidApiKey, "The request carries several credentials that disagree. Send one.")
    })
}

/// Refuses a body that is declared as something else than JSON in UTF-8.
pub fn check_content_type(request: &impl Request) -> Result<(), ApiError> {
    let refuse = |what: &str| {
        Err(ApiError::new(Code::UnsupportedMediaType, format!("{what} Send application/json in UTF-8, uncompressed.")))
    };
    if let Some(encoding) = request.header("content-encoding").filter(|e| !e.trim().eq_ignore_ascii_case("identity")) {
        return refuse(&format!("Content-Encoding `{}` is not accepted.", printable(encoding)));
    }
    let Some(content_type) = request.header("content-type") else { return Ok(()) };
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    if essence != "application/json" && !(essence.starts_with("application/") && essence.ends_with("+json")) {
        return refuse(&format!("Content-Type `{}` is not accepted.", printable(&essence)));
    }
    let charset = parts
        .find_map(|part| part.to_ascii_lowercase().strip_prefix("charset=").map(|c| c.trim_matches('"').to_owned()));
    match charset.as_deref() {
        None | Some("utf-8" | "utf8" | "us-ascii") => Ok(()),
        Some(charset) => refuse(&format!("Charset `{}` is not accepted.", printable(charset))),
    }
}

/// How long the body of anything but a call may take to arrive: those are small.
pub const PATIENCE: Millis = Millis(60_000);

/// A request's whole body, of at most `limit` bytes, if it has arrived after `patience`. One that trickles would hold a connection
/// and a task for as long as its sender likes.
pub async fn body<R: Request>(
    clock: &impl Clock,
    request: R,
    limit: usize,
    patience: Millis,
) -> Result<Vec<u8>, ApiError> {
    match select(pin!(request.body(limit)), pin!(clock.sleep(patience))).await {
        Either::Left((read, _)) => read.map_err(|error| unread(error, limit)),
        Either::Right(((), _)) => {
            let message = format!("The request's body did not arrive within {} ms. Send it at once.", patience.0);
            Err(ApiError::new(Code::Timeout, message))
        }
    }
}

fn unread(error: BodyError, limit: usize) -> ApiError {
    match error {
        BodyError::TooLarge => {
            let message = format!(
                "The body is larger than the {limit} bytes accepted here. Send less, or reference files by URL."
            );
            ApiError::new(Code::TooLarge, message)
        }
        BodyError::Broken => ApiError::new(Code::InvalidRequest, "The request's body ended early."),
    }
}

fn tags(text: &str) -> Result<SortedMap<String, String>, ApiError> {
    let refuse = |why: &str| ApiError::invalid("x-signalbox-tags", format!("x-signalbox-tags {why}"));
    let tags: SortedMap<String, String> =
        crate::json::parse(text).map_err(|_| refuse("must be a JSON object whose values are strings."))?;
    if tags.len() > MAX_TAGS {
        return Err(refuse("may hold at most 32 tags."));
    }
    let sane = |text: &String| text.len() <= MAX_TAG_BYTES && is_printable(text);
    if !tags.iter().all(|(name, value)| sane(name) && sane(value)) {
        return Err(refuse("must have printable names and values of at most 256 bytes."));
    }
    Ok(tags)
}

fn is_printable(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// A caller's text, fit for an error message.
fn printable(text: &str) -> String {
    text.chars().take(64).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// W3C Trace Context, version 00: fixed lengths, lower-case hexadecimal, no id all zeros.
fn is_traceparent(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace, parent, flags] = parts.as_slice() else { return false };
    let hex =
        |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let nonzero = |part: &str| part.bytes().any(|b| b != b'0');
    *version == "00" && hex(trace, 32) && nonzero(trace) && hex(parent, 16) && nonzero(parent) && hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_67_a_malformed_traceparent_starts_a_new_trace() {
        assert!(is_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        for bad in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }

    #[test]
    fn fault_65_hostile_tags_are_refused() {
        assert_eq!(tags(r#"{"feature":"chat"}"#).map(|t| t.len()), Ok(1));
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(257));
        for bad in [r#"{"a":"x\r\ny"}"#, r#"{"a":"\u0000"}"#, r#"{"a":1}"#, "[]", "{", long.as_str()] {
            assert!(tags(bad).is_err(), "{bad}");
        }
    }
}
