//! A condition evaluated: a value or a fault, never a panic, in time bounded by the condition's length and
//! by that of the values it looks at.

use super::parse::{Kind, Look, Node, Operator};
use std::borrow::Cow;
use std::cmp::Ordering;

/// What a part of a condition comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'v> {
    /// `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A text.
    Text(Cow<'v, str>),
    /// A list.
    List(Vec<Value<'v>>),
    /// A map from texts.
    Map(Vec<(Cow<'v, str>, Value<'v>)>),
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A map has no such key, a list no such index.
    Missing,
    /// An operation was asked of what does not have it.
    WrongType,
    /// A number left its range, or was divided by zero.
    Range,
}

pub(super) fn eval<'v>(node: &'v Node, values: &'v [Value<'v>]) -> Result<Value<'v>, Fault> {
    let of = |node: &'v Node| eval(node, values);
    Ok(match &node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(*value),
        Kind::Int(value) => Value::Int(*value),
        Kind::Double(value) => Value::Double(*value),
        Kind::Text(text) => Value::Text(Cow::Borrowed(text)),
        Kind::Variable(number) => values.get(*number).cloned().ok_or(Fault::Missing)?,
        Kind::List(items) => Value::List(items.iter().map(of).collect::<Result<_, _>>()?),
        Kind::Map(entries) => {
            let entry = |(key, value): &'v (Node, Node)| Ok((text(of(key)?)?, of(value)?));
            Value::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
        }
        Kind::Not(inner) => Value::Bool(!flag(of(inner)?)?),
        Kind::Negative(inner) => match of(inner)? {
            Value::Int(value) => Value::Int(value.checked_neg().ok_or(Fault::Range)?),
            Value::Double(value) => Value::Double(-value),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                return Err(Fault::WrongType);
            }
        },
        Kind::Two(Operator::And, left, right) => Value::Bool(either(of(left), || of(right), false)?),
        Kind::Two(Operator::Or, left, right) => Value::Bool(either(of(left), || of(right), true)?),
        Kind::Two(operator, left, right) => two(*operator, of(left)?, of(right)?)?,
        Kind::Choice(condition, yes, no) => return if flag(of(condition)?)? { of(yes) } else { of(no) },
        Kind::Member(inner, name) => member(of(inner)?, name)?.ok_or(Fault::Missing)?,
        Kind::Index(inner, index) => match (of(inner)?, of(index)?) {
            (map @ Value::Map(_), Value::Text(key)) => member(map, &key)?.ok_or(Fault::Missing)?,
            (Value::List(items), Value::Int(at)) => {
                let at = usize::try_from(at).map_err(|_| Fault::Missing)?;
                items.into_iter().nth(at).ok_or(Fault::Missing)?
            }
            _ => return Err(Fault::WrongType),
        },
        Kind::Has(inner, name) => Value::Bool(member(of(inner)?, name)?.is_some()),
        Kind::Size(inner) => {
            let size = match of(inner)? {
                Value::Text(text) => text.chars().count(),
                Value::List(items) => items.len(),
                Value::Map(entries) => entries.len(),
                Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) => return Err(Fault::WrongType),
            };
            Value::Int(i64::try_from(size).map_err(|_| Fault::Range)?)
        }
        Kind::Look(look, inner, what) => {
            let (inside, what) = (text(of(inner)?)?, text(of(what)?)?);
            Value::Bool(match look {
                Look::StartsWith => inside.starts_with(&*what),
                Look::EndsWith => inside.ends_with(&*what),
                Look::Contains => inside.contains(&*what),
            })
        }
    })
}

/// `||` (decided by `true`) and `&&` (decided by `false`): a side that decides makes the other's fault
/// nobody's business.
fn either<'v>(
    left: Result<Value<'v>, Fault>,
    right: impl FnOnce() -> Result<Value<'v>, Fault>,
    decides: bool,
) -> Result<bool, Fault> {
    let left = left.and_then(flag);
    if left == Ok(decides) {
        return Ok(decides);
    }
    match right().and_then(flag) {
        Ok(right) if right == decides => Ok(decides),
        right => left.and(right),
    }
}

fn flag(value: Value<'_>) -> Result<bool, Fault> {
    if let Value::Bool(flag) = value { Ok(flag) } else { Err(Fault::WrongType) }
}

fn text(value: Value<'_>) -> Result<Cow<'_, str>, Fault> {
    if let Value::Text(text) = value { Ok(text) } else { Err(Fault::WrongType) }
}

fn member<'v>(value: Value<'v>, name: &str) -> Result<Option<Value<'v>>, Fault> {
    let Value::Map(entries) = value else { return Err(Fault::WrongType) };
    Ok(entries.into_iter().find(|(key, _)| key == name).map(|(_, value)| value))
}

fn two<'v>(operator: Operator, left: Value<'v>, right: Value<'v>) -> Result<Value<'v>, Fault> {
    let ordered = |wanted: &[Ordering]| Ok(Value::Bool(wanted.contains(&order(&left, &right)?)));
    match operator {
        // Decided before both sides are known.
        Operator::And | Operator::Or => Err(Fault::WrongType),
        Operator::Equal => Ok(Value::Bool(equal(&left, &right))),
        Operator::Unequal => Ok(Value::Bool(!equal(&left, &right))),
        Operator::Less => ordered(&[Ordering::Less]),
        Operator::AtMost => ordered(&[Ordering::Less, Ordering::Equal]),
        Operator::More => ordered(&[Ordering::Greater]),
        Operator::AtLeast => ordered(&[Ordering::Greater, Ordering::Equal]),
        Operator::In => match right {
            Value::List(items) => Ok(Value::Bool(items.iter().any(|item| equal(&left, item)))),
            Value::Map(entries) => {
                let key = text(left)?;
                Ok(Value::Bool(entries.iter().any(|(known, _)| *known == key)))
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Text(_) => Err(Fault::WrongType),
        },
        Operator::Plus | Operator::Minus | Operator::Times | Operator::By | Operator::Rest => {
            arithmetic(operator, left, right)
        }
    }
}

fn arithmetic<'v>(operator: Operator, left: Value<'v>, right: Value<'v>) -> Result<Value<'v>, Fault> {
    match (operator, left, right) {
        (_, Value::Int(a), Value::Int(b)) => whole(operator, a, b).map(Value::Int).ok_or(Fault::Range),
        (Operator::Plus, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a + b)),
        (Operator::Minus, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a - b)),
        (Operator::Times, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a * b)),
        (Operator::By, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a / b)),
        (Operator::Plus, Value::Text(a), Value::Text(b)) => Ok(Value::Text(Cow::Owned(a.into_owned() + &b))),
        (Operator::Plus, Value::List(mut a), Value::List(b)) => {
            a.extend(b);
            Ok(Value::List(a))
        }
        _ => Err(Fault::WrongType),
    }
}

fn whole(operator: Operator, a: i64, b: i64) -> Option<i64> {
    match operator {
        Operator::Plus => a.checked_add(b),
        Operator::Minus => a.checked_sub(b),
        Operator::Times => a.checked_mul(b),
        Operator::By => a.checked_div(b),
        Operator::Rest => a.checked_rem(b),
        Operator::Or
        | Operator::And
        | Operator::Equal
        | Operator::Unequal
        | Operator::Less
        | Operator::AtMost
        | Operator::More
        | Operator::AtLeast
        | Operator::In => None,
    }
}

/// Numbers are equal by what they are worth, as in the specification; a value is never equal to one of another kind.
fn equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Int(a), Value::Double(b)) | (Value::Double(b), Value::Int(a)) => *a as f64 == *b,
        (left, right) => left == right,
    }
}

fn order(left: &Value<'_>, right: &Value<'_>) -> Result<Ordering, Fault> {
    let numbers = |a: f64, b: f64| a.partial_cmp(&b).ok_or(Fault::Range);
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => numbers(*a, *b),
        (Value::Int(a), Value::Double(b)) => numbers(*a as f64, *b),
        (Value::Double(a), Value::Int(b)) => numbers(*a, *b as f64),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        _ => Err(Fault::WrongType),
    }
}
