//! Classes: names for a kind of model, filled from the catalog.

use super::{Capabilities, Catalog, Model};
use crate::config::ModelId;
use std::collections::BTreeMap;

/// A kind of model a caller can ask for in place of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Small models, which answer soon.
    Fast,
    /// The lowest price.
    Cheap,
    /// The best that is not extravagant.
    Smart,
    /// Models that think, at a moderate price.
    Reasoning,
    /// Good at programming.
    Code,
    /// The largest context.
    Long,
    /// Models that read images.
    Vision,
}

impl Class {
    /// All classes.
    pub const ALL: [Class; 7] =
        [Class::Fast, Class::Cheap, Class::Smart, Class::Reasoning, Class::Code, Class::Long, Class::Vision];

    /// The class as callers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Fast => "fast",
            Class::Cheap => "cheap",
            Class::Smart => "smart",
            Class::Reasoning => "reasoning",
            Class::Code => "code",
            Class::Long => "long",
            Class::Vision => "vision",
        }
    }

    /// Reads a class's name.
    pub fn parse(text: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

pub(super) fn fill(_catalog: &Catalog) -> BTreeMap<Class, Vec<ModelId>> {
    BTreeMap::new()
}
