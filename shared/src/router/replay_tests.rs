//! A decision as it is written down: made again from it, and in the words that are promised.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::tests::{ask, now, router, with};
use super::*;
use crate::config::ModelAccess;
use crate::units::Millis;

#[test]
fn a_decision_that_was_written_down_is_made_again() {
    let router = router(
        r#"
        [routes.r]
        strategy = "latency"
        candidates = [{ strategy = "weighted", candidates = ["openai:dear", "eu:fair"] }, "openai:cheap", "cheap"]
        shadow = { model = "eu:fair", share = 0.5 }
        [[rules]]
        when = 'needs.tools'
        require = { region = ["eu"] }
        "#,
    );
    let mut seed = 7;
    for n in 0..500_u64 {
        let mut draw = |below: u64| {
            seed = choose::mix(seed, n);
            seed % below
        };
        let mut view =
            View { now: Timestamp(draw(1 << 40)), health_age_ms: Some(Millis(draw(9_000))), ..View::default() };
        for model in ["openai:dear", "eu:fair", "openai:cheap"] {
            let standing = Standing {
                circuit: [Circuit::Closed, Circuit::Closed, Circuit::Open, Circuit::HalfOpen][draw(4) as usize],
                retry_at: Some(Timestamp(draw(1 << 40))),
                calls: draw(1_000),
                errors_permille: draw(1_001) as u32,
                ttft_ms: (draw(2) == 0).then(|| draw(5_000)),
                in_flight: draw(20) as u32,
                ..Standing::default()
            };
            view.upstreams.insert(model.to_owned(), standing);
        }
        let asked = Ask {
            tokens_in: draw(3_000),
            needs: Needs { tools: draw(3) == 0, ..Needs::default() },
            allowed: vec![ModelAccess::All],
            ..ask("r")
        };
        let entropy = draw(u64::MAX);
        let made = serde_json::to_string(&router.decide(&asked, &view, entropy).unwrap()).unwrap();
        let again: (Ask, View) = serde_json::from_str(&serde_json::to_string(&(&asked, &view)).unwrap()).unwrap();
        assert_eq!((&again.0, &again.1), (&asked, &view));
        assert_eq!(serde_json::to_string(&router.decide(&again.0, &again.1, entropy).unwrap()).unwrap(), made);
    }
}

#[test]
fn a_decision_reads_as_it_is_promised() {
    let router = router("[routes.fast]\nstrategy = \"latency\"\ncandidates = [\"openai:dear\", \"openai:cheap\"]");
    let view = View {
        health_age_ms: Some(Millis(420)),
        ..with(now(), "openai:dear", Standing { ttft_ms: Some(212), ..Standing::default() })
    };
    let asked = Ask { needs: Needs { vision: true, ..Needs::default() }, ..ask("fast") };
    let json = serde_json::to_value(router.decide(&asked, &view, 0).unwrap()).unwrap();
    let want = crate::json::json!({
        "id": "", "route": "fast", "strategy": "latency", "reason": "only_fit",
        "plan": [{"model": "openai:dear", "role": "primary"}],
        "considered": [
            {"model": "openai:dear", "verdict": "chosen", "scores": {"ttft_ms": 214, "usd": 0.009, "quality": 0.9}},
            {"model": "openai:cheap", "verdict": "dropped", "reason": "lacks_vision", "scores": {"usd": 0.00009, "quality": 0.4}},
        ],
        "signals": {"tokens_in": 100},
        "view": {"health_age_ms": 420},
    });
    assert_eq!(json, want);
}
