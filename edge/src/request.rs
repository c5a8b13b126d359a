//! A caller's request over the Worker's own.

use crate::glue::Call;
use crate::operation::Operation;
use signalbox::http::path_and_query;
use signalbox::ports::{self, BodyError};
use std::rc::Rc;

/// The request: what the core asks of it is fetched from JavaScript in one crossing.
pub(crate) struct Request {
    call: Rc<Call>,
    method: String,
    path: String,
    query: String,
    /// The values of [`ports::REQUEST_HEADERS`], in their order.
    headers: Vec<String>,
}

impl Request {
    pub(crate) fn new(call: Rc<Call>) -> Request {
        let envelope = call.envelope();
        let mut lines = envelope.split('\n');
        let method = lines.next().unwrap_or_default().to_owned();
        let url = lines.next().unwrap_or_default();
        let (path, query) = path_and_query(url);
        let (path, query) = (path.to_owned(), query.to_owned());
        Request { method, path, query, headers: lines.map(str::to_owned).collect(), call }
    }
}

impl ports::Request for Request {
    fn method(&self) -> &str {
        &self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn query(&self) -> &str {
        &self.query
    }

    fn header(&self, name: &str) -> Option<&str> {
        let at = ports::REQUEST_HEADERS.iter().position(|known| *known == name)?;
        self.headers.get(at).map(String::as_str).filter(|value| !value.is_empty())
    }

    async fn body(self, limit: usize) -> Result<Vec<u8>, BodyError> {
        let body = match self.header("content-length").and_then(|text| text.parse::<u64>().ok()) {
            // An isolate's memory never shrinks: what is too large must not get in.
            Some(length) if length > limit as u64 => return Err(BodyError::TooLarge),
            Some(_) => self.call.body(),
            None => self.call.body_up_to(limit as f64),
        };
        let body = Operation::new(body).await.map_err(|_| BodyError::Broken)?;
        body.into_bytes().ok_or(BodyError::TooLarge)
    }
}
