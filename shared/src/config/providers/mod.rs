//! Providers: those the product knows ([`builtin()`]), those the document adds or changes
//! ([`ProviderOverride`]), and those that are enabled because their bindings are there ([`Providers`]).

mod api;
mod builtin;
mod cloud;
mod credentials;
mod enabled;
mod google;
mod section;
#[cfg(test)]
mod tests;

pub use api::{Api, AuthStyle, Operations};
pub use builtin::{Bound, Builtin, Cloud, Signing, builtin};
pub use credentials::Auth;
pub(super) use enabled::bound_headers;
pub use enabled::{Paths, Provider, Providers};
pub use google::{GoogleAccount, GoogleBindings, Grant, Subject};
pub(super) use section::sent_headers;
pub use section::{DataPolicy, HeaderValue, ProviderOverride};

pub(crate) use builtin::BUILTIN;
pub(super) use section::{HEADER_PATTERN, HEADER_RULE, Reference, check, header_name, is_credential, section};
