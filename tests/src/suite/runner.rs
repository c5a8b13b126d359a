//! Plays a case on a level and tells everything that is not as expected.

mod books;
mod check;
mod request;

use serde_json::{Value, json};

use super::case::{Case, Step, Stores};
use super::document::{ADMIN_KEY, Names, config};
use super::level::{Call, Level};
use super::token;
use crate::simulator::Answer;
use books::Books;

/// What is admitted, settled and written down.
const OPERATIONS: [&str; 7] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/rerank",
];

/// Plays a case. `number` makes its team unlike every other's on a level that lives on. Empty: all is as expected.
pub async fn run<L: Level>(level: &L, case: &Case, number: usize) -> Vec<String> {
    let team = format!("case-{number}");
    let mut names = Names::default();
    for (name, value) in [
        ("team", team.as_str()),
        ("admin", ADMIN_KEY),
        ("upstream", &level.upstream_url()),
        ("authority", level.upstream_url().trim_start_matches("http://")),
    ] {
        names.set(name, value);
    }
    for kid in ["a", "b"] {
        names.set(&format!("jwk.{kid}"), token::jwk(kid));
    }
    for (name, token) in &case.tokens {
        names.set(&format!("token.{name}"), token.sign(level.utc_ms() / 1_000, &names));
    }
    if let Err(problem) = prepare(level, case, &mut names).await {
        return vec![format!("before the first step: {problem}")];
    }
    let mut books = Books::new(&team, level);
    books.set_readable(!case.closed);
    let mut problems = Vec::new();
    for (index, step) in case.steps.iter().enumerate() {
        let found = play(level, step, &mut names, &mut books).await;
        problems.extend(found.into_iter().map(|problem| format!("step {}: {problem}", index + 1)));
    }
    if !case.closed {
        problems.extend(books.chained(level, &team).await);
    }
    problems.extend(books.leaks(&names));
    for name in case.upstream.keys() {
        level.upstream().forget(name);
    }
    problems
}

/// Registers the scripts, takes the configuration over and makes a key.
async fn prepare<L: Level>(level: &L, case: &Case, names: &mut Names) -> Result<(), String> {
    level.upstream().clear_log(None);
    for (name, script) in &case.upstream {
        let mut answers = script.answers();
        for answer in &mut answers {
            if let Answer::Script(script) = answer {
                script.body = script.body.as_ref().map(|body| names.fill_value(body));
            }
        }
        level.upstream().register(name, answers).map_err(|problem| format!("script {name}: {problem}"))?;
    }
    if case.closed {
        return Ok(());
    }
    let document = names.fill_value(&config(case, &names.text("team")));
    let put = admin(level, "PUT", "/admin/v1/config", document.to_string()).await?;
    if put.get("valid") != Some(&Value::Bool(true)) {
        return Err(format!("the configuration is refused: {put}"));
    }
    let wanted = json!({ "name": "the case's key", "team": names.text("team"), "user": "someone" });
    let made = admin(level, "POST", "/admin/v1/keys", wanted.to_string()).await?;
    for (name, member) in [("key", "key"), ("key_id", "id")] {
        let value = made.get(member).and_then(Value::as_str).ok_or_else(|| format!("no key was made: {made}"))?;
        names.set(name, value);
    }
    Ok(())
}

/// A call of the admin plane.
async fn admin<L: Level>(level: &L, method: &str, path: &str, body: String) -> Result<Value, String> {
    let call = Call {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: vec![("authorization".to_owned(), format!("Bearer {ADMIN_KEY}"))],
        body: body.into_bytes(),
        leave: None,
    };
    let answer = level.call(call).await.map_err(|problem| format!("{method} {path}: {problem}"))?;
    serde_json::from_slice(&answer.body).map_err(|error| format!("{method} {path}: {} {error}", answer.status))
}

async fn play<L: Level>(level: &L, step: &Step, names: &mut Names, books: &mut Books) -> Vec<String> {
    let expect = match step.expect(level.name()) {
        Ok(expect) => expect,
        Err(problem) => return vec![problem],
    };
    if step.wait_ms > 0 {
        level.pause(step.wait_ms).await;
    }
    if let Some(stores) = step.stores {
        if !level.set_stores(stores) {
            return vec!["this level cannot make its stores fail: list it under not_on".to_owned()];
        }
        books.set_readable(stores == Stores::Up);
    }
    let Some(send) = &step.send else { return Vec::new() };
    let call = match request::call(send, names) {
        Ok(call) => call,
        Err(problem) => return vec![problem],
    };
    level.upstream().clear_log(None);
    let walks = call.method == "POST"
        && (OPERATIONS.contains(&call.path.as_str())
            || ["enerateContent", ":countTokens"].into_iter().any(|method| call.path.contains(method)));
    let is_call = walks || call.path.starts_with("/passthrough/");
    let (path, started) = (call.path.clone(), level.now_ms());
    let answer = match level.call(call).await {
        Ok(answer) => answer,
        Err(problem) => return vec![format!("no answer: {problem}")],
    };
    let took = level.now_ms().saturating_sub(started);

    let mut problems = check::answer(&expect, &path, is_call, &answer, names);
    if let Some([least, most]) = expect.took_ms.filter(|[least, most]| !(*least..=*most).contains(&took)) {
        problems.push(format!("took {took} ms, expected {least} to {most}"));
    }
    problems.extend(check::upstream(level, &expect, names).await);
    if is_call {
        problems.extend(books.check(level, &expect, &answer, names).await);
    }
    for (name, pointer) in &step.save {
        match check::seen(&path, &answer).pointer(pointer) {
            Some(value) => names.set(name, value.clone()),
            None => problems.push(format!("there is no {pointer} to save as {name}")),
        }
    }
    if !problems.is_empty() {
        problems.push(format!(
            "the answer was {} {:?} {}",
            answer.status,
            answer.headers,
            check::excerpt(&answer.body)
        ));
    }
    problems
}
