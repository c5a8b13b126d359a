//! The outer levels' common part: a gateway behind a socket, and the simulator in this process.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::case::{Leave, Stores};
use super::level::{Answer, Call, Level, leaves};
use crate::harness::Client;
use crate::simulator::{Simulator, Upstream};

/// A running gateway as a level.
pub struct Socket {
    name: &'static str,
    client: Client,
    simulator: Arc<Simulator>,
    log: Box<dyn Fn() -> Vec<String>>,
    started: Instant,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} behind {:?}", self.name, self.client)
    }
}

impl Socket {
    /// The gateway at `url`, which calls `simulator` and logs what `log` gives.
    ///
    /// # Errors
    /// The URL is not plain HTTP.
    pub fn new(
        name: &'static str,
        url: &str,
        simulator: Arc<Simulator>,
        log: impl Fn() -> Vec<String> + 'static,
    ) -> std::io::Result<Socket> {
        Ok(Socket { name, client: Client::new(url)?, simulator, log: Box::new(log), started: Instant::now() })
    }
}

impl Level for Socket {
    fn name(&self) -> &'static str {
        self.name
    }

    fn upstream(&self) -> &Upstream {
        self.simulator.upstream()
    }

    fn upstream_url(&self) -> String {
        self.simulator.url()
    }

    async fn call(&self, call: Call) -> Result<Answer, String> {
        let mut answer = Answer::default();
        let leave = call.leave;
        let all = read(&self.client, call, &mut answer);
        match leave {
            Some(Leave::AfterMs(ms)) => match tokio::time::timeout(Duration::from_millis(ms), all).await {
                Ok(read) => read?,
                Err(_) => answer.left = true,
            },
            Some(Leave::AfterEvents(_) | Leave::AfterBytes(_)) | None => all.await?,
        }
        Ok(answer)
    }

    async fn pause(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    fn utc_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn log_lines(&self) -> Vec<String> {
        (self.log)()
    }

    fn set_stores(&self, _stores: Stores) -> bool {
        false
    }
}

async fn read(client: &Client, call: Call, answer: &mut Answer) -> Result<(), String> {
    let mut request = client.request(&call.method, &call.path).body(call.body);
    for (name, value) in &call.headers {
        request = request.header(name, value);
    }
    let mut reply = request.send().await.map_err(|error| error.to_string())?;
    answer.status = reply.status;
    for (name, value) in &reply.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let all = answer.headers.entry(name.as_str().to_owned());
        all.and_modify(|all| *all = format!("{all}, {value}")).or_insert(value);
    }
    loop {
        if leaves(call.leave, &answer.body) {
            answer.left = true;
            return Ok(());
        }
        match reply.chunk().await {
            Ok(Some(chunk)) => answer.body.extend_from_slice(&chunk.bytes),
            Ok(None) => return Ok(()),
            Err(_) => {
                answer.cut = true;
                return Ok(());
            }
        }
    }
}
