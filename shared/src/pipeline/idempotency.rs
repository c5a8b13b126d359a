//! The stage before the cache: is this a request that was sent before?
//!
//! A caller that names its request (`idempotency-key`) may send it again, after a connection that broke or a process
//! that died, and pays once: the answer is kept for a day under the key it was asked with and told again as it was. A
//! request that came to nothing, or whose answer is too large to be kept, is made anew. Other than the cache, this must
//! hold: where the store does not answer, the call is not made.

use super::accept::Order;
use super::cache::{Keep, Looked};
use super::finish::Finish;
use super::intake::Intake;
use super::{Layers, Pipeline};
use crate::base64url;
use crate::cache::Entry;
use crate::error::{ApiError, Code};
use crate::gateway::Gateway;
use crate::gateway::answers::Recall;
use crate::operation::Operation;
use crate::ports::Clock;
use crate::units::Millis;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How long an answer is kept.
const KEPT: Millis = Millis(24 * 3_600_000);

/// When to ask again about a request that is still under way.
const PAUSE: Millis = Millis(1_000);

/// Looks for the answer to a request of this name; `None` where it has none.
pub(super) async fn look<L: Layers>(
    pipeline: &Arc<Pipeline<L>>,
    intake: &Intake,
    order: &Order,
    finish: &mut Finish<L>,
) -> Result<Option<Looked<L>>, ApiError> {
    let Some(name) = intake.idempotency_key.as_ref().filter(|_| is_kept(&order.request.operation)) else {
        return Ok(None);
    };
    let (team, key_id) = match finish.open() {
        Some(open) => (open.record.team.clone(), open.record.key_id.clone()),
        None => (None, None),
    };
    let (team, key_id) = (team.unwrap_or_default(), key_id.unwrap_or_default());
    let key = format!("named-{}", digest(&[key_id.as_bytes(), name.as_bytes()]));
    let asked = order.ask.model.as_deref().unwrap_or_default();
    let sent = order.sent.as_deref().unwrap_or_default();
    let mark = digest(&[order.request.operation.as_str().as_bytes(), asked.as_bytes(), sent.as_bytes()]);
    match pipeline.layers.gateway().recall(&team, &key, order.deadline).await {
        Recall::Claimed => {
            Ok(Some(Looked::Open(None, Some(Box::new(Keep::marked(pipeline.clone(), team, key, KEPT, mark))))))
        }
        Recall::Awaited => Err(ApiError {
            retry_after: Some(PAUSE),
            ..conflict("A request with this idempotency-key is still being answered. Send it again when that is over.")
        }),
        Recall::Unavailable => Err(ApiError::new(
            Code::LimiterUnavailable,
            "Whether this idempotency-key was used before cannot be told at the moment. Try again.",
        )),
        Recall::Kept(text) => {
            let (same, entry) = text.split_once('\n').unwrap_or_default();
            if same != mark {
                return Err(conflict("This idempotency-key was used for another request. Send a new one."));
            }
            let entry = Entry::read(entry);
            let told = entry.clone().and_then(|it| it.tell(&order.request, &intake.id, pipeline.layers.clock().now()));
            match (entry, told) {
                (Some(entry), Some(told)) => Ok(Some(Looked::Answered(Box::new(entry), told))),
                (None | Some(_), None) | (None, Some(_)) => {
                    Err(conflict("The answer to this idempotency-key can no longer be told. Send a new one."))
                }
            }
        }
    }
}

/// What a request with a name says, as its caller sent it: two may read the same once something was taken out of them.
pub(super) fn sent(intake: &Intake, body: &[u8]) -> Option<String> {
    intake.idempotency_key.as_ref().map(|_| digest(&[body]))
}

/// Whether answers to this are kept. What is passed through has its name passed on: the provider knows what it did.
fn is_kept(operation: &Operation) -> bool {
    match operation {
        Operation::Chat(_) | Operation::Completions | Operation::Embeddings | Operation::Rerank => true,
        Operation::CountTokens(_) | Operation::PassThrough(_) => false,
    }
}

fn conflict(message: &str) -> ApiError {
    ApiError::new(Code::IdempotencyConflict, message)
}

/// One name for several texts, of whatever lengths.
fn digest(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    base64url::encode(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_only_read_the_same_in_a_row_have_other_names() {
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_eq!(digest(&[b"ab", b"c"]), digest(&[b"ab", b"c"]));
    }
}
