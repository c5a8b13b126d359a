//! Calls that a process admits by itself, from what its tenant's ledger lends it: who asks for more, and who gives back.
//!
//! [`allowance`](super::ledger::allowance) says what keeps the sum exact. What is lent has one task from the asking to the
//! giving back, a second later, in the context of the request that found it wanting: on a Worker no other could reach the
//! ledger for it. State alone is shared, and whoever gives back tells for those whose context has ended, too.

use super::alerts::Alerts;
use super::denial;
use super::ledger::allowance::{Allowance, LIFE};
use super::ledger::{Admission, Admit, Command, Denial, Part, RateState, ReservationId, Verdict, Void};
use super::policy::TENANT;
use crate::config::Budget;
use crate::ports::Ports;
use crate::units::{Millis, NanoUsd, Timestamp, Tokens};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// For so many sets of budgets and rates; calls of others are admitted by the ledger.
const MOST: usize = 256;
/// How often it is tried to give something back, and how far apart.
const TRIES: u32 = 3;
const PAUSE: Millis = Millis(1_000);

/// What was lent to one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowances(Arc<Mutex<Vec<Account>>>);

/// What calls of a team have that draw on the same budgets and rates.
#[derive(Debug)]
struct Account {
    team: String,
    /// Whether its calls have records.
    noted: bool,
    allowance: Allowance,
}

impl Account {
    fn serves(&self, team: &str, admit: &Admit) -> bool {
        self.noted != admit.note.is_empty() && self.team == team && self.allowance.is_for(admit)
    }
}

impl Allowances {
    /// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
    fn lock(&self) -> MutexGuard<'_, Vec<Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits a call, if there is enough for it: what it is taken from, and how the rates stand then; and what should be
    /// borrowed now.
    pub(super) fn admit(&self, team: &str, admit: &Admit) -> (Option<(ReservationId, Vec<RateState>)>, Option<Admit>) {
        let mut accounts = self.lock();
        let mut at = accounts.iter().position(|account| account.serves(team, admit)).unwrap_or(accounts.len());
        if at == accounts.len() {
            if accounts.len() >= MOST {
                accounts.retain(|account| !account.allowance.is_idle(admit.now));
            }
            let nothing = admit.budgets.is_empty() && admit.rates.is_empty();
            if nothing || accounts.len() >= MOST {
                return (None, None);
            }
            at = accounts.len();
            let allowance = Allowance::new(admit);
            accounts.push(Account { team: team.to_owned(), noted: !admit.note.is_empty(), allowance });
        }
        accounts
            .get_mut(at)
            .map_or((None, None), |Account { allowance, .. }| (allowance.admit(admit), allowance.draw(admit)))
    }

    /// The name of what is to be borrowed.
    pub(super) fn name<P: Ports>(&self, ports: &P) -> ReservationId {
        ReservationId(format!("lent_{:016x}", ports.entropy()))
    }

    /// Borrows, and gives back a second later.
    pub(super) async fn hold<P: Ports>(&self, ports: &P, team: &str, draw: Admit, said: Vec<Budget>, alerts: &Alerts) {
        let answer = ports.admit(TENANT, draw.clone()).await;
        let granted = match &answer {
            Ok(Verdict::Admitted(admission)) => {
                for (budget, state) in said.iter().zip(&admission.budgets) {
                    alerts.consider(ports, budget, state, admission.granted);
                }
                Some(admission)
            }
            Ok(Verdict::Denied(_)) | Err(_) => None,
        };
        let lent = granted.is_some();
        self.lent(team, &draw, granted, ports.now());
        if let Err(problem) = answer {
            // It may have been lent all the same.
            ports.log(&denial::store_line("ledger", &problem));
            self.tell(ports, vec![Void { id: draw.id, now: ports.now(), but: None }]).await;
        } else if lent {
            ports.sleep(LIFE).await;
            self.give_back(ports, false).await;
        }
    }

    fn lent(&self, team: &str, draw: &Admit, granted: Option<&Admission>, now: Timestamp) {
        if let Some(account) = self.lock().iter_mut().find(|account| account.serves(team, draw)) {
            account.allowance.lent(draw, granted, now);
        }
    }

    /// What the settlement of a call says that was admitted from this.
    pub(super) fn settle(&self, lent: &ReservationId, call: &str, amount: NanoUsd, tokens: Tokens) -> Part {
        let mut accounts = self.lock();
        let account = accounts.iter_mut().find(|account| account.allowance.has(lent));
        let call = ReservationId(call.to_owned());
        let nothing = Part { lent: lent.clone(), keep: None };
        account.map_or(nothing, |account| account.allowance.settle(lent, &call, amount, tokens))
    }

    /// What to ask the lender for so that a call may come to more.
    pub(super) fn more(&self, lent: &ReservationId, more: &Admit) -> Option<Admit> {
        self.lock().iter_mut().find_map(|account| account.allowance.more(lent, more))
    }

    /// Takes note of the answer; what is granted to the call in all.
    pub(super) fn extended(&self, lent: &ReservationId, call: &str, is_granted: bool) -> Option<NanoUsd> {
        let call = ReservationId(call.to_owned());
        self.lock().iter_mut().find_map(|account| account.allowance.extended(lent, &call, is_granted))
    }

    /// Gives back what is older than it may be, or everything that no call needs.
    pub(crate) async fn give_back<P: Ports>(&self, ports: &P, all: bool) {
        let told = self.lock().iter_mut().flat_map(|account| account.allowance.give_back(all, ports.now())).collect();
        self.tell(ports, told).await;
    }

    /// Gives back all there is of a budget or a rate that is said to be spent; whether there was any.
    pub(super) async fn recall<P: Ports>(&self, ports: &P, spent: &Denial) -> bool {
        let draws = |account: &&mut Account| match spent {
            Denial::Budget(state) => {
                let mut budgets = account.allowance.budgets().iter();
                budgets.any(|line| (&line.scope, line.window) == (&state.scope, state.window))
            }
            Denial::Rate { rate, .. } => {
                let mut rates = account.allowance.rates().iter();
                rates.any(|line| (&line.scope, line.kind, line.per) == (&rate.scope, rate.kind, rate.per))
            }
            Denial::Over => false,
        };
        let now = ports.now();
        let told: Vec<Void> =
            self.lock().iter_mut().filter(draws).flat_map(|account| account.allowance.give_back(true, now)).collect();
        let any = !told.is_empty();
        self.tell(ports, told).await;
        any
    }

    async fn tell<P: Ports>(&self, ports: &P, told: Vec<Void>) {
        for _ in 0..TRIES {
            if told.is_empty() {
                return;
            }
            match ports.apply(TENANT, told.iter().cloned().map(Command::Void).collect()).await {
                Ok(_) => {
                    self.lock().iter_mut().for_each(|account| account.allowance.heard(&told));
                    return;
                }
                Err(problem) => ports.log(&denial::store_line("ledger", &problem)),
            }
            ports.sleep(PAUSE).await;
        }
    }
}
