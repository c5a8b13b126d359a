//! Forms that are found, and forms that are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

use super::*;
use crate::guard::plain::Source;

fn found(text: &str) -> Vec<(String, String)> {
    let plain = Plain::of(text, Source::Words);
    let mut out = Vec::new();
    find(&plain, &Wanted::All, &mut out);
    out.into_iter().map(|one| (one.class, text[plain.source(one.range)].to_owned())).collect()
}

fn one(text: &str) -> String {
    found(text).into_iter().map(|(class, value)| format!("{class}={value}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn everyday_data_is_found_where_it_stands() {
    let cases = [
        ("write to ana.perez+news@mail.example.co.uk.", "email=ana.perez+news@mail.example.co.uk"),
        ("<mailto:ana@example.org>", "email=ana@example.org"),
        ("user=ana@example.org&x=1", "email=ana@example.org"),
        ("to ana@bücher.example, please", "email=ana@bücher.example"),
        ("ana@example.orgです。", "email=ana@example.org"),
        ("card 4111 1111 1111 1111 exp 12/27", "card=4111 1111 1111 1111"),
        ("amex 3782-822463-10005", "card=3782-822463-10005"),
        ("IBAN: DE89 3704 0044 0532 0130 00.", "iban=DE89 3704 0044 0532 0130 00"),
        ("gb82west12345698765432", "iban=gb82west12345698765432"),
        ("my ssn is 536-22-1234", "us_ssn=536-22-1234"),
        ("from 192.168.17.4:8080 and fe80::1", "ip_address=192.168.17.4 ip_address=fe80::1"),
        ("mac 00:1a:2b:3c:4d:5e", "mac_address=00:1a:2b:3c:4d:5e"),
        ("call me at 0490 75 40 81 please", "phone=0490 75 40 81"),
        ("+46 (0)8 928 571 38", "phone=+46 (0)8 928 571 38"),
        ("(415) 555-0132 is mine", "phone=(415) 555-0132"),
        ("Phone: 451 5986", "phone=451 5986"),
        ("born on 31 May 1981 in Rome", "date_of_birth=31 May 1981"),
        ("DOB: 1981-05-31", "date_of_birth=1981-05-31"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "crypto_address=bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("NINO AB 12 34 56 C", "uk_nino=AB 12 34 56 C"),
        ("my passport number is T3569075", "passport=T3569075"),
    ];
    for (text, expected) in cases {
        assert_eq!(one(text), expected, "{text}");
    }
}

#[test]
fn fault_79_numbers_that_are_nobodys_are_left_alone() {
    for text in [
        "order 4111111111111112 failed",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "at 2024-06-05T09:15:30.500-07:00",
        "1712053543012 ms and 1712053543 s",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "version 10.2.33.4 of it",
        "std::vec::Vec and a::b",
        "page 12-34, lines 100-200, 2019-2024",
        "1,234,567.89 and 12345678",
        "12:30:45 on 2024-01-02",
        "1000000000000000",
        "3.14159265358979",
        "ISBN 978-3-16-148410-0",
        "#123456789 and PR 4155550132x",
        "@media print, @Override, user@host",
        "x1 = 0x1F; y2 = 12e10",
    ] {
        assert_eq!(one(text), "", "{text}");
    }
}

#[test]
fn fault_78_hidden_forms_are_found() {
    assert_eq!(one(r#"{"mail":"ana\u0040example.org"}"#), r"email=ana\u0040example.org");
    assert_eq!(one("４１１１ １１１１ １１１１ １１１１"), "card=４１１１ １１１１ １１１１ １１１１");
    assert_eq!(one("ana@exam\u{200b}ple.org"), "email=ana@exam\u{200b}ple.org");
}

#[test]
fn only_what_is_wanted_is_told() {
    let plain = Plain::of("ana@example.org 192.168.17.4", Source::Words);
    let mut out = Vec::new();
    find(&plain, &Wanted::Only(vec!["ip_address".to_owned()]), &mut out);
    assert_eq!(out, [Found::new("ip_address", 16..28)]);
}

#[test]
fn there_are_more_classes_than_anybody_lists() {
    assert!(classes().len() > 60, "{}", classes().len());
}

#[test]
fn prose_is_not_held_back_and_numbers_are() {
    let held = |text: &str| {
        let plain = Plain::of(text, Source::Words);
        text[unfinished(&plain)..].to_owned()
    };
    assert_eq!(held("The quick brown fox jumps over the la"), "la");
    assert_eq!(held("Please call 0490 75 40"), "0490 75 40");
    assert_eq!(held("IBAN DE89 3704 00"), "IBAN DE89 3704 00");
    assert_eq!(held("in 1981 something happened to the people of this town"), "town");
}
