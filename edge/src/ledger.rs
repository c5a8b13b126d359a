//! A tenant's ledger as an isolate reaches it: one object per tenant and per shard of one, one hop per admission.
//!
//! Settlements wait for the next admission to the same tenant and travel with it, each with its
//! request's record; only when none comes soon do they go alone. Nothing hangs on their arrival:
//! until then the reservation counts in full, and past its lease too.

use crate::glue;
use crate::operation::Operation;
use crate::tenant::{Turn, Wants};
use serde::de::DeserializeOwned;
use signalbox::gateway::backlog::MOST;
use signalbox::gateway::journal::Entry;
use signalbox::gateway::ledger::decide::Draw;
use signalbox::gateway::ledger::escrow::lender;
use signalbox::gateway::ledger::{Admit, Command, Pending, Reply, Report, ReservationId, Settle, Standing, Verdict};
use signalbox::ports::StoreError;
use signalbox::sorted::{SortedMap, SortedSet};
use signalbox::units::{Millis, Timestamp};
use std::cell::{Cell, RefCell};
use worker::Env;

/// How long a settlement waits for an admission to travel with.
pub(crate) const LINGER: Millis = Millis(50);

/// Calls the objects of tenants and of their shards, and keeps what is still to be settled there.
pub(crate) struct Client {
    env: Env,
    pending: RefCell<SortedMap<String, Vec<Ended>>>,
    /// When somebody last undertook to deliver what lingers.
    flushing: Cell<Option<Timestamp>>,
}

/// The end of a request, on its way: a settlement, a record, or both.
#[derive(Clone)]
pub(crate) struct Ended {
    pub(crate) settle: Option<Settle>,
    pub(crate) entry: Option<Entry>,
}

/// How many ends go along in one hop: an object takes 32 MiB at a time, and a record can have tens of kilobytes. More than
/// that has gathered where an object did not answer for a while, and would keep it from ever being reached again.
const AT_ONCE: usize = 256;

/// A flush that has not come by then was ended with its request; another takes its place.
const FLUSH_LOST: Millis = Millis(1_000);

impl Client {
    pub(crate) fn new(env: Env) -> Client {
        Client { env, pending: RefCell::default(), flushing: Cell::default() }
    }

    /// Makes a reservation, and settles what is pending on the way.
    pub(crate) async fn admit(&self, ledger: &str, admit: Admit, now: Timestamp) -> Result<Verdict, StoreError> {
        match self.call(ledger, vec![Command::Admit(admit)], now).await?.pop() {
            Some(Reply::Verdict(verdict)) => Ok(verdict),
            other => Err(unexpected(&other)),
        }
    }

    /// Notes the end of a request at the ledger that admitted it. Whoever is told `true` must
    /// [`flush`](Client::flush) after [`LINGER`]; nobody else needs to.
    pub(crate) fn end(&self, ledger: &str, ended: Ended, now: Timestamp) -> bool {
        self.put_back(ledger, Vec::new(), Some(ended));
        let waiting = self.flushing.get().is_some_and(|since| now.since(since) < FLUSH_LOST);
        if !waiting {
            self.flushing.set(Some(now));
        }
        !waiting
    }

    /// Delivers what no admission took along: to tenants first, who write down what was admitted by their shards.
    pub(crate) async fn flush(&self, now: Timestamp) -> Result<(), StoreError> {
        self.flushing.set(None);
        let ledgers: Vec<String> = self.pending.borrow().keys().cloned().collect();
        let tenants: SortedSet<&str> = ledgers.iter().map(|ledger| lender(ledger)).collect();
        for &tenant in &tenants {
            self.call(tenant, Vec::new(), now).await?;
        }
        for shard in ledgers.iter().filter(|ledger| !tenants.contains(ledger.as_str())) {
            self.call(shard, Vec::new(), now).await?;
        }
        Ok(())
    }

    /// Reads the books, after everything this isolate has settled.
    pub(crate) async fn report(&self, ledger: &str, report: Report) -> Result<Vec<Standing>, StoreError> {
        let now = report.now;
        match self.call(ledger, vec![Command::Report(report)], now).await?.pop() {
            Some(Reply::Report(standings)) => Ok(standings),
            other => Err(unexpected(&other)),
        }
    }

    /// The reservations that are open, after everything this isolate has settled. What a shard has lost is written down by
    /// its tenant on the way.
    pub(crate) async fn pending(&self, ledger: &str, now: Timestamp) -> Result<Vec<Pending>, StoreError> {
        let tenant = lender(ledger);
        if tenant != ledger {
            self.call(tenant, Vec::new(), now).await?;
            self.tell_losses(tenant, ledger, now).await?;
        }
        match self.call(ledger, vec![Command::Pending(now)], now).await?.pop() {
            Some(Reply::Pending(pending)) => Ok(pending),
            other => Err(unexpected(&other)),
        }
    }

    /// What is drawn of the rates, after everything this isolate has settled.
    pub(crate) async fn rates(&self, tenant: &str, now: Timestamp) -> Result<Vec<Draw>, StoreError> {
        match self.call(tenant, vec![Command::Rates(now)], now).await?.pop() {
            Some(Reply::Rates(rates)) => Ok(rates),
            other => Err(unexpected(&other)),
        }
    }

    /// Losses go to the tenant until it has them all. What is in its journal already was only never settled.
    async fn tell_losses(&self, tenant: &str, shard: &str, now: Timestamp) -> Result<(), StoreError> {
        let (mut told, mut commands) = (Vec::new(), Vec::new());
        loop {
            let turn = Turn { told, commands, wants: Wants::Losses, ..Turn::at(now) };
            let entries: Vec<Entry> = self.send(shard, &turn).await?;
            if entries.is_empty() {
                return Ok(());
            }
            told = entries.iter().map(|entry| ReservationId(entry.id.clone())).collect();
            let left: Vec<(String, Settle)> =
                self.send(tenant, &Turn { entries, wants: Wants::Left, ..Turn::at(now) }).await?;
            commands = left.into_iter().map(|(_, settle)| Command::Settle(settle)).collect();
        }
    }

    /// Everything pending, then `commands`, whose replies it gives: one hop, unless very much is pending.
    pub(crate) async fn call(
        &self,
        ledger: &str,
        commands: Vec<Command>,
        now: Timestamp,
    ) -> Result<Vec<Reply>, StoreError> {
        loop {
            let (ended, entries) = self.take(ledger);
            if ended.len().max(entries.len()) < AT_ONCE {
                return self.hop(ledger, ended, entries, commands, now).await;
            }
            self.hop(ledger, ended, entries, Vec::new(), now).await?;
        }
    }

    /// One hop. What was pending comes back if it fails; it is idempotent, so it does no harm if it was only the answer that
    /// got lost.
    async fn hop(
        &self,
        ledger: &str,
        ended: Vec<Ended>,
        entries: Vec<Entry>,
        commands: Vec<Command>,
        now: Timestamp,
    ) -> Result<Vec<Reply>, StoreError> {
        if ended.is_empty() && entries.is_empty() && commands.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = commands.len();
        let settles = ended.iter().filter_map(|ended| ended.settle.clone());
        let commands: Vec<Command> = settles.map(Command::Settle).chain(commands).collect();
        let written: SortedSet<String> = entries.iter().map(|entry| entry.id.clone()).collect();
        let answer: Result<Vec<Reply>, StoreError> =
            self.send(ledger, &Turn { commands, entries, ..Turn::at(now) }).await;
        match answer {
            Ok(mut replies) => {
                self.written(&written);
                Ok(replies.split_off(replies.len().saturating_sub(wanted)))
            }
            Err(problem) => {
                self.put_back(ledger, ended, None);
                Err(problem)
            }
        }
    }

    /// What goes along to a ledger, the oldest first: its own, and to a tenant the records of what its shards admitted. A
    /// settlement goes to a shard when its record is written: without one it would be noticed by nobody.
    fn take(&self, ledger: &str) -> (Vec<Ended>, Vec<Entry>) {
        let mut pending = self.pending.borrow_mut();
        let is_shard = lender(ledger) != ledger;
        let (mut goes, mut stays) = (Vec::new(), Vec::new());
        for ended in pending.remove(ledger).unwrap_or_default() {
            let waits = goes.len() == AT_ONCE || is_shard && ended.entry.is_some();
            if waits { &mut stays } else { &mut goes }.push(ended);
        }
        if !stays.is_empty() {
            pending.insert(ledger.to_owned(), stays);
        }
        if is_shard {
            return (goes, Vec::new());
        }
        let at_shards = pending.iter().filter(|(shard, _)| *shard != ledger && lender(shard) == ledger);
        let all = goes.iter().chain(at_shards.flat_map(|(_, ended)| ended));
        let entries = all.filter_map(|ended| ended.entry.clone()).take(AT_ONCE).collect();
        (goes, entries)
    }

    /// Takes note of the records that are written.
    fn written(&self, ids: &SortedSet<String>) {
        for ended in self.pending.borrow_mut().values_mut().flatten() {
            if ended.entry.as_ref().is_some_and(|entry| ids.contains(&entry.id)) {
                ended.entry = None;
            }
        }
    }

    /// What does not fit is let go, the oldest first: its lease runs out, and it is written down as lost.
    fn put_back(&self, ledger: &str, mut ended: Vec<Ended>, last: Option<Ended>) {
        let mut pending = self.pending.borrow_mut();
        let waiting = pending.entry(ledger.to_owned()).or_default();
        ended.append(waiting);
        ended.extend(last);
        let over = ended.len().saturating_sub(MOST);
        for gone in ended.drain(..over).filter_map(|gone| gone.entry) {
            glue::log(&serde_json::json!({ "event": "audit_overflow", "request_id": gone.id }).to_string());
        }
        *waiting = ended;
    }

    async fn send<T: DeserializeOwned>(&self, tenant: &str, turn: &Turn) -> Result<T, StoreError> {
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
