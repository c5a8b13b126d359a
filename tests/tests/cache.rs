//! Kept answers under concurrency, on virtual time: identical calls become one, and nobody waits for what never comes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Value, json};
use signalbox::ports::Records;
use signalbox::records::{MAX_RECORD_BYTES, Range, Record, Write};
use signalbox_tests::suite::case::Leave;
use signalbox_tests::suite::document::ADMIN_KEY;
use signalbox_tests::suite::in_process::InProcess;
use signalbox_tests::suite::level::{Answer, Call, Level};
use signalbox_tests::virtual_time::Options;

fn call(path: &str, method: &str, key: &str, body: &Value) -> Call {
    let headers = [("authorization", format!("Bearer {key}")), ("content-type", "application/json".to_owned())];
    Call {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body: body.to_string().into_bytes(),
        leave: None,
    }
}

/// A gateway that keeps answers, and a key to it.
fn gateway() -> (InProcess, String) {
    let level = InProcess::new(Options { pace_ms: 200, ..Options::default() }, &BTreeMap::new());
    let config = json!({ "cache": { "exact": { "ttl": "1h" } } });
    let made = run(&level, async {
        let stored = level.call(call("/admin/v1/config", "PUT", ADMIN_KEY, &config)).await.unwrap();
        assert_eq!(stored.status, 200, "{}", String::from_utf8_lossy(&stored.body));
        level.call(call("/admin/v1/keys", "POST", ADMIN_KEY, &json!({ "name": "k" }))).await.unwrap()
    });
    let made: Value = serde_json::from_slice(&made.body).unwrap();
    (level, made["key"].as_str().unwrap().to_owned())
}

fn run<T>(level: &InProcess, work: impl Future<Output = T>) -> T {
    level.world().executor().run(work).unwrap()
}

fn chat(key: &str, stream: bool, leave: Option<Leave>) -> Call {
    let body = json!({ "model": "openai:gpt-5.4-mini~words-9", "stream": stream, "messages": [{ "role": "user", "content": "Hi" }] });
    Call { leave, ..call("/v1/chat/completions", "POST", key, &body) }
}

fn standing(answer: &Answer) -> &str {
    answer.headers.get("x-signalbox-cache").map_or("", String::as_str)
}

#[test]
fn of_many_who_ask_the_same_at_once_one_calls_the_provider() {
    let (level, key) = gateway();
    let answers = run(&level, join_all((0..20).map(|n| level.call(chat(&key, n % 2 == 0, None)))));
    let answers: Vec<Answer> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(level.upstream().seen(None).len(), 1);
    assert_eq!(answers.iter().filter(|answer| standing(answer) == "miss").count(), 1);
    assert!(
        answers.iter().all(|answer| answer.status == 200 && String::from_utf8_lossy(&answer.body).contains("word9"))
    );
}

#[test]
fn when_the_one_who_calls_leaves_the_next_one_calls() {
    let (level, key) = gateway();
    let (left, stayed) = run(&level, async {
        let first = level.call(chat(&key, true, Some(Leave::AfterEvents(4))));
        let second = async {
            level.pause(100).await;
            level.call(chat(&key, true, None)).await
        };
        futures_util::join!(first, second)
    });
    assert!(left.unwrap().left);
    let stayed = stayed.unwrap();
    assert_eq!((stayed.status, standing(&stayed)), (200, "miss"));
    assert_eq!(level.upstream().seen(None).len(), 2);
}

#[test]
fn fault_73_of_many_with_one_name_at_once_one_is_answered_and_the_others_are_told_to_wait() {
    let (level, key) = gateway();
    let named = |mut call: Call| {
        call.headers.push(("idempotency-key".to_owned(), "order-1".to_owned()));
        call
    };
    let answers = run(&level, join_all((0..8).map(|_| level.call(named(chat(&key, false, None))))));
    let answers: Vec<Answer> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(level.upstream().seen(None).len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let waits = |answer: &&Answer| answer.status == 409 && answer.headers.contains_key("retry-after");
    assert_eq!(answers.iter().filter(waits).count(), 7);
    let again = run(&level, async {
        level.pause(2_000).await;
        level.call(named(chat(&key, false, None))).await.unwrap()
    });
    assert_eq!((again.status, level.upstream().seen(None).len()), (200, 1));
}

/// What a team's shelf of answers holds under a prefix.
async fn shelf(level: &InProcess, prefix: &str) -> Vec<Record> {
    let range = Range { prefix: prefix.to_owned(), limit: 100, ..Range::default() };
    level.world().list_records("answers/default", &range).await.unwrap()
}

fn long(key: &str, words: u32) -> Call {
    let model = format!("openai:gpt-5.4-mini~words-{words}");
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "All of it" }] });
    call("/v1/chat/completions", "POST", key, &body)
}

#[test]
fn an_answer_of_which_a_part_is_missing_is_a_miss_and_is_kept_anew() {
    let (level, key) = gateway();
    run(&level, async {
        let whole = level.call(long(&key, 60_000)).await.unwrap();
        level.pause(1_000).await;
        let parts = shelf(&level, "part/").await;
        assert!(parts.len() > 1 && parts.iter().all(|part| part.value.len() <= MAX_RECORD_BYTES));
        let again = level.call(long(&key, 60_000)).await.unwrap();
        assert!(standing(&again) == "hit" && again.body == whole.body);
        // One that has expired or was never written, one of another length: what is left is no answer.
        for broken in [|part: &Record| Write::remove(&part.key), |part: &Record| Write::put(&part.key, "half of it")] {
            let parts = shelf(&level, "part/").await;
            let broken = parts.iter().map(broken).collect();
            level.world().write_records("answers/default", broken).await.unwrap();
            let anew = level.call(long(&key, 60_000)).await.unwrap();
            assert_eq!((anew.status, standing(&anew)), (200, "miss"));
            level.pause(1_000).await;
            let kept = level.call(long(&key, 60_000)).await.unwrap();
            assert!(standing(&kept) == "hit" && kept.body == anew.body);
        }
        level.pause(3_600_000).await;
        let mut left = [shelf(&level, "part/").await, shelf(&level, "answer/").await].concat();
        left.retain(|record| record.value != "half of it");
        assert_eq!(left, [], "all of it expires");
    });
}

#[test]
fn an_answer_longer_than_four_megabytes_is_given_and_not_kept() {
    let (level, key) = gateway();
    run(&level, async {
        for _ in 0..2 {
            let answer = level.call(long(&key, 450_000)).await.unwrap();
            assert_eq!((answer.status, standing(&answer), answer.body.len() > 4 << 20), (200, "miss", true));
            level.pause(1_000).await;
        }
        assert_eq!(shelf(&level, "part/").await.len(), 0);
    });
}
