//! A DynamoDB implementation in this process, and ways to disturb it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, dead_code)]

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use signalbox_lambda::store::{Connection, Store, connect, create_table};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Starts a database of its own for one test; answers how to reach it.
pub(crate) async fn database() -> Connection {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // On a thread of its own: it blocks while it works.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            dynoxide::server::serve_on(listener, dynoxide::Database::memory().unwrap()).await;
        });
    });
    let connection = Connection::from_env(|name| match name {
        "AWS_REGION" => Some("eu-central-1".into()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".into()),
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(url.clone()),
        _ => None,
    })
    .unwrap();
    create_table(&connect(&connection), "signalbox").await.unwrap();
    connection
}

/// A store in a process of its own, as far as anybody can tell.
pub(crate) fn store(connection: &Connection) -> Store {
    Store::new(connect(connection), "signalbox")
}

/// A store that waits as long as a busy machine takes.
pub(crate) fn patient_store(connection: &Connection) -> Store {
    let http = aws_smithy_http_client::Builder::new().build_http();
    Store::new(
        Client::from_conf(connection.config().http_client(http).timeout_config(TimeoutConfig::disabled()).build()),
        "signalbox",
    )
}

/// A store whose network and database misbehave once in `every` requests, by turns: throttled, in
/// conflict, carried out but never answered, carried out and answered with an error.
pub(crate) fn faulty_store(connection: &Connection, every: u64) -> (Store, Arc<AtomicU64>) {
    let faults = Arc::new(AtomicU64::new(0));
    let inner = SharedHttpClient::new(aws_smithy_http_client::Builder::new().build_http());
    let http = Faulty { inner, every, requests: Arc::default(), faults: faults.clone() };
    let config = connection.config().http_client(http).timeout_config(TimeoutConfig::disabled());
    (Store::new(Client::from_conf(config.build()), "signalbox"), faults)
}

#[derive(Clone, Debug)]
struct Faulty {
    inner: SharedHttpClient,
    every: u64,
    requests: Arc<AtomicU64>,
    faults: Arc<AtomicU64>,
}

impl HttpClient for Faulty {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(FaultyConnector {
            inner: self.inner.http_connector(settings, components),
            faulty: self.clone(),
        })
    }
}

#[derive(Debug)]
struct FaultyConnector {
    inner: SharedHttpConnector,
    faulty: Faulty,
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let number = self.faulty.requests.fetch_add(1, Ordering::Relaxed);
        // In no rhythm, or a loop of reading and writing would always fail at the same step.
        if !(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33).is_multiple_of(self.faulty.every) {
            return self.inner.call(request);
        }
        let turn = self.faulty.faults.fetch_add(1, Ordering::Relaxed) % 4;
        let carried_out = (turn >= 2).then(|| self.inner.call(request));
        HttpConnectorFuture::new(async move {
            if let Some(carried_out) = carried_out {
                carried_out.await?;
            }
            match turn {
                0 => Ok(refusal(400, "ThrottlingException")),
                1 => Ok(refusal(400, "TransactionConflictException")),
                2 => Err(ConnectorError::timeout("no answer".into())),
                _ => Ok(refusal(500, "InternalServerError")),
            }
        })
    }
}

fn refusal(status: u16, kind: &str) -> HttpResponse {
    let body = format!("{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{kind}\",\"message\":\"injected\"}}");
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}
