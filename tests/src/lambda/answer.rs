//! What a function answers, read: the prelude of a streamed answer, or buffered JSON.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use serde_json::Value;

/// Headers the service in front of the function decides itself.
const OF_THE_HOP: [&str; 4] = ["connection", "keep-alive", "transfer-encoding", "content-length"];

/// Between the prelude and the body.
const DELIMITER: [u8; 8] = [0; 8];

/// A prelude longer than this is none.
const LONGEST_PRELUDE: usize = 1 << 20;

/// Status and headers of the HTTP answer, cookies included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// From a prelude, or from the JSON of a buffered answer: they share these members.
    fn read(json: &Value) -> Result<Head, String> {
        let status = match json.get("statusCode") {
            None => 200,
            Some(status) => {
                let status = status.as_u64().and_then(|status| u16::try_from(status).ok());
                status.filter(|status| (100..=599).contains(status)).ok_or("statusCode is no HTTP status")?
            }
        };
        let mut headers = Vec::new();
        for (name, value) in json.get("headers").and_then(Value::as_object).into_iter().flatten() {
            let name = name.to_ascii_lowercase();
            if OF_THE_HOP.contains(&name.as_str()) {
                continue;
            }
            // lambda_runtime writes a repeated header as a list.
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                headers.push((name.clone(), text));
            }
        }
        let cookies = json.get("cookies").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        headers.extend(cookies.map(|cookie| ("set-cookie".to_owned(), cookie.to_owned())));
        Ok(Head { status, headers })
    }
}

/// A streamed answer without the integration's content type has no prelude.
pub(crate) fn plain_stream(content_type: &str) -> Head {
    Head { status: 200, headers: vec![("content-type".to_owned(), content_type.to_owned())] }
}

/// Collects a streamed answer's prelude, however it is cut.
#[derive(Debug, Default)]
pub(crate) struct Prelude {
    read: BytesMut,
}

impl Prelude {
    /// Takes a chunk. Once the delimiter has come: the head, and the body bytes that came with it.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<Option<(Head, Bytes)>, String> {
        // The delimiter may have begun in what was there before.
        let from = self.read.len().saturating_sub(DELIMITER.len());
        self.read.extend_from_slice(chunk);
        let recent = self.read.get(from..).unwrap_or_default();
        let Some(at) = recent.windows(DELIMITER.len()).position(|window| window == DELIMITER) else {
            return if self.read.len() > LONGEST_PRELUDE {
                Err("the prelude does not end".to_owned())
            } else {
                Ok(None)
            };
        };
        let json = self.read.split_to(from.saturating_add(at));
        let json: Value = serde_json::from_slice(&json).map_err(|error| format!("the prelude is no JSON: {error}"))?;
        let body = self.read.split().freeze().slice(DELIMITER.len()..);
        Ok(Some((Head::read(&json)?, body)))
    }
}

/// A buffered answer: `{"statusCode": …, "headers": …, "body": …, "isBase64Encoded": …}`; any other JSON is itself the body.
pub(crate) fn buffered(json: &[u8]) -> Result<(Head, Bytes), String> {
    let value: Value = serde_json::from_slice(json).map_err(|error| format!("the answer is no JSON: {error}"))?;
    if value.get("statusCode").is_none() {
        let head = Head { status: 200, headers: vec![("content-type".to_owned(), "application/json".to_owned())] };
        return Ok((head, Bytes::copy_from_slice(json)));
    }
    let mut head = Head::read(&value)?;
    if !head.headers.iter().any(|(name, _)| name == "content-type") {
        head.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let body = value.get("body").and_then(Value::as_str).unwrap_or_default();
    let body = if value.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false) {
        BASE64_STANDARD.decode(body).map_err(|error| format!("the body is no base64: {error}"))?
    } else {
        body.as_bytes().to_vec()
    };
    Ok((head, Bytes::from(body)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const STREAMED: &[u8] = b"{\"statusCode\":201,\"headers\":{\"X-A\":[\"1\",\"2\"],\"Content-Length\":\"9\"},\"cookies\":[\"c=1\"]}\0\0\0\0\0\0\0\0\0body";

    #[test]
    fn a_prelude_is_found_however_it_is_cut_and_the_body_may_begin_with_nul() {
        let expected = Head {
            status: 201,
            headers: [("x-a", "1"), ("x-a", "2"), ("set-cookie", "c=1")]
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .to_vec(),
        };
        for length in 1..=STREAMED.len() {
            let mut prelude = Prelude::default();
            let mut found = None;
            let mut body = Vec::new();
            for chunk in STREAMED.chunks(length) {
                if found.is_some() {
                    body.extend_from_slice(chunk);
                } else if let Some((head, rest)) = prelude.push(chunk).unwrap() {
                    found = Some(head);
                    body.extend_from_slice(&rest);
                }
            }
            assert_eq!((found.unwrap(), body.as_slice()), (expected.clone(), &b"\0body"[..]), "chunks of {length}");
        }
    }

    #[test]
    fn a_prelude_that_is_no_json_or_has_no_status_is_an_error() {
        assert!(Prelude::default().push(b"<html>\0\0\0\0\0\0\0\0").is_err());
        assert!(Prelude::default().push(b"{\"statusCode\":7}\0\0\0\0\0\0\0\0").is_err());
        assert!(Prelude::default().push(&vec![b' '; LONGEST_PRELUDE + 1]).is_err());
    }

    #[test]
    fn buffered_answers_are_decoded_and_other_json_is_the_body() {
        let (head, body) =
            buffered(br#"{"statusCode":404,"headers":{"content-type":"a/b"},"body":"/wA=","isBase64Encoded":true}"#)
                .unwrap();
        assert_eq!((head.status, body.as_ref()), (404, &[255, 0][..]));
        assert_eq!(head.headers, [("content-type".to_owned(), "a/b".to_owned())]);
        let (head, body) = buffered(b"{\"x\":1}").unwrap();
        assert_eq!((head.status, body.as_ref()), (200, &b"{\"x\":1}"[..]));
        assert!(buffered(b"oops").is_err());
    }
}
