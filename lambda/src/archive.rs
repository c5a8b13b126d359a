//! The archive: a bucket of S3, or of a service that speaks its protocol.
//!
//! One call, so it is made by hand over the client that calls providers: an SDK of its own would weigh as much as the function.

use signalbox::ports::{Outgoing, StoreError, Whole, is_success};
use signalbox::secret::Secret;
use signalbox::sigv4::{S3, Signer, encode};
use signalbox::units::Timestamp;
use std::borrow::Cow;

/// Where objects go, and who writes them.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The URL that names are appended to, with its slash.
    url: String,
    signer: Signer,
}

impl Bucket {
    /// From the environment; `None` where `SIGNALBOX_ARCHIVE_BUCKET` names none. Another service than AWS's is told by its
    /// endpoint, and has credentials and a region of its own; for AWS's the function's own are used.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Bucket>, String> {
        let Some(bucket) = variable("SIGNALBOX_ARCHIVE_BUCKET") else { return Ok(None) };
        let missing = |name: &str| format!("{name} is not set, and SIGNALBOX_ARCHIVE_BUCKET is");
        let region = variable("SIGNALBOX_ARCHIVE_REGION").or_else(|| variable("AWS_REGION"));
        let region = region.ok_or_else(|| missing("AWS_REGION"))?;
        // With credentials of its own goes no token of the function's.
        let (id, secret, token) = match variable("SIGNALBOX_ARCHIVE_ACCESS_KEY_ID") {
            Some(id) => (Some(id), variable("SIGNALBOX_ARCHIVE_SECRET_ACCESS_KEY"), None),
            None => (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")),
        };
        let url = match variable("SIGNALBOX_ARCHIVE_ENDPOINT") {
            Some(endpoint) => format!("{}/{bucket}/", endpoint.trim_end_matches('/')),
            None => format!("https://{bucket}.s3.{region}.amazonaws.com/"),
        };
        let signer = Signer {
            access_key_id: Secret::new(id.ok_or_else(|| missing("AWS_ACCESS_KEY_ID"))?),
            secret_access_key: Secret::new(secret.ok_or_else(|| missing("SIGNALBOX_ARCHIVE_SECRET_ACCESS_KEY"))?),
            session_token: token.map(Secret::new),
            region,
            service: S3,
        };
        Ok(Some(Bucket { url, signer }))
    }

    /// The call that writes an object.
    pub fn put(&self, name: &str, text: String, now: Timestamp) -> Outgoing {
        let (url, body) = (format!("{}{}", self.url, encode(name, b"/")), text.into_bytes());
        let mut headers = self.signer.sign("PUT", &url, &body, now);
        headers.push((Cow::Borrowed("content-type"), "application/x-ndjson".to_owned()));
        Outgoing { method: "PUT", url, headers, body, forward: false }
    }
}

/// Whether the bucket has it. Of a refusal only its code is told: its text repeats what was signed.
pub fn taken(answer: &Whole) -> Result<(), StoreError> {
    if is_success(answer.status) {
        return Ok(());
    }
    let body = answer.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    let code = body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    Err(StoreError(format!("the bucket answers {} {code}", answer.status)))
}
