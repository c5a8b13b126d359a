//! How three providers do, from moment to moment.

use serde_json::{Value, json};
use signalbox_tests::simulator::{Answer, Script};
use signalbox_tests::virtual_time::World;

/// The names of the three.
pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];
/// How long a scene lasts, and how often the weather changes.
pub(crate) const SCENE_MS: u64 = 60_000;
const TICK_MS: u64 = 100;
/// A time to first token on a good day.
pub(crate) const USUAL_MS: u64 = 300;

/// A scene. `c` is always well, as far as it is not asked for too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Outage,
    BrownOut,
    Flapping,
    Herd,
    Storm,
}

impl Weather {
    pub(crate) const ALL: [Weather; 5] =
        [Weather::Outage, Weather::BrownOut, Weather::Flapping, Weather::Herd, Weather::Storm];

    pub(crate) fn about(self) -> &'static str {
        match self {
            Weather::Outage => "one is down for half a minute (503)",
            Weather::BrownOut => "one is slow for half a minute (12 s to its first token)",
            Weather::Flapping => "two go down and come back, every two and every three seconds",
            Weather::Herd => "three times 300 calls at once, each provider takes 150 a second (529)",
            Weather::Storm => "two allow three calls a second each (429)",
        }
    }

    /// Calls that come at this tenth of a second.
    pub(crate) fn arrivals(self, tick: u64) -> u64 {
        let surge = self == Weather::Herd && [100, 300, 500].contains(&tick);
        1 + if surge { 300 } else { 0 }
    }

    /// What a provider answers in this tenth of a second, one call after the other; the last repeats.
    fn answers(self, name: &str, tick: u64, latency: u64) -> Vec<Answer> {
        let (good, bad_days) = (words(latency), (100..400).contains(&tick));
        match (self, name) {
            (Weather::Outage, "a") if bad_days => vec![refusal(503, json!({}))],
            (Weather::BrownOut, "a") if bad_days => vec![words(12_000)],
            (Weather::Flapping, "a") if tick / 20 % 2 == 1 => vec![refusal(503, json!({}))],
            (Weather::Flapping, "b") if tick / 30 % 2 == 1 => vec![refusal(500, json!({}))],
            (Weather::Herd, _) => once_full(good, 150, refusal(529, json!({}))),
            (Weather::Storm, "a" | "b") => once_full(good, 3, refusal(429, json!({ "retry-after": "1" }))),
            _ => vec![good],
        }
    }

    /// Whether what is left of this second's answers is kept.
    fn counts_seconds(self) -> bool {
        matches!(self, Weather::Herd | Weather::Storm)
    }

    /// Lets the weather happen.
    pub(crate) async fn happen(self, world: World) {
        for tick in 0..SCENE_MS / TICK_MS {
            for name in NAMES {
                let latency = USUAL_MS - 50 + world.random(150);
                if tick.is_multiple_of(10) || !self.counts_seconds() {
                    world.upstream().register(name, self.answers(name, tick, latency)).unwrap();
                }
            }
            world.executor().sleep(TICK_MS).await;
        }
    }
}

fn once_full(good: Answer, room: usize, refusal: Answer) -> Vec<Answer> {
    let mut answers = vec![good; room];
    answers.push(refusal);
    answers
}

fn words(latency: u64) -> Answer {
    let event = |choices: Value, usage: Value| json!({ "data": { "id": "1", "object": "chat.completion.chunk", "model": "m", "choices": choices, "usage": usage } });
    let usage = json!({ "prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30 });
    script(json!({
        "before_head": [{ "delay_ms": latency }],
        "steps": [
            event(json!([{ "index": 0, "delta": { "role": "assistant", "content": "ten words" } }]), Value::Null),
            event(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]), Value::Null),
            event(json!([]), usage),
            { "data": "[DONE]" },
        ],
    }))
}

fn refusal(status: u16, headers: Value) -> Answer {
    script(json!({ "status": status, "headers": headers, "body": { "error": { "message": "not now" } } }))
}

fn script(script: Value) -> Answer {
    serde_json::from_value::<Script>(script).unwrap().into()
}
