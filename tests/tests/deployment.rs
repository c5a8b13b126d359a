//! What is deployed is what the code expects: `template.yaml` and `wrangler.toml` against the sources.
//!
//! The platforms' own linters take any word for `InvokeMode` or `BuildMethod` and know nothing of the
//! bindings the code reads; a slip shows only after the deployment, as a silent fallback.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod source;

use signalbox::config::{Config, Providers};
use source::{Source, file, files};
use std::collections::{BTreeMap, BTreeSet};
use toml::Table;
use yaml_rust2::{Yaml, YamlLoader};

fn template() -> Yaml {
    YamlLoader::load_from_str(&file("template.yaml")).unwrap().remove(0)
}

fn resource(name: &str) -> Yaml {
    template()["Resources"][name].clone()
}

fn gateway() -> Yaml {
    resource("Gateway")["Properties"].clone()
}

fn text(yaml: &Yaml) -> &str {
    yaml.as_str().unwrap_or_else(|| panic!("not a text: {yaml:?}"))
}

fn names(yaml: &Yaml) -> BTreeSet<String> {
    yaml.as_hash().unwrap().keys().map(|key| text(key).to_owned()).collect()
}

/// The words in quotation marks after `call` in the sources of a folder: what it asks its environment for.
fn asked(folder: &str, call: &str) -> BTreeSet<String> {
    let calls = |source: &Source| {
        let rest = source.text.split(call).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
        rest.filter(|word| word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
            .collect::<Vec<_>>()
    };
    files(folder, &[".rs", ".mjs"]).iter().flat_map(calls).collect()
}

#[test]
fn the_function_is_built_from_rust_and_streams_its_answers() {
    let function = resource("Gateway");
    assert_eq!(text(&function["Metadata"]["BuildMethod"]), "rust-cargolambda");
    assert_eq!(text(&function["Metadata"]["BuildProperties"]["Binary"]), "bootstrap");
    let properties = gateway();
    assert_eq!(text(&properties["CodeUri"]), "lambda");
    assert_eq!(text(&properties["Handler"]), "bootstrap");
    assert_eq!(text(&properties["Runtime"]), "provided.al2023");
    assert_eq!(text(&properties["FunctionUrlConfig"]["InvokeMode"]), "RESPONSE_STREAM");
    assert_eq!(text(&properties["FunctionUrlConfig"]["AuthType"]), "NONE");
    assert!(file("lambda/Cargo.toml").contains("[[bin]]\nname = \"bootstrap\""));
}

#[test]
fn both_platforms_come_round_once_a_minute_in_the_form_the_code_knows() {
    let minute = &gateway()["Events"]["Minute"];
    assert_eq!(text(&minute["Type"]), "ScheduleV2");
    assert_eq!(text(&minute["Properties"]["ScheduleExpression"]), "rate(1 minute)");
    let event: serde_json::Value = serde_json::from_str(text(&minute["Properties"]["Input"])).unwrap();
    let said = event["requestContext"]["apiId"].as_str().unwrap();
    assert!(file("lambda/src/function.rs").contains(&format!("const CLOCK: &str = \"{said}\";")));
    let wrangler: Table = file("wrangler.toml").parse().unwrap();
    assert_eq!(wrangler["triggers"]["crons"][0].as_str(), Some("* * * * *"));
    assert!(file("edge/entry.mjs").contains("scheduled(controller, env)"));
}

#[test]
fn the_function_is_built_for_arm_unless_asked_otherwise_and_outlives_a_long_stream() {
    assert_eq!(text(&gateway()["Architectures"][0]["Ref"]), "Architecture");
    let architecture = &template()["Parameters"]["Architecture"];
    assert_eq!(text(&architecture["Default"]), "arm64");
    assert_eq!(
        architecture["AllowedValues"].as_vec().unwrap().iter().map(text).collect::<Vec<_>>(),
        ["arm64", "x86_64"]
    );
    let timeout = u64::try_from(gateway()["Timeout"].as_i64().unwrap()).unwrap();
    let longest = signalbox::config::Timeouts::default().total.0 / 1_000;
    assert!(timeout > longest, "the function ends at {timeout} s, before its own limit of {longest} s has settled");
}

#[test]
fn the_table_has_the_shape_the_store_uses_and_outlives_the_stack() {
    let table = resource("Table");
    for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
        assert_eq!(text(&table[policy]), "Retain");
    }
    let shape = &table["Properties"];
    let keys: Vec<_> = shape["KeySchema"]
        .as_vec()
        .unwrap()
        .iter()
        .map(|key| (text(&key["AttributeName"]).to_owned(), text(&key["KeyType"]).to_owned()))
        .collect();
    assert_eq!(keys, [("pk".into(), "HASH".into()), ("sk".into(), "RANGE".into())]);
    let store = files("lambda/src/store", &[".rs"]).iter().map(|source| source.text.clone()).collect::<String>();
    assert!(
        store.contains(r#"[("pk", KeyType::Hash), ("sk", KeyType::Range)]"#),
        "the store's own table has other keys"
    );
    let expires = text(&shape["TimeToLiveSpecification"]["AttributeName"]).to_owned();
    assert!(store.contains(&format!("(\"{expires}\".to_owned()")), "the store writes no `{expires}`");
    assert_eq!(shape["TimeToLiveSpecification"]["Enabled"].as_bool(), Some(true));
    assert_eq!(shape["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"].as_bool(), Some(true));
    assert_eq!(shape["SSESpecification"]["SSEEnabled"].as_bool(), Some(true));
    assert_eq!(text(&shape["BillingMode"]), "PAY_PER_REQUEST");
}

#[test]
fn the_function_may_do_to_its_own_table_what_the_store_does_and_no_more() {
    let policies = gateway()["Policies"].clone();
    assert_eq!(policies.as_vec().unwrap().len(), 1);
    let statement = &policies[0]["Statement"][0];
    assert_eq!(
        statement["Resource"]["Fn::GetAtt"].as_vec().unwrap().iter().map(text).collect::<Vec<_>>(),
        ["Table", "Arn"]
    );
    let granted: BTreeSet<&str> = statement["Action"].as_vec().unwrap().iter().map(text).collect();
    let store: String =
        files("lambda/src/store", &[".rs"]).iter().filter(|source| !source.is_test()).map(Source::production).collect();
    let uses = [
        ("dynamodb:GetItem", ".get_item()"),
        ("dynamodb:PutItem", ".put_item()"),
        ("dynamodb:UpdateItem", ".update_item()"),
        ("dynamodb:DeleteItem", ".delete_item()"),
        ("dynamodb:Query", ".query()"),
        ("dynamodb:Scan", ".scan()"),
        ("dynamodb:BatchGetItem", ".batch_get_item()"),
        ("dynamodb:BatchWriteItem", ".batch_write_item()"),
        ("dynamodb:DescribeTable", ".describe_table()"),
        // A transaction needs the right of each part of it.
        ("dynamodb:ConditionCheckItem", "ConditionCheck::builder()"),
    ];
    let joined: String = store.split_whitespace().collect();
    let used: BTreeSet<&str> =
        uses.iter().filter(|(_, call)| joined.contains(call)).map(|(action, _)| *action).collect();
    assert_eq!(granted, used);
}

#[test]
fn the_function_may_write_to_the_archive_where_there_is_one_and_do_nothing_else_there() {
    let both = gateway()["Policies"][0]["Statement"][1]["Fn::If"].clone();
    assert_eq!((text(&both[0]), text(&both[2]["Ref"])), ("HasArchive", "AWS::NoValue"));
    assert_eq!(text(&both[1]["Action"]), "s3:PutObject");
    let prefix = signalbox::gateway::archive::objects(None);
    assert!(text(&both[1]["Resource"]["Fn::Sub"]).ends_with(&format!("/{prefix}*")), "{prefix}");
    // The Worker's bucket is a binding that is there to be switched on.
    let binding = "# [[r2_buckets]]\n# binding = \"ARCHIVE\"\n# bucket_name = ";
    assert!(file("wrangler.toml").contains(binding) && file("edge/glue.mjs").contains("env.ARCHIVE.put("));
}

#[test]
fn the_function_is_given_every_variable_it_reads() {
    let given = names(&gateway()["Environment"]["Variables"]);
    let mut read = asked("lambda/src", "variable(\"");
    read.extend(asked("shared/src/app", "\"SIGNALBOX_").into_iter().map(|rest| format!("SIGNALBOX_{rest}")));
    // What Lambda itself sets.
    read.retain(|name| !name.starts_with("AWS_") && !name.starts_with("LAMBDA_"));
    assert!(
        read.contains("SIGNALBOX_TABLE") && read.contains("SIGNALBOX_SECRET"),
        "the search finds too little: {read:?}"
    );
    assert!(given.is_superset(&read), "not in template.yaml: {:?}", read.difference(&given));
    let builtin = file("shared/src/config/providers/builtin.rs");
    // And none that nobody reads: a provider's, or one of ours.
    for name in given.difference(&read) {
        let bindings = BTreeMap::from([(name.clone(), "https://example.com/v1".to_owned())]);
        let enables = |bindings: BTreeMap<String, String>| Providers::from(&Config::default(), &bindings);
        let alone = enables(bindings.clone());
        let known = !alone.is_empty() || !alone.problems().is_empty() || builtin.contains(name);
        assert!(known, "{name} enables nothing");
    }
}

#[test]
fn every_provider_can_be_enabled_where_the_function_is_deployed() {
    let given = names(&gateway()["Environment"]["Variables"]);
    let readme = file("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `") && line.contains("enable"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let bindings: BTreeSet<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    // The function signs by its own role; a token would be over within the hour; and a binding of the Worker is none of its.
    let left_out = ["BEDROCK_ACCESS_KEY_ID", "BEDROCK_SECRET_ACCESS_KEY", "VERTEX_ACCESS_TOKEN", "AI"];
    let keys = bindings.iter().filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    let missing: Vec<_> = keys.filter(|name| !left_out.contains(*name) && !given.contains(**name)).collect();
    assert!(bindings.contains("GEMINI_API_KEY"), "the search finds too little: {bindings:?}");
    assert!(missing.is_empty(), "not in template.yaml: {missing:?}");
    let bedrock = gateway()["Policies"][0]["Statement"][2]["Fn::If"].clone();
    assert_eq!((text(&bedrock[0]), text(&bedrock[1]["Action"][0])), ("HasBedrock", "bedrock:InvokeModel"));
}

#[test]
fn secrets_are_made_or_passed_on_and_never_written_down() {
    let variables = gateway()["Environment"]["Variables"].clone();
    for name in ["SIGNALBOX_SECRET", "SIGNALBOX_ADMIN_KEY"] {
        assert!(text(&variables[name]["Fn::Sub"]).starts_with("{{resolve:secretsmanager:${"), "{name}");
    }
    let parameters = template()["Parameters"].clone();
    for (name, value) in variables.as_hash().unwrap() {
        if text(name).ends_with("_API_KEY") {
            let parameter = &parameters[text(&value["Ref"])];
            assert_eq!(parameter["NoEcho"].as_bool(), Some(true), "{name:?}");
            assert_eq!(parameter["Default"].as_str(), Some(""), "{name:?}");
        }
    }
    for secret in ["HashingSecret", "AdminKey"] {
        assert_eq!(text(&resource(secret)["DeletionPolicy"]), "Retain");
        assert!(resource(secret)["Properties"]["GenerateSecretString"]["PasswordLength"].as_i64().unwrap() >= 32);
    }
}

fn wrangler() -> Table {
    file("wrangler.toml").parse().unwrap()
}

fn list<'a>(table: &'a Table, name: &str) -> Vec<&'a Table> {
    table[name].as_array().unwrap().iter().map(|value| value.as_table().unwrap()).collect()
}

#[test]
fn the_worker_is_given_every_store_it_reads() {
    let wrangler = wrangler();
    let glue = file("edge/glue.mjs");
    for kv in list(&wrangler, "kv_namespaces") {
        let name = kv["binding"].as_str().unwrap();
        assert!(glue.contains(&format!("question(env.{name})")), "nobody reads {name}");
    }
    for object in list(wrangler["durable_objects"].as_table().unwrap(), "bindings") {
        let (name, class) = (object["name"].as_str().unwrap(), object["class_name"].as_str().unwrap());
        assert!(glue.contains(&format!("env.{name}.")), "nobody calls {name}");
        assert!(
            file("edge/entry.mjs").contains(&format!("export class {class} extends DurableObject")),
            "{class} is not exported"
        );
        let made: Vec<_> = list(&wrangler, "migrations")
            .iter()
            .flat_map(|step| step["new_sqlite_classes"].as_array().unwrap().clone())
            .collect();
        assert!(made.iter().any(|made| made.as_str() == Some(class)), "no migration makes {class} with SQLite");
    }
}

#[test]
fn the_worker_is_deployed_as_it_was_built_and_run_as_it_was_tested() {
    let wrangler = wrangler();
    assert_eq!(wrangler["main"].as_str(), Some("edge/build/entry.mjs"));
    assert_eq!(wrangler["no_bundle"].as_bool(), Some(true));
    assert!(wrangler["build"]["command"].as_str().unwrap().contains("build-worker"));
    let dev = file("edge/dev.mjs");
    let date = wrangler["compatibility_date"].as_str().unwrap();
    assert!(dev.contains(&format!("\"{date}\"")), "edge/dev.mjs runs with another compatibility date");
    for flag in wrangler["compatibility_flags"].as_array().unwrap() {
        assert!(dev.contains(&format!("\"{}\"", flag.as_str().unwrap())), "edge/dev.mjs runs without {flag:?}");
    }
    // A secret in the file would be a secret in the repository.
    let vars: Vec<String> = wrangler
        .get("vars")
        .and_then(|vars| vars.as_table())
        .map(|vars| vars.keys().cloned().collect())
        .unwrap_or_default();
    assert!(vars.iter().all(|name| !name.ends_with("_KEY") && !name.ends_with("_SECRET")), "{vars:?}");
}

#[test]
fn versions_that_must_be_equal_are_equal() {
    let pinned = |manifest: &str, name: &str| {
        let table: Table = file(manifest).parse().unwrap();
        let entry = &table["dependencies"][name];
        entry.as_str().or_else(|| entry["version"].as_str()).unwrap().to_owned()
    };
    let version = pinned("edge/Cargo.toml", "wasm-bindgen");
    assert!(version.starts_with('='), "wasm-bindgen is not pinned");
    assert_eq!(version, pinned("tools/Cargo.toml", "wasm-bindgen-cli-support"));
}
