//! A caller's request over a Function URL's event.

use lambda_http::{Body, Request};
use signalbox::ports::{self, BodyError};

/// The request as the event brought it, body and all.
pub(crate) struct EventRequest {
    inner: Request,
    path: String,
}

impl EventRequest {
    pub(crate) fn new(inner: Request) -> EventRequest {
        EventRequest { path: inner.uri().path().to_owned(), inner }
    }
}

impl ports::Request for EventRequest {
    fn method(&self) -> &str {
        self.inner.method().as_str()
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> =
            self.inner.headers().get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| values.join(", "))
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
