//! Foretells which prompts of a folder deserve the stronger model, in the form `score_router.py` reads.

use crate::data::{Row, Source};
use serde_json::json;
use signalbox::router::learn::model::Model;
use std::path::Path;

/// Heads by source. A source without one is scored by the shipped coefficients, as a tenant's first request is.
#[derive(Clone, Debug)]
pub struct Heads {
    /// Of the sources that were trained on.
    pub sources: Vec<(String, Model)>,
    /// For everything else.
    pub general: Model,
}

impl Heads {
    /// Those of a folder: `NAME.sbrm` a source, beside the built-in ones; none when there is no folder.
    pub fn read(folder: &Path) -> Result<Heads, String> {
        let mut sources = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_some_and(|end| end == "sbrm") {
                let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                let model = Model::parse(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
                sources.push((name, model));
            }
        }
        let general = Model::built_in().map_err(|error| error.to_string())?;
        Ok(Heads { sources, general })
    }

    /// The head that scores a source.
    pub fn of(&self, source: &str) -> &Model {
        self.sources.iter().find(|(name, _)| name == source).map_or(&self.general, |(_, model)| model)
    }
}

/// A row's score: higher means that the stronger model is worth more.
pub fn score(model: &Model, row: &Row) -> i32 {
    model.score(row.complexity, &row.dense, row.scan.grams())
}

/// A line a prompt: its id, its score, and the chance that the cheaper model will do.
pub fn lines(sources: &[Source], heads: &Heads) -> String {
    let mut text = String::new();
    for source in sources {
        let model = heads.of(&source.name);
        for row in &source.rows {
            let score = score(model, row);
            let will_do = f64::from(model.will_do(score)) / 65_536.0;
            text.push_str(&json!({ "id": row.id, "score": score, "will_do": will_do }).to_string());
            text.push('\n');
        }
    }
    text
}
