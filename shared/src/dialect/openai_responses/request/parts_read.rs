//! The parts of messages and of tool results into the common form.

use crate::dialect::Dialect;
use crate::dialect::ir::{Citation, Json, Media, MediaKind, Part, Source};
use crate::dialect::json_read::{Object, Path, read_items, read_string};
use crate::dialect::openai_responses::item;
use crate::error::ApiError;
use serde_json::value::RawValue;

/// The content of a message, a text or parts, and where each stands.
pub(super) fn read_parts(
    raw: &RawValue,
    path: &Path<'_>,
    unread: &mut Vec<String>,
) -> Result<(Vec<Part>, Vec<String>), ApiError> {
    if !raw.get().starts_with('[') {
        return Ok((vec![Part::text(read_string(raw, path)?)], vec![path.to_string()]));
    }
    let mut parts = Vec::new();
    let mut places = Vec::new();
    for (index, raw) in read_items(raw, path)?.into_iter().enumerate() {
        let at = path.item(index);
        parts.push(read_part(raw, &at, unread)?);
        places.push(at.to_string());
    }
    Ok((parts, places))
}

/// What a tool answered: a text or parts; some clients send the JSON value itself.
pub(super) fn read_result(raw: &RawValue, path: &Path<'_>, unread: &mut Vec<String>) -> Result<Vec<Part>, ApiError> {
    match raw.get().as_bytes().first() {
        Some(b'"' | b'[') => {
            let mut parts = read_parts(raw, path, unread)?.0;
            // An empty text says as much as no text.
            parts.retain(|part| !matches!(part, Part::Text { text, .. } if text.is_empty()));
            Ok(parts)
        }
        Some(_) | None => Ok(vec![Part::text(raw.get())]),
    }
}

fn read_part(raw: &RawValue, path: &Path<'_>, unread: &mut Vec<String>) -> Result<Part, ApiError> {
    let mut part = Object::read(raw.get(), path)?;
    let kind = part.required_string("type")?;
    let read = match kind.as_str() {
        "input_text" | "output_text" | "text" | "summary_text" => {
            let text = part.required_string("text")?;
            let citations: Vec<Citation> =
                part.items("annotations").unwrap_or_default().into_iter().filter_map(item::read_annotation).collect();
            // Told of an answer, and nothing a model reads.
            part.take("logprobs");
            Part::Text { text, cache: None, citations }
        }
        "refusal" => Part::Refusal(part.required_string("refusal")?),
        "input_image" => {
            let detail = part.string("detail")?;
            let source = match (part.string("image_url")?, part.string("file_id")?) {
                (Some(url), _) => Source::from_url(&url),
                (None, Some(id)) => Source::File(id),
                (None, None) => {
                    return Err(path.invalid(format!("`{path}` needs `image_url` or `file_id`.")));
                }
            };
            Part::Media(Media { detail, ..Media::new(MediaKind::Image, source) })
        }
        "input_file" => {
            let name = part.string("filename")?;
            let source = match (part.string("file_data")?, part.string("file_url")?, part.string("file_id")?) {
                (Some(data), _, _) => inline_file(&data),
                (None, Some(url), _) => Source::Url(url),
                (None, None, Some(id)) => Source::File(id),
                (None, None, None) => {
                    return Err(path.invalid(format!("`{path}` needs `file_data`, `file_url` or `file_id`.")));
                }
            };
            Part::Media(Media { name, ..Media::new(MediaKind::Document, source) })
        }
        "input_audio" => {
            let within = path.member("input_audio");
            let raw = part.take("input_audio").ok_or_else(|| within.invalid(format!("`{within}` is missing.")))?;
            let mut audio = Object::read(raw.get(), &within)?;
            let media_type = audio.string("format")?.unwrap_or_else(|| "wav".to_owned());
            let source = Source::Base64 { media_type, data: audio.required_string("data")? };
            audio.rest_paths(unread);
            Part::Media(Media::new(MediaKind::Audio, source))
        }
        _ => {
            return Ok(Part::Opaque { origin: Dialect::OpenAiResponses, kind, json: Json::from(raw) });
        }
    };
    part.rest_paths(unread);
    Ok(read)
}

/// `file_data` is a data URL; the bare base64 of a PDF is taken too.
fn inline_file(data: &str) -> Source {
    match Source::from_url(data) {
        Source::Url(data) => Source::Base64 { media_type: "application/pdf".to_owned(), data },
        inline @ (Source::Base64 { .. } | Source::File(_) | Source::Text(_) | Source::Opaque(_)) => inline,
    }
}
