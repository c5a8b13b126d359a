//! How well the built-in topics are told, by their marks and by what prompts mean; and the coefficients of the latter.
//!
//! Prompts are the benchmarks' whose subject is plainly one topic, and `prompts.tsv`, written by hand for the topics that no benchmark
//! has and for what is none. A topic's row is the middle of its prompts, less the middle of all topics. Thresholds are chosen on prompts
//! that the rows were not made of; the report tells of prompts that neither saw.

use crate::train::shuffle;
use serde_json::Value;
use signalbox::config::TOPICS;
use signalbox::embed::{Embedding, Vector};
use signalbox::router::learn::lexicon::Lexicon;
use signalbox::router::learn::sample::Sample;
use signalbox::router::learn::scan::Scan;
use signalbox::router::learn::topic::{Topic, english};
use signalbox::router::learn::topic_model::{NUMBERS, TopicModel};
use std::path::Path;

/// The subjects of benchmarks that are plainly one topic.
const SUBJECTS: [(&str, &str, &[&str]); 10] = [
    ("dcrouter_train", "knowledge", &["natural_qa", "trivia_qa", "arc_challenge", "openbook_qa"]),
    ("dcrouter_train", "math", &["gsm8k", "math", "agentverse-mgsm"]),
    ("dcrouter_train", "code", &["mbpp", "human_eval"]),
    ("dcrouter_train", "reasoning", &["agentverse-logicgrid"]),
    ("mmlu_dev", "math", &["elementary_mathematics", "high_school_mathematics", "college_mathematics"]),
    ("mmlu_dev", "knowledge", &["high_school_geography", "world_religions", "nutrition", "prehistory", "virology"]),
    ("mmlu_dev", "reasoning", &["logical_fallacies"]),
    ("mmlu_pro", "math", &["math"]),
    ("mmlu_pro", "knowledge", &["biology", "psychology"]),
    ("zeroeval_crux", "code", &["crux"]),
];
/// As many prompts of a subject are asked about: benchmarks repeat themselves.
const ASKED: usize = 20;
/// Topics, and none.
pub const KINDS: usize = TOPICS.len() + 1;
/// The rule of the product without weights.
const PRODUCT: Thresholds = (0, 56, 6);
/// What meaning may be worth: nothing, or something.
const NOTHING: [i32; 1] = [0];
const WORTHS: [i32; 7] = [45, 90, 135, 180, 270, 360, 540];

/// What meaning is worth, what a topic must have for it, and be ahead by.
pub type Thresholds = (i32, i32, i32);

/// A prompt, and what there is to judge it by.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Not a benchmark's.
    pub by_hand: bool,
    /// Its topic's place, or that of none.
    pub of: usize,
    english: bool,
    marks: [i32; TOPICS.len()],
    meaning: Option<Vector>,
}

/// How often each topic was told, and rightly, how often it was there, and how often it was given none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    told: [u32; KINDS],
    right: [u32; KINDS],
    all: [u32; KINDS],
    none: [u32; KINDS],
}

impl Counts {
    /// Adds a prompt of one topic that was told to be of another.
    pub fn add(&mut self, of: usize, told: usize) {
        let one =
            |counts: &mut [u32; KINDS], at: usize| counts.iter_mut().skip(at).take(1).for_each(|count| *count += 1);
        one(&mut self.all, of);
        one(&mut self.told, told);
        if told == of {
            one(&mut self.right, of);
        }
        if told == TOPICS.len() {
            one(&mut self.none, of);
        }
    }

    /// Precision, recall and the part that was given none, of a topic.
    pub fn figures(&self, at: usize) -> (f64, f64, f64) {
        let of = |counts: &[u32; KINDS]| f64::from(counts.get(at).copied().unwrap_or(0));
        let all = of(&self.all).max(1.0);
        (of(&self.right) / of(&self.told).max(1.0), of(&self.right) / all, of(&self.none) / all)
    }

    /// Precision and recall over all prompts that have a topic.
    pub fn plain(&self) -> (f64, f64) {
        let sum = |of: &[u32; KINDS]| f64::from(of.iter().take(TOPICS.len()).sum::<u32>());
        (sum(&self.right) / sum(&self.told).max(1.0), sum(&self.right) / sum(&self.all).max(1.0))
    }

    /// Over the topics alike, 0 to 1. Precision counts twice: what goes to the wrong model is worse than what goes to the usual one.
    pub fn score(&self) -> f64 {
        let one = |at| {
            let (precision, recall, _) = self.figures(at);
            1.25 * precision * recall / (0.25 * precision + recall).max(1e-9)
        };
        (0..TOPICS.len()).map(one).sum::<f64>() / TOPICS.len() as f64
    }
}

/// The first topic's lead over the second, what it has for it, and its place.
fn leader(asked: &Asked, rows: &[u8], worth: i32) -> (i32, i32, usize) {
    let model = TopicModel::of(rows, (worth, 0, 0));
    let speaks = asked.meaning.as_ref().map_or([0; TOPICS.len()], |meaning| model.speaks(meaning));
    let scores = asked.marks.iter().zip(speaks).map(|(marks, speaks)| marks + speaks);
    let mut scores: Vec<(i32, usize)> = scores.enumerate().map(|(at, score)| (score, at)).collect();
    scores.sort_by_key(|(score, _)| -score);
    match scores.as_slice() {
        [first, second, ..] => (first.0 - second.0, first.0, first.1),
        [] | [_] => (0, 0, TOPICS.len()),
    }
}

fn held((lead, score, at): (i32, i32, usize), english: bool, clear: i32, ahead: i32) -> usize {
    if english && score >= clear && lead >= ahead { at } else { TOPICS.len() }
}

/// What a prompt is told to be about.
pub fn told(asked: &Asked, rows: &[u8], (worth, clear, ahead): Thresholds) -> usize {
    held(leader(asked, rows, worth), asked.english, clear, ahead)
}

/// Which thresholds are best, where each prompt stands beside rows that were not made of it.
fn best(asked: &[(&Asked, &[u8])], worths: &[i32]) -> Thresholds {
    let mut best = (-1.0, PRODUCT);
    for worth in worths {
        let leaders: Vec<_> = asked.iter().map(|(one, rows)| (leader(one, rows, *worth), *one)).collect();
        for clear in (16..200).step_by(8) {
            for ahead in (2..60).step_by(4) {
                let mut counts = Counts::default();
                leaders.iter().for_each(|(leader, one)| counts.add(one.of, held(*leader, one.english, clear, ahead)));
                let score = counts.score();
                if score > best.0 {
                    best = (score, (*worth, clear, ahead));
                }
            }
        }
    }
    best.1
}

/// A row a topic: the middle of its prompts less the middle of all topics, of length 2^8.
fn rows(asked: &[&Asked]) -> Vec<u8> {
    let middle = |at: usize| {
        let mut sum = [0.0; NUMBERS];
        for meaning in asked.iter().filter(|one| one.of == at).filter_map(|one| one.meaning.as_ref()) {
            let numbers = || meaning.numbers().iter().take(NUMBERS).map(|number| f64::from(*number));
            let length = numbers().map(|number| number * number).sum::<f64>().sqrt();
            sum.iter_mut().zip(numbers()).for_each(|(sum, number)| *sum += number / length.max(1.0));
        }
        unit(sum, 1.0)
    };
    let middles: Vec<[f64; NUMBERS]> = (0..TOPICS.len()).map(middle).collect();
    let all: Vec<f64> =
        (0..NUMBERS).map(|at| middles.iter().filter_map(|one| one.get(at)).sum::<f64>() / 8.0).collect();
    let less = middles.into_iter().map(|mut middle| {
        middle.iter_mut().zip(&all).for_each(|(own, all)| *own -= all);
        unit(middle, 256.0)
    });
    less.flatten().map(|value| (value.round().clamp(-127.0, 127.0) as i8).cast_unsigned()).collect()
}

fn unit(values: [f64; NUMBERS], length: f64) -> [f64; NUMBERS] {
    let own = values.iter().map(|value| value * value).sum::<f64>().sqrt().max(1e-9);
    values.map(|value| value * length / own)
}

/// How topics are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By marks, with the product's thresholds.
    Product,
    /// By marks, with thresholds that are chosen.
    Marks,
    /// By marks and meaning.
    Both,
}

impl By {
    /// Rows and thresholds for these prompts. Thresholds are chosen with each half beside the rows of the other.
    pub fn chosen(self, asked: &[&Asked]) -> (Vec<u8>, Thresholds) {
        let none = vec![0; TOPICS.len() * NUMBERS];
        match self {
            By::Product => (none, PRODUCT),
            By::Marks => {
                let thresholds = best(&asked.iter().map(|one| (*one, none.as_slice())).collect::<Vec<_>>(), &NOTHING);
                (none, thresholds)
            }
            By::Both => {
                let half = |odd: usize| asked.iter().skip(odd).step_by(2).copied().collect::<Vec<_>>();
                let (even, odd) = (half(0), half(1));
                let (of_even, of_odd) = (rows(&even), rows(&odd));
                let beside = even.iter().map(|one| (*one, of_odd.as_slice()));
                let beside: Vec<_> = beside.chain(odd.iter().map(|one| (*one, of_even.as_slice()))).collect();
                (rows(asked), best(&beside, &WORTHS))
            }
        }
    }
}

/// The coefficients for all prompts, as they are shipped.
pub fn train(asked: &[Asked], version: u16) -> Vec<u8> {
    let order = order(asked, 1);
    let (rows, thresholds) = By::Both.chosen(&order);
    TopicModel::of(&rows, thresholds).to_bytes(version)
}

/// The prompts in an order that looks drawn.
pub fn order(asked: &[Asked], seed: u64) -> Vec<&Asked> {
    let mut order: Vec<(u64, &Asked)> =
        asked.iter().enumerate().map(|(at, one)| (shuffle(seed << 32 | at as u64), one)).collect();
    order.sort_by_key(|(drawn, _)| *drawn);
    order.into_iter().map(|(_, one)| one).collect()
}

/// Every prompt, read with an embedding.
pub fn asked(folder: &Path, by_hand: &str, embedding: &Embedding<'_>) -> Result<Vec<Asked>, String> {
    let lexicon = Lexicon::built_in();
    let ask = |text: &str, topic: &str, by_hand| {
        let scan = Scan::of(Sample::of(text), &lexicon);
        let of = TOPICS.iter().position(|name| *name == topic).unwrap_or(TOPICS.len());
        let marks = Topic::scores(&scan).map(|(score, _)| score);
        let meaning = embedding.vector(Sample::of(text).head);
        Asked { by_hand, of, english: english(&scan), marks, meaning }
    };
    let lines = by_hand.lines().filter_map(|line| line.split_once('\t'));
    let mut all: Vec<Asked> = lines.map(|(topic, text)| ask(text, topic, true)).collect();
    for (file, topic, subjects) in SUBJECTS {
        let path = folder.join(format!("{file}.jsonl"));
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let rows: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let said = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        for subject in subjects {
            let of = rows.iter().filter(|row| said(row, "category") == *subject);
            let drawn = |row: &Value| said(row, "id").bytes().fold(0, |sum, byte| shuffle(sum ^ u64::from(byte)));
            let mut of: Vec<(u64, &Value)> = of.map(|row| (drawn(row), row)).collect();
            of.sort_by_key(|(drawn, _)| *drawn);
            all.extend(of.iter().take(ASKED).map(|(_, row)| ask(&said(row, "prompt"), topic, false)));
        }
    }
    Ok(all)
}
