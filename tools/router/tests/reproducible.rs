//! The heads beside the tools are the ones their data makes, and do what the report says.
#![allow(clippy::unwrap_used)]

use signalbox::embed::Weights;
use signalbox::router::learn::model::Model;
use signalbox_router_tools::built_in::{self, By, Counts};
use signalbox_router_tools::{data, metrics, predict, train};
use std::path::{Path, PathBuf};

/// Recorded outcomes, read in place; `None`, with a notice, where they are absent.
fn recorded() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("SIGNALBOX_SHARED").map_or_else(beside, PathBuf::from).join("routing/dev");
    if !folder.is_dir() {
        eprintln!("notice: no {}; training is not checked", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn training_on_the_same_outcomes_gives_the_same_coefficients_to_the_byte() {
    let Some(folder) = recorded() else { return };
    let sources = data::read(&folder).unwrap();
    let source = sources.iter().find(|source| source.name == "gsm8k").unwrap();
    let kept = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("heads/gsm8k.sbrm")).unwrap();
    let head = train::source_head(source, Model::parse(&kept).unwrap().version).unwrap();
    assert_eq!(head.model.to_bytes(), kept);
    let (weak, strong) = source.worths();
    let apgr = metrics::apgr(head.unseen.first().unwrap(), &weak, &strong);
    assert!(apgr >= 0.60, "cross-validated APGR is {apgr:.3}");
}

#[test]
fn predictions_name_every_prompt_once_and_unknown_sources_get_the_shipped_coefficients() {
    let Some(folder) = recorded() else { return };
    let sources = data::read(&folder).unwrap();
    let heads = predict::Heads::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("heads")).unwrap();
    assert_eq!(heads.of("never heard of"), &heads.general);
    assert_ne!(heads.of("mmlu"), &heads.general);
    let lines = predict::lines(&sources, &heads);
    assert_eq!(lines.lines().count(), sources.iter().map(|source| source.rows.len()).sum::<usize>());
}

#[test]
fn what_meaning_speaks_for_built_in_topics_is_made_again_to_the_byte_and_helps_on_prompts_that_chose_nothing() {
    let Some(folder) = recorded() else { return };
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read(home.join("../../shared/src/router/learn/topics.sbtm")).unwrap();
    let version = u16::from_le_bytes(kept.get(8..10).unwrap().try_into().unwrap());
    let by_hand = std::fs::read_to_string(home.join("prompts.tsv")).unwrap();
    let file = |name: &str| std::fs::read(folder.join("../embedding").join(name)).unwrap();
    let weights = Weights::read(&[file("minilm_static_64.semb"), file("vocab.txt")].concat()).unwrap();
    let asked = built_in::asked(&folder, &by_hand, &weights.embedding().unwrap()).unwrap();
    assert_eq!(built_in::train(&asked, version), kept);
    let drawn = built_in::order(&asked, 0);
    let (choose, others) = drawn.split_at(asked.len() / 2);
    let score = |by: By| {
        let (rows, thresholds) = by.chosen(choose);
        let mut counts = Counts::default();
        others.iter().for_each(|one| counts.add(one.of, built_in::told(one, &rows, thresholds)));
        counts.score()
    };
    let (marks, both) = (score(By::Marks), score(By::Both));
    assert!(both > marks + 0.02, "{marks:.3} by marks, {both:.3} with meaning");
}
