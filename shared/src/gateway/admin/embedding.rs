//! The weights of the embedding: `/admin/v1/embedding`.

use super::ask::changed;
use super::shelf::nothing;
use super::{Admin, Answer, Ask, unavailable};
use crate::embed::Weights;
use crate::error::ApiError;
use crate::gateway::weights;
use crate::ports::Ports;

/// The longest weights, with their vocabulary.
pub(super) const MAX_BYTES: usize = 8 << 20;

impl<P: Ports> Admin<P> {
    /// Takes the weights' file followed by its vocabulary, a piece a line.
    pub(super) async fn store_embedding(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let weights = Weights::read(&ask.request.body).ok_or_else(|| {
            ApiError::invalid(
                "body",
                "The body must be weights (SEMB0001) followed by the vocabulary they are for, a piece a line.",
            )
        })?;
        let before = weights::shown(&self.ports).await.map_err(unavailable)?;
        ask.precondition(before.as_ref())?;
        let before = before.filter(|_| ask.request.if_match.is_some());
        let stored = weights::store(&self.ports, &weights, before.as_ref()).await.map_err(unavailable)?;
        stored.map(|head| Answer::ok(head).news()).ok_or_else(changed)
    }

    pub(super) async fn show_embedding(&self, _ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let head = weights::shown(&self.ports).await.map_err(unavailable)?.ok_or_else(|| nothing("embedding"))?;
        Ok(Answer::ok(crate::json::parse(&head.value).unwrap_or_default()).tagged(head.version))
    }
}
