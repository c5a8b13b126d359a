//! What is written down of a team's requests: `teams.<name>.audit`.

use super::shape::{Fields, Flag, OneOf, Whole};
use serde_json::Value;

/// What is written down of a team's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPolicy {
    /// How long records are kept, in days. Above zero.
    pub retention_days: u32,
    /// What is kept of the texts of requests and answers, as long as their records.
    pub bodies: Bodies,
    /// Whether a request that draws on no limit and no budget is reserved too, so that none can end without a trace.
    pub strict: bool,
}

impl AuditPolicy {
    /// A year, no texts, and no hop to the ledger that a limit or a budget does not ask for.
    pub const DEFAULT: AuditPolicy = AuditPolicy { retention_days: 365, bodies: Bodies::None, strict: false };
}

impl Default for AuditPolicy {
    fn default() -> AuditPolicy {
        AuditPolicy::DEFAULT
    }
}

/// What is kept of what was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// Nothing.
    #[default]
    None,
    /// The texts, with personal data and secrets taken out.
    Redacted,
    /// The texts.
    Full,
}

impl Bodies {
    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Bodies::None => "none",
            Bodies::Redacted => "redacted",
            Bodies::Full => "full",
        }
    }
}

impl From<Bodies> for Value {
    fn from(bodies: Bodies) -> Value {
        Value::from(bodies.as_str())
    }
}

const BODIES: OneOf<Bodies> =
    OneOf { words: &[("none", Bodies::None), ("redacted", Bodies::Redacted), ("full", Bodies::Full)], later: &[] };

pub(super) fn policy(fields: &mut Fields<'_, '_>) -> Option<AuditPolicy> {
    let default = AuditPolicy::DEFAULT.retention_days;
    let days = Whole { min: 1, max: 3_650 };
    let days = fields.defaulted("retention_days", "days that audit records are kept", days, default.into());
    let about = "what is kept of the texts of requests and answers, encrypted, beside their records";
    let bodies = fields.defaulted("bodies", about, BODIES, Bodies::None);
    let about =
        "every request is reserved in the ledger, also one without limits and budgets, so that a crash leaves it open";
    let strict = fields.defaulted("strict", about, Flag, AuditPolicy::DEFAULT.strict);
    Some(AuditPolicy { retention_days: u32::try_from(days).unwrap_or(default), bodies, strict })
}
