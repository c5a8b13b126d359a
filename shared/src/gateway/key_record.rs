//! A virtual key as it is stored: everything but the key.
//!
//! What was added after the first version has a default, so that a key stored by any version is read by every later one.

use super::roles::Roles;
use crate::config::Terms;
use crate::sorted::SortedMap;
use crate::units::Timestamp;
use serde::{Deserialize, Serialize};

/// A virtual key, its limits, and its fate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Public id, `key_…`: names the key in the admin plane and in the audit.
    pub id: String,
    /// [`Hasher::hash`](super::keys::Hasher::hash) of the key.
    pub hash: String,
    /// What people call it.
    pub name: String,
    /// What it is good for.
    #[serde(default, skip_serializing_if = "KeyKind::is_standard")]
    pub kind: KeyKind,
    /// The organisation it belongs to; else its team's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The team whose limits and budgets it draws on.
    pub team: String,
    /// What in the team it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The user it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Attribution of every call made with it, over what the call says itself.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub tags: SortedMap<String, String>,
    /// What it opens on the admin plane; nothing when empty.
    #[serde(default, skip_serializing_if = "Roles::is_empty")]
    pub roles: Roles,
    /// Model patterns it is restricted to, within the team's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Its own limits and budgets, within the team's.
    #[serde(default, skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Hashes it had before it was rotated that are still good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<Previous>,
    /// This is the copy under a hash from before a rotation, and good until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<Timestamp>,
}

/// What a key is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Calls, with the gateway's provider keys.
    #[default]
    Standard,
    /// Says who calls; the call must bring its own provider key.
    IdentityOnly,
}

impl KeyKind {
    fn is_standard(&self) -> bool {
        *self == KeyKind::Standard
    }
}

/// A hash a key had before it was rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The hash.
    pub hash: String,
    /// It is good until then.
    pub until: Timestamp,
}

impl KeyRecord {
    /// The key as it is found under each of its hashes that may still be presented: itself first, then
    /// copies under those from before its rotations.
    pub fn under_each_hash(&self) -> Vec<KeyRecord> {
        let copy = |previous: &Previous| KeyRecord {
            hash: previous.hash.clone(),
            previous: Vec::new(),
            replaced_at: Some(previous.until),
            ..self.clone()
        };
        std::iter::once(self.clone()).chain(self.previous.iter().map(copy)).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stored_by_the_first_version_is_read() {
        let stored = r#"{"id":"key_1","hash":"h","name":"n","team":"t","created_at":7}"#;
        let record: KeyRecord = serde_json::from_str(stored).unwrap();
        let expected = KeyRecord {
            id: "key_1".into(),
            hash: "h".into(),
            name: "n".into(),
            team: "t".into(),
            created_at: Timestamp(7),
            ..KeyRecord::default()
        };
        assert_eq!(record, expected);
        assert_eq!(serde_json::to_string(&record).unwrap(), stored, "and written as it was");
    }

    #[test]
    fn a_rotated_key_is_found_under_its_old_hash_until_the_overlap_ends() {
        let previous = vec![Previous { hash: "old".into(), until: Timestamp(9) }];
        let key = KeyRecord { hash: "new".into(), previous, ..KeyRecord::default() };
        let all = key.under_each_hash();
        let seen: Vec<_> = all.iter().map(|key| (key.hash.as_str(), key.replaced_at)).collect();
        assert_eq!(seen, [("new", None), ("old", Some(Timestamp(9)))]);
    }
}
