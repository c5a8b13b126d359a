//! Recorded provider traffic through both packages as they run: a replay server plays every provider, a checker plays
//! the callers and judges answers, streams, usage, errors and what reached the provider. Neither shares code with us.
//!
//! Both are read in place from `$SIGNALBOX_SHARED`, else `../shared` beside the repository; without it, or without the
//! Python and Node they run on, the tests say so and pass. `MODES`, `ONLY` pick what is played.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use signalbox_tests::harness::{Client, Guarded};
use signalbox_tests::simulator::{self, Simulator};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::edge::Edge;

/// Recordings of one wire format, and who stands for the providers they are from.
struct Spoken {
    /// The recordings' name of the format.
    api: &'static str,
    /// Whose recordings.
    providers: &'static [&'static str],
    /// Before the colon of the model's name: the built-in provider, `{provider}`, or one configured for the purpose.
    asked: &'static str,
}

/// What we speak to providers. A new dialect is a row here.
const SPOKEN: &[Spoken] = &[
    Spoken {
        api: "openai_chat",
        providers: &["openai", "azure", "deepseek", "fireworks", "groq", "ollama", "openrouter", "together", "xai"],
        asked: "{provider}",
    },
    Spoken { api: "mistral_chat", providers: &["mistral"], asked: "{provider}" },
    Spoken { api: "anthropic_messages", providers: &["anthropic"], asked: "{provider}" },
    Spoken {
        api: "openai_responses",
        providers: &["azure", "bedrock", "deepseek", "openai", "xai"],
        asked: "like-responses",
    },
    Spoken { api: "gemini", providers: &["gemini", "vertex"], asked: "like-gemini" },
    Spoken { api: "bedrock_converse", providers: &["bedrock"], asked: "like-bedrock" },
    Spoken { api: "cohere_v2", providers: &["cohere"], asked: "like-cohere" },
    Spoken { api: "ollama_chat", providers: &["ollama"], asked: "like-ollama" },
    Spoken { api: "cloudflare_native", providers: &["cloudflare"], asked: "like-workers-ai" },
    // Their compatible endpoints, as an operator would configure them.
    Spoken { api: "openai_chat", providers: &["cloudflare", "cohere", "gemini", "other"], asked: "like-openai" },
    Spoken { api: "anthropic_messages", providers: &["azure", "vertex"], asked: "like-anthropic" },
];

/// The callers' dialects, by the checker's names.
const SURFACES: [&str; 3] = ["chat", "messages", "responses"];

/// How the replay server writes its streams: as recorded; cut inside characters and line ends; one byte at a time; cut
/// anywhere, with all that an event stream may hold besides.
const MODES: [&str; 4] = ["", "utf8+crlf", "byte+cr", "rand=7+bom+comments+multiline+idlines+retry"];

/// Where the checker's opinion is not ours: the recording, the caller's dialect, the check, and why it is right so.
const ARGUED: &[(&str, &str, &str, &str)] = &[
    // The provider's own stream, which a caller of the same dialect gets byte for byte: mending it would mean touching
    // every chunk. Callers of the other dialect get a sound stream from the same recordings.
    (
        "chat-stream-empty-output-minimax-m1-73098585",
        "chat",
        "stream-form",
        "the provider ended without a finish_reason",
    ),
    (
        "chat-stream-tool-call-gpt-4-1-mini-b98b2fa8",
        "chat",
        "stream-form",
        "the provider ended without a finish_reason",
    ),
    (
        "chat-stream-tool-call-gpt-4-1-mini-c829f54d",
        "chat",
        "stream-form",
        "the provider ended without a finish_reason",
    ),
    ("chat-stream-tool-call-llama-3-3-70b-instruct-de07c832", "chat", "stream-form", "Together repeats finish_reason"),
    ("chat-stream-length-gpt-5-nano-7abc2501", "chat", "stream-form", "Azure's first event has no id and no object"),
    (
        "chat-stream-text-openllmetry-testing-44eed117",
        "chat",
        "stream-form",
        "Azure's first event, and no usage was recorded",
    ),
    (
        "chat-stream-tool-call-gpt-5-1-chat-6e971e68",
        "chat",
        "stream-form",
        "Azure's first event has no id and no object",
    ),
    ("chat-stream-text-llama3-8b-8192-7f0d0435", "chat", "stream-form", "recorded unasked: usage under x_groq alone"),
    ("chat-stream-tool-call-gpt-4-turbo-60952245", "chat", "stream-form", "recorded without usage"),
    ("chat-stream-tool-call-llama-3-3-70b-instruct-8dbccf7d", "chat", "stream-form", "written down without usage"),
    // The model wrote two objects one after the other. Messages knows objects alone: they arrive as text within one.
    ("chat-json-tool-bad-json-gemini-2-5-flash-lite-4ba09bff", "messages", "tools", "arguments that are no JSON"),
];

/// The provider refused the credential: to the caller that is 502 `upstream_auth_error`, never 401 or 403. The key that
/// failed is the gateway's, and an SDK would tell its user that theirs is wrong.
const GATEWAYS_CREDENTIAL: &[&str] = &[
    "chat-json-error-401-claude-haiku-4-5-7a4684b6",
    "chat-json-error-401-deepseek-chat-d474d7af",
    "chat-json-error-401-gpt-4-e20d4125",
    "chat-json-error-403-text-embedding-3-small-dcb15185",
    "chat-stream-error-401-model-1c828e25",
    "messages-json-error-401-claude-3-opus-54f51e8f",
    "converse-json-error-403-anthropic-claude-3-son-5584e806",
    "v2chat-json-error-401-command-a-03-2025-aa414744",
    // Google and xAI say so with a 400.
    "gemini-json-error-400-gemini-2-5-flash-f5b34d6a",
    "responses-json-error-400-grok-4-3-6781ac85",
];

/// Messages demands a limit: where the recorded request had none, the checker's own Messages request says 1024, and that
/// is what reaches the provider.
const CHECKERS_LIMIT: &str = r#"[".params.max_tokens: only in sent: 1024"]"#;
/// It demands a schema of every tool, too.
const CHECKERS_SCHEMA: &str = r#"[".tools[0].parameters.type: only in sent: \"object\""]"#;

fn traffic() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("SIGNALBOX_SHARED").map_or(beside, PathBuf::from).join("traffic");
    let runs = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|said| said.status.success());
    if !folder.join("check/check_gateway.py").is_file() {
        eprintln!("notice: no recorded traffic at {}; skipped", folder.display());
        return None;
    }
    if !runs("python3") || !runs("node") {
        eprintln!("notice: the recorded traffic wants python3 and node; skipped");
        return None;
    }
    Some(folder)
}

/// The replay server. Dropping it ends it.
struct Replay {
    url: String,
    _process: Guarded,
}

impl Replay {
    fn start(traffic: &Path) -> Replay {
        let mut command = Command::new("node");
        command.arg(traffic.join("replay/replay.mjs")).args(["--port", "0"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Guarded::spawn(command).unwrap();
        let mut line = String::new();
        BufReader::new(process.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().filter(|url| url.starts_with("http://127.0.0.1:"));
        Replay { url: url.unwrap_or_else(|| panic!("the replay server said {line:?}")).to_owned(), _process: process }
    }

    /// The bindings that make it every provider.
    fn bindings(&self) -> BTreeMap<String, Option<String>> {
        let mut bindings = BTreeMap::new();
        for provider in SPOKEN.iter().filter(|row| row.asked == "{provider}").flat_map(|row| row.providers) {
            let name = if *provider == "azure" { "AZURE_OPENAI".to_owned() } else { provider.to_uppercase() };
            let path = match *provider {
                "openai" => "/v1",
                "azure" => "/openai/v1",
                _ => "",
            };
            bindings.insert(format!("{name}_API_KEY"), Some("replayed".to_owned()));
            bindings.insert(format!("{name}_BASE_URL"), Some(format!("{}{path}", self.url)));
        }
        let like = |dialect: &str| json!({ "dialect": dialect, "base_url": self.url });
        let only = |dialect: &str| json!({ "dialect": dialect });
        let config = json!({
            "providers": {
                // Those with two endpoints are held to the one that was recorded.
                "openai": only("openai_chat"), "azure": only("openai_chat"), "deepseek": only("openai_chat"),
                "xai": only("openai_chat"), "like-openai": like("openai_chat"),
                "like-responses": like("openai_responses"), "like-anthropic": like("anthropic"),
                "like-gemini": like("gemini"), "like-bedrock": like("bedrock"), "like-cohere": like("cohere"),
                "like-ollama": like("ollama"), "like-workers-ai": like("workers_ai"),
            },
            // Every fault is to be seen.
            "retries": { "max": 0 },
            "teams": { "recorded": {} },
        });
        bindings.insert("SIGNALBOX_CONFIG".to_owned(), Some(config.to_string()));
        bindings
    }

    /// What it has seen is asked for after every call: an empty list is read sooner.
    async fn forget(&self) {
        let reply = Client::new(&self.url).unwrap().request("DELETE", "/__log").send().await.unwrap();
        assert_eq!(reply.status, 200);
    }
}

/// What the gateway is bound to, with nothing behind the suite's own upstream.
fn nobody() -> Arc<Simulator> {
    Arc::new(Simulator::start(simulator::Options::default()).unwrap())
}

async fn key(url: &str) -> String {
    let client = Client::new(url).unwrap().with_key(ADMIN_KEY).unwrap();
    let wanted = json!({ "name": "recorded", "team": "recorded" });
    let made: Value = client.post("/admin/v1/keys", &wanted).send().await.unwrap().json().await.unwrap();
    made["key"].as_str().unwrap_or_else(|| panic!("no key: {made}")).to_owned()
}

/// One run of the checker; its list of results.
fn check(
    traffic: &Path,
    gateway: &str,
    replay: &Replay,
    key: &str,
    row: &Spoken,
    surface: &str,
    mode: &str,
) -> Vec<Value> {
    let apis: Vec<String> = row.providers.iter().map(|provider| format!("{provider}:{}", row.api)).collect();
    // Both packages are played at once.
    let port = gateway.rsplit(':').next().unwrap();
    let out = std::env::temp_dir().join(format!("signalbox-corpus-{}-{port}-{surface}.json", std::process::id()));
    let mut command = Command::new("python3");
    command.arg(traffic.join("check/check_gateway.py"));
    command.args(["--gateway", gateway, "--replay", &replay.url, "--key", key, "--split", "dev", "--jobs", "4"]);
    command.args(["--surface", surface, "--mode", mode, "--api", &apis.join(",")]);
    command.args(["--model", &format!("{}:{{model}}~{{case}}", row.asked), "--out"]).arg(&out);
    if let Ok(only) = std::env::var("ONLY") {
        command.args(["--only", &only]);
    }
    let ran = command.output().unwrap();
    let said = || String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    let results = std::fs::read(&out).unwrap_or_else(|_| panic!("the checker: {}", said()));
    std::fs::remove_file(&out).unwrap();
    serde_json::from_slice(&results).unwrap()
}

/// Whether what the checker refuses is right all the same.
fn argued(case: &str, surface: &str, check: &str, verdict: &str) -> bool {
    match check {
        "status" if GATEWAYS_CREDENTIAL.contains(&case) => {
            ["502, upstream 400", "502, upstream 401", "502, upstream 403"].contains(&verdict)
        }
        "upstream" if surface == "messages" => [CHECKERS_LIMIT, CHECKERS_SCHEMA].contains(&verdict),
        _ => ARGUED.iter().any(|(known, caller, what, _)| (*known, *caller, *what) == (case, surface, check)),
    }
}

fn play(package: &str, traffic: &Path, gateway: &str, replay: &Replay) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = runtime.block_on(key(gateway));
    let modes = std::env::var("MODES").ok();
    let modes: Vec<&str> = modes.as_deref().map_or(MODES.to_vec(), |modes| modes.split(',').collect());
    let (mut passed, mut used, mut wrong) = (0, 0, BTreeSet::new());
    for (surface, mode) in SURFACES.iter().flat_map(|surface| modes.iter().map(move |mode| (*surface, *mode))) {
        runtime.block_on(replay.forget());
        for row in SPOKEN {
            for result in check(traffic, gateway, replay, &key, row, surface, mode) {
                let case = result["case"].as_str().unwrap();
                let mut right = true;
                for (what, verdict) in result["hard"].as_object().unwrap() {
                    let verdict = verdict.as_str().map_or_else(|| verdict.to_string(), str::to_owned);
                    if argued(case, surface, what, &verdict) {
                        used += 1;
                    } else {
                        right = false;
                        wrong.insert(format!("{} {case} as {surface} {mode:?}: {what}: {verdict}", row.asked));
                    }
                }
                passed += usize::from(right);
            }
        }
    }
    println!("{package}: {passed} answers as they should be, {used} of them argued");
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{package}: {} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(passed > 100 || std::env::var_os("ONLY").is_some(), "only {passed} were played");
}

#[test]
fn recorded_answers_pass_the_worker_as_what_they_mean() {
    let Some(traffic) = traffic() else { return };
    let replay = Replay::start(&traffic);
    let edge = Edge::start(nobody(), &replay.bindings()).unwrap();
    play("the Worker", &traffic, edge.url(), &replay);
}

#[cfg(feature = "lambda-local")]
#[test]
fn recorded_answers_pass_the_function_as_what_they_mean() {
    use signalbox_tests::suite::lambda::Lambda;
    let Some(traffic) = traffic() else { return };
    let replay = Replay::start(&traffic);
    let lambda = Lambda::start(nobody(), &replay.bindings(), 4).unwrap();
    play("the function", &traffic, lambda.local().url(), &replay);
}
