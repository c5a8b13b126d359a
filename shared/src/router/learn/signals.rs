//! What the router can tell of a prompt by itself: how hard it looks, and how likely a cheaper model will do.

use super::dense::Dense;
use super::lexicon::Lexicon;
use super::model::{BadModel, Model};
use super::prior;
use super::sample::Sample;
use super::scan::Scan;

/// Reads prompts: the lexicon and the coefficients, made ready once.
#[derive(Clone, Debug)]
pub struct PromptReader {
    lexicon: Lexicon,
    model: Model,
}

/// What a prompt shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptSignals {
    /// The counts and n-grams themselves, for the models that learn.
    pub scan: Scan,
    /// The counts as a model sees them.
    pub dense: Dense,
    /// How hard it looks, 0 to 1,000: the hand-written prior.
    pub complexity: u32,
    /// How much a stronger model would gain, as the shipped coefficients have it; higher is more.
    pub gain: i32,
    /// The chance that a cheaper model's answer will do, in parts of 65,536.
    pub will_do: i32,
}

impl PromptReader {
    /// With these coefficients.
    pub fn new(model: Model) -> PromptReader {
        PromptReader { lexicon: Lexicon::built_in(), model }
    }

    /// With those that come with the product.
    pub fn built_in() -> Result<PromptReader, BadModel> {
        Model::built_in().map(PromptReader::new)
    }

    /// Reads a prompt.
    pub fn read(&self, sample: Sample<'_>) -> PromptSignals {
        self.judge(Scan::of(sample, &self.lexicon))
    }

    /// Judges a prompt that was read.
    pub fn judge(&self, scan: Scan) -> PromptSignals {
        let dense = Dense::of(&scan);
        let complexity = prior::complexity(&scan);
        let gain = self.model.score(complexity, &dense, scan.grams());
        PromptSignals { complexity, gain, will_do: self.model.will_do(gain), scan, dense }
    }
}
