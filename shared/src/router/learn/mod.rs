//! What the router learns from: a prompt's signals, models of them, and how decisions are steered.
//!
//! Everything here is pure, synchronous and in integers: the same prompt and state give the same figure
//! on a Worker, on a function, and in a replay. What reads a prompt: [`sample`], [`scan`], [`signals`]; what
//! judges it unlearned: [`prior`], [`model`], [`topic`], [`topic_model`], [`own_topics`]; what learns: [`online`], [`bandit`];
//! what steers: [`controller`]; what judges an answer: [`gates`], [`agreement`].

pub mod agreement;
pub mod bandit;
pub mod controller;
pub mod dense;
pub mod draw;
pub mod fixed;
pub mod gates;
pub mod lessons;
pub mod lexicon;
pub mod mark;
pub mod model;
pub mod online;
pub mod own_topics;
pub mod prior;
pub mod sample;
pub mod scan;
pub mod signals;
pub mod topic;
pub mod topic_model;
