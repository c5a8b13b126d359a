//! The first level: the core over a [`World`], in this process.

use std::collections::BTreeMap;

use futures_util::future::{Either, select};
use signalbox::app::{App, Standard};
use signalbox::pipeline::{Reply, ReplyBody};
use signalbox::ports::{BodyError, Request};
use std::pin::pin;

use super::case::{Case, Leave, Stores};
use super::document::bindings;
use super::level::{Answer, Call, Level, leaves};
use super::runner;
use crate::simulator::Upstream;
use crate::virtual_time::{Faults, Options, World};

/// A gateway of its own.
#[derive(Clone)]
pub struct InProcess {
    world: World,
    app: App<World>,
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InProcess over {:?}", self.world)
    }
}

impl InProcess {
    /// A gateway with the suite's bindings and a case's changes to them.
    pub fn new(options: Options, changes: &BTreeMap<String, Option<String>>) -> InProcess {
        let world = World::new(options);
        let bindings = bindings(world.upstream_url(), changes);
        let app = App::new(world.clone(), move |name: &str| bindings.get(name).cloned());
        InProcess { world, app }
    }

    /// Another process of the same gateway: it shares the stores and the clock, and remembers nothing.
    #[must_use]
    pub fn beside(&self, changes: &BTreeMap<String, Option<String>>) -> InProcess {
        let bindings = bindings(self.world.upstream_url(), changes);
        let app = App::new(self.world.clone(), move |name: &str| bindings.get(name).cloned());
        InProcess { world: self.world.clone(), app }
    }

    /// What the platform's clock asks for once a minute.
    pub async fn tend(&self) {
        self.app.tend().await;
    }

    /// What it runs on.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Plays a case on a gateway of its own.
    pub fn run(case: &Case, number: usize) -> Vec<String> {
        let level = InProcess::new(Options { pace_ms: 3, ..Options::default() }, &case.bindings);
        let running = runner::run(&level, case, number);
        level.world.executor().run(running).unwrap_or_else(|deadlock| vec![deadlock.to_string()])
    }
}

impl Level for InProcess {
    fn name(&self) -> &'static str {
        "in_process"
    }

    fn upstream(&self) -> &Upstream {
        self.world.upstream()
    }

    fn upstream_url(&self) -> String {
        self.world.upstream_url().to_owned()
    }

    async fn call(&self, call: Call) -> Result<Answer, String> {
        let mut answer = Answer::default();
        let leave = call.leave;
        // A caller who leaves drops whatever is under way, wherever it is.
        let all = read(&self.app, call, &mut answer);
        let in_time = match leave {
            Some(Leave::AfterMs(ms)) => {
                matches!(select(pin!(all), pin!(self.world.executor().sleep(ms))).await, Either::Left(_))
            }
            Some(Leave::AfterEvents(_) | Leave::AfterBytes(_)) | None => {
                all.await;
                true
            }
        };
        answer.left |= !in_time;
        Ok(answer)
    }

    async fn pause(&self, ms: u64) {
        self.world.executor().sleep(ms).await;
    }

    fn now_ms(&self) -> u64 {
        self.world.executor().now_ms()
    }

    fn utc_ms(&self) -> u64 {
        self.world.executor().now_ms()
    }

    fn log_lines(&self) -> Vec<String> {
        self.world.log_lines()
    }

    fn set_stores(&self, stores: Stores) -> bool {
        self.world.set_faults(match stores {
            Stores::Up => Faults::default(),
            Stores::DirectoryDown => Faults { directory_down: true, ..Faults::default() },
            Stores::LedgerDown => Faults { ledger_down: true, ..Faults::default() },
            Stores::AnswersLost => Faults { answers_lost: true, ..Faults::default() },
        });
        true
    }
}

async fn read(app: &App<World>, call: Call, answer: &mut Answer) {
    let leave = call.leave;
    let reply: Reply<Standard<World>> = app.serve(VirtualRequest::new(call)).await;
    answer.status = reply.head.status;
    for (name, value) in reply.head.headers {
        answer.headers.entry(name.into_owned()).and_modify(|all| *all = format!("{all}, {value}")).or_insert(value);
    }
    match reply.body {
        ReplyBody::Whole(bytes) => answer.body.extend_from_slice(&bytes),
        ReplyBody::Stream(mut stream) => loop {
            if leaves(leave, &answer.body) {
                answer.left = true;
                return;
            }
            match stream.next().await {
                Some(bytes) => answer.body.extend_from_slice(&bytes),
                None => return,
            }
        },
    }
}

/// A call as the core is handed it: headers of one name joined, as every platform does.
struct VirtualRequest {
    call: Call,
    headers: BTreeMap<String, String>,
}

impl VirtualRequest {
    fn new(call: Call) -> VirtualRequest {
        let mut headers = BTreeMap::new();
        for (name, value) in &call.headers {
            let joined = |all: &mut String| *all = format!("{all}, {value}");
            headers.entry(name.clone()).and_modify(joined).or_insert_with(|| value.clone());
        }
        VirtualRequest { call, headers }
    }
}

impl Request for VirtualRequest {
    fn method(&self) -> &str {
        &self.call.method
    }

    fn path(&self) -> &str {
        self.call.path.split('?').next().unwrap_or_default()
    }

    fn query(&self) -> &str {
        self.call.path.split_once('?').map_or("", |(_, query)| query)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    async fn body(self, limit: usize) -> Result<Vec<u8>, BodyError> {
        if self.call.body.len() > limit { Err(BodyError::TooLarge) } else { Ok(self.call.body) }
    }
}
