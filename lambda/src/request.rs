//! A caller's request over a Function URL's event.

use lambda_http::{Body, Request};
use signalbox::ports::{self, BodyError};

/// The request as the event brought it, body and all.
pub(crate) struct EventRequest {
    inner: Request,
    path: String,
    /// Headers that came several times, joined.
    joined: Vec<(&'static str, String)>,
}

/// The values of a header, as far as they are text: UTF-8, as in the event. `to_str` would leave out what is not ASCII, and with it a user
/// or a tag.
fn values<'a>(request: &'a Request, name: &str) -> impl Iterator<Item = &'a str> {
    request.headers().get_all(name).iter().filter_map(|value| str::from_utf8(value.as_bytes()).ok())
}

impl EventRequest {
    pub(crate) fn new(inner: Request) -> EventRequest {
        let several = |name: &&'static str| {
            let values: Vec<&str> = values(&inner, name).collect();
            (values.len() > 1).then(|| (*name, values.join(", ")))
        };
        EventRequest {
            path: inner.uri().path().to_owned(),
            joined: ports::REQUEST_HEADERS.iter().filter_map(several).collect(),
            inner,
        }
    }
}

impl ports::Request for EventRequest {
    fn method(&self) -> &str {
        self.inner.method().as_str()
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn query(&self) -> &str {
        self.inner.uri().query().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let joined = self.joined.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        joined.or_else(|| values(&self.inner, name).next()).filter(|value| !value.is_empty())
    }

    async fn body(self, limit: usize) -> Result<Vec<u8>, BodyError> {
        let body = match self.inner.into_body() {
            Body::Empty => Vec::new(),
            Body::Text(text) => text.into_bytes(),
            Body::Binary(bytes) => bytes,
            // The enum is open; a kind we do not know brings nothing we could read.
            _ => return Err(BodyError::Broken),
        };
        if body.len() > limit { Err(BodyError::TooLarge) } else { Ok(body) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use signalbox::ports::Request as _;

    #[test]
    fn a_header_that_is_no_ascii_is_read_all_the_same() {
        let request = lambda_http::http::Request::post("/v1/chat/completions")
            .header("x-signalbox-user", "Zoë")
            .header("x-signalbox-tags", &b"\xff"[..])
            .header("idempotency-key", "ü")
            .header("idempotency-key", "2");
        let request = EventRequest::new(request.body(Body::Empty).unwrap());
        assert_eq!(request.header("x-signalbox-user"), Some("Zoë"));
        assert_eq!(request.header("x-signalbox-tags"), None);
        assert_eq!(request.header("idempotency-key"), Some("ü, 2"));
    }
}
