//! `train DIR` makes the coefficients, `predict DIR OUT.jsonl` uses them, `evaluate DIR` replays traffic.

use signalbox::router::learn::signals::PromptReader;
use signalbox_router_tools::{built_in_report, data, predict, report, topics, train};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: signalbox-router-tools train DIR [VERSION] [--into FOLDER]
       signalbox-router-tools predict DIR OUT.jsonl [--shipped | --heads FOLDER]

       signalbox-router-tools evaluate DIR
       signalbox-router-tools topics DIR
       signalbox-router-tools built-in-topics DIR [VERSION]

train    reads recorded outcomes (DIR/*.jsonl) and writes the head of each source to tools/router/heads, the shipped
         coefficients to shared/src/router/learn/learned.sbrm and what cross-validation says of them to
         tools/router/REPORT.md; with --into, all three to FOLDER
predict  scores the prompts of DIR/*.jsonl: a source's own head where there is one, the shipped coefficients
         elsewhere or, with --shipped, everywhere
evaluate replays recorded outcomes as traffic and writes tools/router/REPLAYS.md
topics   tells the subjects of benchmarks by a few examples, with the weights in DIR/../embedding, and writes
         tools/router/TOPICS.md
built-in-topics
         makes what meaning speaks for each built-in topic, with the weights in DIR/../embedding and the prompts of
         tools/router/prompts.tsv, and writes shared/src/router/learn/topics.sbtm and tools/router/BUILT_IN_TOPICS.md";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["train", folder] => train(folder, "1", None),
        ["train", folder, "--into", into] => train(folder, "1", Some(into)),
        ["train", folder, version] => train(folder, version, None),
        ["train", folder, version, "--into", into] => train(folder, version, Some(into)),
        ["evaluate", folder] => evaluate(folder),
        ["topics", folder] => tell_topics(folder),
        ["built-in-topics", folder] => built_in_topics(folder, "1"),
        ["built-in-topics", folder, version] => built_in_topics(folder, version),
        ["predict", folder, out] => predict(folder, out, Some(&home().join("heads"))),
        ["predict", folder, out, "--shipped"] => predict(folder, out, None),
        ["predict", folder, out, "--heads", heads] => predict(folder, out, Some(Path::new(heads))),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn train(folder: &str, version: &str, into: Option<&str>) -> Result<(), String> {
    let version: u16 = version.parse().map_err(|_| "the version is a number".to_owned())?;
    let sources = data::read(Path::new(folder))?;
    let (heads, report_path, shipped) = match into.map(PathBuf::from) {
        Some(into) => (into.clone(), into.join("REPORT.md"), into.join("learned.sbrm")),
        None => {
            (home().join("heads"), home().join("REPORT.md"), home().join("../../shared/src/router/learn/learned.sbrm"))
        }
    };
    std::fs::create_dir_all(&heads).map_err(|error| error.to_string())?;
    let mut text = format!("# What cross-validation says of version {version}\n\n");
    text.push_str("Written by `cargo run -p signalbox-router-tools -- train DIR`. Five folds, of three draws the middle one; .500 is chance.\n\n");
    text.push_str("A head a source, as a route's own traffic would train it:\n\n");
    text.push_str(report::TITLE);
    for source in &sources {
        if let Some(head) = train::source_head(source, version) {
            write(&heads.join(format!("{}.sbrm", head.name)), &head.model.to_bytes())?;
            text.push_str(&report::table(&head, &[source]));
        }
    }
    let taught: Vec<data::Source> =
        sources.into_iter().filter(|source| source.rows.iter().any(|row| row.worth.is_some())).collect();
    let general = train::general_head(&taught, version);
    write(&shipped, &general.model.to_bytes())?;
    text.push_str("\nThe shipped coefficients, one head over all of them:\n\n");
    text.push_str(report::TITLE);
    text.push_str(&report::table(&general, &taught.iter().collect::<Vec<_>>()));
    write(&report_path, text.as_bytes())?;
    print!("{text}");
    Ok(())
}

fn predict(folder: &str, out: &str, heads: Option<&Path>) -> Result<(), String> {
    let heads = predict::Heads::read(heads.unwrap_or(Path::new("")))?;
    let sources = data::read(Path::new(folder))?;
    write(Path::new(out), predict::lines(&sources, &heads).as_bytes())
}

fn evaluate(folder: &str) -> Result<(), String> {
    let sources = data::read(Path::new(folder))?;
    let reader = PromptReader::built_in().map_err(|error| error.to_string())?;
    let text = report::replays(&sources, &reader, Path::new(folder))?;
    write(&home().join("REPLAYS.md"), text.as_bytes())?;
    print!("{text}");
    Ok(())
}

fn tell_topics(folder: &str) -> Result<(), String> {
    let Some(text) = topics::report(Path::new(folder))? else {
        println!("notice: no weights beside {folder}; topics are not told by meaning");
        return Ok(());
    };
    write(&home().join("TOPICS.md"), text.as_bytes())?;
    print!("{text}");
    Ok(())
}

/// What stands before the figures.
const CARD: &str = include_str!("../built_in_card.md");

fn built_in_topics(folder: &str, version: &str) -> Result<(), String> {
    let version: u16 = version.parse().map_err(|_| "the version is a number".to_owned())?;
    let by_hand = std::fs::read_to_string(home().join("prompts.tsv")).map_err(|error| error.to_string())?;
    let Some((coefficients, text)) = built_in_report::report(Path::new(folder), &by_hand, version)? else {
        println!("notice: no weights beside {folder}; there is nothing to tell topics by");
        return Ok(());
    };
    write(&home().join("../../shared/src/router/learn/topics.sbtm"), &coefficients)?;
    write(&home().join("BUILT_IN_TOPICS.md"), [CARD, &text].concat().as_bytes())?;
    print!("{text}");
    Ok(())
}
