//! Providers: those the product knows ([`builtin()`]), those the document adds or changes
//! ([`ProviderOverride`]), and those that are enabled because their bindings are there ([`Providers`]).

mod builtin;
mod cloud;
mod enabled;
mod section;
#[cfg(test)]
mod tests;

pub use builtin::{Api, AuthStyle, Builtin, Cloud, Operations, builtin};
pub use enabled::{Auth, Paths, Provider, Providers};
pub use section::{DataPolicy, HeaderValue, ProviderOverride};

pub(crate) use builtin::{BUILTIN, is_later};
pub(super) use section::{check, section};
