//! The first stage: who is it, what do they want, may they, and can they pay.

use super::adjust::{self, Adjusted, Held};
use super::charge::Tariff;
use super::estimate::{self, Bound};
use super::intake::{self, Intake};
use super::{Layers, Pipeline, context, idempotency, judge, outside, refusal};
use crate::cache::Wish;
use crate::config::ModelAccess;
use crate::context::Chosen;
use crate::dialect::{Facts, last_turn};
use crate::error::{ApiError, Code};
use crate::gateway::audit::Record;
use crate::gateway::caller::Via;
use crate::gateway::{Admission, Caller, Claim, Gateway, Refusal};
use crate::json;
use crate::operation::Operation;
use crate::ports::Request;
use crate::proxy::CallerRequest;
use crate::router::learn::sample::Sample;
use crate::router::{Ask, Needs, Router, Signals};
use crate::transform::Holding;
use crate::units::{Millis, NanoUsd, Timestamp};
use crate::usage::Usage;
use crate::words::Words;
use std::sync::Arc;

/// How long past its deadline a request may still settle before its lease is unconfirmed.
const GRACE: Millis = Millis(60_000);

/// A request that was admitted.
pub(super) struct Order {
    pub request: CallerRequest,
    pub ask: Ask,
    pub caller: Caller,
    pub claim: Claim,
    pub admission: Admission,
    pub tariff: Tariff,
    pub words: Words,
    /// What a request that has a name said as it came.
    pub sent: Option<String>,
    /// The governed definitions it is given, until it is given them.
    pub context: Option<Chosen>,
    pub transforms: Holding,
    /// When it came.
    pub came: Timestamp,
    /// The caller wants a stream, and gets it in one piece, because all of it was judged before.
    pub held: bool,
    /// What those who judge words can cost at the most.
    pub beside: NanoUsd,
    pub deadline: Timestamp,
    pub total: Millis,
}

impl Order {
    /// What the events of the answer must pass, if anything.
    pub(super) fn guarded(&self) -> Option<&Words> {
        Some(&self.words).filter(|words| words.guards_answers() && matches!(self.request.operation, Operation::Chat(_)))
    }
}

/// Who is it, what do they want, may they, and can they pay.
pub(super) async fn accept<L: Layers, R: Request>(
    pipeline: &Arc<Pipeline<L>>,
    operation: Operation,
    intake: &mut Intake,
    request: R,
    record: &mut Record,
) -> Result<Order, ApiError> {
    let gateway = pipeline.layers.gateway();
    let credential = intake::chat_credential(&request, operation.dialect())?;
    let caller = gateway.authenticate(credential.as_deref()).await?;
    record.organisation = caller.organisation.clone();
    record.team = Some(caller.team.clone());
    record.project = caller.project.clone();
    record.key_id = Some(caller.key_id.clone());
    let provider_key = match caller.via {
        Via::ProviderKey => intake::alone(&request, credential)?,
        Via::Nothing | Via::AdminKey | Via::Key | Via::Token | Via::Idp | Via::Session => {
            intake::provider_key(&request)?
        }
    };
    gateway.may_bring(&caller, provider_key.is_some())?;
    record.byok = provider_key.is_some();
    if let Operation::PassThrough(target) = &operation {
        record.passed = Some(target.line());
        if !pipeline.catalog.is_enabled(&target.provider) {
            let message = format!("The provider `{}` is not enabled here.", target.provider);
            return Err(ApiError::new(Code::NotFound, message));
        }
    }
    intake.read(&operation, &request)?;
    if caller.via == Via::ProviderKey {
        // Whether the key is good only the provider can tell: nobody gets an answer who did not ask it.
        intake.cache = Wish::NoStore;
    }
    let caller = caller.asking(intake.user.take(), std::mem::take(&mut intake.tags));
    record.user = caller.user.clone();
    record.tags = caller.tags.clone();
    operation.takes_json().then(|| intake::check_content_type(&request)).transpose()?;

    let total = intake.timeout.unwrap_or(pipeline.total_timeout);
    let mut body = intake::body(pipeline.layers.clock(), request, pipeline.max_body_bytes, total).await?;
    let sent = idempotency::sent(intake, &body);
    let mut facts = operation.inspect(&body)?;
    record.stream = facts.stream;
    let mut ask = ask(&operation, intake, &facts, &caller, gateway.allowed(&caller)?);
    ask.signals = signals(pipeline, &ask, &body, intake.explain);
    let mut prepared = prepare(pipeline, &operation, intake, &mut ask, &mut body, &mut facts)?;
    record.transforms = prepared.transforms.names();
    record.asked = ask.model.as_ref().map(|name| name.chars().take(128).collect());

    let flat = match &operation {
        Operation::PassThrough(target) if target.is_billed() => Some(pipeline.passed_call),
        // Looking and counting cost nothing.
        Operation::PassThrough(_) | Operation::CountTokens(_) => Some(NanoUsd::ZERO),
        Operation::Chat(_) | Operation::Completions | Operation::Embeddings | Operation::Rerank => None,
    };
    let byok = record.byok;
    let (id, at) = (intake.id.clone(), intake.at);
    let mut beside = NanoUsd::ZERO;
    let mut claim = |ask: &Ask, facts: &Facts, downgraded: bool| {
        let judged = adjust::possible(pipeline, ask);
        let reach = pipeline.layers.router().reach(ask).map_err(refusal::error)?;
        let bound = match flat {
            // The provider bills the caller; the tokens count all the same.
            _ if byok => {
                let bound = estimate::bound(&pipeline.catalog, &reach, facts);
                Bound { most: NanoUsd::ZERO, least: NanoUsd::ZERO, slice: NanoUsd::ZERO, ..bound }
            }
            Some(flat) => Bound { most: flat, least: flat, ..Bound::default() },
            None => estimate::bound(&pipeline.catalog, &reach, facts),
        };
        let answer = reach.models.iter().map(|id| estimate::longest(&pipeline.catalog, id, facts)).max();
        let answer = answer.unwrap_or_default();
        beside = outside::most(pipeline, &judged, facts, answer);
        if let Some(model) = &reach.judge {
            let once = judge::most(pipeline, model, facts.text_bytes, answer);
            (1..reach.answers).for_each(|_| beside += once);
        }
        let (most, least) = (bound.most + beside, bound.least + beside);
        let grows = !bound.slice.is_zero() && gateway.slices(&caller.team);
        let slice = if grows { bound.slice + beside } else { NanoUsd::ZERO };
        let (id, lease) = (id.clone(), Millis(total.0.saturating_add(GRACE.0)));
        let (now, tokens, candidates) = (at, bound.tokens, reach.models);
        Ok::<Claim, ApiError>(Claim { id, now, lease, most, least, slice, tokens, candidates, downgraded })
    };
    let mut asked = claim(&ask, &facts, false)?;
    let admission = match gateway.admit(&caller, &asked).await {
        Ok(admission) => admission,
        Err(Refusal { error, instead: None, rates }) => {
            intake.rates = rates;
            return Err(error);
        }
        Err(Refusal { error, instead: Some(route), .. }) => {
            ask.model = Some(route);
            if ask.signals.seen.is_none() {
                ask.signals = signals(pipeline, &ask, &body, intake.explain);
            }
            // What holds for the other route comes on top of what the first one's made of the request.
            facts = operation.inspect(&body)?;
            let other = prepare(pipeline, &operation, intake, &mut ask, &mut body, &mut facts)?;
            record.transforms = other.transforms.names();
            let words = prepared.words.beside(&other.words).map_or(prepared.words, |(_, all)| all);
            prepared = Prepared { words, ..other };
            // Who may not use the other route, or cannot pay there either, is told of the budget.
            asked = claim(&ask, &facts, true).map_err(|_| error)?;
            gateway.admit(&caller, &asked).await.map_err(|refusal| refusal.error)?
        }
    };
    let Prepared { words, transforms, adjusted, context } = prepared;
    let expected = Usage { input: ask.tokens_in, searches: facts.searches, ..Usage::default() };
    let tariff = Tariff { expected, flat, byok: record.byok };
    let mut request = CallerRequest::new(operation, body, facts, std::mem::take(&mut intake.forwarded));
    request.provider_key = provider_key;
    request.prompt_cache = pipeline.cache.prompt;
    (request.added, request.limit) = (adjusted.headers, adjusted.limit);
    let (came, deadline, held) = (intake.at, intake.at + total, false);
    Ok(Order {
        request,
        ask,
        caller,
        claim: asked,
        admission,
        tariff,
        words,
        sent,
        transforms,
        came,
        held,
        beside,
        context,
        deadline,
        total,
    })
}

/// What holds for a request, and what it came to before it was admitted.
pub(super) struct Prepared {
    words: Words,
    transforms: Holding,
    adjusted: Adjusted,
    context: Option<Chosen>,
}

/// Puts to a request what holds for it, as far as it matters to what it may cost.
pub(super) fn prepare<L: Layers>(
    pipeline: &Pipeline<L>,
    operation: &Operation,
    intake: &mut Intake,
    ask: &mut Ask,
    body: &mut Vec<u8>,
    facts: &mut Facts,
) -> Result<Prepared, ApiError> {
    let Held { words, transforms } = adjust::held(pipeline, ask);
    let adjusted = adjust::admit(&transforms, operation, body, facts, ask, intake.at)?;
    let context = context::chosen(pipeline, operation, ask, body, facts, intake)?;
    ask.tokens_in = facts.probable_input();
    Ok(Prepared { words, transforms, adjusted, context })
}

/// What the last thing the user said shows, where a decision could depend on it, or is to be `told`.
pub(super) fn signals<L: Layers>(pipeline: &Pipeline<L>, ask: &Ask, body: &[u8], told: bool) -> Signals {
    let router = pipeline.layers.router();
    if !told && !router.reads_prompts(ask) {
        return Signals::default();
    }
    let document = json::scan(body, &json::Limits::default()).ok();
    let Some(prompt) = document.as_ref().and_then(last_turn) else { return Signals::default() };
    let sample = Sample { head: &prompt.head, tail: &prompt.tail, bytes: prompt.bytes };
    let weights = pipeline.layers.gateway().meanings().weights;
    let seen = router.read(sample, weights.as_ref());
    Signals { in_tool_loop: prompt.in_tool_loop, tool_failed: prompt.tool_failed, ..seen }
}

/// A request in the router's terms.
pub(super) fn ask(
    operation: &Operation,
    intake: &mut Intake,
    facts: &Facts,
    caller: &Caller,
    allowed: Vec<ModelAccess>,
) -> Ask {
    Ask {
        model: intake.route.take().or(facts.model.clone()),
        kind: operation.kind(),
        operation: operation.as_str().to_owned(),
        needs: Needs {
            tools: facts.needs.tools,
            vision: facts.needs.vision,
            json_schema: facts.needs.json_schema,
            documents: facts.needs.documents,
            audio: facts.needs.audio,
        },
        tokens_in: facts.probable_input(),
        max_output_tokens: facts.max_output_tokens,
        allowed,
        // An agent says what it is doing in one of these.
        role: ["role", "agent_role", "stage"].iter().find_map(|name| caller.tags.get(*name)).cloned(),
        tags: caller.tags.clone(),
        team: caller.team.clone(),
        user: caller.user.clone(),
        organisation: caller.organisation.clone(),
        session: intake.session.take(),
        signals: Signals::default(),
    }
}
