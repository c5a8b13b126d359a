//! What a prompt is about, by everything there is to tell it by: an operator's examples, the built-in topics and, once they are
//! there, the weights of an embedding.

use super::learn::lexicon::Lexicon;
use super::learn::own_topics::{Meant, OwnTopics};
use super::learn::scan::Scan;
use super::learn::topic::Topic;
use super::learn::topic_model::TopicModel;
use crate::config::Config;
use crate::embed::{Embedding, Weights};
use std::sync::{Arc, Mutex, PoisonError};

/// An operator's topics and the built-in ones.
#[derive(Debug, Default)]
pub(super) struct Topics {
    own: OwnTopics,
    /// What topics mean by the weights they were last read with.
    known: Mutex<Option<(Arc<Weights>, Arc<Known>)>>,
}

/// What topics mean by weights.
#[derive(Debug)]
struct Known {
    own: Meant,
    /// Where the weights are of the family that they were made for.
    built_in: Option<TopicModel<'static>>,
}

impl Topics {
    /// With those of a configuration.
    pub(super) fn of(config: &Config) -> Topics {
        let examples = config.router.topics.iter();
        let examples = examples.flat_map(|(name, texts)| texts.iter().map(|text| (name.as_str(), text.as_str())));
        let own = match config.router.topics.is_empty() {
            true => OwnTopics::default(),
            false => OwnTopics::new(examples, &Lexicon::built_in()),
        };
        Topics { own, known: Mutex::default() }
    }

    /// What a prompt is about, by its marks and n-grams and, with weights, by what its beginning means.
    pub(super) fn told(&self, scan: &Scan, beginning: &str, weights: Option<&Arc<Weights>>) -> Option<&str> {
        let meaning = weights.and_then(|weights| {
            let embedding = weights.embedding()?;
            Some((embedding.vector(beginning)?, self.known(weights, &embedding)))
        });
        let own = meaning.as_ref().map(|(vector, known)| (vector, &known.own));
        let built_in = meaning.as_ref().and_then(|(vector, known)| Some((vector, known.built_in.as_ref()?)));
        // What the operator showed is nearer to their traffic than what is built in.
        self.own.of(scan, own).or_else(|| Some(Topic::of(scan, built_in)?.as_str()))
    }

    /// What topics mean, computed once for the weights that are in force.
    fn known(&self, weights: &Arc<Weights>, embedding: &Embedding<'_>) -> Arc<Known> {
        let known = &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known {
            Some((of, known)) if Arc::ptr_eq(of, weights) => known.clone(),
            Some(_) | None => {
                let built_in = TopicModel::built_in().filter(|model| model.is_for(embedding));
                let new = Arc::new(Known { own: self.own.meant(embedding), built_in });
                *known = Some((weights.clone(), new.clone()));
                new
            }
        }
    }
}
