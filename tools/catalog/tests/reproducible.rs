//! The table in the repository is what the generator makes of the price list, where that is at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

#[test]
fn the_committed_table_is_what_the_price_list_gives() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("SIGNALBOX_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let Ok(list) = std::fs::read_to_string(shared.join("prices/model_prices.json")) else {
        eprintln!("notice: no price list in {}; the table is not checked", shared.display());
        return;
    };
    let made = catalog_gen::table(&list).unwrap();
    let committed = std::fs::read_to_string(root.join("shared/src/catalog/models.tsv")).unwrap();
    let difference = made.lines().zip(committed.lines()).find(|(made, committed)| made != committed);
    assert!(made == committed, "run catalog-gen again; first difference: {difference:?}");
}

#[test]
fn a_price_list_becomes_sorted_lines_of_facts() {
    let list = r#"{
        "zeta": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
                 "cache_read_input_token_cost": 1.25e-06, "max_input_tokens": 128000, "max_output_tokens": 16384,
                 "supports_vision": true, "supports_function_calling": true, "deprecation_date": "2027-01-14"},
        "alpha": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
                  "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
                  "supports_reasoning": true, "supports_sampling_params": false},
        "deepseek/two": {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 1e-07, "output_cost_per_token": 1e-07},
        "two": {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 2e-07, "output_cost_per_token": 1e-07,
                "cache_creation_input_token_cost": 0.0},
        "no-price": {"litellm_provider": "openai", "mode": "chat"},
        "picture": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_token": 1, "output_cost_per_token": 1},
        "elsewhere": {"litellm_provider": "openai", "mode": "responses", "supported_endpoints": ["/v1/responses"], "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
        "nowhere": {"litellm_provider": "openai", "mode": "chat", "supported_endpoints": ["/v1/realtime"], "input_cost_per_token": 1, "output_cost_per_token": 1},
        "given-away": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
        "ollama/mine": {"litellm_provider": "ollama", "mode": "chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
        "banded": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06, "cache_read_input_token_cost": 1e-07,
                   "input_cost_per_token_above_200k_tokens": 2e-06, "output_cost_per_token_above_200k_tokens": 3e-06,
                   "input_cost_per_token_priority": 4e-06, "output_cost_per_token_priority": 8e-06, "cache_read_input_token_cost_priority": 5e-07,
                   "input_cost_per_token_flex": 5e-07, "input_cost_per_audio_token": 1.6e-05},
        "cohere/vectors": {"litellm_provider": "cohere", "mode": "embedding", "input_cost_per_token": 1.2e-07, "output_cost_per_token": 0.0, "input_cost_per_image_token": 4.7e-07},
        "cohere/slip": {"litellm_provider": "cohere", "mode": "embedding", "input_cost_per_token": 1e-04},
        "cohere/order": {"litellm_provider": "cohere", "mode": "rerank", "input_cost_per_query": 0.002, "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
        "stranger": {"litellm_provider": "somebody", "mode": "chat", "input_cost_per_token": 1, "output_cost_per_token": 1},
        "bad name": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1, "output_cost_per_token": 1}
    }"#;
    let table = catalog_gen::table(list).unwrap();
    let lines: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    let want = [
        "*\t\t\t3\t15\t\t3.75\t6\t\t\t\t\ta=16 q=2000 p=4/8//4/4",
        "anthropic:*\t\t\t3\t15\t\t3.75\t6",
        "anthropic:alpha\t\t\t3\t15\t\t3.75\t6\t\tr\tbf",
        "cohere:*\t\t\t0.12\t0\t\t0.12\t0.12\t\t\t\t\ti=0.47 q=2000",
        "cohere:order\t\t\t0\t0\t\t\t\t\t\tR\t\tq=2000",
        "cohere:vectors\t\t\t0.12\t0\t\t\t\t\t\tE\t\ti=0.47",
        "deepseek:*\t\t\t0.2\t0.1\t\t0.2\t0.2",
        "deepseek:two\t\t\t0.2\t0.1",
        "ollama:*\t\t\t0\t0\t\t0\t0",
        "ollama:mine\t\t\t0\t0",
        "openai:*\t\t\t2.5\t10\t\t2.5\t2.5\t\t\t\t\ta=16 p=4/8//4/4",
        "openai:banded\t\t\t1\t2\t0.1\t\t\t\t\t\t\ta=16 >200=2/3/0.2 f*0.5 p=4/8/0.5",
        "openai:elsewhere\t\t\t1\t1\t\t\t\t\t\to",
        "openai:zeta\t128000\t16384\t2.5\t10\t1.25\t\t\t\ttv\t\t2027-01-14",
    ];
    assert_eq!(lines, want);
    assert!(catalog_gen::table("[]").is_err());
}
