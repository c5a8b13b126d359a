//! A team's calls spread over ledgers of their own: its shards, which admit from what the tenant's ledger lends them.
//!
//! [`escrow`](super::ledger::escrow) says what keeps the sum exact; here is who asks whom, and when.
//! - A call is admitted by a shard drawn at random: one hop, and none to the lender.
//! - Where that shard has too little, the lender admits the call itself, and lends the shard more behind the caller's back.
//! - Where the lender has too little as well, shards give back what they do not need, and the lender is asked again; then each
//!   shard is. Only when all of them agree is the call denied.
//! - What shards have spent their lender hears of as slices end, and once a minute or when somebody reads the books
//!   ([`recall`]) to the last nano-dollar that is not under way.
//!
//! Limits of rate are no slices: a call that draws on one is admitted by the tenant's ledger, as every call is without shards.

use super::alerts::Alerts;
use super::denial;
use super::journal::at_shard;
use super::ledger::escrow::{Escrow, Purse, Slice, borrower, shard};
use super::ledger::{
    Admit, BudgetLine, BudgetState, Charge, Command, Denial, Pending, Reply, Report, Standing, Verdict,
};
use super::policy::TENANT;
use super::unanswered::Unanswered;
use crate::config::{Budget, Config};
use crate::ports::{Ports, StoreError};
use crate::sorted::{SortedMap, SortedSet};
use crate::units::{Millis, NanoUsd, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often a process lends to the same shard at the most.
const LEND_EVERY: Millis = Millis(250);
/// For so long nobody is called upon again to give back what it does not need, after that did not help.
const SPENT: Millis = Millis(250);
/// A shard is lent more when it has room for fewer calls than this.
const LOW: u64 = 4;
/// The first slice is for so many; each later one is as large as all that the shard has.
const FIRST: u64 = 16;

/// What one process knows of the shards.
#[derive(Clone, Debug, Default)]
pub(super) struct Shards(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// When each was last lent to.
    lent: SortedMap<String, Timestamp>,
    /// When a budget was last found spent everywhere.
    spent: SortedMap<Charge, Timestamp>,
}

/// A team's shards, and what a call of it draws on.
#[derive(Clone, Debug)]
pub(super) struct Borrower {
    /// The team.
    pub team: String,
    /// How many there are.
    pub shards: u64,
    /// The call's budgets, and what the configuration says of them.
    pub budgets: Vec<(BudgetLine, Budget)>,
    /// Who is told when they are nearly spent.
    pub alerts: Alerts,
}

impl Borrower {
    fn names(&self) -> impl Iterator<Item = String> {
        (0..self.shards).map(|number| shard(TENANT, &self.team, number))
    }
}

impl Shards {
    /// Admits a call at a shard, or wherever there is money; answers with the ledger that did.
    pub(super) async fn admit<P: Ports>(
        &self,
        ports: &P,
        team: Borrower,
        admit: Admit,
    ) -> Result<(String, Verdict), StoreError> {
        let first = shard(TENANT, &team.team, ports.entropy() % team.shards.max(1));
        let whole = Admit { least: admit.most, enough: NanoUsd::ZERO, ..admit.clone() };
        let verdict = ask(ports, &first, at(&first, &whole)).await?;
        let is_low = |state: &BudgetState| state.remaining() < times(LOW, admit.most);
        let low = match &verdict {
            Verdict::Admitted(admitted) => admitted.budgets.iter().any(is_low),
            Verdict::Denied(Denial::Budget(_)) => true,
            Verdict::Denied(Denial::Rate { .. } | Denial::Over) => false,
        };
        if low && self.is_due(&first, ports.now()) {
            let (work, team, first, admit) = (ports.clone(), team.clone(), first.clone(), admit.clone());
            ports.spawn(async move {
                if let Err(problem) = lend(&work, &team, &first, admit.most).await {
                    work.log(&denial::store_line("ledger", &problem));
                }
            });
        }
        if !is_short(&verdict) {
            return Ok((first, verdict));
        }
        let verdict = ask(ports, TENANT, whole).await?;
        let spent = match &verdict {
            Verdict::Denied(Denial::Budget(state)) => Charge { scope: state.scope.clone(), window: state.window },
            Verdict::Admitted(_) | Verdict::Denied(Denial::Rate { .. } | Denial::Over) => {
                return Ok((TENANT.to_owned(), verdict));
            }
        };
        if lock(&self.0).spent.get(&spent).is_some_and(|at| ports.now().since(*at) < SPENT) {
            return Ok((TENANT.to_owned(), ask(ports, TENANT, admit).await?));
        }
        let denied = self.everywhere(ports, &team, &admit).await?;
        if is_short(&denied.1) {
            let mut known = lock(&self.0);
            known.spent.retain(|_, at| ports.now().since(*at) < SPENT);
            known.spent.insert(spent, ports.now());
        }
        Ok(denied)
    }

    /// Looks for money wherever it may be.
    async fn everywhere<P: Ports>(
        &self,
        ports: &P,
        team: &Borrower,
        admit: &Admit,
    ) -> Result<(String, Verdict), StoreError> {
        let hard: Vec<Charge> = admit.budgets.iter().filter(|line| line.hard).map(charge_of).collect();
        let mut commands = Vec::new();
        for shard in team.names() {
            let spare = hard.iter().map(|charge| Escrow { spare: true, ..tell(charge, ports.now()) });
            let purses = purses(ports.apply(&shard, spare.map(Command::Escrow).collect()).await?);
            commands.extend(ends(&shard, hard.iter().zip(&purses), ports.now()));
        }
        if !commands.is_empty() {
            ports.apply(TENANT, commands).await?;
        }
        let verdict = ask(ports, TENANT, admit.clone()).await?;
        if !is_short(&verdict) {
            return Ok((TENANT.to_owned(), verdict));
        }
        for shard in team.names() {
            let admitted = ask(ports, &shard, at(&shard, admit)).await?;
            if !is_short(&admitted) {
                return Ok((shard, admitted));
            }
        }
        Ok((TENANT.to_owned(), verdict))
    }

    /// Gives a shard what it lacks for so much more than a call was granted.
    pub(super) async fn refill<P: Ports>(&self, ports: &P, team: &Borrower, shard: &str, more: NanoUsd) {
        if let Err(problem) = lend(ports, team, shard, more).await {
            ports.log(&denial::store_line("ledger", &problem));
        }
    }

    fn is_due(&self, shard: &str, now: Timestamp) -> bool {
        let mut known = lock(&self.0);
        let due = known.lent.get(shard).is_none_or(|at| now.since(*at) >= LEND_EVERY);
        if due {
            known.lent.insert(shard.to_owned(), now);
        }
        due
    }
}

/// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A caller that leaves now must not leave a reservation behind that nobody settles.
pub(super) async fn ask<P: Ports>(ports: &P, ledger: &str, admit: Admit) -> Result<Verdict, StoreError> {
    let unanswered = Unanswered::new(ports.clone(), ledger.to_owned(), admit.id.clone());
    let verdict = ports.admit(ledger, admit).await?;
    unanswered.answered();
    Ok(verdict)
}

/// The same, asked of a shard.
fn at(shard: &str, admit: &Admit) -> Admit {
    Admit { escrowed: true, note: at_shard(&admit.note, shard), ..admit.clone() }
}

fn is_short(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Denied(Denial::Budget(_)))
}

fn times(many: u64, amount: NanoUsd) -> NanoUsd {
    NanoUsd(amount.0.saturating_mul(many)).min(NanoUsd::MAX)
}

fn charge_of(line: &BudgetLine) -> Charge {
    Charge { scope: line.scope.clone(), window: line.window }
}

fn tell(charge: &Charge, now: Timestamp) -> Escrow {
    Escrow { charge: charge.clone(), now, lent: None, heard: Vec::new(), spare: false, lost: false }
}

fn purses(replies: Vec<Reply>) -> Vec<Purse> {
    let purse = |reply: Reply| if let Reply::Purse(purse) = reply { Some(purse) } else { None };
    replies.into_iter().filter_map(purse).collect()
}

/// What the lender is to be told of what ended at a shard.
fn ends<'a>(
    shard: &str,
    purses: impl Iterator<Item = (&'a Charge, &'a Purse)>,
    now: Timestamp,
) -> impl Iterator<Item = Command> {
    purses.flat_map(move |(charge, purse)| purse.ends(shard, charge, now)).map(Command::Settle)
}

/// Tells the lender what a shard has spent, and lends it what it lacks: for every budget of a call that can cost so much.
async fn lend<P: Ports>(ports: &P, team: &Borrower, shard: &str, most: NanoUsd) -> Result<(), StoreError> {
    let now = ports.now();
    let mut charges: Vec<(Charge, &BudgetLine, &Budget)> = Vec::new();
    for (line, budget) in &team.budgets {
        let charge = charge_of(line);
        if !charges.iter().any(|(known, ..)| *known == charge) {
            charges.push((charge, line, budget));
        }
    }
    let report = |charge: &Charge| Command::Report(Report { scope: charge.scope.clone(), all: false, now });
    let asked = charges.iter().flat_map(|(charge, ..)| [Command::Escrow(tell(charge, now)), report(charge)]);
    let theirs = ports.apply(shard, asked.collect()).await?;
    let spent = standings(&theirs);
    let purses = purses(theirs);
    let told = ends(shard, charges.iter().map(|(charge, ..)| charge).zip(&purses), now);
    let asked: Vec<Command> = told.chain(charges.iter().map(|(charge, ..)| report(charge))).collect();
    let ours = standings(&ports.apply(TENANT, asked).await?);

    let (mut draws, mut tells) = (Vec::new(), Vec::new());
    for ((charge, line, budget), purse) in charges.iter().zip(&purses) {
        let standing = ours.iter().find(|standing| standing.charge() == *charge);
        let gone = standing.map_or(NanoUsd::ZERO, Standing::spent);
        // What is lent is not spent yet.
        let used = standing.map_or(NanoUsd::ZERO, |standing| standing.posted + standing.unconfirmed);
        let state = BudgetState {
            scope: line.scope.clone(),
            window: line.window,
            limit: line.limit,
            spent: used,
            hard: line.hard,
        };
        team.alerts.consider(ports, budget, &state, NanoUsd::ZERO);
        let theirs = spent.iter().find(|standing| standing.charge() == *charge).map_or(NanoUsd::ZERO, Standing::spent);
        let wanted = wanted(purse, theirs, line.limit.saturating_sub(gone), team.shards, most);
        let heard = purse.ended.iter().map(|slice| slice.number).collect();
        tells.push((Escrow { heard, ..tell(charge, now) }, purse.next));
        draws.push(wanted.filter(|_| line.hard).map(|wanted| purse.draw(shard, line, wanted, most, now)));
    }
    let asked: Vec<Command> = draws.iter().flatten().cloned().map(Command::Admit).collect();
    let mut answers = if asked.is_empty() { Vec::new() } else { ports.apply(TENANT, asked).await? }.into_iter();
    for ((tell, number), _) in tells.iter_mut().zip(&draws).filter(|(_, draw)| draw.is_some()) {
        let lent = |amount| Some(Slice { number: *number, amount });
        tell.lent = match answers.next() {
            Some(Reply::Verdict(Verdict::Admitted(admission))) => lent(admission.granted),
            // One that was lent and is over: it is passed over.
            Some(Reply::Verdict(Verdict::Denied(Denial::Over))) => lent(NanoUsd::ZERO),
            Some(_) | None => None,
        };
    }
    let news = tells.into_iter().map(|(tell, _)| tell).filter(|tell| tell.lent.is_some() || !tell.heard.is_empty());
    let news: Vec<Command> = news.map(Command::Escrow).collect();
    if !news.is_empty() {
        ports.apply(shard, news).await?;
    }
    Ok(())
}

/// The size of a shard's next slice: as much as it has, so that who is asked often is asked less, and no more than its part of
/// half of what is left to all. `None`: it has enough, or what is left is better kept in one place.
fn wanted(purse: &Purse, spent: NanoUsd, rest: NanoUsd, shards: u64, most: NanoUsd) -> Option<NanoUsd> {
    if purse.lent().saturating_sub(spent) >= times(LOW, most) {
        return None;
    }
    let has = purse.slices.iter().fold(NanoUsd::ZERO, |sum, slice| sum + slice.amount);
    let part = NanoUsd(rest.0 / shards.saturating_mul(2).max(1));
    Some(times(FIRST, most).max(has).min(part)).filter(|wanted| *wanted >= most && *wanted > NanoUsd::ZERO)
}

fn standings(replies: &[Reply]) -> Vec<Standing> {
    let standings = |reply: &Reply| if let Reply::Report(standings) = reply { standings.clone() } else { Vec::new() };
    replies.iter().flat_map(standings).collect()
}

/// The shards there are: of the configuration, and those that a former one had, as long as something is lent to them.
fn borrowers(config: &Config, open: &[Pending]) -> SortedSet<String> {
    let mut shards: SortedSet<String> =
        open.iter().filter_map(|pending| borrower(&pending.id)).map(str::to_owned).collect();
    for (team, settings) in &config.teams {
        let numbers = 0..settings.shards.unwrap_or(0);
        shards.extend(numbers.map(|number| shard(TENANT, team.as_str(), number)));
    }
    shards
}

/// The requests that are open in the tenant's ledger and in every shard of it, once the journal is up to date with all of
/// them; and the shards.
pub(crate) async fn pending<P: Ports>(
    ports: &P,
    config: &Config,
) -> Result<(Vec<Pending>, SortedSet<String>), StoreError> {
    let now = ports.now();
    let mut open = ports.pending(TENANT, now).await?;
    let shards = borrowers(config, &open);
    open.retain(|pending| borrower(&pending.id).is_none());
    for shard in &shards {
        open.extend(ports.pending(shard, now).await?);
    }
    if !shards.is_empty() {
        ports.pending(TENANT, now).await?;
    }
    Ok((open, shards))
}

/// The books of all scopes as they stand when shards have told what they have spent.
pub(crate) async fn books<P: Ports>(ports: &P, config: &Config) -> Result<Vec<Standing>, StoreError> {
    let now = ports.now();
    let all = Report { scope: String::new(), all: true, now };
    let replies = ports.apply(TENANT, vec![Command::Pending(now), Command::Report(all.clone())]).await?;
    let open = replies.iter().find_map(|reply| if let Reply::Pending(open) = reply { Some(open) } else { None });
    if open.is_some_and(|open| borrowers(config, open).is_empty()) {
        return Ok(standings(&replies));
    }
    recall(ports, config).await?;
    ports.report(TENANT, all).await
}

/// Brings the lender's books up to date with its shards': what these do not need just now they give back.
pub(crate) async fn recall<P: Ports>(ports: &P, config: &Config) -> Result<(), StoreError> {
    let (_, shards) = pending(ports, config).await?;
    for shard in shards {
        let now = ports.now();
        let standings = ports.report(&shard, Report { scope: String::new(), all: true, now }).await?;
        let is_behind = |standing: &&Standing| match &standing.purse {
            Some(purse) => !purse.is_over() || standing.posted + standing.unconfirmed > purse.returned,
            None => true,
        };
        let charges: Vec<Charge> = standings.iter().filter(is_behind).map(Standing::charge).collect();
        if charges.is_empty() {
            continue;
        }
        let spare =
            |charge: &Charge, heard| Command::Escrow(Escrow { heard, spare: true, lost: true, ..tell(charge, now) });
        let purses =
            purses(ports.apply(&shard, charges.iter().map(|charge| spare(charge, Vec::new())).collect()).await?);
        let told: Vec<Command> = ends(&shard, charges.iter().zip(&purses), now).collect();
        if told.is_empty() {
            continue;
        }
        ports.apply(TENANT, told).await?;
        let heard = |purse: &Purse| purse.ended.iter().map(|slice| slice.number).collect::<Vec<u64>>();
        let ended = charges.iter().zip(&purses).filter(|(_, purse)| !purse.ended.is_empty());
        ports.apply(&shard, ended.map(|(charge, purse)| spare(charge, heard(purse))).collect()).await?;
    }
    Ok(())
}
