//! A decision that another service made, held to our own: it may order, and leave out; it may not bring in whom our rails
//! dropped or nobody here knows.

use super::{Considered, Decision, Drop, Reason, Step, Verdict};
use crate::config::ModelId;
use serde_json::Value;

/// The most steps of a plan that are looked at.
const MOST: usize = 64;

impl Decision {
    /// This decision with the order another service's answer gives. `None`: that answer is no decision, or none of ours
    /// is in it.
    pub fn reordered(&self, answer: &[u8]) -> Option<Decision> {
        let answer: Value = crate::json::text(answer).and_then(crate::json::tree).ok()?;
        let steps = answer.get("plan")?.as_array()?;
        let mut order: Vec<ModelId> = Vec::new();
        for step in steps.iter().take(MOST) {
            let model = ModelId::parse(step.get("model")?.as_str()?)?;
            if self.plan.iter().any(|own| own.model == model) && !order.contains(&model) {
                order.push(model);
            }
        }
        if order.is_empty() {
            return None;
        }
        let considered = self.considered.iter().map(|own| verdict(own, &order)).collect();
        // What a place in the plan means (a hedge, an escalation) was reserved for by our own decision.
        let plan = order.into_iter().zip(&self.plan).map(|(model, place)| Step { model, ..place.clone() }).collect();
        let word = answer.get("reason").and_then(Value::as_str).and_then(Reason::parse);
        Some(Decision { reason: word.unwrap_or(Reason::Remote), plan, considered, remote: true, ..self.clone() })
    }
}

fn verdict(own: &Considered, order: &[ModelId]) -> Considered {
    let (verdict, reason) = match (own.verdict, order.iter().position(|model| *model == own.model)) {
        (Verdict::Dropped, _) => (Verdict::Dropped, own.reason),
        (Verdict::Chosen | Verdict::Kept, Some(0)) => (Verdict::Chosen, None),
        (Verdict::Chosen | Verdict::Kept, Some(_)) => (Verdict::Kept, None),
        (Verdict::Chosen | Verdict::Kept, None) => (Verdict::Dropped, Some(Drop::LeftOut)),
    };
    Considered { verdict, reason, ..own.clone() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::router::tests::{ask, router};
    use crate::router::{Role, Router, View};

    const ROUTES: &str = "[routes.r]\nstrategy = \"cost\"\ncandidates = [\"openai:dear\", \"openai:cheap\", \"eu:fair\"]\n\
        [routes.both]\nstrategy = \"race\"\nafter_ms = 0\ncandidates = [\"openai:dear\", \"openai:cheap\"]";

    fn decided(route: &str) -> Decision {
        router(ROUTES).decide(&ask(route), &View::default(), 0).unwrap()
    }

    #[test]
    fn another_service_orders_and_leaves_out_and_that_is_told() {
        let own = decided("r");
        let answer = br#"{"plan":[{"model":"openai:dear"},{"model":"openai:dear"},{"model":"evil:model"},{"model":"openai:cheap"}],"reason":"did_best"}"#;
        let decision = own.reordered(answer).unwrap();
        let plan: Vec<(String, Role)> = decision.plan.iter().map(|step| (step.model.to_string(), step.role)).collect();
        assert_eq!(plan, [("openai:dear".into(), Role::Primary), ("openai:cheap".into(), Role::Fallback)]);
        assert!(decision.remote && decision.reason == Reason::DidBest);
        let of = |name: &str| decision.considered.iter().find(|one| one.model.to_string() == name).unwrap();
        assert_eq!((of("openai:dear").verdict, of("openai:cheap").verdict), (Verdict::Chosen, Verdict::Kept));
        assert_eq!((of("eu:fair").verdict, of("eu:fair").reason), (Verdict::Dropped, Some(Drop::LeftOut)));
    }

    #[test]
    fn what_a_place_in_the_plan_means_is_our_own_affair() {
        let swapped = br#"{"plan":[{"model":"openai:cheap","role":"escalation"},{"model":"openai:dear","role":"primary"}],"reason":"?"}"#;
        let decision = decided("both").reordered(swapped).unwrap();
        assert_eq!((decision.plan[0].role, decision.plan[1].role), (Role::Primary, Role::Hedge));
        assert_eq!(decision.reason, Reason::Remote);
    }

    #[test]
    fn what_is_no_decision_or_leads_nowhere_is_none() {
        let own = decided("r");
        for answer in [
            "",
            "null",
            "[]",
            "{",
            r#"{"plan":null}"#,
            r#"{"plan":[]}"#,
            r#"{"plan":["openai:dear"]}"#,
            r#"{"plan":[{"model":7}]}"#,
            r#"{"plan":[{"model":"openai:dear"},{"model":"no model"}]}"#,
            r#"{"plan":[{"model":"evil:model"}]}"#,
            r#"{"error":{"code":"internal_error"}}"#,
        ] {
            assert_eq!(own.reordered(answer.as_bytes()), None, "{answer}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(own.reordered(deep.as_bytes()), None, "a body that nests without end");
    }
}
