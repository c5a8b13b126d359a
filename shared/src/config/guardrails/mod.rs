//! The section `guardrails`: what is looked for in the words of requests and answers, and what happens then.
//!
//! What is compiled (terms, patterns, schemas) is compiled here: a list that is too large or a pattern that
//! could not be linear is a problem of the document, never one of a request.

mod outside;
mod rail;

pub use outside::{By, Moderation, Outside, Webhook};

use super::names::{GuardrailName, NAME_PATTERN, NAME_RULE};
use super::shape::{Dict, Fields, List, OneOf, Parsed, Record};
use crate::guard::pattern::Pattern;
use crate::guard::pii::Wanted;
use crate::guard::schema::Schema;
use crate::guard::terms::Terms;
use crate::sorted::SortedMap;

/// Guardrails by name. The one called `default` holds for everybody.
pub type Guardrails = SortedMap<GuardrailName, Guardrail>;

/// The name of the guardrail that holds for everybody.
pub const DEFAULT_GUARDRAIL: &str = "default";

/// What is looked for, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guardrail {
    /// In what callers send.
    pub input: Vec<Rail>,
    /// In what models answer.
    pub output: Vec<Rail>,
    /// What happens where it cannot be held to: what is sent cannot be read, or whom it asks does not answer.
    pub fail: Fail,
}

/// What happens where a guardrail cannot be held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fail {
    /// The request is refused.
    #[default]
    Closed,
    /// The request goes on, and it is written down.
    Open,
}

/// One thing to look for.
#[derive(Clone, Debug, PartialEq)]
pub struct Rail {
    /// What.
    pub check: Check,
    /// What happens to a finding.
    pub action: Action,
    /// Whether it happens, or is only written down.
    pub mode: Mode,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// Personal data.
    Pii(Wanted),
    /// Credentials.
    Secrets,
    /// Characters nobody sees.
    Invisible,
    /// Words of a list.
    Terms(Terms),
    /// Patterns.
    Patterns(Vec<Pattern>),
    /// Words that speak to the model about its instructions, from so many points on.
    Injection(u32),
    /// More than so many characters.
    Length(usize),
    /// The same, so many times in a row.
    Repetition(usize),
    /// An answer that does not follow a JSON Schema.
    Schema(Schema),
    /// What somebody else says of it.
    Outside(Outside),
}

impl Check {
    /// Its name in configuration and audit.
    pub fn as_str(&self) -> &'static str {
        match self {
            Check::Pii(_) => "pii",
            Check::Secrets => "secrets",
            Check::Invisible => "invisible",
            Check::Terms(_) => "terms",
            Check::Patterns(_) => "patterns",
            Check::Injection(_) => "injection",
            Check::Length(_) => "length",
            Check::Repetition(_) => "repetition",
            Check::Schema(_) => "json_schema",
            Check::Outside(Outside::Webhook(_)) => "webhook",
            Check::Outside(Outside::Moderation(_)) => "moderation",
        }
    }

    /// Whether findings have a place that can be replaced.
    pub fn has_places(&self) -> bool {
        match self {
            Check::Pii(_) | Check::Secrets | Check::Invisible | Check::Terms(_) | Check::Patterns(_) => true,
            Check::Injection(_) | Check::Length(_) | Check::Repetition(_) | Check::Schema(_) | Check::Outside(_) => {
                false
            }
        }
    }
}

impl Rail {
    /// Who is asked, where it is somebody else.
    pub fn outside(&self) -> Option<&Outside> {
        match &self.check {
            Check::Outside(outside) => Some(outside),
            Check::Pii(_)
            | Check::Secrets
            | Check::Invisible
            | Check::Terms(_)
            | Check::Patterns(_)
            | Check::Injection(_)
            | Check::Length(_)
            | Check::Repetition(_)
            | Check::Schema(_) => None,
        }
    }
}

/// What happens to a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The request is refused, the answer ends.
    Deny,
    /// A placeholder takes its place.
    Mask,
    /// A placeholder takes its place, and where the answer has the placeholder the caller gets the original.
    Restore,
    /// It is written down.
    Flag,
    /// It is written down, and the router knows the class of data.
    Route,
}

impl Action {
    /// Its name in configuration and audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Deny => "deny",
            Action::Mask => "mask",
            Action::Restore => "restore",
            Action::Flag => "flag",
            Action::Route => "route",
        }
    }
}

/// Whether an action happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    Enforce,
    /// It is written down that it would.
    Monitor,
}

pub(super) fn section() -> Dict<GuardrailName, Record<Guardrail>> {
    Dict { name: GuardrailName::parse, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(guardrail) }
}

/// The name of a guardrail, where one is referred to.
pub(super) const REFERENCE: Parsed<GuardrailName> = Parsed {
    parse: |text| GuardrailName::parse(text).ok_or("is not the name of a guardrail"),
    pattern: NAME_PATTERN,
    hint: "Write the name of a table in guardrails",
};

fn guardrail(fields: &mut Fields<'_, '_>) -> Option<Guardrail> {
    let input =
        fields.optional("input", "what is looked for in requests, in order", List { of: Record(rail::input), min: 0 });
    let output =
        fields.optional("output", "what is looked for in answers, in order", List { of: Record(rail::output), min: 0 });
    let fails = OneOf { words: &[("closed", Fail::Closed), ("open", Fail::Open)], later: &[] };
    let fail = fields.optional(
        "fail",
        "whether what cannot be looked at is refused (closed) or goes on (open); else closed",
        fails,
    );
    Some(Guardrail {
        input: input.unwrap_or_default(),
        output: output.unwrap_or_default(),
        fail: fail.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn problems(document: &str) -> Vec<String> {
        let told = |problem: &super::super::Problem| format!("{}: {}", problem.path, problem.message);
        Config::parse(document).err().map(|invalid| invalid.problems.iter().map(told).collect()).unwrap_or_default()
    }

    #[test]
    fn the_contracts_own_example_is_understood() {
        let config = Config::parse(
            r#"
            [guardrails.default]
            input  = [{ kind = "pii", action = "mask" }, { kind = "secrets", action = "deny" }]
            output = [{ kind = "pii", action = "mask" }]
            "#,
        );
        let rails = config.map(|config| config.guardrails.get(DEFAULT_GUARDRAIL).cloned().unwrap_or_default());
        let mask = Rail { check: Check::Pii(Wanted::All), action: Action::Mask, mode: Mode::Enforce };
        let deny = Rail { check: Check::Secrets, action: Action::Deny, mode: Mode::Enforce };
        assert_eq!(rails, Ok(Guardrail { input: vec![mask.clone(), deny], output: vec![mask], fail: Fail::Closed }));
    }

    #[test]
    fn what_cannot_be_enforced_is_refused() {
        for (rail, problem) in [
            (
                r#"{ kind = "pii", classes = ["emial"] }"#,
                "classes[0]: is not a class of personal data that is known here",
            ),
            (
                r#"{ kind = "patterns", patterns = ["(?=x)"] }"#,
                "patterns[0]: has a group that is not known here: look-around is not linear",
            ),
            (
                r#"{ kind = "patterns", patterns = ["((a{200}){200}){200}"] }"#,
                "patterns[0]: is too large: repeat less in it",
            ),
            (r#"{ kind = "terms" }"#, "terms: is missing"),
            (r#"{ kind = "length", max_chars = 5, action = "mask" }"#, "action: needs a place that can be replaced"),
            (r#"{ kind = "secrets", terms = ["x"] }"#, "terms: does not belong to this kind"),
            (r#"{ kind = "json_schema" }"#, "kind: only holds for answers"),
        ] {
            let found = problems(&format!("[guardrails.default]\ninput = [{rail}]"));
            assert_eq!(found, [format!("guardrails.default.input[0].{problem}")], "{rail}");
        }
    }

    #[test]
    fn a_huge_list_of_terms_is_refused_before_it_is_built() {
        let terms: Vec<String> = (0..9_000).map(|number| format!("\"term number {number}\"")).collect();
        let found =
            problems(&format!("[guardrails.x]\ninput = [{{ kind = \"terms\", terms = [{}] }}]", terms.join(",")));
        assert_eq!(found, ["guardrails.x.input[0].terms: are more than 64 KiB together"]);
    }

    #[test]
    fn a_guardrail_that_is_referred_to_must_be_there() {
        let found = problems("[teams.a]\nguardrails = \"strict\"");
        assert_eq!(found, ["teams.a.guardrails: there is no such guardrail"]);
    }
}
