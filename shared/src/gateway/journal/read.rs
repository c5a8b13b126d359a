//! Reading a journal back: the lines of one team or of all, in order, as far as somebody wants to look.

use super::chain::line_prefix;
use crate::gateway::journal::shelf;
use crate::ports::{Records, StoreError};
use crate::records::{Range, Record};
use crate::units::Timestamp;
use std::collections::VecDeque;

/// How many lines are fetched at a time.
const PAGE: usize = 100;

/// A place in a journal: a line's time and number, and its team. It is behind that line, in the direction of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    suffix: String,
    team: String,
}

impl Place {
    /// Reads what [`Place::to_string`](std::fmt::Display) wrote.
    pub fn parse(text: &str) -> Option<Place> {
        let (suffix, team) = text.split_once('/')?;
        let (at, seq) = suffix.split_once('.')?;
        let digits = |text: &str, many: usize| text.len() == many && text.bytes().all(|byte| byte.is_ascii_digit());
        let sound = digits(at, 15) && digits(seq, 12) && !team.is_empty();
        sound.then(|| Place { suffix: suffix.to_owned(), team: team.to_owned() })
    }

    /// The place right before this line: who goes on from there reads it again.
    pub fn one_back(&self) -> Place {
        Place { suffix: self.before(), team: self.team.clone() }
    }

    /// What sorts right before a line of this time and number.
    fn before(&self) -> String {
        let (at, seq) = self.suffix.split_once('.').unwrap_or((&self.suffix, "0"));
        format!("{at}.{:012}", seq.parse::<u64>().unwrap_or(0).saturating_sub(1))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.suffix, self.team)
    }
}

/// Lines of several chains in the order they were written.
#[derive(Debug)]
pub struct Lines<'a, P> {
    records: &'a P,
    shelf: String,
    newest_first: bool,
    chains: Vec<Chain>,
}

#[derive(Debug)]
struct Chain {
    team: String,
    prefix: String,
    after: Option<String>,
    ready: VecDeque<Record>,
    over: bool,
}

impl<'a, P: Records> Lines<'a, P> {
    /// The lines of these teams, from `place` on, or else from the time `from` on (or back, the newest first).
    pub fn new(
        records: &'a P,
        tenant: &str,
        teams: Vec<String>,
        newest_first: bool,
        place: Option<&Place>,
        from: Option<Timestamp>,
    ) -> Lines<'a, P> {
        let chain = |team: String| {
            let prefix = line_prefix(&team);
            // Of lines written at the same instant, the teams are in order; `~` sorts behind all of a key.
            let after = match place {
                Some(place) => {
                    let still_to_come = if newest_first { team < place.team } else { team > place.team };
                    Some(match (still_to_come, newest_first) {
                        (false, _) => format!("{prefix}{}", place.suffix),
                        (true, true) => format!("{prefix}{}~", place.suffix),
                        (true, false) => format!("{prefix}{}", place.before()),
                    })
                }
                None => from.map(|from| format!("{prefix}{:015}{}", from.0, if newest_first { "~" } else { "" })),
            };
            Chain { team, prefix, after, ready: VecDeque::new(), over: false }
        };
        let chains = teams.into_iter().map(chain).collect();
        Lines { records, shelf: shelf(tenant), newest_first, chains }
    }

    /// The next line and the place behind it.
    pub async fn next(&mut self) -> Result<Option<(Place, String)>, StoreError> {
        for chain in self.chains.iter_mut().filter(|chain| chain.ready.is_empty() && !chain.over) {
            let range = Range {
                prefix: chain.prefix.clone(),
                after: chain.after.clone(),
                descending: self.newest_first,
                limit: PAGE,
            };
            let page = self.records.list_records(&self.shelf, &range).await?;
            chain.over = page.len() < PAGE;
            chain.after = page.last().map(|record| record.key.clone()).or(chain.after.take());
            chain.ready = page.into();
        }
        let place = |chain: &Chain| {
            let key = &chain.ready.front()?.key;
            Some(Place { suffix: key.strip_prefix(&chain.prefix)?.to_owned(), team: chain.team.clone() })
        };
        let order = |place: &Place| (place.suffix.clone(), place.team.clone());
        let places = self.chains.iter().enumerate().filter_map(|(at, chain)| Some((at, place(chain)?)));
        let next = match self.newest_first {
            true => places.max_by_key(|(_, place)| order(place)),
            false => places.min_by_key(|(_, place)| order(place)),
        };
        let Some((at, place)) = next else { return Ok(None) };
        let line = self.chains.get_mut(at).and_then(|chain| chain.ready.pop_front());
        Ok(line.map(|record| (place, record.value)))
    }
}

/// Every record of a shelf whose key begins so, from `after` on, as long as `wanted` says so of the key.
pub(crate) async fn all(
    records: &impl Records,
    shelf: &str,
    prefix: String,
    mut after: Option<String>,
    wanted: impl Fn(&str) -> bool,
    mut each: impl FnMut(Record),
) -> Result<(), StoreError> {
    const MANY: usize = 500;
    loop {
        let range = Range { prefix: prefix.clone(), after: after.take(), descending: false, limit: MANY };
        let page = records.list_records(shelf, &range).await?;
        let more = page.len() == MANY;
        after = page.last().map(|record| record.key.clone());
        for record in page {
            if !wanted(&record.key) {
                return Ok(());
            }
            each(record);
        }
        if !more {
            return Ok(());
        }
    }
}
