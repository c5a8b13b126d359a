//! What may stand in a path and a query that are passed on: nothing that could lead to another host,
//! out of the provider's base path, or into a header.

use crate::http::percent_decoded;

/// Query parameters in which APIs take credentials; the caller's is for us, not for the provider.
const CREDENTIALS: [&str; 7] = ["key", "api_key", "api-key", "apikey", "access_token", "subscription-key", "x-api-key"];

/// `rest` of a path after its first `/`, with that `/`; the error says what is wrong with it.
pub(super) fn path(rest: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%/".contains(&byte);
    if rest.len() > 2_048 {
        return Err("is longer than 2048 bytes");
    }
    if !rest.bytes().all(plain) {
        return Err("has characters that do not belong in a path");
    }
    let last = rest.split('/').count();
    for (index, segment) in rest.split('/').enumerate() {
        let decoded = percent_decoded(segment).ok_or("has a % that is no good escape")?;
        // An escape must not hide what would be refused in plain sight, here or at a server that
        // decodes twice.
        if decoded.iter().any(|byte| byte.is_ascii_control() || b"/\\%?#".contains(byte)) {
            return Err("has an escape that is not accepted here");
        }
        // Some servers leave out what follows a semicolon.
        let name = decoded.split(|byte| *byte == b';').next().unwrap_or_default();
        if matches!(name, b"." | b"..") {
            return Err("has a . or .. in it");
        }
        if segment.is_empty() && index + 1 < last {
            return Err("has an empty segment");
        }
    }
    Ok(format!("/{rest}"))
}

/// A query without credentials; `None` when nothing is left of it.
pub(super) fn query(query: &str) -> Result<Option<String>, &'static str> {
    if !query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Err("has characters in its query that do not belong there");
    }
    let is_credential = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        let name = percent_decoded(name).unwrap_or_else(|| name.as_bytes().to_vec());
        CREDENTIALS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !is_credential(pair)).collect();
    Ok((!kept.is_empty()).then(|| kept.join("&")))
}
