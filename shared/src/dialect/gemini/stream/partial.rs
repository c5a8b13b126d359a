//! Arguments of a tool call that come in pieces, each with the place it belongs to: `$.a[0].b`.
//!
//! Their order is the order in which places were first named, and a text grows by its pieces.

use super::MOST;
use super::wire::PartialWire;
use serde_json::{Number, Value};

/// A JSON value under construction that keeps the order of its members.
#[derive(Debug)]
enum Node {
    Leaf(Value),
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
}

/// The arguments of one call.
#[derive(Debug)]
pub(super) struct Pieces {
    root: Node,
    nodes: usize,
}

enum Step {
    Member(String),
    Item(usize),
}

impl Default for Pieces {
    fn default() -> Pieces {
        Pieces { root: Node::Object(Vec::new()), nodes: 0 }
    }
}

impl Pieces {
    pub(super) fn add(&mut self, piece: &PartialWire<'_>) {
        let Some(steps) = piece.json_path.some().and_then(steps) else { return };
        let Some(place) = find(&mut self.root, &steps, &mut self.nodes) else { return };
        let number = |raw: &serde_json::value::RawValue| crate::json::parse::<Number>(raw.get()).ok();
        if let Some(text) = piece.string_value.0.as_deref() {
            match place {
                Node::Leaf(Value::String(before)) => before.push_str(text),
                Node::Leaf(_) | Node::Object(_) | Node::Array(_) => *place = Node::Leaf(Value::from(text)),
            }
        } else if let Some(number) = piece.number_value.and_then(number) {
            *place = Node::Leaf(Value::Number(number));
        } else if let Some(raw) = piece.bool_value {
            *place = Node::Leaf(Value::Bool(raw.get() == "true"));
        } else if piece.null_value.is_some() {
            *place = Node::Leaf(Value::Null);
        }
    }

    pub(super) fn to_json(&self) -> String {
        let mut out = String::new();
        write(&self.root, &mut out);
        out
    }
}

/// The place at the end of the path, made where it is new. `None` for a path through a value that is
/// none of the kind, or beyond what is believable.
fn find<'n>(mut node: &'n mut Node, steps: &[Step], nodes: &mut usize) -> Option<&'n mut Node> {
    for (at, step) in steps.iter().enumerate() {
        if *nodes > MOST * 16 {
            return None;
        }
        let fresh = || match steps.get(at + 1) {
            Some(Step::Member(_)) => Node::Object(Vec::new()),
            Some(Step::Item(_)) => Node::Array(Vec::new()),
            None => Node::Leaf(Value::Null),
        };
        node = match (node, step) {
            (Node::Object(members), Step::Member(name)) => {
                let place = members.iter().position(|(known, _)| known == name);
                let place = place.unwrap_or_else(|| {
                    *nodes += 1;
                    members.push((name.clone(), fresh()));
                    members.len() - 1
                });
                &mut members.get_mut(place)?.1
            }
            (Node::Array(items), Step::Item(index)) => {
                if *index == items.len() {
                    *nodes += 1;
                    items.push(fresh());
                }
                items.get_mut(*index)?
            }
            (_, Step::Member(_) | Step::Item(_)) => return None,
        };
    }
    Some(node)
}

/// `$.a[0]['b']` as steps.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() && steps.len() < 64 {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, tail) = after.split_at_checked(end)?;
            steps.push(Step::Member(name.to_owned()));
            rest = tail;
        } else {
            let (inside, tail) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = inside.strip_prefix(['\'', '"']).and_then(|text| text.strip_suffix(['\'', '"']));
            steps.push(match quoted {
                Some(name) => Step::Member(name.to_owned()),
                None => Step::Item(inside.parse().ok()?),
            });
            rest = tail;
        }
    }
    Some(steps).filter(|steps| !steps.is_empty())
}

fn write(node: &Node, out: &mut String) {
    match node {
        Node::Leaf(value) => out.push_str(&value.to_string()),
        Node::Object(members) => {
            out.push('{');
            for (place, (name, node)) in members.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(node, out);
            }
            out.push('}');
        }
        Node::Array(items) => {
            out.push('[');
            for (place, node) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(node, out);
            }
            out.push(']');
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pieces_find_their_places() {
        let mut pieces = Pieces::default();
        for json in [
            r#"{"jsonPath":"$.z","stringValue":"A","willContinue":true}"#,
            r#"{"jsonPath":"$.z","stringValue":"B"}"#,
            r#"{"jsonPath":"$.list[0].n","numberValue":1.5}"#,
            r#"{"jsonPath":"$.list[1].n","boolValue":true}"#,
            r#"{"jsonPath":"$['odd.name']","nullValue":"NULL_VALUE"}"#,
            r#"{"jsonPath":"$.list[9]","numberValue":1}"#,
            r#"{"jsonPath":"$.z.under","numberValue":1}"#,
            r#"{"jsonPath":"nonsense","numberValue":1}"#,
        ] {
            pieces.add(&serde_json::from_str(json).unwrap());
        }
        assert_eq!(pieces.to_json(), r#"{"z":"AB","list":[{"n":1.5},{"n":true}],"odd.name":null}"#);
    }
}
