//! What the parts of a document say of each other: routes of models, rules of routes, fallbacks of fallbacks.

use super::tests::{assert_problems, problems};

#[test]
fn references_must_lead_somewhere() {
    assert_problems("default_route = \"chaep\"", &[("default_route", "Did you mean `cheap`?")]);
    assert_problems("default_route = \"opnai:gpt-5.4\"", &[("default_route", "Did you mean `openai:`?")]);
    assert_problems("[models.\"unheard-of:x\"]", &[("models.\"unheard-of:x\"", "providers.unheard-of")]);
    assert_problems("[models.\"gpt-5.4\"]", &[("models.\"gpt-5.4\"", "provider:model")]);
    assert_problems(
        "[routes.a]\ncandidates = [\"gpt-5.4\", \"openai:../x\", 7]\nfallbacks = [\"b\"]",
        &[
            ("routes.a.candidates[0]", "provider:model"),
            ("routes.a.candidates[1]", "provider:model"),
            ("routes.a.candidates[2]", "found a number"),
            ("routes.a.fallbacks[0]", "no such route or class"),
        ],
    );
    assert_problems(
        "[teams.a]\nbudgets = [{ usd = 1, per = \"day\", on_exceeded = \"cheep\" }]",
        &[("teams.a.budgets[0].on_exceeded", "`cheap`")],
    );
    assert_problems(
        "[teams.a]\nmodels = [\"fast\", \"openai:*\", \"*\", \"open*\", \"*:gpt-*\", \"acme:*\", \"fist\"]",
        &[("teams.a.models[5]", "no such provider"), ("teams.a.models[6]", "`fast`")],
    );
    assert_problems("[routes.auto]\ncandidates = [\"openai:gpt-5.4\"]", &[("routes.auto", "reserved")]);
}

#[test]
fn a_reference_to_something_that_is_itself_wrong_is_not_a_second_problem() {
    let text = "[routes.a]\ncandidates = []\n[routes.b]\ncandidates = [\"acme:x\"]\nfallbacks = [\"a\"]\n[providers.acme]\ndialect = \"x\"\nbase_url = \"x\"";
    assert_problems(
        text,
        &[
            ("routes.a.candidates", "at least 1"),
            ("providers.acme.dialect", "openai_chat"),
            ("providers.acme.base_url", "https://"),
        ],
    );
}

#[test]
fn fallbacks_must_end() {
    let route = |name: &str, to: &str| format!("[routes.{name}]\ncandidates = [\"openai:x\"]\nfallbacks = [{to}]\n");
    assert_problems(&route("a", "\"a\""), &[("routes.a.fallbacks", "a → a")]);
    let long = format!(
        "{}{}{}{}",
        route("a", "\"b\""),
        route("b", "\"c\", \"smart\""),
        route("c", "\"b\""),
        route("d", "\"a\"")
    );
    assert_problems(&long, &[("routes.b.fallbacks", "b → c → b")]);
    let two = format!("{}{}{}{}", route("a", "\"b\""), route("b", "\"a\""), route("x", "\"y\""), route("y", "\"x\""));
    assert_problems(&two, &[("routes.a.fallbacks", "a → b → a"), ("routes.x.fallbacks", "x → y → x")]);
    let diamond =
        format!("{}{}{}{}", route("a", "\"b\", \"c\""), route("b", "\"d\""), route("c", "\"d\""), route("d", ""));
    assert_problems(&diamond, &[]);
    // A chain as long as a document can hold must not exhaust the stack.
    let chain: String = (0..5_000).map(|i| route(&format!("r{i}"), &format!("\"r{}\"", (i + 1) % 5_000))).collect();
    assert_eq!(problems(&chain).len(), 1);
}

#[test]
fn rules_that_do_not_compile_are_told_with_their_column() {
    let rule = |when: &str| format!("[[rules]]\nwhen = '{when}'\nroute = \"fast\"");
    assert_problems(
        &rule("taem == \"a\""),
        &[("rules[0].when", "column 1: `taem` is not known here. Did you mean `team`?")],
    );
    assert_problems(&rule("team == 3"), &[("rules[0].when", "column 6: these can never be equal")]);
    assert_problems(&rule("team.matches(\"a+\")"), &[("rules[0].when", "Regular expressions are left out")]);
    assert_problems("[[rules]]\nwhen = 'true'", &[("rules[0].when", "nothing follows")]);
    assert_problems("[[rules]]\nwhen = 'true'\nroute = \"fats\"", &[("rules[0].route", "`fast`")]);
    assert_problems(
        "[[rules]]\nwhen = 'true'\nrequire = { region = [] }",
        &[("rules[0].require.region", "at least 1"), ("rules[0].when", "nothing follows")],
    );
}

#[test]
fn figures_that_are_no_figures_or_of_another_strategy_are_told() {
    let route = |more: &str| format!("[routes.a]\n{more}");
    let two = "candidates = [\"openai:x\", \"openai:y\"]";
    for weight in ["0", "-1", "nan", "inf", "1e300"] {
        let text = route(&format!("candidates = [{{ model = \"openai:x\", weight = {weight} }}]"));
        assert_eq!(problems(&text).len(), 1, "{weight}");
    }
    for (more, path, part) in [
        ("strategy = \"race\"\nmax_waste = 2", "routes.a.max_waste", "0 to 1"),
        ("strategy = \"race\"\nafter_ms = -1", "routes.a.after_ms", "zero or more"),
        ("strategy = \"cost\"\nafter_ms = 5", "routes.a.after_ms", "does nothing"),
        ("sticky = \"user\"", "routes.a.sticky", "does nothing"),
        ("strategy = \"cascade\"\nhold_tokens = 0", "routes.a.hold_tokens", "1 to 400"),
        ("strategy = \"shadow\"", "routes.a.strategy", "not available"),
        ("strategy = \"learned\"\nstrong_share = 0.2\nmin_quality = 0.9", "routes.a.strategy", "more than one goal"),
        ("strategy = \"cost\"\nexplore = 0.2", "routes.a.explore", "does nothing"),
        ("strategy = \"learned\"\nstrong_share = 1.5", "routes.a.strong_share", "0 to 1"),
        ("shadow = { model = \"openai:z\", share = 0 }", "routes.a.shadow.share", "0.000001"),
        ("shadow = { model = \"unheard:z\" }", "routes.a.shadow.model", "no such provider"),
        (
            "shadow = { model = \"openai:z\", judge = { model = \"unheard:z\" } }",
            "routes.a.shadow.judge.model",
            "no such provider",
        ),
        ("strategy = \"cascade\"\njudge = { model = \"unheard:z\" }", "routes.a.judge.model", "no such provider"),
        ("strategy = \"cascade\"\njudge = { timeout_ms = 5 }", "routes.a.judge.model", "is missing"),
        ("strategy = \"cost\"\njudge = { model = \"openai:z\" }", "routes.a.judge", "does nothing"),
    ] {
        assert_problems(&route(&format!("{two}\n{more}")), &[(path, part)]);
    }
    let canary = "{ model = \"openai:y\", canary = { share = 0.1 } }";
    let text = route(&format!("candidates = [\"openai:x\", {canary}]"));
    assert_problems(&text, &[("routes.a.candidates[1].canary", "weighted")]);
    let text = route(&format!("strategy = \"weighted\"\ncandidates = [{canary}]"));
    assert_problems(&text, &[("routes.a.candidates", "all on trial")]);
}

#[test]
fn groups_end_and_lead_somewhere() {
    let text = "[routes.a]\ncandidates = [{ candidates = [\"b\"] }]\n[routes.b]\ncandidates = [\"a\"]";
    assert_problems(text, &[("routes.a.candidates", "a → b → a")]);
    let text = "[routes.a]\ncandidates = [{ candidates = [\"unheard:x\"], strategy = \"cots\" }]";
    assert_problems(
        text,
        &[("routes.a.candidates[0].candidates[0]", "no such provider"), ("routes.a.candidates[0].strategy", "`cost`")],
    );
    let nested = (0..12).fold("\"openai:x\"".to_owned(), |inner, _| format!("{{ candidates = [{inner}] }}"));
    let found = problems(&format!("[routes.a]\ncandidates = [{nested}]"));
    assert!(found.iter().any(|problem| problem.message.contains("too deeply")), "{found:?}");
    assert_problems(
        "[routes.a]\ncandidates = [{ candidates = [] }]",
        &[("routes.a.candidates[0].candidates", "at least 1")],
    );
}
