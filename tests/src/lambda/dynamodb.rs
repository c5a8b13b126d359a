//! DynamoDB in this process: the real protocol over SQLite, in memory or in a file.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use dynoxide::Database;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::options::{State, http};
use crate::harness::Background;

/// How often items past their time to live are deleted. DynamoDB itself takes up to days: nothing may rely on it.
const SWEEP: Duration = Duration::from_secs(60);

/// A table with string keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The partition key's attribute.
    pub hash: String,
    /// The sort key's attribute, if there is one.
    pub range: Option<String>,
    /// The attribute with the time to live, in Unix seconds.
    pub ttl: Option<String>,
}

impl Default for Table {
    fn default() -> Table {
        Table {
            name: "signalbox".to_owned(),
            hash: "pk".to_owned(),
            range: Some("sk".to_owned()),
            ttl: Some("ttl".to_owned()),
        }
    }
}

/// A running DynamoDB; dropping it ends it.
#[derive(Debug)]
pub struct DynamoDb {
    url: String,
    _background: Background,
}

impl DynamoDb {
    /// Starts on loopback at any port, on a thread of its own, and creates the tables that are missing.
    ///
    /// # Errors
    /// The file cannot be opened, or a table cannot be created.
    pub fn start(state: &State, tables: &[Table]) -> io::Result<DynamoDb> {
        let database = match state {
            State::Memory => Database::memory(),
            State::Folder(folder) => {
                std::fs::create_dir_all(folder)?;
                Database::new(&folder.join("dynamodb.sqlite").display().to_string())
            }
        };
        let database = database.map_err(io::Error::other)?;
        for table in tables {
            create(&database, table)?;
        }
        let start = move || async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let url = http(listener.local_addr()?);
            tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(SWEEP).await;
                    let database = database.clone();
                    // A sweep that fails is tried again a minute later.
                    let _ = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
                }
            });
            Ok(url)
        };
        let (background, url) = Background::start("dynamodb", start, || async {})?;
        Ok(DynamoDb { url, _background: background })
    }

    /// The endpoint, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

fn create(database: &Database, table: &Table) -> io::Result<()> {
    let described = database.describe_table(request(json!({"TableName": table.name}))?);
    if described.is_ok() {
        return Ok(());
    }
    let mut attributes = vec![json!({"AttributeName": table.hash, "AttributeType": "S"})];
    let mut keys = vec![json!({"AttributeName": table.hash, "KeyType": "HASH"})];
    if let Some(range) = &table.range {
        attributes.push(json!({"AttributeName": range, "AttributeType": "S"}));
        keys.push(json!({"AttributeName": range, "KeyType": "RANGE"}));
    }
    let wanted = json!({
        "TableName": table.name,
        "AttributeDefinitions": attributes,
        "KeySchema": keys,
        "BillingMode": "PAY_PER_REQUEST",
    });
    database.create_table(request(wanted)?).map_err(io::Error::other)?;
    if let Some(ttl) = &table.ttl {
        let wanted = json!({
            "TableName": table.name,
            "TimeToLiveSpecification": {"AttributeName": ttl, "Enabled": true},
        });
        database.update_time_to_live(request(wanted)?).map_err(io::Error::other)?;
    }
    Ok(())
}

/// The library takes the protocol's own requests.
fn request<T: DeserializeOwned>(json: Value) -> io::Result<T> {
    serde_json::from_value(json).map_err(io::Error::other)
}
