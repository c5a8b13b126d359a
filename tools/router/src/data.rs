//! Recorded outcomes: a prompt a line, and what each model's answer to it was worth.

use serde_json::Value;
use signalbox::router::learn::dense::Dense;
use signalbox::router::learn::lexicon::Lexicon;
use signalbox::router::learn::prior;
use signalbox::router::learn::sample::Sample;
use signalbox::router::learn::scan::Scan;
use std::path::{Path, PathBuf};

/// The weak and the strong model of each source, by the beginning of its file's name: RouteLLM's pairs, and
/// those of `score_router.py`.
const PAIRS: [(&str, &str, &str); 10] = [
    ("mmlu", MIXTRAL, GPT_4),
    ("gsm8k", MIXTRAL, GPT_4),
    ("mtbench", MIXTRAL, GPT_4),
    ("mmlu_pro", "Meta-Llama-3_1-8B-Instruct", "Meta-Llama-3_1-70B-Instruct"),
    ("zeroeval_math", HAIKU, SONNET),
    ("zeroeval_crux", HAIKU, SONNET),
    ("zeroeval_gsm", "gpt-3.5-turbo-0125", "gpt-4o-2024-08-06"),
    ("zeroeval_numersense", "gpt-3.5-turbo-0125", "gpt-4o-2024-05-13"),
    ("dcrouter", "mistral-7b-instruct-v0.3", "llama-3.1-nemotron-51b-instruct"),
    ("routerarena", HAIKU, "gemini-2.0-flash-001"),
];
const MIXTRAL: &str = "mistralai/Mixtral-8x7B-Instruct-v0.1";
const GPT_4: &str = "gpt-4-1106-preview";
const HAIKU: &str = "claude-3-haiku-20240307";
const SONNET: &str = "claude-3-5-sonnet-20241022";

/// A prompt, scanned.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name in the data.
    pub id: String,
    /// What it is about, as its source has it.
    pub subject: String,
    /// What the scan found.
    pub scan: Scan,
    /// The scan as a model sees it.
    pub dense: Dense,
    /// The prior's opinion.
    pub complexity: u32,
    /// What the weak and the strong model's answers were worth, where both are on record.
    pub worth: Option<(f64, f64)>,
    /// What every recorded answer was worth, by model.
    pub outcomes: Vec<(String, f64)>,
}

/// The prompts of a file.
#[derive(Clone, Debug)]
pub struct Source {
    /// The beginning of the file's name that tells which models are compared: `mmlu`, `gsm8k`, …; the
    /// whole name where none is known.
    pub name: String,
    /// The file's name without its end.
    pub file: String,
    /// Its prompts.
    pub rows: Vec<Row>,
}

impl Source {
    /// What the weak and the strong model's answers were worth, over the rows that have both.
    pub fn worths(&self) -> (Vec<f64>, Vec<f64>) {
        self.rows.iter().filter_map(|row| row.worth).unzip()
    }
}

/// Reads every file of outcomes in a folder, by name. Recorded answers (`cascade_*`) are another kind.
pub fn read(folder: &Path) -> Result<Vec<Source>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    paths.sort();
    let lexicon = Lexicon::built_in();
    let mut sources = Vec::new();
    for path in paths {
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if file.starts_with("cascade") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let pair = PAIRS.iter().filter(|pair| file.starts_with(pair.0)).max_by_key(|pair| pair.0.len());
        let rows = text.lines().map(|line| row(line, pair, &lexicon)).collect::<Option<Vec<Row>>>();
        let rows = rows.ok_or_else(|| format!("{}: a line is no prompt with an id", path.display()))?;
        sources.push(Source { name: pair.map_or(file.clone(), |pair| pair.0.to_owned()), file, rows });
    }
    Ok(sources)
}

fn row(line: &str, pair: Option<&(&str, &str, &str)>, lexicon: &Lexicon) -> Option<Row> {
    let value: Value = serde_json::from_str(line).ok()?;
    let scan = Scan::of(Sample::of(value.get("prompt")?.as_str()?), lexicon);
    let outcomes: Vec<(String, f64)> = (value.get("outcomes").and_then(Value::as_object).into_iter().flatten())
        .filter_map(|(model, worth)| Some((model.clone(), worth.as_f64()?)))
        .collect();
    let of = |name: &str| outcomes.iter().find(|(model, _)| model == name).map(|(_, worth)| *worth);
    Some(Row {
        id: value.get("id")?.as_str()?.to_owned(),
        subject: value.get("category").and_then(Value::as_str).unwrap_or_default().to_owned(),
        dense: Dense::of(&scan),
        complexity: prior::complexity(&scan),
        worth: pair.and_then(|(_, weak, strong)| of(weak).zip(of(strong))),
        scan,
        outcomes,
    })
}
