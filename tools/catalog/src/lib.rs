//! Makes the built-in table of models (`shared/src/catalog/models.tsv`) from a price list in JSON.
//!
//! The list is keyed by model and names provider, mode, prices in dollars a token, sizes and
//! capabilities. Only facts are taken, and only of models that can be called through what we speak:
//! chats, legacy completions, embeddings, rerank. The same list gives the same bytes.

mod facts;
mod line;

use facts::Facts;
use serde_json::Value;
use signalbox::catalog::{Kind, ModelName};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The list's name of a provider, ours, and what its model names begin with in the list.
const PROVIDERS: &[(&str, &str, &str)] = &[
    ("anthropic", "anthropic", "anthropic/"),
    ("azure", "azure", "azure/"),
    ("bedrock", "bedrock", "bedrock/"),
    ("bedrock_converse", "bedrock", "bedrock/"),
    ("cerebras", "cerebras", "cerebras/"),
    ("cloudflare", "cloudflare", "cloudflare/"),
    ("cohere", "cohere", "cohere/"),
    ("cohere_chat", "cohere", "cohere/"),
    ("deepseek", "deepseek", "deepseek/"),
    ("fireworks_ai", "fireworks", "fireworks_ai/"),
    ("gemini", "gemini", "gemini/"),
    ("groq", "groq", "groq/"),
    ("jina_ai", "jina", "jina_ai/"),
    ("mistral", "mistral", "mistral/"),
    ("ollama", "ollama", "ollama/"),
    ("openai", "openai", "openai/"),
    ("perplexity", "perplexity", "perplexity/"),
    ("text-completion-openai", "openai", "openai/"),
    ("together_ai", "together", "together_ai/"),
    ("vertex_ai", "vertex", "vertex_ai/"),
    ("vertex_ai-embedding-models", "vertex", "vertex_ai/"),
    ("vertex_ai-language-models", "vertex", "vertex_ai/"),
    ("vertex_ai-anthropic_models", "vertex", "vertex_ai/"),
    ("voyage", "voyage", "voyage/"),
    ("xai", "xai", "xai/"),
];

/// `#` sorts before every id, so the table stays sorted with these lines on top.
const HEAD: &str = "\
#\tBuilt-in models, sorted by id as bytes. Made by catalog-gen; do not edit.
#\tPrices are dollars for a million tokens. An empty cell is as: cache_read and cache_write input,
#\tcache_write_1h cache_write, reasoning output; other empty cells are unknown.
#\tThe last column: a sound read, A sound spoken, i images read, q a million searches; and the prices, from
#\tinput to reasoning, of prompts above so many thousand tokens and of tiers (f flex, b batch, p priority, u fast):
#\t= the prices, * the part that each is of the list price.
#\tA model named * is the dearest of its provider part by part; the id * the dearest of all.
#\tReaders pass over columns after the last they know.
#\tid\tcontext\tmax_output\tinput\toutput\tcache_read\tcache_write\tcache_write_1h\treasoning\tcapabilities\ttraits\tretires\tspecial
";

/// The table for a price list; the error says why the list is unusable.
pub fn table(list: &str) -> Result<String, String> {
    let list: BTreeMap<String, Value> = serde_json::from_str(list).map_err(|error| error.to_string())?;
    let mut rows: BTreeMap<String, Facts> = BTreeMap::new();
    for (key, entry) in &list {
        let Some((id, kind)) = model(key, entry) else { continue };
        let Some(facts) = Facts::of(entry, kind, &id) else { continue };
        // Some models are listed with and without their provider's name. Where the two differ, the
        // dearer one is believed.
        let known = rows.get(&id).map(Facts::dearness);
        if known.is_none_or(|known| known < facts.dearness()) {
            rows.insert(id, facts);
        }
    }
    // A short name beside the same model's full one is no second model.
    let twin =
        |id: &str| id.strip_prefix("fireworks:").map(|short| format!("fireworks:accounts/fireworks/models/{short}"));
    let twins: Vec<String> =
        rows.keys().filter(|id| twin(id).is_some_and(|twin| rows.contains_key(&twin))).cloned().collect();
    rows.retain(|id, _| !twins.contains(id));
    for (id, facts) in rows.clone() {
        let provider = id.split(':').next().unwrap_or_default();
        for dearest in [format!("{provider}:*"), "*".to_owned()] {
            rows.entry(dearest).or_default().raise(&facts);
        }
    }
    rows.iter_mut().filter(|(id, _)| id.ends_with('*')).for_each(|(_, dearest)| dearest.even_out());
    let mut text = HEAD.to_owned();
    for (id, facts) in &rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{id}\t{}", line::write(facts));
    }
    Ok(text)
}

/// `provider:model` and what it is made for, if the entry is a model we can call.
fn model(key: &str, entry: &Value) -> Option<(String, Kind)> {
    let text = |name| entry.get(name).and_then(Value::as_str);
    let provider = text("litellm_provider")?;
    let (_, ours, prefix) = PROVIDERS.iter().find(|(theirs, _, _)| *theirs == provider)?;
    let model = key.strip_prefix(prefix).unwrap_or(key);
    let kind = match text("mode")? {
        "chat" => Kind::Chat,
        // Perplexity sells others' models there, by an API that is not its own chat's.
        "responses" if *ours != "perplexity" => Kind::Chat,
        // Cohere's and Mistral's are gone or elsewhere.
        "completion" if !matches!(*ours, "cohere" | "mistral") => Kind::Completion,
        "embedding" => Kind::Embedding,
        "rerank" => Kind::Rerank,
        _ => return None,
    };
    // Regions, price bands by size and commitments are no names of models.
    let no_model = match *ours {
        "azure" => model.contains('/'),
        "bedrock" => model.contains('/'),
        "together" => model.starts_with("together-ai-"),
        // Google's other chats are called in other ways, as are others' models in its cloud.
        "gemini" if kind == Kind::Chat => !model.starts_with("gemini-"),
        "vertex" => kind != Kind::Chat || !model.starts_with("gemini-"),
        "fireworks" => model.starts_with("fireworks-ai-"),
        _ => false,
    };
    let wanted = is_called(kind, entry) && !no_model && ModelName::parse(model).is_some();
    wanted.then(|| (format!("{ours}:{model}"), kind))
}

/// Whether a model answers at an endpoint we call. Those that say nothing do.
fn is_called(kind: Kind, entry: &Value) -> bool {
    let Some(endpoints) = entry.get("supported_endpoints").and_then(Value::as_array) else { return true };
    match kind {
        Kind::Chat => endpoints.iter().any(|path| path == "/v1/chat/completions" || path == "/v1/responses"),
        Kind::Completion | Kind::Embedding | Kind::Rerank => true,
    }
}
