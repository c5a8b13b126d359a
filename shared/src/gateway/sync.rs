//! Definitions from servers of the Model Context Protocol, taken on a schedule and never on the way of a request.
//!
//! A server is believed what it says, within bounds: its resources become definitions whose ids begin with the server's
//! name, so that it can speak for nobody else, with the tags and teams that the configuration gives it. Where it is slow, gone
//! or says nonsense, its last good definitions stay; what it no longer lists is marked, as the configuration wants it.

use super::definitions::{self, RETIRED, Said, Taken, Untaken, VANISHED};
use super::live::SHELF;
use crate::config::mcp::Vanished;
use crate::context::read;
use crate::json::json;
use crate::mcp::META_DEFINITION;
use crate::mcp::client::{self, Place, Resource};
use crate::ports::Ports;
use crate::records::Write;
use crate::time::parse_rfc3339;
use crate::units::Millis;
use serde_json::{Map, Value};

/// How often a process looks whether a server is due.
pub const LOOK: Millis = Millis(30_000);
/// How long one round may take: who was not asked by then is due the next time.
const ROUND: Millis = Millis(300_000);
/// When one is asked again of which nothing was taken, if it is asked more rarely: it failed, or who asked it died.
const AGAIN: Millis = Millis(300_000);
/// How often definitions are taken against others at the same ones.
const TRIES: u32 = 3;

/// A server that definitions are taken from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// How often it is asked.
    pub every: Millis,
    /// What its definitions are tagged with.
    pub tags: Vec<String>,
    /// Who may see them.
    pub teams: Vec<String>,
    /// What becomes of one that it no longer lists.
    pub vanished: Vanished,
}

/// What became of a server's definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// Which server.
    pub source: String,
    /// What was taken, or why nothing was.
    pub result: Result<Taken, String>,
    /// Versions that are marked, because it no longer lists them.
    pub vanished: Vec<String>,
    /// Resources that define nothing.
    pub passed_over: usize,
}

impl Synced {
    /// For people and the log.
    pub fn shown(&self) -> Value {
        let Synced { source, result, vanished, passed_over } = self;
        match result {
            Ok(Taken { created, unchanged }) => {
                json!({
                    "source": source, "created": created, "unchanged": unchanged, "vanished": vanished,
                    "passed_over": passed_over,
                })
            }
            Err(problem) => json!({ "source": source, "problem": problem }),
        }
    }
}

/// Asks every server that is due. Of all processes one does.
pub async fn due<P: Ports>(ports: &P, sources: &[Source]) {
    let end = ports.now() + ROUND;
    for source in sources.iter().take_while(|_| ports.now() < end) {
        let name = format!("context-sync/{}", source.name);
        let asked = ports.now();
        let claim = Write::create(&name, "").until(asked + AGAIN.min(source.every));
        if ports.write_records(SHELF, vec![claim]).await == Ok(true) && sync(ports, source).await.result.is_ok() {
            let later = Write::put(name, "").until(asked + source.every);
            // Else it is asked sooner than it need be.
            let _ = ports.write_records(SHELF, vec![later]).await;
        }
    }
}

/// Asks a server now, and says in the log what became of it.
pub async fn sync<P: Ports>(ports: &P, source: &Source) -> Synced {
    let mut synced =
        Synced { source: source.name.clone(), result: Ok(Taken::default()), vanished: Vec::new(), passed_over: 0 };
    synced.result = match client::resources(ports, &source.place).await {
        Ok(resources) => {
            // One that cannot be taken is listed all the same: what was taken of it before stays.
            let (mut listed, mut wanted): (Vec<String>, Vec<Map<String, Value>>) = (Vec::new(), Vec::new());
            synced.passed_over = resources.len();
            for resource in resources {
                let id = id(source, &resource);
                if !listed.contains(&id) {
                    wanted.extend(definition(source, &id, resource));
                    listed.push(id);
                }
            }
            synced.passed_over -= wanted.len();
            take(ports, source, &wanted, &listed).await.map(|(taken, vanished)| {
                synced.vanished = vanished;
                taken
            })
        }
        Err(problem) => Err(problem),
    };
    let mut line = synced.shown();
    if let Some(members) = line.as_object_mut() {
        members.insert("event".to_owned(), json!("context_sync"));
        members.insert("at".to_owned(), json!(ports.now()));
    }
    ports.log(&line.to_string());
    synced
}

/// Takes what a server says, and marks what it no longer lists; what was made, and which versions are marked.
async fn take<P: Ports>(
    ports: &P,
    source: &Source,
    wanted: &[Map<String, Value>],
    listed: &[String],
) -> Result<(Taken, Vec<String>), String> {
    let by = format!("{}{}", definitions::SERVER, source.name);
    let mut created = Vec::new();
    for _ in 0..TRIES {
        let said = Said { by: &by, at: ports.now() };
        let taken = async {
            let mut taken = definitions::take(ports, wanted, said, Vec::new()).await?;
            created.append(&mut taken.created);
            let vanished = match source.vanished {
                Vanished::Stale => definitions::mark(ports, VANISHED, said, listed).await?,
                Vanished::Retire => definitions::mark(ports, RETIRED, said, listed).await?,
                Vanished::Keep => Vec::new(),
            };
            Ok((taken.unchanged, vanished))
        };
        match taken.await {
            Ok((unchanged, vanished)) => return Ok((Taken { created, unchanged }, vanished)),
            Err(Untaken::Beaten) => {}
            Err(Untaken::Full) => return Err("there are too many definitions".to_owned()),
            Err(Untaken::Store(problem)) => return Err(problem.0),
        }
    }
    Err("others change the same definitions".to_owned())
}

/// What a server's resource is called here.
fn id(source: &Source, resource: &Resource) -> String {
    let theirs = resource.meta.get(META_DEFINITION).and_then(|whole| whole.get("id")).and_then(Value::as_str);
    format!("{}.{}", source.name, slug(theirs.unwrap_or(&resource.uri)))
}

/// A resource as a definition; `None` for one that could not have been written by hand.
fn definition(source: &Source, id: &str, resource: Resource) -> Option<Map<String, Value>> {
    let whole = resource.meta.get(META_DEFINITION).and_then(Value::as_object);
    let theirs = |name: &str| whole.and_then(|whole| whole.get(name)).cloned();
    let terms = theirs("terms").unwrap_or_else(|| json!([resource.title]));
    // Another gateway of ours has a heading before the text.
    let text = match whole {
        Some(_) => {
            resource.text.split_once("\n\n").map_or(resource.text.as_str(), |(_, text)| text).trim_end().to_owned()
        }
        None => resource.text,
    };
    let mut members = Map::new();
    let said = [
        ("id", Some(json!(id))),
        ("terms", Some(terms)),
        ("aliases", theirs("aliases")),
        ("text", Some(json!(text))),
        ("owner", theirs("owner")),
        ("certified_by", theirs("certified_by")),
        ("certified_at", theirs("certified_at")),
        ("valid_for", whole.and_then(lasting)),
        ("tags", (!source.tags.is_empty()).then(|| json!(source.tags))),
        ("teams", (!source.teams.is_empty()).then(|| json!(source.teams))),
    ];
    members.extend(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    read(&members).is_ok().then_some(members)
}

/// How long a certification is good that another gateway of ours tells the end of.
fn lasting(whole: &Map<String, Value>) -> Option<Value> {
    let at = |name: &str| whole.get(name).and_then(Value::as_str).and_then(parse_rfc3339);
    let span = at("valid_until")?.since(at("certified_at")?);
    // What has ended before it began has ended.
    Some(json!(format!("{}ms", span.0.max(1))))
}

/// The last part of a name, as an id has it.
fn slug(name: &str) -> String {
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c) { c } else { '-' };
    last.chars().map(plain).take(40).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn source() -> Source {
        let place = Place { url: "https://mcp.example".to_owned(), token: None };
        let list = |text: &str| vec![text.to_owned()];
        let vanished = Vanished::default();
        Source { name: "wiki".into(), place, every: LOOK, tags: list("company"), teams: list("sales"), vanished }
    }

    fn taken(resource: Resource) -> Option<Value> {
        let id = id(&source(), &resource);
        definition(&source(), &id, resource).map(Value::Object)
    }

    #[test]
    fn a_resource_becomes_a_definition_of_its_source_and_can_claim_no_more() {
        let meta = json!({ META_DEFINITION: {
            "id": "revenue", "terms": ["Revenue"], "aliases": ["net sales"], "certified_by": "cfo",
            "certified_at": "2026-01-01T00:00:00Z", "valid_until": "2026-01-03T00:00:00Z", "tags": ["everybody"],
            "teams": [], "version": 3,
        }});
        let resource = Resource {
            uri: "signalbox://context/revenue".into(),
            title: "Revenue".into(),
            text: "# Revenue\n\nInvoiced.\n".into(),
            meta: meta.as_object().unwrap().clone(),
        };
        let revenue = taken(resource).unwrap();
        assert_eq!(revenue["id"], "wiki.revenue");
        let read = read(revenue.as_object().unwrap()).unwrap();
        assert_eq!(read.valid_until(), parse_rfc3339("2026-01-03T00:00:00Z"), "it ends here when it ends there");
        assert_eq!(
            (&revenue["text"], &revenue["tags"], &revenue["teams"]),
            (&json!("Invoiced."), &json!(["company"]), &json!(["sales"]))
        );
        let plain = |uri: &str, text: &str| Resource {
            uri: uri.into(),
            title: "Gross Margin".into(),
            text: text.into(),
            meta: Map::new(),
        };
        let margin = taken(plain("file:///a/Gross Margin.md", "What is left.")).unwrap();
        assert_eq!((&margin["id"], &margin["terms"]), (&json!("wiki.gross-margin.md"), &json!(["Gross Margin"])));
        for (uri, text) in [("x", ""), ("x", "a\u{0}b"), ("x", "y".repeat(20_000).as_str())] {
            assert_eq!(taken(plain(uri, text)), None);
        }
    }
}
