//! How fast a provider's stream is read and told in a caller's words, natively, on one core: no runtime, no sockets.

use std::time::{Duration, Instant};

use serde::Serialize;
use signalbox::dialect::{Dialect, Echo, StreamContext};

/// An OpenAI provider's stream as one caller's dialect tells it.
#[derive(Clone, Debug, Serialize)]
pub struct Translation {
    /// The caller's dialect.
    pub to: &'static str,
    /// Of the provider's bytes, a second.
    pub megabytes_per_second: f64,
}

const CALLERS: [Dialect; 4] = [Dialect::OpenAiChat, Dialect::Anthropic, Dialect::OpenAiResponses, Dialect::Gemini];

/// As OpenAI sends it, with everything around the token.
const EVENT: &str = "data: {\"id\":\"chatcmpl-AbCdEf0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1754000000,\"model\":\"gpt-5.4-mini\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" a token\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"xyz123\"}\n\n";
const EVENTS: usize = 100_000;
/// What arrives at once when a provider is fast.
const CHUNK: usize = 16 << 10;
const ROUNDS: usize = 5;

/// Every caller's dialect; of several rounds the best, for what else the machine does only slows.
pub fn measure() -> Vec<Translation> {
    let stream = EVENT.repeat(EVENTS).into_bytes();
    let best = |to: Dialect| (0..ROUNDS).map(|_| once(&stream, to)).min().unwrap_or(Duration::MAX);
    let told = |to: Dialect| stream.len() as f64 / 1e6 / best(to).as_secs_f64();
    CALLERS.iter().map(|to| Translation { to: to.as_str(), megabytes_per_second: told(*to) }).collect()
}

fn once(stream: &[u8], to: Dialect) -> Duration {
    let context = StreamContext {
        id: "answer".to_owned(),
        model: None,
        created: 1,
        include_usage: true,
        request_id: "request".to_owned(),
        echo: Echo::default(),
    };
    let (mut decoder, mut encoder) = (Dialect::OpenAiChat.decoder(), to.encoder(context));
    let (mut events, mut out) = (Vec::new(), Vec::new());
    let begun = used();
    for chunk in stream.chunks(CHUNK) {
        decoder.push(chunk, &mut events);
        events.drain(..).for_each(|event| encoder.push(event, &mut out));
        std::hint::black_box(&out);
        out.clear();
    }
    used().saturating_sub(begun)
}

/// This thread's time on a processor, where Linux tells: a busy machine spoils wall time.
fn used() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(wall, Duration::from_nanos)
}

fn wall() -> Duration {
    static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(Instant::now).elapsed()
}
