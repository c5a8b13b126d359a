//! Who is calling, once that is known.

use super::keys::{KeyKind, KeyRecord};
use super::roles::Roles;
use crate::config::{ModelAccess, ModelPattern, TeamName, Terms};
use crate::sorted::SortedMap;
use crate::units::Timestamp;
use std::sync::Arc;

/// An authenticated caller: what policy, router and audit know of who calls, wherever the identity came from.
///
/// [`Default`] is a caller nobody knows anything of, who may call everything and administer nothing: what
/// the sources of identity start from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// How the caller was recognised.
    pub via: Via,
    /// The credential's public id: a key's, a client's, a token's subject. Never the credential.
    pub key_id: String,
    /// The organisation, where the identity names one; else the team's.
    pub organisation: Option<String>,
    /// The team whose limits and budgets apply.
    pub team: String,
    /// What in the team the call is for.
    pub project: Option<String>,
    /// The user the caller is or speaks for.
    pub user: Option<String>,
    /// Attribution: the identity's own tags over those of the request.
    pub tags: SortedMap<String, String>,
    /// What the caller may do on the admin plane.
    pub roles: Roles,
    /// What the caller may call, within what the team may.
    pub models: ModelAccess,
    /// The caller's own limits and budgets, within the team's.
    pub terms: Terms,
    /// What binds the user and the organisation, wherever they call.
    pub beside: Vec<Arc<Terms>>,
    /// Whether the credential only says who calls, so that a provider key must come with the call.
    pub identity_only: bool,
}

/// What a caller was recognised by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// Nothing: a gateway that asks nobody.
    #[default]
    Nothing,
    /// `SIGNALBOX_ADMIN_KEY`: the bootstrap administrator.
    AdminKey,
    /// A virtual key.
    Key,
    /// An access token this gateway issued.
    Token,
    /// A token of the enterprise's identity provider.
    Idp,
    /// A session of the console.
    Session,
    /// A provider's key and nothing else: somebody who pays that provider, and is otherwise unknown.
    ProviderKey,
}

impl Via {
    /// The word for it, as the audit line says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Via::Nothing => "nothing",
            Via::AdminKey => "admin_key",
            Via::Key => "key",
            Via::Token => "token",
            Via::Idp => "idp",
            Via::Session => "session",
            Via::ProviderKey => "provider_key",
        }
    }
}

/// Why a stored key does not open the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Somebody revoked it.
    Revoked,
    /// Its time is over.
    Expired,
    /// It was rotated, and the overlap is over.
    Replaced,
}

impl Caller {
    /// The caller a key stands for, if it is still good.
    pub fn of(record: &KeyRecord, now: Timestamp) -> Result<Caller, Unusable> {
        if record.revoked_at.is_some() {
            return Err(Unusable::Revoked);
        }
        let is_over = |end: Option<Timestamp>| end.is_some_and(|at| at <= now);
        if is_over(record.expires_at) {
            return Err(Unusable::Expired);
        }
        if is_over(record.replaced_at) {
            return Err(Unusable::Replaced);
        }
        Ok(Caller {
            via: Via::Key,
            key_id: record.id.clone(),
            organisation: record.organisation.clone(),
            team: record.team.clone(),
            project: record.project.clone(),
            user: record.user.clone(),
            tags: record.tags.clone(),
            roles: record.roles.clone(),
            models: access(record.models.as_deref()),
            terms: record.terms.clone(),
            beside: Vec::new(),
            identity_only: record.kind == KeyKind::IdentityOnly,
        })
    }

    /// The caller of whom nothing is known but that they have a provider's key. `hash` is the key's, under the
    /// gateway's secret.
    pub fn with_provider_key(hash: &str, team: &TeamName) -> Caller {
        let head: String = hash.chars().take(32).collect();
        Caller {
            via: Via::ProviderKey,
            key_id: format!("provider_key:{head}"),
            team: team.as_str().to_owned(),
            ..Caller::default()
        }
    }

    /// The same caller in one request, which may say for whom and what it is: the identity's own word comes first.
    #[must_use]
    pub fn asking(mut self, user: Option<String>, tags: SortedMap<String, String>) -> Caller {
        self.user = self.user.or(user);
        for (name, value) in tags {
            self.tags.entry(name).or_insert(value);
        }
        self
    }
}

/// A key's patterns. One that cannot be read permits nothing, rather than everything.
fn access(patterns: Option<&[String]>) -> ModelAccess {
    match patterns {
        Some(patterns) => ModelAccess::Only(patterns.iter().filter_map(|text| ModelPattern::parse(text)).collect()),
        None => ModelAccess::All,
    }
}

/// Finds the one credential among the places SDKs put it.
///
/// `authorization` is the whole header. Two places that disagree are an error of the caller's, not
/// something to choose from: an identity is never merged.
pub fn credential(authorization: Option<&str>, others: &[Option<&str>]) -> Result<Option<String>, Ambiguous> {
    let bearer = match authorization.map(str::trim) {
        None | Some("") => None,
        Some(value) => match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Some(token.trim()).filter(|t| !t.is_empty())
            }
            _ if value.eq_ignore_ascii_case("bearer") => None,
            _ => Some(value),
        },
    };
    let mut found: Option<&str> = None;
    for candidate in bearer.into_iter().chain(others.iter().flatten().map(|v| v.trim())).filter(|v| !v.is_empty()) {
        // Several headers of one name arrive joined by a comma, which no key contains.
        if candidate.contains(',') || found.is_some_and(|f| f != candidate) {
            return Err(Ambiguous);
        }
        found = Some(candidate);
    }
    Ok(found.map(str::to_owned))
}

/// More than one credential, and they disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_by_revocation_by_its_time_or_by_its_rotation() {
        let key = KeyRecord { id: "key_1".into(), ..KeyRecord::default() };
        let at = Some(Timestamp(10));
        for (record, early, late) in [
            (KeyRecord { revoked_at: at, ..key.clone() }, Some(Unusable::Revoked), Some(Unusable::Revoked)),
            (KeyRecord { expires_at: at, ..key.clone() }, None, Some(Unusable::Expired)),
            (KeyRecord { replaced_at: at, ..key.clone() }, None, Some(Unusable::Replaced)),
            (key, None, None),
        ] {
            assert_eq!(Caller::of(&record, Timestamp(9)).err(), early);
            assert_eq!(Caller::of(&record, Timestamp(10)).err(), late);
        }
    }

    #[test]
    fn what_a_key_says_of_its_caller_comes_before_what_the_request_says() {
        let tags = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let caller = Caller { user: Some("ada".into()), tags: tags(&[("app", "shop")]), ..Caller::default() };
        let asking = caller.asking(Some("eve".into()), tags(&[("app", "other"), ("step", "1")]));
        assert_eq!(asking.user.as_deref(), Some("ada"));
        assert_eq!(asking.tags, tags(&[("app", "shop"), ("step", "1")]));
        assert_eq!(Caller::default().asking(Some("eve".into()), tags(&[])).user.as_deref(), Some("eve"));
    }

    fn find(authorization: Option<&str>, other: Option<&str>) -> Result<Option<String>, Ambiguous> {
        credential(authorization, &[other])
    }

    #[test]
    fn fault_1_an_empty_bearer_is_no_credential() {
        for header in [None, Some(""), Some("Bearer"), Some("Bearer "), Some("  ")] {
            assert_eq!(find(header, None), Ok(None), "{header:?}");
        }
    }

    #[test]
    fn every_place_an_sdk_uses_is_accepted() {
        assert_eq!(find(Some("Bearer sk-sb-1"), None), Ok(Some("sk-sb-1".into())));
        assert_eq!(find(Some("bearer  sk-sb-1 "), None), Ok(Some("sk-sb-1".into())));
        assert_eq!(find(None, Some("sk-sb-1")), Ok(Some("sk-sb-1".into())));
        assert_eq!(find(Some("Bearer sk-sb-1"), Some("sk-sb-1")), Ok(Some("sk-sb-1".into())));
    }

    #[test]
    fn fault_2_credentials_that_disagree_are_refused() {
        assert_eq!(find(Some("Bearer sk-sb-1"), Some("sk-sb-2")), Err(Ambiguous));
        assert_eq!(find(Some("Bearer sk-sb-1, Bearer sk-sb-2"), None), Err(Ambiguous));
    }
}
