//! The one table of upstream failures: what a provider's fault means for the caller, and what may be
//! tried next. The same table stands in the README's reference.

use crate::dialect::{UpstreamClass, UpstreamError};
use crate::error::{ApiError, Code};
use crate::ports::SendError;
use crate::units::{Millis, Timestamp};

/// A call that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the caller is told if nothing else helps.
    pub error: ApiError,
    /// Where it may be tried again.
    pub retry: Retry,
    /// The provider's status, if it answered.
    pub status: Option<u16>,
    /// The provider's content policy refused.
    pub content_policy: bool,
    /// The provider may have read the prompt and may bill it.
    pub may_be_billed: bool,
}

/// Where a failed call may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// On the same model after a pause, then elsewhere.
    Same,
    /// Only on another model.
    Elsewhere,
    /// Nowhere: the request itself is at fault.
    Never,
}

/// The stage of a call that took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The head of the answer.
    Headers,
    /// The first content.
    FirstToken,
    /// The next piece of a stream.
    Idle,
    /// The whole request.
    Total,
}

/// Where a call that failed so may be repeated. With [`UpstreamError::to_api_error`] (what the caller
/// is told) and [`is_unhealthy`] this is the whole table.
pub fn retry(class: UpstreamClass) -> Retry {
    match class {
        UpstreamClass::InvalidRequest | UpstreamClass::TooLarge | UpstreamClass::ContentPolicy => Retry::Never,
        UpstreamClass::ContextLength
        | UpstreamClass::NotFound
        | UpstreamClass::Auth
        | UpstreamClass::Permission
        | UpstreamClass::QuotaExhausted
        | UpstreamClass::Timeout => Retry::Elsewhere,
        UpstreamClass::RateLimited
        | UpstreamClass::Overloaded
        | UpstreamClass::ServerError
        | UpstreamClass::Protocol => Retry::Same,
    }
}

/// Whether a failure that is told so counts against the health of who was asked. The caller's own fault
/// does not, nor does what never left the gateway.
pub fn is_unhealthy(code: Code) -> bool {
    match code {
        Code::UpstreamError
        | Code::UpstreamAuthError
        | Code::UpstreamRateLimited
        | Code::UpstreamOverloaded
        | Code::ModelNotFound
        | Code::Timeout => true,
        Code::InvalidRequest
        | Code::ContextLengthExceeded
        | Code::TooLarge
        | Code::InvalidApiKey
        | Code::TokenExpired
        | Code::InsufficientQuota
        | Code::ModelNotAllowed
        | Code::PermissionDenied
        | Code::GuardrailBlocked
        | Code::Residency
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::IdempotencyConflict
        | Code::Conflict
        | Code::PreconditionFailed
        | Code::UnsupportedMediaType
        | Code::RateLimitExceeded
        | Code::NoHealthyModel
        | Code::NotConfigured
        | Code::LimiterUnavailable
        | Code::InternalError => false,
    }
}

impl Failure {
    /// What a provider's own error means.
    pub fn upstream(error: &UpstreamError, retry_after: Option<Millis>) -> Failure {
        Failure {
            error: ApiError { retry_after: retry_after.or(error.retry_after), ..error.to_api_error() },
            retry: retry(error.class),
            status: error.status,
            content_policy: error.class == UpstreamClass::ContentPolicy,
            // An answer that makes no sense may have been paid for; an error status is not.
            may_be_billed: error.class == UpstreamClass::Protocol,
        }
    }

    /// A call that broke before there was an answer.
    pub fn send(provider: &str, error: &SendError) -> Failure {
        let message = match error {
            SendError::Unreachable(_) => format!("{provider} could not be reached."),
            SendError::Broken(_) => format!("The connection to {provider} broke before it answered."),
        };
        // Not every platform can tell the two apart, and nobody bills a call whose answer never began.
        Failure {
            error: ApiError::new(Code::UpstreamError, message),
            retry: Retry::Same,
            status: None,
            content_policy: false,
            may_be_billed: false,
        }
    }

    /// A stage that took longer than it may.
    pub fn timeout(provider: &str, stage: Stage, after: Millis) -> Failure {
        let waited = match stage {
            Stage::Headers => "did not begin to answer",
            Stage::FirstToken => "gave no first token",
            Stage::Idle => "fell silent",
            Stage::Total => "did not finish",
        };
        Failure {
            error: ApiError::new(Code::Timeout, format!("{provider} {waited} within {} ms.", after.0)),
            retry: match stage {
                Stage::Total => Retry::Never,
                Stage::Headers | Stage::FirstToken | Stage::Idle => Retry::Elsewhere,
            },
            status: None,
            content_policy: false,
            may_be_billed: true,
        }
    }

    /// Whether the time of the whole request was over, and not only that of a stage of this call.
    pub fn is_out_of_time(&self) -> bool {
        self.error.code == Code::Timeout && self.retry == Retry::Never
    }

    /// A request that cannot be put into the provider's words.
    pub fn request(error: ApiError) -> Failure {
        Failure { error, retry: Retry::Never, status: None, content_policy: false, may_be_billed: false }
    }

    /// A request that only a provider of the caller's own dialect can be asked; the plan may have one.
    pub fn needs_native(error: ApiError) -> Failure {
        Failure { retry: Retry::Elsewhere, ..Failure::request(error) }
    }

    /// A provider that is not called with a key, and is brought one.
    pub fn takes_no_key(provider: &str) -> Failure {
        let message = format!(
            "`{provider}` is not called with a key here. Leave x-signalbox-provider-key out, or ask another provider."
        );
        Failure {
            error: ApiError::invalid("x-signalbox-provider-key", message),
            retry: Retry::Elsewhere,
            status: None,
            content_policy: false,
            may_be_billed: false,
        }
    }

    /// A provider that is not enabled.
    pub fn not_configured(provider: &str) -> Failure {
        let message =
            format!("The provider `{provider}` is not configured here. Ask your administrator to bind its API key.");
        Failure {
            error: ApiError::new(Code::NotConfigured, message),
            retry: Retry::Elsewhere,
            status: None,
            content_policy: false,
            may_be_billed: false,
        }
    }
}

/// The longest wait a provider can ask for and be believed.
const LONGEST_WAIT: Millis = Millis(24 * 3_600_000);

/// Reads how long a provider wants us to wait: `retry-after-ms`, or `retry-after` in seconds, whole
/// or not, or as an HTTP date (RFC 9110, section 10.2.3). Nonsense is no wish at all.
pub fn retry_after(ms: Option<&str>, seconds: Option<&str>, now: Timestamp) -> Option<Millis> {
    let number = |text: &str| crate::json::float(text.trim()).filter(|n| n.is_finite() && *n >= 0.0);
    let wait = match (ms.and_then(number), seconds) {
        (Some(ms), _) => Millis(ms as u64),
        (None, Some(text)) => match number(text) {
            Some(seconds) => Millis((seconds * 1_000.0) as u64),
            None => crate::time::parse_http_date(text.trim())?.since(now),
        },
        (None, None) => return None,
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_40_every_form_of_retry_after_is_read_and_nonsense_is_none() {
        let now = Timestamp(1_792_000_000_000);
        for (ms, seconds, expected) in [
            (None, Some("3"), Some(3_000)),
            (None, Some("3.5"), Some(3_500)),
            (Some("1500"), Some("2"), Some(1_500)),
            (None, Some("-1"), None),
            (None, Some("abc"), None),
            (None, Some("nan"), None),
            (None, Some("1e9"), Some(LONGEST_WAIT.0)),
            (None, None, None),
        ] {
            assert_eq!(retry_after(ms, seconds, now), expected.map(Millis), "{ms:?} {seconds:?}");
        }
    }

    #[test]
    fn fault_40_an_http_date_is_the_time_until_it() {
        // 2026-11-21 04:00:00 UTC
        let now = Timestamp(1_795_233_600_000);
        assert_eq!(retry_after(None, Some("Sat, 21 Nov 2026 04:00:30 GMT"), now), Some(Millis(30_000)));
        assert_eq!(retry_after(None, Some("Sat, 21 Nov 2026 03:00:00 GMT"), now), Some(Millis(0)));
    }
}
