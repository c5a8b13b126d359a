//! From the text of a pattern to its program.

/// A step of a program. What takes a character goes on to the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Inst {
    /// Any character but the end of a line.
    Any,
    /// This one.
    One(char),
    /// One in these ranges, or one in none of them.
    Class { ranges: Vec<(char, char)>, negated: bool },
    /// Go on at both.
    Split(usize, usize),
    /// Go on there.
    Jump(usize),
    /// Only at the edge of a word.
    Edge,
    /// Only at the start of the text.
    Start,
    /// Only at its end.
    End,
    /// The end.
    Match,
}

impl Inst {
    pub(super) fn takes(&self, c: char) -> bool {
        match self {
            Inst::Any => c != '\n',
            Inst::One(one) => *one == c,
            Inst::Class { ranges, negated } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated,
            Inst::Split(..) | Inst::Jump(_) | Inst::Edge | Inst::Start | Inst::End | Inst::Match => false,
        }
    }
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The longest pattern, in bytes.
const LONGEST_PATTERN: usize = 512;
/// How deep groups may stand in groups.
const DEEPEST: usize = 16;
/// The most times something may be repeated.
const MOST: usize = 256;

/// Compiles a pattern to at most `limit` steps.
pub(super) fn compile(pattern: &str, limit: usize) -> Result<Vec<Inst>, &'static str> {
    if pattern.is_empty() || pattern.len() > LONGEST_PATTERN {
        return Err("must have 1 to 512 bytes");
    }
    let mut parser = Parser { chars: pattern.chars().peekable(), limit, depth: 0 };
    let mut program = parser.choice()?;
    if parser.chars.peek().is_some() {
        return Err("closes a group that is not open");
    }
    program.push(Inst::Match);
    Ok(program)
}

struct Parser<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    limit: usize,
    depth: usize,
}

impl Parser<'_> {
    fn choice(&mut self) -> Result<Vec<Inst>, &'static str> {
        let mut all = self.sequence()?;
        while self.chars.next_if_eq(&'|').is_some() {
            let other = self.sequence()?;
            let mut both = vec![Inst::Split(1, all.len() + 2)];
            append(&mut both, all);
            both.push(Inst::Jump(both.len() + 1 + other.len()));
            append(&mut both, other);
            all = both;
            self.check(all.len())?;
        }
        Ok(all)
    }

    fn sequence(&mut self) -> Result<Vec<Inst>, &'static str> {
        let mut all = Vec::new();
        while let Some(&c) = self.chars.peek() {
            if c == '|' || c == ')' {
                break;
            }
            let atom = self.atom()?;
            append(&mut all, self.repeated(atom)?);
            self.check(all.len())?;
        }
        Ok(all)
    }

    fn atom(&mut self) -> Result<Vec<Inst>, &'static str> {
        let one = match self.chars.next().ok_or("ends too early")? {
            '(' => {
                // `(?:x)` is `(x)`: nothing is captured.
                if self.chars.next_if_eq(&'?').is_some() && self.chars.next_if_eq(&':').is_none() {
                    return Err("has a group that is not known here: look-around is not linear");
                }
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err("has groups too deep in groups");
                }
                let inner = self.choice()?;
                self.depth -= 1;
                self.chars.next_if_eq(&')').ok_or("does not close a group")?;
                return Ok(inner);
            }
            '[' => self.class()?,
            '.' => Inst::Any,
            '^' => Inst::Start,
            '$' => Inst::End,
            '\\' => self.escape()?,
            '*' | '+' | '?' => return Err("repeats nothing"),
            c => Inst::One(c),
        };
        Ok(vec![one])
    }

    fn escape(&mut self) -> Result<Inst, &'static str> {
        let c = self.chars.next().ok_or("ends in a backslash")?;
        Ok(match c {
            'b' => Inst::Edge,
            'd' | 'w' | 's' => Inst::Class { ranges: named(c), negated: false },
            'D' | 'W' | 'S' => Inst::Class { ranges: named(c.to_ascii_lowercase()), negated: true },
            'n' => Inst::One('\n'),
            't' => Inst::One('\t'),
            'r' => Inst::One('\r'),
            c if c.is_ascii_alphanumeric() => return Err("has an escape that is not known here"),
            c => Inst::One(c),
        })
    }

    fn class(&mut self) -> Result<Inst, &'static str> {
        let negated = self.chars.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        loop {
            let low = match self.chars.next().ok_or("does not close a class")? {
                ']' if !ranges.is_empty() => break,
                '\\' => match self.escape()? {
                    Inst::One(c) => c,
                    Inst::Class { ranges: inner, negated: false } => {
                        ranges.extend(inner);
                        continue;
                    }
                    Inst::Any
                    | Inst::Class { .. }
                    | Inst::Split(..)
                    | Inst::Jump(_)
                    | Inst::Edge
                    | Inst::Start
                    | Inst::End
                    | Inst::Match => return Err("has an escape that means nothing in a class"),
                },
                c => c,
            };
            let mut ahead = self.chars.clone();
            let high = match (ahead.next(), ahead.next()) {
                (Some('-'), Some(high)) if high != ']' => {
                    self.chars.next();
                    self.chars.next();
                    if high == '\\' { self.chars.next().ok_or("ends in a backslash")? } else { high }
                }
                (Some(_) | None, Some(_) | None) => low,
            };
            if low > high {
                return Err("has a range that runs backwards");
            }
            ranges.push((low, high));
        }
        Ok(Inst::Class { ranges, negated })
    }

    /// What follows an atom: how often it comes.
    fn repeated(&mut self, atom: Vec<Inst>) -> Result<Vec<Inst>, &'static str> {
        let (least, most) = match self.chars.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => return self.counted(atom),
            Some(_) | None => return Ok(atom),
        };
        self.chars.next();
        // Lazy or greedy, the longest is told.
        self.chars.next_if_eq(&'?');
        self.unrolled(&atom, least, most)
    }

    fn counted(&mut self, atom: Vec<Inst>) -> Result<Vec<Inst>, &'static str> {
        self.chars.next();
        let inside: String = self.chars.by_ref().take_while(|c| *c != '}').take(9).collect();
        let (least, most) = match inside.split_once(',') {
            None => (inside.as_str(), Some(inside.as_str())),
            Some((least, "")) => (least, None),
            Some((least, most)) => (least, Some(most)),
        };
        let number =
            |text: &str| text.parse::<usize>().ok().filter(|number| *number <= MOST).ok_or("counts wrongly in braces");
        let (least, most) = (number(least)?, most.map(number).transpose()?);
        if most.is_some_and(|most| most < least) {
            return Err("counts wrongly in braces");
        }
        self.chars.next_if_eq(&'?');
        self.unrolled(&atom, least, most)
    }

    fn unrolled(&mut self, atom: &[Inst], least: usize, most: Option<usize>) -> Result<Vec<Inst>, &'static str> {
        let mut all = Vec::new();
        let copies = most.unwrap_or(least + 1);
        self.check(atom.len().saturating_mul(copies))?;
        for _ in 0..least {
            append(&mut all, atom.to_vec());
        }
        match most {
            // A loop: in or past, and back.
            None => {
                let head = all.len();
                all.push(Inst::Split(head + 1, head + atom.len() + 2));
                append(&mut all, atom.to_vec());
                all.push(Inst::Jump(head));
            }
            Some(most) => {
                let end = all.len() + (most - least) * (atom.len() + 1);
                for _ in least..most {
                    all.push(Inst::Split(all.len() + 1, end));
                    append(&mut all, atom.to_vec());
                }
            }
        }
        Ok(all)
    }

    fn check(&self, size: usize) -> Result<(), &'static str> {
        if size > self.limit { Err("is too large: repeat less in it") } else { Ok(()) }
    }
}

/// Appends a program, its places moved to where it comes to stand.
fn append(all: &mut Vec<Inst>, more: Vec<Inst>) {
    let by = all.len();
    all.extend(more.into_iter().map(|inst| match inst {
        Inst::Split(a, b) => Inst::Split(a + by, b + by),
        Inst::Jump(to) => Inst::Jump(to + by),
        inst @ (Inst::Any | Inst::One(_) | Inst::Class { .. } | Inst::Edge | Inst::Start | Inst::End | Inst::Match) => {
            inst
        }
    }));
}

fn named(name: char) -> Vec<(char, char)> {
    match name {
        'd' => vec![('0', '9')],
        's' => vec![('\t', '\r'), (' ', ' '), ('\u{a0}', '\u{a0}'), ('\u{2000}', '\u{200a}'), ('\u{3000}', '\u{3000}')],
        _ => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'), ('\u{c0}', '\u{24f}'), ('\u{370}', '\u{52f}')],
    }
}
