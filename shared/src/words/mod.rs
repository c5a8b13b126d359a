//! What happens to the words of a request and of its answer: guardrails, between admission and routing on
//! the way in, before the caller on the way out. The pipeline calls for the one, the proxy has the events of a stream
//! pass through the other; neither knows what is looked for.
//!
//! The detectors are in `guard`, where words stand is known to `dialect`, what is to be done stands in the
//! configuration. Here they are brought together: [`Guards`] tells which rails hold for a request, [`Words`] is what
//! one request has to remember (its placeholders, what was found), `filter` takes a text through one rail,
//! `body` all texts of a body, `stream` those of a stream.

mod begun;
mod body;
pub(crate) mod checks;
mod filter;
mod masks;
pub(crate) mod outside;
mod pieces;
mod stream;

pub(crate) use body::{replaced, texts};
pub use stream::Guarded;

use crate::config::guardrails::{Action, Check, DEFAULT_GUARDRAIL, Fail, Guardrail, Mode, Rail};
use crate::config::{Config, GuardrailName, Rule};
use crate::error::{ApiError, Code};
use crate::guard::plain::Source;
use crate::sorted;
use crate::sorted::{SortedMap, SortedSet};
use filter::Chain;
use masks::Masks;
use serde::Serialize;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What one rail of a guardrail found, for the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The guardrail's name in the configuration.
    pub name: String,
    /// What it looks for: `pii`, `secrets`.
    pub kind: &'static str,
    /// What was done: `deny`, `mask`; `monitor` where it only watches.
    pub action: &'static str,
    /// Where: `input`, `output`.
    pub side: &'static str,
    /// How often.
    pub count: u64,
}

/// A rail and the guardrail it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    /// The guardrail's name.
    name: String,
    rail: Rail,
    fail: Fail,
}

/// The guardrails of a configuration, and for whom each holds.
#[derive(Debug, Default)]
pub struct Guards {
    rails: SortedMap<String, Sides>,
    teams: SortedMap<String, GuardrailName>,
    routes: SortedMap<String, GuardrailName>,
}

#[derive(Clone, Debug, Default)]
struct Sides {
    input: Vec<Arc<Named>>,
    output: Vec<Arc<Named>>,
}

impl Sides {
    /// Each rail once, whoever brings it.
    fn add(&mut self, more: &Sides) {
        for (own, more) in [(&mut self.input, &more.input), (&mut self.output, &more.output)] {
            let new: Vec<_> = more.iter().filter(|new| !own.iter().any(|own| Arc::ptr_eq(own, new))).cloned().collect();
            own.extend(new);
        }
    }
}

impl Guards {
    /// The guardrails of a configuration.
    pub fn of(config: &Config) -> Guards {
        let of = |name: &GuardrailName, guardrail: &Guardrail| {
            let named = |rail: &Rail| {
                Arc::new(Named { name: name.as_str().to_owned(), rail: rail.clone(), fail: guardrail.fail })
            };
            Sides {
                input: guardrail.input.iter().map(named).collect(),
                output: guardrail.output.iter().map(named).collect(),
            }
        };
        let guardrails = config.guardrails.iter();
        Guards {
            rails: guardrails.map(|(name, rails)| (name.as_str().to_owned(), of(name, rails))).collect(),
            teams: config
                .teams
                .iter()
                .filter_map(|(name, team)| Some((name.as_str().to_owned(), team.guardrails.clone()?)))
                .collect(),
            routes: config
                .routes
                .iter()
                .filter_map(|(name, route)| Some((name.as_str().to_owned(), route.guardrails.clone()?)))
                .collect(),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.rails.is_empty()
    }

    /// What holds for a request: the rails of all, of its team, of the routes it goes by, of the rules that hold for it,
    /// in this order.
    pub fn words(&self, team: &str, routes: &[String], rules: &[&Rule]) -> Words {
        if self.rails.is_empty() {
            return Words::default();
        }
        let team = self.teams.get(team).map(GuardrailName::as_str);
        let routes = routes.iter().filter_map(|route| self.routes.get(route)).map(GuardrailName::as_str);
        let rules = rules.iter().filter_map(|rule| rule.guardrails.as_ref()).map(GuardrailName::as_str);
        let names = [Some(DEFAULT_GUARDRAIL), team].into_iter().flatten().chain(routes).chain(rules);
        let mut sides = Sides::default();
        for name in names {
            if let Some(more) = self.rails.get(name) {
                sides.add(more);
            }
        }
        Words { sides: Arc::new(sides), seen: Arc::default() }
    }
}

/// What one request remembers of its words. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Words {
    sides: Arc<Sides>,
    seen: Arc<Mutex<Seen>>,
}

/// What was found, and what stands for what.
#[derive(Debug, Default)]
pub(super) struct Seen {
    masks: Masks,
    hits: Vec<Hit>,
    classes: SortedSet<String>,
    /// The answer is not what the model said: nobody else may get it.
    touched: bool,
    /// What was said and answered, where somebody else will judge it when all is over.
    said: Vec<String>,
    answered: Vec<String>,
}

/// A guardrail that refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    name: String,
    kind: &'static str,
    /// It was asked, and did not answer.
    unanswered: bool,
}

impl Denied {
    fn by(rail: &Named) -> Denied {
        Denied { name: rail.name.clone(), kind: rail.rail.check.as_str(), unanswered: false }
    }

    /// What the caller is told: which guardrail, and never what it found.
    pub(crate) fn error(&self, what: &str) -> ApiError {
        let Denied { name, kind, unanswered } = self;
        let why = match unanswered {
            true => format!("could not judge {what}, and nothing passes unjudged. Try again later"),
            false => format!("does not let {what} pass. Change the request"),
        };
        ApiError::new(
            Code::GuardrailBlocked,
            format!("The guardrail `{name}` ({kind}) {why}, or ask your administrator."),
        )
    }
}

impl Seen {
    /// Notes findings of a rail.
    fn note(&mut self, rail: &Named, side: &'static str, count: usize) {
        let action = match rail.rail.mode {
            Mode::Enforce => rail.rail.action.as_str(),
            Mode::Monitor => "monitor",
        };
        self.note_as(rail, side, action, count);
    }

    /// Notes what the router is to know of: what was found in a request, whatever became of it.
    fn tell(&mut self, rail: &Named, side: &'static str, class: &str) {
        if side == outside::Side::Input.as_str() && rail.rail.mode == Mode::Enforce {
            self.classes.insert(data_class(&rail.rail.check, class));
        }
    }

    /// Notes findings about which this was done.
    fn note_as(&mut self, rail: &Named, side: &'static str, action: &'static str, count: usize) {
        let kind = rail.rail.check.as_str();
        let same =
            |hit: &&mut Hit| hit.name == rail.name && hit.kind == kind && hit.action == action && hit.side == side;
        match self.hits.iter_mut().find(same) {
            Some(hit) => hit.count += count as u64,
            None => self.hits.push(Hit { name: rail.name.clone(), kind, action, side, count: count as u64 }),
        }
    }
}

impl Words {
    /// Whether anything is looked for at all.
    pub fn is_idle(&self) -> bool {
        self.sides.input.is_empty() && self.sides.output.is_empty()
    }

    /// Whether the answer must be looked at: rails hold for it, or placeholders are to be replaced in it.
    pub(crate) fn guards_answers(&self) -> bool {
        !self.sides.output.is_empty() || self.restores()
    }

    /// Whose rails hold for the answer, by name.
    pub(crate) fn of_answers(&self) -> String {
        self.sides.output.iter().map(|named| named.name.as_str()).collect::<Vec<&str>>().join(" ")
    }

    fn restores(&self) -> bool {
        self.sides.input.iter().any(|named| named.rail.action == Action::Restore && named.rail.mode == Mode::Enforce)
    }

    /// Whether what cannot be looked at is refused, and by whom.
    pub(crate) fn refuses_unread(&self) -> Option<Denied> {
        let closed = |named: &&Arc<Named>| named.fail == Fail::Closed && named.rail.mode == Mode::Enforce;
        self.sides.input.iter().chain(&self.sides.output).find(closed).map(|named| Denied::by(named))
    }

    /// Takes every text of a request through these of the rails. `None`: nothing changes.
    ///
    /// # Errors
    /// One of them refuses.
    pub fn request(&self, body: &str, rails: Range<usize>) -> Result<Option<Vec<u8>>, Denied> {
        let rails = within(&self.sides.input, rails);
        if rails.is_empty() {
            return Ok(None);
        }
        let mut seen = self.lock();
        body::rewrite(body, &mut seen, |source| Chain::input(rails, source))
    }

    /// Takes a text that will become part of a request through the rails.
    pub(crate) fn value(&self, text: &str) -> Result<String, Denied> {
        let passed = Chain::input(&self.sides.input, Source::Words).push(text, true, &mut self.lock());
        passed.denied.map_or(Ok(passed.text), Err)
    }

    /// Rails that turned out to hold, beside these: what takes a request through those that are new, and what remembers
    /// all of them from then on. `None`: none is new.
    pub(crate) fn beside(&self, more: &Words) -> Option<(Words, Words)> {
        let mut all = Sides::clone(&self.sides);
        all.add(&more.sides);
        let counts = |sides: &Sides| (sides.input.len(), sides.output.len());
        if counts(&all) == counts(&self.sides) {
            return None;
        }
        let new = Sides { input: all.input.iter().skip(self.sides.input.len()).cloned().collect(), output: Vec::new() };
        let with = |sides: Sides| Words { sides: Arc::new(sides), seen: self.seen.clone() };
        Some((with(new), with(all)))
    }

    /// Takes every text of a whole answer through these of the rails. `last`: and puts back what is to be.
    pub(crate) fn answer(&self, body: &str, rails: Range<usize>, last: bool) -> Result<Option<Vec<u8>>, Denied> {
        let rails = within(&self.sides.output, rails);
        let mut seen = self.lock();
        body::rewrite(body, &mut seen, |source| Chain::output(rails, last && self.restores(), source, false))
    }

    /// What takes the events of a streamed answer through the rails; a new one for each attempt, for what a failed one
    /// had read must not be part of the next.
    pub fn rewrite(&self) -> Guarded {
        Guarded::new(self.clone())
    }

    /// Holds what a whole answer says, each choice for itself, to the schemas that hold.
    pub(crate) fn follow(&self, said: impl FnOnce() -> Vec<String>) -> Result<(), Denied> {
        let is_schema = |named: &&Arc<Named>| matches!(named.rail.check, Check::Schema(_));
        let schemas: Vec<_> = self.sides.output.iter().filter(is_schema).cloned().collect();
        let judge = |text: String| {
            Chain::output(&schemas, false, Source::Words, true).push(&text, true, &mut self.lock()).denied
        };
        if schemas.is_empty() {
            return Ok(());
        }
        said().into_iter().find_map(judge).map_or(Ok(()), Err)
    }

    /// A chain for one text of a streamed answer; `is_said`: it is what the model says, and no thought or call.
    fn chain(&self, source: Source, is_said: bool) -> Chain {
        Chain::output(&self.sides.output, self.restores(), source, is_said)
    }

    /// Whether answers do not go on as they came, so that what repeats them in other words must go.
    fn changes_answers(&self) -> bool {
        let changes = |named: &Arc<Named>| match named.rail.action {
            Action::Deny | Action::Mask | Action::Restore => named.rail.mode == Mode::Enforce,
            Action::Flag | Action::Route => false,
        };
        self.restores() || self.sides.output.iter().any(changes)
    }

    /// The classes of data that the router is to know.
    pub(crate) fn classes(&self) -> Vec<String> {
        self.lock().classes.iter().cloned().collect()
    }

    /// Whether the caller hears something else than the model said.
    pub(crate) fn is_touched(&self) -> bool {
        self.lock().touched
    }

    /// What was found so far, for the audit.
    pub fn hits(&self) -> Vec<Hit> {
        let mut hits = self.lock().hits.clone();
        // What came first in a stream depends on how it was cut.
        sorted::sort_by(&mut hits, |a, b| {
            (b.side == "input", &a.name, a.kind, a.action).cmp(&(a.side == "input", &b.name, b.kind, b.action))
        });
        hits
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those of some rails, as far as there are so many.
fn within(rails: &[Arc<Named>], range: Range<usize>) -> &[Arc<Named>] {
    rails.get(range.start..range.end.min(rails.len())).unwrap_or_default()
}

/// The class of a finding that the router is told.
fn data_class(check: &Check, class: &str) -> String {
    match check {
        Check::Pii(_) => class.to_owned(),
        Check::Secrets => "secret".to_owned(),
        Check::Invisible
        | Check::Terms(_)
        | Check::Patterns(_)
        | Check::Injection(_)
        | Check::Length(_)
        | Check::Repetition(_)
        | Check::Schema(_)
        | Check::Outside(_) => check.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests;
