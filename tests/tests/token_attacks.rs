//! The published attacks on tokens, through the packages as they are deployed: on workerd, whose WebCrypto judges signatures,
//! and in the function, where `ring` does. Each is refused in the caller's dialect, for the same reason as in process.
//!
//! The vectors are of an instant that is past, so what was good then has expired: that is said last of all, once issuer,
//! audience, key and signature were found good. Read in place (`$SIGNALBOX_SHARED`, else `../shared` beside the
//! repository); without that folder the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox_tests::simulator::{Options, Script, Simulator};
use signalbox_tests::suite::edge::Edge;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Call, Level};
use signalbox_tests::virtual_time;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The longest token that a header can have on its way to us: what is longer is refused by the platform itself.
const MOST_BYTES: usize = 64 * 1_024;

struct Attacks {
    vectors: Vec<Value>,
    keys: Value,
    changes: BTreeMap<String, Option<String>>,
}

fn attacks() -> Option<Attacks> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("SIGNALBOX_SHARED").map_or(beside, PathBuf::from).join("security/vectors/jwt");
    let Ok(text) = std::fs::read_to_string(folder.join("jwt_attacks.json")) else {
        println!("skipped: no {}", folder.display());
        return None;
    };
    let attacks: Value = serde_json::from_str(&text).unwrap();
    let keys = serde_json::from_str(&std::fs::read_to_string(folder.join("jwks.json")).unwrap()).unwrap();
    let idp = json!({
        "issuer": attacks["issuer"], "audience": attacks["audience"], "algorithms": attacks["algs"],
        "jwks_uri": "${upstream}/__use/jwks/keys",
    });
    let config = json!({ "auth": { "idp": { "corp": idp } } }).to_string();
    let changes = BTreeMap::from([("SIGNALBOX_CONFIG".to_owned(), Some(config))]);
    Some(Attacks { vectors: attacks["vectors"].as_array().unwrap().clone(), keys, changes })
}

/// Where the callers of each dialect call.
const PATHS: [&str; 4] =
    ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models/gpt-5.4-mini:generateContent"];

fn fits_a_header(token: &str) -> bool {
    token.chars().all(|c| (' '..='~').contains(&c))
}

/// What a caller is told: the status, and the body without the request's id.
async fn told(level: &impl Level, path: &str, token: &str) -> Result<(u16, Value), String> {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let mut call =
        Call { method: "POST".to_owned(), path: path.to_owned(), headers, body: b"{}".to_vec(), leave: None };
    if fits_a_header(token) {
        call.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    } else {
        // What no header can have goes where a query can.
        let escaped: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();
        call.path = format!("{path}?key={escaped}");
    }
    let answer = level.call(call).await?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let id = answer.headers.get("x-signalbox-request-id").filter(|id| !id.is_empty());
    let text = id.map_or(text.clone(), |id| text.replace(id.as_str(), "the request's id"));
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    Ok((answer.status, body))
}

/// Whether a refusal is one of the path's dialect.
fn speaks(path: &str, body: &Value) -> bool {
    match path {
        "/v1/messages" => body["type"] == "error" && body["error"]["type"] == "authentication_error",
        path if path.starts_with("/v1beta/") => body["error"]["status"] == "UNAUTHENTICATED",
        _ => body["error"]["type"] == "authentication_error" || body["error"]["type"] == "invalid_request_error",
    }
}

/// Sends all of them to a package, and to the core in process at the same time of day.
async fn hold(level: &impl Level, attacks: &Attacks) {
    let publish = |level: &dyn Fn(Script)| level(serde_json::from_value(json!({ "body": attacks.keys })).unwrap());
    publish(&|script| level.upstream().register("jwks", vec![script.into()]).unwrap());
    let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let core = InProcess::new(virtual_time::Options { now_ms, ..virtual_time::Options::default() }, &attacks.changes);
    publish(&|script| core.upstream().register("jwks", vec![script.into()]).unwrap());
    let (mut wrong, mut good) = (Vec::new(), 0);
    for (number, vector) in attacks.vectors.iter().enumerate() {
        let token = vector["token"].as_str().unwrap();
        // Gemini's callers alone may have a key in the query.
        let path = PATHS[if fits_a_header(token) { number % PATHS.len() } else { 3 }];
        let here = told(level, path, token).await;
        if token.len() > MOST_BYTES {
            // The connection may end before all of it was sent.
            assert!(here.as_ref().map_or(true, |(status, _)| (400..500).contains(status)), "{here:?}");
            continue;
        }
        let there = core.world().executor().run(told(&core, path, token)).unwrap();
        let expired = there.as_ref().is_ok_and(|(_, body)| body.to_string().contains("expired"));
        good += usize::from(vector["expect"] == "accept" && expired);
        let refused = here.as_ref().is_ok_and(|(status, body)| *status == 401 && speaks(path, body));
        if here != there || !refused {
            wrong.push(format!("{} at {path}: {here:?}, in process {there:?}", vector["name"]));
        }
    }
    assert_eq!((attacks.vectors.len(), wrong), (133, Vec::new()));
    assert_eq!(good, 15, "those that were good once are refused for their age alone");
}

fn upstream() -> Arc<Simulator> {
    Arc::new(Simulator::start(Options::default()).unwrap())
}

#[tokio::test]
async fn fault_5_the_worker_refuses_every_published_attack_on_tokens() {
    let Some(attacks) = attacks() else { return };
    let edge = Edge::start(upstream(), &attacks.changes).unwrap();
    hold(&edge.level().unwrap(), &attacks).await;
}

#[cfg(feature = "lambda-local")]
#[tokio::test]
async fn fault_5_the_function_refuses_every_published_attack_on_tokens() {
    let Some(attacks) = attacks() else { return };
    let lambda = signalbox_tests::suite::lambda::Lambda::start(upstream(), &attacks.changes, 1).unwrap();
    hold(&lambda.level().unwrap(), &attacks).await;
}
