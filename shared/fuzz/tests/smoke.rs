//! Every target for a bounded number of runs on stable: each seed, then mutations of the seeds.
//!
//! The numbers drawn are the same in every run, so a failure repeats. `FUZZ_RUNS` sets how many runs a
//! target gets; the input that fails is printed as a Rust byte string, to become a seed.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

/// Splitmix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % bound.max(1) as u64) as usize
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(24) + 1)
    }
}

/// Bytes that mean something to one reader or another.
const TELLING: &[&[u8]] = &[
    b"\n\n",
    b"\r",
    b"\r\n",
    b"data: ",
    b"event: ",
    b": ",
    b"\xEF\xBB\xBF",
    b"\xF0\x9F",
    b"\xFF",
    b"\0",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\u0061",
    b"\\uD83D",
    b"\\uDE00",
    b"-0.5e+9",
    b"1e999",
    b"null",
    b"true",
    b" ",
    b"[DONE]",
];

fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    for _ in 0..1 + random.below(6) {
        let range = random.range(input.len());
        match random.below(6) {
            0 => drop(input.splice(range, [])),
            1 => drop(input.splice(range.start..range.start, TELLING[random.below(TELLING.len())].iter().copied())),
            2 => {
                let copy = input[range].to_vec();
                let at = random.below(input.len() + 1);
                input.splice(at..at, copy);
            }
            3 => {
                let other = &seeds[random.below(seeds.len())];
                let part = other[random.range(other.len())].to_vec();
                input.splice(range, part);
            }
            4 => {
                for byte in &mut input[range] {
                    *byte = random.below(256) as u8;
                }
            }
            _ => {
                let at = random.below(input.len());
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}

fn smoke(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut paths: Vec<_> = folder.read_dir().expect("seeds").map(|file| file.expect("a seed").path()).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).expect("a seed")).collect();
    assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
    let runs = std::env::var("FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(100_000);
    let mut random = Random(1);
    for number in 0..runs {
        let mut input = seeds[number % seeds.len()].clone();
        if number >= seeds.len() {
            mutate(&mut input, &seeds, &mut random);
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&input))) {
            eprintln!("{target}, run {number}: b\"{}\"", input.escape_ascii());
            resume_unwind(panic);
        }
    }
}

#[test]
fn sse_reader_keeps_its_promises() {
    smoke("sse_reader", signalbox_fuzz::sse_reader::run);
}

#[test]
fn json_array_keeps_its_promises() {
    smoke("json_array", signalbox_fuzz::json_array::run);
}

#[test]
fn json_scan_keeps_its_promises() {
    smoke("json_scan", signalbox_fuzz::json_scan::run);
}

#[test]
fn openai_chat_keeps_its_promises() {
    smoke("openai_chat", signalbox_fuzz::openai_chat::run);
}

#[test]
fn anthropic_keeps_its_promises() {
    smoke("anthropic", signalbox_fuzz::anthropic::run);
}

#[test]
fn openai_responses_keeps_its_promises() {
    smoke("openai_responses", signalbox_fuzz::openai_responses::run);
}

#[test]
fn bedrock_keeps_its_promises() {
    smoke("bedrock", signalbox_fuzz::bedrock::run);
}

#[test]
fn cohere_keeps_its_promises() {
    smoke("cohere", signalbox_fuzz::cohere::run);
}

#[test]
fn event_stream_keeps_its_promises() {
    smoke("event_stream", signalbox_fuzz::event_stream::run);
}

#[test]
fn ollama_keeps_its_promises() {
    smoke("ollama", signalbox_fuzz::ollama::run);
}

#[test]
fn workers_ai_keeps_its_promises() {
    smoke("workers_ai", signalbox_fuzz::workers_ai::run);
}

#[test]
fn gemini_keeps_its_promises() {
    smoke("gemini", signalbox_fuzz::gemini::run);
}
