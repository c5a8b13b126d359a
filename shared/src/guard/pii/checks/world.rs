//! The numbers of the rest of the world.

use super::*;

/// US social security: what the administration gives out, and what it printed in advertisements.
pub(in super::super) fn ssn(text: &[u8]) -> bool {
    let (area, group, serial) = (part(text, 0, 3), part(text, 3, 5), part(text, 5, 9));
    let printed = matches!(number(text), 78_051_120 | 219_099_999 | 123_456_789 | 987_654_321);
    !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0 && !printed && !is_one_digit(text)
}

/// US individual taxpayer: nine hundreds, and groups that are issued.
pub(in super::super) fn itin(text: &[u8]) -> bool {
    digit(text, 0) == 9 && matches!(part(text, 3, 5), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// US medical provider: Luhn behind 80840.
pub(in super::super) fn npi(text: &[u8]) -> bool {
    let whole: Vec<u8> = b"80840".iter().chain(text).copied().collect();
    matches!(digit(text, 0), 1 | 2) && luhn_text(&whole) && !is_one_digit(text.get(..9).unwrap_or_default())
}

/// US Medicare beneficiary: letters without those that look like digits.
pub(in super::super) fn mbi(text: &[u8]) -> bool {
    digit(text, 0) != 0 && !text.iter().any(|b| b"SLOIBZ".contains(b))
}

/// US bank routing: weights 3, 7, 1, and a Federal Reserve district.
pub(in super::super) fn routing(text: &[u8]) -> bool {
    let district = matches!(part(text, 0, 2), 1..=12 | 21..=32 | 61..=72 | 80);
    district && weighted(text, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// US drug enforcement registration.
pub(in super::super) fn dea(text: &[u8]) -> bool {
    let digits = text.get(text.len().saturating_sub(7)..).unwrap_or_default();
    let sum = weighted(digits, &[1, 0, 1, 0, 1, 0]) + 2 * weighted(digits, &[0, 1, 0, 1, 0, 1]);
    text.first().is_some_and(|b| b"ABCDEFGHJKLMPRSTUX".contains(b)) && sum % 10 == digit(digits, 6)
}

/// Canadian social insurance: Luhn; 0 and 8 are not given to people.
pub(in super::super) fn ca_sin(text: &[u8]) -> bool {
    !matches!(digit(text, 0), 0 | 8) && luhn_text(text) && !is_one_digit(text)
}

/// Brazilian CPF: two digits modulo 11.
pub(in super::super) fn cpf(text: &[u8]) -> bool {
    let check = |sum: u32| sum * 10 % 11 % 10;
    check(weighted(text, &[10, 9, 8, 7, 6, 5, 4, 3, 2])) == digit(text, 9)
        && check(weighted(text, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) == digit(text, 10)
        && !is_one_digit(text)
}

/// Brazilian CNPJ: two digits modulo 11.
pub(in super::super) fn cnpj(text: &[u8]) -> bool {
    let check = |sum: u32| if sum % 11 < 2 { 0 } else { 11 - sum % 11 };
    check(weighted(text, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])) == digit(text, 12)
        && check(weighted(text, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])) == digit(text, 13)
}

/// Aadhaar: Verhoeff, and no number that begins with 0 or 1 or reads the same backwards.
pub(in super::super) fn aadhaar(text: &[u8]) -> bool {
    digit(text, 0) > 1 && verhoeff(text) && !text.iter().eq(text.iter().rev())
}

/// Indian PAN: the fourth letter says what holds it.
pub(in super::super) fn pan(text: &[u8]) -> bool {
    text.get(3).is_some_and(|b| b"ABCFGHLJPTK".contains(b))
}

/// Indian GSTIN: a state's number before a PAN.
pub(in super::super) fn gstin(text: &[u8]) -> bool {
    matches!(part(text, 0, 2), 1..=38 | 97 | 99) && digit(text, 12) != 0
}

/// Australian tax file number.
pub(in super::super) fn tfn(text: &[u8]) -> bool {
    weighted(text, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11) && !is_one_digit(text)
}

/// Australian business number: the first digit less one, modulo 89.
pub(in super::super) fn abn(text: &[u8]) -> bool {
    let sum = weighted(text, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    digit(text, 0) != 0 && (sum - 10).is_multiple_of(89)
}

/// Australian company number.
pub(in super::super) fn acn(text: &[u8]) -> bool {
    (10 - weighted(text, &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == digit(text, 8) && !is_one_digit(text)
}

/// Australian Medicare.
pub(in super::super) fn au_medicare(text: &[u8]) -> bool {
    (2..=6).contains(&digit(text, 0)) && weighted(text, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == digit(text, 8)
}

/// Singapore NRIC and FIN.
pub(in super::super) fn nric(text: &[u8]) -> bool {
    let sum = weighted(text.get(1..8).unwrap_or_default(), &[2, 7, 6, 5, 4, 3, 2]);
    let (offset, letters): (u32, &[u8]) = match text.first() {
        Some(b'S') => (0, b"JZIHGFEDCBA"),
        Some(b'T') => (4, b"JZIHGFEDCBA"),
        Some(b'F') => (0, b"XWUTRQPNMLK"),
        Some(b'G') => (4, b"XWUTRQPNMLK"),
        Some(b'M') => (3, b"KLJNPQRTUWX"),
        Some(_) | None => return false,
    };
    let place = ((sum + offset) % 11) as usize;
    let place = if text.first() == Some(&b'M') { 10 - place } else { place };
    letters.get(place) == text.get(8)
}

/// Korean resident and foreign registration: a date and a century; written as it is, that is enough, for
/// since 2020 the rest is by chance.
pub(in super::super) fn rrn(text: &[u8]) -> bool {
    (1..=8).contains(&digit(text, 6)) && is_day(part(text, 2, 4), part(text, 4, 6))
}

/// The same with the check digit of those before 2020.
pub(in super::super) fn rrn_checked(text: &[u8]) -> bool {
    let sum = weighted(text, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    let resident = (11 - sum % 11) % 10;
    let foreign = (13 - sum % 11) % 10;
    rrn(text) && (resident == digit(text, 12) || (digit(text, 6) > 4 && foreign == digit(text, 12)))
}

/// Chinese resident identity: ISO 7064 modulo 11-2.
pub(in super::super) fn cn_resident(text: &[u8]) -> bool {
    let sum = weighted(text, &[7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    b"10X98765432".get((sum % 11) as usize) == text.get(17)
        && matches!(part(text, 6, 8), 19 | 20)
        && is_day(part(text, 10, 12), part(text, 12, 14))
}

/// Hong Kong identity card.
pub(in super::super) fn hk_id(text: &[u8]) -> bool {
    let letter = text.first().map_or(0, |b| u32::from(b.saturating_sub(b'A')) + 10);
    let sum = 36 * 9 + letter * 8 + weighted(text.get(1..7).unwrap_or_default(), &[7, 6, 5, 4, 3, 2]);
    let check = match text.get(8) {
        Some(b'A') => 10,
        Some(b) => value(*b),
        None => return false,
    };
    (11 - sum % 11) % 11 == check
}

/// Taiwanese identity: the letter is two digits.
pub(in super::super) fn tw_id(text: &[u8]) -> bool {
    let order = b"ABCDEFGHJKLMNPQRSTUVXYWZIO";
    let Some(place) = order.iter().position(|b| Some(b) == text.first()) else { return false };
    let letter = place as u32 + 10;
    let sum = letter / 10 + letter % 10 * 9 + weighted(text.get(1..).unwrap_or_default(), &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(digit(text, 1), 1 | 2 | 8 | 9) && sum.is_multiple_of(10)
}

/// Japanese My Number.
pub(in super::super) fn my_number(text: &[u8]) -> bool {
    let sum = weighted(text, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    (if sum <= 1 { 0 } else { 11 - sum }) == digit(text, 11)
}

/// Turkish identity: two digits.
pub(in super::super) fn tckn(text: &[u8]) -> bool {
    let odd = weighted(text, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(text, &[0, 1, 0, 1, 0, 1, 0, 1]);
    let sum: u32 = text.iter().take(10).map(|b| value(*b)).sum();
    digit(text, 0) != 0 && (odd * 7 + 90 - even) % 10 == digit(text, 9) && sum % 10 == digit(text, 10)
}

/// Thai identity: modulo 11.
pub(in super::super) fn th_id(text: &[u8]) -> bool {
    let sum = weighted(text, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    matches!(digit(text, 0), 1..=8) && (11 - sum % 11) % 10 == digit(text, 12)
}

/// South African identity: date, citizenship, Luhn.
pub(in super::super) fn za_id(text: &[u8]) -> bool {
    digit(text, 10) <= 1 && luhn_text(text) && is_day(part(text, 2, 4), part(text, 4, 6)) && part(text, 6, 10) != 0
}

/// Mexican CURP.
pub(in super::super) fn curp(text: &[u8]) -> bool {
    // The alphabet has an Ñ after N.
    let value = |b: &u8| match b {
        b'0'..=b'9' => u32::from(b - b'0'),
        b'A'..=b'N' => u32::from(b - b'A') + 10,
        _ => u32::from(b.saturating_sub(b'A')) + 11,
    };
    let sum: u32 = text.iter().take(17).zip((2..=18).rev()).map(|(b, weight)| value(b) * weight).sum();
    is_day(part(text, 6, 8), part(text, 8, 10))
        && text.get(10).is_some_and(|b| b"HMX".contains(b))
        && (10 - sum % 10) % 10 == digit(text, 17)
}

/// Argentine CUIT.
pub(in super::super) fn cuit(text: &[u8]) -> bool {
    let check = 11 - weighted(text, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    matches!(part(text, 0, 2), 20 | 23..=27 | 30 | 33 | 34) && check % 11 == digit(text, 10)
}

/// Chilean RUT: modulo 11, with K.
pub(in super::super) fn rut(text: &[u8]) -> bool {
    let Some((check, digits)) = text.split_last() else { return false };
    let sum: u32 =
        digits.iter().rev().zip([2, 3, 4, 5, 6, 7].into_iter().cycle()).map(|(b, weight)| value(*b) * weight).sum();
    b"0K987654321".get((sum % 11) as usize) == Some(check)
}

/// Israeli identity: Luhn.
pub(in super::super) fn il_id(text: &[u8]) -> bool {
    luhn_text(text) && !is_one_digit(text)
}

/// Philippine mobile behind 09 is a telephone's; here only what the shape says. Vehicles: modulo 11 (VIN).
pub(in super::super) fn vin(text: &[u8]) -> bool {
    let value = |b: &u8| match b {
        b'0'..=b'9' => u32::from(b - b'0'),
        b'A'..=b'H' => u32::from(b - b'A') + 1,
        b'J'..=b'N' => u32::from(b - b'J') + 1,
        b'P' => 7,
        b'R' => 9,
        b'S'..=b'Z' => u32::from(b - b'S') + 2,
        _ => 0,
    };
    let weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let sum: u32 = text.iter().zip(weights).map(|(b, weight)| value(b) * weight).sum();
    let letters = text.iter().filter(|b| b.is_ascii_alphabetic()).count();
    !text.iter().any(|b| b"IOQ".contains(b))
        && (3..15).contains(&letters)
        && b"0123456789X".get((sum % 11) as usize) == text.get(8)
}
