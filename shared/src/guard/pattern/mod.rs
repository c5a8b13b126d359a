//! Patterns an operator writes: regular expressions without what makes them slow.
//!
//! Compiled to a program that is bounded in size and run over all its states at once (Thompson 1968), so the
//! cost is the text times the program, whatever the pattern: there is none that backtracks. Letters in either
//! case are the same. The longest match of the leftmost is told.
//!
//! | written | matches |
//! |---|---|
//! | `a` `\.` `.` | a character, itself; anything but the end of a line |
//! | `[a-z_]` `[^0-9]` | one of a class, one of the others |
//! | `\d` `\w` `\s` and `\D` `\W` `\S` | digit, word character, white space; the others |
//! | `\b` | the edge of a word |
//! | `x*` `x+` `x?` `x{2,5}` | repetition, at most 256 times |
//! | `xy` `x|y` `(x)` | sequence, choice, group |

mod fold;
mod parse;

use super::{Found, LONGEST};
use parse::Inst;

/// The longest match, in bytes: within what a stream may hold back.
const LONGEST_MATCH: usize = LONGEST / 8;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    class: String,
    program: Vec<Inst>,
    insensitive: bool,
}

/// States under way, each with where its match began; in the order in which they are preferred.
#[derive(Debug, Default)]
struct Threads {
    list: Vec<(usize, usize)>,
    seen: Vec<u64>,
}

impl Threads {
    fn clear(&mut self, size: usize) {
        self.list.clear();
        self.seen.clear();
        self.seen.resize(size.div_ceil(64), 0);
    }

    /// Notes a state; whether it is new.
    fn mark(&mut self, state: usize) -> bool {
        let Some(word) = self.seen.get_mut(state / 64) else { return false };
        let bit = 1u64 << (state % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

impl Pattern {
    /// Compiles a pattern whose findings are called `class`. The error says what is wrong with it.
    pub fn new(class: &str, pattern: &str) -> Result<Pattern, &'static str> {
        let mut program = parse::compile(pattern, 4_096)?;
        program.iter_mut().for_each(fold::fold);
        Ok(Pattern { class: class.to_owned(), program, insensitive: true })
    }

    /// The pattern of a JSON Schema: case counts, and `^` and `$` are the ends of the text.
    pub(super) fn of_schema(pattern: &str) -> Result<Pattern, &'static str> {
        Ok(Pattern { class: String::new(), program: parse::compile(pattern, 1_024)?, insensitive: false })
    }

    /// Whether the pattern is somewhere in the text.
    pub fn is_in(&self, text: &str) -> bool {
        let mut found = Vec::new();
        self.find(text, &mut found);
        !found.is_empty()
    }

    /// Finds all matches in a plain text, one after the other.
    pub fn find(&self, text: &str, out: &mut Vec<Found>) {
        let mut from = 0;
        while let Some((start, end)) = self.first(text, from).0 {
            out.push(Found::new(&self.class, start..end));
            from = end;
        }
    }

    /// From where on a plain text could still become a match, or a longer one.
    pub fn unfinished(&self, text: &str) -> usize {
        let mut from = text.len().saturating_sub(2 * LONGEST_MATCH);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        loop {
            match self.first(text, from) {
                (_, Some(pending)) => return pending,
                (Some((_, end)), None) => from = end,
                (None, None) => return text.len(),
            }
        }
    }

    /// The first match from here on, and where the earliest began that the end of the text left open.
    fn first(&self, text: &str, from: usize) -> (Option<(usize, usize)>, Option<usize>) {
        let size = self.program.len();
        let (mut now, mut next) = (Threads::default(), Vec::new());
        now.clear(size);
        let mut stack = Vec::new();
        let mut best: Option<(usize, usize)> = None;
        let mut open = None;
        let (head, rest) = text.split_at_checked(from).unwrap_or((text, ""));
        let mut previous = head.chars().next_back();
        let mut chars = rest.char_indices().peekable();
        let leading = self.leading();
        loop {
            // Most of a text begins no match: it is passed over.
            if let (Some(leading), true, true) = (leading, now.list.is_empty(), best.is_none()) {
                while let Some((_, c)) = chars.next_if(|(_, c)| !self.takes(leading, *c)) {
                    previous = Some(c);
                }
            }
            let current = chars.next();
            let at = current.map_or(text.len(), |(at, _)| from + at);
            let c = current.map(|(_, c)| c);
            if best.is_none() {
                self.enter(0, at, &Edge { previous, next: c }, &mut now, &mut stack);
            }
            for &(state, start) in &now.list {
                // Of matches the leftmost counts, of those the longest.
                if best.is_some_and(|(leftmost, _)| start > leftmost) {
                    continue;
                }
                match (self.program.get(state), c) {
                    (Some(Inst::Match), _) if at > start => best = Some((start, at)),
                    (Some(inst), Some(c)) if at - start < LONGEST_MATCH && self.takes(inst, c) => {
                        next.push((state + 1, start))
                    }
                    (Some(_) | None, Some(_) | None) => {}
                }
            }
            let Some(c) = c else { break };
            previous = Some(c);
            let edge = Edge { previous, next: chars.peek().map(|(_, c)| *c) };
            if edge.next.is_none() {
                let open_ended = next.iter().filter(|(state, _)| self.program.get(*state) != Some(&Inst::Match));
                open = open_ended.map(|(_, start)| *start).min();
            }
            now.clear(size);
            for (state, start) in next.drain(..) {
                self.enter(state, start, &edge, &mut now, &mut stack);
            }
            if now.list.is_empty() && best.is_some() {
                break;
            }
        }
        (best, open)
    }

    /// What every match begins with, where that is one step.
    fn leading(&self) -> Option<&Inst> {
        let first = self.program.iter().find(|inst| **inst != Inst::Edge)?;
        matches!(first, Inst::One(_) | Inst::Class { .. }).then_some(first)
    }

    fn takes(&self, inst: &Inst, c: char) -> bool {
        if !self.insensitive || !c.is_alphabetic() {
            return inst.takes(c);
        }
        match inst {
            Inst::Class { negated: true, .. } => inst.takes(fold::folded(c)) && inst.takes(c),
            Inst::One(_) | Inst::Class { .. } => inst.takes(fold::folded(c)) || inst.takes(c),
            Inst::Any | Inst::Split(..) | Inst::Jump(_) | Inst::Edge | Inst::Start | Inst::End | Inst::Match => {
                inst.takes(c)
            }
        }
    }

    /// Follows what takes no character.
    fn enter(&self, state: usize, start: usize, edge: &Edge, threads: &mut Threads, stack: &mut Vec<usize>) {
        stack.push(state);
        while let Some(state) = stack.pop() {
            if !threads.mark(state) {
                continue;
            }
            match self.program.get(state) {
                Some(Inst::Split(a, b)) => {
                    stack.push(*b);
                    stack.push(*a);
                }
                Some(Inst::Jump(to)) => stack.push(*to),
                Some(Inst::Edge) if edge.is_word() => stack.push(state + 1),
                Some(Inst::Start) if edge.previous.is_none() => stack.push(state + 1),
                Some(Inst::End) if edge.next.is_none() => stack.push(state + 1),
                Some(Inst::Edge | Inst::Start | Inst::End) | None => {}
                Some(Inst::Any | Inst::One(_) | Inst::Class { .. } | Inst::Match) => threads.list.push((state, start)),
            }
        }
    }
}

/// The characters on both sides of a place.
struct Edge {
    previous: Option<char>,
    next: Option<char>,
}

impl Edge {
    fn is_word(&self) -> bool {
        let word = |c: Option<char>| c.is_some_and(parse::is_word);
        word(self.previous) != word(self.next)
    }
}

#[cfg(test)]
mod tests;
