//! The handle of a running local Lambda.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::dynamodb::DynamoDb;
use super::instance::Status;
use super::logs::Logs;
use super::options::{Options, http};
use super::pool::Pool;
use super::url::Front;
use crate::harness::Background;

/// How long the first process may take to its first poll, as on Lambda.
const INIT: Duration = Duration::from_secs(10);

/// A function behind its Function URL. Dropping it kills its processes and ends DynamoDB.
#[derive(Debug)]
pub struct LambdaLocal {
    url: String,
    pool: Arc<Pool>,
    logs: Logs,
    // In this order: the processes end before their DynamoDB does.
    _background: Background,
    dynamodb: DynamoDb,
}

impl LambdaLocal {
    /// Starts DynamoDB and the first process, and waits for its first poll. Everything runs on threads of its own, so a
    /// handle may be shared by tests and used with or without a runtime.
    ///
    /// # Errors
    /// The port is taken, DynamoDB's state cannot be opened, or the function ends or hangs before its first poll; then
    /// what it printed is part of the error.
    pub fn start(options: Options) -> io::Result<LambdaLocal> {
        let dynamodb = DynamoDb::start(&options.state, &options.tables)?;
        let logs = Logs::new(options.echo);
        let environment = options.environment(dynamodb.url());
        let (port, buffered) = (options.port, options.buffered);
        let pool = Pool::new(options, environment, logs.clone());
        let (started, stopped, printed) = (Arc::clone(&pool), Arc::clone(&pool), logs.clone());
        let start = move || async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            let address = listener.local_addr()?;
            let first = started.warm().await?;
            let until = Instant::now() + INIT;
            loop {
                let status = first.status();
                if status.init_ms.is_some() {
                    break;
                }
                if !status.alive || Instant::now() > until {
                    first.kill();
                    // What it said last may still be on its way.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let said = printed.lines().join("\n");
                    return Err(io::Error::other(format!("the function did not come up:\n{said}")));
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::spawn(Arc::new(Front::new(started, address.port(), buffered)).serve(listener));
            Ok(http(address))
        };
        let (background, url) = Background::start("lambda", start, move || async move { stopped.stop().await })?;
        Ok(LambdaLocal { url, pool, logs, _background: background, dynamodb })
    }

    /// The Function URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// DynamoDB's endpoint.
    pub fn dynamodb_url(&self) -> &str {
        self.dynamodb.url()
    }

    /// Gives the function an event as another service does, and waits until it has answered.
    ///
    /// # Errors
    /// The function failed, or is being stopped.
    pub async fn invoke(&self, event: &str) -> io::Result<u16> {
        let id = format!("{:08x}-event", self.pool.statuses().len());
        let answering = self.pool.invoke(id, event.to_owned().into()).await?;
        let status = answering.head.status;
        let read = super::url::whole(answering).await;
        read.map(|_| status).ok_or_else(|| io::Error::other("the answer was cut"))
    }

    /// Every process started so far, in order.
    pub fn instances(&self) -> Vec<Status> {
        self.pool.statuses()
    }

    /// Kills a process (SIGKILL), in the middle of whatever it does. False when there is none alive with this index.
    pub fn kill_instance(&self, index: usize) -> bool {
        self.pool.kill(index)
    }

    /// What the function's processes printed, and how they ended.
    pub fn logs(&self) -> Vec<String> {
        self.logs.lines()
    }

    /// Waits for a printed line, which may come a little after the answer it belongs to.
    pub async fn wait_for_log(&self, within: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let until = Instant::now() + within;
        loop {
            let found = self.logs.lines().into_iter().find(|line| wanted(line));
            if found.is_some() || Instant::now() >= until {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
