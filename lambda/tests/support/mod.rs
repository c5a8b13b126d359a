//! A DynamoDB implementation in this process, and ways to disturb it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, dead_code)]

use aws_sdk_dynamodb::Client;
use signalbox_lambda::store::{Connection, Store, connect, create_table};

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

/// A store over a client with disturbances.
pub(crate) fn store_over(client: Client) -> Store {
    Store::new(client, "signalbox")
}
