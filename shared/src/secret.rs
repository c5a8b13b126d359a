//! A value that must not be seen: it cannot be printed, compared in the open or serialised by accident.

use std::fmt;

/// A credential read from a binding. `Debug` shows nothing of it and there is no `Display` and no
/// `Serialize`: whoever needs the text says so with [`Secret::expose`].
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The text itself, for the one header or key derivation that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown_by_debug() {
        let shown = format!("{:?} {:#?}", Secret::new("not-to-be-seen"), Some(Secret::new("not-to-be-seen")));
        assert!(!shown.contains("seen"), "{shown}");
    }
}
