//! The lines of the ledger a call draws on: its team's limits and budgets and the caller's own, each under
//! the name of whoever shares it.

use super::ledger::{BudgetLine, BudgetState, RateKind, RateLine, RateState, Window};
use super::{Caller, Claim};
use crate::config::{Budget, Measure, ModelId, Party, Scope, Terms, UsageLimit};
use crate::units::Millis;

/// Whose the calls of an identity are that names no organisation.
const DEFAULT_ORGANISATION: &str = "default";

/// What a call draws on.
pub(super) struct Lines<'t> {
    /// The budgets that pay for it.
    pub budgets: Vec<BudgetLine>,
    /// Where each of those stands in the terms.
    pub said: Vec<&'t Budget>,
    /// The rates it draws on.
    pub rates: Vec<RateLine>,
}

/// Which lines are wanted.
#[derive(Clone, Copy)]
pub(super) enum Part<'m> {
    /// All that can be said before a model is chosen: where only one can be, its lines too.
    Call(Option<&'m ModelId>),
    /// Those that depend on the model alone.
    Model(&'m ModelId),
}

impl<'t> Lines<'t> {
    /// The lines of a call by all of these terms. Those of somebody the call does not know do not bind it: a budget
    /// per user does not bind a key without one.
    pub(super) fn of(terms: &[&'t Terms], caller: &Caller, claim: &Claim, part: Part<'_>) -> Lines<'t> {
        let wanted = |scope: &Scope| match part {
            Part::Call(model) => name(scope, caller, model),
            Part::Model(model) if scope.is_by_model() => name(scope, caller, Some(model)),
            Part::Model(_) => None,
        };
        let budget = |budget: &'t Budget| {
            let (window, scope) = (Window::at(budget.per, claim.now), wanted(&budget.scope)?);
            // Once it has sent the call elsewhere it only counts.
            let hard = budget.hard && !(claim.downgraded && budget.on_exceeded.is_some());
            Some((BudgetLine { scope, window, limit: budget.limit, hard }, budget))
        };
        let rate = |limit: &UsageLimit| {
            let (kind, per, cost) = match limit.measure {
                Measure::Requests(per) => (RateKind::Requests, per, 1),
                Measure::Tokens(per) => (RateKind::Tokens, per, claim.tokens),
                Measure::Parallel => (RateKind::Parallel, Millis(0), 1),
            };
            Some(RateLine { scope: wanted(&limit.scope)?, kind, per, limit: limit.most, cost })
        };
        let (budgets, said) = terms.iter().flat_map(|terms| &terms.budgets).filter_map(budget).unzip();
        Lines { budgets, said, rates: terms.iter().flat_map(|terms| &terms.limits).filter_map(rate).collect() }
    }

    /// Whether nothing binds the call.
    pub(super) fn is_empty(&self) -> bool {
        self.budgets.is_empty() && self.rates.is_empty()
    }

    /// What the terms say of a budget the ledger speaks of.
    pub(super) fn said_of(&self, state: &BudgetState) -> Option<&'t Budget> {
        let same =
            |line: &BudgetLine| (&line.scope, line.window, line.limit) == (&state.scope, state.window, state.limit);
        self.budgets.iter().zip(&self.said).find(|(line, _)| same(line)).map(|(_, budget)| *budget)
    }
}

/// Of the limits a call drew on, for each kind the one with the least left.
pub(super) fn tightest(rates: &[RateState]) -> Vec<RateState> {
    let of = |kind| rates.iter().filter(move |rate| rate.kind == kind).min_by_key(|rate| rate.remaining);
    [RateKind::Requests, RateKind::Tokens, RateKind::Parallel].into_iter().filter_map(of).cloned().collect()
}

/// The ledger's name for the party of a scope that this caller is: `team:payments/user:ann`.
pub(super) fn name(scope: &Scope, caller: &Caller, model: Option<&ModelId>) -> Option<String> {
    // Everything is within the team but what is the organisation's.
    let mut name = match scope.parties().first() {
        Some(Party::Organisation) => String::new(),
        Some(
            Party::Team | Party::Project | Party::User | Party::Key | Party::Provider | Party::Model | Party::Tag(_),
        )
        | None => team_scope(&caller.team),
    };
    let team_is_said = !name.is_empty();
    for party in scope.parties().iter().filter(|party| !(team_is_said && **party == Party::Team)) {
        match party {
            Party::Organisation => {
                push(&mut name, party, caller.organisation.as_deref().unwrap_or(DEFAULT_ORGANISATION));
            }
            Party::Team => push(&mut name, party, &caller.team),
            Party::Project => push(&mut name, party, caller.project.as_deref()?),
            Party::User => push(&mut name, party, caller.user.as_deref()?),
            Party::Key => push(&mut name, party, &caller.key_id),
            Party::Provider => push(&mut name, party, model?.provider.as_str()),
            Party::Model => push(&mut name, party, &model?.to_string()),
            Party::Tag(tag) => push(&mut name, party, caller.tags.get(tag)?),
        }
    }
    Some(name)
}

/// Adds `/party:value`; a value cannot pass for a further party.
fn push(name: &mut String, party: &Party, value: &str) {
    if !name.is_empty() {
        name.push('/');
    }
    name.push_str(&party.to_string());
    name.push(':');
    for character in value.chars() {
        match character {
            '/' => name.push_str("%2F"),
            '%' => name.push_str("%25"),
            other => name.push(other),
        }
    }
}

/// The ledger's name for a team.
pub fn team_scope(team: &str) -> String {
    let mut name = String::new();
    push(&mut name, &Party::Team, team);
    name
}

/// The scope a name of the ledger's is of; `None` for a name that was not made here.
pub(super) fn scope_of(name: &str) -> Option<Scope> {
    name.split('/').map(Party::named).collect::<Option<Vec<Party>>>().map(Scope::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_named_by_its_parties_and_no_value_passes_for_another_party() {
        let tags = [("app".to_owned(), "a/team:b".to_owned())].into();
        let caller = Caller {
            team: "t".into(),
            key_id: "key_1".into(),
            user: Some("50%/key:x".into()),
            tags,
            ..Caller::default()
        };
        let model = ModelId::parse("acme:large/v2");
        for (parties, wanted) in [
            (&[Party::Team][..], Some("team:t")),
            (&[Party::User, Party::Team], Some("team:t/user:50%25%2Fkey:x")),
            (&[Party::Team, Party::Key], Some("team:t/key:key_1")),
            (&[Party::Organisation], Some("organisation:default")),
            (&[Party::Tag("app".into()), Party::Organisation], Some("organisation:default/tag:app:a%2Fteam:b")),
            (&[Party::Organisation, Party::Team], Some("organisation:default/team:t")),
            (&[Party::Team, Party::Model, Party::Provider], Some("team:t/provider:acme/model:acme:large%2Fv2")),
            (&[Party::Project], None),
            (&[Party::Tag("other".into())], None),
        ] {
            let scope = Scope::of(parties.iter().cloned());
            assert_eq!(name(&scope, &caller, model.as_ref()).as_deref(), wanted, "{parties:?}");
            if let Some(name) = wanted {
                assert_eq!(scope_of(name), Some(scope), "{name}");
            }
        }
        assert_eq!(name(&Scope::of([Party::Model]), &caller, None), None);
        assert_eq!(scope_of("elsewhere:x"), None);
    }
}
