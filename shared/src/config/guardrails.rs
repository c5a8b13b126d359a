//! The section `guardrails`: what is looked for in the words of requests and answers, and what happens then.
//!
//! What is compiled (terms, patterns, schemas) is compiled here: a list that is too large or a pattern that
//! could not be linear is a problem of the document, never one of a request.

use super::names::{GuardrailName, NAME_PATTERN, NAME_RULE};
use super::problem::At;
use super::shape::{Dict, Fields, Kind, List, OneOf, Parsed, Record, Whole, wrong_type};
use crate::guard::injection;
use crate::guard::pattern::Pattern;
use crate::guard::pii::{self, Wanted};
use crate::guard::schema::Schema;
use crate::guard::terms::{LONGEST_TERM, Terms};
use crate::sorted::SortedMap;
use serde_json::Value;
#[cfg(test)]
use serde_json::json;

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
        }
    }

    /// Whether findings have a place that can be replaced.
    pub fn has_places(&self) -> bool {
        match self {
            Check::Pii(_) | Check::Secrets | Check::Invisible | Check::Terms(_) | Check::Patterns(_) => true,
            Check::Injection(_) | Check::Length(_) | Check::Repetition(_) | Check::Schema(_) => false,
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
        fields.optional("input", "what is looked for in requests, in order", List { of: Record(input), min: 0 });
    let output =
        fields.optional("output", "what is looked for in answers, in order", List { of: Record(output), min: 0 });
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

/// The kinds, before what belongs to each is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Pii,
    Secrets,
    Invisible,
    Terms,
    Patterns,
    Injection,
    Length,
    Repetition,
    Schema,
}

const KIND: OneOf<Word> = OneOf {
    words: &[
        ("pii", Word::Pii),
        ("secrets", Word::Secrets),
        ("invisible", Word::Invisible),
        ("terms", Word::Terms),
        ("patterns", Word::Patterns),
        ("injection", Word::Injection),
        ("length", Word::Length),
        ("repetition", Word::Repetition),
        ("json_schema", Word::Schema),
    ],
    later: &["webhook", "moderation"],
};

const INPUT_ACTION: OneOf<Action> = OneOf {
    words: &[
        ("deny", Action::Deny),
        ("mask", Action::Mask),
        ("restore", Action::Restore),
        ("flag", Action::Flag),
        ("route", Action::Route),
    ],
    later: &[],
};

const OUTPUT_ACTION: OneOf<Action> =
    OneOf { words: &[("deny", Action::Deny), ("mask", Action::Mask), ("flag", Action::Flag)], later: &[] };

fn input(fields: &mut Fields<'_, '_>) -> Option<Rail> {
    rail(fields, INPUT_ACTION, None)
}

fn output(fields: &mut Fields<'_, '_>) -> Option<Rail> {
    let schema = fields.optional("schema", "for json_schema: the schema", SchemaKind);
    rail(fields, OUTPUT_ACTION, Some(schema))
}

const CLASS: Parsed<String> = Parsed {
    parse: |text| match pii::classes().contains(&text) {
        true => Ok(text.to_owned()),
        false => Err("is not a class of personal data that is known here"),
    },
    pattern: "^[a-z0-9_]{1,32}$",
    hint: "Use a class such as email, phone, card, iban, us_ssn, ip_address; the README lists them all",
};

const TERM: Parsed<String> = Parsed {
    parse: |text| match (1..=LONGEST_TERM).contains(&text.trim().len()) {
        true => Ok(text.to_owned()),
        false => Err("is not a term"),
    },
    pattern: ".",
    hint: "Write a word or a phrase of at most 256 bytes",
};

const PATTERN: Parsed<Pattern> = Parsed {
    parse: |text| Pattern::new("pattern", text),
    pattern: "^.{1,512}$",
    hint: "Write a regular expression without look-around and back references",
};

/// A rail. `schema`: the schema of an answer; requests have none.
fn rail(fields: &mut Fields<'_, '_>, actions: OneOf<Action>, schema: Option<Option<Schema>>) -> Option<Rail> {
    let kind = fields.required("kind", "what is looked for", KIND);
    let action = fields.optional("action", "what happens to a finding; else deny", actions);
    let modes = OneOf { words: &[("enforce", Mode::Enforce), ("monitor", Mode::Monitor)], later: &[] };
    let mode =
        fields.optional("mode", "monitor only writes findings down; else enforce, and monitor for injection", modes);
    let classes =
        fields.optional("classes", "for pii: the classes that are looked for; else all", List { of: CLASS, min: 1 });
    let terms = fields.optional("terms", "for terms: words and phrases, in any case", List { of: TERM, min: 1 });
    let patterns = fields.optional("patterns", "for patterns: regular expressions", List { of: PATTERN, min: 1 });
    let threshold =
        fields.optional("threshold", "for injection: points that are enough; else 10", Whole { min: 1, max: 100 });
    let most = fields.optional("max_chars", "for length: the most characters", Whole { min: 1, max: 100_000_000 });
    let times = fields.optional("times", "for repetition: how often in a row; else 16", Whole { min: 4, max: 10_000 });
    let kind = kind?;
    if kind == Word::Schema && schema.is_none() {
        fields.problem("kind", "only holds for answers", "Move it to output");
        return None;
    }
    let schema = schema.flatten();
    let given = [
        ("classes", Word::Pii, classes.is_some()),
        ("terms", Word::Terms, terms.is_some()),
        ("patterns", Word::Patterns, patterns.is_some()),
        ("threshold", Word::Injection, threshold.is_some()),
        ("max_chars", Word::Length, most.is_some()),
        ("times", Word::Repetition, times.is_some()),
        ("schema", Word::Schema, schema.is_some()),
    ];
    for (name, of, is_given) in given {
        if is_given && of != kind {
            fields.problem(name, "does not belong to this kind", "Remove it");
        }
        let needed = matches!(of, Word::Terms | Word::Patterns | Word::Length | Word::Schema);
        if needed && of == kind && !is_given {
            fields.missing(name, "this kind needs it");
        }
    }
    let check = match kind {
        Word::Pii => Check::Pii(classes.map_or(Wanted::All, Wanted::Only)),
        Word::Secrets => Check::Secrets,
        Word::Invisible => Check::Invisible,
        Word::Terms => match Terms::new("term", &terms?) {
            Some(terms) => Check::Terms(terms),
            None => {
                fields.problem("terms", "are more than 64 KiB together", "Split them, or use fewer");
                return None;
            }
        },
        Word::Patterns => Check::Patterns(patterns?),
        Word::Injection => Check::Injection(threshold.map_or(injection::ENOUGH, |points| points as u32)),
        Word::Length => Check::Length(most? as usize),
        Word::Repetition => Check::Repetition(times.unwrap_or(16) as usize),
        Word::Schema => Check::Schema(schema?),
    };
    let action = action.unwrap_or(Action::Deny);
    if matches!(action, Action::Mask | Action::Restore) && !check.has_places() {
        fields.problem("action", "needs a place that can be replaced", "Use deny or flag");
    }
    let mode = mode.unwrap_or(if kind == Word::Injection { Mode::Monitor } else { Mode::Enforce });
    Some(Rail { check, action, mode })
}

/// A JSON Schema.
struct SchemaKind;

impl Kind for SchemaKind {
    type Out = Schema;

    #[cfg(test)]
    fn schema(&self) -> Value {
        json!({ "type": "object" })
    }

    fn read(&self, value: &Value, at: &mut At<'_>) -> Option<Schema> {
        if !value.is_object() {
            wrong_type(at, value, "a table", "Write the JSON Schema as a table");
            return None;
        }
        let schema = Schema::new(value.clone());
        schema.map_err(|wrong| at.problem(wrong, "Correct the schema, or leave the keyword out")).ok()
    }
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
