//! What a translation could not carry, by the caller's own names: the `x-signalbox-warnings` header.

use std::fmt::Display;

/// What happened to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The target has nothing like it.
    Dropped,
    /// It was forced into the target's range.
    Clamped,
    /// It was said in another way, with some loss.
    Converted,
    /// It was put in another place.
    Moved,
}

impl Effect {
    /// The word in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Dropped => "dropped",
            Effect::Clamped => "clamped",
            Effect::Converted => "converted",
            Effect::Moved => "moved",
        }
    }
}

/// A field and what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Path in the caller's body: `messages[2].content[0].input_audio`.
    pub path: String,
    /// What happened.
    pub effect: Effect,
}

/// Warnings in the order they arose, each path once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    list: Vec<Warning>,
    more: usize,
}

/// Beyond this many, only their number is told: a hostile body must not grow a header.
const MOST: usize = 32;
/// As much of a path is told, in characters: a hostile name must not grow a header or a record either.
const LONGEST: usize = 120;

impl Warnings {
    /// Notes what happened to a field.
    pub fn add(&mut self, path: impl Display, effect: Effect) {
        let path: String = path.to_string().chars().take(LONGEST).collect();
        if let Some(known) = self.list.iter_mut().find(|known| known.path == path) {
            // What was first put elsewhere and then could not be said there is gone.
            if effect == Effect::Dropped {
                known.effect = effect;
            }
            return;
        }
        if self.list.len() == MOST {
            self.more += 1;
        } else {
            self.list.push(Warning { path, effect });
        }
    }

    /// Notes a field that is not carried.
    pub fn dropped(&mut self, path: impl Display) {
        self.add(path, Effect::Dropped);
    }

    /// The warnings, at most 32.
    pub fn list(&self) -> &[Warning] {
        &self.list
    }

    /// Whether everything was carried.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The header's value: `logit_bias;dropped, temperature;clamped`. Visible ASCII only.
    pub fn header_value(&self) -> Option<String> {
        if self.list.is_empty() {
            return None;
        }
        let mut value = String::new();
        for Warning { path, effect } in &self.list {
            if !value.is_empty() {
                value.push_str(", ");
            }
            value.extend(path.chars().map(|c| if c.is_ascii_graphic() && c != ',' && c != ';' { c } else { '?' }));
            value.push(';');
            value.push_str(effect.as_str());
        }
        if self.more > 0 {
            value.push_str(&format!(", and {} more", self.more));
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_each_field_once_with_what_happened_to_it() {
        let mut warnings = Warnings::default();
        warnings.dropped("logit_bias");
        warnings.add("temperature", Effect::Clamped);
        warnings.dropped("logit_bias");
        assert_eq!(warnings.header_value().as_deref(), Some("logit_bias;dropped, temperature;clamped"));
    }

    #[test]
    fn a_path_is_told_up_to_a_bound_in_the_record_too() {
        let mut warnings = Warnings::default();
        warnings.dropped("é".repeat(1_000_000));
        assert!(warnings.list().iter().all(|warning| warning.path.chars().count() == LONGEST));
    }

    #[test]
    fn the_header_is_safe_and_short_whatever_the_fields_are_called() {
        let mut warnings = Warnings::default();
        warnings.dropped("a\r\nset-cookie: x, y;é");
        for n in 0..100 {
            warnings.dropped(format!("field{n}"));
        }
        let value = warnings.header_value().unwrap_or_default();
        assert!(value.starts_with("a??set-cookie:?x??y??;dropped, field0;dropped"), "{value}");
        assert!(value.bytes().all(|b| (0x20..0x7f).contains(&b)) && value.len() < 1_000);
        assert!(value.ends_with("and 69 more"));
    }
}
