//! The developer's virtual key, made through the admin plane.

use std::io;

use serde_json::{Value, json};

use crate::harness::Client;

/// The known key if the gateway still takes it, else a new one of the team `default`.
///
/// # Errors
/// The gateway cannot be reached, or creates no key; then its answer is part of the error.
pub async fn dev_key(url: &str, admin_key: &str, known: Option<&str>) -> io::Result<String> {
    let client = Client::new(url)?;
    if let Some(known) = known {
        let reply = client.clone().with_key(known)?.get("/v1/models").send().await?;
        if reply.status == 200 {
            return Ok(known.to_owned());
        }
    }
    let wanted = json!({"name": "dev", "team": "default"});
    let reply = client.with_key(admin_key)?.post("/admin/v1/keys", &wanted).send().await?;
    let status = reply.status;
    let text = reply.text().await?;
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    let key = answer.get("key").and_then(Value::as_str).map(str::to_owned);
    key.ok_or_else(|| io::Error::other(format!("POST /admin/v1/keys answered {status}: {text}")))
}
