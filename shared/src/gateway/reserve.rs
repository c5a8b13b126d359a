//! What the standard policy asks of the ledger, and what it makes of the answers.

use super::journal::{lent, note};
use super::ledger::{Admit, Charge, Denial, ReservationId, Settle, Verdict};
use super::lines::{self, Lines, Part};
use super::policy::{Policy, TENANT};
use super::shards::{Borrower, ask};
use super::{Admission, Caller, Claim, More, Refusal, denial};
use crate::error::{ApiError, Code};
use crate::ports::{Ports, StoreError};
use crate::units::{Millis, NanoUsd, Tokens};

impl<P: Ports> Policy<P> {
    /// What the ledger is told in the end.
    pub(super) fn end(&self, admission: &Admission, amount: NanoUsd, tokens: Tokens) -> Option<Settle> {
        admission.tenant.as_ref().map(|_| Settle {
            id: ReservationId(admission.id.clone()),
            now: self.ports.now(),
            amount,
            tokens: Some(tokens),
            charge: admission.charge.clone(),
            of: admission
                .lent
                .as_ref()
                .map(|lent| self.recorder.allowances.settle(lent, &admission.id, amount, tokens)),
        })
    }

    /// The shards that admit a team's calls; `None` where the tenant's ledger alone does.
    fn borrower(&self, caller: &Caller, lines: &Lines<'_>) -> Option<Borrower> {
        let shards = self.config.team(&caller.team)?.shards?;
        // A rate is kept in one place, and nothing is lent of it.
        if lines.budgets.is_empty() || !lines.rates.is_empty() {
            return None;
        }
        let budgets = lines.budgets.iter().zip(&lines.said).map(|(line, said)| (line.clone(), (*said).clone()));
        Some(Borrower { team: caller.team.clone(), shards, budgets: budgets.collect(), alerts: self.alerts.clone() })
    }

    /// Takes all of these lines under one id, or none.
    pub(super) async fn reserve(
        &self,
        id: &str,
        caller: &Caller,
        claim: &Claim,
        mut lines: Lines<'_>,
    ) -> Result<Admission, Refusal> {
        let nothing = Admission {
            id: id.to_owned(),
            tenant: None,
            lent: None,
            granted: None,
            charge: Vec::new(),
            rates: Vec::new(),
        };
        // One record a request: what is taken for a model beside it has none of its own.
        let (policy, whole) = (self.audit(&caller.team), id == claim.id);
        if lines.is_empty() && !(policy.strict && whole) {
            return Ok(nothing);
        }
        let shards = self.borrower(caller, &lines);
        // A strict audit wants each call in the books before it is made.
        let local =
            self.ports.lingers() && !policy.strict && self.config.team(&caller.team).is_some_and(|team| team.escrow);
        let hard = lines.budgets.iter().any(|line| line.hard);
        let charge =
            lines.budgets.iter().map(|line| Charge { scope: line.scope.clone(), window: line.window }).collect();
        let note = if whole { note(caller, claim.now, policy.retention_days) } else { String::new() };
        let admit = Admit {
            id: ReservationId(id.to_owned()),
            slice: 0,
            now: if local { self.ports.now() } else { claim.now },
            lease: claim.lease,
            most: claim.most,
            least: claim.least,
            budgets: lines.budgets.clone(),
            rates: std::mem::take(&mut lines.rates),
            note,
            escrowed: false,
            share: 0,
            calls: 0,
            // Nobody meters what one of several models writes.
            enough: if whole { claim.slice } else { NanoUsd::ZERO },
        };
        if local {
            let (lent, draw) = self.recorder.allowances.admit(&caller.team, &admit);
            if let Some(draw) = draw {
                self.borrow(caller, &lines, draw);
            }
            if let Some((lent, rates)) = lent {
                let granted = (hard && claim.most > NanoUsd::ZERO).then_some(claim.most);
                let (tenant, lent) = (Some(TENANT.to_owned()), Some(lent));
                return Ok(Admission { tenant, lent, granted, charge, rates: lines::tightest(&rates), ..nothing });
            }
        }
        let again = local.then(|| admit.clone());
        let mut admitted = match shards {
            Some(shards) => self.shards.admit(&self.ports, shards, admit).await,
            None => ask(&self.ports, TENANT, admit).await.map(|verdict| (TENANT.to_owned(), verdict)),
        };
        if let (Some(again), Ok((_, Verdict::Denied(denial)))) = (again, &admitted)
            && self.recorder.allowances.recall(&self.ports, denial).await
        {
            admitted = ask(&self.ports, TENANT, again).await.map(|verdict| (TENANT.to_owned(), verdict));
        }
        let (ledger, verdict) = admitted.map_err(|problem| self.unchecked(&problem))?;
        let (states, own) = match &verdict {
            Verdict::Admitted(admitted) => (admitted.budgets.as_slice(), admitted.granted),
            Verdict::Denied(Denial::Budget(state)) => (std::slice::from_ref(state), NanoUsd::ZERO),
            Verdict::Denied(Denial::Rate { .. } | Denial::Over) => (&[][..], NanoUsd::ZERO),
        };
        // A shard's states have other limits than the terms, and tell nothing of the whole.
        for (budget, state) in states.iter().filter_map(|state| Some((lines.said_of(state)?, state))) {
            self.alerts.consider(&self.ports, budget, state, own);
        }
        match verdict {
            Verdict::Admitted(admitted) => Ok(Admission {
                tenant: Some(ledger),
                // What costs nothing is bound by no budget.
                granted: (hard && claim.most > NanoUsd::ZERO).then_some(admitted.granted),
                charge,
                rates: lines::tightest(&admitted.rates),
                ..nothing
            }),
            Verdict::Denied(denial) => {
                let error = denial::error(&denial, claim.now);
                let (instead, rates) = match denial {
                    Denial::Budget(state) => {
                        (lines.said_of(&state).and_then(|budget| budget.on_exceeded.as_ref()), Vec::new())
                    }
                    Denial::Rate { rate, .. } => (None, vec![rate]),
                    Denial::Over => (None, Vec::new()),
                };
                Err(Refusal { error, instead: instead.map(ToString::to_string), rates })
            }
        }
    }

    /// Has more lent to this process.
    fn borrow(&self, caller: &Caller, lines: &Lines<'_>, draw: Admit) {
        let days = self.audit(&caller.team).retention_days;
        let note = if draw.note.is_empty() { String::new() } else { lent(&caller.team, draw.now, days) };
        let draw = Admit { id: self.recorder.allowances.name(&self.ports), note, ..draw };
        let said = lines.said.iter().map(|said| (*said).clone()).collect();
        let (ports, alerts, team) = (self.ports.clone(), self.alerts.clone(), caller.team.clone());
        let allowances = self.recorder.allowances.clone();
        self.ports.spawn(async move { allowances.hold(&ports, &team, draw, said, &alerts).await });
    }

    fn unchecked(&self, problem: &StoreError) -> ApiError {
        self.ports.log(&denial::store_line("ledger", problem));
        let message = "Limits and budgets cannot be checked right now, so nothing is admitted. Try again in a moment.";
        ApiError::new(Code::LimiterUnavailable, message).retry_after(Millis(1_000))
    }

    /// Adds a slice to a reservation where it was made. A shard that has too little is lent more, once.
    pub(super) async fn enlarge(
        &self,
        admission: &Admission,
        caller: &Caller,
        claim: &Claim,
        more: More,
    ) -> Option<NanoUsd> {
        let ledger = admission.tenant.as_deref()?;
        let allowances = &self.recorder.allowances;
        let lines = Lines::of(&self.terms(caller).ok()?, caller, claim, Part::Call(claim.only()));
        let team = admission.shard().and_then(|_| self.borrower(caller, &lines));
        let admit = Admit {
            id: ReservationId(admission.id.clone()),
            slice: more.slice,
            now: self.ports.now(),
            lease: claim.lease,
            most: more.most,
            least: NanoUsd(1),
            budgets: lines.budgets,
            rates: Vec::new(),
            note: String::new(),
            escrowed: team.is_some(),
            share: 0,
            calls: 0,
            enough: more.enough.max(NanoUsd(1)),
        };
        if let Some(lent) = &admission.lent {
            let verdict = self.ports.admit(ledger, allowances.more(lent, &admit)?).await;
            return allowances.extended(lent, &admission.id, matches!(verdict, Ok(Verdict::Admitted(_))));
        }
        if let Some(team) = team {
            let whole = Admit { least: more.enough.min(more.most), ..admit.clone() };
            if let Ok(Verdict::Admitted(admitted)) = self.ports.admit(ledger, whole).await {
                return Some(admitted.granted);
            }
            self.shards.refill(&self.ports, &team, ledger, more.enough).await;
        }
        match self.ports.admit(ledger, admit).await {
            Ok(Verdict::Admitted(admitted)) => Some(admitted.granted),
            // What was granted before still is.
            Ok(Verdict::Denied(_)) | Err(_) => None,
        }
    }

    /// Replaces a reservation by what was used.
    pub(super) async fn post(&self, admission: &Admission, amount: NanoUsd, tokens: Tokens) {
        let (Some(ledger), Some(settle)) = (&admission.tenant, self.end(admission, amount, tokens)) else { return };
        if let Err(problem) = self.ports.settle(ledger, settle).await {
            self.ports.log(&denial::store_line("settle", &problem));
        }
    }
}
