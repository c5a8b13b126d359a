//! Dates of birth: a date with a word beside it that says whose.

use super::Match;
use super::context::near;
use crate::guard::{before, byte, run};

const WORDS: &str = "born|birth|birthday|birthdate|dob|d.o.b|geboren|geburtsdatum|geb.|geburtstag|née|né le|\
naissance|nacido|nacida|nacimiento|nato il|nata il|nascita|nascimento|geboortedatum|född|fødselsdato|data urodzenia|\
生年月日|出生";

/// A date that begins here and is somebody's birth.
pub(super) fn birth(text: &[u8], at: usize) -> Option<Match> {
    let end = numeric(text, at).or_else(|| day_month(text, at)).or_else(|| month_day(text, at))?;
    (!byte(text, end).is_ascii_alphanumeric() && near(text, &(at..end), WORDS)).then_some(("date_of_birth", at..end))
}

/// `1981-05-31`, `31.5.81`, `5/31/1981`.
fn numeric(text: &[u8], at: usize) -> Option<usize> {
    let first = run(text, at, |b| b.is_ascii_digit());
    let sign = byte(text, at + first);
    if !b"-/.".contains(&sign) || before(text, at) == sign {
        return None;
    }
    let second = run(text, at + first + 1, |b| b.is_ascii_digit());
    if byte(text, at + first + 1 + second) != sign {
        return None;
    }
    let third = run(text, at + first + second + 2, |b| b.is_ascii_digit());
    let good = matches!((first, second, third), (4, 1..=2, 1..=2) | (1..=2, 1..=2, 2 | 4));
    good.then_some(at + first + second + third + 2)
}

/// `31 May 1981`, `31st of May, 1981`.
fn day_month(text: &[u8], at: usize) -> Option<usize> {
    let mut place = at + run(text, at, |b| b.is_ascii_digit()).min(3);
    (1..=2).contains(&(place - at)).then_some(())?;
    place += run(text, place, |b| b.is_ascii_alphabetic()).min(2);
    place += run(text, place, |b| b == b' ' || b == b'.');
    if text.get(place..)?.starts_with(b"of ") {
        place += 3;
    }
    year(text, month(text, place)?)
}

/// `May 31, 1981`.
fn month_day(text: &[u8], at: usize) -> Option<usize> {
    let mut place = month(text, at)?;
    place += run(text, place, |b| b == b' ' || b == b'.');
    let day = run(text, place, |b| b.is_ascii_digit());
    (1..=2).contains(&day).then_some(())?;
    place += day;
    place += run(text, place, |b| b.is_ascii_alphabetic()).min(2);
    year(text, place)
}

/// Whether the name of a month begins here, as far as three letters tell.
pub(super) fn is_month(text: &[u8], at: usize) -> bool {
    let Some(&[a, b, c]) = text.get(at..at + 3) else { return false };
    matches!(
        &[a | 0x20, b | 0x20, c | 0x20],
        b"jan" | b"feb" | b"mar" | b"apr" | b"may" | b"jun" | b"jul" | b"aug" | b"sep" | b"oct" | b"nov" | b"dec"
    )
}

fn month(text: &[u8], at: usize) -> Option<usize> {
    is_month(text, at).then(|| at + run(text, at, |b| b.is_ascii_alphabetic()).min(9))
}

fn year(text: &[u8], at: usize) -> Option<usize> {
    let place = at + run(text, at, |b| b" ,.".contains(&b)).min(3);
    let digits = run(text, place, |b| b.is_ascii_digit());
    (digits == 4 && matches!(text.get(place..place + 2), Some(b"19" | b"20"))).then_some(place + 4)
}
