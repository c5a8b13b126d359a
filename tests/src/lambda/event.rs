//! An HTTP request as the event of a Function URL (payload format 2.0).
//!
//! Shape: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::http::request::Parts;
use serde_json::{Value, json};

/// Headers of one hop, which the service in front of the function takes for itself.
const OF_THE_HOP: [&str; 6] = ["connection", "keep-alive", "transfer-encoding", "te", "upgrade", "expect"];

/// When and under which id a request came.
pub(crate) struct Arrival<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) unix_ms: u64,
    pub(crate) port: u16,
}

/// The event's JSON.
pub(crate) fn event(head: &Parts, body: &[u8], arrival: &Arrival<'_>) -> Vec<u8> {
    let mut headers = BTreeMap::<String, String>::new();
    let mut cookies: Vec<String> = Vec::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if name == "cookie" {
            cookies.extend(value.split(';').map(|cookie| cookie.trim().to_owned()));
        } else if !OF_THE_HOP.contains(&name.as_str()) {
            headers.entry(name.as_str().to_owned()).and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
        }
    }
    // The service routes by host, so a function sees no host but its own.
    let own = [format!("127.0.0.1:{}", arrival.port), format!("localhost:{}", arrival.port)];
    let [ip, _] = &own;
    let host = headers.get("host").filter(|host| own.contains(host)).unwrap_or(ip).clone();
    headers.insert("host".to_owned(), host.clone());
    headers.insert("x-forwarded-for".to_owned(), "127.0.0.1".to_owned());
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    headers.insert("x-forwarded-port".to_owned(), arrival.port.to_string());
    let path = head.uri.path();
    let query = head.uri.query().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "local",
            "http": {
                "method": head.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent"),
            },
            "requestId": arrival.request_id,
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": arrival.unix_ms,
        },
        "isBase64Encoded": false,
    });
    if let Some(members) = event.as_object_mut() {
        if !cookies.is_empty() {
            members.insert("cookies".to_owned(), json!(cookies));
        }
        if !query.is_empty() {
            members.insert("queryStringParameters".to_owned(), query_parameters(query));
        }
        if !body.is_empty() {
            let kind = headers.get("content-type").map(String::as_str).unwrap_or_default();
            let (text, encoded) = match std::str::from_utf8(body) {
                Ok(text) if is_text(kind) => (text.to_owned(), false),
                Ok(_) | Err(_) => (BASE64_STANDARD.encode(body), true),
            };
            members.insert("body".to_owned(), Value::String(text));
            members.insert("isBase64Encoded".to_owned(), Value::Bool(encoded));
        }
    }
    event.to_string().into_bytes()
}

/// What arrives as text; everything else arrives as base64.
fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

/// Decoded, repeated names joined by commas.
fn query_parameters(query: &str) -> Value {
    let mut parameters = BTreeMap::<String, String>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decoded(value);
        parameters.entry(percent_decoded(name)).and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
    }
    json!(parameters)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn of(request: hyper::Request<()>, body: &[u8]) -> Value {
        let arrival = Arrival { request_id: "r1", unix_ms: 5, port: 80 };
        serde_json::from_slice(&event(&request.into_parts().0, body, &arrival)).unwrap()
    }

    #[test]
    fn a_request_becomes_a_function_url_event() {
        let request = hyper::Request::post("/v1/a%2Fb?x=1&x=%2B2&y")
            .header("Host", "localhost:80")
            .header("Content-Type", "application/json; charset=utf-8")
            .header("X-Many", "a")
            .header("X-Many", "b")
            .header("Cookie", "c=1; d=2")
            .header("Connection", "keep-alive");
        let event = of(request.body(()).unwrap(), b"{\"a\":\"\xc3\xa9\"}");
        assert_eq!(event["rawPath"], "/v1/a%2Fb");
        assert_eq!(event["rawQueryString"], "x=1&x=%2B2&y");
        assert_eq!(event["queryStringParameters"], json!({"x": "1,+2", "y": ""}));
        assert_eq!(event["headers"]["x-many"], "a,b");
        assert_eq!(event["headers"]["connection"], Value::Null);
        assert_eq!(event["headers"]["cookie"], Value::Null);
        assert_eq!(event["cookies"], json!(["c=1", "d=2"]));
        assert_eq!(event["requestContext"]["http"]["method"], "POST");
        assert_eq!(event["requestContext"]["domainName"], "localhost:80");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{\"a\":\"é\"}"), &json!(false)));
    }

    #[test]
    fn a_function_sees_no_host_but_its_own() {
        for host in ["elsewhere", "[", "127.0.0.1:81"] {
            let event = of(hyper::Request::get("/").header("host", host).body(()).unwrap(), b"");
            assert_eq!(event["headers"]["host"], "127.0.0.1:80");
            assert_eq!(event["requestContext"]["domainName"], "127.0.0.1:80");
        }
    }

    #[test]
    fn bytes_that_are_no_text_arrive_as_base64_whatever_they_are_called() {
        for (kind, body) in [("application/json", &b"{\"a\": \"\xff\"}"[..]), ("image/png", b"png")] {
            let event = of(hyper::Request::post("/").header("content-type", kind).body(()).unwrap(), body);
            assert_eq!(event["isBase64Encoded"], true);
            assert_eq!(BASE64_STANDARD.decode(event["body"].as_str().unwrap()).unwrap(), body);
        }
        let event = of(hyper::Request::get("/").body(()).unwrap(), b"");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&Value::Null, &json!(false)));
    }
}
