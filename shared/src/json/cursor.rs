//! The grammar of JSON for whoever reads values: a cursor that takes one thing after another from a text.
//!
//! Nothing here is generic: it is compiled once, whatever is read.

use super::ReadError;
use super::scanner::plain_run;
use std::borrow::Cow;

/// A number as serde distinguishes them.
pub(super) enum Number {
    Natural(u64),
    Negative(i64),
    Float(f64),
}

/// A text, and how far it has been read.
pub(super) struct Cursor<'de> {
    text: &'de str,
    /// The next byte to read; never past the end.
    pub(super) at: usize,
    /// How many objects and arrays have begun and not ended.
    open: usize,
    is_absent: bool,
}

impl<'de> Cursor<'de> {
    pub(super) fn new(text: &'de str) -> Cursor<'de> {
        Cursor { text, at: 0, open: 0, is_absent: false }
    }

    /// In place of a value that is not there: only what is optional can be read from it.
    pub(super) fn absent() -> Cursor<'de> {
        Cursor { text: "", at: 0, open: 0, is_absent: true }
    }

    /// As many may be open at once as serde_json allows.
    const DEPTH: usize = 127;

    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    #[cold]
    pub(super) fn expected(&mut self, what: &str) -> ReadError {
        let message = match self.peek() {
            // Nobody is told.
            None if self.is_absent => String::new(),
            Some(_) => format!("expected {what}"),
            None => format!("the text ends where {what} was expected"),
        };
        ReadError::new(message).placed(self.at)
    }

    /// What was read, if that was the whole text.
    pub(super) fn finish<T>(&mut self, read: Result<T, ReadError>) -> Result<T, ReadError> {
        let value = read.map_err(|error| error.placed(self.at))?;
        self.peek().map_or(Ok(value), |_| Err(self.expected("the end")))
    }

    fn literal(&mut self, word: &'static str) -> Result<(), ReadError> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// Enters an object or an array.
    fn enter(&mut self, bracket: u8) -> Result<(), ReadError> {
        if self.peek() != Some(bracket) {
            return Err(self.expected(if bracket == b'{' { "an object" } else { "an array" }));
        }
        if self.open == Self::DEPTH {
            return Err(ReadError::new("objects and arrays are nested too deep").placed(self.at));
        }
        self.open += 1;
        self.at += 1;
        Ok(())
    }

    pub(super) fn colon(&mut self) -> Result<(), ReadError> {
        if self.peek() != Some(b':') {
            return Err(self.expected("a colon"));
        }
        self.at += 1;
        Ok(())
    }

    /// A string, borrowed unless it has escapes.
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, ReadError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a string"));
        }
        self.at += 1;
        let mut owned = String::new();
        loop {
            let start = self.at;
            self.at += plain_run(self.rest());
            let plain = self.text.get(start..self.at).unwrap_or_default();
            match self.rest().first() {
                Some(b'"') => {
                    self.at += 1;
                    if owned.is_empty() {
                        return Ok(Cow::Borrowed(plain));
                    }
                    owned.push_str(plain);
                    return Ok(Cow::Owned(owned));
                }
                Some(b'\\') => {
                    owned.push_str(plain);
                    owned.push(self.escape()?);
                }
                Some(_) => return Err(ReadError::new("a control character stands in a string").placed(self.at)),
                None => return Err(self.expected("the end of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ReadError> {
        let kind = self.rest().get(1).copied();
        self.at += 2;
        Ok(match kind {
            Some(b @ (b'"' | b'\\' | b'/')) => char::from(b),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            Some(_) | None => {
                self.at = (self.at - 1).min(self.text.len());
                return Err(self.expected("an escape sequence"));
            }
        })
    }

    /// The character of one `\uXXXX`, or of two that belong together.
    fn code_point(&mut self) -> Result<char, ReadError> {
        let first = self.code_unit()?;
        let units = if (0xD800..0xDC00).contains(&first) && self.rest().starts_with(b"\\u") {
            self.at += 2;
            [first, self.code_unit()?]
        } else {
            [first, 0]
        };
        let lone = || ReadError::new("half a surrogate pair is no character").placed(self.at);
        char::decode_utf16(units).next().and_then(Result::ok).ok_or_else(lone)
    }

    fn code_unit(&mut self) -> Result<u16, ReadError> {
        let digits = self.rest().get(..4).and_then(|digits| {
            digits.iter().try_fold(0, |unit: u32, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
        });
        let Some(unit) = digits else { return Err(self.expected("four hexadecimal digits")) };
        self.at += 4;
        Ok(unit as u16)
    }

    pub(super) fn number(&mut self) -> Result<Number, ReadError> {
        self.peek();
        let start = self.at;
        let is_whole = self.digits()?;
        let digits = self.text.get(start..self.at).unwrap_or_default();
        if is_whole && digits != "-0" {
            if let Ok(natural) = digits.parse() {
                return Ok(Number::Natural(natural));
            }
            if let Ok(negative) = digits.parse() {
                return Ok(Number::Negative(negative));
            }
        }
        match super::float(digits) {
            Some(float) if float.is_finite() => Ok(Number::Float(float)),
            Some(_) | None => Err(ReadError::new("the number is out of range").placed(start)),
        }
    }

    /// Passes over a number; tells whether it has neither a fraction nor an exponent.
    fn digits(&mut self) -> Result<bool, ReadError> {
        self.skip_if(b"-");
        if !self.skip_if(b"0") {
            self.some_digits()?;
        }
        let mut is_whole = true;
        if self.skip_if(b".") {
            self.some_digits()?;
            is_whole = false;
        }
        if self.skip_if(b"eE") {
            self.skip_if(b"+-");
            self.some_digits()?;
            is_whole = false;
        }
        Ok(is_whole)
    }

    fn skip_if(&mut self, any_of: &[u8]) -> bool {
        let found = self.rest().first().is_some_and(|byte| any_of.contains(byte));
        self.at += usize::from(found);
        found
    }

    fn some_digits(&mut self) -> Result<(), ReadError> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.expected("a digit"));
        }
        self.at += count;
        Ok(())
    }

    /// Passes over a string. Whether its escapes make characters matters to whoever reads it.
    fn skip_string(&mut self) -> Result<(), ReadError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a string"));
        }
        self.at += 1;
        loop {
            self.at += plain_run(self.rest());
            match self.rest().first() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.skip_escape()?,
                Some(_) => return Err(ReadError::new("a control character stands in a string").placed(self.at)),
                None => return Err(self.expected("the end of a string")),
            }
        }
    }

    fn skip_escape(&mut self) -> Result<(), ReadError> {
        let is_unit = self.rest().get(1) == Some(&b'u');
        if is_unit {
            self.at += 2;
            return self.code_unit().map(drop);
        }
        self.escape().map(drop)
    }

    /// Passes over any value.
    pub(super) fn skip(&mut self) -> Result<(), ReadError> {
        match self.peek() {
            Some(b'"') => self.skip_string(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.digits().map(drop),
            Some(b'{') => {
                let mut members = Inside::enter(self, b'{')?;
                while members.next()? {
                    members.cursor.skip_string()?;
                    members.cursor.colon()?;
                    members.cursor.skip()?;
                }
                Ok(())
            }
            Some(b'[') => {
                let mut items = Inside::enter(self, b'[')?;
                while items.next()? {
                    items.cursor.skip()?;
                }
                Ok(())
            }
            Some(_) | None => Err(self.expected("a value")),
        }
    }

    /// The text of any value.
    pub(super) fn raw(&mut self) -> Result<&'de str, ReadError> {
        self.peek();
        let start = self.at;
        self.skip()?;
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    pub(super) fn boolean(&mut self) -> Result<bool, ReadError> {
        match self.peek() {
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| false),
            Some(_) | None => Err(self.expected("true or false")),
        }
    }

    /// Whether there is no value: none at all, or `null`, which is then read.
    pub(super) fn none(&mut self) -> Result<bool, ReadError> {
        if self.is_absent { Ok(true) } else { self.null() }
    }

    /// Whether the value is `null`, which is then read.
    pub(super) fn null(&mut self) -> Result<bool, ReadError> {
        match self.peek() {
            Some(b'n') => self.literal("null").map(|()| true),
            Some(_) | None => Ok(false),
        }
    }
}

/// What is left in an object or an array.
pub(super) struct Inside<'c, 'de> {
    pub(super) cursor: &'c mut Cursor<'de>,
    close: u8,
    first: bool,
    over: bool,
}

impl<'c, 'de> Inside<'c, 'de> {
    /// Enters an object or an array by its opening bracket.
    pub(super) fn enter(cursor: &'c mut Cursor<'de>, open: u8) -> Result<Inside<'c, 'de>, ReadError> {
        cursor.enter(open)?;
        // In ASCII, a closing bracket stands two places behind its opening one.
        Ok(Inside { cursor, close: open + 2, first: true, over: false })
    }

    /// Goes to the next item, if there is one.
    pub(super) fn next(&mut self) -> Result<bool, ReadError> {
        if self.over {
            return Ok(false);
        }
        let is_first = std::mem::take(&mut self.first);
        match self.cursor.peek() {
            Some(byte) if byte == self.close => {
                self.over = true;
                self.cursor.open -= 1;
                self.cursor.at += 1;
            }
            Some(b',') if !is_first => self.cursor.at += 1,
            Some(_) if is_first => {}
            Some(_) | None => return Err(self.cursor.expected("a comma or a closing bracket")),
        }
        Ok(!self.over)
    }

    /// Goes to the next member of an object, if there is one, and passes over its name.
    pub(super) fn name(&mut self) -> Result<Option<Cow<'de, str>>, ReadError> {
        if !self.next()? {
            return Ok(None);
        }
        if self.cursor.peek() != Some(b'"') {
            return Err(self.cursor.expected("a member's name"));
        }
        self.cursor.string().map(Some)
    }

    /// Leaves it: nothing may be left.
    pub(super) fn leave(mut self) -> Result<(), ReadError> {
        match self.next()? {
            false => Ok(()),
            true => Err(self.cursor.expected("no more items")),
        }
    }
}
