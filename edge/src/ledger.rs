//! A tenant's ledger as an isolate reaches it: one object per tenant, one hop per admission.
//!
//! Settlements wait for the next admission to the same tenant and travel with it; only when none
//! comes soon do they go alone. Nothing hangs on their arrival: until then the reservation counts in
//! full, and past its lease too.

use crate::glue;
use crate::operation::Operation;
use signalbox::gateway::ledger::{Admit, Command, Reply, Report, Settle, Standing, Verdict};
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
    pending: RefCell<HashMap<String, Vec<Settle>>>,
    /// When somebody last undertook to deliver what lingers.
    flushing: Cell<Option<Timestamp>>,
}

/// A flush that has not come by then was ended with its request; another takes its place.
const FLUSH_LOST: Millis = Millis(1_000);

impl Client {
    pub(crate) fn new(env: Env) -> Client {
        Client { env, pending: RefCell::default(), flushing: Cell::default() }
    }

    /// Makes a reservation, and settles what is pending on the way.
    pub(crate) async fn admit(&self, tenant: &str, admit: Admit) -> Result<Verdict, StoreError> {
        match self.call(tenant, Some(Command::Admit(admit))).await? {
            Some(Reply::Verdict(verdict)) => Ok(verdict),
            other => Err(unexpected(&other)),
        }
    }

    /// Notes a settlement. Whoever is told `true` must [`flush`](Client::flush) after [`LINGER`];
    /// nobody else needs to.
    pub(crate) fn settle(&self, tenant: &str, settle: Settle, now: Timestamp) -> bool {
        self.pending.borrow_mut().entry(tenant.to_owned()).or_default().push(settle);
        let waiting = self.flushing.get().is_some_and(|since| now.since(since) < FLUSH_LOST);
        if !waiting {
            self.flushing.set(Some(now));
        }
        !waiting
    }

    /// Delivers what no admission took along.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        self.flushing.set(None);
        let tenants: Vec<String> = self.pending.borrow().keys().cloned().collect();
        for tenant in tenants {
            self.call(&tenant, None).await?;
        }
        Ok(())
    }

    /// Reads the books, after everything this isolate has settled.
    pub(crate) async fn report(&self, tenant: &str, report: Report) -> Result<Vec<Standing>, StoreError> {
        match self.call(tenant, Some(Command::Report(report))).await? {
            Some(Reply::Report(standings)) => Ok(standings),
            other => Err(unexpected(&other)),
        }
    }

    /// One hop: everything pending, then `command`. Pending settlements come back if it fails; they
    /// are idempotent, so it does no harm if it was only the answer that got lost.
    async fn call(&self, tenant: &str, command: Option<Command>) -> Result<Option<Reply>, StoreError> {
        let settles = self.pending.borrow_mut().remove(tenant).unwrap_or_default();
        let commands: Vec<Command> = settles.iter().cloned().map(Command::Settle).chain(command).collect();
        let answer = self.send(tenant, &commands).await;
        if answer.is_err() {
            self.pending.borrow_mut().entry(tenant.to_owned()).or_default().extend(settles);
        }
        answer.map(|mut replies| replies.pop())
    }

    async fn send(&self, tenant: &str, commands: &[Command]) -> Result<Vec<Reply>, StoreError> {
        let text = serde_json::to_string(commands).map_err(|error| StoreError(error.to_string()))?;
        let answer = Operation::new(glue::tenant(&self.env, tenant, &text)).await;
        let answer = answer.map_err(|error| StoreError(format!("tenant {tenant}: {error}")))?;
        let answer = answer.into_text().unwrap_or_default();
        serde_json::from_str(&answer).map_err(|error| StoreError(format!("tenant {tenant}: {error}")))
    }
}

fn unexpected(reply: &Option<Reply>) -> StoreError {
    StoreError(format!("the ledger gave another kind of answer: {reply:?}"))
}
