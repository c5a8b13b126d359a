//! Kept answers: `DELETE /admin/v1/cache`.

use super::{Admin, Answer, Ask, unavailable};
use crate::cache::Entry;
use crate::config::DEFAULT_TEAM;
use crate::error::ApiError;
use crate::gateway::answers;
use crate::json::json;
use crate::ports::Ports;

impl<P: Ports> Admin<P> {
    /// Removes a team's kept answers: those whose request had a tag (`tag=feature:search`), else all of them, those of
    /// older versions and configurations among them.
    pub(super) async fn purge_cache(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let team = ask.query("team").unwrap_or_else(|| DEFAULT_TEAM.to_owned());
        let tag = ask.query("tag");
        let tag = tag.as_deref().map(|tag| {
            let named = tag.split_once(':').filter(|(name, _)| !name.is_empty());
            named.ok_or_else(|| ApiError::invalid("tag", "tag must be a name and a value, as in tag=feature:search."))
        });
        let tag = tag.transpose()?;
        let goes = |text: &str| match tag {
            None => true,
            Some((name, value)) => {
                let entry = Entry::read(text);
                entry.is_some_and(|entry| entry.tags.get(name).is_some_and(|theirs| theirs == value))
            }
        };
        let purged = answers::purge(&self.ports, &team, goes).await.map_err(unavailable)?;
        Ok(Answer::ok(json!({ "object": "cache.purged", "team": team, "purged": purged })))
    }
}
