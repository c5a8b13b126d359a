//! Citations in Bedrock's form.

use crate::dialect::ProviderDialect;
use crate::dialect::ir::{Citation, Json};
use crate::dialect::json_read::{Object, Path};
use serde_json::value::RawValue;

/// A citation of an answer or of a stream's delta. It has a page only where the model searched the web.
pub(super) fn read(raw: &RawValue) -> Option<Citation> {
    let path = Path::Root;
    let mut citation = Object::read(raw.get(), &path).ok()?;
    let title = citation.string("title").ok().flatten();
    let mut location = citation.take("location").and_then(|raw| Object::read(raw.get(), &path).ok());
    let web = location.as_mut().and_then(|location| location.take("web"));
    let url = web.and_then(|raw| Object::read(raw.get(), &path).ok()?.string("url").ok()?);
    Some(Citation { origin: ProviderDialect::Bedrock, url, title, json: Json::from(raw) })
}
