//! One entry of a guardrail: a kind, what belongs to it, and what happens to a finding.

use super::outside;
use super::{Action, Check, Mode, Outside, Rail};
use crate::config::problem::At;
use crate::config::shape::{Fields, Kind, List, OneOf, Parsed, Whole, wrong_type};
use crate::guard::injection;
use crate::guard::pattern::Pattern;
use crate::guard::pii::{self, Wanted};
use crate::guard::schema::Schema;
use crate::guard::terms::{LONGEST_TERM, Terms};
#[cfg(test)]
use crate::json::json;
use crate::units::Tokens;
use serde_json::Value;

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
    Webhook,
    Moderation,
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
        ("webhook", Word::Webhook),
        ("moderation", Word::Moderation),
    ],
    later: &[],
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

pub(super) fn input(fields: &mut Fields<'_, '_>) -> Option<Rail> {
    rail(fields, INPUT_ACTION, None)
}

pub(super) fn output(fields: &mut Fields<'_, '_>) -> Option<Rail> {
    let schema = fields.optional("schema", "for json_schema: the schema", SchemaKind);
    let every = outside::every(fields);
    rail(fields, OUTPUT_ACTION, Some((schema, every)))
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

/// What only a rail of answers says: their schema, and how much of one that streams is judged at a time.
type OfAnswers = (Option<Schema>, Option<Tokens>);

fn rail(fields: &mut Fields<'_, '_>, actions: OneOf<Action>, of_answers: Option<OfAnswers>) -> Option<Rail> {
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
    let mut asked = outside::asked(fields);
    let kind = kind?;
    if kind == Word::Schema && of_answers.is_none() {
        fields.problem("kind", "only holds for answers", "Move it to output");
        return None;
    }
    let (schema, every) = of_answers.unwrap_or_default();
    asked.every = every;
    let given = [
        ("classes", Word::Pii, classes.is_some()),
        ("terms", Word::Terms, terms.is_some()),
        ("patterns", Word::Patterns, patterns.is_some()),
        ("threshold", Word::Injection, threshold.is_some()),
        ("max_chars", Word::Length, most.is_some()),
        ("times", Word::Repetition, times.is_some()),
        ("schema", Word::Schema, schema.is_some()),
        ("url", Word::Webhook, asked.url.is_some()),
        ("secret", Word::Webhook, asked.secret.is_some()),
        ("model", Word::Moderation, asked.model.is_some()),
        ("by", Word::Moderation, asked.by.is_some()),
        ("policy", Word::Moderation, asked.policy.is_some()),
        ("categories", Word::Moderation, asked.categories.is_some()),
    ];
    for (name, of, is_given) in given {
        if is_given && of != kind {
            fields.problem(name, "does not belong to this kind", "Remove it");
        }
        let needed =
            matches!(of, Word::Terms | Word::Patterns | Word::Length | Word::Schema) || matches!(name, "url" | "model");
        if needed && of == kind && !is_given {
            fields.missing(name, "this kind needs it");
        }
    }
    for (name, is_given) in [("timeout_ms", asked.timeout.is_some()), ("every", asked.every.is_some())] {
        if is_given && !matches!(kind, Word::Webhook | Word::Moderation) {
            fields.problem(name, "does not belong to this kind", "Remove it");
        }
    }
    if asked.every.is_some() && mode == Some(Mode::Monitor) {
        fields.problem("every", "is for who is waited for", "Remove it: this one is asked when all is over");
    }
    if kind == Word::Webhook && action.is_some() {
        fields.problem("action", "is what the webhook says", "Remove it; mode = \"monitor\" only writes it down");
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
        Word::Webhook => Check::Outside(Outside::Webhook(asked.webhook()?)),
        Word::Moderation => Check::Outside(Outside::Moderation(asked.moderation(fields)?)),
    };
    let action = action.unwrap_or(Action::Deny);
    if matches!(action, Action::Mask | Action::Restore) && !check.has_places() && kind != Word::Webhook {
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
