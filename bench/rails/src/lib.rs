//! The guardrails of a request and nothing else, as a module of wasm that a Worker calls in a loop.
//!
//! What a whole request costs with rails, less what it costs without, is mostly noise: milliseconds of a runtime on both
//! sides of a fraction of one. Here the same code, compiled as the Worker is, takes the same body through the same rails,
//! and the process has nothing else to do.

use signalbox::config::Config;
use signalbox::words::Guards;
use std::sync::OnceLock;

/// Every built-in guardrail that a request can have: its kind, and what else is said of it.
pub const RAILS: [(&str, &str); 7] = [
    ("pii", ", action = \"flag\""),
    ("secrets", ", action = \"flag\""),
    ("invisible", ", action = \"flag\""),
    ("terms", ", terms = [\"project zeus\"], action = \"flag\""),
    ("injection", ""),
    ("length", ", max_chars = 100_000"),
    ("repetition", ", action = \"flag\""),
];

/// Prose, names, numbers and code as people send them, 4 kB.
pub fn prompt() -> String {
    const PASSAGE: &str = "Title VII of the Civil Rights Act protects individuals against discrimination, he said in 2019. \
        Please summarise ticket 48213 for Ms Okafor: she ordered 3 boxes (1.5 kg each) on 5 June 2024, paid 129.90 and still \
        waits. Her router, version 2.4.1, shows fe80 on port 8080.\n\
        fn main() { let config = Config::load(\"settings.toml\")?; for (i, item) in items.iter().enumerate() { \
        println!(\"{}: {:?} {}\", i, item.name, item.price * 1.19); } }\n\
        {\"user\": {\"id\": 7311, \"plan\": \"pro\", \"created\": \"2024-06-05T09:15:30Z\", \"score\": 0.873}}\n";
    PASSAGE.chars().cycle().take(4_096).collect()
}

/// A guardrail of these rails in a configuration.
pub fn guardrail(name: &str, rails: &[(&str, &str)]) -> String {
    let rails: Vec<String> = rails.iter().map(|(kind, more)| format!("{{ kind = \"{kind}\"{more} }}")).collect();
    format!("[guardrails.{name}]\ninput = [{}]\n", rails.join(", "))
}

struct Bench {
    body: String,
    /// One for each rail alone, then one for all.
    guards: Vec<Guards>,
}

fn bench() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(|| {
        let of = |rails: &[(&str, &str)]| Guards::of(&Config::parse(&guardrail("default", rails)).unwrap_or_default());
        let body =
            serde_json::json!({ "model": "m", "messages": [{ "role": "user", "content": prompt() }] }).to_string();
        Bench { body, guards: RAILS.chunks(1).chain([RAILS.as_slice()]).map(of).collect() }
    })
}

/// Takes the body through these rails so many times (the number of a rail, or how many there are for all), each time as a
/// new request; tells how much was found, so that nothing is left out.
// A name of its own is all that is unsafe here: nothing else in the module has it.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
pub extern "C" fn scan(rails: u32, times: u32) -> u32 {
    let bench = bench();
    let Some(guards) = bench.guards.get(rails as usize) else { return 0 };
    let once = |_| {
        let words = guards.words("", &[], &[]);
        let changed = words.request(&bench.body, 0..usize::MAX).is_ok_and(|body| body.is_some());
        u32::from(changed) + words.hits().len() as u32
    };
    (0..times).map(once).fold(0, u32::wrapping_add)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_rail_holds_and_the_prompt_is_clean() {
        assert!(super::bench().guards.iter().all(|guards| !guards.words("", &[], &[]).is_idle()));
        for rails in 0..=super::RAILS.len() as u32 {
            assert_eq!(super::scan(rails, 2), 0, "rail {rails}");
        }
    }
}
