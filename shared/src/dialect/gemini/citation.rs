//! Grounding in Gemini's form: which piece of the text has its facts from which place.

use crate::dialect::Dialect;
use crate::dialect::ir::{Citation, Json};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::{Members, object};
use serde_json::value::RawValue;

/// `groundingMetadata`: one citation for each support and each chunk it names.
pub(super) fn read_grounding(raw: &RawValue) -> Vec<Citation> {
    let path = Path::Root;
    let Ok(mut metadata) = Object::read(raw.get(), &path).map(Object::camel_case) else { return Vec::new() };
    let chunks = metadata.items("groundingChunks").unwrap_or_default();
    let mut citations = Vec::new();
    for support in metadata.items("groundingSupports").unwrap_or_default() {
        let Ok(mut read) = Object::read(support.get(), &path).map(Object::camel_case) else { continue };
        for index in read.items("groundingChunkIndices").unwrap_or_default() {
            let chunk = index.get().parse::<usize>().ok().and_then(|index| chunks.get(index));
            citations.extend(chunk.map(|chunk| grounded(support, chunk)));
        }
    }
    citations
}

fn grounded(support: &RawValue, chunk: &RawValue) -> Citation {
    let (url, title) = place(chunk);
    let mut json = Vec::new();
    object(&mut json, |o| {
        o.json("groundingSupport", &Json::from(support));
        o.json("groundingChunk", &Json::from(chunk));
    });
    Citation { origin: Dialect::Gemini.into(), url, title, json: json_of(&json) }
}

/// Where a chunk is: a page of the web, a place on a map, or a document of the caller's own.
fn place(chunk: &RawValue) -> (Option<String>, Option<String>) {
    let path = Path::Root;
    let Ok(mut chunk) = Object::read(chunk.get(), &path) else { return (None, None) };
    let inner = ["web", "maps", "retrievedContext"].into_iter().find_map(|kind| chunk.take(kind));
    let Some(Ok(mut inner)) = inner.map(|raw| Object::read(raw.get(), &path)) else { return (None, None) };
    (inner.string("uri").ok().flatten(), inner.string("title").ok().flatten())
}

/// `citationMetadata`: what the answer repeats from somewhere.
pub(super) fn read_sources(raw: &RawValue) -> Vec<Citation> {
    let path = Path::Root;
    let Ok(mut metadata) = Object::read(raw.get(), &path).map(Object::camel_case) else { return Vec::new() };
    // AI Studio and Vertex call it differently.
    let mut sources = metadata.items("citationSources").unwrap_or_default();
    sources.extend(metadata.items("citations").unwrap_or_default());
    let read = |raw: &&RawValue| {
        let mut source = Object::read(raw.get(), &path).ok()?;
        let mut said = |name| source.string(name).ok().flatten();
        Some(Citation {
            origin: Dialect::Gemini.into(),
            url: said("uri"),
            title: said("title"),
            json: Json::from(*raw),
        })
    };
    sources.iter().filter_map(read).collect()
}

/// Writes `groundingMetadata` for citations of other dialects that have a page, each with the bytes of
/// the text it stands by. Nothing is written when there is none.
pub(super) fn write_grounding(o: &mut Members<'_>, citations: &[(&Citation, Span)]) {
    let pages: Vec<_> =
        citations.iter().filter_map(|(cited, span)| Some((cited.url.as_ref()?, *cited, *span))).collect();
    if pages.is_empty() {
        return;
    }
    o.object("groundingMetadata", |o| {
        o.array("groundingChunks", |a| {
            for (url, cited, _) in &pages {
                a.object(|o| {
                    o.object("web", |o| {
                        o.string("uri", url);
                        o.maybe_string("title", cited.title.as_deref());
                    });
                });
            }
        });
        o.array("groundingSupports", |a| {
            for (index, (_, _, (start, end))) in pages.iter().enumerate() {
                a.object(|o| {
                    o.object("segment", |o| {
                        o.number("startIndex", start);
                        o.number("endIndex", end);
                    });
                    o.array("groundingChunkIndices", |a| {
                        crate::dialect::json_write::number(a.value(), index);
                    });
                });
            }
        });
    });
}

/// The first byte of a text, and the one after its last.
pub(super) type Span = (usize, usize);

/// JSON we wrote ourselves.
pub(super) fn json_of(bytes: &[u8]) -> Json {
    let text = std::str::from_utf8(bytes).unwrap_or("null");
    Json::parse(text).unwrap_or_else(|| Json::from(RawValue::NULL))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn each_support_names_its_pages() {
        let json = r#"{"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}},{"retrievedContext":{"text":"x"}}],
            "groundingSupports":[{"segment":{"endIndex":3},"groundingChunkIndices":[0,1,7]}]}"#;
        let citations = read_grounding(serde_json::from_str(json).unwrap());
        assert_eq!(citations.len(), 2);
        assert_eq!(
            (citations[0].url.as_deref(), citations[0].title.as_deref()),
            (Some("https://a.example"), Some("A"))
        );
        assert_eq!(citations[1].url, None);
        let mut out = Vec::new();
        object(&mut out, |o| write_grounding(o, &[(&citations[0], (0, 3)), (&citations[1], (0, 3))]));
        let written: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(written["groundingMetadata"]["groundingChunks"].as_array().unwrap().len(), 1);
    }
}
