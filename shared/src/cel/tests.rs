//! Conditions as people write them, and what becomes of those that are wrong.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use std::borrow::Cow;

const VARIABLES: [Variable; 5] = [
    ("tags", Type::Map(Item::Text)),
    ("team", Type::Text),
    ("data_classes", Type::List(Item::Text)),
    ("tokens_in", Type::Int),
    ("complexity", Type::Double),
];

fn values() -> Vec<Value<'static>> {
    let text = |text: &'static str| Value::Text(Cow::Borrowed(text));
    vec![
        Value::Map(vec![("feature".into(), text("code-review")), ("ünï".into(), text("ja"))]),
        text("payments"),
        Value::List(vec![text("health"), text("email")]),
        Value::Int(1_200),
        Value::Double(0.25),
    ]
}

fn holds(source: &str) -> Result<bool, Fault> {
    Condition::read(source, &VARIABLES).unwrap_or_else(|wrong| panic!("{source}: {wrong:?}")).holds(&values())
}

#[test]
fn conditions_hold_as_the_specification_says() {
    for (source, want) in [
        (r#"tags.feature == "code-review" && team == "payments""#, true),
        (r#""health" in data_classes"#, true),
        (r#"'email' in data_classes && !("card" in data_classes)"#, true),
        (r#"tags["ünï"] == "ja" ? team.startsWith("pay") : false"#, true),
        ("tokens_in > 1000 && tokens_in <= 1200", true),
        ("tokens_in >= 1200.0", true),
        ("complexity < 0.2 || size(data_classes) == 2", true),
        ("has(tags.feature) && !has(tags.other)", true),
        (r#""other" in tags"#, false),
        ("1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 % 4 == 3 && -7 / 2 == -3", true),
        (r#""a" + "b" == "ab" && [1] + [2] == [1, 2,] && {"a": 1}.a == 1"#, true),
        (r#"team.contains("ment") && team.endsWith("s") && team.size() == 8"#, true),
        (r#"data_classes[1] == "email""#, true),
        (r#"null == null && team != null"#, true),
        ("true || false && false", true),
        ("!true == false", true),
        ("false ? true : true ? false : true", false),
    ] {
        assert_eq!(holds(source), Ok(want), "{source}");
    }
}

#[test]
fn a_side_that_decides_makes_the_others_fault_nobodys_business() {
    assert_eq!(holds(r#"tags.other == "x""#), Err(Fault::Missing));
    assert_eq!(holds(r#"tags.other == "x" || true"#), Ok(true));
    assert_eq!(holds(r#"true || tags.other == "x""#), Ok(true));
    assert_eq!(holds(r#"tags.other == "x" && false"#), Ok(false));
    assert_eq!(holds(r#"tags.other == "x" && true"#), Err(Fault::Missing));
    assert_eq!(holds("1 / 0 == 1"), Err(Fault::Range));
    assert_eq!(holds("9223372036854775807 + 1 > 0"), Err(Fault::Range));
    assert_eq!(holds(r#"data_classes[9] == "x""#), Err(Fault::Missing));
}

#[test]
fn what_is_wrong_is_told_with_its_place_before_any_traffic() {
    for (source, column, what) in [
        ("", 1, "missing"),
        ("team = \"a\"", 6, "=="),
        ("team == \"a", 9, "end"),
        ("taem == \"a\"", 1, "`team`"),
        ("team == 3", 6, "never"),
        ("team == \"a\" team", 13, "belong"),
        ("tokens_in", 1, "true or false"),
        ("!team", 1, "true and false"),
        ("team.matches(\"a*\")", 5, "Regular"),
        ("eval(team)", 1, "no function"),
        ("tokens_in * 0.5 > 1.0", 11, "mix"),
        ("team.feature == \"a\"", 5, "members"),
        ("3 in data_classes", 3, "never"),
        ("team < 3", 6, "order"),
        ("(team == \"a\"", 13, "`)`"),
        ("team == \"a\\q\"", 9, "escape"),
        ("tokens_in > 12abc", 13, "number"),
        ("tokens_in > 99999999999999999999", 13, "number"),
        ("§", 1, "character"),
        ("has(team)", 1, "member"),
        ("tags. == 3", 5, "name"),
    ] {
        let wrong = Condition::read(source, &VARIABLES).unwrap_err();
        assert!(format!("{} {}", wrong.message, wrong.hint).contains(what), "{source}: {wrong:?}");
        assert_eq!(wrong.column, column, "{source}: {wrong:?}");
    }
}

#[test]
fn neither_length_nor_depth_nor_noise_breaks_the_reader() {
    for (before, middle, after) in
        [("(", "true", ")"), ("!", "true", ""), ("[", "1", "] == []"), ("", "tags", ".a"), ("-", "1", " == 1")]
    {
        let deep = format!("{}{middle}{}", before.repeat(900), after.repeat(if after.len() == 2 { 900 } else { 1 }));
        assert!(Condition::read(&deep, &VARIABLES).is_err(), "{before}");
    }
    assert!(Condition::read(&"x".repeat(LONGEST + 1), &VARIABLES).is_err());
    let pieces =
        ["tags", ".", "a", "==", "\"", "'", "(", ")", "[", "]", "{", "}", "?", ":", "1", "-", "in", "\\", "é", "&&"];
    let mut seed = 1_u64;
    for _ in 0..20_000 {
        let mut source = String::new();
        for _ in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            source.push_str(pieces.get((seed >> 33) as usize % pieces.len()).unwrap());
        }
        if let Ok(condition) = Condition::read(&source, &VARIABLES) {
            let _ = condition.holds(&values());
        }
    }
}
