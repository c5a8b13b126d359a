//! Who is calling, once that is known.

use super::keys::KeyRecord;
use crate::config::{ModelAccess, ModelPattern};
use crate::units::Timestamp;

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key's public id.
    pub key_id: String,
    /// The team whose limits and budgets apply.
    pub team: String,
    /// The user the key speaks for.
    pub user: Option<String>,
    /// What the key may call, within what the team may.
    pub models: ModelAccess,
}

/// Why a stored key does not open the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Somebody revoked it.
    Revoked,
    /// Its time is over.
    Expired,
}

impl Caller {
    /// The caller a key stands for, if it is still good.
    pub fn of(record: &KeyRecord, now: Timestamp) -> Result<Caller, Unusable> {
        if record.revoked_at.is_some() {
            return Err(Unusable::Revoked);
        }
        if record.expires_at.is_some_and(|at| at <= now) {
            return Err(Unusable::Expired);
        }
        Ok(Caller {
            key_id: record.id.clone(),
            team: record.team.clone(),
            user: record.user.clone(),
            models: access(record.models.as_deref()),
        })
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
