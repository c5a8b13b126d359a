//! What somebody says of an answer: `POST /v1/feedback`.

use crate::error::{ApiError, Code};
use crate::json;
use serde_json::{Map, Value};

use super::learn::fixed::ONE;

/// The shelf on which feedback is kept, as `team/request`: an answer is judged once.
pub const FEEDBACK: &str = "feedback";
/// The largest body.
pub const MAX_FEEDBACK_BYTES: usize = 4 * 1024;
/// The longest label, and the longest id, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// Labels that say a score by themselves.
const LABELS: [(&str, f64); 8] = [
    ("good", 1.0),
    ("up", 1.0),
    ("correct", 1.0),
    ("accepted", 1.0),
    ("bad", 0.0),
    ("down", 0.0),
    ("wrong", 0.0),
    ("rejected", 0.0),
];

/// What was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    /// Of which request's answer.
    pub request: String,
    /// What it was worth, from 0 to 1.
    pub score: f64,
    /// In a word of the caller's own.
    pub label: Option<String>,
}

impl Feedback {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Feedback, ApiError> {
        json::scan(body, &json::Limits::default())?;
        let members: Map<String, Value> = crate::json::text(body).and_then(crate::json::object).map_err(|_| {
            ApiError::new(Code::InvalidRequest, "The body must be a JSON object with request_id, and score or label.")
        })?;
        if let Some(unknown) = members.keys().find(|name| !["request_id", "score", "label"].contains(&name.as_str())) {
            let known = "Known: request_id, score, label.";
            return Err(ApiError::new(
                Code::InvalidRequest,
                format!("There is no member `{unknown:.64}` here. {known}"),
            ));
        }
        let request = text(&members, "request_id")?
            .ok_or_else(|| ApiError::invalid("request_id", "request_id names the request whose answer is judged."))?;
        let label = text(&members, "label")?;
        let said = label.as_ref().and_then(|label| LABELS.iter().find(|(known, _)| known == label));
        let score = match members.get("score") {
            None | Some(Value::Null) => said.map(|(_, score)| *score),
            Some(score) => Some(score.as_f64().filter(|score| (0.0..=1.0).contains(score)).ok_or_else(wrong)?),
        };
        Ok(Feedback { request, score: score.ok_or_else(wrong)?, label })
    }

    /// The score, in parts of 65,536.
    pub fn worth(&self) -> i32 {
        (self.score * f64::from(ONE)) as i32
    }
}

fn wrong() -> ApiError {
    let labels: Vec<&str> = LABELS.iter().map(|(label, _)| *label).collect();
    let sentence = format!("score must be a number from 0 to 1; without it, label one of {}.", labels.join(", "));
    ApiError::invalid("score", sentence)
}

fn text(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, ApiError> {
    let printable = |text: &&str| {
        (1..=MAX_NAME_BYTES).contains(&text.len()) && !text.chars().any(char::is_control) && !text.contains('/')
    };
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_str().filter(printable) {
            Some(text) => Ok(Some(text.to_owned())),
            None => {
                Err(ApiError::invalid(name, format!("{name} must be 1 to {MAX_NAME_BYTES} bytes of text without `/`.")))
            }
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_score_or_a_label_that_says_one_is_taken_and_nothing_else() {
        for (body, score) in [
            (r#"{"request_id":"r","score":1}"#, Some(1.0)),
            (r#"{"request_id":"r","score":0.25,"label":"good"}"#, Some(0.25)),
            (r#"{"request_id":"r","label":"down"}"#, Some(0.0)),
            (r#"{"request_id":"r","label":"meh"}"#, None),
            (r#"{"request_id":"r","score":1.01}"#, None),
            (r#"{"request_id":"r","score":-0.1}"#, None),
            (r#"{"request_id":"r","score":"1"}"#, None),
            (r#"{"request_id":"r","score":1e999}"#, None),
            (r#"{"request_id":"r"}"#, None),
            (r#"{"score":1}"#, None),
            (r#"{"request_id":"a/b","score":1}"#, None),
            (r#"{"request_id":"","score":1}"#, None),
            (r#"{"request_id":"r","score":1,"score":0}"#, None),
            (r#"{"request_id":"r","score":1,"comment":"x"}"#, None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(Feedback::read(body.as_bytes()).ok().map(|read| read.score), score, "{body}");
        }
        assert_eq!(Feedback::read(br#"{"request_id":"r","score":1}"#).unwrap().worth(), ONE);
    }
}
