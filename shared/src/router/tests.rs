//! Decisions as tables: who is chosen, who is dropped and why, and that the same question has the same answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::catalog::Catalog;
use crate::config::{Config, ModelAccess, ModelPattern, Providers};
use crate::units::{Millis, NanoUsd};
use std::sync::Arc;

/// Two prices, two qualities, two windows, two places.
const MODELS: &str = r#"
[providers.eu]
dialect = "openai_chat"
base_url = "https://llm.eu.example/v1"
region = "eu"
data_policy = ["no_training"]
[models."openai:cheap"]
usd_per_million = { input = 0.1, output = 0.2 }
context_tokens = 1000
capabilities = ["tools"]
quality = 0.4
[models."openai:dear"]
usd_per_million = { input = 10, output = 20, cache_read = 0.01 }
context_tokens = 100000
capabilities = ["tools", "vision", "json_schema"]
quality = 0.9
[models."eu:fair"]
usd_per_million = { input = 1, output = 2 }
context_tokens = 100000
capabilities = ["tools", "vision", "json_schema"]
quality = 0.6
"#;

pub(super) fn router(more: &str) -> Standard {
    let config = Config::parse(&format!("{MODELS}{more}")).unwrap_or_else(|invalid| panic!("{invalid}"));
    let key = |name: &str| (name.ends_with("_API_KEY")).then(|| "k".to_owned());
    let bound = |name: &str| {
        if ["OPENAI_API_KEY", "EU_API_KEY", "ANTHROPIC_API_KEY"].contains(&name) { key(name) } else { None }
    };
    let providers = Providers::from(&config, &bound);
    let catalog = Arc::new(Catalog::new(&config, &providers));
    Standard::new(Arc::new(config), catalog)
}

pub(super) fn ask(model: &str) -> Ask {
    Ask {
        model: Some(model.to_owned()),
        operation: "chat".into(),
        tokens_in: 100,
        team: "payments".into(),
        ..Ask::default()
    }
}

pub(super) fn now() -> View {
    View { now: Timestamp(1_000_000), ..View::default() }
}

pub(super) fn with(view: View, model: &str, standing: Standing) -> View {
    let mut view = view;
    view.upstreams.insert(model.to_owned(), standing);
    view
}

fn plan(decision: &Decision) -> Vec<String> {
    decision.plan.iter().map(|step| step.model.to_string()).collect()
}

/// The plan and the reason, with one number for chance.
fn decided(router: &Standard, ask: &Ask, view: &View) -> (String, &'static str) {
    let decision = router.decide(ask, view, 42).unwrap();
    (plan(&decision).join(" "), decision.reason.as_str())
}

#[test]
fn rails_come_first_and_are_told_by_name() {
    let router = router(
        r#"
        [routes.all]
        candidates = ["openai:cheap", "openai:dear", "eu:fair"]
        [[rules]]
        when = '"health" in data_classes'
        require = { region = ["eu"] }
        [[rules]]
        when = 'tags.secret == "yes"'
        require = { data_policy = ["zero_retention"] }
        "#,
    );
    let needs = Needs { vision: true, ..Needs::default() };
    let long = Ask { tokens_in: 5_000, ..ask("all") };
    let health = Signals { data_classes: vec!["health".into()], ..Signals::default() };
    let secret = Ask { tags: [("secret".to_owned(), "yes".to_owned())].into(), ..ask("all") };
    let only = |pattern: &str| vec![ModelAccess::Only(vec![ModelPattern::parse(pattern).unwrap()])];
    for (asked, want) in [
        (ask("all"), "openai:cheap openai:dear eu:fair"),
        (Ask { needs, ..ask("all") }, "openai:dear eu:fair"),
        (long, "openai:dear eu:fair"),
        (Ask { signals: health.clone(), ..ask("all") }, "eu:fair"),
        (Ask { allowed: only("eu:*"), ..ask("all") }, "eu:fair"),
        (Ask { allowed: only("all"), ..ask("all") }, "openai:cheap openai:dear eu:fair"),
    ] {
        assert_eq!(decided(&router, &asked, &now()).0, want, "{asked:?}");
    }
    let Err(Refusal::Rails { dropped, .. }) = router.decide(&secret, &now(), 0) else { panic!("nobody keeps that") };
    assert!(dropped.iter().all(|(_, drop)| *drop == Drop::DataPolicy), "{dropped:?}");
    let named = Ask { signals: health, ..ask("openai:dear") };
    let Err(Refusal::Rails { dropped, .. }) = router.decide(&named, &now(), 0) else {
        panic!("who is named keeps it too")
    };
    assert_eq!(dropped[0].1, Drop::Residency);
    let poor = View { afford: Some(NanoUsd(200_000)), ..now() };
    assert_eq!(decided(&router, &ask("all"), &poor).0, "openai:cheap eu:fair");
    let unable = Ask { needs, ..ask("openai:cheap") };
    assert_eq!(decided(&router, &unable, &now()).0, "openai:cheap", "its provider says what a named model can do");
}

#[test]
fn rules_lead_those_who_name_no_model_and_the_first_wins() {
    let router = router(
        r#"
        [routes.one]
        candidates = ["openai:cheap"]
        [routes.two]
        candidates = ["openai:dear"]
        [[rules]]
        when = 'tags.feature == "code-review" && team == "payments"'
        route = "two"
        [[rules]]
        when = 'tokens_in > 50'
        route = "one"
        "#,
    );
    let tagged = Ask { tags: [("feature".to_owned(), "code-review".to_owned())].into(), ..ask("fast") };
    let decision = router.decide(&tagged, &now(), 0).unwrap();
    assert_eq!(
        (decision.route.as_deref(), decision.strategy, decision.reason.as_str()),
        (Some("two"), Strategy::Static, "rule")
    );
    assert_eq!(decided(&router, &ask("two"), &now()).0, "openai:cheap");
    assert_eq!(decided(&router, &Ask { tokens_in: 9, ..ask("two") }, &now()), ("openai:dear".into(), "first"));
    assert_eq!(decided(&router, &ask("openai:dear"), &now()), ("openai:dear".into(), "named"));
    let access = ModelAccess::Only(vec![ModelPattern::parse("two").unwrap()]);
    assert_eq!(
        decided(&router, &Ask { allowed: vec![access], ..ask("two") }, &now()).0,
        "openai:cheap",
        "it may call what it asked for"
    );
}

#[test]
fn each_strategy_orders_by_its_own_figure() {
    let route = |strategy: &str| {
        let text = format!(
            "[routes.r]\nstrategy = \"{strategy}\"\ncandidates = [\"openai:dear\", \"eu:fair\", \"openai:cheap\"]"
        );
        router(&text)
    };
    let slow = |ms| Standing { ttft_ms: Some(ms), calls: 9, ..Standing::default() };
    let busy = |in_flight, room| Standing { in_flight, headroom_permille: room, ..Standing::default() };
    let timed = with(with(with(now(), "openai:dear", slow(900)), "eu:fair", slow(100)), "openai:cheap", slow(500));
    let loaded = with(
        with(with(now(), "openai:dear", busy(0, Some(30))), "eu:fair", busy(9, None)),
        "openai:cheap",
        busy(2, None),
    );
    assert_eq!(decided(&route("ordered"), &ask("r"), &now()), ("openai:dear eu:fair openai:cheap".into(), "first"));
    assert_eq!(decided(&route("cost"), &ask("r"), &now()), ("openai:cheap eu:fair openai:dear".into(), "cheapest"));
    assert_eq!(
        decided(&route("quality"), &ask("r"), &now()),
        ("openai:dear eu:fair openai:cheap".into(), "best_quality")
    );
    assert_eq!(decided(&route("latency"), &ask("r"), &now()).1, "unmeasured");
    assert_eq!(route("latency").decide(&ask("r"), &timed, 0).unwrap().reason, Reason::FastestHealthy);
    for seed in 0..200 {
        let latency = route("latency").decide(&ask("r"), &timed, seed).unwrap();
        assert_ne!(latency.plan[0].model.to_string(), "openai:dear", "the slowest of three never wins against another");
        let load = route("load").decide(&ask("r"), &loaded, seed).unwrap();
        assert_ne!(load.plan[0].model.to_string(), "openai:dear", "little room is as bad as many calls");
    }
}

#[test]
fn fault_96_who_is_ten_times_slower_gets_less_than_a_tenth() {
    let router =
        router("[routes.r]\nstrategy = \"latency\"\ncandidates = [\"openai:dear\", \"eu:fair\", \"openai:cheap\"]");
    let slow = |ms| Standing { ttft_ms: Some(ms), calls: 9, ..Standing::default() };
    let view = with(with(with(now(), "openai:dear", slow(2_000)), "eu:fair", slow(200)), "openai:cheap", slow(210));
    let chosen = |seed| router.decide(&ask("r"), &view, choose::mix(seed, 9)).unwrap().plan[0].model.to_string();
    let share = (0..1_000).filter(|seed| chosen(*seed) == "openai:dear").count();
    assert!(share < 100, "{share} of 1000");
}

#[test]
fn who_is_not_well_is_passed_over_but_the_last_is_not() {
    let router = router("[routes.r]\ncandidates = [\"openai:dear\", \"eu:fair\"]");
    let open = |at| Standing { circuit: Circuit::Open, retry_at: Some(Timestamp(at)), ..Standing::default() };
    let cooling = Standing { cooling_until: Some(Timestamp(1_000_500)), ..Standing::default() };
    let one = with(now(), "openai:dear", open(1_005_000));
    let decision = router.decide(&ask("r"), &one, 0).unwrap();
    assert_eq!((plan(&decision), decision.reason), (vec!["eu:fair".to_owned()], Reason::OnlyFit));
    assert_eq!(decision.considered[0].reason, Some(Drop::CircuitOpen));
    assert_eq!(
        decided(&router, &ask("r"), &with(one.clone(), "eu:fair", open(1_002_000))),
        ("eu:fair".into(), "last_target")
    );
    assert_eq!(decided(&router, &ask("r"), &with(one, "eu:fair", cooling)), ("eu:fair".into(), "last_target"));
    assert_eq!(decided(&router, &ask("r"), &with(now(), "eu:fair", cooling)), ("openai:dear".into(), "first"));
}

#[test]
fn chance_follows_the_weights_and_the_sticky_get_the_same_again() {
    let route = |sticky: &str| {
        router(&format!(
            "[routes.r]\nstrategy = \"weighted\"\n{sticky}\ncandidates = [{{ model = \"openai:dear\", weight = 3 }}, \"eu:fair\"]"
        ))
    };
    let drawn = route("");
    let share = (0..4_000)
        .filter(|seed| plan(&drawn.decide(&ask("r"), &now(), choose::mix(*seed, 0)).unwrap())[0] == "openai:dear")
        .count();
    assert!((2_800..3_200).contains(&share), "{share}");
    let sticky = route("sticky = \"session\"");
    let mut chosen = crate::sorted::SortedMap::<String, u32>::new();
    for session in 0..400 {
        let asked = Ask { session: Some(format!("s{session}")), ..ask("r") };
        let first = plan(&sticky.decide(&asked, &now(), 1).unwrap())[0].clone();
        assert!((2..9).all(|seed| plan(&sticky.decide(&asked, &now(), choose::mix(seed, 0)).unwrap())[0] == first));
        *chosen.entry(first).or_default() += 1;
    }
    assert!((260..340).contains(&chosen["openai:dear"]), "{chosen:?}");
    assert_eq!(sticky.decide(&ask("r"), &now(), 1).unwrap().reason, Reason::Sticky);
}

#[test]
fn a_canary_has_its_share_until_it_does_badly() {
    let router = router(
        r#"
        [routes.r]
        strategy = "weighted"
        candidates = ["openai:dear", { model = "eu:fair", canary = { share = 0.1, max_error_rate = 0.2, max_ttft_ms = 1000, min_calls = 10 } }]
        "#,
    );
    let share = |view: &View| {
        let first = |seed| plan(&router.decide(&ask("r"), view, choose::mix(seed, 0)).unwrap())[0].clone();
        (0..2_000).filter(|seed| first(*seed) == "eu:fair").count()
    };
    let standing =
        |calls, errors_permille, ttft| Standing { calls, errors_permille, ttft_ms: Some(ttft), ..Standing::default() };
    assert!((150..250).contains(&share(&now())));
    assert!(share(&with(now(), "eu:fair", standing(9, 900, 100))) > 0, "not judged yet");
    assert_eq!(share(&with(now(), "eu:fair", standing(10, 300, 100))), 0, "it fails too often");
    assert_eq!(share(&with(now(), "eu:fair", standing(10, 0, 3_000))), 0, "it is too slow");
}

#[test]
fn groups_and_routes_stand_within_each_other_and_every_model_stands_once() {
    let router = router(
        r#"
        [routes.r]
        strategy = "cost"
        candidates = [
          { strategy = "quality", candidates = ["openai:cheap", "openai:dear"] },
          "other",
        ]
        fallbacks = ["openai:cheap"]
        [routes.other]
        candidates = ["eu:fair", "openai:dear"]
        "#,
    );
    assert_eq!(decided(&router, &ask("r"), &now()), ("eu:fair openai:dear openai:cheap".into(), "cheapest"));
    let reach = router.reach(&ask("r")).unwrap();
    assert_eq!(reach.models.len(), 3);
}

#[test]
fn roles_races_and_cascades_say_what_each_step_is_for() {
    let router = router(
        r#"
        [routes.agents]
        strategy = "role"
        candidates = [{ model = "openai:dear", roles = ["planner"] }, "eu:fair", { model = "openai:cheap", roles = ["scribe"] }]
        [routes.race]
        strategy = "race"
        after_ms = 0
        candidates = ["openai:cheap", "openai:dear", "eu:fair"]
        [routes.hedged]
        strategy = "race"
        candidates = ["openai:dear", "openai:cheap"]
        [routes.cascade]
        strategy = "cascade"
        candidates = ["openai:cheap", "openai:dear"]
        fallbacks = ["eu:fair"]
        "#,
    );
    let role = |role: &str| Ask { role: Some(role.to_owned()), ..ask("agents") };
    assert_eq!(decided(&router, &role("scribe"), &now()), ("openai:cheap eu:fair openai:dear".into(), "role_match"));
    assert_eq!(decided(&router, &role("other"), &now()).0, "eu:fair openai:dear openai:cheap");
    let roles = |decision: &Decision| decision.plan.iter().map(|step| (step.role, step.after_ms)).collect::<Vec<_>>();
    let race = router.decide(&ask("race"), &now(), 0).unwrap();
    assert_eq!(roles(&race), [(Role::Primary, None), (Role::Hedge, Some(Millis(0))), (Role::Fallback, None)]);
    assert_eq!(router.reach(&ask("race")).unwrap().answers, 2);
    let cascade = router.decide(&ask("cascade"), &now(), 0).unwrap();
    assert_eq!(roles(&cascade), [(Role::Primary, None), (Role::Escalation, None), (Role::Fallback, None)]);
    assert_eq!(cascade.reason, Reason::CheapFirst);
}

#[test]
fn fault_97_hedging_keeps_to_its_part_of_the_spend() {
    let router = router("[routes.r]\nstrategy = \"race\"\ncandidates = [\"openai:dear\", \"openai:cheap\"]");
    let hedged = |spent, lost| {
        let view = View { waste: Waste { spent: NanoUsd(spent), lost: NanoUsd(lost) }, ..now() };
        router.decide(&ask("r"), &view, 0).unwrap().plan[1].role == Role::Hedge
    };
    assert!(!hedged(0, 0), "nothing is spent that two in a hundred could be of");
    assert!(hedged(1_000_000_000, 0));
    assert!(!hedged(1_000_000_000, 20_000_000));
    let measured = with(
        View { waste: Waste { spent: NanoUsd(1 << 40), lost: NanoUsd(0) }, ..now() },
        "openai:dear",
        Standing { ttft_ms: Some(300), ..Standing::default() },
    );
    assert_eq!(router.decide(&ask("r"), &measured, 0).unwrap().plan[1].after_ms, Some(Millis(606)));
}

#[test]
fn a_session_stays_where_its_cache_is_warm_unless_another_is_cheaper_all_the_same() {
    let router = router(
        "[routes.r]\nstrategy = \"quality\"\ncandidates = [\"openai:dear\", \"eu:fair\"]\n[routes.c]\nstrategy = \"cost\"\ncandidates = [\"openai:dear\", \"eu:fair\"]",
    );
    let warm = |model: &str| View { warm: Some(Warm { model: model.to_owned(), tokens: 90 }), ..now() };
    assert_eq!(decided(&router, &ask("r"), &warm("eu:fair")), ("eu:fair openai:dear".into(), "warm_cache"));
    assert_eq!(decided(&router, &ask("c"), &warm("openai:dear")).1, "cheapest");
    let long = Ask { tokens_in: 90_000, max_output_tokens: Some(1), ..ask("c") };
    let view = View { warm: Some(Warm { model: "openai:dear".into(), tokens: 90_000 }), ..now() };
    assert_eq!(
        decided(&router, &long, &view),
        ("openai:dear eu:fair".into(), "warm_cache"),
        "reading it anew would cost more"
    );
}
