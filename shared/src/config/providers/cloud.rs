//! Providers whose URLs name the customer's project and location (Vertex AI).

use super::{Cloud, GoogleAccount};
use crate::config::bindings::{self, Bindings};
use crate::config::problem::Problem;

/// The location that has no host of its own.
const EVERYWHERE: &str = "global";

/// A customer's place in a provider's cloud.
pub(super) struct Place {
    project: String,
    location: String,
}

impl Place {
    /// Reads the bindings, and the account for a project that is not bound; the error names the one that is missing or unusable, not its text.
    pub(super) fn read(
        cloud: &Cloud,
        account: Option<&GoogleAccount>,
        bindings: &(impl Bindings + ?Sized),
    ) -> Result<Place, Problem> {
        let project =
            bindings::text(bindings, cloud.project).or_else(|| account?.project.clone()).ok_or_else(|| {
                problem(cloud.project, "is missing", "Bind the id of the project whose models are called")
            })?;
        let location = bindings::text(bindings, cloud.location).unwrap_or_else(|| EVERYWHERE.to_owned());
        let fits = |text: &str, more: &[u8]| {
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || more.contains(&byte))
        };
        // `example.com:project` is the id of a project of an organisation's domain.
        if !fits(&project, b"-.:_") {
            return Err(problem(cloud.project, "is no id of a project", "Use lower-case letters, digits and hyphens"));
        }
        if !fits(&location, b"-") {
            return Err(problem(cloud.location, "is no location", "Use a location such as europe-west4, or global"));
        }
        Ok(Place { project, location })
    }

    /// The base URL of the location, from the one they share.
    pub(super) fn base_url(&self, common: &str) -> String {
        match common.strip_prefix("https://") {
            Some(host) if self.location != EVERYWHERE => format!("https://{}-{host}", self.location),
            Some(_) | None => common.to_owned(),
        }
    }

    /// A path with the place filled in.
    pub(super) fn fill(&self, path: &str) -> String {
        path.replace("{project}", &self.project).replace("{location}", &self.location)
    }
}

fn problem(path: &str, message: &str, hint: &str) -> Problem {
    Problem { path: path.to_owned(), message: message.to_owned(), hint: hint.to_owned() }
}
