//! The conditions of rules: a subset of CEL (the Common Expression Language, github.com/google/cel-spec),
//! small enough to be read in one sitting.
//!
//! What there is: literals, `== != < <= > >=`, `in`, `&& || !`, `?:`, `+ - * / %`, members and indexes, lists and
//! maps, `has()`, `size()`, `startsWith`, `endsWith`, `contains`. What there is not: macros over lists, `matches`
//! (a regular expression costs what its writer did not foresee), timestamps, protobuf.
//!
//! A condition is read and its types are checked when the configuration is; evaluating it is total: it gives a
//! value or an [`Fault`], in time bounded by its length. As in the specification `&&` and `||` are commutative
//! about faults: `a || b` is true when either is, whatever became of the other.

mod check;
mod eval;
mod lexer;
mod parse;
#[cfg(test)]
mod tests;

pub use eval::{Fault, Value};

use parse::Node;

/// The longest condition, in bytes.
pub const LONGEST: usize = 2_048;

/// What a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction.
    Double,
    /// A text.
    Text,
    /// A list of texts, or of what the checker does not follow.
    List(Item),
    /// A map from text to texts, flags, numbers or what the checker does not follow.
    Map(Item),
    /// `null`.
    Null,
    /// Not known before it is evaluated.
    Any,
}

/// What stands in a list or a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Flags.
    Bool,
    /// Texts.
    Text,
    /// Anything.
    Any,
}

/// A variable conditions may use.
pub type Variable = (&'static str, Type);

/// Why a condition cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Where, counted in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: String,
}

/// A condition that was read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    source: String,
    root: Node,
}

impl Condition {
    /// Reads a condition over these variables. It must be able to be true.
    pub fn read(source: &str, variables: &[Variable]) -> Result<Condition, Unusable> {
        if source.len() > LONGEST {
            return Err(Unusable::new(1, "is too long", "Use at most 2048 bytes"));
        }
        let root = parse::parse(source, variables)?;
        match check::infer(&root, variables)? {
            Type::Bool | Type::Any => Ok(Condition { source: source.to_owned(), root }),
            Type::Int | Type::Double | Type::Text | Type::List(_) | Type::Map(_) | Type::Null => {
                Err(Unusable::new(1, "is not true or false", "Compare it with something: tags.feature == \"chat\""))
            }
        }
    }

    /// Whether it holds; `values` are those of the variables it was read with, in their order.
    pub fn holds(&self, values: &[Value<'_>]) -> Result<bool, Fault> {
        match eval::eval(&self.root, values)? {
            Value::Bool(holds) => Ok(holds),
            Value::Null | Value::Int(_) | Value::Double(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                Err(Fault::WrongType)
            }
        }
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl Unusable {
    fn new(column: usize, message: impl Into<String>, hint: impl Into<String>) -> Unusable {
        Unusable { column, message: message.into(), hint: hint.into() }
    }
}
