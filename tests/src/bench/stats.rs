//! Medians and percentiles.

use serde::Serialize;

/// The value below which the share `part` (0 to 1) of the samples lies; 0 for none.
pub fn percentile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let at = (last as f64 * part).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

/// The middle value.
pub fn median(samples: &[f64]) -> f64 {
    percentile(samples, 0.5)
}

/// The two percentiles that are shown, in ms.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Spread {
    /// The median.
    pub p50: f64,
    /// One in a hundred is slower.
    pub p99: f64,
}

impl Spread {
    /// Of samples in ms.
    pub fn of(samples: &[f64]) -> Spread {
        Spread { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) }
    }

    /// What is added over `base`.
    pub fn over(self, base: Spread) -> Spread {
        Spread { p50: self.p50 - base.p50, p99: self.p99 - base.p99 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_in_order() {
        let samples = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(median(&samples), 3.0);
        assert_eq!(percentile(&samples, 0.99), 5.0);
        assert_eq!(percentile(&samples, 0.0), 1.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }

    #[test]
    fn what_is_added_may_be_negative() {
        let base = Spread::of(&[2.0]);
        assert_eq!(Spread::of(&[1.5]).over(base).p50, -0.5);
    }
}
