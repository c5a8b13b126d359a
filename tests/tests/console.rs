//! Sign-in of people, through the whole gateway on virtual time: the way in, every way to be kept out, and the end of a session.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use signalbox_tests::simulator::Script;
use signalbox_tests::suite::console::{
    Begun, Browser, ask, begin, come_back, cookie, holds, issuer, prepare, redeem, sign_in,
};
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Answer, Call, Level};
use signalbox_tests::virtual_time::Options;
use std::collections::BTreeMap;
use std::future::Future;

fn gateway() -> InProcess {
    InProcess::new(Options::default(), &BTreeMap::new())
}

fn run<T: 'static>(level: &InProcess, future: impl Future<Output = T>) -> T {
    level.world().executor().run(future).unwrap()
}

#[test]
fn people_sign_in_and_do_what_their_roles_open() {
    let level = gateway();
    assert_eq!(run(&level, async { holds(&level).await }), Vec::<String>::new());
}

/// Comes back with what a good browser would, and another query where one is given.
async fn back(level: &InProcess, begun: &Begun, query: &[(&str, &str)]) -> Answer {
    come_back(level, Some(&begun.cookie), query).await.unwrap()
}

#[test]
fn fault_5_an_id_token_that_is_not_for_this_sign_in_opens_nothing() {
    let level = gateway();
    let problems = run(&level, async {
        prepare(&level).await.unwrap();
        let issuer = issuer(&level);
        let mut problems = Vec::new();
        for (claims, header, good) in [
            (json!({}), json!({}), true),
            (json!({ "aud": ["signalbox-console", "other"], "azp": "signalbox-console" }), json!({}), true),
            (json!({ "nonce": "another" }), json!({}), false),
            (json!({ "nonce": null }), json!({}), false),
            (json!({ "aud": "signalbox" }), json!({}), false),
            (json!({ "aud": ["signalbox-console", "other"] }), json!({}), false),
            (json!({ "azp": "other" }), json!({}), false),
            (json!({ "iss": "https://elsewhere.example" }), json!({}), false),
            (json!({ "exp": "now-120" }), json!({}), false),
            (json!({ "nbf": "now+120" }), json!({}), false),
            (json!({ "sub": null }), json!({}), false),
            (json!({ "roles": 7 }), json!({}), false),
            (json!({}), json!({ "typ": "at+jwt" }), false),
            (json!({}), json!({ "kid": "b" }), false),
            (json!({}), json!({ "crit": ["exp"] }), false),
        ] {
            let begun = begin(&level).await.unwrap();
            redeem(&level, &begun, &claims, &header).unwrap();
            let answer = back(&level, &begun, &[("code", "c"), ("state", &begun.state), ("iss", &issuer)]).await;
            let opened = cookie(&answer, "__Host-signalbox-session").is_some();
            if opened != good || !good && answer.status != 401 {
                problems.push(format!("{claims} {header}: {}", answer.status));
            }
        }
        problems
    });
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn who_comes_back_with_anothers_ticket_state_or_issuer_or_too_late_is_kept_out_and_nothing_is_redeemed() {
    let level = gateway();
    let problems = run(&level, async {
        prepare(&level).await.unwrap();
        let issuer = issuer(&level);
        let (begun, other) = (begin(&level).await.unwrap(), begin(&level).await.unwrap());
        redeem(&level, &begun, &json!({}), &json!({})).unwrap();
        let mut problems = Vec::new();
        let (state, iss) = (("state", begun.state.as_str()), ("iss", issuer.as_str()));
        for (name, ticket, query) in [
            ("no ticket", None, vec![("code", "c"), state, iss]),
            ("another's ticket", Some(&other.cookie), vec![("code", "c"), state, iss]),
            ("another's state", Some(&begun.cookie), vec![("code", "c"), ("state", &other.state), iss]),
            ("no state", Some(&begun.cookie), vec![("code", "c"), iss]),
            ("another issuer", Some(&begun.cookie), vec![("code", "c"), state, ("iss", "https://evil.example")]),
            ("no issuer though one is promised", Some(&begun.cookie), vec![("code", "c"), state]),
            ("two codes", Some(&begun.cookie), vec![("code", "c"), ("code", "d"), state, iss]),
            ("refused", Some(&begun.cookie), vec![("error", "access_denied"), state, iss]),
        ] {
            level.upstream().clear_log(None);
            let answer = come_back(&level, ticket.map(String::as_str), &query).await.unwrap();
            let redeemed = level.upstream().seen(None).iter().any(|seen| seen.path.ends_with("/token"));
            if answer.status != 403 || redeemed || cookie(&answer, "__Host-signalbox-session").is_some() {
                problems.push(format!("{name}: {}", answer.status));
            }
        }
        level.world().executor().sleep(601_000).await;
        if back(&level, &begun, &[("code", "c"), state, iss]).await.status != 403 {
            problems.push("too late".to_owned());
        }
        problems
    });
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn an_identity_provider_that_fails_lets_nobody_in_and_is_not_asked_more_than_once_a_second() {
    let level = gateway();
    run(&level, async {
        prepare(&level).await.unwrap();
        let begun = begin(&level).await.unwrap();
        for (status, body, wanted) in [
            (500, json!("no"), 503),
            (200, json!("<html>"), 503),
            (200, json!({ "access_token": "x" }), 503),
            (200, json!({ "id_token": "a.b.c" }), 401),
            (400, json!({ "error": "invalid_grant" }), 403),
        ] {
            level.upstream().register("redeem", vec![Script::json(status, body.clone()).into()]).unwrap();
            let issuer = issuer(&level);
            let answer = back(&level, &begun, &[("code", "c"), ("state", &begun.state), ("iss", &issuer)]).await;
            assert_eq!(answer.status, wanted, "{status} {body}");
        }
        level.world().executor().sleep(300_001).await;
        level.upstream().register("login", vec![Script::json(500, json!("down")).into()]).unwrap();
        level.upstream().clear_log(None);
        for _ in 0..50 {
            assert_eq!(ask(&level, "GET", "/console/login", &[]).await.unwrap().status, 503);
        }
        assert_eq!(level.upstream().seen(None).len(), 1);
        level.world().executor().sleep(1_001).await;
        let together = futures_util::future::join_all((0..20).map(|_| ask(&level, "GET", "/console/login", &[])));
        assert!(together.await.into_iter().all(|answer| answer.unwrap().status == 503));
        assert_eq!(level.upstream().seen(None).len(), 2, "of those who come together one asks");
    });
}

async fn status(level: &InProcess, browser: &Browser) -> u16 {
    ask(level, "GET", "/console/session", &[("cookie", &browser.cookie)]).await.unwrap().status
}

#[test]
fn a_session_ends_without_use_and_after_its_time_and_changes_its_secret_on_the_way() {
    let level = gateway();
    run(&level, async {
        prepare(&level).await.unwrap();
        let sleep = |seconds: u64| level.world().executor().sleep(seconds * 1_000);
        let idle = sign_in(&level, "ada", &json!([])).await.unwrap();
        sleep(1_799).await;
        assert_eq!(ask(&level, "GET", "/console/", &[("cookie", &idle.cookie)]).await.unwrap().status, 200);
        sleep(1_801).await;
        assert_eq!(status(&level, &idle).await, 401, "half an hour without use");

        let mut used = sign_in(&level, "ada", &json!([])).await.unwrap();
        let first = used.cookie.clone();
        let mut renewed = 0;
        // In use every ten minutes, for eight hours less ten minutes.
        for _ in 0..47 {
            sleep(600).await;
            let answer = ask(&level, "GET", "/console/session", &[("cookie", &used.cookie)]).await.unwrap();
            assert_eq!(answer.status, 200);
            if let Some(cookie) = cookie(&answer, "__Host-signalbox-session") {
                let old = ask(&level, "GET", "/console/", &[("cookie", &used.cookie)]).await.unwrap();
                assert!(String::from_utf8_lossy(&old.body).contains("ada"), "requests under way end well");
                let told: Value = serde_json::from_slice(&answer.body).unwrap();
                used = Browser { cookie, csrf_token: told["csrf_token"].as_str().unwrap().to_owned() };
                renewed += 1;
            }
        }
        assert!(renewed >= 20, "{renewed}");
        assert_eq!(ask(&level, "GET", "/console/session", &[("cookie", &first)]).await.unwrap().status, 401);
        sleep(601).await;
        assert_eq!(status(&level, &used).await, 401, "eight hours");
    });
}

#[test]
fn who_is_disabled_is_put_out_and_a_new_sign_in_ends_the_session_before() {
    let level = gateway();
    run(&level, async {
        prepare(&level).await.unwrap();
        let browser = sign_in(&level, "ada", &json!(["auditor"])).await.unwrap();
        let user = |body: Value, method: &str, path: &str| Call {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("authorization".to_owned(), format!("Bearer {ADMIN_KEY}"))],
            body: body.to_string().into_bytes(),
            leave: None,
        };
        level.call(user(json!({ "id": "ada", "disabled": true }), "POST", "/admin/v1/users")).await.unwrap();
        assert_eq!(status(&level, &browser).await, 403);
        let config = ask(&level, "GET", "/admin/v1/config", &[("cookie", &browser.cookie)]).await.unwrap();
        assert_eq!(config.status, 403);
        assert!(sign_in(&level, "ada", &json!([])).await.is_err());
        level.call(user(json!({ "disabled": null }), "PATCH", "/admin/v1/users/ada")).await.unwrap();
        assert_eq!(status(&level, &browser).await, 200);

        let begun = begin(&level).await.unwrap();
        redeem(&level, &begun, &json!({}), &json!({})).unwrap();
        let both = format!("{}; {}", begun.cookie, browser.cookie);
        let issuer = issuer(&level);
        let query = [("code", "c"), ("state", begun.state.as_str()), ("iss", &issuer)];
        assert_eq!(come_back(&level, Some(&both), &query).await.unwrap().status, 303);
        assert_eq!(status(&level, &browser).await, 401);
    });
}
