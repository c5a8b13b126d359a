//! Health and decisions between instances: what this one saw is written down, and what others saw is read, behind the
//! callers' backs. No request waits for it, and nothing here can fail one.

use super::learning;
use super::setup::Setup;
use crate::gateway::admin::routing::{Look, Routing};
use crate::json::json;
use crate::ports::Ports;
use crate::records::{Range, Write};
use crate::router::{Ask, Due, KEPT_DECISIONS, Router, TALLIES, TALLY_LIFE, Tally};
use crate::units::{Millis, Timestamp};
use std::sync::Arc;

/// Where snapshots of health are kept.
const HEALTH: &str = "health";
/// How long a snapshot is of any use.
const SNAPSHOT_LIFE: Millis = Millis(30_000);
/// Instances that are listened to.
const INSTANCES: usize = 64;
/// How often somebody else may be faster before sums are left for the next time.
const TRIES: usize = 3;
/// How long a decision is kept.
const DECISION_LIFE: Millis = Millis(24 * 3_600_000);

/// Does in the background what is due.
pub(super) fn tend<P: Ports>(setup: &Arc<Setup<P>>, ports: &P) {
    let now = ports.now();
    let router = &setup.pipeline.layers.router;
    let (due, decisions, lessons) = (router.health().due(now), router.journal().due(now), learning::due(setup, now));
    let counted = router.journal().counted(now);
    if !due.read && !due.write && decisions.is_empty() && lessons.is_none() && counted.is_none() {
        return;
    }
    let (setup, work, instance) = (setup.clone(), ports.clone(), router.instance(|| ports.entropy()).to_owned());
    ports.spawn(async move {
        if let Some(due) = lessons {
            learning::tend(&setup, &work, due).await;
        }
        health(&setup, &work, &instance, due, now).await;
        if let Some(tally) = counted {
            count(&setup, &work, &instance, &tally, now).await;
        }
        if !decisions.is_empty() {
            let until = now + DECISION_LIFE;
            let write = |(id, text): &(String, String)| Write::put(id.as_str(), text.as_str()).until(until);
            // A store that is down loses decisions, not requests: the audit line has who answered and why.
            let _ = work.write_records(KEPT_DECISIONS, decisions.iter().map(write).collect()).await;
        }
    });
}

/// Adds what was counted to the day's sums.
async fn count<P: Ports>(setup: &Arc<Setup<P>>, ports: &P, instance: &str, tally: &Tally, now: Timestamp) {
    let key = Tally::key(instance, now);
    for _ in 0..TRIES {
        let Ok(kept) = ports.read_record(TALLIES, &key).await else { break };
        let mut sum = tally.clone();
        kept.iter().for_each(|kept| sum.read(&kept.value));
        let write = match &kept {
            Some(kept) => Write::replace(kept, sum.text()),
            None => Write::create(&key, sum.text()),
        };
        match ports.write_records(TALLIES, vec![write.until(now + TALLY_LIFE)]).await {
            Ok(false) => {}
            // Whether it was taken by who did not answer nobody knows: rather too little is counted than twice.
            Ok(true) | Err(_) => return,
        }
    }
    setup.pipeline.layers.router.journal().uncounted(tally);
}

async fn health<P: Ports>(setup: &Arc<Setup<P>>, ports: &P, instance: &str, due: Due, now: Timestamp) {
    let health = setup.pipeline.layers.router.health();
    // Upstreams are those of one configuration: whoever has another speaks of others.
    let prefix = format!("{}/", setup.pipeline.edition);
    let own = format!("{prefix}{instance}");
    if due.write {
        let write = Write::put(&own, health.snapshot(now)).until(now + SNAPSHOT_LIFE);
        if ports.write_records(HEALTH, vec![write]).await.is_err() {
            health.deaf();
        }
    }
    if due.read {
        let range = Range { prefix, limit: INSTANCES, ..Range::default() };
        if let Ok(records) = ports.list_records(HEALTH, &range).await {
            let others = records.iter().filter(|record| record.key != own).map(|record| record.value.as_str());
            health.hear(others, ports.now());
        }
    }
}

/// What this instance's router knows, for the admin plane.
pub(super) fn routing<P: Ports>(setup: &Arc<Setup<P>>, now: Timestamp) -> Routing {
    let setup = setup.clone();
    Routing(Arc::new(move |look| {
        let router = &setup.pipeline.layers.router;
        match look {
            Look::Calibrate(asked) => router.calibrate(asked).unwrap_or_else(|problem| json!({ "problem": problem })),
            Look::Learning => json!({ "object": "list", "data": router.lessons().told() }),
            Look::Summary(kept) => router.journal().summary(kept.iter().map(|record| record.value.as_str())),
            Look::Recommend(kept) => {
                let kept = router.journal().sum(kept.iter().map(|record| record.value.as_str()));
                json!({ "object": "list", "data": router.recommendations(&kept) })
            }
            Look::Tallied(days) => Tally::since(days, now).into(),
            Look::Decision(id) => router.journal().find(id).unwrap_or_default(),
            Look::Health => {
                let upstreams = router.health().report(now).into_iter().map(|report| {
                    let causes = report.causes.iter().map(|(cause, count)| (cause.as_str().to_owned(), json!(count)));
                    json!({
                        "model": report.model,
                        "standing": report.standing,
                        "failures": causes.collect::<serde_json::Map<_, _>>(),
                    })
                });
                let age = router.view(&Ask::default(), now).health_age_ms;
                json!({ "object": "list", "health_age_ms": age, "data": upstreams.collect::<Vec<_>>() })
            }
        }
    }))
}
