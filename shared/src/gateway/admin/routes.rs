//! The table of the admin plane: what there is, and who may. Authorisation, dispatch and the OpenAPI document all
//! come from it, so a route that is not here does not exist, and one that is here has its roles.
//!
//! A row reads
//!
//! ```text
//! METHOD "path" [Roles] function "What it does." (query parameters) "Body" => STATUS "Answer";
//! ```
//!
//! `path` follows `/admin/v1/`; where two match, the first counts, so words come before braces. `Body` and `Answer` name
//! schemas of the OpenAPI document; `""` is none, and a `?` behind a body's says that
//! it may be left out. A query parameter that is not listed is refused by name. A route that
//! answers 201 takes `idempotency-key`, one that replaces or removes takes `if-match`.

use super::{Admin, Answer, Ask};
use crate::error::ApiError;
use crate::gateway::roles::Role;
use crate::http::percent_decode;
use crate::ports::Ports;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path below `/admin/v1/`, with `{name}` for a segment that is an argument.
    pub path: &'static str,
    /// Any of these may.
    pub roles: &'static [Role],
    /// The function that answers.
    pub action: Action,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// The query parameters it reads.
    pub query: &'static [&'static str],
    /// The schema of its body; empty for none.
    pub takes: &'static str,
    /// Its status when all is well.
    pub status: u16,
    /// The schema of its answer.
    pub gives: &'static str,
}

impl Route {
    /// What stands for the braces when this is the route of `path`, decoded.
    pub fn arguments(&self, path: &str) -> Option<Vec<String>> {
        let mut arguments = Vec::new();
        let mut segments = path.split('/');
        for wanted in self.path.split('/') {
            let segment = segments.next()?;
            if wanted.starts_with('{') {
                arguments.push(percent_decode(segment).to_owned());
            } else if wanted != segment {
                return None;
            }
        }
        (segments.next().is_none() && arguments.iter().all(|argument| !argument.is_empty())).then_some(arguments)
    }
}

macro_rules! routes {
    ($($method:ident $path:literal [$($role:ident)*] $action:ident $about:literal ($($query:ident)*) $takes:literal => $status:literal $gives:literal;)*) => {
        /// The function of a row, by its name.
        #[allow(non_camel_case_types, reason = "each is the name of a function")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Action { $(
            #[doc = $about]
            $action,
        )* }

        /// Every route of the admin plane.
        pub const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            roles: &[$(Role::$role),*],
            action: Action::$action,
            about: $about,
            query: &[$(stringify!($query)),*],
            takes: $takes,
            status: $status,
            gives: $gives,
        }),*];

        impl<P: Ports> Admin<P> {
            /// Serves a request that was [opened](Admin::open).
            pub async fn perform(&self, route: &Route, ask: &Ask<'_>) -> Result<Answer, ApiError> {
                ask.refuse_unknown(route.query)?;
                ask.refuse_empty(route)?;
                match route.action { $(Action::$action => self.$action(ask).await,)* }
            }
        }
    };
}

routes! {
    POST   "keys"               [Admin]         create_key      "Creates a virtual key; it is shown this once." () "NewKey" => 201 "KeyShownOnce";
    GET    "keys"               [Admin Member]  list_keys       "Lists virtual keys, without the keys themselves; to a member their own." (limit after team user project state) "" => 200 "KeyList";
    GET    "keys/{id}"          [Admin Member]  show_key        "Shows a virtual key." () "" => 200 "Key";
    PATCH  "keys/{id}"          [Admin]         patch_key       "Changes a virtual key; null puts a member back." () "KeyChanges" => 200 "Key";
    DELETE "keys/{id}"          [Admin Member]  delete_key      "Revokes a virtual key." () "" => 200 "Key";
    POST   "keys/{id}/revoke"   [Admin Member]  revoke_key      "Revokes a virtual key." () "" => 200 "Key";
    POST   "keys/{id}/rotate"   [Admin Member]  rotate_key      "Gives a virtual key a new secret, shown this once; the old one stays good until the overlap ends." () "Rotation?" => 200 "KeyShownOnce";
    POST   "organisations"      [Admin]         create_organisation  "Makes an organisation." () "NewOrganisation" => 201 "Organisation";
    GET    "organisations"      [Admin Billing] list_organisations   "Lists organisations." (limit after) "" => 200 "OrganisationList";
    GET    "organisations/{id}" [Admin Billing] show_organisation    "Shows an organisation." () "" => 200 "Organisation";
    PUT    "organisations/{id}" [Admin]         replace_organisation "Replaces an organisation." () "OrganisationMembers" => 200 "Organisation";
    PATCH  "organisations/{id}" [Admin]         patch_organisation   "Changes an organisation; null takes a member away." () "OrganisationChanges" => 200 "Organisation";
    DELETE "organisations/{id}" [Admin]         remove_organisation  "Removes an organisation without teams." () "" => 200 "Removed";
    POST   "teams"              [Admin]         create_team     "Makes a team beside those of the configuration document." () "NewTeam" => 201 "Team";
    GET    "teams"              [Admin Billing] list_teams      "Lists teams, those of the document too." (limit after organisation) "" => 200 "TeamList";
    GET    "teams/{id}"         [Admin Billing] show_team       "Shows a team." () "" => 200 "Team";
    PUT    "teams/{id}"         [Admin]         replace_team    "Replaces a team." () "TeamMembers" => 200 "Team";
    PATCH  "teams/{id}"         [Admin]         patch_team      "Changes a team; null takes a member away." () "TeamChanges" => 200 "Team";
    DELETE "teams/{id}"         [Admin]         remove_team     "Removes a team; its keys are refused from then on." () "" => 200 "Removed";
    POST   "users"              [Admin]         create_user     "Makes a user." () "NewUser" => 201 "User";
    GET    "users"              [Admin]         list_users      "Lists users." (limit after organisation teams email) "" => 200 "UserList";
    GET    "users/{id}"         [Admin]         show_user       "Shows a user." () "" => 200 "User";
    PUT    "users/{id}"         [Admin]         replace_user    "Replaces a user." () "UserMembers" => 200 "User";
    PATCH  "users/{id}"         [Admin]         patch_user      "Changes a user; null takes a member away." () "UserChanges" => 200 "User";
    DELETE "users/{id}"         [Admin]         remove_user     "Removes a user." () "" => 200 "Removed";
    POST   "oauth-clients"      [Admin]         create_client   "Makes an OAuth client; its secret is shown this once." () "NewOAuthClient" => 201 "OAuthClientShownOnce";
    GET    "oauth-clients"      [Admin]         list_clients    "Lists OAuth clients, without their secrets." (limit after) "" => 200 "OAuthClientList";
    GET    "oauth-clients/{id}" [Admin]         show_client     "Shows an OAuth client." () "" => 200 "OAuthClient";
    DELETE "oauth-clients/{id}" [Admin]         revoke_client   "Revokes an OAuth client, and its tokens with it." () "" => 200 "OAuthClient";
    POST   "oauth-clients/{id}/rotate" [Admin]  rotate_client   "Gives an OAuth client a new secret, shown this once; the old one stays good until the overlap ends." () "Rotation?" => 200 "OAuthClientShownOnce";
    GET    "budgets"            [Admin Billing] list_budgets    "Lists budgets with what is spent, held and unconfirmed of each." () "" => 200 "BudgetList";
    GET    "limits"             [Admin Billing] list_limits     "Lists limits with what is used of each just now." (limit after) "" => 200 "LimitList";
    GET    "health"             [Admin Auditor] show_health     "Shows how every upstream stands." () "" => 200 "Upstreams";
    GET    "decisions"          [Admin Auditor] list_decisions  "Lists the routing decisions that were kept." (after limit) "" => 200 "DecisionList";
    GET    "decisions/summary"  [Admin Auditor] summarize_decisions "Counts the fleet's decisions of today, or of so many days, by route and reason, with an estimate of what they saved." (days) "" => 200 "DecisionSummary";
    GET    "decisions/{id}"     [Admin Auditor] show_decision   "Shows a routing decision." () "" => 200 "Decision";
    GET    "recommendations"    [Admin Billing Auditor] list_recommendations "Says what could be done better, by the decisions of seven days and what routes have learned." () "" => 200 "Recommendations";
    POST   "router/calibrate"   [Admin]         calibrate_router "Reports what a route that learns is worth on records of one's own, and may teach it by them." () "Calibration" => 200 "CalibrationReport";
    GET    "router/learning"    [Admin Auditor] show_learning   "Shows what routes have learned, how sure that is, and what trying out has cost." () "" => 200 "RoutesLearned";
    DELETE "cache"              [Admin]         purge_cache     "Removes a team's kept answers, or those of one tag." (team tag) "" => 200 "CachePurged";
    PUT    "embedding"          [Admin]         store_embedding "Stores the weights of the embedding, their vocabulary behind them." () "Weights" => 200 "Embedding";
    GET    "embedding"          [Admin Auditor] show_embedding  "Shows which weights are in force." () "" => 200 "Embedding";
    GET    "config"             [Admin Auditor] show_config     "Shows the stored configuration document." () "" => 200 "Configuration";
    PUT    "config"             [Admin]         put_config      "Stores a configuration document, which takes the binding's place." () "Document" => 200 "ConfigurationStored";
    DELETE "config"             [Admin]         remove_config   "Removes the stored document: the binding's is in force again." () "" => 200 "ConfigurationStored";
    POST   "config/validate"    [Admin Auditor] validate_config "Says every problem of a document, without storing it." () "Document" => 200 "Validation";
    GET    "config/versions"    [Admin Auditor] list_versions   "Lists the versions of the document, the newest first." (limit after) "" => 200 "VersionList";
    GET    "config/versions/{n}" [Admin Auditor] show_version   "Shows a version with its document." () "" => 200 "Version";
    GET    "config/diff"        [Admin Auditor] diff_versions   "Tells what differs between two versions, path by path." (from to) "" => 200 "Difference";
    POST   "config/rollback"    [Admin]         rollback_config "Stores an earlier version once more, as the newest." () "Rollback" => 200 "ConfigurationStored";
    GET    "context"            [Admin Auditor] list_context    "Lists governed definitions, each in its version in force." (limit after tag team owner state) "" => 200 "DefinitionList";
    POST   "context"            [Admin]         create_context  "Makes a governed definition, or its next version." () "NewDefinition" => 200 "Definition";
    POST   "context/import"     [Admin]         import_context  "Takes definitions as JSON lines, all or none." () "DefinitionLines" => 200 "ContextImported";
    POST   "context/sync"       [Admin]         sync_context    "Takes definitions from the servers under `mcp` now." (source) "" => 200 "ContextSynced";
    GET    "context/provenance/{request}" [Admin Auditor] show_provenance "Tells which definitions an answer rests on, as W3C PROV-JSON." () "" => 200 "Provenance";
    GET    "context/{id}"       [Admin Auditor] show_context    "Shows a definition in its version in force." () "" => 200 "Definition";
    GET    "context/{id}/versions" [Admin Auditor] list_context_versions "Lists the versions of a definition, the newest first." (limit after) "" => 200 "DefinitionList";
    GET    "context/{id}/versions/{n}" [Admin Auditor] show_context_version "Shows a version of a definition." () "" => 200 "Definition";
    DELETE "context/{id}"       [Admin]         retire_context  "Retires a definition: nobody is given it any more, its versions stay." () "" => 200 "Definition";
    GET    "audit"              [Admin Auditor] list_audit      "Lists the records of requests, or those still open." (state organisation team project user key_id model route operation outcome code request_id tag_name from to order format limit cursor) "" => 200 "AuditList";
    GET    "audit/verify"       [Admin Auditor] verify_audit    "Walks the chains of records and says where one is broken." (team from limit cursor) "" => 200 "AuditVerification";
    GET    "audit/checkpoints"  [Admin Auditor] list_checkpoints "Lists signed checkpoints of a chain, and the key they are signed with." (team format limit cursor) "" => 200 "CheckpointList";
    GET    "audit/{request_id}" [Admin Auditor] show_audit      "Shows the record of a request." () "" => 200 "AuditLine";
    GET    "audit/{request_id}/body" [Admin Auditor] show_body  "Shows what was said in a request, where that is kept; reading is written down." () "" => 200 "AuditBody";
    GET    "subjects"           [Admin Auditor] list_subjects   "Lists the subjects whose words are kept: users, and keys without one." (limit after) "" => 200 "SubjectList";
    DELETE "subjects/{id}"      [Admin]         erase_subject   "Removes a subject's key: what it said can be read by nobody any more." () "" => 200 "Removed";
    GET    "usage"              [Admin Billing Auditor] show_usage "Sums what was used, grouped." (group_by team from to interval format) "" => 200 "Usage";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sorted::SortedSet;

    #[test]
    fn no_two_rows_answer_the_same_request_and_every_row_can_be_reached() {
        let mut seen = SortedSet::new();
        for route in ROUTES {
            let shape: Vec<&str> = route.path.split('/').map(|s| if s.starts_with('{') { "{}" } else { s }).collect();
            assert!(seen.insert((route.method, shape)), "{} {}", route.method, route.path);
            let example = route.path.replace(['{', '}'], "");
            let first = ROUTES.iter().find(|row| row.method == route.method && row.arguments(&example).is_some());
            assert_eq!(first.map(|row| row.path), Some(route.path), "{example} is served by another row");
        }
    }

    #[test]
    fn every_row_is_open_to_the_administrator_and_says_what_it_does() {
        for route in ROUTES {
            assert!(route.roles.contains(&Role::Admin), "{}", route.path);
            assert!(route.about.ends_with('.') && !route.gives.is_empty(), "{}", route.path);
            assert_eq!(route.takes.is_empty(), matches!(route.method, "GET" | "DELETE") || route.takes.is_empty());
        }
    }

    #[test]
    fn a_path_is_taken_apart_and_decoded() {
        let Some(route) = ROUTES.iter().find(|route| route.path == "keys/{id}/revoke") else { return };
        assert_eq!(route.arguments("keys/a%20b/revoke"), Some(vec!["a b".to_owned()]));
        for other in ["keys", "keys//revoke", "keys/a/revoke/", "keys/a/revoke/b", "keys/a/Revoke"] {
            assert_eq!(route.arguments(other), None, "{other}");
        }
    }
}
