//! A developer's run: what `make dev-lambda` does around the gateway, and the part of it that `make dev` shares.
//!
//! The text that is printed when all is ready lies in `ready.txt`, which both commands read.

mod credentials;
mod key;
mod ready;
mod upstream;

pub use credentials::Credentials;
pub use key::dev_key;
pub use ready::ready_text;
pub use upstream::{Providers, environment, providers};
