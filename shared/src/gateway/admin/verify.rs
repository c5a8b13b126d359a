//! Whether the chains of records are whole: `GET /admin/v1/audit/verify`.

use super::audit::{instant, limit_up_to};
use super::{Admin, Answer, Ask, unavailable};
use crate::error::ApiError;
use crate::gateway::archive;
use crate::gateway::journal::checkpoint::Checkpoint;
use crate::gateway::journal::{Broken, Head, Lines, Place, Walk, archived_key, head_key, shelf};
use crate::gateway::policy::TENANT;
use crate::json::json;
use crate::ports::{Ports, StoreError};
use serde_json::Value;

/// How many records one request walks at the most, and unless asked otherwise.
const MAX_WALK: usize = 50_000;
const WALK: usize = 10_000;

impl<P: Ports> Admin<P> {
    /// Walks one team's chain or all of them, each up to `limit` records. Where a chain is longer, `next_cursor` says where
    /// to go on (with `team`).
    pub(super) async fn verify_audit(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let pending = self.pending().await?;
        let limit = limit_up_to(ask, MAX_WALK, WALK)?;
        let team = ask.query("team");
        let place = match (ask.query("cursor"), &team) {
            (None, _) => None,
            (Some(_), None) => return Err(ApiError::invalid("team", "cursor goes with the team it was given for.")),
            (Some(cursor), Some(_)) => Some(Place::parse(&cursor).ok_or_else(|| {
                ApiError::invalid("cursor", "cursor is the `next_cursor` of the page before, as it was given.")
            })?),
        };
        let from = instant(ask, "from")?;
        let (mut chains, mut ok) = (Vec::new(), true);
        for team in self.audited_teams(team).await? {
            let walked = self.walk(&team, place.as_ref(), from, limit).await.map_err(unavailable)?;
            ok &= walked.broken.is_none();
            chains.push(walked.shown(&team));
        }
        Ok(Answer::ok(json!({ "object": "audit.verification", "ok": ok, "open": pending.len(), "chains": chains })))
    }

    async fn walk(
        &self,
        team: &str,
        place: Option<&Place>,
        from: Option<crate::units::Timestamp>,
        limit: usize,
    ) -> Result<Walked, StoreError> {
        // The end first: what is appended meanwhile comes behind it.
        let head = self.ports.read_record(&shelf(TENANT), &head_key(team)).await?;
        let head: Head = head.and_then(|head| crate::json::parse(&head.value).ok()).unwrap_or_default();
        let mut lines = Lines::new(&self.ports, TENANT, vec![team.to_owned()], false, place, from);
        let checkpoints = self.checkpoints(team).await?;
        let mut walked = Walked { walk: Walk::new(team), broken: None, next: None, sealed: 0, archived: None };
        if self.ports.has_archive() {
            let mark = self.ports.read_record(&shelf(TENANT), &archived_key(team)).await?;
            walked.archived = Some(archive::end(mark.as_ref()).tree.size());
        }
        let mut before: Option<Place> = None;
        for step in 0..=limit {
            let Some((behind, line)) = lines.next().await? else {
                walked.broken = walked.end_missing(&head);
                break;
            };
            if step == limit {
                // The next page begins with the last record of this one, so that the link between them is looked at.
                walked.next = before;
                break;
            }
            if let Err(broken) = walked.walk.step(&line) {
                walked.broken = Some(broken);
                break;
            }
            if let Some((seq, _)) = walked.walk.last()
                && let Some(checkpoint) = checkpoints.get(&seq)
            {
                walked.hold(seq, checkpoint.as_ref());
            }
            if walked.broken.is_some() {
                break;
            }
            before = walked.walk.last().filter(|(seq, _)| *seq > 1).map(|_| behind.one_back()).or(before);
            if walked.walk.last().is_some_and(|(seq, hash)| seq == head.tree.size() && hash != head.hash) {
                walked.broken = Some(Broken { seq: head.tree.size(), reason: OTHER_END });
                break;
            }
        }
        Ok(walked)
    }
}

const OTHER_END: &str = "The chain's own end names another hash for this record: it was rewritten.";

struct Walked {
    walk: Walk,
    broken: Option<Broken>,
    next: Option<Place>,
    /// How many checkpoints hold.
    sealed: usize,
    /// The number of the last record that is archived; `None` where there is no archive.
    archived: Option<u64>,
}

impl Walked {
    /// Holds a checkpoint, if its signature is good, against the record the walk stands at.
    fn hold(&mut self, seq: u64, checkpoint: Option<&Checkpoint>) {
        let Some(checkpoint) = checkpoint else {
            self.broken = Some(Broken { seq, reason: "A stored checkpoint is not signed by this gateway's key." });
            return;
        };
        match self.walk.holds(checkpoint.size, &checkpoint.hash, &checkpoint.root) {
            Some(Err(broken)) => self.broken = Some(broken),
            Some(Ok(())) => self.sealed += 1,
            None => {}
        }
    }

    /// The chain knows how long it is. One without any records left may have outlived them all.
    fn end_missing(&self, head: &Head) -> Option<Broken> {
        let (last, _) = self.walk.last()?;
        let reason = "The records from here to the chain's own end are missing.";
        (last < head.tree.size()).then(|| Broken { seq: last.saturating_add(1), reason })
    }

    fn shown(&self, team: &str) -> Value {
        json!({
            "team": team,
            "ok": self.broken.is_none(),
            "broken": self.broken,
            "first_seq": self.walk.first(),
            "last_seq": self.walk.last().map(|(seq, _)| seq),
            "last_hash": self.walk.last().map(|(_, hash)| hash),
            "records": self.walk.records(),
            "checkpoints": self.sealed,
            "lost": self.walk.lost(),
            "cost_nano_usd": self.walk.cost(),
            "next_cursor": self.next.as_ref().map(Place::to_string),
            "archived_seq": self.archived,
            "archive": self.archived.map(|_| archive::objects(Some(team))),
        })
    }
}
