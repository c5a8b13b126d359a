//! What an operator could do better, by what was counted and learned: `GET /admin/v1/recommendations`.
//!
//! Each says what was seen, and what it comes to; nothing is recommended on a handful of calls, and nothing is done by
//! itself. What a cheaper model would save is held against prices for a usual call, as savings are everywhere.

use super::learn::lessons::{Report, Standing};
use super::{Standard, Tally, advice};
use crate::config::ModelId;
use crate::json::json;
use crate::units::NanoUsd;
use serde_json::Value;

/// Decisions of a route, and outcomes of a model, below which nothing is said.
const ENOUGH_CALLS: u64 = 100;
const ENOUGH_OUTCOMES: u32 = 50;
/// Of a hundred calls of a route: so many that nobody answered, or that a fallback did, are too many.
const UNANSWERED: u64 = 1;
const FELL_BACK: u64 = 10;
/// How much less an answer may be worth to be worth as much.
const AS_GOOD: f64 = 0.02;

impl Standard {
    /// What could be done better, by the fleet's sums and what this process knows of lessons.
    pub fn recommendations(&self, kept: &Tally) -> Vec<Value> {
        let (_, catalog) = self.grounds();
        let cost =
            |model: &str| ModelId::parse(model).map_or(NanoUsd::ZERO, |id| NanoUsd(advice::usual_cost(catalog, &id)));
        let mut all: Vec<Value> =
            kept.routes().into_iter().filter_map(|(route, sums)| by_calls(&route, sums)).collect();
        for report in self.lessons().reports() {
            all.extend(by_worth(&report, &cost));
        }
        all
    }
}

/// By how a route's calls ended.
fn by_calls(route: &str, [calls, fell_back, unanswered, ..]: [u64; 5]) -> Option<Value> {
    let many =
        |some: u64, percent: u64| calls >= ENOUGH_CALLS && some.saturating_mul(100) >= calls.saturating_mul(percent);
    let (kind, some, what) = if many(unanswered, UNANSWERED) {
        ("add_fallbacks", unanswered, "nobody answered: add candidates or fallbacks of other providers")
    } else if many(fell_back, FELL_BACK) {
        ("put_another_first", fell_back, "a fallback answered: GET health tells at what those before it fail")
    } else {
        return None;
    };
    let sentence = format!("Of {calls} calls of `{route}`, {some} came to where {what}.");
    Some(json!({ "kind": kind, "route": route, "calls": calls, "of_them": some, "sentence": sentence }))
}

/// By what its models' answers were worth: the cheapest that is as good as the best.
fn by_worth(report: &Report, cost: &dyn Fn(&str) -> NanoUsd) -> Option<Value> {
    let known: Vec<&Standing> = report.models.iter().filter(|one| one.outcomes >= ENOUGH_OUTCOMES).collect();
    let best = known.iter().max_by(|a, b| a.mean().0.total_cmp(&b.mean().0))?;
    let (worth, _) = best.mean();
    // The least that it is worth, nine times in ten.
    let as_good = known.iter().filter(|one| {
        let (mean, spread) = one.mean();
        mean - spread >= worth - AS_GOOD
    });
    let cheapest = as_good.min_by_key(|one| cost(&one.model))?;
    let (dear, cheap) = (cost(&best.model), cost(&cheapest.model));
    let saved = dear.saturating_sub(cheap);
    if saved == NanoUsd::ZERO {
        return None;
    }
    let (team, route) = report.route.split_once('/')?;
    let percent = saved.0.saturating_mul(100) / dear.0.max(1);
    let sentence = format!(
        "On `{route}`, answers of {} are worth as much as those of {}, and cost {percent} % less.",
        cheapest.model, best.model
    );
    Some(json!({
        "kind": "ask_the_cheaper", "team": team, "route": route, "model": cheapest.model, "instead_of": best.model,
        "worth": cheapest.told(), "best": best.told(), "saved_usd_per_call_estimate": saved.to_string(), "sentence": sentence,
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::router::learn::fixed::ONE;
    use crate::router::learn::sample::Sample;
    use crate::router::tests::router;
    use crate::router::{Router, Standard};

    fn taught(outcomes: usize, cheap: i32) -> Standard {
        let router = router("[routes.r]\nstrategy = \"bandit\"\ncandidates = [\"openai:cheap\", \"openai:dear\"]");
        for at in 0..outcomes {
            let seen = router.read(Sample::of(&format!("Write {at} poems.")), None).seen.unwrap();
            for (model, worth) in [("openai:cheap", cheap), ("openai:dear", ONE)] {
                router.lessons().learn("payments/r", model, &seen.features, seen.cell, worth);
            }
        }
        router
    }

    fn kinds(router: &Standard, tally: &str) -> Vec<Value> {
        let mut kept = Tally::default();
        kept.read(tally);
        router.recommendations(&kept)
    }

    #[test]
    fn a_cheaper_model_is_recommended_where_it_is_as_good_and_known_well_enough() {
        let told = kinds(&taught(400, ONE), "");
        assert_eq!(
            (told.len(), &told[0]["kind"], &told[0]["team"]),
            (1, &json!("ask_the_cheaper"), &json!("payments"))
        );
        assert_eq!((&told[0]["model"], &told[0]["instead_of"]), (&json!("openai:cheap"), &json!("openai:dear")));
        assert!(told[0]["sentence"].as_str().unwrap().contains("99 % less"), "{}", told[0]);
        assert_eq!(kinds(&taught(400, ONE * 9 / 10), ""), Vec::<Value>::new(), "worth less");
        assert_eq!(kinds(&taught(40, ONE), ""), Vec::<Value>::new(), "not known well enough");
    }

    #[test]
    fn a_route_whose_calls_fail_is_told_of_and_a_quiet_or_a_good_one_is_not() {
        let none = taught(0, ONE);
        for (tally, kind) in [
            ("route r first 90 0 0 0 0\nroute r only_fit 110 30 0 0 0\n", Some("put_another_first")),
            ("route r first 200 100 3 0 0\n", Some("add_fallbacks")),
            ("route r first 200 10 1 0 0\n", None),
            ("route r first 50 50 50 0 0\n", None),
            ("", None),
        ] {
            let told = kinds(&none, tally);
            assert_eq!(told.first().map(|one| one["kind"].as_str().unwrap()), kind, "{tally}");
        }
    }
}
