//! The grammar of RFC 8259 as a loop: values begin, values end, and a stack remembers what is open.

use super::names::Names;
use super::{Document, ErrorKind, JsonError, Limits, Member};
use std::borrow::Cow;

/// An object or array that has begun and not ended.
#[derive(Clone, Copy)]
enum Open {
    Array,
    /// With the mark of its names.
    Object(usize),
}

pub(super) struct Scanner<'a> {
    text: &'a str,
    /// The next byte to read; never past the end.
    at: usize,
    depth: usize,
    open: Vec<Open>,
    names: Names<'a>,
    members: Vec<Member<'a>>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, limits: &Limits) -> Scanner<'a> {
        Scanner { text, at: 0, depth: limits.depth, open: Vec::new(), names: Names::default(), members: Vec::new() }
    }

    pub(super) fn document(mut self) -> Result<Document<'a>, JsonError> {
        if self.text.starts_with('\u{FEFF}') {
            return Err(JsonError::new(0, ErrorKind::ByteOrderMark));
        }
        self.skip_space();
        if self.peek().is_none() {
            return Err(self.error(ErrorKind::Empty));
        }
        let (top, is_object) = (self.at, self.peek() == Some(b'{'));
        loop {
            let ended = self.begin_value()?;
            if ended && !self.go_on()? {
                break;
            }
        }
        self.skip_space();
        if self.peek().is_some() {
            return Err(self.error(ErrorKind::TrailingData));
        }
        if !is_object {
            return Err(JsonError::new(top, ErrorKind::NotAnObject));
        }
        Ok(Document { body: self.text, members: self.members, inside: top + 1 })
    }

    /// Reads a value from its first byte: a scalar or an empty container whole, of any other
    /// container as much as stands before its first value. Tells whether the value has ended.
    fn begin_value(&mut self) -> Result<bool, JsonError> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| true),
            Some(b'{') => {
                self.enter(Open::Object(self.names.begin()))?;
                if self.peek() == Some(b'}') {
                    self.leave()?;
                    return Ok(true);
                }
                self.member_name().map(|()| false)
            }
            Some(b'[') => {
                self.enter(Open::Array)?;
                if self.peek() == Some(b']') {
                    self.leave()?;
                    return Ok(true);
                }
                Ok(false)
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| true),
            Some(b't') => self.literal("true").map(|()| true),
            Some(b'f') => self.literal("false").map(|()| true),
            Some(b'n') => self.literal("null").map(|()| true),
            Some(_) | None => Err(self.expected("a value")),
        }
    }

    /// After a value: closes the containers it was the last of and reads up to the next value. Tells
    /// whether there is one.
    fn go_on(&mut self) -> Result<bool, JsonError> {
        loop {
            if let ([_], Some(member)) = (self.open.as_slice(), self.members.last_mut()) {
                member.value.end = self.at;
            }
            let Some(&open) = self.open.last() else { return Ok(false) };
            self.skip_space();
            match (open, self.peek()) {
                (Open::Object(_), Some(b'}')) | (Open::Array, Some(b']')) => self.leave()?,
                (Open::Object(_), Some(b',')) => {
                    self.skip_byte_and_space();
                    return self.member_name().map(|()| true);
                }
                (Open::Array, Some(b',')) => {
                    self.skip_byte_and_space();
                    return Ok(true);
                }
                (Open::Object(_), Some(_) | None) => return Err(self.expected("a comma or a closing brace")),
                (Open::Array, Some(_) | None) => return Err(self.expected("a comma or a closing bracket")),
            }
        }
    }

    /// Reads a member's name and colon.
    fn member_name(&mut self) -> Result<(), JsonError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member name in double quotes"));
        }
        let start = self.at;
        let has_escapes = self.string()?;
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        let name = match has_escapes {
            false => Cow::Borrowed(quoted.trim_matches('"')),
            true => Cow::Owned(crate::json::parse(quoted).map_err(|_| self.expected("a member name"))?),
        };
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.expected("a colon"));
        }
        self.skip_byte_and_space();
        if self.open.len() == 1 {
            self.members.push(Member { name: name.clone(), start, value: self.at..self.at });
        }
        match self.open.last() {
            Some(&Open::Object(mark)) => self.names.add(mark, name, start),
            Some(Open::Array) | None => Ok(()),
        }
    }

    fn enter(&mut self, container: Open) -> Result<(), JsonError> {
        if self.open.len() >= self.depth {
            return Err(self.error(ErrorKind::TooDeep { limit: self.depth }));
        }
        self.open.push(container);
        self.skip_byte_and_space();
        Ok(())
    }

    fn leave(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        match self.open.pop() {
            Some(Open::Object(mark)) => self.names.end(mark),
            Some(Open::Array) | None => Ok(()),
        }
    }

    /// Reads a string, both quotes included. Tells whether it has escapes.
    fn string(&mut self) -> Result<bool, JsonError> {
        self.at += 1;
        let mut has_escapes = false;
        loop {
            self.at += plain_run(self.rest());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.error(ErrorKind::ControlCharacter)),
                None => return Err(self.error(ErrorKind::Incomplete)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        let lone = JsonError::new(start, ErrorKind::LoneSurrogate);
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => match self.code_unit()? {
                0xDC00..=0xDFFF => return Err(lone),
                0xD800..=0xDBFF => {
                    if !self.rest().starts_with(b"\\u") {
                        return Err(lone);
                    }
                    self.at += 1;
                    if !(0xDC00..=0xDFFF).contains(&self.code_unit()?) {
                        return Err(lone);
                    }
                }
                _ => {}
            },
            Some(_) | None => return Err(self.expected("an escape sequence")),
        }
        Ok(())
    }

    /// Reads `u` and four hexadecimal digits.
    fn code_unit(&mut self) -> Result<u32, JsonError> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.expected("four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.skip_if(b"-");
        if !self.skip_if(b"0") {
            self.digits()?;
        }
        if self.skip_if(b".") {
            self.digits()?;
        }
        if self.skip_if(b"eE") {
            self.skip_if(b"+-");
            self.digits()?;
        }
        Ok(())
    }

    /// Reads digits, at least one.
    fn digits(&mut self) -> Result<(), JsonError> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.expected("a digit"));
        }
        self.at += count;
        Ok(())
    }

    fn literal(&mut self, word: &'static str) -> Result<(), JsonError> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_if(&mut self, any_of: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| any_of.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn skip_byte_and_space(&mut self) {
        self.at += 1;
        self.skip_space();
    }

    /// The grammar wants something else here, or more.
    fn expected(&self, expected: &'static str) -> JsonError {
        match self.peek() {
            Some(_) => self.error(ErrorKind::Syntax { expected }),
            None => self.error(ErrorKind::Incomplete),
        }
    }

    fn error(&self, kind: ErrorKind) -> JsonError {
        JsonError::new(self.at, kind)
    }
}

/// How many bytes at the front have no meaning of their own in a string: no quote, no backslash, no
/// control character. Eight at a time: nearly all of a prompt is such bytes, and wasm has no wider
/// registers to offer.
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    // The top bit of each byte that is less than `n`; exact up to the first such byte.
    let less = |word: u64, n: u8| word.wrapping_sub(ONES * u64::from(n)) & !word;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = less(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = less(word ^ (ONES * u64::from(b'\\')), 1);
        let special = (less(word, 0x20) | quote | backslash) & TOPS;
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let plain = tail.iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count();
    words.len() * 8 + plain
}
