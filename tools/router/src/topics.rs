//! How well topics of an operator's own are told from a few examples: by n-grams, by meaning, by both.
//!
//! The subjects of a benchmark stand for topics. Of several draws, half of the subjects are topics with a few examples each,
//! the other half is something else that should have none. Thresholds are chosen on one benchmark; what they come to on
//! another, of other subjects and other people, is what the report is about.

use serde_json::Value;
use signalbox::embed::Weights;
use signalbox::router::learn::lexicon::Lexicon;
use signalbox::router::learn::own_topics::OwnTopics;
use signalbox::router::learn::sample::Sample;
use signalbox::router::learn::scan::Scan;
use std::fmt::Write;
use std::path::Path;

const CHOSEN_ON: &str = "mmlu_dev";
const REPORTED_ON: [&str; 2] = ["mmlu_pro", "dcrouter_train"];
const EXAMPLES: usize = 12;
const DRAWS: u64 = 10;
/// As many prompts of a subject are asked about in a draw.
const ASKED: usize = 40;
/// A subject has examples, and as many prompts again.
const LEAST: usize = 2 * EXAMPLES;

/// What a prompt shows: which topic it is of, if any, and how alike it is to each by n-grams and by meaning.
struct Asked {
    of: Option<usize>,
    grams: Vec<i64>,
    meaning: Vec<i64>,
}

/// How topics are told.
#[derive(Clone, Copy)]
struct Rule {
    /// What n-grams and meaning are worth, in parts of 16.
    worth: (i64, i64),
    alike: i64,
    margin: i64,
}

/// How often a topic was told, and rightly, and how often there was one.
#[derive(Default)]
struct Counts {
    told: u32,
    right: u32,
    all: u32,
}

impl Counts {
    fn of(asked: &[Asked], rule: Rule) -> Counts {
        let mut counts = Counts::default();
        for one in asked {
            let mut alike: Vec<(i64, usize)> = (one.grams.iter().zip(&one.meaning).enumerate())
                .map(|(at, (grams, meaning))| (grams * rule.worth.0 / 16 + meaning * rule.worth.1 / 16, at))
                .collect();
            alike.sort_by_key(|(similarity, _)| -similarity);
            let second = alike.get(1).map_or(0, |(similarity, _)| *similarity);
            let first = alike.first().filter(|first| first.0 >= rule.alike && first.0 - second >= rule.margin);
            counts.all += u32::from(one.of.is_some());
            counts.told += u32::from(first.is_some());
            counts.right += u32::from(first.is_some_and(|first| Some(first.1) == one.of));
        }
        counts
    }

    fn precision(&self) -> f64 {
        f64::from(self.right) / f64::from(self.told.max(1))
    }

    fn recall(&self) -> f64 {
        f64::from(self.right) / f64::from(self.all.max(1))
    }

    /// Precision counts twice: a prompt that goes to the wrong model is worse than one that goes to the usual one.
    fn score(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        1.25 * precision * recall / (0.25 * precision + recall).max(1e-9)
    }
}

/// The rule of the product where there are no weights.
const GRAMS: Rule = Rule { worth: (16, 0), alike: 520, margin: 80 };
/// Its rule where there are. Less is asked of it than these benchmarks would have: their prompts are long, with much in common,
/// and people's are short.
const BOTH: Rule = Rule { worth: (16, 16), alike: 2_200, margin: 360 };

/// The report, with weights of each size that is there; `None` where there are none.
pub fn report(folder: &Path) -> Result<Option<String>, String> {
    let mut text = String::from(
        "# Topics of one's own, from twelve examples each\n\nWritten by `cargo run -p signalbox-router-tools -- topics DIR`. \
         Half of a benchmark's subjects are topics, half are something else; ten draws. Precision: of what was given a topic, \
         as much had this one. Recall: of what had one, as much was given it.\n",
    );
    let mut any = false;
    for size in [64, 128] {
        let Some(weights) = weights(folder, size) else { continue };
        any = true;
        let chosen_on = asked(&folder.join(CHOSEN_ON), &weights)?;
        let rules = [
            ("n-grams, as without weights", GRAMS),
            ("n-grams, thresholds chosen", best(&chosen_on, &[(16, 0)])),
            ("meaning", best(&chosen_on, &[(0, 16)])),
            ("both, as in the product", BOTH),
            ("both, thresholds chosen", best(&chosen_on, &[(4, 16), (8, 16), (12, 16), (16, 16), (24, 16), (32, 16)])),
        ];
        let _ = write!(
            text,
            "\n## {size} numbers\n\n| told by | n-grams : meaning | alike, ahead | chosen on {CHOSEN_ON}: precision, recall |"
        );
        for name in REPORTED_ON {
            let _ = write!(text, " {name}: precision, recall |");
        }
        text.push_str("\n|---|---|---|---|---|---|\n");
        let others: Vec<Vec<Asked>> =
            REPORTED_ON.iter().map(|name| asked(&folder.join(name), &weights)).collect::<Result<_, _>>()?;
        for (name, rule) in rules {
            let Rule { worth, alike, margin } = rule;
            let _ = write!(text, "| {name} | {} : {} | {alike}, {margin} |", worth.0, worth.1);
            for asked in [&chosen_on].into_iter().chain(&others) {
                let counts = Counts::of(asked, rule);
                let _ = write!(text, " {:.3}, {:.3} |", counts.precision(), counts.recall());
            }
            text.push('\n');
        }
    }
    Ok(any.then_some(text))
}

/// The best thresholds for one of these ways to add up.
fn best(asked: &[Asked], worths: &[(i64, i64)]) -> Rule {
    let mut best = (0.0, GRAMS);
    for worth in worths {
        for alike in (200..4_000).step_by(100) {
            for margin in (40..800).step_by(40) {
                let rule = Rule { worth: *worth, alike, margin };
                let score = Counts::of(asked, rule).score();
                if score > best.0 {
                    best = (score, rule);
                }
            }
        }
    }
    best.1
}

/// Weights of so many numbers, beside the folder of outcomes.
pub(crate) fn weights(folder: &Path, size: usize) -> Option<Weights> {
    let beside = folder.join("../embedding");
    let file = |name: &str| std::fs::read(beside.join(name)).ok();
    Weights::read(&[file(&format!("minilm_static_{size}.semb"))?, file("vocab.txt")?].concat())
}

/// Every prompt that is asked about, over all draws.
fn asked(file: &Path, weights: &Weights) -> Result<Vec<Asked>, String> {
    let text = std::fs::read_to_string(file.with_extension("jsonl"))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    let mut subjects: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let said = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (subject, prompt) = (said("category"), said("prompt"));
        match subjects.iter_mut().find(|(name, _)| *name == subject) {
            Some((_, prompts)) => prompts.push(prompt),
            None => subjects.push((subject, vec![prompt])),
        }
    }
    subjects.retain(|(_, prompts)| prompts.len() >= LEAST);
    let embedding = weights.embedding().ok_or("no weights")?;
    let lexicon = Lexicon::built_in();
    let mut all = Vec::new();
    for draw in 1..=DRAWS {
        let mut chance = draw.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        shuffle(&mut subjects, &mut chance);
        subjects.iter_mut().for_each(|(_, prompts)| shuffle(prompts, &mut chance));
        let topics = subjects.iter().take(subjects.len() / 2);
        let examples =
            topics.flat_map(|(name, prompts)| prompts.iter().take(EXAMPLES).map(|one| (name.as_str(), one.as_str())));
        let own = OwnTopics::new(examples, &lexicon);
        let meant = own.meant(&embedding);
        for (at, (_, prompts)) in subjects.iter().enumerate() {
            let of = (at < subjects.len() / 2).then_some(at);
            for prompt in prompts.iter().skip(EXAMPLES).take(ASKED) {
                let scan = Scan::of(Sample::of(prompt), &lexicon);
                let Some(vector) = embedding.vector(prompt) else { continue };
                let grams = own.similarities(&scan).into_iter().map(|(_, similarity)| similarity).collect();
                all.push(Asked { of, grams, meaning: meant.similarities(&vector).collect() });
            }
        }
    }
    Ok(all)
}

fn shuffle<T>(all: &mut [T], chance: &mut u64) {
    for at in (1..all.len()).rev() {
        *chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.swap(at, ((*chance >> 33) % (at as u64 + 1)) as usize);
    }
}
