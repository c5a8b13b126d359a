//! The sections `templates` and `transforms`: what is added to requests, and what they are held to.

use super::names::{NAME_PATTERN, NAME_RULE, TransformName};
use super::problem::At;
use super::providers::{HEADER_PATTERN, HEADER_RULE, header_name, is_credential};
use super::rules::WHEN;
use super::shape::{Dict, Fields, List, Parsed, Real, Record, Whole};
use crate::cel::Condition;
use crate::dialect::adjust::{Bounds, Parameter};
use crate::sorted::SortedMap;
use crate::transform::template::{self, Draft, Library, Template, Versions};

/// The name of the transformation that holds for everybody.
pub const DEFAULT_TRANSFORM: &str = "default";

/// What is added to a request, and what it is held to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transform {
    /// For which requests, of those it would hold for; for all of them without.
    pub when: Option<Condition>,
    /// A text before the caller's instructions.
    pub prepend: Option<Template>,
    /// A text after them.
    pub append: Option<Template>,
    /// Defaults and bounds of parameters.
    pub parameters: Vec<(Parameter, Bounds)>,
    /// Headers for whoever is called.
    pub headers: SortedMap<String, Template>,
    /// Labels for whoever is called.
    pub metadata: SortedMap<String, Template>,
}

/// The name of a transformation, where one is referred to.
pub(super) const REFERENCE: Parsed<TransformName> = Parsed {
    parse: |text| TransformName::parse(text).ok_or("is not the name of a transformation"),
    pattern: NAME_PATTERN,
    hint: "Write the name of a table in transforms",
};

const TEXT: Parsed<Draft> =
    Parsed { parse: Draft::parse, pattern: "", hint: "Write a text; {{team}} is a variable, {{> name}} a template" };

const NAME: fn(&str) -> Option<String> = |text| TransformName::parse(text).map(|name| name.to_string());

pub(super) fn templates() -> Dict<String, Record<Versions>> {
    Dict { name: NAME, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(versions) }
}

fn versions(fields: &mut Fields<'_, '_>) -> Option<Versions> {
    let about = "its texts, the first version first; add to the list, and change nothing in it";
    let drafts = fields.required("versions", about, List { of: TEXT, min: 1 });
    let range = Whole { min: 1, max: 1_000_000 };
    let current = fields.optional("current", "the version that counts where nobody says which; else the last", range);
    let drafts = drafts?;
    let current = current.map_or(drafts.len(), |version| version as usize);
    if current > drafts.len() {
        fields.problem("current", "is no version of it", "Use a number of one of its versions, from 1 on");
    }
    Some(Versions { drafts, current })
}

/// A transformation before its templates are put together.
#[derive(Default)]
pub(super) struct Drafted {
    when: Option<Condition>,
    prepend: Option<Draft>,
    append: Option<Draft>,
    variables: SortedMap<String, String>,
    parameters: Vec<(Parameter, Bounds)>,
    headers: SortedMap<String, Draft>,
    metadata: SortedMap<String, Draft>,
}

pub(super) fn transforms() -> Dict<TransformName, Record<Drafted>> {
    Dict { name: TransformName::parse, pattern: NAME_PATTERN, rule: NAME_RULE, of: Record(drafted) }
}

const VARIABLE_PATTERN: &str = "^[A-Za-z0-9_-]{1,64}$";
const VARIABLE_RULE: &str = "Use 1 to 64 letters, digits, _ and -";

fn variable(text: &str) -> Option<String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    ((1..=64).contains(&text.len()) && text.bytes().all(good)).then(|| text.to_owned())
}

const VALUE: Parsed<String> = Parsed { parse: |text| Ok(text.to_owned()), pattern: "", hint: "Write a text" };

fn drafted(fields: &mut Fields<'_, '_>) -> Option<Drafted> {
    let when = fields.optional("when", "for which requests, in CEL; for all without", WHEN);
    if when.as_ref().is_some_and(|when| when.source().contains("data_classes")) {
        // What is set here decides what is reserved, and so comes before anything is looked for.
        fields.problem("when", "is about what guardrails find later", "Use anything of the request but data_classes");
    }
    let prepend = fields.optional("prepend", "a text before the caller's instructions", TEXT);
    let append = fields.optional("append", "a text after the caller's instructions", TEXT);
    let names = || Dict { name: variable, pattern: VARIABLE_PATTERN, rule: VARIABLE_RULE, of: TEXT };
    let own = Dict { name: variable, pattern: VARIABLE_PATTERN, rule: VARIABLE_RULE, of: VALUE };
    let variables = fields.optional("variables", "values of variables of your own", own);
    let about = "defaults, where a caller does not say, and bounds, which hold whatever a caller says";
    let parameters = fields.optional("parameters", about, Record(parameters));
    let headers = Dict { name: header_name, pattern: HEADER_PATTERN, rule: HEADER_RULE, of: TEXT };
    let headers = fields.optional("headers", "sent with the call, whoever is called", headers).unwrap_or_default();
    let metadata = fields.optional("metadata", "labels for whoever is called, where its API has them", names());
    for name in headers.keys().filter(|name| is_credential(name)) {
        let (mut at, hint) = (fields.place(), "Put it into headers of the provider");
        at.key("headers").key(name).problem("holds a secret", hint);
    }
    Some(Drafted {
        when,
        prepend,
        append,
        variables: variables.unwrap_or_default(),
        parameters: parameters.unwrap_or_default(),
        headers,
        metadata: metadata.unwrap_or_default(),
    })
}

fn parameters(fields: &mut Fields<'_, '_>) -> Option<Vec<(Parameter, Bounds)>> {
    let known: [(&'static str, &str, Parameter, Record<Bounds>); 7] = [
        ("temperature", "randomness", Parameter::Temperature, Record(temperature)),
        ("top_p", "nucleus sampling", Parameter::TopP, Record(share)),
        ("top_k", "only the k likeliest tokens", Parameter::TopK, Record(count)),
        ("max_tokens", "the longest answer, whatever a dialect calls it", Parameter::MaxTokens, Record(count)),
        ("frequency_penalty", "against what was said often", Parameter::FrequencyPenalty, Record(penalty)),
        ("presence_penalty", "against what was said at all", Parameter::PresencePenalty, Record(penalty)),
        ("n", "how many answers", Parameter::N, Record(count)),
    ];
    let bound = known.map(|(name, about, parameter, kind)| Some((parameter, fields.optional(name, about, kind)?)));
    Some(bound.into_iter().flatten().collect())
}

fn temperature(fields: &mut Fields<'_, '_>) -> Option<Bounds> {
    bounds(fields, 0.0, 2.0, "Use a number from 0 to 2", false)
}

fn share(fields: &mut Fields<'_, '_>) -> Option<Bounds> {
    bounds(fields, 0.0, 1.0, "Use a number from 0 to 1", false)
}

fn penalty(fields: &mut Fields<'_, '_>) -> Option<Bounds> {
    bounds(fields, -2.0, 2.0, "Use a number from -2 to 2", false)
}

fn count(fields: &mut Fields<'_, '_>) -> Option<Bounds> {
    bounds(fields, 1.0, 1e9, "Use a whole number from 1 on", true)
}

fn bounds(fields: &mut Fields<'_, '_>, min: f64, max: f64, hint: &'static str, whole: bool) -> Option<Bounds> {
    let range = || Real { min, max, hint };
    let bounds = Bounds {
        default: fields.optional("default", "where a caller does not say", range()),
        min: fields.optional("min", "the least it may be", range()),
        max: fields.optional("max", "the most it may be", range()),
    };
    for (name, value) in [("default", bounds.default), ("min", bounds.min), ("max", bounds.max)] {
        if whole && value.is_some_and(|value| value.fract() != 0.0) {
            fields.problem(name, "is not a whole number", hint);
        }
    }
    if let (Some(min), Some(max)) = (bounds.min, bounds.max)
        && min > max
    {
        fields.problem("min", "is more than max", "Make max at least min");
    }
    Some(bounds)
}

/// Puts the templates of transformations together; what is wrong with any is told at its place.
#[inline(never)]
pub(super) fn assemble(
    library: &Library,
    drafted: SortedMap<TransformName, Drafted>,
    root: &mut At<'_>,
) -> SortedMap<TransformName, Transform> {
    for (name, versions) in library {
        for (index, draft) in versions.drafts.iter().enumerate() {
            let mut at = root.key("templates");
            put(library, None, draft, &mut at.key(name).key("versions").index(index));
        }
    }
    let all = drafted.into_iter().map(|(name, drafted)| {
        let mut at = root.key("transforms");
        let mut at = at.key(name.as_str());
        let own = Some(&drafted.variables);
        let mut one = |draft: Option<&Draft>, member: &str| put(library, own, draft?, &mut at.key(member));
        let (prepend, append) = (one(drafted.prepend.as_ref(), "prepend"), one(drafted.append.as_ref(), "append"));
        let mut many = |drafts: &SortedMap<String, Draft>, member: &str| {
            let put = |(name, draft): (&String, &Draft)| {
                Some((name.clone(), put(library, own, draft, &mut at.key(member).key(name))?))
            };
            drafts.iter().filter_map(put).collect::<SortedMap<String, Template>>()
        };
        let (headers, metadata) = (many(&drafted.headers, "headers"), many(&drafted.metadata, "metadata"));
        (name, Transform { when: drafted.when, prepend, append, parameters: drafted.parameters, headers, metadata })
    });
    all.collect()
}

fn put(library: &Library, own: Option<&SortedMap<String, String>>, draft: &Draft, at: &mut At<'_>) -> Option<Template> {
    template::assemble(library, own, draft).map_err(|(message, hint)| at.problem(&message, &hint)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_problems;

    #[test]
    fn templates_that_lead_nowhere_or_back_are_refused_with_their_place() {
        assert_problems(
            "[templates.a]\nversions = [\"x\", \"{{> b}}\"]\n[templates.b]\nversions = [\"{{> a}}\"]",
            &[("templates.a.versions[1]", "Remove one"), ("templates.b.versions[0]", "Remove one")],
        );
        assert_problems("[templates.a]\nversions = [\"x\"]\ncurrent = 2", &[("templates.a.current", "from 1 on")]);
        assert_problems("[templates.a]\nversions = [\"{{#each x}}\"]", &[("templates.a.versions[0]", "{{team}}")]);
        assert_problems("[templates.a]\nversions = [\"{{mine}}\"]", &[]);
        assert_problems(
            "[templates.a]\nversions = [\"{{mine}}\"]\n[transforms.x]\nprepend = \"{{> a}}\"\nheaders = { x-a = \"{{> c}}\" }",
            &[("transforms.x.prepend", "Add it to variables"), ("transforms.x.headers.x-a", "templates.c")],
        );
    }

    #[test]
    fn bounds_that_leave_nothing_and_headers_that_are_not_to_be_set_are_refused() {
        assert_problems(
            "[transforms.x]\nparameters = { temperature = { min = 1.5, max = 1 }, max_tokens = { max = 0.5, default = 1.5 }, colour = {} }",
            &[
                ("transforms.x.parameters.temperature.min", "at least min"),
                ("transforms.x.parameters.max_tokens.max", "whole number"),
                ("transforms.x.parameters.max_tokens.default", "whole number"),
                ("transforms.x.parameters.colour", "Known here"),
            ],
        );
        assert_problems(
            "[transforms.x]\nheaders = { host = \"a\", x-api-key = \"b\" }",
            &[("transforms.x.headers.host", "lower case"), ("transforms.x.headers.x-api-key", "the provider")],
        );
        assert_problems(
            "[transforms.x]\nwhen = \"tags.stage == \"\n[transforms.y]\nwhen = \"'email' in data_classes\"\n[transforms.z]\nwhen = \"user\"",
            &[
                ("transforms.x.when", ""),
                ("transforms.y.when", "anything of the request but data_classes"),
                ("transforms.z.when", ""),
            ],
        );
        assert_problems("[teams.a]\ntransform = \"x\"", &[("teams.a.transform", "transforms.x")]);
        assert_problems(
            "[[rules]]\nwhen = \"true\"\ntransform = \"x\"\nguardrails = \"y\"",
            &[("rules[0].guardrails", "guardrails.y"), ("rules[0].transform", "transforms.x")],
        );
    }
}
