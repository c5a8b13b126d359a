//! The ledger over DynamoDB: the same decisions as the machine in memory, made good by conditions.
//!
//! A command is decided against the books as this process last saw them and carried out by one
//! conditional update that holds only if the decision still would. When it does not, DynamoDB hands
//! the books back with the refusal and the command is decided anew: there is no lock, no transaction
//! on the usual path, and an admission is one round trip. A refusal is never founded on old books.

use super::books::{Image, entry_attribute, rate_attribute, spent_attribute};
use super::expression::Expression;
use super::reservations::write;
use super::retry::{StoreError, Tries};
use super::update::reservation;
use super::{Item, Store, key, text};
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use signalbox::gateway::ledger::decide::{self, Books, Draw};
use signalbox::gateway::ledger::rate::advance;
use signalbox::gateway::ledger::reservation::{Hold, Reservation};
use signalbox::gateway::ledger::spec::LedgerUnderTest;
use signalbox::gateway::ledger::{
    Admit, Command, Denial, Pending, RateKind, Reply, Report, ReservationId, Settle, Settled, Standing, Verdict, Void,
};
use signalbox::units::{NanoUsd, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many leases a process remembers as it wrote them.
const LEASES: usize = 4_096;

/// One tenant's limits and budgets. Clones share what they have seen.
#[derive(Clone, Debug)]
pub struct DynamoLedger {
    pub(super) store: Store,
    pub(super) tenant: String,
    seen: Arc<Mutex<Seen>>,
}

/// What this process knows without asking. All of it may be out of date.
#[derive(Debug, Default)]
struct Seen {
    last: Timestamp,
    books: Image,
    /// Open reservations made here, as they are written.
    leases: HashMap<String, String>,
}

/// Why an update of the books was not carried out.
pub(super) enum Refused {
    /// Its condition does not hold; these are the books as they are.
    Stale(Item),
    /// It failed, or nobody knows.
    Failed(Box<SdkError<UpdateItemError, HttpResponse>>),
}

/// What became of an admission.
enum Reserved {
    /// It was made just now, with these draws and this record.
    Taken(Verdict, Vec<Draw>, String),
    /// It is not ours to undo: refused, or made earlier.
    Answered(Verdict),
}

impl DynamoLedger {
    pub(super) fn new(store: Store, tenant: String) -> DynamoLedger {
        DynamoLedger { store, tenant, seen: Arc::default() }
    }

    /// Carries out commands in order; every one is answered, or the first error ends it.
    pub async fn apply(&self, batch: Vec<Command>) -> Result<Vec<Reply>, StoreError> {
        let mut replies = Vec::with_capacity(batch.len());
        for command in batch {
            replies.push(match command {
                Command::Admit(admit) => Reply::Verdict(self.admit(&admit).await?),
                Command::Settle(settle) => Reply::Settled(self.settle(&settle).await?),
                Command::Void(void) => Reply::Settled(self.void(&void).await?),
                Command::Report(report) => Reply::Report(self.report(&report).await?),
                Command::Expire(now) => Reply::Expired(self.expire(now).await?),
                Command::Pending(now) => Reply::Pending(self.pending(now).await?),
                Command::Rates(now) => Reply::Rates(self.rates(now).await?),
                Command::Escrow(escrow) => Reply::Purse(self.escrow(&escrow).await?),
            });
        }
        Ok(replies)
    }

    /// Makes a reservation, or says why not. An error means that nothing may be done on its strength;
    /// what it may have reserved is settled by asking again, or becomes unconfirmed.
    pub async fn admit(&self, admit: &Admit) -> Result<Verdict, StoreError> {
        self.advance(admit.now);
        if admit.slice > 0 {
            return self.extend(admit).await;
        }
        // An id that has left the books is looked for beside the update, not before it.
        let (reserved, kept) = futures_util::join!(self.reserve(admit), self.recall(&admit.id.0));
        let (reserved, now) = (reserved?, self.now());
        let over = kept?.and_then(|json| read(&json)).and_then(|reservation| reservation.at(now)).is_some();
        match reserved {
            Reserved::Taken(_, draws, json) if over => {
                self.undo(admit, &draws, json).await?;
                Ok(Verdict::Denied(Denial::Over))
            }
            Reserved::Answered(_) if over => Ok(Verdict::Denied(Denial::Over)),
            Reserved::Taken(verdict, _, _) | Reserved::Answered(verdict) => Ok(verdict),
        }
    }

    /// Posts what a call came to.
    pub async fn settle(&self, settle: &Settle) -> Result<Settled, StoreError> {
        if settle.of.is_some() {
            // A process that is frozen after its answer could only lose what it was lent.
            let detail = "nothing is lent to processes here".to_owned();
            return Err(StoreError { operation: "settle", detail });
        }
        self.advance(settle.now);
        self.finish(&settle.id.0, |known, now| Reservation::settle(known, settle, now)).await
    }

    /// Gives a reservation back.
    pub async fn void(&self, void: &Void) -> Result<Settled, StoreError> {
        self.advance(void.now);
        self.finish(&void.id.0, |known, now| Reservation::void(known, void, now)).await
    }

    /// The books of one scope, window by window.
    pub async fn report(&self, report: &Report) -> Result<Vec<Standing>, StoreError> {
        self.advance(report.now);
        let image = self.load().await?;
        Ok(image.standings(report, self.now()))
    }

    /// What is drawn of the rates.
    pub async fn rates(&self, now: Timestamp) -> Result<Vec<Draw>, StoreError> {
        self.advance(now);
        let (image, now) = (self.load().await?, self.now());
        let drawn = image.tats.keys().map(|key| match key.kind {
            RateKind::Requests | RateKind::Tokens => Draw::standing(key, 0, image.tat(key)),
            RateKind::Parallel => Draw::standing(key, image.under_way(key, now), 0),
        });
        Ok(decide::standing(drawn.collect(), now))
    }

    /// Moves reservations that are over out of the books; answers when the next lease runs out.
    pub async fn expire(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.advance(now);
        self.tidy(self.now()).await?;
        let (image, now) = (self.load().await?, self.now());
        Ok(image
            .written()
            .filter_map(|(_, _, reservation)| match reservation {
                Reservation::Open { until, .. } => Some(until).filter(|until| now < *until),
                Reservation::Unconfirmed { .. } | Reservation::Voided { .. } | Reservation::Settled { .. } => None,
            })
            .min())
    }

    /// The reservations that are open. What is over leaves the books on the way.
    pub async fn pending(&self, now: Timestamp) -> Result<Vec<Pending>, StoreError> {
        self.advance(now);
        self.tidy(self.now()).await?;
        let (image, now) = (self.load().await?, self.now());
        let open = |(id, _, reservation): (&str, &str, Reservation)| match reservation.at(now)? {
            Reservation::Open { until, hold } => {
                Some(Pending { id: ReservationId(id.to_owned()), until, held: hold.granted, note: hold.note })
            }
            Reservation::Unconfirmed { .. } | Reservation::Voided { .. } | Reservation::Settled { .. } => None,
        };
        Ok(image.written().filter_map(open).collect())
    }

    async fn reserve(&self, admit: &Admit) -> Result<Reserved, StoreError> {
        let mut tries = Tries::of("admit a call");
        let (mut image, mut fresh) = (self.books(), false);
        let mut unknown: Option<(String, Vec<Draw>)> = None;
        loop {
            let now = self.now();
            if let Some((json, written)) = image.entries.get(&admit.id.0).and_then(|json| Some((json, read(json)?))) {
                match written.at(now) {
                    Some(Reservation::Open { hold, .. }) => {
                        self.remember_lease(&admit.id.0, json);
                        let verdict = decide::admitted(admit, hold.granted, 0, &image, now);
                        return Ok(match unknown.filter(|(written, _)| written == json) {
                            // An earlier try was carried out after all.
                            Some((json, draws)) => Reserved::Taken(verdict, draws, json),
                            None => Reserved::Answered(verdict),
                        });
                    }
                    Some(
                        Reservation::Unconfirmed { .. } | Reservation::Voided { .. } | Reservation::Settled { .. },
                    ) => {
                        return Ok(Reserved::Answered(Verdict::Denied(Denial::Over)));
                    }
                    None => {
                        tries.reload().await?;
                        self.tidy(now).await?;
                        image = self.load().await?;
                        continue;
                    }
                }
            }
            let grant = match decide::decide(admit, &image, now) {
                Ok(grant) => grant,
                Err(denial) if fresh => return Ok(Reserved::Answered(Verdict::Denied(denial))),
                Err(_) => {
                    (image, fresh) = (self.load().await?, true);
                    continue;
                }
            };
            // The books still count places whose leases are over: they are taken out before one is given anew.
            let is_place = |draw: &&Draw| draw.key.kind == RateKind::Parallel;
            if grant.draws.iter().filter(is_place).any(|draw| image.lapsed(&draw.key, now) > 0) {
                tries.reload().await?;
                self.tidy(now).await?;
                (image, fresh) = (self.load().await?, true);
                continue;
            }
            let draws: Vec<Draw> = grant.draws.iter().filter(|draw| draw.is_kept()).cloned().collect();
            let note = admit.note.clone();
            let hold =
                Hold { granted: grant.amount, slice: 0, parts: NanoUsd::ZERO, charges: admit.charges(), draws, note };
            let json = write(&Reservation::Open { until: now + admit.lease, hold });
            // Which of the places are lapsed only the whole item tells.
            let told = if grant.draws.iter().any(|draw| is_place(&draw)) {
                ReturnValue::AllNew
            } else {
                ReturnValue::UpdatedNew
            };
            match self.update_telling(reservation(admit, &grant, &image, &json, now), told).await {
                Ok(changed) => {
                    self.remember_lease(&admit.id.0, &json);
                    // Other lines of the books may have moved on; those of this admission are as of now.
                    image.merge(&changed);
                    return Ok(Reserved::Taken(
                        decide::admitted(admit, grant.amount, 0, &image, now),
                        grant.draws,
                        json,
                    ));
                }
                Err(Refused::Stale(item)) => {
                    tries.reload().await?;
                    (image, fresh) = (self.look(&item), true);
                }
                // Whether it was carried out or not: the next try finds out.
                Err(Refused::Failed(error)) => {
                    tries.again(*error).await?;
                    unknown = Some((json, grant.draws));
                }
            }
        }
    }

    /// Takes an admission back whose id turned out to be over.
    async fn undo(&self, admit: &Admit, draws: &[Draw], json: String) -> Result<(), StoreError> {
        let mut tries = Tries::of("take an admission back");
        let Some(Reservation::Open { hold, .. }) = read(&json) else { return Ok(()) };
        loop {
            let mut expression = Expression::default();
            expression.require(&entry_attribute(&admit.id.0), "=", text(&json));
            expression.remove(&entry_attribute(&admit.id.0));
            for charge in &hold.charges {
                expression.add(&spent_attribute(charge), -i128::from(hold.granted.0));
            }
            for (draw, line) in draws.iter().zip(admit.distinct_rates()) {
                let drawn = match draw.key.kind {
                    RateKind::Requests | RateKind::Tokens => advance(line, line.cost),
                    RateKind::Parallel => line.cost,
                };
                expression.add(&rate_attribute(&draw.key), -i128::from(drawn));
            }
            self.forget_leases([&admit.id.0]);
            match self.update(expression).await {
                Ok(_) | Err(Refused::Stale(_)) => return Ok(()),
                Err(Refused::Failed(error)) => tries.again(*error).await?,
            }
        }
    }

    /// The books as this process last saw them.
    pub(super) fn books(&self) -> Image {
        self.seen().books.clone()
    }

    pub(super) fn books_key(&self) -> Item {
        key(format!("ledger#{}", self.tenant), "books")
    }

    /// Reads the books.
    pub(super) async fn load(&self) -> Result<Image, StoreError> {
        let mut tries = Tries::of("read the books");
        loop {
            let request = self.store.client.get_item().table_name(&self.store.table).set_key(Some(self.books_key()));
            match request.consistent_read(true).send().await {
                Ok(found) => return Ok(self.look(&found.item.unwrap_or_default())),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// Takes note of the whole item.
    pub(super) fn look(&self, item: &Item) -> Image {
        let image = Image::of(item);
        let mut seen = self.seen();
        seen.last = seen.last.max(image.last);
        seen.books = Image { entries: BTreeMap::new(), ..image.clone() };
        image
    }

    /// One conditional update of the books; answers what it changed, or the books that refused it.
    pub(super) async fn update(&self, expression: Expression) -> Result<Item, Refused> {
        self.update_telling(expression, ReturnValue::UpdatedNew).await
    }

    /// The same, with as much of the item in the answer as is wanted.
    async fn update_telling(&self, expression: Expression, told: ReturnValue) -> Result<Item, Refused> {
        let request = self.store.client.update_item().table_name(&self.store.table).set_key(Some(self.books_key()));
        let request =
            request.set_update_expression(expression.update()).set_condition_expression(expression.condition());
        let request = request
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values());
        let request = request.return_values(told);
        match request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).send().await
        {
            Ok(done) => {
                let changed = done.attributes.unwrap_or_default();
                let mut seen = self.seen();
                seen.books.merge(&changed);
                seen.books.entries.clear();
                Ok(changed)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                    Err(Refused::Stale(refusal.item().cloned().unwrap_or_default()))
                }
                Some(_) | None => Err(Refused::Failed(Box::new(error))),
            },
        }
    }

    /// The time it is here: never earlier than what any command or the books have said.
    pub(super) fn now(&self) -> Timestamp {
        self.seen().last
    }

    pub(super) fn advance(&self, now: Timestamp) {
        let mut seen = self.seen();
        seen.last = seen.last.max(now);
    }

    /// A reservation made here, as it was written, while nothing else was done with it here.
    pub(super) fn lease(&self, id: &str) -> Option<String> {
        self.seen().leases.get(id).cloned()
    }

    pub(super) fn remember_lease(&self, id: &str, json: &str) {
        let mut seen = self.seen();
        if seen.leases.len() >= LEASES {
            seen.leases.clear();
        }
        seen.leases.insert(id.to_owned(), json.to_owned());
    }

    pub(super) fn forget_leases<'a>(&self, ids: impl IntoIterator<Item = &'a String>) {
        let mut seen = self.seen();
        for id in ids {
            seen.leases.remove(id);
        }
    }

    /// Nothing is done under the lock that could fail half-way.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LedgerUnderTest for DynamoLedger {
    type Error = StoreError;

    async fn apply(&mut self, batch: Vec<Command>) -> Result<Vec<Reply>, StoreError> {
        DynamoLedger::apply(self, batch).await
    }
}

pub(super) fn read(json: &str) -> Option<Reservation> {
    serde_json::from_str(json).ok()
}
