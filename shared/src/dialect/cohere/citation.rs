//! Citations in Cohere's form.

use crate::dialect::ProviderDialect;
use crate::dialect::ir::{Citation, Json};
use crate::dialect::json_read::{Object, Path};
use serde_json::value::RawValue;

/// A citation, and which piece of content it belongs to. Its page is that of its first source, which
/// is a document or what a tool put out: `url` in it, or its id where that is one.
pub(super) fn read(raw: &RawValue) -> Option<(Citation, Option<u64>)> {
    let path = Path::Root;
    let mut citation = Object::read(raw.get(), &path).ok()?;
    let place = citation.count("content_index").ok().flatten();
    let source = citation.items("sources").ok().and_then(|sources| sources.into_iter().next());
    let mut source = source.and_then(|raw| Object::read(raw.get(), &path).ok());
    let (mut url, mut title) = (None, None);
    if let Some(source) = &mut source {
        let inner = source.take("document").or_else(|| source.take("tool_output"));
        if let Some(mut inner) = inner.and_then(|raw| Object::read(raw.get(), &path).ok()) {
            url = inner.string("url").ok().flatten();
            title = inner.string("title").ok().flatten();
        }
        let id = source.string("id").ok().flatten();
        url = url.or(id.filter(|id| id.starts_with("https://") || id.starts_with("http://")));
    }
    Some((Citation { origin: ProviderDialect::Cohere, url, title, json: Json::from(raw) }, place))
}
