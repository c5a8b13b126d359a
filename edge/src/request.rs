//! A caller's request over the Worker's own.

use crate::glue;
use js_sys::Uint8Array;
use signalbox::ports::{self, BodyError};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use worker::worker_sys::web_sys;

/// The request: what the core asks of it is fetched from JavaScript in one crossing.
pub(crate) struct Request {
    inner: web_sys::Request,
    method: String,
    path: String,
    /// The values of [`ports::REQUEST_HEADERS`], in their order.
    headers: Vec<String>,
}

impl Request {
    pub(crate) fn new(inner: web_sys::Request) -> Request {
        let path = path_of(&inner.url()).to_owned();
        let lines = glue::headers(&inner, &ports::REQUEST_HEADERS.join("\n"));
        Request { method: inner.method(), path, headers: lines.split('\n').map(str::to_owned).collect(), inner }
    }
}

/// The path of an absolute URL, without its query.
pub(crate) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or("/")
}

impl ports::Request for Request {
    fn method(&self) -> &str {
        &self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn header(&self, name: &str) -> Option<&str> {
        let at = ports::REQUEST_HEADERS.iter().position(|known| *known == name)?;
        self.headers.get(at).map(String::as_str).filter(|value| !value.is_empty())
    }

    async fn body(self, limit: usize) -> Result<Vec<u8>, BodyError> {
        match self.header("content-length").and_then(|text| text.parse::<u64>().ok()) {
            // An isolate's memory never shrinks: what is too large must not get in.
            Some(length) if length > limit as u64 => Err(BodyError::TooLarge),
            Some(_) => {
                let buffer = self.inner.array_buffer().map_err(|_| BodyError::Broken)?;
                let buffer = JsFuture::from(buffer).await.map_err(|_| BodyError::Broken)?;
                Ok(Uint8Array::new(&buffer).to_vec())
            }
            None => read(&self.inner, limit).await,
        }
    }
}

/// Reads a body of unknown length piece by piece, so that an endless one is left off in time.
async fn read(request: &web_sys::Request, limit: usize) -> Result<Vec<u8>, BodyError> {
    let Some(stream) = request.body() else { return Ok(Vec::new()) };
    let reader: web_sys::ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut whole = Vec::new();
    loop {
        let step = JsFuture::from(reader.read()).await.map_err(|_| BodyError::Broken)?;
        let step: web_sys::ReadableStreamReadResult = step.unchecked_into();
        if step.get_done().unwrap_or(true) {
            return Ok(whole);
        }
        let piece = Uint8Array::new(&step.get_value());
        if whole.len() + piece.length() as usize > limit {
            let _ = JsFuture::from(reader.cancel()).await;
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&piece.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn the_path_is_what_lies_between_host_and_query() {
        for (url, path) in [
            ("https://gateway.example/v1/messages?beta=true", "/v1/messages"),
            ("http://127.0.0.1:8787", "/"),
            ("http://127.0.0.1:8787/a%2fb#c", "/a%2fb"),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }
}
