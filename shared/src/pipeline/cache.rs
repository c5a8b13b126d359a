//! The stage before the decision: has this been answered already?
//!
//! A request that is past policy is looked up. Found, it is told in the caller's words, costs nothing and is settled at
//! nothing. Not found, the first to ask claims the answer and everybody who asks the same meanwhile waits for it, on
//! whatever instance: a store that does not answer, a claim that comes to nothing or takes too long never keeps anybody
//! from an answer of their own. Where the configuration wants it, an answer to nearly the same question is looked for first.

use super::accept::Order;
use super::finish::Finish;
use super::intake::Intake;
use super::{Layers, Pipeline, Reply, headers};
use crate::cache::{self, Entry, MAX_ANSWER_BYTES, Question, Scope, Told, Wish};
use crate::config::ModelId;
use crate::config::cache::{Mode, Semantic};
use crate::dialect::Framing;
use crate::error::{ApiError, Code};
use crate::gateway::Gateway;
use crate::gateway::answers::{Kept, Recall};
use crate::gateway::audit::Record;
use crate::gateway::weights;
use crate::http::Head;
use crate::ports::Clock;
use crate::router::Decision;
use crate::units::{Millis, NanoUsd, Timestamp};
use std::sync::Arc;

/// How long anybody waits for an answer that somebody else is getting.
const PATIENCE: Millis = Millis(30_000);
/// Between two looks, growing up to the second.
const FIRST_PAUSE: u64 = 25;
const LONGEST_PAUSE: u64 = 400;

/// How the cache stands to a request, as the header says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Hit,
    /// Nearly the same was asked.
    Semantic,
    Miss,
    /// The caller did not want it, or it could not be asked.
    Bypass,
}

impl Standing {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Standing::Hit => "hit",
            Standing::Semantic => "semantic",
            Standing::Miss => "miss",
            Standing::Bypass => "bypass",
        }
    }
}

/// What told that a request was answered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownBy {
    /// The same was asked.
    Content,
    /// Nearly the same was asked.
    Meaning,
    /// Its caller sent it before, under the same `idempotency-key`.
    Name,
}

/// What looking brings.
pub(super) enum Looked<L: Layers> {
    /// Answered.
    Answered(Box<Entry>, Told),
    /// To be answered, and kept by this if at all.
    Open(Option<Standing>, Option<Box<Keep<L>>>),
}

/// Looks for a kept answer to an admitted request.
pub(super) async fn look<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &mut Intake,
    order: &Order,
    finish: &mut Finish<L>,
) -> Result<(Looked<L>, KnownBy), ApiError> {
    let open = |standing, keep| Ok((Looked::Open(standing, keep), KnownBy::Content));
    let settings = pipeline.cache;
    let Some(ttl) = settings.exact.or(settings.semantic.map(|semantic| semantic.ttl)) else { return open(None, None) };
    let team = finish.open().and_then(|open| open.record.team.clone()).unwrap_or_default();
    let guarded = order.words.of_answers();
    let scope = Scope { policy: &pipeline.edition, asked: order.ask.model.as_deref(), guarded: &guarded };
    let key = if intake.cache == Wish::NoStore { None } else { cache::key(&scope, &order.request) };
    let Some(key) = key else { return open(Some(Standing::Bypass), None) };
    let (clock, gateway) = (pipeline.layers.clock(), pipeline.layers.gateway());
    let mut keep = Keep::new(pipeline.clone(), team, key, ttl);
    let known = settings.semantic.map(|_| gateway.meanings()).unwrap_or_default();
    intake.notes.extend(known.is_lacking.then_some(weights::SEMANTIC));
    if let (Some(semantic), Some(weights)) = (settings.semantic, known.weights) {
        keep.question = Question::of(&scope, &order.request, &weights).map(|question| (question, semantic));
        let near = if intake.cache.may_look() { nearly(pipeline, intake, order, &keep, finish).await } else { None };
        if let Some((entry, told)) = near {
            return Ok((Looked::Answered(Box::new(entry), told), KnownBy::Meaning));
        }
    }
    if settings.exact.is_none() {
        return match intake.cache {
            Wish::OnlyIfCached => Err(nothing_kept()),
            Wish::Any | Wish::NoStore | Wish::Refresh => open(Some(Standing::Miss), Some(Box::new(keep))),
        };
    }
    let until = order.deadline.min(clock.now() + PATIENCE);
    let mut pause = FIRST_PAUSE;
    loop {
        if !intake.cache.may_look() {
            return open(Some(Standing::Miss), Some(Box::new(keep)));
        }
        match gateway.recall(&keep.team, &keep.key, order.deadline).await {
            Recall::Kept(text) => {
                let entry = Entry::read(&text).filter(|entry| is_permitted(order, entry));
                let told = entry.clone().and_then(|entry| entry.tell(&order.request, &intake.id, clock.now()));
                return match (entry, told) {
                    (Some(entry), Some(told)) => Ok((Looked::Answered(Box::new(entry), told), KnownBy::Content)),
                    (None | Some(_), None) | (None, Some(_)) => open(Some(Standing::Miss), Some(Box::new(keep))),
                };
            }
            Recall::Claimed => {
                keep.claimed = true;
                return match intake.cache {
                    Wish::OnlyIfCached => Err(nothing_kept()),
                    Wish::Any | Wish::NoStore | Wish::Refresh => open(Some(Standing::Miss), Some(Box::new(keep))),
                };
            }
            Recall::Awaited if clock.now() >= until => return open(Some(Standing::Miss), None),
            Recall::Awaited => {
                clock.sleep(Millis(pause)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Recall::Unavailable if intake.cache == Wish::OnlyIfCached => return Err(nothing_kept()),
            Recall::Unavailable => return open(Some(Standing::Bypass), None),
        }
    }
}

/// Looks for the answer to nearly the same question; writes down how alike they are, whether or not it is given.
async fn nearly<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &Order,
    keep: &Keep<L>,
    finish: &mut Finish<L>,
) -> Option<(Entry, Told)> {
    let (question, semantic) = keep.question.as_ref()?;
    let gateway = pipeline.layers.gateway();
    let near = question.near(&gateway.kept(&keep.team, Kept::Near(&question.name)).await?)?;
    // The very same question is the exact cache's to answer.
    if near.permille < semantic.threshold || (near.answer == keep.key && pipeline.cache.exact.is_some()) {
        return None;
    }
    if let Some(open) = finish.open() {
        open.record.cache_alike_permille = Some(near.permille);
    }
    match semantic.mode {
        Mode::Shadow => return None,
        Mode::On => {}
    }
    let entry = Entry::read(&gateway.kept(&keep.team, Kept::Answer(&near.answer)).await?)
        .filter(|entry| is_permitted(order, entry))?;
    let told = entry.clone().tell(&order.request, &intake.id, pipeline.layers.clock().now())?;
    Some((entry, told))
}

/// Whether the model that gave a kept answer is one that this caller could have been answered by.
fn is_permitted(order: &Order, entry: &Entry) -> bool {
    order.claim.candidates.iter().any(|candidate| candidate.to_string() == entry.model)
}

/// RFC 9111, section 5.2.1.7.
fn nothing_kept() -> ApiError {
    ApiError::new(Code::Timeout, "No answer to this is kept, and only a kept one was asked for (only-if-cached).")
}

/// Tells a kept answer and settles at nothing.
pub(super) async fn replay<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &Order,
    entry: Entry,
    told: Told,
    known_by: KnownBy,
    mut finish: Finish<L>,
) -> Reply<L> {
    let (reason, standing) = match known_by {
        KnownBy::Content => ("cached", Some(Standing::Hit)),
        KnownBy::Meaning => ("cached", Some(Standing::Semantic)),
        KnownBy::Name => ("replayed", None),
    };
    let now = pipeline.layers.clock().now();
    let content_type = match (told.stream, order.request.facts.framing) {
        (true, Framing::Events) => super::reply::EVENT_STREAM,
        (true, Framing::JsonArray) | (false, Framing::Events | Framing::JsonArray) => "application/json",
    };
    let mut head = Head::new(200, content_type);
    headers::envelope(&mut head, intake);
    // Told again under its name, an answer rests on what its model was given then.
    let before = Some(&entry.context).filter(|context| intake.context.is_none() && !context.is_empty());
    if let Some(context) = before {
        head.set("x-signalbox-context", context.join(", "));
    }
    head.set("x-signalbox-model", entry.model.clone());
    head.set("x-signalbox-route", entry.route.clone().unwrap_or_else(|| "direct".to_owned()));
    head.set("x-signalbox-reason", reason);
    head.set("x-signalbox-attempts", "0");
    headers::cache(&mut head, standing);
    head.set("age", (now.since(entry.at).0 / 1_000).to_string());
    headers::cost(&mut head, NanoUsd::ZERO);
    headers::limits(&mut head, &order.admission.rates);
    if let Some(open) = finish.open() {
        if let Some(context) = before {
            open.record.context.clone_from(context);
        }
        open.record.route = entry.route;
        open.record.reason = Some(reason);
        open.record.model = ModelId::parse(&entry.model);
        open.record.cache = standing.map(Standing::as_str);
        open.record.cache_saved_nano_usd = entry.cost;
        open.record.status = 200;
    }
    finish.heard(&told.body);
    finish.replayed().await;
    Reply::whole(head, told.body)
}

/// Keeps an answer once it is complete; ends its claim if there never is one.
pub(super) struct Keep<L: Layers> {
    pipeline: Arc<Pipeline<L>>,
    team: String,
    key: String,
    ttl: Millis,
    claimed: bool,
    /// Stands before what is kept, on a line of its own, where a name alone does not tell what was asked.
    mark: Option<String>,
    /// The question, for those who ask nearly the same.
    question: Option<(Question, Semantic)>,
    draft: Option<(Entry, Vec<u8>)>,
}

impl<L: Layers> Keep<L> {
    fn new(pipeline: Arc<Pipeline<L>>, team: String, key: String, ttl: Millis) -> Keep<L> {
        Keep { pipeline, team, key, ttl, claimed: false, mark: None, question: None, draft: None }
    }

    /// For an answer that was claimed, under a name that its caller chose.
    pub(super) fn marked(pipeline: Arc<Pipeline<L>>, team: String, key: String, ttl: Millis, mark: String) -> Keep<L> {
        let mut keep = Keep::new(pipeline, team, key, ttl);
        (keep.claimed, keep.mark) = (true, Some(mark));
        keep
    }

    /// Notes who answers, and in what form.
    pub(super) fn begin(&mut self, order: &Order, decision: &Decision, model: &ModelId, stream: bool, record: &Record) {
        // A stream in another framing cannot be read back.
        let readable = !stream || order.request.facts.framing == Framing::Events;
        let entry = || Entry {
            at: self.pipeline.layers.clock().now(),
            model: model.to_string(),
            route: decision.route.clone(),
            dialect: order.request.dialect,
            events: stream,
            cost: NanoUsd::ZERO,
            tags: record.tags.clone(),
            context: record.context.clone(),
            body: String::new(),
        };
        self.draft = readable.then(|| (entry(), Vec::new()));
    }

    /// More of the answer, as the caller gets it.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match &mut self.draft {
            Some((_, body)) if body.len() + bytes.len() <= MAX_ANSWER_BYTES => body.extend_from_slice(bytes),
            Some(_) | None => self.draft = None,
        }
    }

    /// The answer is complete and cost this much: keeps it, behind the caller's back.
    pub(super) fn complete(mut self, cost: NanoUsd) {
        let Some((mut entry, body)) = self.draft.take() else { return };
        let Ok(body) = String::from_utf8(body) else { return };
        (entry.cost, entry.body) = (cost, body);
        self.claimed = false;
        let pipeline = self.pipeline.clone();
        let (team, key) = (std::mem::take(&mut self.team), std::mem::take(&mut self.key));
        let until: Timestamp = entry.at + self.ttl;
        let text = match self.mark.take() {
            Some(mark) => format!("{mark}\n{}", entry.text()),
            None => entry.text(),
        };
        let near = self.question.take().map(|(question, semantic)| (question, until.min(entry.at + semantic.ttl)));
        let task = async move {
            let gateway = pipeline.layers.gateway();
            gateway.keep(&team, &key, text, until).await;
            if let Some((question, until)) = near {
                gateway.keep_near(&team, &question.name, question.text(&key), until).await;
            }
        };
        self.pipeline.layers.clock().spawn(task);
    }
}

impl<L: Layers> Drop for Keep<L> {
    fn drop(&mut self) {
        if std::mem::take(&mut self.claimed) {
            let pipeline = self.pipeline.clone();
            let (team, key) = (std::mem::take(&mut self.team), std::mem::take(&mut self.key));
            let task = async move { pipeline.layers.gateway().give_up(&team, &key).await };
            self.pipeline.layers.clock().spawn(task);
        }
    }
}
