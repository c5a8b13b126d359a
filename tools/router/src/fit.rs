//! Fits a logistic model to examples: accelerated full-batch gradient descent, so that the same
//! examples always give the same coefficients.

/// An example: counters, buckets of n-grams, what is to be foretold (0 to 1), and its weight.
#[derive(Clone, Debug)]
pub struct Example {
    /// The counters of [`signalbox::router::learn::dense::Dense`].
    pub dense: Vec<f64>,
    /// Buckets of n-grams, ascending.
    pub grams: Vec<usize>,
    /// The chance that is to be foretold.
    pub target: f64,
}

/// How much a coefficient costs.
#[derive(Clone, Copy, Debug)]
pub struct Ridge {
    /// Of a counter.
    pub dense: f64,
    /// Of an n-gram.
    pub grams: f64,
}

/// Coefficients in the examples' own units.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The log-odds of a prompt with nothing in it.
    pub bias: f64,
    /// A counter's.
    pub dense: Vec<f64>,
    /// An n-gram's; the sum over a prompt is divided by the root of how many it has.
    pub grams: Vec<f64>,
}

/// Counters further from their mean than this many deviations are taken to be this far.
const ROUNDS: usize = 300;
/// N-grams are scaled so that a prompt's have about the length its counters have.
const GRAM_SCALE: f64 = 7.0;

impl Fitted {
    /// Log-odds of an example.
    pub fn logit(&self, dense: &[f64], grams: &[usize]) -> f64 {
        let counters: f64 = self.dense.iter().zip(dense).map(|(weight, value)| weight * value).sum();
        let sum: f64 = grams.iter().filter_map(|bucket| self.grams.get(*bucket)).sum();
        self.bias + counters + sum / (grams.len().max(1) as f64).sqrt()
    }
}

struct Design<'a> {
    examples: &'a [Example],
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Design<'_> {
    fn forward(&self, weights: &[f64], bias: f64, dense: usize) -> Vec<f64> {
        let (counters, grams) = weights.split_at(dense);
        self.examples
            .iter()
            .map(|example| {
                let mut sum = bias;
                for ((value, weight), (mean, deviation)) in
                    example.dense.iter().zip(counters).zip(self.mean.iter().zip(&self.deviation))
                {
                    sum += (value - mean) / deviation * weight;
                }
                let scale = GRAM_SCALE / (example.grams.len().max(1) as f64).sqrt();
                sum + scale * example.grams.iter().filter_map(|bucket| grams.get(*bucket)).sum::<f64>()
            })
            .collect()
    }

    fn backward(&self, residuals: &[f64], width: usize, dense: usize) -> Vec<f64> {
        let mut gradient = vec![0.0; width];
        let (counters, grams) = gradient.split_at_mut(dense);
        for (example, residual) in self.examples.iter().zip(residuals) {
            for ((slot, value), (mean, deviation)) in
                counters.iter_mut().zip(&example.dense).zip(self.mean.iter().zip(&self.deviation))
            {
                *slot += residual * (value - mean) / deviation;
            }
            let scale = residual * GRAM_SCALE / (example.grams.len().max(1) as f64).sqrt();
            for bucket in &example.grams {
                if let Some(slot) = grams.get_mut(*bucket) {
                    *slot += scale;
                }
            }
        }
        gradient
    }
}

/// Fits `buckets` n-gram coefficients and as many counters' as the examples have.
pub fn fit(examples: &[Example], buckets: usize, ridge: Ridge) -> Fitted {
    let dense = examples.first().map_or(0, |example| example.dense.len());
    let count = examples.len().max(1) as f64;
    let (mean, deviation) = moments(examples, dense);
    let design = Design { examples, mean, deviation };
    let width = dense + buckets;
    let cost: Vec<f64> = (0..width).map(|at| if at < dense { ridge.dense } else { ridge.grams }).collect();
    let steepest = steepest(&design, width, dense) / 4.0 / count + 0.25 + ridge.dense.max(ridge.grams) / count;
    let average = examples.iter().map(|example| example.target).sum::<f64>() / count;
    let mut bias = ((average + 1e-3) / (1.0 - average + 1e-3)).ln();
    let mut weights = vec![0.0; width];
    let (mut ahead, mut bias_ahead, mut momentum) = (weights.clone(), bias, 1.0_f64);
    for _ in 0..ROUNDS {
        let logits = design.forward(&ahead, bias_ahead, dense);
        let residuals: Vec<f64> =
            logits.iter().zip(examples).map(|(logit, example)| 1.0 / (1.0 + (-logit).exp()) - example.target).collect();
        let gradient = design.backward(&residuals, width, dense);
        let next_bias = bias_ahead - residuals.iter().sum::<f64>() / count / steepest;
        let next: Vec<f64> = (ahead.iter().zip(&gradient).zip(&cost))
            .map(|((weight, slope), cost)| weight - (slope + cost * weight) / count / steepest)
            .collect();
        let grown = (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt()) / 2.0;
        let push = (momentum - 1.0) / grown;
        ahead = next.iter().zip(&weights).map(|(new, old)| new + push * (new - old)).collect();
        bias_ahead = next_bias + push * (next_bias - bias);
        (weights, bias, momentum) = (next, next_bias, grown);
    }
    unscale(&design, weights, bias, dense)
}

fn moments(examples: &[Example], dense: usize) -> (Vec<f64>, Vec<f64>) {
    let count = examples.len().max(1) as f64;
    let mut mean = vec![0.0; dense];
    let mut square = vec![0.0; dense];
    for example in examples {
        for ((value, mean), square) in example.dense.iter().zip(&mut mean).zip(&mut square) {
            *mean += value / count;
            *square += value * value / count;
        }
    }
    // A counter that hardly varies must not be blown up: it says nothing.
    let deviation = mean.iter().zip(&square).map(|(mean, square)| (square - mean * mean).max(0.0).sqrt().max(4.0));
    let deviation = deviation.collect();
    (mean, deviation)
}

/// The largest eigenvalue of the design, by power iteration: how long a step may be.
fn steepest(design: &Design<'_>, width: usize, dense: usize) -> f64 {
    let mut direction: Vec<f64> = (0..width).map(|at| ((at * 2_654_435_761) % 1_000) as f64 / 1_000.0 - 0.5).collect();
    let mut norm = 1.0;
    for _ in 0..12 {
        let image = design.forward(&direction, 0.0, dense);
        direction = design.backward(&image, width, dense);
        norm = direction.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-9);
        direction.iter_mut().for_each(|value| *value /= norm);
    }
    norm * 1.1
}

/// Back from deviations to the counters' own units.
fn unscale(design: &Design<'_>, weights: Vec<f64>, bias: f64, dense: usize) -> Fitted {
    let (counters, grams) = weights.split_at(dense);
    let own: Vec<f64> = counters.iter().zip(&design.deviation).map(|(weight, deviation)| weight / deviation).collect();
    let shift: f64 = own.iter().zip(&design.mean).map(|(weight, mean)| weight * mean).sum();
    Fitted { bias: bias - shift, dense: own, grams: grams.iter().map(|weight| weight * GRAM_SCALE).collect() }
}
