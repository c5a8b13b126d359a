//! Answers kept, so that the same question is not paid for twice.
//!
//! The cache stands behind policy: a request is known, admitted and (where there are any) past its guardrails before it is
//! looked up, and an answer is found only by those who could have been given it. Nothing here does I/O or knows who
//! calls: a [`key`](key::key) says when two requests ask the same, an [`Entry`] is what is kept and how it is told again.

mod entry;
mod key;
mod near;
mod wish;
mod words;

pub use entry::{Entry, Told};
pub use key::{Scope, key};
pub use near::{Near, Question};
pub use wish::Wish;

/// The longest answer that is kept, in bytes. Longer ones are rare, and dear to move about.
pub const MAX_ANSWER_BYTES: usize = 4 << 20;
