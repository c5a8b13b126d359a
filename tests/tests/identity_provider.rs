//! Tokens of an identity provider, through the whole gateway on virtual time: the published attacks, and an issuer that
//! rotates its keys, is down, or is asked about by many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use signalbox_tests::simulator::Script;
use signalbox_tests::suite::document::Names;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Answer, Call, Level};
use signalbox_tests::suite::token::{Token, jwk};
use signalbox_tests::virtual_time::Options;

const ISSUER: &str = "https://idp.example.test/";

/// A gateway that believes one issuer, and what may be asked of it.
struct World {
    level: InProcess,
}

impl World {
    fn new(now_ms: u64, idp: &Value) -> World {
        let config = json!({ "auth": { "idp": { "corp": idp } } }).to_string();
        let changes = BTreeMap::from([("SIGNALBOX_CONFIG".to_owned(), Some(config))]);
        World { level: InProcess::new(Options { now_ms, pace_ms: 1, ..Options::default() }, &changes) }
    }

    /// An issuer of Ed25519 tokens whose keys are the script `jwks`.
    fn of_ed25519() -> World {
        let keys = "http://127.0.0.1:4000/__use/jwks/keys";
        World::new(
            1_768_478_400_000,
            &json!({ "issuer": ISSUER, "audience": "gateway-prod", "algorithms": ["EdDSA"], "jwks_uri": keys }),
        )
    }

    /// What the issuer publishes from here on.
    fn publish(&self, script: Value) {
        let script: Script = serde_json::from_value(script).unwrap();
        self.level.upstream().register("jwks", vec![script.into()]).unwrap();
    }

    fn publish_keys(&self, kids: &[&str]) {
        self.publish(json!({ "body": { "keys": kids.iter().map(|kid| jwk(kid)).collect::<Vec<_>>() } }));
    }

    fn ask(&self, token: &str) -> Answer {
        let call = Call {
            method: "GET".to_owned(),
            path: "/v1/models".to_owned(),
            headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
            body: Vec::new(),
            leave: None,
        };
        self.level.world().executor().run(self.level.call(call)).unwrap().unwrap()
    }

    fn status(&self, token: &str) -> u16 {
        self.ask(token).status
    }

    fn pass(&self, seconds: u64) {
        self.level.world().executor().run(self.level.pause(seconds * 1_000)).unwrap();
    }

    /// A token that is good for an hour from now.
    fn token(&self, kid: &str, subject: &str) -> String {
        self.token_for(kid, subject, 3_600)
    }

    fn token_for(&self, kid: &str, subject: &str, seconds: u64) -> String {
        let claims = json!({ "iss": ISSUER, "aud": "gateway-prod", "sub": subject, "exp": format!("now+{seconds}") });
        let token: Token = serde_json::from_value(json!({ "header": { "kid": kid }, "claims": claims })).unwrap();
        token.sign(self.level.now_ms() / 1_000, &Names::default())
    }

    fn fetches(&self) -> usize {
        self.level.upstream().seen(None).len()
    }
}

fn code(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["error"]["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn fault_5_every_published_attack_on_tokens_is_refused_and_none_makes_the_gateway_ask_anybody() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("SIGNALBOX_SHARED").map_or(beside, PathBuf::from).join("security/vectors/jwt");
    let Ok(attacks) = std::fs::read_to_string(folder.join("jwt_attacks.json")) else {
        println!("skipped: no {}", folder.display());
        return;
    };
    let attacks: Value = serde_json::from_str(&attacks).unwrap();
    let keys: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("jwks.json")).unwrap()).unwrap();
    let now_ms = attacks["now"].as_u64().unwrap() * 1_000;
    let idp = json!({
        "issuer": attacks["issuer"], "audience": attacks["audience"], "algorithms": attacks["algs"],
        "jwks_uri": "http://127.0.0.1:4000/__use/jwks/keys",
    });
    let world = World::new(now_ms, &idp);
    world.publish(json!({ "body": keys }));
    let vectors = attacks["vectors"].as_array().unwrap();
    let mut wrong = Vec::new();
    for vector in vectors {
        let answer = world.ask(vector["token"].as_str().unwrap());
        let accepted = vector["expect"] == "accept";
        let expired = vector["code"] == "token_expired";
        let wanted = if expired { "token_expired" } else { "invalid_api_key" };
        if (answer.status == 200) != accepted || !accepted && (answer.status != 401 || code(&answer) != wanted) {
            wrong.push(format!("{}: {} {}", vector["name"], answer.status, String::from_utf8_lossy(&answer.body)));
        }
    }
    assert_eq!(vectors.len(), 133);
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(world.fetches(), 1, "the issuer's keys, once");
}

#[test]
fn fault_6_a_forged_token_that_begins_like_a_remembered_one_is_refused() {
    let world = World::of_ed25519();
    world.publish_keys(&["a"]);
    let good = world.token("a", "ada");
    assert_eq!(world.status(&good), 200);
    let forged = format!("{}{}", &good[..good.len() - 8], "AAAAAAAA");
    assert_eq!(world.status(&forged), 401);
    assert_eq!(world.status(&good), 200);
}

#[test]
fn fault_7_a_remembered_token_ends_when_it_expires_and_when_its_key_is_gone() {
    let world = World::of_ed25519();
    world.publish_keys(&["a"]);
    let short = world.token_for("a", "ada", 90);
    assert_eq!(world.status(&short), 200);
    world.pass(151);
    let answer = world.ask(&short);
    assert_eq!((answer.status, code(&answer).as_str()), (401, "token_expired"));

    let long = world.token("a", "ada");
    assert_eq!(world.status(&long), 200);
    world.publish_keys(&["b"]);
    world.pass(301);
    // The first to come is served by the old keys while the new ones are fetched.
    let _ = world.status(&long);
    world.pass(1);
    assert_eq!(world.status(&long), 401);
}

#[test]
fn fault_8_ten_thousand_tokens_with_unknown_keys_cost_the_issuer_one_question_a_minute() {
    let world = World::of_ed25519();
    world.publish_keys(&["a"]);
    assert_eq!(world.status(&world.token("a", "ada")), 200);
    for minute in 0..3 {
        world.pass(61);
        for n in 0..3_000 {
            assert_eq!(world.status(&world.token(&format!("{minute}-{n}"), "eve")), 401);
        }
    }
    // The first fetch, one a minute for unknown keys.
    assert!(world.fetches() <= 4, "{} fetches", world.fetches());
    assert_eq!(world.status(&world.token("a", "ada")), 200);
}

#[test]
fn fault_10_keys_rotate_without_a_valid_token_being_refused() {
    let world = World::of_ed25519();
    world.publish_keys(&["a"]);
    for n in 0..20 {
        assert_eq!(world.status(&world.token("a", &format!("user-{n}"))), 200);
        world.pass(10);
    }
    world.publish_keys(&["a", "b"]);
    for n in 0..20 {
        for kid in ["a", "b"] {
            assert_eq!(world.status(&world.token(kid, &format!("later-{n}"))), 200, "{kid} {n}");
        }
        world.pass(10);
    }
    world.publish_keys(&["b"]);
    world.pass(301);
    let _ = world.status(&world.token("b", "first"));
    world.pass(1);
    assert_eq!(world.status(&world.token("a", "late")), 401);
    assert_eq!(world.status(&world.token("b", "late")), 200);
}

#[test]
fn an_issuer_that_is_down_is_not_missed_once_its_keys_are_known_and_nobody_enters_before() {
    let world = World::of_ed25519();
    world.publish(json!({ "status": 500, "body": "no" }));
    let answer = world.ask(&world.token("a", "ada"));
    assert_eq!((answer.status, code(&answer).as_str()), (503, "limiter_unavailable"));
    world.pass(6);
    world.publish_keys(&["a"]);
    assert_eq!(world.status(&world.token("a", "ada")), 200);
    for down in [json!({ "status": 503, "body": "" }), json!({ "body": { "keys": [] } }), json!({ "body": "<html>" })] {
        world.publish(down);
        for _ in 0..10 {
            world.pass(400);
            assert_eq!(world.status(&world.token("a", "ada")), 200);
        }
    }
}

#[test]
fn many_who_come_before_the_keys_are_there_share_one_fetch() {
    let world = World::of_ed25519();
    world.publish(json!({ "before_head": [{ "delay_ms": 300 }], "body": { "keys": [jwk("a")] } }));
    let tokens: Vec<String> = (0..50).map(|n| world.token("a", &format!("user-{n}"))).collect();
    let calls = tokens.iter().map(|token| {
        let call = Call {
            method: "GET".to_owned(),
            path: "/v1/models".to_owned(),
            headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
            body: Vec::new(),
            leave: None,
        };
        world.level.call(call)
    });
    let answers = world.level.world().executor().run(futures_util::future::join_all(calls)).unwrap();
    assert!(answers.into_iter().all(|answer| answer.unwrap().status == 200));
    assert_eq!(world.fetches(), 1);
}
