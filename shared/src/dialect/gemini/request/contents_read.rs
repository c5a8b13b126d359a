//! The conversation into the common form. One content becomes one turn; a signature on a part becomes a
//! part of its own before it.

use super::media::read_blob;
use crate::dialect::Dialect;
use crate::dialect::gemini::seal;
use crate::dialect::ir::{Arguments, Json, Message, Part, Role};
use crate::dialect::json_read::{Object, Path, read_items, read_list};
use crate::dialect::text;
use crate::error::ApiError;
use serde_json::value::RawValue;

/// The turns of `contents`.
pub(super) fn read_contents(
    top: &mut Object<'_, '_>,
    places: &mut Vec<Vec<String>>,
    unread: &mut Vec<String>,
) -> Result<Vec<Message>, ApiError> {
    let path = Path::Root.member("contents");
    let raw = top.take("contents").ok_or_else(|| path.invalid("`contents` is missing."))?;
    let mut reader = Reader { open: Vec::new(), places: Vec::new(), unread };
    let mut messages = Vec::new();
    for (index, raw) in read_list(raw, &path)?.into_iter().enumerate() {
        let at = path.item(index);
        let mut content = Object::read(raw.get(), &at)?.camel_case();
        let role = match content.string("role")?.as_deref() {
            None | Some("user" | "function" | "tool" | "") => Role::User,
            Some("model" | "assistant") => Role::Assistant,
            Some(_) => {
                let at = at.member("role");
                return Err(at.invalid(format!("`{at}` must be user or model.")));
            }
        };
        messages.push(Message::new(role, reader.parts(&mut content, index)?));
        places.push(std::mem::take(&mut reader.places));
        content.rest_paths(reader.unread);
    }
    Ok(messages)
}

/// The texts of `systemInstruction`.
pub(super) fn read_instructions(raw: &RawValue, unread: &mut Vec<String>) -> Result<Vec<Part>, ApiError> {
    let path = Path::Root.member("systemInstruction");
    let mut content = Object::read(raw.get(), &path)?.camel_case();
    content.take("role");
    let parts = Reader { open: Vec::new(), places: Vec::new(), unread }.parts(&mut content, 0)?;
    content.rest_paths(unread);
    Ok(parts)
}

/// Reads parts and gives calls that have no id one that is the same each time the conversation is sent.
struct Reader<'u> {
    /// Calls that wait for their result: name and id.
    open: Vec<(String, String)>,
    /// Where the parts of the content at hand stand.
    places: Vec<String>,
    unread: &'u mut Vec<String>,
}

impl Reader<'_> {
    fn parts(&mut self, content: &mut Object<'_, '_>, index: usize) -> Result<Vec<Part>, ApiError> {
        let path = *content.path;
        let path = path.member("parts");
        let mut parts = Vec::new();
        let items = content.take("parts").map_or(Ok(Vec::new()), |raw| read_list(raw, &path))?;
        for (place, raw) in items.into_iter().enumerate() {
            let at = path.item(place);
            self.part(raw, &at, (index, place), &mut parts)?;
            self.places.resize_with(parts.len(), || at.to_string());
        }
        Ok(parts)
    }

    fn part(
        &mut self,
        raw: &RawValue,
        path: &Path<'_>,
        at: (usize, usize),
        parts: &mut Vec<Part>,
    ) -> Result<(), ApiError> {
        let mut part = Object::read(raw.get(), path)?.camel_case();
        let sealed = part.string("thoughtSignature")?.filter(|text| !text.is_empty() && text != seal::UNSIGNED);
        let sealed = sealed.map(|text| seal::read(&text));
        let thought = part.boolean("thought")?.unwrap_or(false);
        let text = part.string("text")?;
        if let Some(text) = text.filter(|_| thought || !part.has("functionCall")) {
            if thought {
                parts.push(Part::Thinking { text, signature: sealed });
            } else {
                let bare = sealed.is_some() && text.is_empty();
                parts.extend(sealed.map(Part::RedactedThinking));
                parts.extend((!bare).then(|| Part::text(text)));
            }
            part.rest_paths(self.unread);
            return Ok(());
        }
        parts.extend(sealed.map(Part::RedactedThinking));
        let read = if let Some(call) = part.take("functionCall") {
            self.call(call, &path.member("functionCall"), at)?
        } else if let Some(result) = part.take("functionResponse") {
            self.result(result, &path.member("functionResponse"), at)?
        } else if let Some(blob) = part.take("inlineData") {
            read_blob(blob, raw, &path.member("inlineData"), self.unread)?
        } else if let Some(file) = part.take("fileData") {
            read_blob(file, raw, &path.member("fileData"), self.unread)?
        } else {
            let kind = part.rest().into_iter().next().map_or_else(String::new, |(name, _)| name);
            parts.push(Part::Opaque { origin: Dialect::Gemini, kind, json: Json::from(raw) });
            return Ok(());
        };
        if !matches!(read, Part::Opaque { .. }) {
            part.rest_paths(self.unread);
        }
        parts.push(read);
        Ok(())
    }

    fn call(&mut self, raw: &RawValue, path: &Path<'_>, (index, place): (usize, usize)) -> Result<Part, ApiError> {
        let mut call = Object::read(raw.get(), path)?.camel_case();
        let name = call.required_string("name")?;
        let id = call.string("id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{index}_{place}"));
        let arguments = call.json("args").map_or_else(|| Arguments::from_text(""), Arguments::Json);
        call.rest_paths(self.unread);
        self.open.push((name.clone(), id.clone()));
        Ok(Part::ToolCall { id, name, arguments, cache: None })
    }

    fn result(&mut self, raw: &RawValue, path: &Path<'_>, (index, place): (usize, usize)) -> Result<Part, ApiError> {
        let mut result = Object::read(raw.get(), path)?.camel_case();
        let name = result.string("name")?.unwrap_or_default();
        let told = result.string("id")?.filter(|id| !id.is_empty());
        // By its id, else the first call of its name that has no result yet.
        let known = match &told {
            Some(told) => self.open.iter().position(|(_, id)| id == told),
            None => None,
        };
        let known = known.or_else(|| match told {
            Some(_) => None,
            None => self.open.iter().position(|(open, _)| *open == name),
        });
        let id = known.map(|known| self.open.remove(known).1).or(told);
        let id = id.unwrap_or_else(|| format!("call_{index}_{place}"));
        let (mut content, is_error) = read_output(result.take("response"));
        let path = path.member("parts");
        for (place, raw) in result.items("parts")?.into_iter().enumerate() {
            let path = path.item(place);
            let mut part = Object::read(raw.get(), &path)?.camel_case();
            match part.take("inlineData").or_else(|| part.take("fileData")) {
                Some(blob) => content.push(read_blob(blob, raw, &path, self.unread)?),
                None => self.unread.push(path.to_string()),
            }
        }
        result.rest_paths(self.unread);
        Ok(Part::ToolResult { id, content, is_error, cache: None })
    }
}

/// What a function said, as the text other dialects carry: what stands alone under `output` or `error`
/// by itself, else the whole object.
fn read_output(response: Option<&RawValue>) -> (Vec<Part>, Option<bool>) {
    let Some(raw) = response else { return (Vec::new(), None) };
    let path = Path::Root;
    let only = |name: &str| {
        let mut object = Object::read(raw.get(), &path).ok()?;
        let inner = object.take(name)?;
        object.rest().is_empty().then_some(inner)
    };
    let plain = |raw: &RawValue| text::decode(raw.get()).unwrap_or_else(|| raw.get().to_owned());
    let (said, is_error) = match (only("error"), only("output")) {
        (Some(error), _) => (plain(error), Some(true)),
        // An object under `output` would read as if it stood alone; it goes with its name.
        (None, Some(output)) if !output.get().starts_with('{') => (plain(output), None),
        (None, _) => (raw.get().to_owned(), None),
    };
    let items = read_items(raw, &path).is_ok_and(|items| items.is_empty());
    (if items || said.is_empty() { Vec::new() } else { vec![Part::text(said)] }, is_error)
}
