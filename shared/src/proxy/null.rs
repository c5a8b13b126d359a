//! The null proxy: no provider is plugged in.

use super::{Answer, Call, Failure, Proxy};
use crate::ports::{Body, Outgoing, SendError, Whole};
use crate::units::Millis;
use bytes::Bytes;

/// Calls nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unplugged;

/// A body that has ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Body for Nothing {
    async fn chunk(&mut self) -> Result<Option<Bytes>, SendError> {
        Ok(None)
    }
}

impl Proxy for Unplugged {
    type Body = Nothing;

    async fn call(&self, call: &Call<'_>) -> Result<Answer<Nothing>, Failure> {
        Err(Failure::not_configured(call.model.provider.as_str()))
    }

    async fn fetch(&self, _call: Outgoing, _patience: Millis, _limit: usize) -> Option<Whole> {
        None
    }
}
