//! How well built-in topics are told of prompts that nothing was chosen by, as a page of Markdown.

use crate::built_in::{Asked, By, Counts, asked, order, told, train};
use crate::topics::weights;
use signalbox::config::TOPICS;
use std::fmt::Write;
use std::path::Path;

const FOLDS: usize = 5;
/// A cross-validation is drawn so often: one draw is worth ±.03.
const DRAWS: u64 = 5;
const WAYS: [(By, &str); 3] = [
    (By::Product, "marks, as in the product without weights"),
    (By::Marks, "marks, thresholds chosen"),
    (By::Both, "marks and meaning"),
];

/// The coefficients and the page about them; `None` where there are no weights.
pub fn report(folder: &Path, by_hand: &str, version: u16) -> Result<Option<(Vec<u8>, String)>, String> {
    let mut found: Option<(Vec<u8>, String)> = None;
    for size in [64, 128] {
        let Some(weights) = weights(folder, size) else { continue };
        let asked = asked(folder, by_hand, &weights.embedding().ok_or("no weights")?)?;
        // Both sizes are one space: the coefficients are made with the smaller.
        let (_, text) = found.get_or_insert_with(|| (train(&asked, version), String::new()));
        sections(text, size, &asked);
    }
    Ok(found)
}

fn sections(text: &mut String, size: usize, asked: &[Asked]) {
    let drawn = order(asked, 0);
    let (choose, others) = drawn.split_at(asked.len() / 2);
    let _ = write!(
        text,
        "\n## {size} numbers\n\nOf {} prompts, half ({}) chose, the others are told of.\n",
        asked.len(),
        choose.len()
    );
    text.push_str("\n| told by | worth of meaning, clear, ahead | score | by hand: precision, recall | benchmarks: precision, recall | nothing there and left alone |\n|---|---|---|---|---|---|\n");
    let ways = WAYS.map(|(by, name)| (by.chosen(choose), name));
    for ((rows, thresholds), name) in &ways {
        let counts =
            |keep: &dyn Fn(&Asked) -> bool| counted(others.iter().copied().filter(|one| keep(one)), rows, *thresholds);
        let (all, (worth, clear, ahead)) = (counts(&|_| true), thresholds);
        let (hand, bench) = (counts(&|one| one.by_hand).plain(), counts(&|one| !one.by_hand).plain());
        let (_, alone, _) = all.figures(TOPICS.len());
        let _ = writeln!(
            text,
            "| {name} | {worth}, {clear}, {ahead} | {:.3} | {:.3}, {:.3} | {:.3}, {:.3} | {alone:.2} |",
            all.score(),
            hand.0,
            hand.1,
            bench.0,
            bench.1
        );
    }
    text.push_str("\nOf each topic, on the half that did not choose: precision, recall, given none.\n\n| told by |");
    TOPICS.iter().for_each(|name| text.push_str(&format!(" {name} |")));
    text.push_str("\n|---|---|---|---|---|---|---|---|---|\n");
    for ((rows, thresholds), name) in &ways {
        let counts = counted(others.iter().copied(), rows, *thresholds);
        let _ = write!(text, "| {name} |");
        for at in 0..TOPICS.len() {
            let (precision, recall, none) = counts.figures(at);
            let _ = write!(text, " {precision:.2}, {recall:.2}, {none:.2} |");
        }
        text.push('\n');
    }
    text.push_str("\nCross-validated, rows and thresholds chosen anew for each of five folds: the mean of five draws, and the least and most of them.\n\n");
    text.push_str(
        "| told by | score | by hand: precision, recall | benchmarks: precision, recall |\n|---|---|---|---|\n",
    );
    for (by, name) in WAYS {
        let draws: Vec<[Counts; 3]> = (1..=DRAWS).map(|draw| cross_validated(asked, by, draw)).collect();
        let scores: Vec<f64> = draws.iter().map(|[all, _, _]| all.score()).collect();
        let (low, high) = scores.iter().fold((1.0_f64, 0.0_f64), |(low, high), one| (low.min(*one), high.max(*one)));
        let mean = |of: &dyn Fn(&[Counts; 3]) -> f64| draws.iter().map(of).sum::<f64>() / DRAWS as f64;
        let _ = writeln!(
            text,
            "| {name} | {:.3} ({low:.3}–{high:.3}) | {:.3}, {:.3} | {:.3}, {:.3} |",
            mean(&|[all, _, _]| all.score()),
            mean(&|[_, hand, _]| hand.plain().0),
            mean(&|[_, hand, _]| hand.plain().1),
            mean(&|[_, _, bench]| bench.plain().0),
            mean(&|[_, _, bench]| bench.plain().1),
        );
    }
}

fn counted<'a>(asked: impl Iterator<Item = &'a Asked>, rows: &[u8], thresholds: (i32, i32, i32)) -> Counts {
    let mut counts = Counts::default();
    asked.for_each(|one| counts.add(one.of, told(one, rows, thresholds)));
    counts
}

/// All prompts, those by hand, the benchmarks'.
fn cross_validated(asked: &[Asked], by: By, draw: u64) -> [Counts; 3] {
    let mut counts = [Counts::default(); 3];
    let drawn = order(asked, draw);
    for left_out in 0..FOLDS {
        let part = |is_left_out: bool| {
            let part = drawn.iter().enumerate().filter(move |(at, _)| (at % FOLDS == left_out) == is_left_out);
            part.map(|(_, one)| *one).collect::<Vec<_>>()
        };
        let (rows, thresholds) = by.chosen(&part(false));
        for one in part(true) {
            let told = told(one, &rows, thresholds);
            let [all, hand, bench] = &mut counts;
            all.add(one.of, told);
            (if one.by_hand { hand } else { bench }).add(one.of, told);
        }
    }
    counts
}
