//! Whose a limit or a budget is: one party to a call, or several together.

#[cfg(test)]
use super::shape::Kind as _;
use super::shape::{OneOrMore, Parsed};
use crate::sorted;
use std::fmt;

/// A party to a call. The order is that of their names in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// The organisation the team belongs to.
    Organisation,
    /// The team.
    Team,
    /// The project within the team.
    Project,
    /// The user.
    User,
    /// The virtual key.
    Key,
    /// The provider that answers.
    Provider,
    /// The model that answers.
    Model,
    /// The value of one of the call's tags.
    Tag(String),
}

/// Each combination of these parties has the limit or budget to itself: `user` gives every user one,
/// `user` and `model` every user one for every model.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope(Vec<Party>);

impl Scope {
    /// Of these parties together.
    pub fn of(parties: impl IntoIterator<Item = Party>) -> Scope {
        let mut parties: Vec<Party> = parties.into_iter().collect();
        sorted::sort(&mut parties);
        parties.dedup();
        Scope(parties)
    }

    /// The team together.
    pub fn team() -> Scope {
        Scope(vec![Party::Team])
    }

    /// The same within `owner`: a user of the team, a model of the key. What a team says of its
    /// organisation holds for all of that, not for the team's part in it.
    pub fn within(self, owner: &Scope) -> Scope {
        let wider = self.0.contains(&Party::Organisation);
        let owner = owner.0.iter().filter(|party| !(wider && **party == Party::Team)).cloned();
        Scope::of(owner.chain(self.0.iter().cloned()))
    }

    /// The parties, in order and each once.
    pub fn parties(&self) -> &[Party] {
        &self.0
    }

    /// Whether it depends on which model answers.
    pub fn is_by_model(&self) -> bool {
        self.0.iter().any(|party| matches!(party, Party::Provider | Party::Model))
    }

    /// The words it is written in.
    pub fn words(&self) -> Vec<String> {
        self.0.iter().map(Party::to_string).collect()
    }
}

impl Party {
    /// The party that `party:value` is an instance of.
    pub fn named(instance: &str) -> Option<Party> {
        // A tag's name is part of the party: `tag:app:shop`.
        let (party, value) = instance.split_once(':')?;
        let named = match (party, value.split_once(':')) {
            ("tag", Some((name, _))) => Party::parse(&format!("tag:{name}")),
            (_, _) => Party::parse(party),
        };
        named.ok()
    }

    fn parse(text: &str) -> Result<Party, &'static str> {
        Ok(match text {
            "organisation" => Party::Organisation,
            "team" => Party::Team,
            "project" => Party::Project,
            "user" => Party::User,
            "key" => Party::Key,
            "provider" => Party::Provider,
            "model" => Party::Model,
            other => match other.strip_prefix("tag:") {
                Some(name) if is_tag(name) => Party::Tag(name.to_owned()),
                Some(_) | None => return Err("is nobody a limit or budget can be of"),
            },
        })
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Organisation => f.write_str("organisation"),
            Party::Team => f.write_str("team"),
            Party::Project => f.write_str("project"),
            Party::User => f.write_str("user"),
            Party::Key => f.write_str("key"),
            Party::Provider => f.write_str("provider"),
            Party::Model => f.write_str("model"),
            Party::Tag(name) => write!(f, "tag:{name}"),
        }
    }
}

fn is_tag(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(good)
}

/// One word, or a list of them.
pub(super) const SCOPE: OneOrMore<Parsed<Party>> = OneOrMore(Parsed {
    parse: Party::parse,
    pattern: "^(organisation|team|project|user|key|provider|model|tag:[A-Za-z0-9._-]{1,64})$",
    hint: "Use organisation, team, project, user, key, model, provider, tag:NAME, or a list of them",
});

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::problem::At;
    use serde_json::{Value, json};

    fn read(value: Value) -> Option<Scope> {
        let mut problems = Vec::new();
        let scope = SCOPE.read(&value, &mut At::root(&mut problems)).map(Scope::of);
        scope.filter(|_| problems.is_empty())
    }

    #[test]
    fn a_scope_is_one_party_or_several_in_any_order() {
        assert_eq!(read(json!("team")), Some(Scope::team()));
        assert_eq!(read(json!(["key", "user", "key"])).unwrap().words(), ["user", "key"]);
        assert_eq!(read(json!(["tag:cost-centre", "team"])).unwrap().words(), ["team", "tag:cost-centre"]);
        let of_a_team = |value| read(value).unwrap().within(&Scope::team()).words();
        assert_eq!(of_a_team(json!("user")), ["team", "user"]);
        let wider = Scope::of([Party::User, Party::Organisation]).within(&Scope::team());
        assert_eq!(wider.words(), ["organisation", "user"]);
        for bad in [json!([]), json!("users"), json!("tag:"), json!("tag:a b"), json!(["user", 1]), json!({})] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }
}
