//! How well the detectors do on labelled texts, where those are present. The report is printed
//! (`cargo test -p signalbox --test guard_corpus -- --nocapture`); the bars are asserted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::string_slice
)]

use serde_json::Value;
use signalbox::guard::plain::{Plain, Source};
use signalbox::guard::{Found, injection, pii, secrets};
use std::collections::BTreeMap;
use std::ops::Range;

/// The rows of a file of the labelled texts; `None`, with a notice, where they are absent.
fn rows(name: &str) -> Option<Vec<Value>> {
    let root = std::env::var("SIGNALBOX_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared").to_owned());
    let candidates = [format!("{root}/security/pii/dev/{name}"), format!("/work/shared/security/pii/dev/{name}")];
    let Some(text) = candidates.iter().find_map(|path| std::fs::read_to_string(path).ok()) else {
        println!("skipped: {name} is not here");
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn text(row: &Value) -> &str {
    row["text"].as_str().unwrap()
}

fn personal(text: &str) -> Vec<(String, Range<usize>)> {
    let plain = Plain::of(text, Source::Words);
    let mut out = Vec::new();
    pii::find(&plain, &pii::Wanted::All, &mut out);
    out.into_iter().map(|Found { class, range }| (class, plain.source(range))).collect()
}

fn secret(text: &str) -> Vec<Found> {
    let mut out = Vec::new();
    secrets::find(&Plain::of(text, Source::Words), &mut out);
    out
}

#[derive(Default)]
struct Score {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Score {
    fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.wrong).max(1))
    }
    fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from((self.right + self.missed).max(1))
    }
}

/// Byte places of spans that are counted in characters.
fn bytes(text: &str, span: &Value) -> Range<usize> {
    let place = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(place, _)| place);
    place(span[0].as_u64().unwrap() as usize)..place(span[1].as_u64().unwrap() as usize)
}

fn overlaps(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// What the labels call our classes.
const CLASSES: [(&str, &str); 6] = [
    ("CREDIT_CARD", "card"),
    ("PHONE_NUMBER", "phone"),
    ("US_SSN", "us_ssn"),
    ("IP_ADDRESS", "ip_address"),
    ("EMAIL_ADDRESS", "email"),
    ("IBAN_CODE", "iban"),
];

#[test]
fn personal_data_of_synthetic_people_is_found_at_the_bars() {
    let Some(rows) = rows("presidio_research_synth.jsonl") else { return };
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    for row in &rows {
        let text = text(row);
        let found = personal(text);
        let spans: Vec<(Range<usize>, &str)> = row["spans"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| (bytes(text, span), span[2].as_str().unwrap()))
            .collect();
        for (label, class) in CLASSES {
            let score = scores.entry(class).or_default();
            for (place, name) in &spans {
                if *name == label {
                    if found.iter().any(|(_, range)| overlaps(range, place)) {
                        score.right += 1
                    } else {
                        score.missed += 1;
                        println!("missed {class}: {:?}", &text[place.clone()]);
                    }
                }
            }
            for (name, range) in &found {
                // A number that is labelled as something else that is somebody's is no false alarm.
                if name == class && !spans.iter().any(|(place, _)| overlaps(range, place)) {
                    score.wrong += 1;
                    println!("wrong {class}: {:?} in {text:?}", &text[range.clone()]);
                }
            }
        }
        for (name, range) in &found {
            if !CLASSES.iter().any(|(_, class)| class == name) && !spans.iter().any(|(place, _)| overlaps(range, place))
            {
                println!("other {name}: {:?} in {text:?}", &text[range.clone()]);
            }
        }
    }
    for (class, score) in &scores {
        println!(
            "{class}: precision {:.2} recall {:.2} ({} right, {} wrong, {} missed)",
            score.precision(),
            score.recall(),
            score.right,
            score.wrong,
            score.missed
        );
    }
    for (class, precision, recall) in
        [("card", 0.98, 0.98), ("us_ssn", 1.0, 1.0), ("ip_address", 1.0, 1.0), ("phone", 0.9, 0.9)]
    {
        assert!(scores[class].precision() >= precision && scores[class].recall() >= recall, "{class}");
    }
}

#[test]
fn the_forms_of_many_countries_are_found() {
    let Some(rows) = rows("presidio_recognizer_cases.jsonl") else { return };
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    // Not personal on their own, or told only by a model.
    let beyond = [
        "DATE_TIME",
        "PERSON",
        "URL",
        "PATTERN",
        "UK_POSTCODE",
        "DE_PLZ",
        "DE_KFZ",
        "TR_LICENSE_PLATE",
        "UK_VEHICLE_REGISTRATION",
        "NG_VEHICLE_REGISTRATION",
        "IN_VEHICLE_REGISTRATION",
        "DE_HANDELSREGISTER",
        "SG_UEN",
        "DE_BSNR",
        "DE_LANR",
        "KR_BRN",
        "SE_ORGANISATIONSNUMMER",
        "DE_TAX_NUMBER",
        "DE_FUEHRERSCHEIN",
    ];
    for row in &rows {
        let label = row["entities"][0].as_str().unwrap();
        if beyond.contains(&label) {
            continue;
        }
        let found = personal(text(row));
        let wanted = row["expected_count"].as_u64().unwrap() > 0;
        let score = scores.entry(label).or_default();
        match (wanted, found.is_empty()) {
            (true, false) => score.right += 1,
            (true, true) => {
                score.missed += 1;
                println!("missed {label}: {:?}", text(row));
            }
            (false, false) => {
                score.wrong += 1;
                println!("wrong {label}: {:?} {found:?}", text(row));
            }
            (false, true) => {}
        }
    }
    let (mut right, mut wrong, mut missed) = (0, 0, 0);
    for (label, score) in &scores {
        println!("{label}: {} right, {} wrong, {} missed", score.right, score.wrong, score.missed);
        (right, wrong, missed) = (right + score.right, wrong + score.wrong, missed + score.missed);
    }
    let all = Score { right, wrong, missed };
    println!("all: precision {:.3} recall {:.3}", all.precision(), all.recall());
    assert!(all.precision() >= 0.88 && all.recall() >= 0.82);
}

#[test]
fn secrets_are_found_at_the_bars() {
    let Some(rows) = rows("secrets.jsonl") else { return };
    let (mut literal, mut generated) = (Score::default(), Score::default());
    for row in &rows {
        let is_literal = row["source"] == "gitleaks-static";
        // Two rows hold the name of a thing and no secret: halves of texts that are put together elsewhere.
        if is_literal && row["secret"] == true && ["client_secret", "facebook access_token"].contains(&text(row)) {
            continue;
        }
        let found = secret(text(row));
        let score = if is_literal { &mut literal } else { &mut generated };
        match (row["secret"] == true, found.is_empty()) {
            (true, false) => score.right += 1,
            (true, true) => {
                score.missed += 1;
                println!("missed {}: {:?}", row["rule"], text(row));
            }
            (false, false) => {
                score.wrong += 1;
                println!("wrong {}: {:?} {found:?}", row["rule"], text(row));
            }
            (false, true) => {}
        }
    }
    for (name, score) in [("literal", &literal), ("generated", &generated)] {
        println!(
            "secrets, {name}: precision {:.3} recall {:.3} ({} right, {} wrong, {} missed)",
            score.precision(),
            score.recall(),
            score.right,
            score.wrong,
            score.missed
        );
    }
    assert!(literal.precision() >= 0.95 && literal.recall() >= 0.95);
}

#[test]
fn fault_82_benign_prompts_pass_and_attacks_are_noticed() {
    let Some(rows) = rows("prompt_injection.jsonl") else { return };
    let (mut benign, mut alarms, mut attacks, mut noticed, mut leaks) = (0u32, 0u32, 0u32, 0u32, 0u32);
    for row in &rows {
        let text = text(row);
        let hit = injection::score(text) >= injection::ENOUGH;
        if row["label"] == 0 {
            benign += 1;
            alarms += u32::from(hit);
            let other = personal(text).len() + secret(text).len();
            leaks += u32::from(other > 0);
            if hit || other > 0 {
                println!("benign {}: {text:?} {:?} {:?}", injection::score(text), personal(text), secret(text));
            }
        } else if row["category"] == "jailbreak" {
            attacks += 1;
            noticed += u32::from(hit);
        }
    }
    println!(
        "injection: {alarms} of {benign} benign, {noticed} of {attacks} jailbreaks; {leaks} benign with personal data or secrets"
    );
    assert!(f64::from(alarms) <= 0.005 * f64::from(benign) && f64::from(leaks) <= 0.005 * f64::from(benign));
    assert!(f64::from(noticed) >= 0.6 * f64::from(attacks));
}
