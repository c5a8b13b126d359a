//! The conversation into the common form.
//!
//! What the model said in one go is several items here (reasoning, message, calls) and one turn
//! elsewhere: consecutive items of the model become one turn, and so do consecutive results of
//! tools. Each part remembers where it came from, for warnings.

use super::parts_read::{read_parts, read_result};
use crate::dialect::Dialect;
use crate::dialect::ir::{Arguments, ChatRequest, Json, Message, NativeOnly, Part, Role};
use crate::dialect::json_read::{Object, Path, read_string};
use crate::dialect::openai_responses::seal;
use crate::error::ApiError;
use serde_json::value::RawValue;

pub(super) fn read_input(top: &mut Object<'_, '_>, request: &mut ChatRequest) -> Result<(), ApiError> {
    let path = Path::Root.member("input");
    if !top.has("input") {
        // What is kept elsewhere may be all there is to say.
        if request.native_only.is_empty() {
            return Err(path.invalid("`input` is missing."));
        }
        return Ok(());
    }
    let mut turns = Turns { request, open: Open::Nothing };
    if let Some(raw) = top.take("input") {
        if raw.get().starts_with('"') {
            turns.add(Role::User, Open::Nothing, vec![Part::text(read_string(raw, &path)?)], &path);
            return Ok(());
        }
        let items: Vec<&RawValue> = crate::json::parse(raw.get())
            .map_err(|_| path.invalid("`input` must be a string or an array of items."))?;
        for (index, raw) in items.into_iter().enumerate() {
            turns.item(raw, &path.item(index))?;
        }
    }
    Ok(())
}

/// What the next item can be added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    /// A turn of the model.
    Model,
    /// A turn of tool results.
    Results,
}

struct Turns<'r> {
    request: &'r mut ChatRequest,
    open: Open,
}

impl Turns<'_> {
    /// Adds parts to the open turn if they belong to it, else in a turn of their own. `as_what` tells
    /// what may be added to that turn in turn.
    fn add(&mut self, role: Role, as_what: Open, parts: Vec<Part>, path: &Path<'_>) {
        let places = vec![path.to_string(); parts.len()];
        self.add_at(role, as_what, places, parts);
    }

    fn add_at(&mut self, role: Role, as_what: Open, mut places: Vec<String>, mut parts: Vec<Part>) {
        let request = &mut *self.request;
        match (request.messages.last_mut(), request.places.last_mut()) {
            (Some(message), Some(known)) if as_what != Open::Nothing && as_what == self.open => {
                message.content.append(&mut parts);
                known.append(&mut places);
            }
            (_, _) => {
                request.messages.push(Message::new(role, parts));
                request.places.push(places);
            }
        }
        self.open = as_what;
    }

    fn item(&mut self, raw: &RawValue, path: &Path<'_>) -> Result<(), ApiError> {
        let mut item = Object::read(raw.get(), path)?;
        let kind = item.string("type")?;
        match kind.as_deref() {
            Some("message") => self.message(item),
            None if item.has("role") => self.message(item),
            None => Err(path.member("type").invalid(format!("`{path}.type` is missing."))),
            Some("reasoning") => self.reasoning(item),
            Some("function_call") => {
                let arguments = Arguments::from_text(&item.string("arguments")?.unwrap_or_default());
                self.call(item, arguments)
            }
            Some("custom_tool_call") => {
                let input = item.string("input")?.unwrap_or_default();
                self.call(item, lowered(&input))
            }
            Some("function_call_output" | "custom_tool_call_output") => self.result(item),
            Some(kind) => {
                if kind == "item_reference" {
                    let instead = "Send the item itself.";
                    self.request.native_only.push(NativeOnly { path: path.to_string(), instead });
                }
                let theirs = kind.ends_with("_output") || kind.ends_with("_response");
                let (role, open) = if theirs { (Role::User, Open::Results) } else { (Role::Assistant, Open::Model) };
                let part =
                    Part::Opaque { origin: Dialect::OpenAiResponses, kind: kind.to_owned(), json: Json::from(raw) };
                self.add(role, open, vec![part], path);
                Ok(())
            }
        }
    }

    fn message(&mut self, mut item: Object<'_, '_>) -> Result<(), ApiError> {
        let path = *item.path;
        let (role, open) = match item.required_string("role")?.as_str() {
            "user" => (Role::User, Open::Nothing),
            "assistant" => (Role::Assistant, Open::Model),
            "system" => (Role::System, Open::Nothing),
            "developer" => (Role::Developer, Open::Nothing),
            _ => {
                let at = path.member("role");
                return Err(at.invalid(format!("`{at}` must be user, assistant, system or developer.")));
            }
        };
        let at = path.member("content");
        let content = item.take("content").ok_or_else(|| at.invalid(format!("`{at}` is missing.")))?;
        let (parts, places) = read_parts(content, &at, &mut self.request.unread)?;
        self.rest(item);
        self.add_at(role, open, places, parts);
        Ok(())
    }

    fn reasoning(&mut self, mut item: Object<'_, '_>) -> Result<(), ApiError> {
        let path = *item.path;
        let mut words = Vec::new();
        for name in ["summary", "content"] {
            let at = path.member(name);
            for (index, raw) in item.items(name)?.into_iter().enumerate() {
                let at = at.item(index);
                words.push(Object::read(raw.get(), &at)?.required_string("text")?);
            }
        }
        let thoughts = seal::thoughts(words, item.string("encrypted_content")?);
        self.rest(item);
        self.add(Role::Assistant, Open::Model, thoughts, &path);
        Ok(())
    }

    fn call(&mut self, mut item: Object<'_, '_>, arguments: Arguments) -> Result<(), ApiError> {
        let path = *item.path;
        let (id, name) = (item.required_string("call_id")?, item.required_string("name")?);
        self.rest(item);
        self.add(Role::Assistant, Open::Model, vec![Part::ToolCall { id, name, arguments, cache: None }], &path);
        Ok(())
    }

    fn result(&mut self, mut item: Object<'_, '_>) -> Result<(), ApiError> {
        let path = *item.path;
        let id = item.required_string("call_id")?;
        let at = path.member("output");
        let output = item.take("output").ok_or_else(|| at.invalid(format!("`{at}` is missing.")))?;
        let content = read_result(output, &at, &mut self.request.unread)?;
        self.rest(item);
        let part = Part::ToolResult { id, content, is_error: None, cache: None };
        self.add(Role::User, Open::Results, vec![part], &path);
        Ok(())
    }

    /// What nobody took, less the labels an item bears since it was part of an answer.
    fn rest(&mut self, mut item: Object<'_, '_>) {
        for label in ["id", "status"] {
            item.take(label);
        }
        item.rest_paths(&mut self.request.unread);
    }
}

/// A tool that takes free text, as a function of one text: so it can be told in other dialects.
pub(in crate::dialect::openai_responses) fn lowered(input: &str) -> Arguments {
    let mut json = Vec::with_capacity(input.len() + 16);
    crate::dialect::json_write::object(&mut json, |o| o.string("input", input));
    Arguments::from_text(&String::from_utf8_lossy(&json))
}
