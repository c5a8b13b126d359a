//! When to try again, how often, and what it means to give up.
//!
//! Every command may be repeated, so whatever *may* pass is tried again with jitter a bounded number
//! of times. After that the store is unavailable and nothing may be admitted.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use signalbox::error::{ApiError, Code};
use std::fmt;
use std::time::Duration;

/// How often a command is tried against a store that is slow, throttled or in conflict.
const TRIES: u32 = 10;
/// How often a command is decided anew because the books moved on meanwhile.
const RELOADS: u32 = 100;
const FIRST_PAUSE: Duration = Duration::from_millis(8);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// The store did not do what was asked, also after trying again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// What was asked of it.
    pub operation: &'static str,
    /// What it said, for the operator.
    pub detail: String,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store could not {}: {}", self.operation, self.detail)
    }
}

impl std::error::Error for StoreError {}

/// What a caller is told: nothing of the store's own words.
impl From<StoreError> for ApiError {
    fn from(_: StoreError) -> ApiError {
        ApiError::new(
            Code::LimiterUnavailable,
            "The store of limits and budgets did not answer, so nothing can be admitted. Try again shortly.",
        )
    }
}

pub(crate) fn failed(operation: &'static str, error: impl std::error::Error) -> StoreError {
    StoreError { operation, detail: DisplayErrorContext(error).to_string() }
}

/// The tries of one command.
pub(crate) struct Tries {
    operation: &'static str,
    failures: u32,
    reloads: u32,
}

impl Tries {
    pub(crate) fn of(operation: &'static str) -> Tries {
        Tries { operation, failures: 0, reloads: 0 }
    }

    /// After a failure: waits if the request may be repeated, else gives up.
    pub(crate) async fn again<E>(&mut self, error: SdkError<E, HttpResponse>) -> Result<(), StoreError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.failures += 1;
        if self.failures >= TRIES || !may_pass(&error) {
            return Err(failed(self.operation, error));
        }
        let ceiling = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        tokio::time::sleep(ceiling.mul_f64(fastrand::f64())).await;
        Ok(())
    }

    /// After a condition that did not hold any more: the command is decided anew.
    pub(crate) async fn reload(&mut self) -> Result<(), StoreError> {
        self.reloads += 1;
        if self.reloads >= RELOADS {
            return Err(StoreError { operation: self.operation, detail: "the books moved on every time".into() });
        }
        if self.reloads > 3 {
            tokio::time::sleep(FIRST_PAUSE.mul_f64(fastrand::f64())).await;
        }
        Ok(())
    }
}

/// Whether the same request may succeed later. An unknown outcome counts: commands may be repeated.
fn may_pass<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    if let SdkError::ServiceError(service) = error {
        // What is wrong with the request itself, or with who sends it, does not pass.
        let transient = [
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "RequestLimitExceeded",
            "TransactionConflictException",
            "TransactionInProgressException",
            "TransactionCanceledException",
            "InternalServerError",
        ];
        return service.raw().status().as_u16() >= 500
            || service.err().code().is_some_and(|code| transient.contains(&code));
    }
    !matches!(error, SdkError::ConstructionFailure(_))
}
