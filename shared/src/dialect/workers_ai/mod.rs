//! Workers AI's own form (`/ai/run/{model}`, and what its binding answers): a provider's dialect, which
//! no caller speaks. A request is OpenAI's without the model; an answer is one text with calls beside it.
//!
//! Source: Cloudflare's Workers AI pages of text generation models, their input and output schemas.
//! Newer models answer here in OpenAI's own form, which is then read as such.

pub(super) mod error;
pub(super) mod request;
pub(super) mod response;
pub(super) mod stream;
mod wire;
