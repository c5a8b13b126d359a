//! What is printed when a developer's run is ready.

use std::io;

use super::upstream::Providers;
use crate::harness::Client;

/// The text of `ready.txt`, filled in.
///
/// # Errors
/// The gateway does not answer any more.
pub async fn ready_text(url: &str, key: &str, admin_key: &str, providers: &Providers) -> io::Result<String> {
    let console = match Client::new(url)?.get("/console/").send().await?.status {
        200..=399 => "",
        _ => "   (nobody can sign in yet: auth.console)",
    };
    let note = match providers.simulated {
        true => "   (no provider key in the environment: the built-in simulator answers)",
        false => "",
    };
    let filled = [
        ("{{url}}", url),
        ("{{note}}", note),
        ("{{key}}", key),
        ("{{admin_key}}", admin_key),
        ("{{console}}", console),
        ("{{model}}", &providers.model),
    ];
    let text = include_str!("ready.txt").to_owned();
    Ok(filled.iter().fold(text, |text, (name, value)| text.replace(name, value)))
}
