//! Texts with holes: `You work for {{team}}. {{> tone}}`.
//!
//! Without logic: a hole is a variable or another template, and that is all. What a document says is read and put
//! together once, when it is read: a template that is not there, that contains itself or grows beyond bounds is a
//! problem of the document, and a request only fills in what nobody can know before. What is filled in is never
//! read again, so a value cannot bring holes of its own.

use crate::sorted::SortedMap;

/// The most of a template, put together, in bytes.
const LONGEST: usize = 64 * 1024;
/// The most pieces of a template, put together.
const MOST_PIECES: usize = 1_024;
/// The deepest template within templates.
const DEEPEST: usize = 16;

/// What a request fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The caller's team.
    Team,
    /// Whom the call is for.
    User,
    /// The team's organisation.
    Organisation,
    /// What belongs together.
    Session,
    /// The model, class or route that was asked for.
    Model,
    /// The day, UTC: `2026-11-30`.
    Date,
    /// What the caller attributes the call to.
    Tag(String),
}

impl Variable {
    /// The variables that are always there, by name; tags are `tags.NAME`.
    pub const NAMES: [(&'static str, Variable); 6] = [
        ("team", Variable::Team),
        ("user", Variable::User),
        ("organisation", Variable::Organisation),
        ("session", Variable::Session),
        ("model", Variable::Model),
        ("date", Variable::Date),
    ];

    /// The variable of this name.
    pub fn named(name: &str) -> Option<Variable> {
        if let Some(tag) = name.strip_prefix("tags.") {
            return (!tag.is_empty()).then(|| Variable::Tag(tag.to_owned()));
        }
        Variable::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, variable)| variable)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(Variable),
}

/// A template, put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
    /// The versions it was put together from: `tone@2`.
    pub(crate) from: Vec<String>,
}

impl Template {
    /// The text for one request. `value` tells what a variable is.
    pub(crate) fn filled<E>(&self, mut value: impl FnMut(&Variable) -> Result<String, E>) -> Result<String, E> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(variable) => out.push_str(&value(variable)?),
            }
        }
        Ok(out)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Written {
    Text(String),
    Hole(String),
    Template(String, Option<usize>),
}

/// A template as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft(Vec<Written>);

impl Draft {
    /// Reads a text with holes; `{{{{` stands for two braces. `Err` says what is wrong, without repeating it.
    pub fn parse(text: &str) -> Result<Draft, &'static str> {
        if text.len() > LONGEST {
            return Err("is longer than 64 KiB");
        }
        let mut written = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            written.push(Written::Text(before.to_owned()));
            if let Some(after) = after.strip_prefix("{{") {
                written.push(Written::Text("{{".to_owned()));
                rest = after;
                continue;
            }
            let (hole, after) = after.split_once("}}").ok_or("has a hole that is not closed")?;
            written.push(Draft::hole(hole.trim())?);
            rest = after;
        }
        written.push(Written::Text(rest.to_owned()));
        Ok(Draft(written))
    }

    fn hole(hole: &str) -> Result<Written, &'static str> {
        let good =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if let Some(name) = hole.strip_prefix('>') {
            let name = name.trim();
            let (name, version) = match name.split_once('@') {
                Some((name, version)) => (name, Some(version.parse().map_err(|_| "names no version of a template")?)),
                None => (name, None),
            };
            return if good(name) { Ok(Written::Template(name.to_owned(), version)) } else { Err("names no template") };
        }
        if good(hole) {
            Ok(Written::Hole(hole.to_owned()))
        } else {
            Err("has a hole that is no variable: there is no logic here")
        }
    }
}

/// The versions of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// From the first on; never empty.
    pub drafts: Vec<Draft>,
    /// The one that counts where nobody says which, from 1 on.
    pub current: usize,
}

/// Templates by name.
pub type Library = SortedMap<String, Versions>;

/// Puts a template together. `own`: the values of the document's own variables; `None` where who uses it says them.
pub fn assemble(
    library: &Library,
    own: Option<&SortedMap<String, String>>,
    draft: &Draft,
) -> Result<Template, (String, String)> {
    let mut assembly = Assembly { library, own, out: Template::default(), bytes: 0, way: Vec::new() };
    assembly.add(draft)?;
    Ok(assembly.out)
}

struct Assembly<'l> {
    library: &'l Library,
    own: Option<&'l SortedMap<String, String>>,
    out: Template,
    bytes: usize,
    /// The templates that are open, outermost first.
    way: Vec<String>,
}

impl Assembly<'_> {
    fn add(&mut self, draft: &Draft) -> Result<(), (String, String)> {
        for written in &draft.0 {
            match written {
                Written::Text(text) => self.text(text),
                Written::Hole(name) => {
                    let own = self.own.and_then(|own| own.get(name));
                    match (own, Variable::named(name)) {
                        (Some(value), _) => self.text(value),
                        (None, Some(variable)) => self.out.pieces.push(Piece::Variable(variable)),
                        (None, None) if self.own.is_none() => {}
                        (None, None) => return Err(unknown(name)),
                    }
                }
                Written::Template(name, version) => self.template(name, *version)?,
            }
            if self.bytes > LONGEST || self.out.pieces.len() > MOST_PIECES {
                return Err(("is too large once it is put together".to_owned(), "Use at most 64 KiB".to_owned()));
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.bytes = self.bytes.saturating_add(text.len());
        match self.out.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            Some(Piece::Variable(_)) | None => self.out.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    fn template(&mut self, name: &str, version: Option<usize>) -> Result<(), (String, String)> {
        let library = self.library;
        let Some(versions) = library.get(name) else {
            return Err((format!("there is no template `{name}`"), format!("Add a table templates.{name}")));
        };
        let version = version.unwrap_or(versions.current);
        let draft = version.checked_sub(1).and_then(|index| versions.drafts.get(index));
        let Some(draft) = draft else {
            let hint = format!("Use a version from 1 to {}", versions.drafts.len());
            return Err((format!("the template `{name}` has no version {version}"), hint));
        };
        let label = format!("{name}@{version}");
        if self.way.contains(&label) {
            let circle = [self.way.join(" → "), label].join(" → ");
            return Err((format!("leads back to where it began: {circle}"), "Remove one of them".to_owned()));
        }
        if self.way.len() >= DEEPEST {
            return Err(("is nested too deeply".to_owned(), "Use at most 16 levels".to_owned()));
        }
        if !self.out.from.contains(&label) {
            self.out.from.push(label.clone());
        }
        self.way.push(label);
        self.add(draft)?;
        self.way.pop();
        Ok(())
    }
}

fn unknown(name: &str) -> (String, String) {
    let known: Vec<&str> = Variable::NAMES.iter().map(|(name, _)| *name).collect();
    (
        format!("there is no variable `{name}`"),
        format!("Add it to variables, or use one of: {}, tags.NAME", known.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn library(templates: &[(&str, &[&str])]) -> Library {
        let versions = |texts: &[&str]| Versions {
            drafts: texts.iter().map(|text| Draft::parse(text).unwrap()).collect(),
            current: texts.len(),
        };
        templates.iter().map(|(name, texts)| ((*name).to_owned(), versions(texts))).collect()
    }

    fn filled(library: &Library, text: &str) -> Result<String, String> {
        let own = SortedMap::from([("product".to_owned(), "Acme {{user}}".to_owned())]);
        let template = assemble(library, Some(&own), &Draft::parse(text).map_err(str::to_owned)?);
        let value = |variable: &Variable| Ok::<_, String>(format!("<{variable:?}>"));
        template.map_err(|(wrong, _)| wrong)?.filled(value)
    }

    #[test]
    fn holes_are_filled_and_what_fills_them_is_not_read_again() {
        let library =
            library(&[("tone", &["Be brief.", "Be kind to {{ user }}."]), ("all", &["{{>tone}} {{> tone@1}}"])]);
        for (text, expected) in [
            ("No holes at all }} {", "No holes at all }} {"),
            ("For {{team}}, {{product}}: {{> all }}!", "For <Team>, Acme {{user}}: Be kind to <User>. Be brief.!"),
            ("{{tags.a.b}}{{date}}", "<Tag(\"a.b\")><Date>"),
            ("{{{{x}}", "{{x}}"),
        ] {
            assert_eq!(filled(&library, text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_leads_nowhere_or_back_is_refused() {
        let library = library(&[
            ("a", &["{{> b}}"]),
            ("b", &["x", "{{> a}}"]),
            ("self", &["{{> self}}"]),
            ("older", &["first", "{{> older@1}} and more"]),
        ]);
        for (text, wrong) in [
            ("{{> a}}", "leads back to where it began: a@1 → b@2 → a@1"),
            ("{{> self}}", "leads back to where it began: self@1 → self@1"),
            ("{{> c}}", "there is no template `c`"),
            ("{{> b@3}}", "the template `b` has no version 3"),
            ("{{> b@0}}", "the template `b` has no version 0"),
            ("{{colour}}", "there is no variable `colour`"),
            ("{{#if x}}", "has a hole that is no variable: there is no logic here"),
            ("{{team", "has a hole that is not closed"),
            ("{{> b@x}}", "names no version of a template"),
        ] {
            assert_eq!(filled(&library, text), Err(wrong.to_owned()), "{text}");
        }
        assert_eq!(filled(&library, "{{> older}}").as_deref(), Ok("first and more"));
    }

    #[test]
    fn a_template_that_grows_without_end_is_refused_before_it_has_grown() {
        let names: Vec<String> = (0..12).map(|level| format!("t{level}")).collect();
        let texts: Vec<String> = (1..13).map(|level| format!("{{{{> t{level}}}}}").repeat(16)).collect();
        let mut templates: Library = names
            .iter()
            .zip(&texts)
            .map(|(name, text)| (name.clone(), Versions { drafts: vec![Draft::parse(text).unwrap()], current: 1 }))
            .collect();
        templates.insert("t12".to_owned(), Versions { drafts: vec![Draft::parse("laughs").unwrap()], current: 1 });
        assert_eq!(filled(&templates, "{{> t0}}"), Err("is too large once it is put together".to_owned()));
    }
}
