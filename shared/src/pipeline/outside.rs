//! Checks that somebody else makes: a webhook is called, a model is asked through the proxy as callers' models are, and
//! what that costs is part of what the request costs.
//!
//! What is asked and what answers mean stands in `words`. One that is enforced is waited for, and what it says holds:
//! of an answer it wants to hear all, so that an answer is held until it is over, a stream too, which is then told in one
//! piece. One that only watches is asked when all is over, and nobody waits for it.

use super::charge::{Bill, Tariff};
use super::{Layers, Pipeline, estimate};
use crate::config::ModelId;
use crate::config::TimeoutsOverride;
use crate::config::guardrails::{By, Moderation, Outside, Webhook};
use crate::dialect::ir::Part;
use crate::dialect::{BYTES_PER_TOKEN, Dialect, Facts, Observed};
use crate::gateway::audit::Record;
use crate::http::Header;
use crate::operation::Operation;
use crate::operation::passthrough::Target;
use crate::ports::{Clock, Outgoing, is_success};
use crate::proxy::{Call, CallerRequest, Content, Next, Proxy};
use crate::units::{Millis, NanoUsd, Tokens};
use crate::usage::Usage;
use crate::words::checks::Check;
use crate::words::outside::{self, About, Side, Verdict};
use crate::words::{Denied, Words, replaced, texts};
use futures_util::future::{Either, select};
use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;

/// As much of a webhook's answer as is read beside twice what it was sent.
const ROOM: usize = 64 * 1024;
/// The most of a moderation's answer.
const LONGEST_ANSWER: usize = 1024 * 1024;
/// As many tokens as a model may use to judge: it may think before it says its word.
const JUDGEMENT: Tokens = 1_024;
/// What stands around the texts that are judged, in bytes; a policy is at most 16 KiB.
const AROUND: u64 = 20 * 1024;

/// What a request's checks can cost at the most: what their models read of the request, and of its longest answer.
pub(super) fn most<L: Layers>(pipeline: &Pipeline<L>, words: &Words, facts: &Facts, answer: Tokens) -> NanoUsd {
    let mut most = NanoUsd::ZERO;
    let checks = words.checks();
    // Whoever takes the smallest pieces says how often everybody is asked, if pieces come to be asked about.
    let every = checks.iter().filter_map(|check| check.outside()?.every()).min();
    let piece = every.map_or(u64::MAX, |tokens| tokens.saturating_mul(BYTES_PER_TOKEN));
    for check in checks {
        let Some(Outside::Moderation(moderation)) = check.outside() else { continue };
        if moderation.by == By::Endpoint {
            continue;
        }
        let around = AROUND.saturating_add(facts.text_bytes as u64);
        // What one reads in a token may be four to another.
        let answer = answer.saturating_mul(4);
        // The question is asked anew with every piece of an answer.
        let (texts, times) = match check.side {
            Side::Input => (0, 1),
            Side::Output => (answer.min(piece), answer.div_ceil(piece).max(1)),
        };
        let once = most_of(pipeline, &moderation.model, texts.saturating_add(around));
        most += NanoUsd(once.0.saturating_mul(times));
    }
    most
}

/// A body with what a check made of its texts; `None`: nothing changes.
pub(super) async fn judge<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    record: Option<&mut Record>,
    words: &Words,
    check: &Check,
    body: &str,
    asked: &str,
) -> Result<Option<Vec<u8>>, Denied> {
    let (places, said): (Vec<_>, Vec<String>) = texts(body).into_iter().unzip();
    if said.is_empty() {
        return Ok(None);
    }
    let verdict = match record {
        Some(record) => ask(pipeline, record, check, &said, asked).await,
        None => None,
    };
    let changed = words.judged(check, verdict, &said)?;
    let changes = changed.into_iter().filter_map(|(at, text)| Some((places.get(at)?.clone(), text)));
    let changes: Vec<_> = changes.collect();
    Ok((!changes.is_empty()).then(|| replaced(body, changes)))
}

/// What becomes of the texts of a piece of a streamed answer by every check that is enforced.
pub(super) async fn piece<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    mut record: Option<&mut Record>,
    words: &Words,
    mut texts: Vec<String>,
    asked: &str,
) -> Result<Vec<String>, Denied> {
    let mut from = 0;
    while let Some((at, check)) = words.next_check(Side::Output, from) {
        let verdict = match record.as_deref_mut() {
            Some(record) => ask(pipeline, record, &check, &texts, asked).await,
            None => None,
        };
        for (changed, text) in words.judged(&check, verdict, &texts)? {
            if let Some(slot) = texts.get_mut(changed) {
                *slot = text;
            }
        }
        from = at + 1;
    }
    Ok(texts)
}

/// Asks the checks that only watch.
pub(super) async fn watch<L: Layers>(pipeline: &Arc<Pipeline<L>>, record: &mut Record, words: &Words) {
    for check in words.watchers() {
        let heard = words.heard(check.side);
        if heard.is_empty() {
            continue;
        }
        let asked = words.heard(Side::Input).pop().unwrap_or_default();
        let verdict = ask(pipeline, record, &check, &heard, &asked).await;
        // One that watches lets everything pass.
        let _ = words.judged(&check, verdict, &heard);
    }
}

fn about(record: &Record) -> About {
    About {
        request_id: record.request_id.clone(),
        team: record.team.clone().unwrap_or_default(),
        user: record.user.clone(),
        model: record.asked.clone(),
    }
}

/// What a record says of costs, while a model of ours is asked.
struct Owed<'r> {
    record: &'r mut Record,
    before: (NanoUsd, NanoUsd, bool),
}

impl Owed<'_> {
    fn begin(record: &mut Record) -> Owed<'_> {
        let before = (record.cost_nano_usd, record.moderation_nano_usd, record.price_is_guess);
        Owed { record, before }
    }

    /// Puts a bill in the place of what was owed so far.
    fn now(&mut self, bill: Bill) {
        let (cost, moderation, guess) = self.before;
        self.record.cost_nano_usd = cost + bill.cost;
        self.record.moderation_nano_usd = moderation + bill.cost;
        self.record.price_is_guess = guess | bill.guess;
    }
}

/// Asks; no verdict where there was no answer in time, or none that is understood.
async fn ask<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    record: &mut Record,
    check: &Check,
    texts: &[String],
    asked: &str,
) -> Option<Verdict> {
    match check.outside()? {
        Outside::Webhook(webhook) => call(pipeline, &about(record), check, webhook, texts).await,
        Outside::Moderation(moderation) => moderate(pipeline, record, check, moderation, texts, asked).await,
    }
}

async fn call<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    about: &About,
    check: &Check,
    webhook: &Webhook,
    texts: &[String],
) -> Option<Verdict> {
    let body = outside::question(check.name(), check.side, about, texts);
    let mut headers: Vec<Header> = vec![
        (Cow::Borrowed("content-type"), "application/json".to_owned()),
        (Cow::Borrowed("accept"), "application/json".to_owned()),
        (Cow::Borrowed("user-agent"), concat!("signalbox/", env!("CARGO_PKG_VERSION")).to_owned()),
    ];
    if let Some(binding) = &webhook.secret {
        // Unsigned it would not be believed.
        let (_, secret) = pipeline.secrets.iter().find(|(name, _)| name == binding)?;
        let now = pipeline.layers.clock().now();
        let signature = outside::signature(secret.expose().as_bytes(), now, &body);
        headers.push((Cow::Borrowed("x-signalbox-signature"), signature));
    }
    let limit = body.len().saturating_mul(2).saturating_add(ROOM);
    let url = webhook.url.as_str().to_owned();
    let outgoing = Outgoing { method: "POST", url, headers, body, forward: false };
    let answer = pipeline.layers.proxy().fetch(outgoing, webhook.timeout, limit).await?;
    is_success(answer.status).then_some(answer.body?).and_then(|body| outside::verdict(&body, texts))
}

async fn moderate<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    record: &mut Record,
    check: &Check,
    moderation: &Moderation,
    texts: &[String],
    asked: &str,
) -> Option<Verdict> {
    let Moderation { model, by, categories, timeout, every: _ } = moderation;
    let body = outside::moderation(by, model.model.as_str(), check.side, texts, asked).to_string().into_bytes();
    let is_chat = *by != By::Endpoint;
    let answer = put(pipeline, record, model, is_chat, body, *timeout).await?;
    let found = match is_chat {
        true => outside::model_found(by, &chat_text(&answer)?, categories),
        false => outside::endpoint_found(&answer, categories),
    };
    found.map(|found| if found { Verdict::Found(check.action()) } else { Verdict::Allow })
}

/// Puts a question of ours to a model: a chat, or texts to the moderations endpoint. No answer where there was none in time.
/// What it costs is on the record from the first moment on: a caller may leave meanwhile.
async fn put<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    record: &mut Record,
    model: &ModelId,
    is_chat: bool,
    body: Vec<u8>,
    timeout: Millis,
) -> Option<Vec<u8>> {
    let operation = match is_chat {
        true => Ok(Operation::Chat(Dialect::OpenAiChat.into())),
        false => Target::read("POST", &format!("/passthrough/{}/v1/moderations", model.provider), "")
            .map(Operation::PassThrough),
    };
    let read = operation.and_then(|operation| Ok((operation.inspect(&body)?, operation)));
    let (facts, operation) = read.ok()?;
    let expected = Usage { input: facts.probable_input(), ..Usage::default() };
    let tariff = Tariff { expected, flat: None, byok: false };
    let bill = |observed: Option<&Observed>| match is_chat {
        true => tariff.bill(&pipeline.catalog, model, observed),
        false => Bill::default(),
    };
    let request_id = record.request_id.clone();
    let mut owed = Owed::begin(record);
    owed.now(bill(None));
    let forwarded = vec![(Cow::Borrowed("content-type"), "application/json".to_owned())];
    let mut request = CallerRequest::new(operation, body, facts, if is_chat { Vec::new() } else { forwarded });
    request.limit = is_chat.then_some(JUDGEMENT);
    let clock = pipeline.layers.clock();
    let call = Call {
        request: &request,
        model,
        max_output_tokens: request.limit,
        request_id: &request_id,
        deadline: clock.now() + timeout,
        timeouts: TimeoutsOverride::default(),
        words: None,
        metered: false,
    };
    let answered = async {
        let answer = pipeline.layers.proxy().call(&call).await.map_err(|failure| failure.may_be_billed)?;
        if !is_success(answer.status) {
            return Err(false);
        }
        match answer.content {
            Content::Whole { body, observed, .. } => Ok((body.to_vec(), Some(observed))),
            Content::Live(mut live) => {
                let mut body = Vec::new();
                while let Next::Bytes(bytes) = live.next().await {
                    body.extend_from_slice(&bytes);
                    if body.len() > LONGEST_ANSWER {
                        return Err(true);
                    }
                }
                Ok((body, None))
            }
        }
    };
    let answered = match select(pin!(answered), pin!(clock.sleep(timeout))).await {
        Either::Left((answered, _)) => answered,
        Either::Right(((), _)) => Err(true),
    };
    match answered {
        Ok((body, observed)) => {
            owed.now(bill(observed.as_ref()));
            Some(body)
        }
        Err(billed) => {
            if !billed {
                owed.now(Bill::default());
            }
            None
        }
    }
}

/// Puts a question of ours to a model that chats, and what it costs on a record: what it said, if it said something in time.
pub(super) async fn consult<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    record: &mut Record,
    (model, timeout): (&ModelId, Millis),
    body: Vec<u8>,
) -> Option<String> {
    chat_text(&put(pipeline, record, model, true, body, timeout).await?)
}

/// What putting a question of so many bytes to a model can cost at the most.
pub(super) fn most_of<L: Layers>(pipeline: &Pipeline<L>, model: &ModelId, bytes: u64) -> NanoUsd {
    let facts = Facts { text_bytes: usize::try_from(bytes).unwrap_or(usize::MAX), n: 1, ..Facts::default() };
    estimate::most(&pipeline.catalog, model, &facts, Some(JUDGEMENT))
}

/// What a model said.
fn chat_text(body: &[u8]) -> Option<String> {
    let response = Dialect::OpenAiChat.read_response(body).ok()?;
    let parts = response.choices.into_iter().next()?.content.into_iter();
    let text = parts.filter_map(|part| if let Part::Text { text, .. } = part { Some(text) } else { None });
    Some(text.collect())
}
