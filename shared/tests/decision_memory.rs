//! What a decision allocates, whatever the length of its prompt: a prompt is found in the body without being decoded, and
//! read at both its ends, so that one of 100,000 tokens takes no more memory than one of 4,000.
//!
//! Counted by an allocator of this program's own, which has this one test.
#![allow(clippy::unwrap_used, unsafe_code)]

use signalbox::catalog::Catalog;
use signalbox::config::{Config, Providers};
use signalbox::dialect::last_turn;
use signalbox::embed::Weights;
use signalbox::json;
use signalbox::router::learn::sample::Sample;
use signalbox::router::{Ask, Router, Signals, Standard};
use signalbox::units::Timestamp;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most that may be allocated at any moment of a decision, beside the body.
const BOUND: usize = 24 * 1_024;
/// By how much the longest prompt may exceed the short one.
const MORE: usize = 1_024;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came; what is counted beside it touches no memory of anybody's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`, and `at` is the system's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUTE: &str = r#"
[routes.picks]
strategy = "learned"
candidates = ["openai:gpt-5.4-mini", { strategy = "semantic", candidates = ["openai:gpt-5.4", { model = "anthropic:claude-haiku-4-5", topics = ["code"] }] }]
"#;

fn router() -> Standard {
    let config = Config::parse(ROUTE).unwrap();
    let providers = Providers::from(&config, &|name: &str| name.ends_with("_API_KEY").then(|| "k".to_owned()));
    let catalog = Arc::new(Catalog::new(&config, &providers));
    Standard::new(Arc::new(config), catalog)
}

/// What the pipeline does to decide: from the bytes of a body to a plan.
fn decide(router: &Standard, body: &[u8], weights: Option<&Arc<Weights>>) -> usize {
    let document = json::scan(body, &json::Limits::default()).unwrap();
    let prompt = last_turn(&document).unwrap();
    let read = router.read(Sample { head: &prompt.head, tail: &prompt.tail, bytes: prompt.bytes }, weights);
    let signals = Signals { in_tool_loop: prompt.in_tool_loop, ..read };
    let ask = Ask { model: Some("picks".into()), team: "t".into(), tokens_in: 1_000, signals, ..Ask::default() };
    let view = router.view(&ask, Timestamp(1));
    router.decide(&ask, &view, 7).unwrap().plan.len()
}

/// The most held during a decision about a prompt of so many tokens, beyond what was held before.
fn peak(router: &Standard, words: &str, tokens: usize, weights: Option<&Arc<Weights>>) -> usize {
    let text = words.repeat(tokens / 8);
    let body = format!(r#"{{"model":"picks","messages":[{{"role":"user","content":"{text}"}}]}}"#);
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    assert_eq!(decide(router, body.as_bytes(), weights), 3);
    PEAK.load(Ordering::Relaxed) - before
}

/// An embedding of two words.
fn weights() -> Weights {
    let mut file = b"SEMB0001".to_vec();
    file.extend([2_u32, 2, 0, 2, 0, 0].iter().flat_map(|value| value.to_le_bytes()));
    file.extend([1, 2, 3, 4]);
    file.extend(b"fix\nthis\n");
    Weights::read(&file).unwrap()
}

#[test]
fn a_prompt_of_a_hundred_thousand_tokens_takes_no_more_memory_to_decide_about_than_one_of_four_thousand() {
    let router = router();
    let weights = Arc::new(weights());
    // Sentences, escapes among them; and one word without an end, which nothing may take for a word.
    for words in ["Fix \\\"this\\\" é: 12 + f(x)\\n", "thisisnotawordthatanybodyknowsof"] {
        for weights in [None, Some(&weights)] {
            // What is remembered of the route and of the weights is made at the first decision.
            peak(&router, words, 4_000, weights);
            let (short, long) = (peak(&router, words, 4_000, weights), peak(&router, words, 100_000, weights));
            assert!(long <= BOUND, "{long} bytes");
            assert!(long <= short + MORE, "{long} bytes, where a short prompt takes {short}");
        }
    }
}
