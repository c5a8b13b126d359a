//! The catalogue of bad inputs and faults is covered: every row of it is named by a test, or stands here with the reason
//! why none can be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rows that no test of ours can cover.
const ELSEWHERE: [(u16, &str); 2] = [
    (69, "the framing of requests ends at the platform's front end: neither package reads a socket"),
    (70, "so do slow heads and bodies"),
];

/// The numbers that tests name: `"faults": [1, 2]` in cases, `fault_1_…` and `Fault 1`, `Faults 1, 2 and 3` in code.
fn named() -> BTreeSet<u16> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut numbers = BTreeSet::new();
    for folder in ["shared", "edge", "lambda", "tests"] {
        walk(&root.join(folder), &mut |path| {
            let ours =
                path.extension().is_some_and(|kind| kind == "rs" || kind == "json" || kind == "mjs" || kind == "py");
            if ours && path.file_name().is_some_and(|name| name != "faults.rs") {
                let text = std::fs::read_to_string(path).unwrap_or_default();
                for mark in ["fault_", "faults_", "\"faults\": [", "Fault ", "Faults ", "fault ", "faults "] {
                    for (at, _) in text.match_indices(mark) {
                        numbers.extend(text.get(at + mark.len()..).map(list).unwrap_or_default());
                    }
                }
            }
        });
    }
    numbers
}

/// The numbers at the beginning of a text, with what stands between them in a list.
fn list(text: &str) -> Vec<u16> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || ", _and".contains(c))).unwrap_or(text.len());
    let words = text.split_at(end).0.split(|c: char| !c.is_ascii_digit());
    words.filter(|word| (1..=2).contains(&word.len())).filter_map(|word| word.parse().ok()).collect()
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let installed = ["node_modules", "target", "build", ".venv"].iter().any(|skipped| name == *skipped);
        match (path.is_dir(), installed) {
            (true, false) => walk(&path, visit),
            (true, true) => {}
            (false, _) => visit(&path),
        }
    }
}

/// The catalogue: number and what goes wrong.
fn catalogue() -> Option<BTreeMap<u16, String>> {
    let beside = std::env::var_os("SIGNALBOX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let text = std::fs::read_to_string(beside.join("security/faults.md")).ok()?;
    let row = |line: &str| {
        let mut cells = line.trim_start_matches('|').split('|').map(str::trim);
        let number = cells.next()?.parse().ok()?;
        Some((number, cells.collect::<Vec<_>>().join(" | ")))
    };
    Some(text.lines().filter_map(row).collect())
}

#[test]
fn every_row_of_the_catalogue_of_faults_has_a_test_that_names_it() {
    let Some(catalogue) = catalogue() else {
        println!("skipped: no catalogue of faults beside the project");
        return;
    };
    let named = named();
    let elsewhere: BTreeSet<u16> = ELSEWHERE.iter().map(|(number, _)| *number).collect();
    let missing: Vec<_> =
        catalogue.iter().filter(|(number, _)| !named.contains(number) && !elsewhere.contains(number)).collect();
    assert!(missing.is_empty(), "no test names {missing:#?}");
    let covered: Vec<_> = elsewhere.intersection(&named).collect();
    assert!(covered.is_empty(), "these have a test and an excuse: {covered:?}");
}

#[test]
fn numbers_are_read_from_every_way_of_naming_them() {
    assert_eq!(list("53_an_answer"), [53]);
    assert_eq!(list("60, 61],"), [60, 61]);
    assert_eq!(list("5, 7 and 8: tokens"), [5, 7, 8]);
    assert!(list("tolerant").is_empty());
}
