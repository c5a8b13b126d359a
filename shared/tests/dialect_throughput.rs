//! `cargo test --release -p signalbox --test dialect_throughput -- --ignored --nocapture`
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    clippy::print_stdout,
    reason = "a measurement needs a clock"
)]

mod corpus;

use signalbox::dialect::Dialect;
use std::time::Instant;

const SIZE: usize = 32 << 20;

fn stream(dialect: Dialect) -> Vec<u8> {
    let (head, delta) = match dialect {
        Dialect::OpenAiChat => (
            "",
            "data: {\"id\":\"chatcmpl-AbCdEf0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1754000000,\"model\":\"gpt-5.4-mini\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" a token\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"xyz123\"}\n\n",
        ),
        Dialect::Anthropic => (
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" a token or two\"}}\n\n",
        ),
        Dialect::OpenAiResponses => (
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"m\"},\"sequence_number\":0}\n\n",
            "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"content_index\":0,\"delta\":\" a token\",\"item_id\":\"msg_0ecff685e411ca7b0069e063580128819b9ec474594c61b988\",\"logprobs\":[],\"obfuscation\":\"gXy977j6nL2j2\",\"output_index\":0,\"sequence_number\":4}\n\n",
        ),
        Dialect::Gemini => (
            "",
            "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \" a token or two, and a few more of them\"}],\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 95,\"candidatesTokenCount\": 29,\"totalTokenCount\": 192,\"promptTokensDetails\": [{\"modality\": \"TEXT\",\"tokenCount\": 95}],\"thoughtsTokenCount\": 68},\"modelVersion\": \"gemini-3.1-pro-preview\",\"responseId\": \"ywCzae2oL5ODz7IP29qJmQw\"}\r\n\r\n",
        ),
    };
    let mut stream = head.as_bytes().to_vec();
    while stream.len() < SIZE {
        stream.extend_from_slice(delta.as_bytes());
    }
    stream
}

fn measure(what: &str, bytes: usize, run: impl FnOnce() -> usize) {
    let (start, cpu) = (Instant::now(), cpu_nanoseconds());
    let produced = run();
    let seconds = match (cpu, cpu_nanoseconds()) {
        (Some(before), Some(after)) => (after - before) as f64 / 1e9,
        _ => start.elapsed().as_secs_f64(),
    };
    println!("{what}: {:.0} MB/s in, {} MB out", bytes as f64 / 1e6 / seconds, produced / 1_000_000);
}

/// This thread's time on a processor, where Linux tells: a busy machine spoils wall time.
fn cpu_nanoseconds() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    stat.split(' ').next()?.parse().ok()
}

#[test]
#[ignore = "a measurement"]
fn throughput_of_streams() {
    for from in corpus::ALL {
        let stream = stream(from);
        for chunk in [16 << 10, 1_000] {
            let name = format!("{} in chunks of {chunk}", from.as_str());
            measure(&format!("meter, {name}"), stream.len(), || {
                let mut meter = from.meter();
                stream.chunks(chunk).for_each(|chunk| meter.push(chunk));
                meter.finish().output_bytes as usize
            });
            measure(&format!("decode, {name}"), stream.len(), || {
                let (mut decoder, mut events, mut count) = (from.decoder(), Vec::new(), 0);
                for chunk in stream.chunks(chunk) {
                    decoder.push(chunk, &mut events);
                    count += events.len();
                    events.clear();
                }
                count
            });
            for to in corpus::ALL {
                measure(&format!("to {}, {name}", to.as_str()), stream.len(), || {
                    let (mut decoder, mut encoder) = (from.decoder(), to.encoder(corpus::context()));
                    let (mut events, mut out, mut produced) = (Vec::new(), Vec::new(), 0);
                    for chunk in stream.chunks(chunk) {
                        decoder.push(chunk, &mut events);
                        events.drain(..).for_each(|event| encoder.push(event, &mut out));
                        produced += out.len();
                        out.clear();
                    }
                    produced
                });
            }
        }
    }
}
