//! The environment's bindings, as far as the core needs them: a name in, a text out.

use std::collections::BTreeMap;

/// Where secrets and overrides come from: `env` on the Worker, environment variables on Lambda.
pub trait Bindings {
    /// The text of a binding, `None` when there is none of that name.
    fn get(&self, name: &str) -> Option<String>;
}

/// Bindings collected beforehand; what tests use.
impl Bindings for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).cloned()
    }
}

/// A look-up function is enough: `|name: &str| std::env::var(name).ok()`.
impl<F: Fn(&str) -> Option<String> + ?Sized> Bindings for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// A binding's text without surrounding white space; an empty one counts as absent, because that is
/// what `KEY=` in an environment file means.
pub(super) fn text(bindings: &(impl Bindings + ?Sized), name: &str) -> Option<String> {
    bindings.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
