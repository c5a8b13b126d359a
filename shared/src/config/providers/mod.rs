//! Providers: those the product knows ([`builtin()`]), those the document adds or changes
//! ([`ProviderOverride`]), and those that are enabled because their bindings are there ([`Providers`]).

mod builtin;
mod cloud;
mod credentials;
mod enabled;
mod section;
#[cfg(test)]
mod tests;

pub use builtin::{Api, AuthStyle, Builtin, Cloud, Operations, Signing, builtin};
pub use credentials::Auth;
pub use enabled::{Paths, Provider, Providers};
pub use section::{DataPolicy, HeaderValue, ProviderOverride};

pub(crate) use builtin::BUILTIN;
pub(super) use section::{check, section};
