//! The record of a request that has not been admitted yet: written down exactly once, also when the
//! caller leaves before anybody could say yes or no.

use super::intake::Intake;
use super::{Layers, Pipeline};
use crate::error::Code;
use crate::gateway::Gateway;
use crate::gateway::audit::{Outcome, Record};
use crate::ports::Clock;
use std::sync::Arc;

/// Owns a record until it is refused or handed on with an admission.
pub(super) struct Draft<L: Layers> {
    pipeline: Arc<Pipeline<L>>,
    record: Record,
    open: bool,
}

impl<L: Layers> Draft<L> {
    pub(super) fn new(pipeline: Arc<Pipeline<L>>, intake: &Intake) -> Draft<L> {
        let record = Record {
            at: intake.at,
            request_id: intake.id.clone(),
            operation: intake.operation,
            dialect: intake.dialect.as_str(),
            trace: intake.traceparent.clone(),
            traced: intake.traced,
            ..Record::default()
        };
        Draft { pipeline, record, open: true }
    }

    pub(super) fn record(&mut self) -> &mut Record {
        &mut self.record
    }

    /// Writes the record down as refused.
    pub(super) fn refuse(mut self, code: Code) {
        self.record.fail(code);
        self.write(Outcome::Refused);
    }

    /// Hands the record on: from here its admission answers for it.
    pub(super) fn take(mut self) -> Record {
        self.open = false;
        std::mem::take(&mut self.record)
    }

    fn write(&mut self, outcome: Outcome) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let mut record = std::mem::take(&mut self.record);
        record.outcome = outcome;
        record.duration_ms = self.pipeline.layers.clock().now().since(record.at);
        self.pipeline.layers.gateway().refuse(record);
    }
}

impl<L: Layers> Drop for Draft<L> {
    fn drop(&mut self) {
        self.write(Outcome::Cancelled);
    }
}
