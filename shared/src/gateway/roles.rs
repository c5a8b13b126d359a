//! Roles: what somebody may do on the admin plane. A caller without one may do nothing there.

use crate::sorted::SortedSet;
use serde::{Deserialize, Serialize};

/// A role. Which routes it opens is said in one place, the admin plane's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Usage and budgets; reads organisations and teams.
    Billing,
    /// Audit, decisions and configuration, to read.
    Auditor,
    /// What is their own: keys, usage.
    Member,
}

/// The roles somebody has.
pub type Roles = SortedSet<Role>;

impl Role {
    /// All of them.
    pub const ALL: [Role; 4] = [Role::Admin, Role::Billing, Role::Auditor, Role::Member];

    /// The role as people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Billing => "billing",
            Role::Auditor => "auditor",
            Role::Member => "member",
        }
    }

    /// Reads a role.
    pub fn parse(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_as_it_is_written_and_stored() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            assert_eq!(crate::json::json!(role), role.as_str());
        }
        assert_eq!(Role::parse("Admin"), None);
    }
}
