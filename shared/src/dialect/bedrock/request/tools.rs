//! Tools and which of them must be called: `toolConfig`.

use super::blocks::write_cache_point;
use crate::dialect::anthropic::request::write_schema;
use crate::dialect::ir::{ChatRequest, Part, Tool, ToolChoice};
use crate::dialect::json_write::{Items, Members};
use crate::dialect::turns::Turn;
use crate::dialect::{Dialect, Effect, Target, Warnings};
use crate::sorted::SortedSet;

pub(super) fn write(
    o: &mut Members<'_>,
    request: &ChatRequest,
    turns: &[Turn<'_>],
    caches: bool,
    target: &Target<'_>,
    warnings: &mut Warnings,
) {
    let function = |tool: &&Tool| matches!(tool, Tool::Function { .. });
    for (index, tool) in request.tools.iter().enumerate() {
        if !function(&tool) {
            warnings.dropped(format_args!("tools[{index}]"));
        }
    }
    if request.parallel_tool_calls == Some(false) {
        warnings.dropped(request.origin.parallel_path());
    }
    let used = used(turns);
    let any = request.tools.iter().any(|tool| function(&tool));
    // There is no choice of none: without tools there is nothing to choose, but a conversation in
    // which tools were used must tell of tools.
    let none = request.tool_choice == Some(ToolChoice::None);
    if used.is_empty() && (none || !any) {
        request.warn_of_choice(warnings);
        return;
    }
    o.object("toolConfig", |o| {
        o.array("tools", |a| {
            for (index, tool) in request.tools.iter().enumerate() {
                write_tool(a, request.origin, index, tool, caches, target, warnings);
            }
            if !any {
                warnings.add("tools", Effect::Converted);
                used.iter().for_each(|name| write_spec(a, name, |o| write_schema(o, "json", None)));
            }
        });
        write_choice(o, request, warnings);
    });
}

/// The tools the conversation has used. A result whose call is gone counts as one nobody knows.
fn used<'r>(turns: &[Turn<'r>]) -> SortedSet<&'r str> {
    let (mut names, mut results) = (SortedSet::new(), false);
    for placed in turns.iter().flat_map(|turn| &turn.parts) {
        match placed.part {
            Part::ToolCall { name, .. } => drop(names.insert(name.as_str())),
            Part::ToolResult { .. } => results = true,
            Part::Text { .. }
            | Part::Media(_)
            | Part::Refusal(_)
            | Part::Thinking { .. }
            | Part::RedactedThinking(_)
            | Part::Opaque { .. } => {}
        }
    }
    if results && names.is_empty() {
        names.insert("tool");
    }
    names
}

fn write_tool(
    a: &mut Items<'_>,
    origin: Dialect,
    index: usize,
    tool: &Tool,
    caches: bool,
    target: &Target<'_>,
    warnings: &mut Warnings,
) {
    let Tool::Function { name, description, parameters, strict, cache, extra } = tool else { return };
    a.object(|o| {
        o.object("toolSpec", |o| {
            o.string("name", name);
            o.maybe_string("description", description.as_deref().filter(|text| !text.is_empty()));
            o.object("inputSchema", |o| write_schema(o, "json", parameters.as_ref()));
            // Said only where it asks for something: older models do not know the word.
            if *strict == Some(true) && target.quirks.json_schema {
                o.boolean("strict", true);
            }
        });
    });
    for (member, _) in extra {
        warnings.dropped(format_args!("{}.{member}", origin.function_path(index)));
    }
    match cache {
        Some(cache) if caches => write_cache_point(a, cache),
        Some(_) => warnings.dropped(format_args!("tools[{index}].cache_control")),
        None => {}
    }
}

fn write_spec(a: &mut Items<'_>, name: &str, schema: impl FnOnce(&mut Members<'_>)) {
    a.object(|o| {
        o.object("toolSpec", |o| {
            o.string("name", name);
            o.object("inputSchema", schema);
        });
    });
}

fn write_choice(o: &mut Members<'_>, request: &ChatRequest, warnings: &mut Warnings) {
    match &request.tool_choice {
        Some(ToolChoice::Auto) => o.object("toolChoice", |o| o.object("auto", |_| {})),
        Some(ToolChoice::Required) => o.object("toolChoice", |o| o.object("any", |_| {})),
        Some(ToolChoice::Named(name)) => {
            o.object("toolChoice", |o| o.object("tool", |o| o.string("name", name)));
        }
        Some(ToolChoice::None | ToolChoice::Opaque { .. }) => warnings.dropped("tool_choice"),
        None => {}
    }
}
