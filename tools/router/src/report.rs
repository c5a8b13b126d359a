//! How a head did on prompts it was not trained on, as a table of Markdown.

use crate::data::{Row, Source};
use crate::metrics::{apgr, cpt, mean};
use crate::replay;
use crate::train::{Head, shuffle};
use signalbox::router::learn::signals::PromptReader;
use std::path::Path;

/// How often the prompts are drawn anew for an interval.
const RESAMPLES: u64 = 200;

/// The head of the table.
pub const TITLE: &str = "| source | prompts | weak | strong | prior alone | cross-validated APGR (90 % interval) | CPT 50 % | CPT 80 % | subjects never shown: APGR (90 % interval) |\n|---|---|---|---|---|---|---|---|---|\n";

/// A line for one source.
pub fn line(source: &Source, unseen: &[f64], foreign: &[f64]) -> String {
    let (weak, strong) = source.worths();
    let rows = source.rows.iter().filter(|row| row.worth.is_some());
    let prior: Vec<f64> = rows.map(|row: &Row| f64::from(row.complexity)).collect();
    let (low, high) = interval(unseen, &weak, &strong);
    let foreign = match interval(foreign, &weak, &strong) {
        _ if foreign.is_empty() => "–".to_owned(),
        (low, high) => format!("{:.3} ({low:.3}–{high:.3})", apgr(foreign, &weak, &strong)),
    };
    format!(
        "| {} | {} | {:.3} | {:.3} | {:.3} | {:.3} ({low:.3}–{high:.3}) | {:.0} % | {:.0} % | {foreign} |\n",
        source.file,
        weak.len(),
        mean(&weak),
        mean(&strong),
        apgr(&prior, &weak, &strong),
        apgr(unseen, &weak, &strong),
        cpt(unseen, &weak, &strong, 0.5),
        cpt(unseen, &weak, &strong, 0.8),
    )
}

/// A table of how one head did on each of its sources.
pub fn table(head: &Head, sources: &[&Source]) -> String {
    let foreign = head.foreign.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..]));
    sources
        .iter()
        .zip(&head.unseen)
        .zip(foreign)
        .map(|((source, unseen), foreign)| line(source, unseen, foreign))
        .collect()
}

/// What replays of recorded traffic give, as a page of Markdown.
pub fn replays(sources: &[Source], reader: &PromptReader, folder: &Path) -> Result<String, String> {
    let mut text = String::from(
        "# What replays of recorded traffic give\n\nWritten by `cargo run -p signalbox-router-tools -- evaluate DIR`.\n",
    );
    text.push_str("\n## Learning on line\n\nAPGR on prompts that were not learned from, after so many outcomes of both models; the mean of eight orders.\n\n");
    text.push_str("| source | 0 | 100 | 200 | 300 | 1,000 | 3,000 |\n|---|---|---|---|---|---|---|\n");
    sources.iter().filter_map(|source| replay::learning(source, reader)).for_each(|line| text.push_str(&line));
    text.push_str("\n## The controller\n\nThe share of strong calls in every 500 calls, while traffic shifts from source to source, per cent.\n\n");
    text.push_str("| wanted | realised, source after source |\n|---|---|\n");
    for wanted in [10.0, 20.0, 40.0, 60.0, 80.0] {
        let shares = replay::shares(sources, reader, wanted / 100.0);
        let shares: Vec<String> = shares.iter().map(|share| format!("{share:.1}")).collect();
        text.push_str(&format!("| {wanted:.0} | {} |\n", shares.join(", ")));
    }
    text.push_str("\n## The bandit\n\nFour models on the mix, what a call is worth after its price, once a thousand outcomes are known.\n\n");
    text.push_str("| feedback on | bandit | best single model |\n|---|---|---|\n");
    if let Some(mix) = sources.iter().find(|source| source.name == "dcrouter") {
        for feedback in [1.0, 0.2, 0.1, 0.05] {
            let (bandit, single) = replay::bandit(mix, reader, &ARMS, feedback);
            text.push_str(&format!("| {:.0} % | {bandit:.4} | {single:.4} |\n", feedback * 100.0));
        }
    }
    text.push_str(
        "\n## Agreement of two cheap models\n\nPer cent. The strong model is asked where the cheap ones disagree.\n\n",
    );
    text.push_str("| source | cheap | strong calls | right: first cheap one | cascade | strong one |\n|---|---|---|---|---|---|\n");
    for (source, cheap) in CASCADES {
        let found =
            replay::cascade(&folder.join(format!("{source}.jsonl")), (cheap, "claude-3-haiku-20240307"), SONNET)?;
        let [calls, first, taken, strong] = found;
        text.push_str(&format!(
            "| {source} | {cheap} and claude-3-haiku | {calls:.1} | {first:.1} | {taken:.1} | {strong:.1} |\n"
        ));
    }
    Ok(text)
}

const SONNET: &str = "claude-3-5-sonnet-20241022";
/// The mix's models, and what a call of each is worth less for its price.
const ARMS: [(&str, f64); 4] = [
    ("mistral-7b-instruct-v0.3", 0.02),
    ("gemma-2-9b-it", 0.04),
    ("llama-3.1-nemotron-51b-instruct", 0.2),
    ("qwen2.5-7b-instruct", 0.03),
];
const CASCADES: [(&str, &str); 4] = [
    ("cascade_gsm", "gpt-3.5-turbo-0125"),
    ("cascade_gsm", "gpt-4o-mini-2024-07-18"),
    ("cascade_crux", "gpt-3.5-turbo-0125"),
    ("cascade_crux", "gpt-4o-mini-2024-07-18"),
];

/// The middle nine tenths of APGR over prompts drawn anew.
fn interval(scores: &[f64], weak: &[f64], strong: &[f64]) -> (f64, f64) {
    let count = scores.len().max(1) as u64;
    let mut found: Vec<f64> = (0..RESAMPLES)
        .map(|round| {
            let mut drawn = (Vec::new(), Vec::new(), Vec::new());
            for place in 0..count {
                let at = (shuffle(round << 32 | place) % count) as usize;
                if let (Some(score), Some(weak), Some(strong)) = (scores.get(at), weak.get(at), strong.get(at)) {
                    drawn.0.push(*score);
                    drawn.1.push(*weak);
                    drawn.2.push(*strong);
                }
            }
            apgr(&drawn.0, &drawn.1, &drawn.2)
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let at = |share: usize| found.get(found.len() * share / 100).copied().unwrap_or(0.0);
    (at(5), at(95))
}
