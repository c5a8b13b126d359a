//! What an answer repeats of its request.
//!
//! OpenAI's Responses tell a caller's parameters back, and clients read them there: LangChain takes a streamed answer for
//! structured output where its `text.format` says so.

use super::ir::Json;
use super::json_read::{Object, Path, body_text};

/// Members of the caller's request as they stood, to be repeated in the answer. Empty in dialects that repeat nothing.
#[derive(Clone, Debug, Default)]
pub struct Echo(Vec<(&'static str, Json)>);

impl Echo {
    /// The members of these names. A null says nothing, and a body that is no object repeats nothing.
    pub(super) fn of(body: &[u8], names: impl Iterator<Item = &'static str>) -> Echo {
        let root = Path::Root;
        let Some(mut members) = body_text(body).ok().and_then(|text| Object::read(text, &root).ok()) else {
            return Echo::default();
        };
        Echo(names.filter_map(|name| Some((name, members.json(name)?))).collect())
    }

    /// What the request said under this name.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(theirs, _)| *theirs == name).map(|(_, json)| json)
    }
}
