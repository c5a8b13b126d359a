//! Quality over the share of strong calls, from records of which each need know one model's answer alone.
//!
//! Records stand in the order of their gain, in ten bins; within a bin both models' answers are taken at their mean, drawn
//! a little to the mean of all. So records with one outcome count as well as those with both, as long as it was
//! not the outcome that decided who was asked.

use crate::router::choose::mix;
use crate::router::learn::fixed::ONE;
use crate::sorted;

const BINS: usize = 10;
/// How many outcomes of the mean of all a bin starts from.
const SHRINK: f64 = 2.0;
/// Draws of an interval.
const DRAWS: u64 = 200;
/// A gap between the models' qualities below which a part of it says nothing.
const NO_GAP: f64 = 0.005;

/// A record: where it stands, and what is known of its answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub gain: i32,
    pub worth: [Option<i32>; 2],
}

/// Quality by the share of strong calls, in tenths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve([f64; BINS + 1]);

impl Curve {
    pub(super) fn of(points: &[Point]) -> Curve {
        let mut ordered: Vec<&Point> = points.iter().collect();
        sorted::sort_by_key(&mut ordered, |point| std::cmp::Reverse(point.gain));
        let mean = |points: &[&Point], at: usize, prior: Option<f64>| {
            let known = points.iter().filter_map(|point| point.worth.get(at).copied().flatten());
            let (sum, count) = known.fold((0.0, 0.0), |(sum, count), worth| (sum + f64::from(worth), count + 1.0));
            let (prior, weight) = prior.map_or((0.5, 1.0), |prior| (prior, SHRINK));
            (sum / f64::from(ONE) + prior * weight) / (count + weight)
        };
        let all = [mean(&ordered, 0, None), mean(&ordered, 1, None)];
        let bin = |at: usize| {
            let (from, to) = (ordered.len() * at / BINS, ordered.len() * (at + 1) / BINS);
            let points = ordered.get(from..to).unwrap_or_default();
            let [cheap, strong] = all;
            [mean(points, 0, Some(cheap)), mean(points, 1, Some(strong))]
        };
        let bins: Vec<[f64; 2]> = (0..BINS).map(bin).collect();
        let mut curve = [0.0; BINS + 1];
        for (share, quality) in curve.iter_mut().enumerate() {
            let of = |(at, [cheap, strong]): (usize, &[f64; 2])| if at < share { *strong } else { *cheap };
            *quality = bins.iter().enumerate().map(of).sum::<f64>() / BINS as f64;
        }
        Curve(curve)
    }

    /// Quality at a share.
    pub(super) fn quality(&self, share: f64) -> f64 {
        let at = share.clamp(0.0, 1.0) * BINS as f64;
        let (low, part) = (at.floor(), at.fract());
        let of = |at: usize| self.0.get(at).or(self.0.last()).copied().unwrap_or(0.0);
        of(low as usize) * (1.0 - part) + of(low as usize + 1) * part
    }

    fn gap(&self) -> Option<(f64, f64)> {
        let (cheap, strong) = (self.quality(0.0), self.quality(1.0));
        (strong - cheap > NO_GAP).then_some((cheap, strong - cheap))
    }

    /// The mean part of the gap that is recovered, over all shares. Chance is a half.
    pub(super) fn apgr(&self) -> Option<f64> {
        let (cheap, gap) = self.gap()?;
        let inner: f64 = (1..BINS).map(|at| (self.quality(at as f64 / BINS as f64) - cheap) / gap).sum();
        // The ends are none and all of it, and count half each.
        Some((inner + 0.5) / BINS as f64)
    }

    /// The least share that recovers this part of the gap.
    pub(super) fn reaches(&self, part: f64) -> Option<f64> {
        let (cheap, gap) = self.gap()?;
        self.share_for(cheap + part * gap)
    }

    /// The least share with this quality.
    pub(super) fn share_for(&self, floor: f64) -> Option<f64> {
        let steps = 0..=BINS * 10;
        steps.map(|step| step as f64 / (BINS * 10) as f64).find(|share| self.quality(*share) >= floor - 1e-9)
    }
}

/// Nine tenths of what figures come to when the records are drawn anew, with replacement.
pub(super) fn intervals<const N: usize>(
    points: &[Point],
    figures: impl Fn(&Curve) -> [Option<f64>; N],
) -> [Option<(f64, f64)>; N] {
    let mut found: [Vec<f64>; N] = [const { Vec::new() }; N];
    for draw in 0..DRAWS {
        let drawn = (0..points.len()).filter_map(|at| {
            let number = mix(draw, at as u64) % points.len().max(1) as u64;
            points.get(usize::try_from(number).ok()?).copied()
        });
        let drawn: Vec<Point> = drawn.collect();
        for (found, figure) in found.iter_mut().zip(figures(&Curve::of(&drawn))) {
            found.extend(figure);
        }
    }
    found.map(|mut found| {
        sorted::sort_by(&mut found, f64::total_cmp);
        let at = |part: usize| found.get(found.len().saturating_sub(1) * part / 100).copied();
        Some((at(5)?, at(95)?))
    })
}
