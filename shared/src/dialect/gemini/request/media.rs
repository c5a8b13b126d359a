//! Images, documents and sound: bytes in the request, or a place to fetch them from.

use crate::dialect::ir::{Json, Media, MediaKind, Part, Source};
use crate::dialect::json_read::{Object, Path};
use crate::dialect::json_write::Items;
use crate::dialect::{Dialect, Effect, Warnings};
use crate::error::ApiError;
use serde_json::value::RawValue;

/// The part of an `inlineData` or `fileData`. `whole` is the part it stands in, for kinds the common
/// form does not know (video).
pub(super) fn read_blob(
    raw: &RawValue,
    whole: &RawValue,
    path: &Path<'_>,
    unread: &mut Vec<String>,
) -> Result<Part, ApiError> {
    let mut blob = Object::read(raw.get(), path)?.camel_case();
    let media_type = blob.string("mimeType")?.unwrap_or_default();
    let name = blob.string("displayName")?;
    let data = blob.string("data")?;
    let uri = blob.string("fileUri")?;
    blob.rest_paths(unread);
    let Some(kind) = kind_of(&media_type) else {
        return Ok(Part::Opaque { origin: Dialect::Gemini, kind: media_type, json: Json::from(whole) });
    };
    let source = match (data, uri) {
        (Some(data), _) => Source::Base64 { media_type, data },
        (None, Some(uri)) if is_public(&uri) => Source::Url(uri),
        (None, Some(uri)) => Source::File(uri),
        (None, None) => return Err(path.invalid(format!("`{path}` needs `data` or `fileUri`."))),
    };
    Ok(Part::Media(Media { name, ..Media::new(kind, source) }))
}

/// `None` for what no other dialect takes.
fn kind_of(media_type: &str) -> Option<MediaKind> {
    match media_type.split('/').next()? {
        "image" => Some(MediaKind::Image),
        "audio" => Some(MediaKind::Audio),
        "video" => None,
        _ => Some(MediaKind::Document),
    }
}

/// A page anybody can fetch, rather than a file kept at Google (`files/…`, `gs://…`).
fn is_public(uri: &str) -> bool {
    let web = uri.starts_with("https://") || uri.starts_with("http://");
    web && !uri.starts_with("https://generativelanguage.googleapis.com/")
}

/// Writes a part; what cannot be carried goes to `warnings`.
pub(in crate::dialect::gemini) fn write_media(
    a: &mut Items<'_>,
    path: &str,
    media: &Media,
    origin: Dialect,
    warnings: &mut Warnings,
) {
    for (name, present) in [
        // AI Studio takes no names.
        ("file.filename", media.name.is_some() && origin != Dialect::Gemini),
        ("context", media.context.is_some()),
        ("citations", media.citations.is_some()),
        ("cache_control", media.cache.is_some()),
        ("image_url.detail", media.detail.as_deref().is_some_and(|detail| detail != "auto")),
    ] {
        if present {
            warnings.dropped(format_args!("{path}.{name}"));
        }
    }
    match &media.source {
        Source::Base64 { media_type, data } => a.object(|o| {
            o.object("inlineData", |o| {
                o.string("mimeType", &full_type(media.kind, media_type));
                o.string("data", data);
            });
        }),
        Source::Url(uri) => a.object(|o| {
            o.object("fileData", |o| {
                o.string("mimeType", guess(media.kind, uri));
                o.string("fileUri", uri);
            });
        }),
        Source::File(uri) if origin == Dialect::Gemini => {
            a.object(|o| o.object("fileData", |o| o.string("fileUri", uri)));
        }
        Source::Text(text) => {
            warnings.add(path, Effect::Converted);
            a.object(|o| o.string("text", text));
        }
        // A file lives at the provider it was uploaded to.
        Source::File(_) | Source::Opaque(_) => warnings.dropped(path),
    }
}

/// OpenAI names a sound by its bare format.
fn full_type(kind: MediaKind, media_type: &str) -> String {
    match (kind, media_type) {
        (_, "image/jpg") => "image/jpeg".to_owned(),
        (MediaKind::Audio, format) if !format.contains('/') => format!("audio/{format}"),
        (MediaKind::Image | MediaKind::Document | MediaKind::Audio, other) => other.to_owned(),
    }
}

/// Google wants to be told what it will find at a place.
fn guess(kind: MediaKind, uri: &str) -> &'static str {
    let path = uri.split(['?', '#']).next().unwrap_or(uri);
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match (kind, ending.as_str()) {
        (_, "png") => "image/png",
        (_, "webp") => "image/webp",
        (_, "gif") => "image/gif",
        (_, "heic") => "image/heic",
        (_, "mp3") => "audio/mp3",
        (_, "wav") => "audio/wav",
        (_, "txt") => "text/plain",
        (_, "html" | "htm") => "text/html",
        (MediaKind::Image, _) => "image/jpeg",
        (MediaKind::Audio, _) => "audio/mpeg",
        (MediaKind::Document, _) => "application/pdf",
    }
}
