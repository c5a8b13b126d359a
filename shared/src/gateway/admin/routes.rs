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
//! schemas of the OpenAPI document; `""` is none. A query parameter that is not listed is refused by name. A route that
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
                match route.action { $(Action::$action => self.$action(ask).await,)* }
            }
        }
    };
}

routes! {
    POST   "keys"             [Admin]         create_key      "Creates a virtual key; it is shown this once." () "NewKey" => 201 "NewlyMadeKey";
    GET    "keys"             [Admin]         list_keys       "Lists virtual keys, without the keys themselves." () "" => 200 "KeyList";
    GET    "keys/{id}"        [Admin]         show_key        "Shows a virtual key." () "" => 200 "Key";
    DELETE "keys/{id}"        [Admin]         delete_key      "Revokes a virtual key." () "" => 200 "Key";
    POST   "keys/{id}/revoke" [Admin]         revoke_key      "Revokes a virtual key." () "" => 200 "Key";
    GET    "budgets"          [Admin Billing] list_budgets    "Lists budgets with what is spent, held and unconfirmed of each." () "" => 200 "BudgetList";
    DELETE "cache"            [Admin]         purge_cache     "Removes a team's kept answers, or those of one tag." (team tag) "" => 200 "CachePurged";
    GET    "config"           [Admin Auditor] show_config     "Shows the stored configuration document." () "" => 200 "Configuration";
    PUT    "config"           [Admin]         put_config      "Stores a configuration document, which takes the binding's place." () "Document" => 200 "Configuration";
    DELETE "config"           [Admin]         remove_config   "Removes the stored document: the binding's is in force again." () "" => 200 "Configuration";
    POST   "config/validate"  [Admin Auditor] validate_config "Says every problem of a document, without storing it." () "Document" => 200 "Validation";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_rows_answer_the_same_request_and_every_row_can_be_reached() {
        let mut seen = BTreeSet::new();
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
