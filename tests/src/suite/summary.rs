//! Runs a file of cases and says in one line how that went.

use super::case::{self, Case};

/// What came of a file of cases.
#[derive(Debug, Default)]
pub struct Summary {
    /// Cases that were as expected.
    pub passed: usize,
    /// Cases the level cannot run, with their reasons.
    pub left_out: Vec<String>,
    /// Cases that were not as expected, with their problems.
    pub failed: Vec<String>,
}

/// Plays every case of `tests/cases/{name}.json` that can run on `level`. `CASE=text` picks those whose name has the text.
///
/// # Errors
/// The file cannot be read, or the failures, one paragraph a case.
pub fn run(level: &str, name: &str, mut play: impl FnMut(&Case, usize) -> Vec<String>) -> Result<Summary, String> {
    let file = case::read(name)?;
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut summary = Summary::default();
    for case in file.cases.iter().filter(|case| case.name.contains(&wanted)) {
        if let Some(reason) = case.not_on.get(level) {
            summary.left_out.push(format!("{}: {reason}", case.name));
            continue;
        }
        let problems = play(case, number());
        if problems.is_empty() {
            summary.passed += 1;
        } else {
            summary.failed.push(format!("{}\n  - {}", case.name, problems.join("\n  - ")));
        }
    }
    println!(
        "{level}, {name}: {} passed, {} failed, {} left out",
        summary.passed,
        summary.failed.len(),
        summary.left_out.len()
    );
    for left_out in &summary.left_out {
        println!("  left out: {left_out}");
    }
    if summary.failed.is_empty() {
        Ok(summary)
    } else {
        let total = summary.passed + summary.failed.len();
        Err(format!(
            "{level}, {name}: {} of {total} cases failed:\n\n{}",
            summary.failed.len(),
            summary.failed.join("\n\n")
        ))
    }
}

/// A number no other case of this process has.
fn number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
