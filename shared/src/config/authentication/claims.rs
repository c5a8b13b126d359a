//! Where in a token's claims it stands who somebody is: paths such as `sub`, `groups[0]`, `realm_access.roles`.

use super::super::shape::{Fields, Parsed};
use serde_json::{Map, Value};

/// A place in the claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Index(usize),
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A text, or several.
    Texts(Vec<String>),
    /// Something that is no text.
    Other,
}

impl ClaimPath {
    /// Reads a path: names with dots between them, `[0]` for an entry of a list, `["…"]` for a name with dots in it.
    pub fn parse(text: &str) -> Option<ClaimPath> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() && steps.len() < 8 {
            if let Some(quoted) = rest.strip_prefix("[\"") {
                let (name, after) = quoted.split_once("\"]")?;
                steps.push(Step::Member(name.to_owned()));
                rest = after;
            } else if let Some(index) = rest.strip_prefix('[') {
                let (index, after) = index.split_once(']')?;
                steps.push(Step::Index(index.parse().ok()?));
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, after) = rest.split_at_checked(end)?;
                steps.push(Step::Member(Some(name).filter(|name| !name.is_empty())?.to_owned()));
                rest = after;
            }
            if let Some(after) = rest.strip_prefix('.') {
                rest = Some(after).filter(|after| !after.is_empty() && !after.starts_with('['))?;
            }
        }
        let begins = matches!(steps.first(), Some(Step::Member(_)));
        (begins && rest.is_empty() && text.len() <= 256).then_some(ClaimPath(steps))
    }

    /// What stands there.
    pub fn find(&self, claims: &Map<String, Value>) -> Found {
        let mut steps = self.0.iter();
        let Some(Step::Member(first)) = steps.next() else { return Found::Nothing };
        let value = steps.try_fold(claims.get(first), |value, step| match (step, value?) {
            (Step::Member(name), Value::Object(members)) => Some(members.get(name)),
            (Step::Index(index), Value::Array(values)) => Some(values.get(*index)),
            (Step::Member(_) | Step::Index(_), _) => None,
        });
        match value.flatten() {
            None | Some(Value::Null) => Found::Nothing,
            Some(Value::String(text)) => Found::Texts(vec![text.clone()]),
            Some(Value::Array(values)) => {
                let texts: Option<Vec<String>> = values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
                texts.map_or(Found::Other, Found::Texts)
            }
            Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Found::Other,
        }
    }
}

/// Who somebody is, by what the claims say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The organisation; else the team's.
    pub organisation: Option<ClaimPath>,
    /// The team; else the default team.
    pub team: Option<ClaimPath>,
    /// The user.
    pub user: ClaimPath,
    /// Roles on the admin plane; else none.
    pub roles: Option<ClaimPath>,
}

impl Default for Claims {
    fn default() -> Claims {
        let user = ClaimPath(vec![Step::Member("sub".to_owned())]);
        Claims { organisation: None, team: None, user, roles: None }
    }
}

const PATH: Parsed<ClaimPath> = Parsed {
    parse: |text| ClaimPath::parse(text).ok_or("is not a path into claims"),
    pattern: "^.{1,256}$",
    hint: "Write names with dots between, [0] for an entry of a list: \"groups[0]\", \"realm_access.roles\"",
};

pub(super) fn claims(fields: &mut Fields<'_, '_>) -> Option<Claims> {
    let organisation = fields.optional("organisation", "where the organisation stands", PATH);
    let team = fields.optional("team", "where the team stands; without it everybody is in the default team", PATH);
    let user = fields.optional("user", "where the user stands; else sub", PATH);
    let roles = fields.optional("roles", "where roles stand: admin, billing, auditor, member", PATH);
    Some(Claims { organisation, team, user: user.unwrap_or(Claims::default().user), roles })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_leads_to_a_text_or_to_several() {
        let claims = json!({ "sub": "ada", "groups": ["a", "b"], "realm": { "roles": ["admin"] }, "https://x.example/r": "q", "n": 1, "mixed": ["a", 1] });
        let claims = claims.as_object().unwrap();
        let texts = |texts: &[&str]| Found::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
        for (path, found) in [
            ("sub", texts(&["ada"])),
            ("groups[1]", texts(&["b"])),
            ("groups", texts(&["a", "b"])),
            ("realm.roles", texts(&["admin"])),
            ("realm.roles[0]", texts(&["admin"])),
            ("[\"https://x.example/r\"]", texts(&["q"])),
            ("realm[\"roles\"]", texts(&["admin"])),
            ("groups[9]", Found::Nothing),
            ("sub.x", Found::Nothing),
            ("none", Found::Nothing),
            ("n", Found::Other),
            ("mixed", Found::Other),
            ("realm", Found::Other),
        ] {
            assert_eq!(ClaimPath::parse(path).unwrap().find(claims), found, "{path}");
        }
    }

    #[test]
    fn a_path_that_leads_nowhere_is_refused() {
        for path in ["", ".", "a.", ".a", "a..b", "[0]", "a[", "a[]", "a[x]", "a[-1]", "a[\"b]", "a.[0]"] {
            assert_eq!(ClaimPath::parse(path), None, "{path}");
        }
    }
}
