//! Many callers at once against one hard budget: whatever they do, it is never overspent, and the books are even afterwards.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::case::Leave;
use super::document::ADMIN_KEY;
use super::level::{Call, Level};
use crate::virtual_time::SplitMix;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many requests.
    pub requests: usize,
    /// How many of them at a time.
    pub in_flight: usize,
    /// What the requests are drawn from, and how callers leave.
    pub seed: u64,
    /// How often the gateway is killed meanwhile, with everything in flight.
    pub crashes: usize,
    /// How many ledgers admit the team's calls.
    pub shards: u64,
    /// Whether processes that can are lent parts of the budgets, and admit calls themselves.
    pub escrow: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Answers by status; 0 for callers who left before any.
    pub statuses: BTreeMap<u16, usize>,
    /// The limit, nano-dollars.
    pub limit: u64,
    /// What stands in the books at the end.
    pub posted: u64,
    /// What stands there beside it for calls that died unsettled.
    pub unconfirmed: u64,
    /// The most that ever stood in them, held money included, as often as anybody looked.
    pub highest: u64,
    /// Looks into the books while the requests ran.
    pub looks: usize,
    /// Requests that were sent twice at once, under one name.
    pub twice: usize,
}

/// The time limit of requests while the gateway is being killed.
const CRASHING_TIMEOUT: &str = "5000";
/// What one request costs on average, as the kinds below are mixed; nano-dollars.
const USUAL_COST: u64 = 32_000;
/// Of so many requests one is sent twice, under one `idempotency-key`.
const TWICE: usize = 20;
/// More than is reserved for one request: 20 tokens of output at 2,000 nano-dollars, and its input at one.
const ONE_RESERVATION: u64 = 50_000;
/// Words of an answer, and the limit that callers name.
const WORDS: u64 = 20;

/// A model that answers well.
const GOOD: &str = "openai:gpt-5.4-mini~words-20";
/// The upstream's behaviours, as models. Most answer well.
const KINDS: [&str; 10] = [
    "openai:gpt-5.4-mini~words-20",
    "anthropic:claude-haiku-4-5~words-20",
    "openai:gpt-5.4-mini~words-20",
    "anthropic:claude-haiku-4-5~words-20",
    "openai:gpt-5.4-mini~pace-1",
    "anthropic:claude-haiku-4-5~pace-1",
    "openai:gpt-5.4-mini~no-usage",
    "openai:gpt-5.4-mini~500",
    "anthropic:claude-haiku-4-5~cut",
    "openai:gpt-5.4-mini~error-mid",
];

/// Sends the plan's requests with a budget for about half of them, and tells everything that does not add up.
///
/// # Errors
/// What is wrong, one line each.
pub async fn run<L: Level>(level: &L, plan: &Plan, crash: impl Fn(usize)) -> Result<Outcome, String> {
    let team = format!("budget-{}", plan.seed);
    let limit = USUAL_COST * u64::try_from(plan.requests).unwrap_or(u64::MAX) / 2;
    let key = prepare(level, document(&team, limit, plan), &team).await?;
    let logged = level.log_lines().len();

    let (next, running, twice) = (Cell::new(0_usize), Cell::new(true), Cell::new(0_usize));
    let caller = |_| async {
        let mut statuses = BTreeMap::<u16, usize>::new();
        while next.get() < plan.requests {
            let number = next.replace(next.get() + 1);
            // Under way of each part, not at its edge.
            let part = plan.requests.checked_div(plan.crashes).unwrap_or(usize::MAX);
            if number % part == part / 2 {
                crash(number);
            }
            let mut call = request(plan.seed, number, &key);
            if plan.crashes > 0 {
                // The leases of those that die with the gateway end a minute after this.
                call.headers.push(("x-signalbox-timeout-ms".to_owned(), CRASHING_TIMEOUT.to_owned()));
            }
            let mut same = None;
            if number % TWICE == TWICE / 2 {
                call.headers.push(("idempotency-key".to_owned(), format!("request-{number}")));
                same = Some(call.clone());
                twice.set(twice.get() + 1);
            }
            let again = async {
                match same {
                    Some(same) => Some(level.call(same).await),
                    None => None,
                }
            };
            let (once, again) = join(level.call(call), again).await;
            for answer in [Some(once), again].into_iter().flatten() {
                let status = match answer {
                    Ok(answer) => answer.status,
                    Err(_) if plan.crashes > 0 => 0,
                    Err(problem) => return Err(format!("request {number}: {problem}")),
                };
                *statuses.entry(status).or_default() += 1;
            }
        }
        Ok::<_, String>(statuses)
    };
    let callers = async {
        let all = join_all((0..plan.in_flight).map(caller)).await;
        running.set(false);
        all.into_iter().collect::<Result<Vec<_>, String>>()
    };
    let (statuses, watched) = join(callers, watch(level, &team, &running, plan.crashes > 0)).await;

    let mut outcome = Outcome { limit, twice: twice.get(), ..watched? };
    for (status, count) in statuses?.into_iter().flatten() {
        *outcome.statuses.entry(status).or_default() += count;
    }
    let mut problems = Vec::new();
    if plan.crashes > 0 {
        after_crashes(level, logged, &team, &mut outcome, &mut problems).await?;
        return if problems.is_empty() { Ok(outcome) } else { Err(format!("{}\n{outcome:?}", problems.join("\n"))) };
    }
    settled(level, &team, &mut problems).await?;
    let more = spend_the_rest(level, &key).await?;
    outcome.posted = settled(level, &team, &mut problems).await?;
    problems.extend(audited(level, logged, &team, plan.requests + outcome.twice + more, outcome.posted).await);
    even(level, &team, &mut outcome, &mut problems).await?;
    problems.extend(verdict(&outcome));
    if problems.is_empty() { Ok(outcome) } else { Err(format!("{}\n{outcome:?}", problems.join("\n"))) }
}

/// The books once every lease is over: what died unsettled still counts, so nothing that was consumed is lost, and what
/// the audit lines say is in the books.
async fn after_crashes<L: Level>(
    level: &L,
    logged: usize,
    team: &str,
    outcome: &mut Outcome,
    problems: &mut Vec<String>,
) -> Result<(), String> {
    for _ in 0..150 {
        let [_, held, _] = books(level, team).await?;
        if held == 0 {
            break;
        }
        level.pause(1_000).await;
    }
    even(level, team, outcome, problems).await?;
    let (posted, unconfirmed) = (outcome.posted, outcome.unconfirmed);
    let (spent, _) = lines_of(level, logged, team);
    if outcome.highest.max(posted + unconfirmed) > outcome.limit {
        problems.push(format!("overspent: {} and {posted} + {unconfirmed} of {}", outcome.highest, outcome.limit));
    }
    if spent > posted + unconfirmed {
        problems.push(format!("lost: the audit lines say {spent} nano-dollars, the books {posted} + {unconfirmed}"));
    }
    // What a shard has lost its lender has posted; neither is in a log.
    if spent == posted + unconfirmed {
        problems.push("no crash hit a call under way".to_owned());
    }
    Ok(())
}

/// The team's chain of records holds, and adds up to its books to the nano-dollar. Reading it settles what processes that
/// died have left.
async fn even<L: Level>(
    level: &L,
    team: &str,
    outcome: &mut Outcome,
    problems: &mut Vec<String>,
) -> Result<(), String> {
    let mut told = String::new();
    for _ in 0..100 {
        let path = format!("/admin/v1/audit/verify?team={team}&limit=50000");
        let verified = admin(level, "GET", &path, String::new()).await?;
        let chain = verified.pointer("/chains/0");
        let recorded = chain.and_then(|chain| chain.get("cost_nano_usd")).and_then(Value::as_u64);
        let whole = verified.get("ok").and_then(Value::as_bool) == Some(true);
        let [posted, held, unconfirmed] = books(level, team).await?;
        (outcome.posted, outcome.unconfirmed) = (posted, unconfirmed);
        if whole && held == 0 && recorded == Some(posted + unconfirmed) {
            return Ok(());
        }
        told = format!("the books say {posted} + {held} held + {unconfirmed} unconfirmed, the chain {verified}");
        level.pause(100).await;
    }
    problems.push(told);
    Ok(())
}

/// What was held by the last ones in flight was denied to others: one caller alone now spends it, until it is refused.
async fn spend_the_rest<L: Level>(level: &L, key: &str) -> Result<usize, String> {
    for sent in 1..=1_000 {
        let body = json!({ "model": GOOD, "max_tokens": WORDS, "messages": [{ "role": "user", "content": "Hi" }] });
        let headers = [("content-type", "application/json"), ("x-api-key", key)];
        let call = Call {
            method: "POST".to_owned(),
            path: "/v1/messages".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: body.to_string().into_bytes(),
            leave: None,
        };
        let answer = level.call(call).await?;
        match answer.status {
            200 => {}
            402 => return Ok(sent),
            other => return Err(format!("alone, a caller got {other}: {}", String::from_utf8_lossy(&answer.body))),
        }
    }
    Err("a thousand more requests did not spend the rest".to_owned())
}

/// The numbers that say whether the budget did its work.
fn verdict(outcome: &Outcome) -> Vec<String> {
    let mut problems = Vec::new();
    let count = |status| outcome.statuses.get(&status).copied().unwrap_or_default();
    let highest = outcome.highest.max(outcome.posted);
    if highest > outcome.limit {
        problems.push(format!("overspent: {highest} nano-dollars stood against a limit of {}", outcome.limit));
    }
    if outcome.posted + ONE_RESERVATION < outcome.limit {
        problems.push(format!(
            "only {} of {} nano-dollars were spent while callers were refused",
            outcome.posted, outcome.limit
        ));
    }
    if count(200) == 0 || count(402) == 0 {
        problems.push("nobody was served, or nobody was refused".to_owned());
    }
    // 409: its twin was still being answered.
    let known: BTreeSet<u16> = [0, 200, 402, 409, 502, 503].into();
    problems.extend(
        outcome.statuses.keys().filter(|status| !known.contains(status)).map(|status| format!("an answer {status}")),
    );
    problems
}

/// Takes a configuration over; gives a key of one of its teams.
///
/// # Errors
/// It is not taken over, or there is no key.
pub async fn prepare<L: Level>(level: &L, document: Value, team: &str) -> Result<String, String> {
    let put = admin(level, "PUT", "/admin/v1/config", document.to_string()).await?;
    let made = admin(level, "POST", "/admin/v1/keys", json!({ "name": "budget", "team": team }).to_string()).await?;
    let key = made.get("key").and_then(Value::as_str);
    key.map(str::to_owned).ok_or_else(|| format!("no key: {put} {made}"))
}

/// One team and its budgets: the hard one of all, beside a soft one, and hard ones of each user, key and model that are
/// never reached. With shards or escrow, budgets alone: a call that draws on a limit of rate is not theirs.
fn document(team: &str, limit: u64, plan: &Plan) -> Value {
    let price = json!({"usd_per_million": {"input": 0.001, "output": 2}, "max_output_tokens": 4_096});
    let models: serde_json::Map<String, Value> = KINDS.iter().map(|kind| ((*kind).to_owned(), price.clone())).collect();
    #[allow(clippy::cast_precision_loss, reason = "limits are far below 2^53 nano-dollars")]
    let usd = limit as f64 / 1e9;
    let budgets = json!([
        { "usd": usd, "per": "total", "hard": true },
        { "usd": usd / 2.0, "per": "total", "hard": false, "scope": "organisation", "alert_at": [50] },
        { "usd": usd, "per": "day", "hard": true, "scope": "user" },
        { "usd": usd, "per": "total", "hard": true, "scope": ["key", "model"] },
    ]);
    let limits = json!([{ "parallel": 4_000, "tpd": 1_000_000_000 }, { "rps": 100_000, "scope": "user" }]);
    let team_of = match plan {
        Plan { shards: 1, escrow: false, .. } => json!({ "budgets": budgets, "limits": limits }),
        Plan { shards, escrow, .. } => json!({ "budgets": budgets, "shards": shards, "escrow": escrow }),
    };
    json!({
        "models": models,
        "retries": { "max": 1, "base_ms": 1, "cap_ms": 10 },
        "teams": { team: team_of },
    })
}

/// The request of a number: always the same for the same seed.
fn request(seed: u64, number: usize, key: &str) -> Call {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    let mut random = SplitMix::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
    let model = usize::try_from(random.below(10)).ok().and_then(|kind| KINDS.get(kind)).copied().unwrap_or_default();
    let (anthropic, stream) = (random.below(2) == 0, random.below(2) == 0);
    let mut body = json!({ "model": model, "max_tokens": WORDS, "messages": [{ "role": "user", "content": "Hi" }] });
    if let (true, Some(members)) = (stream, body.as_object_mut()) {
        members.insert("stream".to_owned(), json!(true));
    }
    let leave = match random.below(10) {
        0 => Some(Leave::AfterBytes(usize::try_from(random.below(600)).unwrap_or_default())),
        1 => Some(Leave::AfterMs(1 + random.below(20))),
        _ => None,
    };
    let credential = if anthropic { ("x-api-key", key.to_owned()) } else { ("authorization", format!("Bearer {key}")) };
    let headers = [("content-type", "application/json".to_owned()), credential];
    Call {
        method: "POST".to_owned(),
        path: if anthropic { "/v1/messages" } else { "/v1/chat/completions" }.to_owned(),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: body.to_string().into_bytes(),
        leave,
    }
}

/// Asks the admin plane, as its bootstrap administrator; gives the JSON of the answer.
///
/// # Errors
/// There is no answer, or it is no JSON.
pub async fn admin<L: Level>(level: &L, method: &str, path: &str, body: String) -> Result<Value, String> {
    let headers = vec![("authorization".to_owned(), format!("Bearer {ADMIN_KEY}"))];
    let call = Call { method: method.to_owned(), path: path.to_owned(), headers, body: body.into_bytes(), leave: None };
    let answer = level.call(call).await.map_err(|problem| format!("{method} {path}: {problem}"))?;
    serde_json::from_slice(&answer.body).map_err(|_| {
        let said = String::from_utf8_lossy(&answer.body);
        let last: Vec<String> =
            level.log_lines().into_iter().rev().filter(|line| !line.starts_with('{')).take(9).collect();
        format!("{method} {path}: {} {said}\n{}", answer.status, last.join("\n"))
    })
}

/// Posted, held and unconfirmed nano-dollars of a team.
async fn books<L: Level>(level: &L, team: &str) -> Result<[u64; 3], String> {
    let budgets = admin(level, "GET", "/admin/v1/budgets", String::new()).await?;
    let scope = format!("team:{team}");
    let all = budgets.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ours = all.iter().find(|budget| budget.get("scope").and_then(Value::as_str) == Some(&scope));
    let ours = ours.ok_or_else(|| format!("no budget of {scope}: {budgets}"))?;
    Ok(["posted_nano_usd", "held_nano_usd", "unconfirmed_nano_usd"]
        .map(|name| ours.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX)))
}

/// Looks into the books as long as requests run.
async fn watch<L: Level>(level: &L, team: &str, running: &Cell<bool>, crashing: bool) -> Result<Outcome, String> {
    let mut outcome = Outcome::default();
    while running.get() {
        let books = match books(level, team).await {
            Ok(books) => books,
            Err(_) if crashing => [0; 3],
            Err(problem) => return Err(problem),
        };
        outcome.highest = outcome.highest.max(books.into_iter().fold(0, u64::saturating_add));
        outcome.looks += 1;
        level.pause(20).await;
    }
    Ok(outcome)
}

/// Waits until nothing is held; gives what is posted.
async fn settled<L: Level>(level: &L, team: &str, problems: &mut Vec<String>) -> Result<u64, String> {
    for _ in 0..2_000 {
        let [posted, held, unconfirmed] = books(level, team).await?;
        if (held, unconfirmed) == (0, 0) {
            return Ok(posted);
        }
        level.pause(10).await;
    }
    let [posted, held, unconfirmed] = books(level, team).await?;
    problems.push(format!("{held} nano-dollars are still held, {unconfirmed} unconfirmed"));
    Ok(posted)
}

/// What a team's audit lines say was spent, and whose they are.
fn lines_of<L: Level>(level: &L, before: usize, team: &str) -> (u64, Vec<String>) {
    let lines = level.log_lines();
    let records =
        lines.iter().skip(before).filter_map(|line| serde_json::from_str::<Value>(line.get(line.find('{')?..)?).ok());
    let ours: Vec<Value> = records.filter(|record| record.get("team").and_then(Value::as_str) == Some(team)).collect();
    let id = |record: &Value| Some(record.get("request_id")?.as_str()?.to_owned());
    let spent = ours.iter().filter_map(|record| record.get("cost_nano_usd")?.as_u64()).sum();
    (spent, ours.iter().filter_map(id).collect())
}

/// Every request has one line, and their costs are what is posted.
async fn audited<L: Level>(level: &L, before: usize, team: &str, requests: usize, posted: u64) -> Vec<String> {
    let mut problems = Vec::new();
    for _ in 0..200 {
        problems.clear();
        let (spent, ours) = lines_of(level, before, team);
        let ids: BTreeSet<&String> = ours.iter().collect();
        // Who leaves before anybody knows whose key it is has a line without a team.
        if ids.len() != ours.len() || ours.len() > requests {
            problems.push(format!("{} audit lines of {} requests for {requests}", ours.len(), ids.len()));
        }
        if spent != posted {
            problems.push(format!("the audit lines say {spent} nano-dollars, the books {posted}"));
        }
        if problems.is_empty() {
            break;
        }
        level.pause(10).await;
    }
    problems
}
