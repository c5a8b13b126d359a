//! Citations in Anthropic's form.

use crate::dialect::Dialect;
use crate::dialect::ir::{Citation, Json};
use crate::dialect::json_read::{Object, Path};
use serde_json::value::RawValue;

/// An entry of `citations`.
pub(super) fn read(raw: &RawValue) -> Option<Citation> {
    let path = Path::Root;
    let mut citation = Object::read(raw.get(), &path).ok()?;
    let mut said = |name| citation.string(name).ok().flatten();
    let title = said("title").or_else(|| said("document_title"));
    Some(Citation { origin: Dialect::Anthropic.into(), url: said("url"), title, json: Json::from(raw) })
}
