//! AWS Signature Version 4: who calls is proved by a signature of the request itself.
//!
//! Source: AWS IAM's user guide, "Create a signed AWS API request". Only what a provider's calls need:
//! a body that is at hand. The time is an argument.

use crate::http::Header;
use crate::secret::Secret;
use crate::sorted;
use crate::time::rfc3339;
use crate::units::Timestamp;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write;

/// The one service that wants the body's hash in a header.
pub const S3: &str = "s3";

/// Who signs, and for which service where.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The public half of the access key.
    pub access_key_id: Secret,
    /// The secret half.
    pub secret_access_key: Secret,
    /// What comes with temporary credentials.
    pub session_token: Option<Secret>,
    /// The region the service is called in: `eu-central-1`.
    pub region: String,
    /// The service's name in signatures: `bedrock`.
    pub service: &'static str,
}

impl Signer {
    /// The headers that sign a call of this absolute URL: `x-amz-date`, `x-amz-security-token` where
    /// there is one, `x-amz-content-sha256` for S3, `authorization`. The transport must send the URL's host, path and query as they stand.
    pub fn sign(&self, method: &str, url: &str, body: &[u8], now: Timestamp) -> Vec<Header> {
        let (host, target) = split(url);
        let at = instant(now);
        let mut headers = vec![("host", host.to_owned())];
        if self.service == S3 {
            headers.push(("x-amz-content-sha256", hex(&Sha256::digest(body))));
        }
        headers.push(("x-amz-date", at.clone()));
        if let Some(token) = &self.session_token {
            headers.push(("x-amz-security-token", token.expose().to_owned()));
        }
        let authorization = self.authorization(method, target, &headers, body, &at);
        let signed = headers.into_iter().filter(|(name, _)| *name != "host");
        let mut out: Vec<Header> = signed.map(|(name, value)| (Cow::Borrowed(name), value)).collect();
        out.push((Cow::Borrowed("authorization"), authorization));
        out
    }

    /// The value of `authorization`. `headers` are sorted by name and in lower case.
    fn authorization(&self, method: &str, target: &str, headers: &[(&str, String)], body: &[u8], at: &str) -> String {
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // Every service but S3 wants the path encoded once more than it is sent.
        let path = if self.service == S3 { path.to_owned() } else { encode(path, b"/") };
        let mut request = format!("{method}\n{path}\n{}\n", canonical(query));
        for (name, value) in headers {
            // Writing to a String cannot fail.
            let _ = writeln!(request, "{name}:{}", value.trim());
        }
        let _ = write!(request, "\n{names}\n{}", hex(&Sha256::digest(body)));

        let date = at.split('T').next().unwrap_or_default();
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let request = hex(&Sha256::digest(request.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{request}");
        let signature = hex(&mac(&self.key(date), &to_sign));
        let id = self.access_key_id.expose();
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}")
    }

    /// The key of a day, a region and a service.
    fn key(&self, date: &str) -> Vec<u8> {
        let secret = ["AWS4", self.secret_access_key.expose()].concat();
        let key = mac(secret.as_bytes(), date);
        let key = mac(&key, &self.region);
        let key = mac(&key, self.service);
        mac(&key, "aws4_request")
    }
}

/// An instant as `20150830T123600Z`.
fn instant(now: Timestamp) -> String {
    let long = rfc3339(now);
    let seconds = long.split('.').next().unwrap_or_default();
    seconds.chars().filter(|c| !matches!(c, '-' | ':')).chain(['Z']).collect()
}

/// A query, already percent-encoded, in the order of its names; every name has its `=`.
fn canonical(query: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    sorted::sort(&mut pairs);
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The host with its port, and what comes after it, of an absolute URL.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "/"))
}

/// Percent-encodes everything but letters, digits, `-._~` and the bytes of `keep`.
pub fn encode(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// HMAC-SHA-256.
pub(crate) fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is taken.
    Hmac::<Sha256>::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The credentials of AWS's published examples.
    fn example(service: &'static str) -> Signer {
        Signer {
            access_key_id: Secret::new("AKIDEXAMPLE"),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
            region: "us-east-1".to_owned(),
            service,
        }
    }

    /// 2015-08-30 12:36:00 UTC, the time of the published test suite.
    const THEN: Timestamp = Timestamp(1_440_938_160_000);

    #[test]
    fn the_published_test_suite_agrees() {
        let headers = [("host", "example.amazonaws.com".to_owned()), ("x-amz-date", instant(THEN))];
        for (method, signature) in [
            // get-vanilla, post-vanilla
            ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ] {
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            );
            assert_eq!(example("service").authorization(method, "/", &headers, b"", "20150830T123600Z"), expected);
        }
    }

    /// The example of AWS's guide to Signature Version 4, with a query and a further header.
    #[test]
    fn the_published_example_with_a_query_agrees() {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
            ("host", "iam.amazonaws.com".to_owned()),
            ("x-amz-date", instant(THEN)),
        ];
        let target = "/?Version=2010-05-08&Action=ListUsers";
        let authorization = example("iam").authorization("GET", target, &headers, b"", "20150830T123600Z");
        let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert!(authorization.ends_with(&format!("SignedHeaders=content-type;host;x-amz-date, Signature={signature}")));
    }

    /// AWS's guide to S3, "Authenticating requests: example GET bucket lifecycle", without its query: the header of
    /// the body's hash is signed, and the path stands as it is sent.
    #[test]
    fn a_call_of_s3_is_signed_with_the_bodys_hash_and_its_path_as_it_stands() {
        let url = "https://examplebucket.s3.amazonaws.com/audit/%40system/1.jsonl";
        let signed = example(S3).sign("PUT", url, b"", THEN);
        let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, ["x-amz-content-sha256", "x-amz-date", "authorization"]);
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(signed.first().unwrap().1, empty);
        assert!(signed.last().unwrap().1.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"));
    }

    #[test]
    fn the_published_signing_key_agrees() {
        let key = hex(&example("iam").key("20120215"));
        assert_eq!(key, "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
    }

    #[test]
    fn a_call_is_signed_with_its_host_its_path_and_the_session_token() {
        let signer = Signer { session_token: Some(Secret::new("token")), ..example("service") };
        let signed = signer.sign("POST", "https://example.amazonaws.com/", b"", THEN);
        let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, ["x-amz-date", "x-amz-security-token", "authorization"]);
        let authorization = &signed.last().unwrap().1;
        assert!(authorization.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"), "{authorization}");

        let plain = example("service").sign("POST", "https://example.amazonaws.com/", b"", THEN);
        assert!(plain.last().unwrap().1.ends_with("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"));
        for other in ["https://example.amazonaws.com:8443/", "https://example.amazonaws.com/model/a%3A0/converse"] {
            assert_ne!(example("service").sign("POST", other, b"", THEN).last(), plain.last(), "{other}");
        }
        assert_ne!(example("service").sign("POST", "https://example.amazonaws.com/", b"{}", THEN).last(), plain.last());
    }

    #[test]
    fn paths_are_encoded_once_more_for_the_signature() {
        assert_eq!(encode("/model/a%3A0/converse", b"/"), "/model/a%253A0/converse");
        assert_eq!(encode("arn:aws:x/é~", b""), "arn%3Aaws%3Ax%2F%C3%A9~");
        assert_eq!(split("http://127.0.0.1:80/a/b"), ("127.0.0.1:80", "/a/b"));
        assert_eq!(split("https://host"), ("host", "/"));
    }

    #[test]
    fn credentials_are_never_shown() {
        let shown = format!("{:?}", Signer { session_token: Some(Secret::new("SESSION")), ..example("bedrock") });
        assert!(!shown.contains("AKID") && !shown.contains("wJal") && !shown.contains("SESSION"), "{shown}");
    }
}
