//! Answers that need no registration: the friendly one, and the faults of real providers made from it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ask::{Dialect, Parsed};
use super::friendly::{self, Style};
use super::script::{Answer, Chunking, Script, Step, True};

pub(crate) const FRIENDLY: &str = "friendly";

/// Every built-in name with what it does. `NNN` is a status, `N` a number.
pub const BUILT_IN: &[(&str, &str)] = &[
    (FRIENDLY, "a plausible answer"),
    ("NNN", "that error (400 to 599) in the caller's dialect; 429 and 503 with retry-after: 1"),
    ("NNN-retry-N", "that error with retry-after: N"),
    ("NNN-empty", "that status with an empty body"),
    ("NNN-text", "that status with a plain text body"),
    ("html502", "502 with a proxy's HTML page"),
    ("fails-once", "500, then friendly"),
    ("fails-twice", "500, 500, then friendly"),
    ("limited-once", "429 with retry-after: 1, then friendly"),
    ("stall-head", "no head, for ever"),
    ("stall", "head, then nothing"),
    ("stall-mid", "part of the answer, then nothing"),
    ("cut-head", "closed without an answer"),
    ("cut", "part of the answer, then closed without a proper end"),
    ("cut-quiet", "part of the answer, then a proper end of the body: no terminal event"),
    ("reset-head", "reset without an answer"),
    ("reset", "part of the answer, then reset"),
    ("error-mid", "a stream with an error event after part of the answer; without streaming a 200 with an error in it"),
    ("bad-json", "invalid JSON: in the middle of a stream, or as the body"),
    ("after-end", "a stream with one more event after its end"),
    ("empty", "200 and no body at all"),
    ("slow", "1 s before the head, then 200 ms between events"),
    ("slow-head-N", "N ms before the head"),
    ("slow-first-N", "N ms between the head and the first event"),
    ("pace-N", "N ms between events; 0 is as fast as it goes"),
    ("words-N", "an answer of N words, without pauses"),
    ("one-byte", "every byte its own chunk"),
    ("random-N", "random chunks from the seed N"),
    ("crlf", "a stream with CRLF line ends"),
    ("tools", "calls of every tool given"),
    ("no-usage", "an answer that does not tell its usage"),
    ("filtered", "stopped by the provider's content filter"),
];

/// What a built-in script is made for.
pub(crate) struct Wanted<'a> {
    pub(crate) parsed: &'a Parsed,
    pub(crate) serial: u64,
    pub(crate) pace_ms: u64,
}

/// Built-ins whose answer depends on how often they were asked.
pub(crate) fn sequence(name: &str) -> Option<Vec<Answer>> {
    let first: &[&str] = match name {
        "fails-once" => &["500"],
        "fails-twice" => &["500", "500"],
        "limited-once" => &["429"],
        _ => return None,
    };
    Some(first.iter().chain(&[FRIENDLY]).map(|name| Answer::Use { name: (*name).to_owned() }).collect())
}

/// True for a name that [`script`] knows.
pub(crate) fn exists(name: &str) -> bool {
    BuiltIn::parse(name).is_some()
}

/// The script of a built-in name, for this request.
pub(crate) fn script(name: &str, wanted: &Wanted<'_>) -> Option<Script> {
    Some(BuiltIn::parse(name)?.script(wanted))
}

/// How an answer in progress ends badly.
#[derive(Clone, Copy)]
enum Break {
    Stall,
    Cut,
    Quiet,
    Reset,
    Error,
    BadJson,
}

enum BuiltIn {
    Styled(fn(&mut Style, u64), u64),
    Status(u16, StatusBody),
    Html,
    NoHead(Step),
    HeadOnly,
    Broken(Break),
    AfterEnd,
    Empty,
    Slow,
    SlowHead(u64),
    SlowFirst(u64),
    Chunked(Chunking),
    Crlf,
}

enum StatusBody {
    Dialect { retry_after: Option<u64> },
    Empty,
    Text,
}

impl BuiltIn {
    fn parse(name: &str) -> Option<BuiltIn> {
        Some(match name {
            FRIENDLY => BuiltIn::Styled(|_, _| {}, 0),
            "html502" => BuiltIn::Html,
            "stall-head" => BuiltIn::NoHead(Step::Stall(True)),
            "cut-head" => BuiltIn::NoHead(Step::Cut(True)),
            "reset-head" => BuiltIn::NoHead(Step::Reset(True)),
            "stall" => BuiltIn::HeadOnly,
            "stall-mid" => BuiltIn::Broken(Break::Stall),
            "cut" => BuiltIn::Broken(Break::Cut),
            "cut-quiet" => BuiltIn::Broken(Break::Quiet),
            "reset" => BuiltIn::Broken(Break::Reset),
            "error-mid" => BuiltIn::Broken(Break::Error),
            "bad-json" => BuiltIn::Broken(Break::BadJson),
            "after-end" => BuiltIn::AfterEnd,
            "empty" => BuiltIn::Empty,
            "slow" => BuiltIn::Slow,
            "one-byte" => BuiltIn::Chunked(Chunking::OneByte),
            "crlf" => BuiltIn::Crlf,
            "tools" => BuiltIn::Styled(|style, _| style.every_tool = true, 0),
            "no-usage" => BuiltIn::Styled(|style, _| style.usage = false, 0),
            "filtered" => BuiltIn::Styled(|style, _| style.filtered = true, 0),
            _ => return BuiltIn::parse_numbered(name),
        })
    }

    fn parse_numbered(name: &str) -> Option<BuiltIn> {
        let (head, tail) = name.split_once('-').unwrap_or((name, ""));
        if let Ok(status @ 400..=599) = head.parse::<u16>() {
            let body = match tail {
                "" => StatusBody::Dialect { retry_after: matches!(status, 429 | 503).then_some(1) },
                "empty" => StatusBody::Empty,
                "text" => StatusBody::Text,
                _ => StatusBody::Dialect { retry_after: Some(tail.strip_prefix("retry-")?.parse().ok()?) },
            };
            return Some(BuiltIn::Status(status, body));
        }
        let (kind, number) = name.rsplit_once('-')?;
        let number: u64 = number.parse().ok()?;
        Some(match kind {
            "slow-head" => BuiltIn::SlowHead(number),
            "slow-first" => BuiltIn::SlowFirst(number),
            "random" => BuiltIn::Chunked(Chunking::Random(number)),
            "pace" => BuiltIn::Styled(|style, ms| style.pace_ms = ms, number),
            "words" => BuiltIn::Styled(
                |style, words| {
                    style.words = Some(words);
                    style.pace_ms = 0;
                },
                number,
            ),
            _ => return None,
        })
    }

    fn script(self, wanted: &Wanted<'_>) -> Script {
        let style = Style { pace_ms: wanted.pace_ms, ..Style::default() };
        let friendly = |style: &Style| friendly::answer(wanted.parsed, wanted.serial, style);
        match self {
            BuiltIn::Styled(change, number) => {
                let mut style = style;
                change(&mut style, number);
                friendly(&style)
            }
            BuiltIn::Status(status, body) => status_script(wanted.parsed.dialect, status, body),
            BuiltIn::Html => Script::json(502, Value::String(HTML_502.to_owned())).header("content-type", "text/html"),
            BuiltIn::NoHead(step) => Script { before_head: vec![step], ..Script::default() },
            BuiltIn::HeadOnly => {
                let mut script = as_steps(friendly(&style));
                script.steps = vec![Step::Stall(True)];
                script
            }
            BuiltIn::Broken(how) => broken(friendly(&style), wanted.parsed.dialect, how),
            BuiltIn::AfterEnd => {
                let mut script = friendly(&style);
                if !script.steps.is_empty() {
                    script.steps.push(Step::Data(json!({"type": "late", "object": "late", "choices": []})));
                }
                script
            }
            BuiltIn::Empty => {
                let mut script = as_steps(friendly(&style));
                script.headers.remove("content-length");
                script.steps = vec![Step::DelayMs(0)];
                script
            }
            BuiltIn::Slow => {
                let script = friendly(&Style { pace_ms: 200, ..style });
                Script { before_head: vec![Step::DelayMs(1000)], ..script }
            }
            BuiltIn::SlowHead(ms) => Script { before_head: vec![Step::DelayMs(ms)], ..friendly(&style) },
            BuiltIn::SlowFirst(ms) => {
                let mut script = as_steps(friendly(&style));
                script.steps.insert(0, Step::DelayMs(ms));
                script
            }
            BuiltIn::Chunked(chunking) => friendly(&style).chunked(chunking),
            BuiltIn::Crlf => {
                let mut script = friendly(&style);
                for step in &mut script.steps {
                    let text = String::from_utf8(step.bytes()).unwrap_or_default();
                    if !text.is_empty() {
                        *step = Step::Send(text.replace('\n', "\r\n"));
                    }
                }
                script
            }
        }
    }
}

fn status_script(dialect: Dialect, status: u16, body: StatusBody) -> Script {
    match body {
        StatusBody::Dialect { retry_after } => {
            let script = friendly::error(dialect, status, &format!("The simulator was asked to answer {status}."));
            match retry_after {
                Some(seconds) => script.header("retry-after", seconds.to_string()),
                None => script,
            }
        }
        StatusBody::Empty => Script { status, ..Script::default() },
        StatusBody::Text => Script::json(status, Value::String("upstream connect error or disconnect".to_owned())),
    }
}

/// The script with its whole body, if it has one, as a step; the length still promised is the whole one.
fn as_steps(mut script: Script) -> Script {
    if script.steps.is_empty() {
        script.headers = script.head().into_iter().collect::<BTreeMap<_, _>>();
        let text = String::from_utf8(script.whole_body()).unwrap_or_default();
        script.body = None;
        script.steps = vec![Step::Send(text)];
    }
    script
}

/// Some of the answer, then the fault: after the third event that carries data, or half the body.
fn broken(script: Script, dialect: Dialect, how: Break) -> Script {
    let streamed = !script.steps.is_empty();
    let mut script = as_steps(script);
    if streamed {
        let mut events = 0;
        let begun = |step: &Step| {
            events += usize::from(matches!(step, Step::Data(_) | Step::Event(_)));
            events <= 4
        };
        script.steps = script.steps.into_iter().take_while(begun).collect();
    } else if let Some(Step::Send(text)) = script.steps.first_mut() {
        *text = text.chars().take(text.chars().count() / 2).collect();
    }
    let last = match how {
        Break::Stall => Step::Stall(True),
        Break::Cut => Step::Cut(True),
        Break::Reset => Step::Reset(True),
        Break::Quiet => Step::DelayMs(0),
        Break::Error => {
            let error = friendly::error_value(dialect, 529, "The simulator failed in the middle, as it was asked to.");
            match (streamed, dialect) {
                (false, _) => return Script::json(200, error),
                (true, Dialect::OpenAi | Dialect::Gemini) => Step::Data(error),
                (true, Dialect::Anthropic) => Step::Event(error),
            }
        }
        Break::BadJson => Step::Send("data: {\"choices\": [{\"delta\": \n\n".to_owned()),
    };
    if !streamed && matches!(how, Break::Quiet | Break::BadJson) {
        script.headers.remove("content-length");
        return script;
    }
    script.steps.push(last);
    script
}

const HTML_502: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n\
<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
