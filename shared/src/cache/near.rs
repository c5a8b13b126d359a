//! Questions that are nearly the same: asked in the same place, with the same words but for those that change nothing, and
//! meaning the same as far as vectors tell.
//!
//! Everything but the last thing the user says must be the same to the letter: instructions, tools, the conversation so far,
//! how the answer is to be. All that must be equal is the name a question is kept under, so that looking for one is
//! reading one record, however many are kept; the vector is held against the kept one's.

use super::key::{Scope, named};
use super::words::bare;
use crate::base64url;
use crate::dialect::ir::{Part, Role};
use crate::embed::{Vector, Weights};
use crate::operation::Operation;
use crate::proxy::CallerRequest;

/// What stands in the place of the last thing said, where everything else is compared.
const STANDS_FOR: &str = "?";

/// A question, ready to be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What it is kept under.
    pub name: String,
    /// What it means.
    vector: Vector,
}

/// A kept question that is nearly the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// What its answer is kept under.
    pub answer: String,
    /// How alike they are, in thousandths.
    pub permille: u32,
}

impl Question {
    /// What a request asks; `None` where the question is not compared: it is no chat, says more than words, or nothing that
    /// the weights know.
    pub fn of(scope: &Scope<'_>, request: &CallerRequest, weights: &Weights) -> Option<Question> {
        match &request.operation {
            Operation::Chat(_) => {}
            Operation::CountTokens(_)
            | Operation::Completions
            | Operation::Embeddings
            | Operation::Rerank
            | Operation::PassThrough(_) => return None,
        }
        let mut common = request.common().ok()?.clone();
        let last = common.messages.last_mut().filter(|message| message.role == Role::User)?;
        let mut said = String::new();
        for part in &mut last.content {
            let Part::Text { text, .. } = part else { return None };
            if !said.is_empty() {
                said.push('\n');
            }
            // An empty text is no turn to every reader.
            said.push_str(&std::mem::replace(text, STANDS_FOR.to_owned()));
        }
        let words = bare(&said)?;
        let vector = weights.embedding()?.vector(&said)?;
        Some(Question { name: named(scope, request, &common, &words)?, vector })
    }

    /// What is kept of it, beside the name of its answer.
    pub fn text(&self, answer: &str) -> String {
        format!("{answer} {}", base64url::encode(&self.vector.bytes()))
    }

    /// Holds it against what is kept.
    pub fn near(&self, kept: &str) -> Option<Near> {
        let (answer, vector) = kept.split_once(' ')?;
        let vector = Vector::read(&base64url::decode(vector)?);
        let alike = self.vector.cosine(&vector).clamp(0, 65_536);
        Some(Near { answer: answer.to_owned(), permille: (u32::try_from(alike).ok()? * 1_000) >> 16 })
    }
}
