//! Teams that are kept beside the document, laid over it.
//!
//! The document comes first: a team it has is the document's alone. A kept team that no longer fits (a route it names
//! is gone) is left out, so its keys are refused, and everybody else is served.

use super::{Config, Invalid, Problem};
use crate::sorted::SortedMap;
use serde_json::{Map, Value};

/// A configuration, and what is wrong with the teams that were left out of it.
#[derive(Debug)]
pub struct Overlaid {
    /// The document with the teams that fit.
    pub config: Config,
    /// Why the others do not.
    pub left_out: Vec<Problem>,
}

impl Config {
    /// Reads a document that was [read into a tree](Config::tree), with these teams beside its own.
    pub fn overlaid(document: &Value, teams: &SortedMap<String, Value>) -> Result<Overlaid, Invalid> {
        let none = Map::new();
        let own = document.get("teams").and_then(Value::as_object).unwrap_or(&none);
        let mut beside: SortedMap<&str, &Value> = teams
            .iter()
            .filter(|(name, _)| !own.contains_key(*name))
            .map(|(name, team)| (name.as_str(), team))
            .collect();
        let mut left_out = Vec::new();
        loop {
            match Config::from_value(&laid_over(document, &beside)) {
                Ok(config) => return Ok(Overlaid { config, left_out }),
                Err(invalid) => {
                    let before = beside.len();
                    beside.retain(|name, _| !invalid.problems.iter().any(|problem| is_about(&problem.path, name)));
                    if beside.len() == before {
                        return Err(invalid);
                    }
                    left_out.extend(invalid.problems);
                }
            }
        }
    }
}

fn laid_over(document: &Value, teams: &SortedMap<&str, &Value>) -> Value {
    let mut document = document.clone();
    if let Value::Object(members) = &mut document
        && !teams.is_empty()
        && let Value::Object(own) = members.entry("teams").or_insert_with(|| Value::Object(Map::new()))
    {
        own.extend(teams.iter().map(|(name, team)| ((*name).to_owned(), (*team).clone())));
    }
    document
}

/// Whether a problem's path leads into a team.
fn is_about(path: &str, team: &str) -> bool {
    let rest = path.strip_prefix("teams.").and_then(|rest| rest.strip_prefix(team));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn teams(value: Value) -> SortedMap<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_documents_team_comes_first_and_others_stand_beside_it() {
        let document = json!({ "teams": { "a": { "limits": { "rpm": 1 } } } });
        let kept = teams(json!({ "a": { "limits": { "rpm": 9 } }, "b": { "limits": { "rpm": 2 } } }));
        let config = Config::overlaid(&document, &kept).unwrap().config;
        assert_eq!(config.teams.len(), 2);
        assert_eq!(config.team("a"), Config::from_value(&document).unwrap().team("a"));
        assert!(config.team("b").is_some());
        assert!(Config::overlaid(&json!({}), &kept).unwrap().config.team("a").is_some());
    }

    #[test]
    fn a_kept_team_that_no_longer_fits_is_left_out_alone() {
        let kept = teams(json!({ "a": { "models": ["a-route-that-is-gone"] }, "ab": {}, "c": { "colour": 1 } }));
        let overlaid = Config::overlaid(&json!({}), &kept).unwrap();
        let names: Vec<&str> = overlaid.config.teams.keys().map(|name| name.as_str()).collect();
        assert_eq!(names, ["ab"]);
        assert_eq!(overlaid.left_out.len(), 2);
    }

    #[test]
    fn a_document_that_is_wrong_itself_is_refused() {
        assert!(Config::overlaid(&json!({ "colour": "red" }), &teams(json!({ "a": {} }))).is_err());
    }
}
