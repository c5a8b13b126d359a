//! The null gateway: everybody may, nothing is written down.

use super::{
    Admission, Caller, Claim, Gateway, More, Refusal,
    answers::{Kept, Recall},
    audit::Record,
    bodies::Bodies,
    weights::Known,
};
use crate::config::{ModelAccess, ModelId};
use crate::context::Library;
use crate::error::ApiError;
use crate::units::{NanoUsd, Timestamp, Tokens};
use std::sync::Arc;

/// Admits everybody to everything. For tests and for running the other two layers alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

impl Gateway for Open {
    async fn authenticate(&self, _credential: Option<&str>) -> Result<Caller, ApiError> {
        Ok(Caller { key_id: "anonymous".into(), team: "default".into(), ..Caller::default() })
    }

    fn allowed(&self, _caller: &Caller) -> Result<Vec<ModelAccess>, ApiError> {
        Ok(Vec::new())
    }

    fn may_bring(&self, _caller: &Caller, _own_key: bool) -> Result<(), ApiError> {
        Ok(())
    }

    async fn admit(&self, _caller: &Caller, claim: &Claim) -> Result<Admission, Refusal> {
        Ok(Admission {
            id: claim.id.clone(),
            tenant: None,
            lent: None,
            granted: None,
            charge: Vec::new(),
            rates: Vec::new(),
        })
    }

    async fn admit_model(
        &self,
        _caller: &Caller,
        _claim: &Claim,
        _model: &ModelId,
    ) -> Result<Option<Admission>, ApiError> {
        Ok(None)
    }

    async fn extend(&self, _: &Admission, _: &Caller, _: &Claim, _: More) -> Option<NanoUsd> {
        None
    }

    async fn settle_model(&self, _admission: &Admission, _cost: NanoUsd, _tokens: Tokens) {}

    async fn settle(&self, _admission: &Admission, _record: &mut Record) {}

    fn slices(&self, _team: &str) -> bool {
        false
    }

    fn bodies(&self, _team: &str) -> Bodies {
        Bodies::None
    }

    fn refuse(&self, _record: Record) {}

    async fn recall(&self, _team: &str, _key: &str, _until: Timestamp) -> Recall {
        Recall::Unavailable
    }

    async fn keep(&self, _team: &str, _key: &str, _text: String, _until: Timestamp) {}

    fn library(&self) -> Arc<Library> {
        Arc::default()
    }

    fn meanings(&self) -> Known {
        Known::default()
    }

    async fn kept(&self, _team: &str, _what: Kept<'_>) -> Option<String> {
        None
    }

    async fn keep_near(&self, _team: &str, _name: &str, _text: String, _until: Timestamp) {}

    async fn give_up(&self, _team: &str, _key: &str) {}
}
