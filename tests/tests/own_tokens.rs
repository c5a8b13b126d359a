//! The gateway's own access tokens, through several processes on virtual time: what they say, how their key rotates, and
//! how fast a client's end is everybody's knowledge.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox::base64url;
use signalbox_tests::suite::document::{ADMIN_KEY, SECRET};
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Answer, Call, Level};
use signalbox_tests::virtual_time::Options;
use std::collections::BTreeMap;

const NEXT: &str = "the next secret of the suite, longer than thirty-two bytes";

async fn ask(level: &InProcess, credential: &str, method: &str, path: &str, body: Value) -> Answer {
    let headers = vec![("authorization".to_owned(), format!("Bearer {credential}"))];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    level.call(Call { method: method.to_owned(), path: path.to_owned(), headers, body, leave: None }).await.unwrap()
}

async fn told(level: &InProcess, credential: &str, method: &str, path: &str, body: Value) -> Value {
    let answer = ask(level, credential, method, path, body).await;
    assert!(answer.status < 300, "{method} {path}: {}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

/// A new client's id, and a token of its own.
async fn client(level: &InProcess) -> (String, String) {
    let made = told(level, ADMIN_KEY, "POST", "/admin/v1/oauth-clients", json!({ "name": "n" })).await;
    let (id, secret) = (made["id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let (method, path) = ("POST".to_owned(), "/oauth/token".to_owned());
    let answer = level.call(Call { method, path, headers, body: form.into_bytes(), leave: None }).await.unwrap();
    let token: Value = serde_json::from_slice(&answer.body).unwrap();
    (id.to_owned(), token["access_token"].as_str().unwrap().to_owned())
}

fn bound(pairs: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect()
}

async fn status(level: &InProcess, token: &str) -> u16 {
    ask(level, token, "GET", "/v1/models", Value::Null).await.status
}

#[test]
fn a_token_says_what_rfc_9068_wants_it_to() {
    let level = InProcess::new(Options::default(), &BTreeMap::new());
    let world = level.world().clone();
    world
        .executor()
        .run(async {
            let (id, token) = client(&level).await;
            let part = |n: usize| -> Value {
                serde_json::from_slice(&base64url::decode(token.split('.').nth(n).unwrap()).unwrap()).unwrap()
            };
            let (header, claims) = (part(0), part(1));
            let keys = told(&level, "", "GET", "/.well-known/jwks.json", Value::Null).await;
            assert_eq!(
                (&header["typ"], &header["alg"], &header["kid"]),
                (&json!("at+jwt"), &json!("EdDSA"), &keys["keys"][0]["kid"])
            );
            assert_eq!((&claims["iss"], &claims["aud"]), (&json!("signalbox"), &json!("signalbox")));
            assert_eq!(
                (&claims["sub"], &claims["client_id"], &claims["scope"]),
                (&json!(id), &json!(id), &json!("inference"))
            );
            assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 600);
            assert!(claims["jti"].as_str().unwrap().len() >= 20);
        })
        .unwrap();
}

#[test]
fn a_new_secret_signs_and_the_one_before_is_published_and_believed_while_it_is_bound() {
    let before = InProcess::new(Options::default(), &BTreeMap::new());
    let during = before.beside(&bound(&[("SIGNALBOX_SECRET", NEXT), ("SIGNALBOX_SECRET_PREVIOUS", SECRET)]));
    let after = before.beside(&bound(&[("SIGNALBOX_SECRET", NEXT)]));
    let world = before.world().clone();
    world
        .executor()
        .run(async {
            let (_, old) = client(&before).await;
            let (_, new) = client(&during).await;
            let keys = told(&during, "", "GET", "/.well-known/jwks.json", Value::Null).await;
            assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
            assert_eq!((status(&during, &old).await, status(&during, &new).await), (200, 200));
            assert_eq!((status(&after, &old).await, status(&after, &new).await), (401, 200));
            assert_eq!(status(&before, &new).await, 401);
        })
        .unwrap();
}

#[test]
fn fault_7_a_revoked_clients_tokens_end_everywhere_within_five_seconds() {
    let here = InProcess::new(Options::default(), &BTreeMap::new());
    let there = here.beside(&BTreeMap::new());
    let world = here.world().clone();
    world
        .executor()
        .run(async {
            let (id, token) = client(&here).await;
            assert_eq!((status(&here, &token).await, status(&there, &token).await), (200, 200));
            told(&here, ADMIN_KEY, "DELETE", &format!("/admin/v1/oauth-clients/{id}"), Value::Null).await;
            assert_eq!(status(&here, &token).await, 401, "at once where it was done");
            for second in 1..=5 {
                world.executor().sleep(1_000).await;
                if status(&there, &token).await == 401 {
                    break;
                }
                assert!(second < 5, "still good after five seconds");
            }
        })
        .unwrap();
}
