//! Fuzz targets: each module's `run` takes any bytes and panics if a promise is broken.
//!
//! The same functions run two ways: `cargo test` drives each with mutations of `seeds/` for a bounded
//! time on stable, `make fuzz` hands each to libFuzzer.

pub mod anthropic;
pub mod bedrock;
pub mod cohere;
mod dialect;
pub mod event_stream;
pub mod gemini;
pub mod json_array;
pub mod json_scan;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;
mod provider_dialect;
pub mod sse_reader;
pub mod workers_ai;

/// Takes the first byte of the input as a number to decide by.
fn take_byte(data: &mut &[u8]) -> usize {
    let Some((first, rest)) = data.split_first() else { return 0 };
    *data = rest;
    usize::from(*first)
}

/// Cuts a stream into chunks whose sizes follow from `seed`: all sizes from 0 to 16, now and then more.
fn chunks(stream: &[u8], seed: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(stream);
    let mut state = seed as u64;
    std::iter::from_fn(move || {
        let left = rest.take()?;
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let size = match state >> 60 {
            15 => 1_000,
            _ => (state >> 33) as usize % 17,
        };
        let (chunk, after) = left.split_at(size.min(left.len()));
        rest = (!left.is_empty()).then_some(after);
        Some(chunk)
    })
}
