//! Checks that somebody else makes, among the rails of a request: which are to be made, and what becomes of the words by
//! what was said.

use super::body::texts;
use super::outside::{Side, Verdict};
use super::{Denied, Named, Seen, Words};
use crate::config::guardrails::{Action, Fail, Mode, Outside};
use crate::dialect::BYTES_PER_TOKEN;
use std::sync::Arc;

/// A check that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    named: Arc<Named>,
    pub(crate) side: Side,
}

impl Check {
    /// Who is asked.
    pub(crate) fn outside(&self) -> Option<&Outside> {
        self.named.rail.outside()
    }

    /// The guardrail it belongs to.
    pub(crate) fn name(&self) -> &str {
        &self.named.name
    }

    /// What the configuration has done about what a model finds.
    pub(crate) fn action(&self) -> Action {
        self.named.rail.action
    }
}

/// As much of an answer as is kept for who watches, in bytes.
const MOST_HEARD: usize = 1024 * 1024;

impl Seen {
    /// More of an answer, for who watches.
    pub(super) fn hear(&mut self, text: &str) {
        if self.answered.is_empty() {
            self.answered.push(String::new());
        }
        if let Some(heard) = self.answered.last_mut().filter(|heard| heard.len() + text.len() <= MOST_HEARD) {
            heard.push_str(text);
        }
    }
}

impl Words {
    /// The rails of a side.
    pub(super) fn rails(&self, side: Side) -> &[Arc<Named>] {
        match side {
            Side::Input => &self.sides.input,
            Side::Output => &self.sides.output,
        }
    }

    /// The next check from this rail on that somebody else makes and that is enforced, and where it stands.
    pub(crate) fn next_check(&self, side: Side, from: usize) -> Option<(usize, Check)> {
        let enforced = |rail: &&Arc<Named>| rail.rail.outside().is_some() && rail.rail.mode == Mode::Enforce;
        let (at, named) = self.rails(side).iter().enumerate().skip(from).find(|(_, rail)| enforced(rail))?;
        Some((at, Check { named: named.clone(), side }))
    }

    /// Whether an answer must be held until somebody else has judged all of it.
    pub(crate) fn holds_answers(&self) -> bool {
        self.next_check(Side::Output, 0).is_some() && self.piece().is_none()
    }

    /// How much of a streamed answer is judged at a time, in bytes: where everybody who judges answers takes pieces, as much as
    /// whoever wants the least. Nowhere where placeholders are put back: nobody outside hears what they stand for.
    pub(crate) fn piece(&self) -> Option<usize> {
        if self.restores() {
            return None;
        }
        let enforced = self.rails(Side::Output).iter().filter(|rail| rail.rail.mode == Mode::Enforce);
        let every = enforced.filter_map(|rail| rail.rail.outside()).map(Outside::every);
        let least = every.min()??;
        usize::try_from(least.saturating_mul(BYTES_PER_TOKEN)).ok()
    }

    /// Every check that somebody else makes.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let of = |side| {
            let outside = self.rails(side).iter().filter(|rail| rail.rail.outside().is_some());
            outside.map(move |named| Check { named: named.clone(), side })
        };
        of(Side::Input).chain(of(Side::Output)).collect()
    }

    /// The checks that only watch.
    pub(crate) fn watchers(&self) -> Vec<Check> {
        self.checks().into_iter().filter(|check| check.named.rail.mode == Mode::Monitor).collect()
    }

    pub(super) fn is_watched(&self, side: Side) -> bool {
        self.rails(side).iter().any(|rail| rail.rail.outside().is_some() && rail.rail.mode == Mode::Monitor)
    }

    /// What a watcher judges: the words as they went on.
    pub(crate) fn heard(&self, side: Side) -> Vec<String> {
        let seen = self.lock();
        match side {
            Side::Input => seen.said.clone(),
            Side::Output => seen.answered.clone(),
        }
    }

    /// Keeps what a watcher will judge.
    pub(crate) fn keep_for_watchers(&self, side: Side, body: &str) {
        if self.is_watched(side) {
            let kept = texts(body).into_iter().map(|(_, text)| text).collect();
            let mut seen = self.lock();
            match side {
                Side::Input => seen.said = kept,
                Side::Output => seen.answered = kept,
            }
        }
    }

    /// What becomes of texts by a verdict; `None` if there was none: those that change, by their number.
    pub(crate) fn judged(
        &self,
        check: &Check,
        verdict: Option<Verdict>,
        texts: &[String],
    ) -> Result<Vec<(usize, String)>, Denied> {
        let mut seen = self.lock();
        let (named, side) = (&check.named, check.side.as_str());
        let enforced = named.rail.mode == Mode::Enforce;
        let deny = |seen: &mut Seen, unanswered| {
            seen.touched |= check.side == Side::Output;
            Err(Denied { unanswered, ..Denied::by(named) })
        };
        match verdict {
            Some(Verdict::Allow) => Ok(Vec::new()),
            None => {
                seen.note_as(named, side, "unanswered", 1);
                if enforced && named.fail == Fail::Closed { deny(&mut seen, true) } else { Ok(Vec::new()) }
            }
            Some(Verdict::Found(action)) => {
                seen.note_as(named, side, if enforced { action.as_str() } else { "monitor" }, 1);
                seen.tell(named, side, "");
                match action {
                    Action::Deny if enforced => return deny(&mut seen, false),
                    Action::Deny | Action::Mask | Action::Restore | Action::Flag | Action::Route => {}
                }
                Ok(Vec::new())
            }
            Some(Verdict::Mask(spans, whole)) => {
                seen.note_as(named, side, if enforced { "mask" } else { "monitor" }, spans.len() + whole.len());
                if !enforced {
                    return Ok(Vec::new());
                }
                seen.touched |= check.side == Side::Output;
                seen.tell(named, side, "");
                let mut changed = whole;
                let mut spans = spans.into_iter().peekable();
                for (at, text) in texts.iter().enumerate() {
                    let mut out = String::new();
                    let mut done = 0;
                    while let Some(span) = spans.next_if(|span| span.text == at) {
                        let original = text.get(span.range.clone()).unwrap_or_default();
                        out.push_str(text.get(done..span.range.start).unwrap_or_default());
                        out.push_str(&seen.masks.placeholder(&span.class, original, original, false));
                        done = span.range.end;
                    }
                    if done > 0 {
                        out.push_str(text.get(done..).unwrap_or_default());
                        changed.push((at, out));
                    }
                }
                Ok(changed)
            }
        }
    }
}
