//! What is written down of a team's requests: `teams.<name>.audit`.

use super::shape::{Fields, Whole};

/// What is written down of a team's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPolicy {
    /// How long records are kept, in days. Above zero.
    pub retention_days: u32,
}

impl AuditPolicy {
    /// A year.
    pub const DEFAULT: AuditPolicy = AuditPolicy { retention_days: 365 };
}

impl Default for AuditPolicy {
    fn default() -> AuditPolicy {
        AuditPolicy::DEFAULT
    }
}

pub(super) fn policy(fields: &mut Fields<'_, '_>) -> Option<AuditPolicy> {
    let default = AuditPolicy::DEFAULT.retention_days;
    let days = Whole { min: 1, max: 3_650 };
    let days = fields.defaulted("retention_days", "days that audit records are kept", days, default.into());
    Some(AuditPolicy { retention_days: u32::try_from(days).unwrap_or(default) })
}
