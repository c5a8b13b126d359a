//! Teams: those of the configuration document to look at, and those kept beside it.
//!
//! A team stands in one place. What the document has is the document's: it is shown with `"source": "document"`
//! and changed there. A kept team says what a section of the document would, and is held to the same rules.

use super::resources::{NAME, Resource};
use super::shelf::listed;
use super::{Admin, Answer, Ask};
use crate::config::Config;
use crate::error::{ApiError, Code};
use crate::gateway::live::{self, section};
use crate::json::json;
use crate::ports::Ports;
use crate::sorted::SortedMap;
use serde_json::{Map, Value};

const TEAMS: Resource = Resource { noun: "team", id: NAME, members: None, is_live: true, gone: None, filters: &[] };

impl<P: Ports> Admin<P> {
    pub(super) async fn create_team(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.make(&TEAMS, ask).await
    }

    /// Both kinds, by name.
    pub(super) async fn list_teams(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let (limit, after, organisation) = (ask.limit()?, ask.query("after"), ask.query("organisation"));
        let mut teams: SortedMap<String, Value> = SortedMap::new();
        for record in live::all(&self.ports, live::TEAM).await.map_err(super::unavailable)? {
            if let Ok(team) = crate::json::tree(&record.value) {
                teams.insert(record.key.trim_start_matches(live::TEAM).to_owned(), team);
            }
        }
        let names = self.documented().into_iter().flat_map(Map::keys).cloned();
        let own: Vec<(String, Value)> = names.filter_map(|name| Some((name.clone(), self.own_team(&name)?))).collect();
        teams.extend(own);
        let is_wanted = |name: &String, team: &Value| {
            after.as_ref().is_none_or(|after| name > after)
                && organisation.as_ref().is_none_or(|wanted| team.get("organisation").is_some_and(|own| own == wanted))
        };
        let mut wanted = teams.into_iter().filter(|(name, team)| is_wanted(name, team)).peekable();
        let mut data = Vec::new();
        let mut last = None;
        while let Some((name, team)) = wanted.next_if(|_| data.len() < limit) {
            data.push(team);
            last = Some(name);
        }
        Ok(listed(data, last.as_deref().filter(|_| wanted.peek().is_some())))
    }

    pub(super) async fn show_team(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        match self.own_team(ask.id()) {
            Some(team) => Ok(Answer::ok(team)),
            None => self.show(&TEAMS, ask).await,
        }
    }

    pub(super) async fn replace_team(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.is_kept(ask.id())?;
        self.replace(&TEAMS, ask).await
    }

    pub(super) async fn patch_team(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.is_kept(ask.id())?;
        self.patch(&TEAMS, ask).await
    }

    /// Removes a kept team. Its keys are refused from then on.
    pub(super) async fn remove_team(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        self.is_kept(ask.id())?;
        self.remove(&TEAMS, ask).await
    }

    fn documented(&self) -> Option<&Map<String, Value>> {
        self.document.get("teams").and_then(Value::as_object)
    }

    /// A team of the document, as it is shown.
    fn own_team(&self, name: &str) -> Option<Value> {
        let section = self.documented()?.get(name)?.as_object()?;
        let mut team = Map::new();
        let marks = [("object", "team"), ("id", name), ("source", "document")];
        team.extend(marks.map(|(mark, value)| (mark.to_owned(), Value::from(value))));
        team.extend(section.clone());
        Some(Value::Object(team))
    }

    fn is_kept(&self, name: &str) -> Result<(), ApiError> {
        match self.documented().is_some_and(|teams| teams.contains_key(name)) {
            false => Ok(()),
            true => Err(ApiError::new(
                Code::Conflict,
                "This team stands in the configuration document. Change it there: PUT /admin/v1/config.",
            )),
        }
    }

    /// Whether the document would be good with this team in it.
    pub(super) async fn admits_team(&self, name: &str, members: &Map<String, Value>) -> Result<(), ApiError> {
        self.is_kept(name)?;
        let team = section(members);
        if let Some(organisation) = team.get("organisation").and_then(Value::as_str)
            && self.read(&format!("organisation/{organisation}")).await?.is_none()
        {
            let message = "There is no such organisation. Make it with POST /admin/v1/organisations.";
            return Err(ApiError::invalid("organisation", message));
        }
        let mut document = match &*self.document {
            Value::Object(document) => document.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
        };
        let teams = document.entry("teams").or_insert_with(|| json!({}));
        if let Some(teams) = teams.as_object_mut() {
            teams.insert(name.to_owned(), team);
        }
        let Err(invalid) = Config::from_value(&Value::Object(document)) else { return Ok(()) };
        let place = format!("teams.{name}");
        // A name that is no team's name is quoted in the path.
        let problem = invalid.problems.iter().find(|problem| problem.path.starts_with("teams."));
        let Some(problem) = problem.or(invalid.problems.first()) else { return Ok(()) };
        let path =
            problem.path.strip_prefix(&place).map(|path| path.trim_start_matches('.')).filter(|path| !path.is_empty());
        Err(ApiError::invalid(path.unwrap_or("id"), format!("{}. {}.", problem.message, problem.hint)))
    }
}
