//! What people call the gateway with: official SDKs and the frameworks above them, as callers of both packages, with
//! providers of both dialects.
//!
//! The programs are in `tests/clients` and print what they were told; what they must have been told stands here, and is
//! the same for every SDK but for its names of errors. What the gateway was asked is read from the gateway's own log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use signalbox_tests::harness::Client;
use signalbox_tests::simulator::{Answer, Options, Script, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::packages;

/// What a client of a chat API can be asked.
const CHAT: &[&str] = &["plain", "stream", "tools", "streamed_tools", "structured", "streamed_structured"];

const PROVIDERS: [&str; 3] = ["openai", "anthropic", "gemini"];

#[derive(Clone, Copy)]
enum Language {
    JavaScript,
    Python,
}

use Language::{JavaScript, Python};

/// The words of a dialect's errors, and how the SDK names their classes: for a wrong key, for a spent budget.
#[derive(Clone, Copy)]
enum Refusals {
    OpenAi(&'static str, &'static str),
    Anthropic(&'static str, &'static str),
    Google(&'static str, &'static str),
}

struct Program {
    language: Language,
    name: &'static str,
    refusals: Refusals,
    /// What the model sees of the tool's result, `3`: some frameworks wrap it.
    result: &'static str,
    /// What it can be asked.
    can: &'static [&'static str],
}

/// What each provider's answers come to, in any SDK.
fn expected(program: &Program) -> BTreeMap<&'static str, Value> {
    let words = json!({"text": "word1 word2 word3", "output_tokens": 3});
    let tool = json!({"arguments": {"a": 0}, "text": format!("The tool answered: {}", program.result)});
    let city = json!({"name": "simulated"});
    let (wrong_key, spent_budget) = match program.refusals {
        Refusals::OpenAi(wrong, spent) => ((wrong, "invalid_api_key"), (spent, "insufficient_quota")),
        Refusals::Anthropic(wrong, spent) => ((wrong, "authentication_error"), (spent, "billing_error")),
        Refusals::Google(wrong, spent) => ((wrong, "UNAUTHENTICATED"), (spent, "RESOURCE_EXHAUSTED")),
    };
    let refused = |status: u16, (error, code)| json!({"error": error, "status": status, "code": code});
    let all = [
        ("plain", words.clone()),
        ("stream", words),
        ("tools", tool.clone()),
        ("streamed_tools", tool),
        ("structured", city.clone()),
        ("streamed_structured", city),
        ("rerank", json!([1, 0])),
        ("wrong_key", refused(401, wrong_key)),
        ("spent_budget", refused(402, spent_budget)),
    ];
    let refusal = |check: &str| matches!(check, "wrong_key" | "spent_budget");
    all.into_iter().filter(|(check, _)| refusal(check) || program.can.contains(check)).collect()
}

fn upstream() -> Arc<Simulator> {
    let simulator = Simulator::start(Options { pace_ms: 1, ..Options::default() }).unwrap();
    Arc::new(simulator)
}

/// Cohere as a provider beside those of every suite.
fn cohere() -> BTreeMap<String, Option<String>> {
    let bindings = [("COHERE_API_KEY", "canary-cohere-credential"), ("COHERE_BASE_URL", "${upstream}")];
    bindings.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).into()
}

fn ranked(simulator: &Simulator) {
    let results = json!([{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]);
    let answer = json!({"id": "r1", "results": results, "meta": {"billed_units": {"search_units": 1}}});
    let answer = Answer::from(Script::json(200, answer));
    simulator.script("ranked", std::iter::repeat_n(answer, PROVIDERS.len()).collect()).unwrap();
}

/// What Cohere says to its own SDK, through the gateway's pass-through.
fn cohere_speaks(simulator: &Simulator) {
    let usage = json!({"tokens": {"input_tokens": 9, "output_tokens": 3}});
    let call = |arguments: &str| json!({"id": "add_1", "type": "function", "function": {"name": "add", "arguments": arguments}});
    let whole =
        |message: Value| json!({"body": {"id": "c1", "finish_reason": "COMPLETE", "message": message, "usage": usage}});
    let said = |text: &str| whole(json!({"role": "assistant", "content": [{"type": "text", "text": text}]}));
    let called = || whole(json!({"role": "assistant", "tool_plan": "I add.", "tool_calls": [call("{\"a\":0}")]}));
    let events = |between: Vec<Value>| {
        let start = json!({"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}});
        let end = json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}});
        let all = std::iter::once(start).chain(between).chain([end]);
        json!({"chunking": {"random": 3}, "steps": all.map(|event| json!({"event": event})).collect::<Vec<_>>()})
    };
    let says = |words: &[&str]| {
        let delta = |text: &&str| json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}});
        let start = json!({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}});
        let end = json!({"type": "content-end", "index": 0});
        events(std::iter::once(start).chain(words.iter().map(delta)).chain([end]).collect())
    };
    let calls = || {
        let piece = json!({"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": "{\"a\":0}"}}}}});
        let start = json!({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": call("")}}});
        events(vec![start, piece, json!({"type": "tool-call-end", "index": 0})])
    };
    let answered = "The tool answered: 3";
    for (name, answers) in [
        ("words", vec![said("word1 word2 word3")]),
        ("stream", vec![says(&["word1", " word2", " word3"])]),
        ("tools", vec![called(), said(answered)]),
        ("streamed-tools", vec![calls(), says(&["The tool ", "answered: 3"])]),
        ("city", vec![said("{\"name\": \"simulated\"}")]),
        ("streamed-city", vec![says(&["{\"name\": \"simu", "lated\"}"])]),
    ] {
        let answers = answers.into_iter().map(|answer| serde_json::from_value::<Answer>(answer).unwrap());
        let answers = answers.collect::<Vec<_>>().into_iter().cycle();
        simulator.script(&format!("cohere-{name}"), answers.take(2 * PROVIDERS.len()).collect()).unwrap();
    }
}

/// A limit that is over in a moment, once a check: the first request of every two meets it.
fn limited_now_and_then(simulator: &Simulator) {
    let limited = Script::json(429, json!({"error": {"message": "slow down", "type": "rate_limit_error"}}));
    let limited = Answer::from(limited.header("retry-after-ms", "20"));
    let friendly = Answer::Use { name: "words-1".to_owned() };
    let both = [limited, friendly];
    simulator.script("sdk-later", both.iter().cycle().take(8).cloned().collect()).unwrap();
}

async fn admin(url: &str, method: &str, path: &str, body: &Value) -> Value {
    let client = Client::new(url).unwrap().with_key(ADMIN_KEY).unwrap();
    client.request(method, path).body(body.to_string()).send().await.unwrap().json().await.unwrap()
}

/// Teams for the checks, and no retries of our own: here the SDK is to see the faults.
async fn keys(url: &str) -> [String; 3] {
    let document = json!({
        "retries": {"max": 0},
        "teams": {
            "good": {"budgets": [{"usd": 1000, "per": "total"}]},
            "broke": {"budgets": [{"usd": 0.000_001, "per": "total"}]},
            "narrow": {"models": ["cheap"]},
        },
    });
    admin(url, "PUT", "/admin/v1/config", &document).await;
    let mut keys = Vec::new();
    for team in ["good", "broke", "narrow"] {
        let made = admin(url, "POST", "/admin/v1/keys", &json!({"name": team, "team": team})).await;
        keys.push(made["key"].as_str().unwrap().to_owned());
    }
    keys.try_into().unwrap()
}

/// The program's command; nothing on a machine that cannot run it.
fn command(program: &Program) -> Option<Command> {
    let said = |problem| panic!("{problem}");
    match program.language {
        JavaScript => {
            let folder = packages::javascript_clients().unwrap_or_else(said);
            let mut command = Command::new("node");
            command.arg(folder.join("run.mjs"));
            Some(command)
        }
        Python => {
            let folder = packages::python_clients().unwrap_or_else(|problem| panic!("{problem}"))?;
            let mut command = Command::new(folder.join(".venv/bin/python"));
            command.arg(folder.join("run.py"));
            // Nobody is told about these calls.
            command.env("LANGSMITH_TRACING", "false");
            Some(command)
        }
    }
}

fn run(program: &Program, url: &str, simulator: &Simulator, log: &dyn Fn() -> Vec<String>) {
    let Some(mut command) = command(program) else {
        println!("notice: no Python 3.11 with venv on this machine; {} is not tested", program.name);
        return;
    };
    limited_now_and_then(simulator);
    ranked(simulator);
    cohere_speaks(simulator);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let [good, broke, narrow] = runtime.block_on(keys(url));
    let output = command
        .arg(program.name)
        .env("BASE_URL", url)
        .env("KEY", good)
        .env("BROKE_KEY", broke)
        .env("NARROW_KEY", narrow)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}:\n{said}{told}", program.name);
    let problems = problems(program, &said);
    assert!(problems.is_empty(), "{}:\n{}\n{told}", program.name, problems.join("\n"));
    // One request for each provider: a spent budget is no reason to try again.
    assert_eq!(refusals(log), PROVIDERS.len(), "requests that met a spent budget");
}

/// What the program said otherwise than expected, did not say, or failed at.
fn problems(program: &Program, said: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut answers: BTreeMap<(String, String), Value> = BTreeMap::new();
    for line in said.lines() {
        // A wrapped result is JSON in a text; some writers of JSON put a space there.
        let line = &line.replace(r#"\": \""#, r#"\":\""#);
        let line: Map<String, Value> = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        let name = |member: &str| line[member].as_str().unwrap().to_owned();
        match line.get("failed") {
            Some(failed) => {
                let failed = failed.as_str().unwrap_or_default();
                problems.push(format!("{} ({}): {failed}", name("check"), name("provider")));
            }
            None => {
                drop(answers.insert((name("check"), name("provider")), line.get("said").cloned().unwrap_or_default()))
            }
        }
    }
    for (check, expected) in expected(program) {
        for provider in PROVIDERS {
            match answers.get(&(check.to_owned(), provider.to_owned())) {
                Some(answer) if *answer == expected => {}
                answer => problems.push(format!("{check} ({provider}): expected {expected}, was told {answer:?}")),
            }
        }
    }
    problems
}

/// How many requests were refused for their budget, by the audit lines; waits for the first ones.
fn refusals(log: &dyn Fn() -> Vec<String>) -> usize {
    let count = || log().iter().filter(|line| line.contains(r#""code":"insufficient_quota""#)).count();
    let until = Instant::now() + Duration::from_secs(5);
    while count() < PROVIDERS.len() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    count()
}

fn on_the_worker(program: &Program) {
    let simulator = upstream();
    let edge = Edge::start(Arc::clone(&simulator), &cohere()).unwrap();
    run(program, edge.url(), &simulator, &|| edge.lines());
}

#[cfg(feature = "lambda-local")]
fn on_lambda(program: &Program) {
    let simulator = upstream();
    // One process serves one request at a time, and a stream that was left runs on.
    let lambda = signalbox_tests::suite::lambda::Lambda::start(Arc::clone(&simulator), &cohere(), 4).unwrap();
    run(program, lambda.local().url(), &simulator, &|| lambda.local().logs());
}

/// A program as a module with a test for each package.
macro_rules! programs {
    ($($name:ident: $language:ident, $refusals:expr $(, wraps $result:literal)? $(, only $($can:literal),+)?;)*) => {$(
        mod $name {
            use super::*;

            const PROGRAM: Program = Program {
                language: $language,
                name: stringify!($name),
                refusals: $refusals,
                result: [$($result,)? "3"][0],
                can: [$(&[$($can),+],)? CHAT][0],
            };

            #[test]
            fn works_with_the_worker() {
                on_the_worker(&PROGRAM);
            }

            #[cfg(feature = "lambda-local")]
            #[test]
            fn works_with_the_function() {
                on_lambda(&PROGRAM);
            }
        }
    )*};
}

mod javascript {
    use super::*;

    programs! {
        openai_chat: JavaScript, Refusals::OpenAi("AuthenticationError", "APIError");
        openai_responses: JavaScript, Refusals::OpenAi("AuthenticationError", "APIError");
        anthropic_messages: JavaScript, Refusals::Anthropic("AuthenticationError", "PaymentRequiredError");
        ai_sdk_openai_chat: JavaScript, Refusals::OpenAi("APICallError", "APICallError");
        ai_sdk_openai_responses: JavaScript, Refusals::OpenAi("APICallError", "APICallError");
        ai_sdk_anthropic: JavaScript, Refusals::Anthropic("APICallError", "APICallError");
        ai_sdk_google: JavaScript, Refusals::Google("APICallError", "APICallError"),
            wraps r#"{"name":"add","content":"3"}"#;
    }
}

mod python {
    use super::*;

    programs! {
        openai_chat: Python, Refusals::OpenAi("AuthenticationError", "APIStatusError");
        openai_responses: Python, Refusals::OpenAi("AuthenticationError", "APIStatusError");
        anthropic_messages: Python, Refusals::Anthropic("AuthenticationError", "PaymentRequiredError");
        langchain_openai_chat: Python, Refusals::OpenAi("OpenAIAuthenticationError", "APIStatusError");
        langchain_openai_responses: Python, Refusals::OpenAi("OpenAIAuthenticationError", "APIStatusError");
        langchain_anthropic: Python, Refusals::Anthropic("AnthropicAuthenticationError", "PaymentRequiredError");
        pydantic_ai_openai_chat: Python, Refusals::OpenAi("ModelAuthenticationError", "ModelQuotaExceededError");
        pydantic_ai_openai_responses: Python, Refusals::OpenAi("ModelAuthenticationError", "ModelQuotaExceededError");
        pydantic_ai_anthropic: Python, Refusals::Anthropic("ModelAuthenticationError", "ModelQuotaExceededError");
        google_genai: Python, Refusals::Google("ClientError", "ClientError");
        pydantic_ai_google: Python, Refusals::Google("ModelAuthenticationError", "ModelRateLimitError"),
            wraps r#"{"return_value":"3"}"#;
        cohere_v2: Python, Refusals::OpenAi("UnauthorizedError", "ApiError"),
            only "plain", "stream", "tools", "streamed_tools", "structured", "streamed_structured", "rerank";
        instructor_openai: Python, Refusals::OpenAi("InstructorRetryException", "InstructorRetryException"),
            only "structured", "streamed_structured";
        instructor_anthropic: Python, Refusals::Anthropic("InstructorRetryException", "InstructorRetryException"),
            only "structured", "streamed_structured";
    }
}
