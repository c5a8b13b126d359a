//! The conversation into the common form. One message becomes one turn and one part one part, so
//! that a path in a warning is a path in the caller's body.

use crate::dialect::Dialect;
use crate::dialect::ir::{Arguments, Json, Media, MediaKind, Message, Part, Role, Seal, SealFormat, Source};
use crate::dialect::json_read::{Object, Path, read_items, read_string};
use crate::dialect::openai_chat::reasoning;
use crate::error::ApiError;
use serde_json::value::RawValue;

pub(super) fn read_messages(top: &mut Object<'_, '_>, unread: &mut Vec<String>) -> Result<Vec<Message>, ApiError> {
    let path = Path::Root.member("messages");
    if !top.has("messages") {
        return Err(path.invalid("`messages` is missing."));
    }
    let mut messages = Vec::new();
    // Function results of the older form name the function, not the call.
    let mut functions: Vec<(String, String)> = Vec::new();
    for (index, raw) in top.items("messages")?.into_iter().enumerate() {
        let at = path.item(index);
        let mut message = Object::read(raw.get(), &at)?;
        messages.push(read_message(&mut message, index, &mut functions, unread)?);
        message.rest_paths(unread);
    }
    Ok(messages)
}

fn read_message(
    message: &mut Object<'_, '_>,
    index: usize,
    functions: &mut Vec<(String, String)>,
    unread: &mut Vec<String>,
) -> Result<Message, ApiError> {
    let path = *message.path;
    let at = path.member("content");
    let role = message.required_string("role")?;
    let name = message.string("name")?;
    let cache = message.json("cache_control");
    let content = message.take("content");
    let mut content = read_content(content, &at, unread)?;
    if let (Some(cache), Some(Part::Text { cache: place @ None, .. })) = (cache.clone(), content.last_mut()) {
        *place = Some(cache);
    }
    let role = match role.as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => {
            read_assistant(message, index, &mut content, functions, unread)?;
            Role::Assistant
        }
        "tool" => {
            let id = message.required_string("tool_call_id")?;
            content = vec![Part::ToolResult { id, content: plain(content), is_error: None, cache }];
            return Ok(Message::new(Role::User, content));
        }
        "function" => {
            let name = name.unwrap_or_default();
            let known = functions.iter().rposition(|(function, _)| *function == name);
            let id = known.map_or_else(|| format!("call_{name}_{index}"), |at| functions.swap_remove(at).1);
            content = vec![Part::ToolResult { id, content: plain(content), is_error: None, cache }];
            return Ok(Message::new(Role::User, content));
        }
        _ => {
            let at = path.member("role");
            return Err(at.invalid(format!("`{at}` must be system, developer, user, assistant or tool.")));
        }
    };
    Ok(Message { role, content, name })
}

/// Text of a tool result without its own breakpoint: the result as a whole has it.
fn plain(content: Vec<Part>) -> Vec<Part> {
    content.into_iter().filter(|part| !matches!(part, Part::Text { text, .. } if text.is_empty())).collect()
}

fn read_assistant(
    message: &mut Object<'_, '_>,
    index: usize,
    content: &mut Vec<Part>,
    functions: &mut Vec<(String, String)>,
    unread: &mut Vec<String>,
) -> Result<(), ApiError> {
    let mut thoughts = reasoning::take(message, unread)?;
    thoughts.append(content);
    *content = thoughts;
    if let Some(refusal) = message.string("refusal")? {
        content.push(Part::Refusal(refusal));
    }
    let path = message.path.member("tool_calls");
    for (place, raw) in message.items("tool_calls")?.into_iter().enumerate() {
        let at = path.item(place);
        let mut call = Object::read(raw.get(), &at)?;
        let kind = call.string("type")?.unwrap_or_else(|| "function".to_owned());
        if kind != "function" {
            content.push(Part::Opaque { origin: Dialect::OpenAiChat, kind, json: Json::from(raw) });
            continue;
        }
        let id = call.string("id")?.unwrap_or_else(|| format!("call_{index}_{place}"));
        let within = at.member("function");
        let function = call.take("function").ok_or_else(|| within.invalid(format!("`{within}` is missing.")))?;
        let mut function = Object::read(function.get(), &within)?;
        let name = function.required_string("name")?;
        let arguments = read_arguments(&mut function)?;
        let cache = call.json("cache_control");
        reasoning::take_signature(&mut call, content);
        content.push(Part::ToolCall { id, name, arguments, cache });
        call.take("index");
        call.rest_paths(unread);
        function.rest_paths(unread);
    }
    let path = message.path.member("function_call");
    if let Some(raw) = message.take("function_call") {
        let mut function = Object::read(raw.get(), &path)?;
        let name = function.required_string("name")?;
        let id = format!("call_{name}_{index}");
        functions.push((name.clone(), id.clone()));
        let arguments = read_arguments(&mut function)?;
        content.push(Part::ToolCall { id, name, arguments, cache: None });
    }
    // What the answer carried and a client sends back with it: nothing a model reads.
    for name in ["audio", "annotations"] {
        if message.take(name).is_some_and(|raw| raw.get() != "[]") {
            unread.push(message.path.member(name).to_string());
        }
    }
    Ok(())
}

/// Arguments are a string of JSON; some servers and clients send the object itself.
fn read_arguments(function: &mut Object<'_, '_>) -> Result<Arguments, ApiError> {
    let path = function.path.member("arguments");
    match function.take("arguments") {
        Some(raw) if raw.get().starts_with('{') => Ok(Arguments::Json(Json::from(raw))),
        Some(raw) => Ok(Arguments::from_text(&read_string(raw, &path)?)),
        None => Ok(Arguments::from_text("")),
    }
}

/// The content of a message: a string, an array of parts, or nothing.
pub(in crate::dialect::openai_chat) fn read_content(
    raw: Option<&RawValue>,
    path: &Path<'_>,
    unread: &mut Vec<String>,
) -> Result<Vec<Part>, ApiError> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    if !raw.get().starts_with('[') {
        return Ok(vec![Part::text(read_string(raw, path)?)]);
    }
    let items = read_items(raw, path)?;
    items.into_iter().enumerate().map(|(index, raw)| read_part(raw, &path.item(index), unread)).collect()
}

fn read_part(raw: &RawValue, path: &Path<'_>, unread: &mut Vec<String>) -> Result<Part, ApiError> {
    if raw.get().starts_with('"') {
        return Ok(Part::text(read_string(raw, path)?));
    }
    let mut part = Object::read(raw.get(), path)?;
    let kind = part.required_string("type")?;
    let cache = part.json("cache_control");
    let read = match kind.as_str() {
        "text" | "input_text" | "output_text" => {
            Part::Text { text: part.required_string("text")?, cache, citations: Vec::new() }
        }
        "refusal" => Part::Refusal(part.required_string("refusal")?),
        "image_url" => {
            let (url, detail) = read_url(&mut part, "image_url", unread)?;
            Part::Media(Media { detail, cache, ..Media::new(MediaKind::Image, Source::from_url(&url)) })
        }
        // Mistral
        "document_url" => {
            let (url, _) = read_url(&mut part, "document_url", unread)?;
            let name = part.string("document_name")?;
            Part::Media(Media { name, cache, ..Media::new(MediaKind::Document, Source::from_url(&url)) })
        }
        "input_audio" => {
            let within = path.member("input_audio");
            let mut audio = nested(&mut part, &within)?;
            let media_type = audio.string("format")?.unwrap_or_else(|| "wav".to_owned());
            let source = Source::Base64 { media_type, data: audio.required_string("data")? };
            audio.rest_paths(unread);
            Part::Media(Media { cache, ..Media::new(MediaKind::Audio, source) })
        }
        "file" => {
            let within = path.member("file");
            let mut file = nested(&mut part, &within)?;
            let name = file.string("filename")?;
            let source = match (file.string("file_data")?, file.string("file_id")?, file.string("file_url")?) {
                (Some(data), _, _) => inline_file(&data),
                (None, Some(id), _) => Source::File(id),
                (None, None, Some(url)) => Source::Url(url),
                (None, None, None) => {
                    return Err(within.invalid(format!("`{within}` needs `file_data` or `file_id`.")));
                }
            };
            file.rest_paths(unread);
            Part::Media(Media { name, cache, ..Media::new(MediaKind::Document, source) })
        }
        // Mistral
        "thinking" => {
            let signature = part.string("signature")?.filter(|signature| !signature.is_empty());
            let format = SealFormat::Other("mistral".to_owned());
            let signature = signature.map(|text| Seal { text, format });
            Part::Thinking { text: thinking_text(part.take("thinking")), signature }
        }
        _ => {
            return Ok(Part::Opaque { origin: Dialect::OpenAiChat, kind, json: Json::from(raw) });
        }
    };
    part.rest_paths(unread);
    Ok(read)
}

fn nested<'a, 'q>(part: &mut Object<'a, '_>, path: &'q Path<'q>) -> Result<Object<'a, 'q>, ApiError> {
    let name = if let Path::Member(_, name) = path { *name } else { "" };
    let raw = part.take(name).ok_or_else(|| path.invalid(format!("`{path}` is missing.")))?;
    Object::read(raw.get(), path)
}

/// A URL, bare or in an object with `detail`.
fn read_url(
    part: &mut Object<'_, '_>,
    name: &str,
    unread: &mut Vec<String>,
) -> Result<(String, Option<String>), ApiError> {
    let path = part.path.member(name);
    let raw = part.take(name).ok_or_else(|| path.invalid(format!("`{path}` is missing.")))?;
    if raw.get().starts_with('"') {
        return Ok((read_string(raw, &path)?, None));
    }
    let mut object = Object::read(raw.get(), &path)?;
    let found = (object.required_string("url")?, object.string("detail")?);
    object.rest_paths(unread);
    Ok(found)
}

/// `file_data` is a data URL; the bare base64 of a PDF is taken too.
fn inline_file(data: &str) -> Source {
    match Source::from_url(data) {
        Source::Url(url) if url.starts_with("http://") || url.starts_with("https://") => Source::Url(url),
        Source::Url(data) => Source::Base64 { media_type: "application/pdf".to_owned(), data },
        inline @ (Source::Base64 { .. } | Source::File(_) | Source::Text(_) | Source::Opaque(_)) => inline,
    }
}

/// Mistral's thoughts: a string or an array of text parts.
pub(in crate::dialect::openai_chat) fn thinking_text(raw: Option<&RawValue>) -> String {
    let mut text = String::new();
    let Some(raw) = raw else { return text };
    let path = Path::Root;
    if let Ok(items) = read_items(raw, &path) {
        for raw in items {
            if let Ok(mut part) = Object::read(raw.get(), &path) {
                text.push_str(&part.string("text").ok().flatten().unwrap_or_default());
            }
        }
        return text;
    }
    read_string(raw, &path).unwrap_or_default()
}
