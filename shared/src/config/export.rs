//! The section `export`: who is told of every request beside the audit.

use super::authentication::PRIVATE_URL;
use super::providers::{self, HeaderValue};
use super::shape::{Fields, Record};
use super::url::BaseUrl;
use super::{Bindings, Problem};
use crate::secret::Secret;
use crate::sorted::SortedMap;

/// Who is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Export {
    /// A collector of OpenTelemetry's traces and metrics.
    pub otlp: Option<Otlp>,
}

/// A collector that takes OTLP over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct Otlp {
    /// Where it is; `/v1/traces` and `/v1/metrics` are below.
    pub endpoint: BaseUrl,
    /// Sent with every call.
    pub headers: SortedMap<String, HeaderValue>,
}

impl Otlp {
    /// The headers, with what is bound to them.
    pub fn headers(&self, bindings: &(impl Bindings + ?Sized)) -> Result<Vec<(String, Secret)>, Problem> {
        providers::bound_headers(&self.headers, bindings, "export.otlp")
    }
}

pub(super) fn export(fields: &mut Fields<'_, '_>) -> Option<Export> {
    let about = "a collector of traces and metrics (OpenTelemetry, OTLP over HTTP)";
    Some(Export { otlp: fields.optional("otlp", about, Record(otlp)) })
}

fn otlp(fields: &mut Fields<'_, '_>) -> Option<Otlp> {
    let endpoint = fields.required("endpoint", "where it is, without /v1/traces", PRIVATE_URL);
    let headers = providers::sent_headers(fields);
    Some(Otlp { endpoint: endpoint?, headers })
}
