//! A caller's request, read as deeply as the call needs and no deeper.

use crate::dialect::ir::ChatRequest;
use crate::dialect::{Dialect, Facts};
use crate::error::ApiError;
use crate::http::Header;
use crate::json;
use crate::operation::Operation;
use crate::secret::Secret;
use crate::units::Tokens;
use std::cell::OnceCell;

/// What the caller sent, in the caller's dialect.
#[derive(Debug)]
pub struct CallerRequest {
    /// What it asks for.
    pub operation: Operation,
    /// The dialect it is written in, and answered in.
    pub dialect: Dialect,
    /// The body, strict JSON.
    pub body: Vec<u8>,
    /// What policy and routing needed to know of it.
    pub facts: Facts,
    /// Headers a provider of the same dialect understands.
    pub forwarded: Vec<Header>,
    /// The caller's own key for the provider, in place of the gateway's. Sent to the provider, and nowhere else.
    pub provider_key: Option<Secret>,
    /// Headers the operator adds, whoever is called.
    pub added: Vec<Header>,
    /// The longest answer where the body does not say, because only the provider's word for it could.
    pub limit: Option<Tokens>,
    /// Cache points may be set where the provider needs them.
    pub prompt_cache: bool,
    common: OnceCell<Result<ChatRequest, ApiError>>,
}

impl CallerRequest {
    /// A request whose body has passed the strict scan.
    pub fn new(operation: Operation, body: Vec<u8>, facts: Facts, forwarded: Vec<Header>) -> CallerRequest {
        let dialect = operation.dialect();
        CallerRequest {
            dialect,
            operation,
            body,
            facts,
            forwarded,
            provider_key: None,
            added: Vec::new(),
            limit: None,
            prompt_cache: false,
            common: OnceCell::new(),
        }
    }

    /// The longest answer, where a budget affords no longer one.
    pub fn limited(&self, affordable: Option<Tokens>) -> Option<Tokens> {
        self.limit.into_iter().chain(affordable.map(|tokens| tokens.max(1))).min()
    }

    /// The same, to be answered in one piece: somebody wants to hear all of the answer before its caller does.
    pub fn in_one_piece(&mut self) {
        let document = json::scan(&self.body, &json::Limits::default());
        let edited = document.ok().map(|document| {
            let mut edits = json::Edits::new(&document);
            edits.remove("stream");
            edits.remove("stream_options");
            edits.apply()
        });
        self.body = edited.unwrap_or_else(|| std::mem::take(&mut self.body));
        self.facts.stream = false;
        self.common = OnceCell::new();
    }

    /// The request in the common form, read when the first translation asks for it.
    pub fn common(&self) -> Result<&ChatRequest, ApiError> {
        let read = || {
            let mut request = self.dialect.read_request(&self.body)?;
            // Where the endpoint says these, the body does not.
            request.model.clone_from(&self.facts.model);
            request.stream = self.facts.stream;
            Ok(request)
        };
        self.common.get_or_init(read).as_ref().map_err(Clone::clone)
    }
}
