//! Content blocks into parts, one to one, so that a path in a warning is a path in the caller's body.

use crate::dialect::Dialect;
use crate::dialect::anthropic::citation;
use crate::dialect::ir::{Arguments, Json, Media, MediaKind, Part, Seal, Source};
use crate::dialect::json_read::{Object, Path, read_items, read_string};
use crate::error::ApiError;
use serde_json::value::RawValue;

/// `content` or `system`: a string, an array of blocks, or nothing.
pub(super) fn read_blocks(
    raw: Option<&RawValue>,
    path: &Path<'_>,
    unread: &mut Vec<String>,
) -> Result<Vec<Part>, ApiError> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    if !raw.get().starts_with('[') {
        return Ok(vec![Part::text(read_string(raw, path)?)]);
    }
    let items = read_items(raw, path)?;
    items.into_iter().enumerate().map(|(index, raw)| read_block(raw, &path.item(index), unread)).collect()
}

/// A block of an answer; one that cannot be read is kept as it came.
pub(in crate::dialect::anthropic) fn read_answer_block(raw: &RawValue) -> Part {
    let mut unread = Vec::new();
    read_block(raw, &Path::Root, &mut unread).unwrap_or_else(|_| Part::Opaque {
        origin: Dialect::Anthropic,
        kind: String::new(),
        json: Json::from(raw),
    })
}

fn read_block(raw: &RawValue, path: &Path<'_>, unread: &mut Vec<String>) -> Result<Part, ApiError> {
    let mut block = Object::read(raw.get(), path)?;
    let kind = block.required_string("type")?;
    let cache = block.json("cache_control");
    let part = match kind.as_str() {
        "text" => {
            let citations = block.items("citations").unwrap_or_default();
            let citations = citations.into_iter().filter_map(citation::read).collect();
            Part::Text { text: block.required_string("text")?, cache, citations }
        }
        "image" => Part::Media(Media { cache, ..read_media(&mut block, MediaKind::Image, unread)? }),
        "document" => Part::Media(Media {
            name: block.string("title")?,
            context: block.string("context")?,
            citations: block.json("citations"),
            cache,
            ..read_media(&mut block, MediaKind::Document, unread)?
        }),
        "thinking" => Part::Thinking {
            text: block.required_string("thinking")?,
            signature: block.string("signature")?.filter(|signature| !signature.is_empty()).map(Seal::anthropic),
        },
        "redacted_thinking" => Part::RedactedThinking(Seal::anthropic(block.required_string("data")?)),
        "tool_use" => {
            let part = Part::ToolCall {
                id: block.required_string("id")?,
                name: block.required_string("name")?,
                arguments: block.json("input").map_or_else(|| Arguments::from_text(""), Arguments::Json),
                cache,
            };
            // Who called the tool: the model itself, unless a server tool did.
            block.take("caller");
            part
        }
        "tool_result" => {
            let content = block.take("content");
            Part::ToolResult {
                id: block.required_string("tool_use_id")?,
                content: read_blocks(content, &path.member("content"), unread)?,
                is_error: block.boolean("is_error")?,
                cache,
            }
        }
        _ => {
            return Ok(Part::Opaque { origin: Dialect::Anthropic, kind, json: Json::from(raw) });
        }
    };
    block.rest_paths(unread);
    Ok(part)
}

fn read_media(block: &mut Object<'_, '_>, kind: MediaKind, unread: &mut Vec<String>) -> Result<Media, ApiError> {
    let path = block.path.member("source");
    let raw = block.take("source").ok_or_else(|| path.invalid(format!("`{path}` is missing.")))?;
    let mut source = Object::read(raw.get(), &path)?;
    let read = match source.required_string("type")?.as_str() {
        "base64" => {
            Source::Base64 { media_type: source.required_string("media_type")?, data: source.required_string("data")? }
        }
        "url" => Source::Url(source.required_string("url")?),
        "file" => Source::File(source.required_string("file_id")?),
        "text" => {
            source.take("media_type");
            Source::Text(source.required_string("data")?)
        }
        _ => return Ok(Media::new(kind, Source::Opaque(Json::from(raw)))),
    };
    source.rest_paths(unread);
    Ok(Media::new(kind, read))
}
