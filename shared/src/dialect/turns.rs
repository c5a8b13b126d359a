//! Who speaks when, for providers that are strict about it (Anthropic, Gemini): instructions on top,
//! then user and assistant in turn, the results of tools first in theirs.

use crate::dialect::ir::{ChatRequest, Message, Part, Role};
use crate::dialect::{Dialect, Effect, Warnings};
use crate::sorted;

/// A part and where the caller has it.
pub(in crate::dialect) struct Placed<'r> {
    pub(in crate::dialect) path: String,
    pub(in crate::dialect) part: &'r Part,
}

/// A turn of the conversation.
pub(in crate::dialect) struct Turn<'r> {
    /// `user`, `assistant`, or where the model takes it `system`.
    pub(in crate::dialect) role: &'static str,
    pub(in crate::dialect) parts: Vec<Placed<'r>>,
}

/// The instructions and the turns of a request.
pub(in crate::dialect) fn arrange<'r>(
    request: &'r ChatRequest,
    system_in_conversation: bool,
    takes_blanks: bool,
    warnings: &mut Warnings,
) -> (Vec<Placed<'r>>, Vec<Turn<'r>>) {
    let mut system: Vec<Placed<'r>> = Vec::new();
    let mut turns: Vec<Turn<'r>> = Vec::new();
    for (index, part) in request.instructions.iter().enumerate() {
        if !skips(part, takes_blanks, request.instruction_place(index), warnings) {
            system.push(Placed { path: request.instruction_place(index), part });
        }
    }
    for (index, message) in request.messages.iter().enumerate() {
        if message.name.is_some() {
            warnings.dropped(format_args!("messages[{index}].name"));
        }
        let parts = place(request, message, index, takes_blanks, warnings);
        match message.role {
            Role::System | Role::Developer if turns.is_empty() => system.extend(parts),
            Role::System | Role::Developer if system_in_conversation => add(&mut turns, "system", parts),
            Role::System | Role::Developer => {
                warnings.add(format_args!("messages[{index}]"), Effect::Moved);
                system.extend(parts);
            }
            Role::User => add(&mut turns, "user", parts),
            Role::Assistant => add(&mut turns, "assistant", parts),
        }
    }
    if turns.is_empty() && !system.is_empty() {
        // Instructions alone are a prompt in other dialects; here a conversation must have a turn.
        warnings.add("messages[0]", Effect::Moved);
        add(&mut turns, "user", std::mem::take(&mut system));
    }
    for turn in &mut turns {
        // A stable sort: results first, everything else as it stood.
        sorted::sort_by_key(&mut turn.parts, |placed| !matches!(placed.part, Part::ToolResult { .. }));
    }
    (system, turns)
}

fn add<'r>(turns: &mut Vec<Turn<'r>>, role: &'static str, mut parts: Vec<Placed<'r>>) {
    match turns.last_mut() {
        _ if parts.is_empty() => {}
        Some(last) if last.role == role => last.parts.append(&mut parts),
        Some(_) | None => turns.push(Turn { role, parts }),
    }
}

/// The parts of a message that say something, with the caller's paths.
fn place<'r>(
    request: &ChatRequest,
    message: &'r Message,
    index: usize,
    takes_blanks: bool,
    warnings: &mut Warnings,
) -> Vec<Placed<'r>> {
    let mut placed = Vec::new();
    let (mut thoughts, mut calls) = (0, 0);
    for (place, part) in message.content.iter().enumerate() {
        let path = match (request.origin, part) {
            (Dialect::OpenAiChat, Part::Thinking { .. } | Part::RedactedThinking(_)) => {
                thoughts += 1;
                format!("messages[{index}].reasoning_details[{}]", thoughts - 1)
            }
            (Dialect::OpenAiChat, Part::ToolCall { .. }) => {
                calls += 1;
                format!("messages[{index}].tool_calls[{}]", calls - 1)
            }
            (Dialect::OpenAiChat, Part::ToolResult { .. }) => format!("messages[{index}]"),
            (Dialect::OpenAiChat | Dialect::Anthropic, _) => {
                format!("messages[{index}].content[{}]", place - thoughts)
            }
            (Dialect::OpenAiResponses | Dialect::Gemini, _) => request.place(index, place),
        };
        if !skips(part, takes_blanks, &path, warnings) {
            placed.push(Placed { path, part });
        }
    }
    placed
}

/// Whether a part says nothing: an empty text, or one of white space (models write it before their calls), which some
/// providers refuse as well.
fn skips(part: &Part, takes_blanks: bool, path: impl std::fmt::Display, warnings: &mut Warnings) -> bool {
    let (Part::Text { text, .. } | Part::Refusal(text)) = part else { return false };
    let blank = !takes_blanks && !text.is_empty() && text.trim().is_empty();
    if blank {
        warnings.dropped(path);
    }
    blank || text.is_empty()
}
