//! This gateway's own secrets with those it asks: looked up once, when a configuration comes into force.

use super::super::BindingName;
use super::super::bindings::{self, Bindings};
use super::Authentication;
use crate::secret::Secret;

/// The secrets that the section refers to, and the one that is nobody's to send elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    held: Vec<(BindingName, Option<Secret>)>,
    admin_key: Option<Secret>,
}

impl Secrets {
    /// What the bindings hold.
    pub fn read(auth: &Authentication, bindings: &(impl Bindings + ?Sized)) -> Secrets {
        let of_console = auth.console.as_ref().and_then(|console| console.client_secret.as_ref());
        let names = auth.introspection.values().map(|rules| &rules.client_secret).chain(of_console);
        let held = |name: &BindingName| bindings::text(bindings, name.as_str()).map(Secret::new);
        let admin_key = bindings::text(bindings, "SIGNALBOX_ADMIN_KEY").map(Secret::new);
        Secrets { held: names.map(|name| (name.clone(), held(name))).collect(), admin_key }
    }

    /// The secret of a binding; `None` where nothing is bound.
    pub fn get(&self, name: &BindingName) -> Option<&Secret> {
        self.held.iter().find(|(known, _)| known == name).and_then(|(_, secret)| secret.as_ref())
    }

    /// `SIGNALBOX_ADMIN_KEY`.
    pub fn admin_key(&self) -> Option<&Secret> {
        self.admin_key.as_ref()
    }
}
