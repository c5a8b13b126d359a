//! Who has limits and budgets, and under which names the ledger keeps them.

use super::keys::PREFIX as KEYS;
use super::{Admin, unavailable};
use crate::config::{Party, Scope, Terms};
use crate::error::ApiError;
use crate::gateway::Caller;
use crate::gateway::key_record::KeyRecord;
use crate::gateway::lines::{name, scope_of, team_scope};
use crate::gateway::live;
use crate::gateway::people;
use crate::json;
use crate::ports::Ports;

/// Somebody's limits and budgets.
pub(super) struct Owned {
    owner: Owner,
    pub terms: Terms,
}

/// Whose they are.
enum Owner {
    /// A team's of this name of the ledger's.
    Team(String),
    /// A key's.
    Key(Box<Caller>),
    /// An organisation's, or a user's wherever they are: the party of a name that must be this.
    Wherever(String),
}

impl<P: Ports> Admin<P> {
    /// The teams of the configuration, every key that is not over, organisations and users.
    pub(super) async fn owners(&self) -> Result<Vec<Owned>, ApiError> {
        let now = self.ports.now();
        let team = |(team, settings): (&crate::config::TeamName, &crate::config::Team)| Owned {
            owner: Owner::Team(team_scope(team.as_str())),
            terms: settings.terms.clone(),
        };
        let mut owners: Vec<Owned> = self.config.teams.iter().map(team).collect();
        self.adopt().await?;
        for record in live::all(&self.ports, KEYS).await.map_err(unavailable)? {
            let Ok(key) = json::parse::<KeyRecord>(&record.value) else { continue };
            // A key that is over uses nothing any more.
            let Ok(caller) = Caller::of(&key, now) else { continue };
            owners.push(Owned { owner: Owner::Key(Box::new(caller)), terms: key.terms });
        }
        for (prefix, party, scope) in
            [(live::ORGANISATION, "organisation", people::all_of_it()), (people::USER, "user", people::wherever())]
        {
            for record in live::all(&self.ports, prefix).await.map_err(unavailable)? {
                let id = record.key.strip_prefix(prefix).unwrap_or_default();
                let Ok(members) = json::object(&record.value) else { continue };
                let Ok(terms) = people::terms(&members, &scope) else { continue };
                owners.push(Owned { owner: Owner::Wherever(format!("{party}:{id}")), terms });
            }
        }
        Ok(owners)
    }
}

impl Owned {
    /// The names under which what is of this scope is kept: one that is there from the beginning, or of those that the ledger
    /// knows all that are the owner's.
    pub(super) fn names(&self, scope: &Scope, known: &[&str]) -> Vec<String> {
        let within = |team: &str, name: &str| name.strip_prefix(team).is_some_and(|rest| rest.starts_with('/'));
        let is_ours: &dyn Fn(&str) -> bool = match &self.owner {
            Owner::Team(team) if *scope == Scope::team() => return vec![team.clone()],
            Owner::Key(caller) => return name(scope, caller, None).into_iter().collect(),
            Owner::Team(team) => {
                let in_team = scope.parties().contains(&Party::Team);
                &move |name| !in_team || within(team, name)
            }
            Owner::Wherever(party) => &move |name| name.split('/').any(|part| part == party),
        };
        let ours = known.iter().filter(|name| is_ours(name) && scope_of(name).as_ref() == Some(scope));
        ours.map(|name| (*name).to_owned()).collect()
    }
}
