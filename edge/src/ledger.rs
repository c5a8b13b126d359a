//! A tenant's ledger as an isolate reaches it: one object per tenant, one hop per admission.
//!
//! Settlements wait for the next admission to the same tenant and travel with it, each with its
//! request's record; only when none comes soon do they go alone. Nothing hangs on their arrival:
//! until then the reservation counts in full, and past its lease too.

use crate::glue;
use crate::operation::Operation;
use crate::tenant::Turn;
use signalbox::gateway::backlog::MOST;
use signalbox::gateway::journal::Entry;
use signalbox::gateway::ledger::decide::Draw;
use signalbox::gateway::ledger::{Admit, Command, Pending, Reply, Report, Settle, Standing, Verdict};
use signalbox::ports::StoreError;
use signalbox::units::{Millis, Timestamp};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use worker::Env;

/// How long a settlement waits for an admission to travel with.
pub(crate) const LINGER: Millis = Millis(50);

/// Calls tenants' objects and keeps what is still to be settled there.
pub(crate) struct Client {
    env: Env,
    pending: RefCell<HashMap<String, Vec<Ended>>>,
    /// When somebody last undertook to deliver what lingers.
    flushing: Cell<Option<Timestamp>>,
}

/// The end of a request, on its way: a settlement, a record, or both.
#[derive(Clone)]
pub(crate) struct Ended {
    pub(crate) settle: Option<Settle>,
    pub(crate) entry: Option<Entry>,
}

/// A flush that has not come by then was ended with its request; another takes its place.
const FLUSH_LOST: Millis = Millis(1_000);

impl Client {
    pub(crate) fn new(env: Env) -> Client {
        Client { env, pending: RefCell::default(), flushing: Cell::default() }
    }

    /// Makes a reservation, and settles what is pending on the way.
    pub(crate) async fn admit(&self, tenant: &str, admit: Admit, now: Timestamp) -> Result<Verdict, StoreError> {
        match self.call(tenant, Some(Command::Admit(admit)), now).await? {
            Some(Reply::Verdict(verdict)) => Ok(verdict),
            other => Err(unexpected(&other)),
        }
    }

    /// Notes the end of a request. Whoever is told `true` must [`flush`](Client::flush) after [`LINGER`];
    /// nobody else needs to.
    pub(crate) fn end(&self, tenant: &str, ended: Ended, now: Timestamp) -> bool {
        self.pending.borrow_mut().entry(tenant.to_owned()).or_default().push(ended);
        let waiting = self.flushing.get().is_some_and(|since| now.since(since) < FLUSH_LOST);
        if !waiting {
            self.flushing.set(Some(now));
        }
        !waiting
    }

    /// Delivers what no admission took along.
    pub(crate) async fn flush(&self, now: Timestamp) -> Result<(), StoreError> {
        self.flushing.set(None);
        let tenants: Vec<String> = self.pending.borrow().keys().cloned().collect();
        for tenant in tenants {
            self.call(&tenant, None, now).await?;
        }
        Ok(())
    }

    /// Reads the books, after everything this isolate has settled.
    pub(crate) async fn report(&self, tenant: &str, report: Report) -> Result<Vec<Standing>, StoreError> {
        let now = report.now;
        match self.call(tenant, Some(Command::Report(report)), now).await? {
            Some(Reply::Report(standings)) => Ok(standings),
            other => Err(unexpected(&other)),
        }
    }

    /// The reservations that are open, after everything this isolate has settled.
    pub(crate) async fn pending(&self, tenant: &str, now: Timestamp) -> Result<Vec<Pending>, StoreError> {
        match self.call(tenant, Some(Command::Pending(now)), now).await? {
            Some(Reply::Pending(pending)) => Ok(pending),
            other => Err(unexpected(&other)),
        }
    }

    /// What is drawn of the rates, after everything this isolate has settled.
    pub(crate) async fn rates(&self, tenant: &str, now: Timestamp) -> Result<Vec<Draw>, StoreError> {
        match self.call(tenant, Some(Command::Rates(now)), now).await? {
            Some(Reply::Rates(rates)) => Ok(rates),
            other => Err(unexpected(&other)),
        }
    }

    /// One hop: everything pending, then `command`. What was pending comes back if it fails; it
    /// is idempotent, so it does no harm if it was only the answer that got lost.
    async fn call(&self, tenant: &str, command: Option<Command>, now: Timestamp) -> Result<Option<Reply>, StoreError> {
        let ended = self.pending.borrow_mut().remove(tenant).unwrap_or_default();
        let settles = ended.iter().filter_map(|ended| ended.settle.clone());
        let commands: Vec<Command> = settles.map(Command::Settle).chain(command).collect();
        let entries = ended.iter().filter_map(|ended| ended.entry.clone()).collect();
        let answer = self.send(tenant, &Turn { now, commands, entries }).await;
        if answer.is_err() {
            self.put_back(tenant, ended);
        }
        answer.map(|mut replies| replies.pop())
    }

    /// What does not fit is let go, the oldest first: its lease runs out, and it is written down as lost.
    fn put_back(&self, tenant: &str, mut ended: Vec<Ended>) {
        let mut pending = self.pending.borrow_mut();
        let waiting = pending.entry(tenant.to_owned()).or_default();
        ended.append(waiting);
        let over = ended.len().saturating_sub(MOST);
        for gone in ended.drain(..over).filter_map(|gone| gone.entry) {
            glue::log(&serde_json::json!({ "event": "audit_overflow", "request_id": gone.id }).to_string());
        }
        *waiting = ended;
    }

    async fn send(&self, tenant: &str, turn: &Turn) -> Result<Vec<Reply>, StoreError> {
        let text = serde_json::to_string(turn).map_err(|error| StoreError(error.to_string()))?;
        let answer = Operation::new(glue::tenant(&self.env, tenant, &text)).await;
        let answer = answer.map_err(|error| StoreError(format!("tenant {tenant}: {error}")))?;
        let answer = answer.into_text().unwrap_or_default();
        signalbox::json::parse(&answer).map_err(|error| StoreError(format!("tenant {tenant}: {error}")))
    }
}

fn unexpected(reply: &Option<Reply>) -> StoreError {
    StoreError(format!("the ledger gave another kind of answer: {reply:?}"))
}
