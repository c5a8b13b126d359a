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
