//! Which definitions a request is given: by tag, by name, by meaning; fresh ones, and as many as fit.

use super::render::{EMPTY, block, entry};
use super::{Definition, Library, Near};
use crate::config::context::{Policy, Staleness};
use crate::sorted;
use crate::time::rfc3339;
use crate::units::{Timestamp, Tokens};

/// Bytes a token stands for, as everywhere a request is weighed.
const BYTES_PER_TOKEN: usize = 4;
/// Definitions that are told at the most, however short, and those that are named of the others: both stand in the record
/// of the request, the first in a header, too.
const MOST: usize = 64;

/// What a request is given by the policies that hold for it, put together: every tag of any of them, and of their caps
/// and of what happens to stale ones the strictest.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Definitions with any of these tags.
    pub tags: Vec<String>,
    /// Definitions whose words are in the request.
    pub by_name: bool,
    /// Definitions that the last thing the user said is about.
    pub near: Option<Near>,
    /// The most the block may be.
    pub max_tokens: Tokens,
    /// What happens to one whose certification has ended.
    pub stale: Staleness,
}

impl Wanted {
    /// What these policies want together; `None` where none holds.
    pub fn of<'a>(policies: impl Iterator<Item = &'a Policy>) -> Option<Wanted> {
        policies.fold(None, |all: Option<Wanted>, policy| {
            let Policy { tags, aliases, meaning, max_tokens, stale, .. } = policy;
            let mut all = all.unwrap_or(Wanted {
                tags: Vec::new(),
                by_name: false,
                near: None,
                max_tokens: *max_tokens,
                stale: *stale,
            });
            all.near = match (all.near, *meaning) {
                (Some(one), Some(other)) => {
                    let (threshold, most) = (one.threshold.max(other.threshold), one.most.min(other.most));
                    Some(Near { threshold, most })
                }
                (one, other) => one.or(other),
            };
            all.tags.extend(tags.iter().cloned());
            all.by_name |= aliases;
            all.max_tokens = all.max_tokens.min(*max_tokens);
            all.stale = all.stale.max(*stale);
            Some(all)
        })
    }
}

/// What was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// The versions, as they are cited, in the order of their ids.
    pub names: Vec<String>,
    /// Those that were left out, and why: `margin@2 stale`, `churn@1 cap`.
    pub left_out: Vec<String>,
    /// What the model reads; empty where nothing was chosen.
    pub block: String,
}

/// A definition without which the request is not to be answered, and whose certification has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The version.
    pub name: String,
    /// When it ended, RFC 3339.
    pub ended: String,
    /// Who answers for it.
    pub owner: Option<String>,
}

/// Chooses for a request of a team. `texts` calls back with every text of it; `near` are the places of those that it is about.
pub fn choose(
    library: &Library,
    wanted: &Wanted,
    team: &str,
    now: Timestamp,
    near: Vec<usize>,
    texts: impl FnOnce(&mut dyn FnMut(&str)),
) -> Result<Chosen, Stale> {
    let definitions = library.definitions();
    let tagged = |one: &Definition| one.is_for(team) && one.tags.iter().any(|tag| wanted.tags.contains(tag));
    // By tag first: where not all fit, those are what everybody was promised.
    let mut places: Vec<usize> =
        (0..).zip(definitions).filter(|(_, one)| tagged(one)).map(|(place, _)| place).collect();
    if wanted.by_name {
        let mut named = Vec::new();
        texts(&mut |text| library.named_in(text, team, |place| named.push(place)));
        sorted::sort(&mut named);
        named.dedup();
        named.retain(|place| !places.contains(place));
        places.extend(named);
    }
    // Last of all: who names a thing means it, who says something like it may.
    for place in near {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let mut chosen = Chosen::default();
    let mut entries: Vec<(usize, String)> = Vec::new();
    let mut room =
        usize::try_from(wanted.max_tokens).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_TOKEN).saturating_sub(EMPTY);
    for place in places {
        let Some(definition) = definitions.get(place) else { continue };
        if let Some(end) = definition.valid_until().filter(|_| definition.is_stale(now)) {
            match wanted.stale {
                Staleness::Warn => {}
                Staleness::Omit => {
                    chosen.left_out.push(format!("{} stale", definition.name()));
                    continue;
                }
                Staleness::Refuse => {
                    let (name, ended, owner) = (definition.name(), rfc3339(end), definition.owner.clone());
                    return Err(Stale { name, ended, owner });
                }
            }
        }
        let text = entry(definition, now);
        match room.checked_sub(text.len()).filter(|_| entries.len() < MOST) {
            Some(left) => {
                room = left;
                entries.push((place, text));
            }
            None => chosen.left_out.push(format!("{} cap", definition.name())),
        }
    }
    let further = chosen.left_out.len().saturating_sub(MOST);
    if further > 0 {
        chosen.left_out.truncate(MOST);
        chosen.left_out.push(format!("{further} more"));
    }
    if entries.is_empty() {
        return Ok(chosen);
    }
    sorted::sort_by_key(&mut entries, |(place, _)| *place);
    chosen.names = entries.iter().filter_map(|(place, _)| definitions.get(*place)).map(Definition::name).collect();
    let entries: Vec<String> = entries.into_iter().map(|(_, text)| text).collect();
    chosen.block = block(&entries);
    Ok(chosen)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::context::read;
    use serde_json::{Value, json};

    fn library(all: &[Value]) -> Library {
        let read = |value: &Value| Definition { version: 3, ..read(value.as_object().unwrap()).unwrap() };
        Library::new(all.iter().map(read).collect())
    }

    fn some() -> Library {
        library(&[
            json!({"id": "revenue", "terms": ["Revenue"], "text": "Invoiced.", "tags": ["finance"]}),
            json!({"id": "margin", "terms": ["Margin"], "text": "Left over.", "certified_at": "2026-01-01T00:00:00Z", "valid_for": "1d", "owner": "cfo"}),
            json!({"id": "churn", "terms": ["Churn"], "text": "Gone.", "teams": ["sales"], "tags": ["finance"]}),
        ])
    }

    const NOW: Timestamp = Timestamp(1_795_233_600_000);

    fn wanted(tags: &[&str], stale: Staleness) -> Wanted {
        Wanted {
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            by_name: true,
            near: None,
            max_tokens: 1_000,
            stale,
        }
    }

    fn chosen(wanted: &Wanted, team: &str, text: &str) -> Result<Chosen, Stale> {
        choose(&some(), wanted, team, NOW, Vec::new(), |see| see(text))
    }

    #[test]
    fn what_is_tagged_and_what_is_named_is_told_in_the_order_of_ids_and_only_to_its_teams() {
        let wanted = wanted(&["finance"], Staleness::Warn);
        let found = chosen(&wanted, "sales", "How is our margin?").unwrap();
        assert_eq!(found.names, ["churn@3", "margin@3", "revenue@3"]);
        assert!(found.block.contains("[margin@3] Margin: Left over.\n(Its certification ended on 2026-01-02: "));
        assert_eq!(chosen(&wanted, "other", "churn").unwrap().names, ["revenue@3"]);
        assert_eq!(
            chosen(&Wanted { by_name: false, tags: Vec::new(), ..wanted }, "sales", "churn").unwrap(),
            Chosen::default()
        );
    }

    #[test]
    fn a_stale_definition_is_marked_left_out_or_ends_the_request() {
        let omitted = chosen(&wanted(&[], Staleness::Omit), "t", "margin").unwrap();
        assert_eq!(
            (omitted.names.len(), omitted.left_out, omitted.block.as_str()),
            (0, vec!["margin@3 stale".to_owned()], "")
        );
        let refused = chosen(&wanted(&[], Staleness::Refuse), "t", "margin").unwrap_err();
        assert_eq!((refused.name.as_str(), refused.owner.as_deref()), ("margin@3", Some("cfo")));
    }

    #[test]
    fn what_does_not_fit_is_left_out_those_by_tag_last() {
        let small = Wanted { max_tokens: 28, ..wanted(&["finance"], Staleness::Warn) };
        let found = chosen(&small, "t", "margin").unwrap();
        assert_eq!((found.names, found.left_out), (vec!["revenue@3".to_owned()], vec!["margin@3 cap".to_owned()]));
        assert!(found.block.len() <= 28 * 4);
    }

    #[test]
    fn what_it_is_about_is_given_beside_the_rest_each_once_and_is_the_first_that_does_not_fit() {
        let wanted = wanted(&["finance"], Staleness::Warn);
        let about = |wanted: &Wanted| choose(&some(), wanted, "t", NOW, vec![1, 2], |see| see("nothing")).unwrap();
        assert_eq!(about(&wanted).names, ["margin@3", "revenue@3"]);
        let small = about(&Wanted { max_tokens: 28, ..wanted });
        assert_eq!((small.names, small.left_out), (vec!["revenue@3".to_owned()], vec!["margin@3 cap".to_owned()]));
    }

    #[test]
    fn however_short_they_are_no_more_are_told_than_a_header_and_a_record_can_name() {
        let short = |n: usize| json!({"id": format!("d{n:04}"), "terms": ["T"], "text": "x", "tags": ["all"]});
        let library = library(&(0..300).map(short).collect::<Vec<_>>());
        let wanted = Wanted { max_tokens: 32_000, ..wanted(&["all"], Staleness::Warn) };
        let found = choose(&library, &wanted, "t", NOW, Vec::new(), |_| {}).unwrap();
        assert_eq!((found.names.len(), found.left_out.len()), (64, 65));
        assert_eq!(found.left_out.last().unwrap(), "172 more");
    }

    #[test]
    fn the_strictest_of_several_policies_holds() {
        let policy = |tag: &str, max_tokens, stale| Policy {
            tags: vec![tag.to_owned()],
            max_tokens,
            stale,
            ..Policy::default()
        };
        let both = [policy("a", 10, Staleness::Warn), policy("b", 20, Staleness::Omit)];
        let all = Wanted::of(both.iter()).unwrap();
        assert_eq!((all.tags.len(), all.max_tokens, all.stale, all.near), (2, 10, Staleness::Omit, None));
        let near = |threshold, most| Policy { meaning: Some(Near { threshold, most }), ..Policy::default() };
        let all = Wanted::of([near(600, 5), Policy::default(), near(700, 8)].iter()).unwrap();
        assert_eq!(all.near, Some(Near { threshold: 700, most: 5 }));
        assert_eq!(Wanted::of([].iter()), None);
    }
}
