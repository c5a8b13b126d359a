//! A condition as words, each with its place.

use super::Unusable;

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Int(i64),
    Double(f64),
    Text(String),
    Name(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// The longer signs first.
const SIGNS: [&str; 25] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "?", ":", "+", "-", "*", "/", "%", "(", ")", "[", "]", "{", "}",
    ",", ".", "=",
];

/// The words of a source and the column of each; the last column is the end's.
pub(super) fn words(source: &str) -> Result<Vec<(Token, usize)>, Unusable> {
    let mut words = Vec::new();
    let mut rest = source;
    loop {
        rest = rest.trim_start();
        let column = source.chars().count().saturating_sub(rest.chars().count()) + 1;
        let Some(first) = rest.chars().next() else { return Ok(words) };
        let (token, after) = match first {
            '"' | '\'' => text(rest, first, column)?,
            '0'..='9' => number(rest, column)?,
            'a'..='z' | 'A'..='Z' | '_' => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                (Token::Name(name.to_owned()), after)
            }
            _ => sign(rest, column)?,
        };
        words.push((token, column));
        rest = after;
    }
}

fn sign(rest: &str, column: usize) -> Result<(Token, &str), Unusable> {
    let found = SIGNS.iter().find_map(|sign| Some((*sign, rest.strip_prefix(sign)?)));
    match found {
        Some(("=", _)) => Err(Unusable::new(column, "`=` compares nothing", "Write == to compare")),
        Some((sign, after)) => Ok((Token::Sign(sign), after)),
        None => Err(Unusable::new(column, "this character means nothing here", "Texts stand in quotes: \"chat\"")),
    }
}

fn number(rest: &str, column: usize) -> Result<(Token, &str), Unusable> {
    let mut end = 0;
    let mut before = ' ';
    for c in rest.chars() {
        let exponent_sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
        if !(c.is_ascii_alphanumeric() || c == '.' || exponent_sign) {
            break;
        }
        (end, before) = (end + 1, c);
    }
    let (digits, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    let token = match whole {
        true => digits.parse().ok().map(Token::Int),
        false => crate::json::float(digits).filter(|double| double.is_finite()).map(Token::Double),
    };
    let token = token.ok_or_else(|| Unusable::new(column, "is no number", "Write 12 or 0.5"))?;
    Ok((token, after))
}

fn text(rest: &str, quote: char, column: usize) -> Result<(Token, &str), Unusable> {
    let mut out = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            c if c == quote => {
                let after = rest.get(at + quote.len_utf8()..).unwrap_or_default();
                return Ok((Token::Text(out), after));
            }
            '\\' => out.push(match characters.next().map(|(_, c)| c) {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(c @ ('\\' | '"' | '\'')) => c,
                Some(_) | None => {
                    let hint = "Use \\\\, \\\", \\', \\n, \\t or \\r";
                    return Err(Unusable::new(column, "has an escape that is not known", hint));
                }
            }),
            c => out.push(c),
        }
    }
    Err(Unusable::new(column, "this text does not end", "Close it with the quote it began with"))
}
