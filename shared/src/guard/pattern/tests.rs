//! What patterns match, against a regular expression library as the reference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

use super::*;

fn all(pattern: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    Pattern::new("p", pattern).expect(pattern).find(text, &mut found);
    found.into_iter().map(|one| text[one.range].to_owned()).collect()
}

#[test]
fn patterns_match_what_they_say() {
    assert_eq!(all(r"\bEMP-\d{4,6}\b", "emp-1234, EMP-1234567, xEMP-12345 EMP-123456."), ["emp-1234", "EMP-123456"]);
    assert_eq!(all(r"(cat|dog)s?", "Cats and dog"), ["Cats", "dog"]);
    assert_eq!(all(r"a+b*c?", "aabbc ab a b"), ["aabbc", "ab", "a"]);
    assert_eq!(all(r"[^\s@]+@corp", "me@corp you @corp"), ["me@corp"]);
    assert_eq!(all(r"x{0}y", "xy"), ["y"]);
}

#[test]
fn the_longest_of_the_leftmost_is_told_and_matches_do_not_overlap() {
    assert_eq!(all("a|ab|abc", "abcab"), ["abc", "ab"]);
    assert_eq!(all("aa", "aaaaa"), ["aa", "aa"]);
}

#[test]
fn what_is_wrong_with_a_pattern_is_said() {
    for bad in [
        "",
        "(",
        ")",
        "[a",
        "a{3,1}",
        "a{999}",
        "*a",
        r"\k",
        "(?=x)",
        "a\\",
        "[z-a]",
        "((((((((((((((((((a))))))))))))))))))",
    ] {
        assert!(Pattern::new("p", bad).is_err(), "{bad}");
    }
}

#[test]
fn a_catastrophic_pattern_is_linear_or_refused() {
    assert!(Pattern::new("p", "((a{200}){200}){200}").is_err());
    let text = "a".repeat(20_000);
    assert!(all("(a+)+b", &text).is_empty());
    assert!(all("(a|aa)+$x", &text).is_empty());
}

#[test]
fn a_match_under_way_is_held() {
    let pattern = Pattern::new("p", r"EMP-\d{4}").expect("good");
    assert_eq!(pattern.unfinished("see EMP-12"), 4);
    assert_eq!(pattern.unfinished("see EMP-x "), 10);
    assert_eq!(pattern.unfinished("see EMP-1234"), 12, "whole: nothing can make it longer");
    let edge = Pattern::new("p", r"EMP-\d+\b").expect("good");
    assert_eq!(edge.unfinished("see EMP-1234"), 4, "a digit may follow, and a letter would undo it");
}

#[test]
fn patterns_agree_with_a_reference() {
    let patterns = [r"ab*c", r"(ab|b)+", r"[a-c]{2,3}", r"a.c", r"\d+-\d+", r"(a|b)?c", r"\w+@\w+"];
    let texts = ["abc abbbc ac bab", "12-34-56 a@b.c", "aaabbbccc", "a\nc abc", "", "c bc acc"];
    for pattern in patterns {
        let reference = regex_lite::Regex::new(&format!("(?i){pattern}")).expect(pattern);
        for text in texts {
            let expected: Vec<String> = reference.find_iter(text).map(|m| m.as_str().to_owned()).collect();
            assert_eq!(all(pattern, text), expected, "{pattern} in {text:?}");
        }
    }
}
