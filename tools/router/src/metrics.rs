//! RouteLLM's measures, as `score_router.py` defines them.

/// The curve of quality over the share of strong calls, in eleven points.
fn curve(scores: &[f64], weak: &[f64], strong: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = scores.len().max(1) as f64;
    let mut points: Vec<(f64, f64)> = (0..=10)
        .map(|tenth| {
            let threshold = quantile(&sorted, f64::from(tenth) / 10.0);
            let (mut calls, mut quality) = (0.0, 0.0);
            for ((score, weak), strong) in scores.iter().zip(weak).zip(strong) {
                let call = if tenth < 10 { *score >= threshold } else { *score > threshold };
                calls += if call { 1.0 } else { 0.0 };
                quality += if call { strong } else { weak };
            }
            (calls / count, quality / count)
        })
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// The linear quantile of sorted values.
fn quantile(sorted: &[f64], at: f64) -> f64 {
    let place = at * sorted.len().saturating_sub(1) as f64;
    let low = place.floor() as usize;
    let value = |index: usize| sorted.get(index).or(sorted.last()).copied().unwrap_or(0.0);
    value(low) + (value(low + 1) - value(low)) * (place - place.floor())
}

/// The mean of some values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The average share of the gap between weak and strong that is recovered; .5 is chance.
pub fn apgr(scores: &[f64], weak: &[f64], strong: &[f64]) -> f64 {
    let points = curve(scores, weak, strong);
    let (low, high) = (mean(weak), mean(strong));
    let span = points.last().map_or(0.0, |point| point.0) - points.first().map_or(0.0, |point| point.0);
    let pairs = points.iter().zip(points.iter().skip(1));
    let area: f64 = pairs.map(|(a, b)| (b.0 - a.0) * (a.1 + b.1) / 2.0).sum();
    (area - low * span) / ((high - low) * span)
}

/// The share of strong calls, in per cent, at which this part of the gap is recovered.
pub fn cpt(scores: &[f64], weak: &[f64], strong: &[f64], part: f64) -> f64 {
    let points = curve(scores, weak, strong);
    let wanted = mean(weak) + part * (mean(strong) - mean(weak));
    let crossing = points.iter().zip(points.iter().skip(1)).find(|(_, after)| after.1 >= wanted);
    let Some((before, after)) = crossing else { return 100.0 };
    let within = if after.1 > before.1 { ((wanted - before.1) / (after.1 - before.1)).clamp(0.0, 1.0) } else { 0.0 };
    100.0 * (before.0 + within * (after.0 - before.0))
}
