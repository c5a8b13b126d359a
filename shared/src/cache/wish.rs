//! What a caller wants of the cache: the header `x-signalbox-cache`.

use crate::error::ApiError;

/// A caller's word on the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// A kept answer will do, a new one is kept.
    #[default]
    Any,
    /// Neither look nor keep.
    NoStore,
    /// Don't look, but keep.
    Refresh,
    /// No new answer: a kept one, or an error.
    OnlyIfCached,
}

impl Wish {
    /// Reads the header; several words may stand in it, as in `cache-control`.
    pub fn read(header: Option<&str>) -> Result<Wish, ApiError> {
        let mut wish = Wish::Any;
        for word in header.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let said = match word.to_ascii_lowercase().as_str() {
                "no-store" => Wish::NoStore,
                "refresh" => Wish::Refresh,
                "only-if-cached" => Wish::OnlyIfCached,
                _ => {
                    let sentence = "x-signalbox-cache must be no-store, refresh or only-if-cached.";
                    return Err(ApiError::invalid("x-signalbox-cache", sentence));
                }
            };
            if wish != Wish::Any && wish != said {
                let sentence = "x-signalbox-cache wants two things at once. Send one word.";
                return Err(ApiError::invalid("x-signalbox-cache", sentence));
            }
            wish = said;
        }
        Ok(wish)
    }

    /// Whether a kept answer may be given.
    pub fn may_look(self) -> bool {
        match self {
            Wish::Any | Wish::OnlyIfCached => true,
            Wish::NoStore | Wish::Refresh => false,
        }
    }

    /// Whether a new answer may be kept.
    pub fn may_keep(self) -> bool {
        match self {
            Wish::Any | Wish::Refresh => true,
            Wish::NoStore | Wish::OnlyIfCached => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_is_wanted_and_two_that_disagree_are_refused() {
        for (header, want) in [
            (None, Wish::Any),
            (Some(""), Wish::Any),
            (Some("no-store"), Wish::NoStore),
            (Some(" Refresh "), Wish::Refresh),
            (Some("only-if-cached, only-if-cached"), Wish::OnlyIfCached),
        ] {
            assert_eq!(Wish::read(header).unwrap(), want, "{header:?}");
        }
        for bad in ["no-cache", "no-store, refresh", "hit"] {
            assert!(Wish::read(Some(bad)).is_err(), "{bad}");
        }
    }
}
