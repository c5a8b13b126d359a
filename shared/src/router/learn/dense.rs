//! The counters of a scan as a model sees them: every mark twice, on a logarithmic scale and as a rate.

use super::fixed::lg16;
use super::mark::Mark;
use super::scan::Scan;

/// How many numbers a scan amounts to.
pub const DENSE: usize = 2 * Mark::COUNT;
/// A value is at most this.
pub const LIMIT: i32 = 255;

/// The numbers of a scan, 0 to [`LIMIT`] each: sixteen times the binary logarithms of the counts, then
/// the counts per 256 words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dense(pub [i32; DENSE]);

impl Dense {
    /// Of a scan.
    pub fn of(scan: &Scan) -> Dense {
        let mut values = [0; DENSE];
        let words = i64::from(scan.count(Mark::Words).max(1));
        let (logarithms, rates) = values.split_at_mut(Mark::COUNT);
        for ((mark, logarithm), rate) in Mark::ALL.iter().zip(logarithms).zip(rates) {
            let count = scan.count(*mark);
            *logarithm = lg16(count).min(LIMIT);
            *rate = (i64::from(count) * 256 / words).min(i64::from(LIMIT)) as i32;
        }
        Dense(values)
    }
}
