//! From words to a tree, by the precedence of operators (Pratt's way).

use super::lexer::{Token, words};
use super::{Unusable, Variable};
use crate::config::suggest::nearest;

/// The deepest nesting.
const DEEPEST: usize = 32;
/// The most operators between two: a chain of them is a tree as deep.
const MOST_OPERATORS: usize = 128;

/// A part of a condition and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub column: usize,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    /// The number of a variable.
    Variable(usize),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Not(Box<Node>),
    Negative(Box<Node>),
    Two(Operator, Box<Node>, Box<Node>),
    /// `a ? b : c`.
    Choice(Box<Node>, Box<Node>, Box<Node>),
    Member(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    Has(Box<Node>, String),
    Size(Box<Node>),
    Look(Look, Box<Node>, Box<Node>),
}

/// An operator between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    Plus,
    Minus,
    Times,
    By,
    Rest,
}

/// A look into a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    StartsWith,
    EndsWith,
    Contains,
}

const FUNCTIONS: [&str; 5] = ["has", "size", "startsWith", "endsWith", "contains"];

/// Operators and how tightly they bind.
const OPERATORS: [(&str, Operator, u8); 13] = [
    ("||", Operator::Or, 1),
    ("&&", Operator::And, 2),
    ("==", Operator::Equal, 3),
    ("!=", Operator::Unequal, 3),
    ("<", Operator::Less, 3),
    ("<=", Operator::AtMost, 3),
    (">", Operator::More, 3),
    (">=", Operator::AtLeast, 3),
    ("+", Operator::Plus, 4),
    ("-", Operator::Minus, 4),
    ("*", Operator::Times, 5),
    ("/", Operator::By, 5),
    ("%", Operator::Rest, 5),
];

pub(super) fn parse(source: &str, variables: &[Variable]) -> Result<Node, Unusable> {
    let words = words(source)?;
    let end = source.chars().count() + 1;
    let mut parser = Parser { words, at: 0, end, depth: 0, operators: 0, variables };
    let node = parser.choice()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.wrong("this does not belong here", "Join conditions with && or ||")),
    }
}

struct Parser<'v> {
    words: Vec<(Token, usize)>,
    at: usize,
    end: usize,
    depth: usize,
    operators: usize,
    variables: &'v [Variable],
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.words.get(self.at).map(|(token, _)| token)
    }

    fn column(&self) -> usize {
        self.words.get(self.at).map_or(self.end, |(_, column)| *column)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn wrong(&self, message: &str, hint: &str) -> Unusable {
        Unusable::new(self.column(), message, hint)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn needs(&mut self, sign: &str) -> Result<(), Unusable> {
        match self.takes(sign) {
            true => Ok(()),
            false => Err(Unusable::new(self.column(), format!("`{sign}` is missing here"), "Add it")),
        }
    }

    fn deeper(&mut self) -> Result<(), Unusable> {
        self.depth += 1;
        match self.depth <= DEEPEST {
            true => Ok(()),
            false => Err(self.wrong("is nested too deeply", "Use at most 32 levels, or several rules")),
        }
    }

    fn choice(&mut self) -> Result<Node, Unusable> {
        self.deeper()?;
        let condition = self.operators(1)?;
        let column = self.column();
        let node = match self.takes("?") {
            false => condition,
            true => {
                let yes = self.choice()?;
                self.needs(":")?;
                let no = self.choice()?;
                Node { column, kind: Kind::Choice(Box::new(condition), Box::new(yes), Box::new(no)) }
            }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        match self.peek()? {
            Token::Sign(sign) => OPERATORS.iter().find(|(known, ..)| known == sign).map(|(_, op, power)| (*op, *power)),
            Token::Name(name) if name == "in" => Some((Operator::In, 3)),
            Token::Name(_) | Token::Int(_) | Token::Double(_) | Token::Text(_) => None,
        }
    }

    fn operators(&mut self, least: u8) -> Result<Node, Unusable> {
        let mut left = self.unary()?;
        while let Some((operator, power)) = self.operator().filter(|(_, power)| *power >= least) {
            let column = self.column();
            self.operators += 1;
            if self.operators > MOST_OPERATORS {
                return Err(self.wrong("has too many operators", "Use at most 128, or several rules"));
            }
            self.at += 1;
            let right = self.operators(power + 1)?;
            left = Node { column, kind: Kind::Two(operator, Box::new(left), Box::new(right)) };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Node, Unusable> {
        let column = self.column();
        let negate: fn(Box<Node>) -> Kind = match self.peek() {
            Some(Token::Sign("!")) => Kind::Not,
            Some(Token::Sign("-")) => Kind::Negative,
            Some(_) | None => return self.postfix(),
        };
        self.at += 1;
        self.deeper()?;
        let node = Node { column, kind: negate(Box::new(self.unary()?)) };
        self.depth -= 1;
        Ok(node)
    }

    fn postfix(&mut self) -> Result<Node, Unusable> {
        let mut node = self.primary()?;
        loop {
            let column = self.column();
            let kind = if self.takes(".") {
                let Some(Token::Name(name)) = self.next() else {
                    return Err(Unusable::new(column, "a name is missing after the point", "Write tags.feature"));
                };
                match self.takes("(") {
                    true => self.method(node, &name, column)?,
                    false => Kind::Member(Box::new(node), name),
                }
            } else if self.takes("[") {
                let index = self.choice()?;
                self.needs("]")?;
                Kind::Index(Box::new(node), Box::new(index))
            } else {
                return Ok(node);
            };
            // A long chain is as deep as it is long: dropping it must not exhaust the stack either.
            self.deeper()?;
            node = Node { column, kind };
        }
    }

    fn method(&mut self, of: Node, name: &str, column: usize) -> Result<Kind, Unusable> {
        let mut arguments = self.list(")")?;
        let look = match name {
            "startsWith" => Look::StartsWith,
            "endsWith" => Look::EndsWith,
            "contains" => Look::Contains,
            "size" if arguments.is_empty() => return Ok(Kind::Size(Box::new(of))),
            _ => return Err(no_function(name, column)),
        };
        match (arguments.pop(), arguments.is_empty()) {
            (Some(what), true) => Ok(Kind::Look(look, Box::new(of), Box::new(what))),
            (Some(_) | None, _) => {
                Err(Unusable::new(column, format!("{name} takes one text"), "Write name.contains(\"mini\")"))
            }
        }
    }

    fn call(&mut self, name: &str, column: usize) -> Result<Kind, Unusable> {
        let mut arguments = self.list(")")?;
        let one = arguments.pop().filter(|_| arguments.is_empty());
        match (name, one) {
            ("size", Some(of)) => Ok(Kind::Size(Box::new(of))),
            ("has", Some(Node { kind: Kind::Member(of, member), .. })) => Ok(Kind::Has(of, member)),
            ("has", _) => Err(Unusable::new(column, "has() takes a member", "Write has(tags.feature)")),
            ("size", None) => Err(Unusable::new(column, "size() takes one value", "Write size(tags)")),
            _ => Err(no_function(name, column)),
        }
    }

    fn list(&mut self, close: &str) -> Result<Vec<Node>, Unusable> {
        let mut items = Vec::new();
        while !self.takes(close) {
            if !items.is_empty() {
                self.needs(",")?;
                // As in the specification, a list may end in a comma.
                if self.takes(close) {
                    break;
                }
            }
            items.push(self.choice()?);
        }
        Ok(items)
    }

    fn map(&mut self) -> Result<Kind, Unusable> {
        let mut entries = Vec::new();
        while !self.takes("}") {
            if !entries.is_empty() {
                self.needs(",")?;
                if self.takes("}") {
                    break;
                }
            }
            let key = self.choice()?;
            self.needs(":")?;
            entries.push((key, self.choice()?));
        }
        Ok(Kind::Map(entries))
    }

    fn primary(&mut self) -> Result<Node, Unusable> {
        let column = self.column();
        let kind = match self.next() {
            Some(Token::Int(value)) => Kind::Int(value),
            Some(Token::Double(value)) => Kind::Double(value),
            Some(Token::Text(value)) => Kind::Text(value),
            Some(Token::Name(name)) => self.name(&name, column)?,
            Some(Token::Sign("(")) => {
                let inner = self.choice()?;
                self.needs(")")?;
                return Ok(inner);
            }
            Some(Token::Sign("[")) => Kind::List(self.list("]")?),
            Some(Token::Sign("{")) => self.map()?,
            Some(Token::Sign(_)) | None => {
                return Err(Unusable::new(column, "a value is missing here", "Write a name, a text or a number"));
            }
        };
        Ok(Node { column, kind })
    }

    fn name(&mut self, name: &str, column: usize) -> Result<Kind, Unusable> {
        match name {
            "true" => return Ok(Kind::Bool(true)),
            "false" => return Ok(Kind::Bool(false)),
            "null" => return Ok(Kind::Null),
            _ => {}
        }
        if self.takes("(") {
            return self.call(name, column);
        }
        let known = self.variables.iter().position(|(known, _)| *known == name);
        known.map(Kind::Variable).ok_or_else(|| {
            let names = || self.variables.iter().map(|(known, _)| *known);
            let hint = match nearest(name, names()) {
                Some(close) => format!("Did you mean `{close}`?"),
                None => format!("Known here: {}", names().collect::<Vec<_>>().join(", ")),
            };
            Unusable::new(column, format!("`{name}` is not known here"), hint)
        })
    }
}

fn no_function(name: &str, column: usize) -> Unusable {
    let hint = match name {
        "matches" => "Regular expressions are left out: use startsWith, endsWith or contains".to_owned(),
        _ => format!("Known here: {}", FUNCTIONS.join(", ")),
    };
    Unusable::new(column, format!("there is no function `{name}`"), hint)
}
