//! Policy: who is calling, may they, how much, what is written down.
//!
//! The gateway ends one caller's request. It knows identity, limits, budgets and audit, and no
//! provider's wire format: **it imports neither dialects nor provider code**.

#![allow(async_fn_in_trait, reason = "generic within one thread's executor; see ports")]

pub mod admin;
mod alerts;
mod allowances;
pub mod answers;
pub mod archive;
pub mod audit;
pub mod backlog;
pub mod bodies;
pub mod caller;
pub mod definitions;
pub mod denial;
pub mod export;
pub mod identity;
pub mod journal;
pub mod key_cache;
pub mod key_record;
pub mod keys;
pub mod ledger;
mod lines;
pub mod live;
pub mod null;
mod otlp;
mod parts;
pub mod people;
pub mod policy;
mod reserve;
pub mod roles;
pub mod sealing;
pub(crate) mod shards;
pub mod sync;
pub mod system;
pub mod turn;
mod unanswered;
pub mod weights;

use crate::config::{ModelAccess, ModelId};
use crate::context::Library;
use crate::error::ApiError;
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use answers::{Kept, Recall};
use audit::Record;
use bodies::Bodies;
pub use caller::Caller;
pub use lines::team_scope;
pub use policy::Policy;
pub use roles::{Role, Roles};
use std::sync::Arc;
use weights::Known;

/// The policy layer.
///
/// The pipeline asks three questions in this order, each at most once a request: who is it
/// ([`authenticate`](Gateway::authenticate)), may they and how much ([`admit`](Gateway::admit)), and
/// finally what it came to ([`settle`](Gateway::settle)), exactly once for every admission, whatever
/// became of the call.
pub trait Gateway {
    /// Who presents this credential. `None` when the request carried none.
    async fn authenticate(&self, credential: Option<&str>) -> Result<Caller, ApiError>;

    /// What a model or route must be within for this caller, all of them.
    fn allowed(&self, caller: &Caller) -> Result<Vec<ModelAccess>, ApiError>;

    /// Whether the caller may call as they do: with a provider key of their own, or without.
    fn may_bring(&self, caller: &Caller, own_key: bool) -> Result<(), ApiError>;

    /// Takes the caller's limits and reserves money, all or none.
    async fn admit(&self, caller: &Caller, claim: &Claim) -> Result<Admission, Refusal>;

    /// Takes what depends on which model answers, before that model is asked: `None` where nothing does, or
    /// [`admit`](Gateway::admit) took it because no other could answer. It is settled by
    /// [`settle_model`](Gateway::settle_model).
    async fn admit_model(&self, caller: &Caller, claim: &Claim, model: &ModelId)
    -> Result<Option<Admission>, ApiError>;

    /// Adds to what [`admit`](Gateway::admit) reserved, as far as the budgets afford it; answers with what is granted in all,
    /// `None` where nothing was added.
    async fn extend(&self, admission: &Admission, caller: &Caller, claim: &Claim, more: More) -> Option<NanoUsd>;

    /// Replaces a model's reservation by what was used of that model.
    async fn settle_model(&self, admission: &Admission, cost: NanoUsd, tokens: Tokens);

    /// Replaces the reservation by what was used and writes the record down. Never fails towards
    /// the caller: what cannot be posted now stays reserved and counts in full.
    async fn settle(&self, admission: &Admission, record: &mut Record);

    /// Whether streams of a team may be reserved slice by slice.
    fn slices(&self, team: &str) -> bool;

    /// What is kept of what a team's callers say and are told.
    fn bodies(&self, team: &str) -> Bodies;

    /// Writes down a request that was never admitted.
    fn refuse(&self, record: Record);

    /// A team's kept answer of this name; where there is none, it is claimed until `until`.
    async fn recall(&self, team: &str, key: &str, until: Timestamp) -> Recall;

    /// Keeps an answer for a team until `until`, and ends the claim on it.
    async fn keep(&self, team: &str, key: &str, text: String, until: Timestamp);

    /// The governed definitions that are in force, as this process last heard.
    fn library(&self) -> Arc<Library>;

    /// What this process knows of meanings.
    fn meanings(&self) -> Known;

    /// Something a team has kept, without a claim on it.
    async fn kept(&self, team: &str, what: Kept<'_>) -> Option<String>;

    /// Keeps under a question's name where its answer is, until `until`.
    async fn keep_near(&self, team: &str, name: &str, text: String, until: Timestamp);

    /// Ends the claim on an answer that never came.
    async fn give_up(&self, team: &str, key: &str);
}

/// What a request wants to take, before it is known which model answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The request's id; makes admission idempotent.
    pub id: String,
    /// When the request came.
    pub now: Timestamp,
    /// How long the call may take at the most; past it the reservation is unconfirmed.
    pub lease: Millis,
    /// The most the call can cost.
    pub most: NanoUsd,
    /// The least that is of any use: the input and a short answer.
    pub least: NanoUsd,
    /// What is enough to begin with, where more can be added while the answer comes; zero: all of it is wanted at once.
    pub slice: NanoUsd,
    /// The tokens it is expected to read and write.
    pub tokens: Tokens,
    /// Who could answer.
    pub candidates: Vec<ModelId>,
    /// A budget has sent it elsewhere already: those that do so do not refuse it.
    pub downgraded: bool,
}

impl Claim {
    /// The model that answers, where no other can.
    fn only(&self) -> Option<&ModelId> {
        match self.candidates.as_slice() {
            [only] => Some(only),
            [] | [_, ..] => None,
        }
    }
}

/// What is to be added to a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct More {
    /// Which slice it is: numbered from 1, and each is added once.
    pub slice: u32,
    /// The most.
    pub most: NanoUsd,
    /// What of it is wanted also where that is much beside what the budgets still afford.
    pub enough: NanoUsd,
}

/// Why a call is not admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the caller is told.
    pub error: ApiError,
    /// The route the spent budget sends the call to instead.
    pub instead: Option<String>,
    /// How the limit stands that refused it.
    pub rates: Vec<ledger::RateState>,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Refusal {
        Refusal { error, instead: None, rates: Vec::new() }
    }
}

/// Leave to make the call, and what was taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The reservation's id.
    pub id: String,
    /// The ledger it was made in; `None` when no limit or budget applies.
    pub tenant: Option<String>,
    /// What this process was lent there and admitted the call from; `None` when the ledger did.
    pub lent: Option<ledger::ReservationId>,
    /// What the call may cost; `None` when no hard budget binds it.
    pub granted: Option<NanoUsd>,
    /// The budget windows the call is charged to.
    pub charge: Vec<ledger::Charge>,
    /// The tightest limit of each kind after this call, for the rate-limit headers.
    pub rates: Vec<ledger::RateState>,
}

impl Admission {
    /// The shard it was made at; `None` where the tenant's own ledger made it.
    fn shard(&self) -> Option<&str> {
        self.tenant.as_deref().filter(|ledger| *ledger != policy::TENANT)
    }
}
