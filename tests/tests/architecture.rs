//! The invariants that keep the house in order, each held by a test of its name.
//!
//! What clippy can hold (no panics, total matches, banned calls) it holds; here it is only checked that
//! nobody switched it off. Every check is also run on a snippet that breaks it: a check that cannot
//! fail is no check.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod source;

use source::{Source, file, files, is_word, product, root, tokens, walk};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Findings of a check over some files.
fn over(sources: &[Source], check: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    sources.iter().flat_map(|source| check(source).into_iter().map(|what| format!("{}: {what}", source.path))).collect()
}

#[track_caller]
fn holds(findings: Vec<String>) {
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// That the check finds something in a snippet that breaks the rule.
#[track_caller]
fn notices(check: impl Fn(&Source) -> Vec<String>, path: &str, snippet: &str) {
    assert!(!check(&Source::of(path, snippet)).is_empty(), "the check does not notice: {snippet}");
}

fn core() -> Vec<Source> {
    files("shared/src", &[".rs"])
}

// ---- Three layers ----

fn layer<'a>(layer: &'a str, banned: &'a [&'a str]) -> impl Fn(&Source) -> Vec<String> + 'a {
    move |source| {
        let (folder, alone) = (format!("shared/src/{layer}/"), format!("shared/src/{layer}.rs"));
        if !source.path.starts_with(&folder) && source.path != alone {
            return Vec::new();
        }
        let named = source.paths();
        let breaks = |path: &&String| {
            banned.iter().any(|ban| **path == format!("crate::{ban}") || path.starts_with(&format!("crate::{ban}::")))
        };
        named.iter().filter(breaks).map(|path| format!("the {layer} names {path}")).collect()
    }
}

#[test]
fn the_router_imports_neither_gateway_nor_proxy_nor_http() {
    let check = layer(
        "router",
        &[
            "gateway",
            "proxy",
            "http",
            "dialect",
            "ports",
            "pipeline",
            "app",
            "secret",
            "config::Provider",
            "config::Providers",
        ],
    );
    holds(over(&core(), &check));
    notices(&check, "shared/src/router/ordered.rs", "use crate::{units::Millis, proxy::{Live, Next}};");
    notices(&check, "shared/src/router/ordered.rs", "fn f() { super::super::gateway::admit() }");
    notices(&check, "shared/src/router/mod.rs", "use super::http::Head;");
}

#[test]
fn the_proxy_imports_neither_gateway_nor_router() {
    let check = layer("proxy", &["gateway", "router", "pipeline", "app", "config::Team", "config::Budget"]);
    holds(over(&core(), &check));
    notices(&check, "shared/src/proxy/live.rs", "use crate::router::Decision;");
}

#[test]
fn the_gateway_imports_neither_dialects_nor_provider_code() {
    let check = layer(
        "gateway",
        &[
            "dialect",
            "proxy",
            "router",
            "pipeline",
            "app",
            "sse",
            "catalog",
            "config::Provider",
            "config::Providers",
            "config::providers",
            "config::Auth",
        ],
    );
    holds(over(&core(), &check));
    notices(&check, "shared/src/gateway/policy.rs", "use crate::dialect::Usage;");
    notices(&check, "shared/src/gateway/policy.rs", "use crate::config::{Config, Providers};");
}

#[test]
fn only_the_pipeline_and_the_app_that_assembles_it_name_all_three_layers() {
    let check = |source: &Source| {
        let assembles = ["shared/src/pipeline/", "shared/src/app/", "shared/src/lib.rs"]
            .iter()
            .any(|place| source.path.starts_with(place));
        let imports = source.imports();
        let all = ["gateway", "router", "proxy"].iter().all(|layer| imports.contains(*layer));
        if all && !assembles { vec!["names gateway, router and proxy".to_owned()] } else { Vec::new() }
    };
    holds(over(&core(), check));
    notices(
        check,
        "shared/src/ports.rs",
        "use crate::{gateway::Gateway, router::Router}; type X = crate::proxy::Failure;",
    );
    let pipeline: BTreeSet<_> = files("shared/src/pipeline", &[".rs"]).iter().flat_map(Source::imports).collect();
    assert!(
        ["gateway", "router", "proxy"].iter().all(|layer| pipeline.contains(*layer)),
        "the pipeline no longer joins the layers"
    );
}

// ---- The core is pure ----

/// Words and paths with which a program reaches outside.
const OUTSIDE: [&str; 14] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::UdpSocket",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::hash::RandomState",
    "std::collections::hash_map::RandomState",
];
const OUTSIDE_WORDS: [&str; 13] = [
    "Instant",
    "SystemTime",
    "RandomState",
    "HashMap",
    "HashSet",
    "getrandom",
    "thread_rng",
    "fastrand",
    "println",
    "eprintln",
    "print",
    "dbg",
    "tokio",
];

fn reaches_outside(source: &Source) -> Vec<String> {
    let code = source.production();
    let words: BTreeSet<&str> = tokens(&code).into_iter().collect();
    let paths = source.paths();
    let by_path =
        OUTSIDE.iter().filter(|ban| paths.iter().any(|path| path == *ban || path.starts_with(&format!("{ban}::"))));
    let by_word = OUTSIDE_WORDS.iter().filter(|ban| words.contains(**ban));
    by_path.chain(by_word).map(|ban| format!("names {ban}")).collect()
}

#[test]
fn the_core_does_no_io_reads_no_clock_and_draws_no_entropy() {
    holds(over(&core(), reaches_outside));
    for snippet in [
        "use std::{fmt, fs::File};",
        "fn f() -> u64 { std::time::Instant::now().elapsed().as_secs() }",
        "use std::collections::HashMap;",
        "fn f() { println!(\"x\") }",
        "fn f() { std::env::var(\"X\"); }",
    ] {
        notices(reaches_outside, "shared/src/time.rs", snippet);
    }
    // In a comment, a text or a test it does no harm.
    let harmless = "//! std::fs\nconst A: &str = \"std::fs\";\n#[cfg(test)]\nmod tests { use std::fs; }";
    holds(reaches_outside(&Source::of("shared/src/time.rs", harmless)));
    // The same for what it is built from.
    for dependency in section(&file("shared/Cargo.toml"), "dependencies") {
        let banned = ["tokio", "getrandom", "rand", "fastrand", "hyper", "reqwest", "chrono", "time", "ureq", "uuid"];
        assert!(!banned.contains(&dependency.as_str()), "the core depends on {dependency}");
    }
}

#[test]
fn clippy_bans_clocks_entropy_and_io_in_the_core_with_a_reason_each() {
    let bans = file("shared/clippy.toml");
    for path in [
        "std::time::Instant::now",
        "std::time::SystemTime::now",
        "std::thread::sleep",
        "std::fs::read",
        "std::env::var",
        "std::net::TcpStream",
    ] {
        assert!(bans.contains(&format!("path = \"{path}\"")), "{path} is no longer banned");
    }
    let unreasoned =
        |text: &str| text.lines().filter(|line| line.contains("path = ") && !line.contains("reason = \"")).count();
    for name in ["clippy.toml", "shared/clippy.toml", "edge/clippy.toml", "lambda/clippy.toml"] {
        assert_eq!(unreasoned(&file(name)), 0, "{name} has a ban without a reason");
    }
    assert_eq!(unreasoned("    { path = \"std::fs::read\" },"), 1);
}

/// Where decisions are made: state machines and translations that never wait.
const DECISIONS: [&str; 18] = [
    "shared/src/router/",
    "shared/src/gateway/ledger/",
    "shared/src/gateway/keys.rs",
    "shared/src/gateway/caller.rs",
    "shared/src/gateway/key_cache.rs",
    "shared/src/dialect/",
    "shared/src/catalog/",
    "shared/src/config/",
    "shared/src/json",
    "shared/src/sse",
    "shared/src/window.rs",
    "shared/src/pipeline/attempts.rs",
    "shared/src/pipeline/estimate.rs",
    "shared/src/pipeline/headers.rs",
    "shared/src/pipeline/refusal.rs",
    "shared/src/proxy/failure.rs",
    "shared/src/proxy/tally.rs",
    "shared/src/proxy/transform.rs",
];
/// Drives a ledger of any kind, over a network too.
const SPECIFICATION: &str = "shared/src/gateway/ledger/spec";

fn waits(source: &Source) -> Vec<String> {
    let decides =
        DECISIONS.iter().any(|place| source.path.starts_with(place)) && !source.path.starts_with(SPECIFICATION);
    let code = source.production();
    let words = tokens(&code);
    if decides && words.iter().any(|word| matches!(*word, "async" | "await" | "Future")) {
        vec!["a decision waits".to_owned()]
    } else {
        Vec::new()
    }
}

#[test]
fn decisions_are_synchronous_and_only_sequencing_is_async() {
    holds(over(&core(), waits));
    notices(waits, "shared/src/router/ordered.rs", "async fn decide() {}");
    notices(waits, "shared/src/gateway/ledger/machine.rs", "fn f() -> impl Future<Output = ()> {}");
    for place in DECISIONS {
        assert!(core().iter().any(|source| source.path.starts_with(place)), "{place} is gone: name its successor");
    }
}

fn binds_futures(source: &Source) -> Vec<String> {
    let code = source.production();
    let words = tokens(&code);
    let banned = ["async_trait", "Send", "Sync", "BoxFuture", "LocalBoxFuture", "boxed", "boxed_local"];
    let mut found: Vec<String> =
        banned.iter().filter(|ban| words.contains(ban)).map(|ban| format!("says {ban}")).collect();
    found.extend(words.windows(2).filter(|two| matches!(two, ["dyn", "Future"])).map(|_| "boxes a future".to_owned()));
    found.extend(
        words.windows(3).filter(|three| matches!(three, ["Pin", "<", "Box"])).map(|_| "boxes a future".to_owned()),
    );
    found
}

#[test]
fn ports_are_plain_async_traits_without_boxing_or_send_bounds() {
    holds(over(&core(), binds_futures));
    for snippet in [
        "#[async_trait] trait A {}",
        "fn f(x: impl Future<Output = ()> + Send) {}",
        "type F = Pin<Box<dyn Future<Output = ()>>>;",
    ] {
        notices(binds_futures, "shared/src/ports.rs", snippet);
    }
}

// ---- Nothing breaks towards a caller ----

/// Lints that no code of the product may switch off.
const DENIED: [&str; 10] = [
    "unwrap_used",
    "expect_used",
    "panic",
    "indexing_slicing",
    "string_slice",
    "unreachable",
    "todo",
    "unimplemented",
    "wildcard_enum_match_arm",
    "disallowed_methods",
];

fn switches_off(source: &Source) -> Vec<String> {
    let code = source.production();
    let words = tokens(&code);
    let allowed = words
        .windows(2)
        .enumerate()
        .filter(|(_, two)| matches!(two, ["allow" | "expect", "("]))
        .filter(|(at, _)| !words[..*at].ends_with(&["cfg_attr", "(", "test", ","]))
        .flat_map(|(at, _)| words[at..].iter().take_while(|word| **word != "]").copied().collect::<Vec<_>>());
    let allowed: BTreeSet<&str> = allowed.collect();
    DENIED.iter().filter(|lint| allowed.contains(*lint)).map(|lint| format!("switches {lint} off")).collect()
}

#[test]
fn no_panic_reaches_a_caller_and_every_enum_is_matched_whole() {
    let workspace = file("Cargo.toml");
    for lint in DENIED {
        assert!(workspace.contains(&format!("\n{lint} = \"deny\"")), "{lint} is no longer denied");
    }
    for manifest in files("", &["Cargo.toml"])
        .iter()
        .filter(|manifest| !matches!(manifest.path.as_str(), "Cargo.toml" | "shared/fuzz/Cargo.toml"))
    {
        assert!(manifest.text.contains("[lints]\nworkspace = true"), "{} does not inherit the lints", manifest.path);
    }
    holds(over(&product(), switches_off));
    notices(switches_off, "lambda/src/main.rs", "#[allow(clippy::indexing_slicing)] fn f() {}");
    notices(switches_off, "edge/src/lib.rs", "#![allow(dead_code, clippy::unwrap_used)]");
    holds(switches_off(&Source::of("lambda/src/lib.rs", "#![cfg_attr(test, allow(clippy::unwrap_used))]")));
    holds(switches_off(&Source::of("lambda/src/main.rs", "#[cfg(test)]\n#[allow(clippy::unwrap_used)]\nmod tests {}")));
}

#[test]
fn no_error_follows_the_response_head() {
    // The types say it: what comes after the head cannot be an error on either platform.
    assert!(file("shared/src/pipeline/stream.rs").contains("pub async fn next(&mut self) -> Option<Bytes>"));
    assert!(file("lambda/src/reply.rs").contains("type Error = Infallible;"));
}

#[test]
fn usage_is_settled_on_the_end_and_on_drop() {
    assert!(file("shared/src/pipeline/stream.rs").contains("impl<L: Layers> Drop for ReplyStream<L>"));
    assert!(file("shared/src/pipeline/finish.rs").contains("impl<L: Layers> Drop for Finish<L>"));
    // Written and read once: an admission that was copied could be settled twice.
    assert!(file("shared/src/pipeline/finish.rs").contains("pub(super) async fn answered(mut self"));
}

// ---- Money and time ----

/// Where fractions end: what people write in dollars becomes an integer here.
const FROM_PEOPLE: [(&str, &[&str]); 3] = [
    ("shared/src/units.rs", &["from_usd", "NanoUsd::MAX.0 as f64"]),
    ("shared/src/catalog/price.rs", &["from_usd_per_million"]),
    // A pause is no money.
    ("lambda/src/store/retry.rs", &["mul_f64"]),
];

fn counts_in_fractions(source: &Source) -> Vec<String> {
    let money = [
        "shared/src/gateway/",
        "shared/src/pipeline/",
        "shared/src/units.rs",
        "shared/src/usage.rs",
        "shared/src/catalog/price.rs",
        "edge/src/ledger.rs",
        "edge/src/tenant.rs",
        "lambda/src/store/",
    ];
    if !money.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    let permitted = FROM_PEOPLE.iter().find(|(path, _)| *path == source.path).map_or(&[][..], |(_, places)| places);
    let fraction = |line: &str| tokens(line).iter().any(|word| matches!(*word, "f32" | "f64"));
    let code = source.production();
    code.lines()
        .filter(|line| fraction(line) && !permitted.iter().any(|place| line.contains(place)))
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn every_number_of_money_is_an_integer_of_nano_dollars() {
    holds(over(&product(), counts_in_fractions));
    notices(counts_in_fractions, "shared/src/gateway/ledger/machine.rs", "let cost = tokens as f64 * 0.1;");
    notices(counts_in_fractions, "shared/src/catalog/price.rs", "fn cost(&self) -> f64 {}");
    assert!(file("shared/src/units.rs").contains("pub struct NanoUsd(pub u64);"));
}

#[test]
fn every_instant_is_utc() {
    // Milliseconds since 1970 in one type; no library that knows time zones.
    assert!(file("shared/src/units.rs").contains("pub struct Timestamp(pub u64);"));
    for manifest in ["shared/Cargo.toml", "edge/Cargo.toml", "lambda/Cargo.toml"] {
        for dependency in section(&file(manifest), "dependencies") {
            assert!(
                !["chrono", "chrono-tz", "jiff"].contains(&dependency.as_str()),
                "{manifest} depends on {dependency}"
            );
        }
    }
}

// ---- The house ----

/// Above this a file holds a second subject.
const ROOM: usize = 400;

fn too_large(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    if lines > ROOM { vec![format!("has {lines} lines")] } else { Vec::new() }
}

#[test]
fn a_file_is_a_room() {
    holds(over(&product(), too_large));
    holds(over(&files("edge", &[".mjs"]), too_large));
    notices(too_large, "shared/src/units.rs", &"\n".repeat(ROOM + 1));
}

fn says_nothing(source: &Source) -> Vec<String> {
    // A file that is included, not declared, cannot have a module's documentation.
    let module = source.path.ends_with(".rs") && !source.path.starts_with("tests/cases/");
    let opening = if module { "//!" } else { "// " };
    let speaks = source.text.lines().take(2).any(|line| line.starts_with(opening));
    if speaks { Vec::new() } else { vec![format!("does not open with `{opening}`")] }
}

#[test]
fn every_module_says_why_it_exists() {
    // Targets of libFuzzer are one line that names a module.
    let is_stub = |source: &Source| source.path.starts_with("shared/fuzz/fuzz_targets/");
    for folder in ["shared", "edge", "lambda", "tests", "tools"] {
        let written: Vec<Source> =
            files(folder, &[".rs", ".mjs"]).into_iter().filter(|source| !is_stub(source)).collect();
        holds(over(&written, says_nothing));
    }
    notices(says_nothing, "shared/src/units.rs", "use std::fmt;\nfn f() {}");
}

#[test]
fn the_checks_that_need_a_compiler_run_in_ci() {
    let makefile = file("Makefile");
    let lint = makefile.split("\nlint:").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    for what in
        ["sizes", "fmt --all --check", "clippy", "-D warnings", "--target wasm32-unknown-unknown", "doc", "deny"]
    {
        assert!(lint.contains(what), "`make lint` no longer has `{what}`");
    }
    let ci = file(".ci/run");
    for stage in ["lint", "test", "smoke"] {
        assert!(ci.contains(&format!("\nstage {stage} ")), ".ci/run no longer has the stage {stage}");
    }
}

// ---- Nothing that is not ours, nothing that is secret ----

/// How credentials begin, and how long the rest of a real one is at the least.
const CREDENTIALS: [(&str, usize); 12] = [
    ("sk-", 20),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ghp_", 30),
    ("github_pat_", 30),
    ("gsk_", 30),
    ("xai-", 30),
    ("xoxb-", 20),
    ("hf_", 30),
    ("AGE-SECRET-KEY-", 20),
    ("-----BEGIN PRIVATE", 0),
];

fn looks_like_a_key(source: &Source) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut found = Vec::new();
    for (prefix, least) in CREDENTIALS {
        for (at, _) in source.text.match_indices(prefix) {
            let inside = source.text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let rest: String = source.text[at + prefix.len()..].chars().take_while(|c| is_part(*c)).collect();
            let random = rest.chars().collect::<BTreeSet<_>>().len() >= 10
                && rest.chars().any(|c| c.is_ascii_digit())
                && rest.chars().any(|c| c.is_ascii_alphabetic());
            if !inside && rest.len() >= least && (random || least == 0) {
                found.push(format!("holds what looks like a key: {prefix}… ({} characters more)", rest.len()));
            }
        }
    }
    found
}

#[test]
fn no_key_looks_real() {
    let own = "tests/tests/architecture.rs";
    let sources = files(
        "",
        &[".rs", ".mjs", ".js", ".json", ".toml", ".yaml", ".yml", ".md", ".txt", ".py", ".sh", "Makefile", ".ci/run"],
    );
    holds(over(&sources.into_iter().filter(|source| source.path != own).collect::<Vec<_>>(), looks_like_a_key));
    notices(looks_like_a_key, "README.md", &format!("sk-sb-{}", "q8Zr4Lm2Xw9Tn6Vb1Kc3"));
    notices(looks_like_a_key, "README.md", &format!("AKIA{}", "4QZ7M2WX9TN6VB1K"));
    holds(looks_like_a_key(&Source::of("README.md", "sk-sb-0000000000000000000000 sk-ant-your-key-goes-here-please")));
}

/// The folder with recorded traffic and vectors, which tests read in place.
fn beside() -> Option<PathBuf> {
    let folder = std::env::var_os("SIGNALBOX_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    folder.join("README.md").exists().then_some(folder)
}

/// A line this long is not the same by chance.
const TELLING: usize = 160;

#[test]
fn nothing_is_copied_from_the_recorded_traffic_and_vectors() {
    let Some(beside) = beside() else {
        println!("skipped: no ../shared and no SIGNALBOX_SHARED");
        return;
    };
    let mut ours: BTreeMap<String, String> = BTreeMap::new();
    for source in files("", &[".rs", ".mjs", ".json", ".toml", ".yaml", ".md", ".txt", ".tsv", ".jsonl", ".sse"]) {
        let generated = source.path.ends_with("package-lock.json");
        for line in source.text.lines().filter(|line| line.len() >= TELLING && !generated) {
            ours.entry(line.trim().to_owned()).or_insert_with(|| source.path.clone());
        }
    }
    let mut copied = BTreeSet::new();
    let mut compare = |path: &std::path::Path| {
        let Ok(text) = std::fs::read_to_string(path) else { return };
        for line in text.lines().filter(|line| line.len() >= TELLING) {
            if let Some(own) = ours.get(line.trim()) {
                copied.insert(format!("{own} has a line of {}", path.display()));
            }
        }
    };
    for folder in ["traffic", "security", "routing", "prices"] {
        if beside.join(folder).is_dir() {
            walk(&beside.join(folder), &mut compare);
        }
    }
    holds(copied.into_iter().collect());
}

/// The names in a section of a manifest.
fn section(manifest: &str, name: &str) -> Vec<String> {
    let lines = manifest
        .lines()
        .skip_while(|line| line.trim() != format!("[{name}]"))
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| Some(line.split(['=', '.', ' ']).next()?.trim().to_owned()))
        .filter(|word| is_word(word))
        .collect()
}
