//! The numbers of Europe.

use super::*;

/// UK National Insurance: prefixes that are issued.
pub(in super::super) fn nino(text: &[u8]) -> bool {
    let (a, b) = (text.first().copied().unwrap_or(0), text.get(1).copied().unwrap_or(0));
    let banned = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].iter().any(|pair| pair.as_slice() == [a, b]);
    !b"DFIQUV".contains(&a) && !b"DFIOQUV".contains(&b) && !banned && text.last().is_some_and(|b| b"ABCD".contains(b))
}

/// UK National Health Service: modulo 11.
pub(in super::super) fn nhs(text: &[u8]) -> bool {
    let check = 11 - weighted(text, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    check != 10 && check % 11 == digit(text, 9) && !is_one_digit(text)
}

/// UK driving licence: surname, decade, month (women's plus 50), day, year.
pub(in super::super) fn uk_driver(text: &[u8]) -> bool {
    let month = part(text, 6, 8) % 50;
    let surname = text.get(..5).unwrap_or_default();
    let first = surname.first().is_some_and(u8::is_ascii_alphabetic);
    first && surname.iter().all(|b| b.is_ascii_alphabetic() || *b == b'9') && is_day(month, part(text, 8, 10))
}

/// German tax id: modulo 11, 10, and one digit that comes two or three times.
pub(in super::super) fn de_tax(text: &[u8]) -> bool {
    let count = |digit: u8| text.iter().take(10).filter(|b| **b == digit).count();
    let most = (b'0'..=b'9').map(count).max().unwrap_or(0);
    digit(text, 0) != 0 && most <= 3 && mod11_10(text)
}

/// German pension insurance: area, birth, letter, serial; the letter counts as its place.
pub(in super::super) fn de_pension(text: &[u8]) -> bool {
    let letter = text.get(8).copied().unwrap_or(b'A').saturating_sub(b'A') + 1;
    let spelled: Vec<u8> = text
        .iter()
        .enumerate()
        .flat_map(|(at, b)| if at == 8 { vec![b'0' + letter / 10, b'0' + letter % 10] } else { vec![*b] })
        .collect();
    let cross = |value: u32| value / 10 + value % 10;
    let weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let sum: u32 = spelled.iter().zip(weights).map(|(b, weight)| cross(value(*b) * weight)).sum();
    (1..=31).contains(&(part(text, 2, 4) % 50).max(1))
        && is_day(part(text, 4, 6), part(text, 2, 4))
        && sum % 10 == digit(text, 11)
}

/// German health insurance: a letter as two digits, Luhn from the left.
pub(in super::super) fn de_health(text: &[u8]) -> bool {
    let letter = text.first().copied().unwrap_or(b'A').saturating_sub(b'A') + 1;
    let mut spelled = vec![b'0' + letter / 10, b'0' + letter % 10];
    spelled.extend(text.get(1..9).unwrap_or_default());
    let cross = |value: u32| value / 10 + value % 10;
    let sum: u32 = spelled.iter().enumerate().map(|(at, b)| cross(value(*b) * (1 + at as u32 % 2))).sum();
    sum % 10 == digit(text, 9)
}

/// German passport and identity card: weights 7, 3, 1 (ICAO 9303).
pub(in super::super) fn de_document(text: &[u8]) -> bool {
    let value = |b: &u8| char::from(*b).to_digit(36).unwrap_or(0);
    let sum: u32 = text.iter().take(8).zip([7, 3, 1, 7, 3, 1, 7, 3]).map(|(b, weight)| value(b) * weight).sum();
    text.first().is_some_and(|b| b"CFGHJKLMNPRTVWXYZ".contains(b)) && sum % 10 == digit(text, 8)
}

/// French social security: 97 less the rest; Corsica's departments are letters.
pub(in super::super) fn fr_nir(text: &[u8]) -> bool {
    let (head, key) = text.split_at(text.len().min(13));
    let digits: Vec<u8> = head.iter().map(|b| if b.is_ascii_digit() { *b } else { b'0' }).collect();
    let corsica = match head.get(6) {
        Some(b'A') => 1_000_000,
        Some(b'B') => 2_000_000,
        Some(_) | None => 0,
    };
    let good = head.iter().enumerate().all(|(at, b)| b.is_ascii_digit() || (at == 6 && b"AB".contains(b)));
    let month = part(head, 3, 5);
    let known = matches!(month, 1..=12 | 20..=42 | 50..=99);
    good && known && matches!(head.first(), Some(b'1' | b'2')) && 97 - (number(&digits) - corsica) % 97 == number(key)
}

/// The letter of a Spanish identity number.
fn es_letter(number: u64) -> u8 {
    b"TRWAGMYFPDXBNJZSQVHLCKE".get((number % 23) as usize).copied().unwrap_or(0)
}

/// Spanish DNI.
pub(in super::super) fn es_dni(text: &[u8]) -> bool {
    text.split_last().is_some_and(|(letter, digits)| *letter == es_letter(number(digits)))
}

/// Spanish NIE: X, Y, Z count as 0, 1, 2.
pub(in super::super) fn es_nie(text: &[u8]) -> bool {
    let Some(first) = b"XYZ".iter().position(|b| Some(b) == text.first()) else { return false };
    text.last().copied() == Some(es_letter(first as u64 * 10_000_000 + part(text, 1, 8)))
}

/// Italian codice fiscale: odd places by a table, even ones by value.
pub(in super::super) fn codice_fiscale(text: &[u8]) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let plain = |b: u8| if b.is_ascii_digit() { value(b) } else { u32::from(b.saturating_sub(b'A')) };
    let sum: u32 = text
        .iter()
        .take(15)
        .enumerate()
        .map(|(at, b)| match at % 2 {
            0 => ODD.get(plain(*b) as usize).copied().unwrap_or(0),
            _ => plain(*b),
        })
        .sum();
    text.get(8).is_some_and(|b| b"ABCDEHLMPRST".contains(b)) && text.get(15).copied() == Some(b'A' + (sum % 26) as u8)
}

/// Italian VAT: Luhn.
pub(in super::super) fn it_vat(text: &[u8]) -> bool {
    luhn_text(text) && !is_one_digit(text)
}

/// Dutch BSN: the test of eleven.
pub(in super::super) fn nl_bsn(text: &[u8]) -> bool {
    let sum = weighted(text, &[9, 8, 7, 6, 5, 4, 3, 2]) as i64 - i64::from(digit(text, 8));
    sum % 11 == 0 && !is_one_digit(text)
}

/// Belgian national register: 97 less the rest, with 2 before those born since 2000.
pub(in super::super) fn be_register(text: &[u8]) -> bool {
    let (head, key) = (part(text, 0, 9), part(text, 9, 11));
    let good = |number: u64| 97 - number % 97 == key;
    is_day(part(text, 2, 4) % 20, part(text, 4, 6)) && (good(head) || good(2_000_000_000 + head))
}

/// Polish PESEL: centuries are told by the month.
pub(in super::super) fn pesel(text: &[u8]) -> bool {
    let sum = weighted(text, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    sum.is_multiple_of(10) && is_day(part(text, 2, 4) % 20, part(text, 4, 6))
}

/// Swedish personnummer, with or without its century: Luhn. Coordination numbers add 60 to the day.
pub(in super::super) fn se_person(text: &[u8]) -> bool {
    let short = text.get(text.len().saturating_sub(10)..).unwrap_or_default();
    let day = part(short, 4, 6);
    let century = text.len() == 10 || matches!(text.get(..2), Some(b"18" | b"19" | b"20"));
    century && luhn_text(short) && is_day(part(short, 2, 4), if day > 60 { day - 60 } else { day })
}

/// Finnish HETU: a sign for the century, modulo 31.
pub(in super::super) fn fi_hetu(text: &[u8]) -> bool {
    let digits: Vec<u8> = [text.get(..6), text.get(7..10)].into_iter().flatten().flatten().copied().collect();
    let sign = text.get(6).is_some_and(|b| b"+-ABCDEFYXWVU".contains(b));
    let all = digits.iter().all(u8::is_ascii_digit);
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY".get((number(&digits) % 31) as usize);
    sign && all && is_day(part(text, 2, 4), part(text, 0, 2)) && check == text.get(10)
}

/// Danish CPR: a date; its check digit has run out.
pub(in super::super) fn day_first(text: &[u8]) -> bool {
    is_day(part(text, 2, 4), part(text, 0, 2))
}

/// Norwegian number: two digits modulo 11.
pub(in super::super) fn no_birth(text: &[u8]) -> bool {
    let first = (11 - weighted(text, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11) % 11;
    let second = (11 - weighted(text, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    first == digit(text, 9) && second == digit(text, 10) && is_day(part(text, 2, 4), part(text, 0, 2) % 40)
}

/// Portuguese NIF.
pub(in super::super) fn pt_nif(text: &[u8]) -> bool {
    let check = 11 - weighted(text, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    matches!(digit(text, 0), 1..=3 | 5 | 6 | 8 | 9) && (if check > 9 { 0 } else { check }) == digit(text, 8)
}

/// Romanian CNP.
pub(in super::super) fn ro_cnp(text: &[u8]) -> bool {
    let rest = weighted(text, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    digit(text, 0) != 0 && is_day(part(text, 3, 5), part(text, 5, 7)) && rest % 10 == digit(text, 12) && rest <= 10
}

/// Bulgarian EGN: centuries are told by the month.
pub(in super::super) fn bg_egn(text: &[u8]) -> bool {
    let rest = weighted(text, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
    rest == digit(text, 9) && is_day(part(text, 2, 4) % 20, part(text, 4, 6))
}

/// Czech and Slovak birth number: a multiple of eleven; women's months add 50.
pub(in super::super) fn cz_birth(text: &[u8]) -> bool {
    number(text).is_multiple_of(11) && is_day(part(text, 2, 4) % 50, part(text, 4, 6))
}

/// Greek AMKA: date and Luhn.
pub(in super::super) fn gr_amka(text: &[u8]) -> bool {
    luhn_text(text) && day_first(text)
}

/// Irish PPS: weights 8 to 2, a second letter counts nine times.
pub(in super::super) fn ie_pps(text: &[u8]) -> bool {
    let second = text.get(8).map_or(0, |b| u32::from(b.saturating_sub(b'A') + 1) * 9);
    let sum = (weighted(text.get(..7).unwrap_or_default(), &[8, 7, 6, 5, 4, 3, 2]) + second) % 23;
    b"WABCDEFGHIJKLMNOPQRSTUV".get(sum as usize) == text.get(7)
}

/// Austrian social security.
pub(in super::super) fn at_social(text: &[u8]) -> bool {
    let sum = weighted(text, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
    sum == digit(text, 3) && is_day(part(text, 6, 8), part(text, 4, 6))
}

/// Swiss AHV: EAN-13.
pub(in super::super) fn ch_ahv(text: &[u8]) -> bool {
    weighted(text, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

/// Estonian and Lithuanian code: weights once, then again from three on.
pub(in super::super) fn baltic(text: &[u8]) -> bool {
    let first = weighted(text, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = weighted(text, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
    let check = if first < 10 { first } else { second % 10 };
    (1..=6).contains(&digit(text, 0)) && check == digit(text, 10) && is_day(part(text, 3, 5), part(text, 5, 7))
}
