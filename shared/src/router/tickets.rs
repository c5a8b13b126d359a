//! What was asked and who answered, kept until somebody says what the answer was worth.
//!
//! Outcomes come late and perhaps elsewhere: minutes after the answer, to another instance. So for every answer on a
//! route that learns a ticket is kept, here and (a few at a time) on a shelf: what its prompt showed, hashed and
//! counted, never the prompt itself.

use super::Ask;
use super::learn::bandit::Cell;
use super::learn::online::Features;
use crate::json::json;
use crate::records::MAX_WRITES;
use crate::units::{Millis, Timestamp};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The shelf on which tickets are kept, as `team/request`.
pub const TICKETS: &str = "tickets";
/// Tickets remembered.
const REMEMBERED: usize = 1_024;
/// The least between two writes.
const WRITE_AFTER: Millis = Millis(1_000);
/// How long after a question the same one again says that its answer was none.
const ASKED_AGAIN: Millis = Millis(300_000);

/// An answer that may be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The request.
    pub request: String,
    /// Whose it was.
    pub team: String,
    /// The route it came by.
    pub route: String,
    /// Who answered.
    pub model: String,
    /// What the prompt showed.
    pub features: Features,
    /// What kind of prompt it was.
    pub cell: Cell,
    /// How much a stronger model would gain, by the shipped coefficients.
    pub gain: i32,
}

impl Ticket {
    /// Its name on the shelf. Nobody else's can be found by it.
    pub fn key(team: &str, request: &str) -> String {
        [team, "/", request].concat()
    }

    /// Where what is learned from it is kept.
    pub fn lessons(&self) -> String {
        [self.team.as_str(), "/", self.route.as_str()].concat()
    }

    /// As it is kept.
    pub fn json(&self) -> Value {
        json!({
            "route": self.route, "model": self.model, "cell": self.cell.number(), "gain": self.gain,
            "features": self.features.to_text(),
        })
    }

    /// Reads [`Ticket::json`]; `None` when it is something else.
    pub fn read(team: &str, request: &str, kept: &Value) -> Option<Ticket> {
        let text = |name: &str| kept.get(name).and_then(Value::as_str);
        Some(Ticket {
            request: request.to_owned(),
            team: team.to_owned(),
            route: text("route")?.to_owned(),
            model: text("model")?.to_owned(),
            features: Features::parse(text("features")?)?,
            cell: Cell::numbered(kept.get("cell")?.as_u64()?)?,
            gain: i32::try_from(kept.get("gain")?.as_i64()?).ok()?,
        })
    }
}

/// The tickets of a process.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    recent: VecDeque<Noted>,
    waiting: VecDeque<(String, String)>,
    written_at: Timestamp,
}

#[derive(Debug)]
struct Noted {
    ticket: Ticket,
    at: Timestamp,
    session: Option<String>,
    /// It was seen that something was wrong with it: once is enough.
    blamed: bool,
}

impl Tickets {
    /// Nothing panics while the lock is held, so a poisoned lock guards good data all the same.
    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer came. Gives the session's answer before it, where this call shows that it was of no use: the same
    /// thing is asked again, or the tool it called failed.
    pub(super) fn note(&self, ticket: Ticket, ask: &Ask, now: Timestamp) -> Option<Ticket> {
        let mut book = self.lock();
        let session = ask.session_key();
        let before = book.recent.iter_mut().rev().find(|noted| session.is_some() && noted.session == session);
        let useless = before.filter(|before| {
            let again = !ask.signals.in_tool_loop
                && now.since(before.at) <= ASKED_AGAIN
                && before.ticket.features.resemble(&ticket.features);
            !before.blamed && (ask.signals.tool_failed || again)
        });
        let useless = useless.map(|before| {
            before.blamed = true;
            before.ticket.clone()
        });
        if book.waiting.len() < MAX_WRITES {
            let key = Ticket::key(&ticket.team, &ticket.request);
            book.waiting.push_back((key, ticket.json().to_string()));
        }
        if book.recent.len() >= REMEMBERED {
            book.recent.pop_front();
        }
        book.recent.push_back(Noted { ticket, at: now, session, blamed: false });
        useless
    }

    /// A ticket that is remembered.
    pub fn find(&self, team: &str, request: &str) -> Option<Ticket> {
        let book = self.lock();
        let mut found = book.recent.iter().rev().map(|noted| &noted.ticket);
        found.find(|ticket| ticket.request == request && ticket.team == team).cloned()
    }

    /// What should be written down now, by key.
    pub fn due(&self, now: Timestamp) -> Vec<(String, String)> {
        let mut book = self.lock();
        if book.waiting.is_empty() || (now.since(book.written_at) < WRITE_AFTER && now >= book.written_at) {
            return Vec::new();
        }
        book.written_at = now;
        book.waiting.drain(..).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::router::Signals;
    use crate::router::learn::sample::Sample;
    use crate::router::learn::signals::PromptReader;

    fn ticket(request: &str, prompt: &str) -> Ticket {
        let signals = PromptReader::built_in().unwrap().read(Sample::of(prompt));
        Ticket {
            request: request.into(),
            team: "payments".into(),
            route: "picks".into(),
            model: "openai:cheap".into(),
            features: Features::of(&signals),
            cell: Cell::of(&signals.scan),
            gain: signals.gain,
        }
    }

    fn within(session: Option<&str>) -> Ask {
        Ask { team: "payments".into(), session: session.map(str::to_owned), ..Ask::default() }
    }

    #[test]
    fn a_ticket_is_read_as_it_was_written_and_never_under_another_teams_name() {
        let (tickets, known) = (Tickets::default(), ticket("req_1", "Write a poem about the sea."));
        assert_eq!(Ticket::read("payments", "req_1", &known.json()), Some(known.clone()));
        tickets.note(known.clone(), &within(None), Timestamp(1));
        assert_eq!(tickets.find("payments", "req_1"), Some(known));
        assert_eq!(tickets.find("research", "req_1"), None);
        for broken in [json!(null), json!({}), json!({"route": "r", "model": "a:b", "cell": 24, "features": "00"})] {
            assert_eq!(Ticket::read("payments", "req_1", &broken), None, "{broken}");
        }
    }

    #[test]
    fn who_asks_the_same_again_in_a_session_blames_the_answer_before_once() {
        let tickets = Tickets::default();
        let (asked, again) = ("Write a poem about the sea and its ships.", "Write a poem about the sea and its ships!");
        let session = within(Some("s"));
        assert_eq!(tickets.note(ticket("1", asked), &session, Timestamp(0)), None);
        let blamed = tickets.note(ticket("2", again), &session, Timestamp(9_000)).unwrap();
        assert_eq!(blamed.request, "1");
        let other = "How many legs do seven spiders have when two are lost?";
        assert_eq!(tickets.note(ticket("3", other), &session, Timestamp(10_000)), None);
        assert_eq!(tickets.note(ticket("4", other), &within(Some("t")), Timestamp(11_000)), None);
        assert_eq!(tickets.note(ticket("5", other), &within(None), Timestamp(11_000)), None);
        assert_eq!(tickets.note(ticket("6", other), &session, Timestamp(400_000)), None, "much later is another day");
    }

    #[test]
    fn a_tool_that_failed_blames_the_answer_that_called_it() {
        let tickets = Tickets::default();
        tickets.note(ticket("1", "What is the weather in Bern?"), &within(Some("s")), Timestamp(0));
        let signals = Signals { in_tool_loop: true, tool_failed: true, ..Signals::default() };
        let after = Ask { signals, ..within(Some("s")) };
        let blamed = tickets.note(ticket("2", "What is the weather in Bern?"), &after, Timestamp(1)).unwrap();
        assert_eq!(blamed.request, "1");
    }

    #[test]
    fn what_is_kept_and_written_is_bounded() {
        let (tickets, mut written, known) = (Tickets::default(), 0, ticket("", "x"));
        for n in 0..3_000_u64 {
            let ticket = Ticket { request: n.to_string(), ..known.clone() };
            tickets.note(ticket, &within(None), Timestamp(n));
            written += tickets.due(Timestamp(10_000 + n)).len();
        }
        assert!(tickets.find("payments", "0").is_none() && tickets.find("payments", "2999").is_some());
        assert!(written <= 3 * MAX_WRITES + 1, "{written} in three seconds");
    }
}
