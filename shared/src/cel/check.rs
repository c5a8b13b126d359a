//! The types of a condition, as far as they are known before it is evaluated: what can never hold is
//! refused with the configuration, and not found out in traffic.

use super::parse::{Kind, Node, Operator};
use super::{Item, Type, Unusable, Variable};

/// The type of a node, or the first thing in it that cannot be.
pub(super) fn infer(node: &Node, variables: &[Variable]) -> Result<Type, Unusable> {
    let of = |node: &Node| infer(node, variables);
    let wrong = |node: &Node, message: &str, hint: &str| Err(Unusable::new(node.column, message, hint));
    Ok(match &node.kind {
        Kind::Null => Type::Null,
        Kind::Bool(_) => Type::Bool,
        Kind::Int(_) => Type::Int,
        Kind::Double(_) => Type::Double,
        Kind::Text(_) => Type::Text,
        Kind::Variable(number) => variables.get(*number).map_or(Type::Any, |(_, of)| *of),
        Kind::List(items) => {
            let types = items.iter().map(of).collect::<Result<Vec<_>, _>>()?;
            Type::List(common(&types))
        }
        Kind::Map(entries) => {
            let mut types = Vec::new();
            for (key, value) in entries {
                if !matches!(of(key)?, Type::Text | Type::Any) {
                    return wrong(key, "a map's key must be a text", "Write it in quotes");
                }
                types.push(of(value)?);
            }
            Type::Map(common(&types))
        }
        Kind::Not(inner) => match of(inner)? {
            Type::Bool | Type::Any => Type::Bool,
            Type::Int | Type::Double | Type::Text | Type::List(_) | Type::Map(_) | Type::Null => {
                return wrong(node, "`!` turns true and false alone", "Compare it with something first");
            }
        },
        Kind::Negative(inner) => match of(inner)? {
            number @ (Type::Int | Type::Double | Type::Any) => number,
            Type::Bool | Type::Text | Type::List(_) | Type::Map(_) | Type::Null => {
                return wrong(node, "`-` takes numbers alone", "Write a number");
            }
        },
        Kind::Two(operator, left, right) => two(node, *operator, of(left)?, of(right)?)?,
        Kind::Choice(condition, yes, no) => {
            if !matches!(of(condition)?, Type::Bool | Type::Any) {
                return wrong(node, "what stands before `?` is not true or false", "Compare it with something");
            }
            let (yes, no) = (of(yes)?, of(no)?);
            if yes == no { yes } else { Type::Any }
        }
        Kind::Member(inner, _) => match of(inner)? {
            Type::Map(item) => item.into(),
            Type::Any => Type::Any,
            Type::Bool | Type::Int | Type::Double | Type::Text | Type::List(_) | Type::Null => {
                return wrong(node, "this has no members", "Members are of maps: tags.feature");
            }
        },
        Kind::Index(inner, index) => match (of(inner)?, of(index)?) {
            (Type::Map(item), Type::Text | Type::Any) | (Type::List(item), Type::Int | Type::Any) => item.into(),
            (Type::Any, _) => Type::Any,
            _ => return wrong(node, "this has no such index", "Write tags[\"feature\"] or data_classes[0]"),
        },
        Kind::Has(inner, _) => match of(inner)? {
            Type::Map(_) | Type::Any => Type::Bool,
            Type::Bool | Type::Int | Type::Double | Type::Text | Type::List(_) | Type::Null => {
                return wrong(node, "this has no members", "Write has(tags.feature)");
            }
        },
        Kind::Size(inner) => match of(inner)? {
            Type::Text | Type::List(_) | Type::Map(_) | Type::Any => Type::Int,
            Type::Bool | Type::Int | Type::Double | Type::Null => {
                return wrong(node, "this has no size", "Texts, lists and maps have one");
            }
        },
        Kind::Look(_, inner, what) => match (of(inner)?, of(what)?) {
            (Type::Text | Type::Any, Type::Text | Type::Any) => Type::Bool,
            _ => return wrong(node, "this looks for a text in a text", "Write model.contains(\"mini\")"),
        },
    })
}

fn two(node: &Node, operator: Operator, left: Type, right: Type) -> Result<Type, Unusable> {
    let any = left == Type::Any || right == Type::Any;
    let numbers = is_number(left) && is_number(right);
    let wrong = |message: &str, hint: &str| Err(Unusable::new(node.column, message, hint));
    match operator {
        Operator::Or | Operator::And => {
            let flag = |of: Type| matches!(of, Type::Bool | Type::Any);
            match flag(left) && flag(right) {
                true => Ok(Type::Bool),
                false => wrong("both sides must be true or false", "Compare them with something"),
            }
        }
        Operator::Equal | Operator::Unequal => {
            let same = std::mem::discriminant(&left) == std::mem::discriminant(&right);
            match any || numbers || same || left == Type::Null || right == Type::Null {
                true => Ok(Type::Bool),
                false => wrong("these can never be equal", "Compare texts with texts and numbers with numbers"),
            }
        }
        Operator::Less | Operator::AtMost | Operator::More | Operator::AtLeast => {
            match any || numbers || (left == Type::Text && right == Type::Text) {
                true => Ok(Type::Bool),
                false => wrong("these have no order", "Compare numbers, or texts"),
            }
        }
        Operator::In => match (left, right) {
            (_, Type::List(Item::Any) | Type::Any) | (Type::Any, Type::List(_)) => Ok(Type::Bool),
            (Type::Text, Type::List(Item::Text) | Type::Map(_)) | (Type::Any, Type::Map(_)) => Ok(Type::Bool),
            (Type::Bool, Type::List(Item::Bool)) => Ok(Type::Bool),
            _ => wrong("this can never be in there", "Write \"health\" in data_classes"),
        },
        Operator::Plus => match (left, right) {
            (Type::Text, Type::Text) => Ok(Type::Text),
            (Type::List(a), Type::List(b)) => Ok(Type::List(if a == b { a } else { Item::Any })),
            _ => arithmetic(node, left, right),
        },
        Operator::Minus | Operator::Times | Operator::By | Operator::Rest => arithmetic(node, left, right),
    }
}

fn arithmetic(node: &Node, left: Type, right: Type) -> Result<Type, Unusable> {
    match (left, right) {
        (Type::Int, Type::Int) => Ok(Type::Int),
        (Type::Double, Type::Double) => Ok(Type::Double),
        (Type::Any, Type::Any | Type::Int | Type::Double) | (Type::Int | Type::Double, Type::Any) => Ok(Type::Any),
        (Type::Int, Type::Double) | (Type::Double, Type::Int) => Err(Unusable::new(
            node.column,
            "a whole number and a fraction do not mix",
            "Write 2.0 for 2 where the other is a fraction",
        )),
        _ => Err(Unusable::new(node.column, "these cannot be reckoned with", "Use numbers, or + for texts")),
    }
}

fn is_number(of: Type) -> bool {
    matches!(of, Type::Int | Type::Double)
}

fn common(types: &[Type]) -> Item {
    match types {
        [] => Item::Any,
        types if types.iter().all(|of| *of == Type::Text) => Item::Text,
        types if types.iter().all(|of| *of == Type::Bool) => Item::Bool,
        _ => Item::Any,
    }
}

impl From<Item> for Type {
    fn from(item: Item) -> Type {
        match item {
            Item::Bool => Type::Bool,
            Item::Text => Type::Text,
            Item::Any => Type::Any,
        }
    }
}
