//! What is printed when a developer's run is ready.

use std::io;

use super::upstream::Providers;
use crate::harness::Client;

/// The text of `ready.txt`, filled in.
///
/// # Errors
/// The gateway does not answer any more.
pub async fn ready_text(
    url: &str,
    package: &str,
    key: &str,
    providers: &Providers,
) -> io::Result<String> {
    let console = match Client::new(url)?.get("/console/").send().await?.status {
        404 => "none in this build".to_owned(),
        _ => format!("{url}/console/"),
    };
    let filled = [
        ("{{url}}", url),
        ("{{package}}", package),
        ("{{key}}", key),
        ("{{console}}", &console),
        ("{{providers}}", &providers.said),
        ("{{model}}", &providers.model),
    ];
    let text = include_str!("ready.txt").to_owned();
    Ok(filled
        .iter()
        .fold(text, |text, (name, value)| text.replace(name, value)))
}
