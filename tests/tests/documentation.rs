//! The README says what the code does: its tables and its example are read and compared.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod source;

use serde_json::json;
use signalbox::config::{Config, Providers};
use signalbox::dialect::{UpstreamClass, UpstreamError};
use signalbox::error::Code;
use signalbox::proxy::Retry;
use signalbox::proxy::failure::{is_unhealthy, retry};
use source::{file, tokens};
use std::collections::{BTreeMap, BTreeSet};

/// The cells of the table whose head begins with `first`, without its head.
fn table(first: &str) -> Vec<Vec<String>> {
    let readme = file("README.md");
    let rows = readme.lines().skip_while(|line| !line.starts_with(&format!("| {first} |"))).skip(2);
    let cells = |line: &str| {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_end_matches(" |").to_owned()).collect()
    };
    let rows: Vec<Vec<String>> = rows.take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "no table `{first}`");
    rows
}

/// The words in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn providers(document: &str, bindings: &[(&str, &str)]) -> BTreeSet<String> {
    let bindings: BTreeMap<String, String> =
        bindings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let config = Config::parse(document).unwrap_or_else(|problems| panic!("{problems}"));
    Providers::from(&config, &bindings).iter().map(|provider| provider.id.to_string()).collect()
}

fn example() -> String {
    file("README.md").split("```toml\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

#[test]
fn the_example_of_a_configuration_is_valid_and_its_provider_is_served() {
    let served = providers(&example(), &[("ACME_API_KEY", "x"), ("OPENAI_API_KEY", "x")]);
    assert_eq!(served, ["acme".to_owned(), "openai".to_owned()].into());
}

#[test]
fn the_example_shows_the_defaults_where_it_says_so() {
    let shown = Config::parse(&example()).unwrap();
    let default = Config::default();
    assert_eq!((shown.timeouts, shown.retries, shown.limits), (default.timeouts, default.retries, default.limits));
}

#[test]
fn every_binding_of_a_provider_enables_what_it_is_said_to_enable() {
    let mut documented = BTreeSet::new();
    for row in table("binding") {
        let (bindings, meaning) = (quoted(&row[0]), &row[1]);
        if !meaning.starts_with("enable") {
            continue;
        }
        let pem = ["-----BEGIN ", "AQID\n-----END ", ""].join("PRIVATE KEY-----\n");
        let account = json!({ "client_email": "a@p.example", "project_id": "p", "private_key": pem }).to_string();
        let source = json!({ "url": "https://id.example/token" });
        let identity = json!({ "audience": "a", "subject_token_type": "t", "credential_source": source }).to_string();
        let value = |name: &str| match name {
            "VERTEX_SERVICE_ACCOUNT" => account.as_str(),
            "VERTEX_WORKLOAD_IDENTITY" => identity.as_str(),
            _ if name.ends_with("_URL") => "https://example.com/openai/v1",
            _ => "x",
        };
        let given: Vec<(&str, &str)> =
            bindings.iter().filter(|name| !name.starts_with('/')).map(|name| (*name, value(name))).collect();
        let promised = quoted(meaning)[0];
        assert_eq!(providers("", &given), [promised.to_owned()].into(), "{given:?}");
        documented.insert(promised.to_owned());
    }
    // All of them: whoever the code knows has a row.
    let source = file("shared/src/config/providers/builtin.rs");
    let known = source.split("keyed(\"").skip(1).filter_map(|rest| rest.split('"').next());
    assert_eq!(documented, known.map(str::to_owned).collect());
}

/// `(code, status)` as the code has them, from its text: the enum itself cannot be listed.
fn codes() -> BTreeMap<String, u16> {
    let source = file("shared/src/error.rs");
    let body = |name: &str| source.split(name).nth(1).unwrap().split("\n    }\n").next().unwrap().to_owned();
    let statuses = body("pub fn status(self)");
    let status = |variant: &str| {
        let arm = statuses.split(',').find(|arm| tokens(arm).contains(&variant)).unwrap();
        arm.rsplit("=>").next().unwrap().trim().parse().unwrap()
    };
    let words = body("pub fn as_str(self)");
    let pairs = words.lines().filter_map(|line| {
        let (variant, word) = line.trim().strip_prefix("Code::")?.split_once(" => ")?;
        Some((word.trim_matches(|c| c == '"' || c == ',').to_owned(), status(variant)))
    });
    pairs.collect()
}

#[test]
fn every_error_code_is_listed_with_its_status() {
    let listed: BTreeMap<String, u16> =
        table("code").iter().map(|row| (quoted(&row[0])[0].to_owned(), row[1].parse().unwrap())).collect();
    assert_eq!(listed, codes());
    // The text is read right.
    assert_eq!(codes()[Code::InsufficientQuota.as_str()], Code::InsufficientQuota.status());
    assert_eq!(codes().len(), Code::ALL.len());
}

/// Every class by its name in the table. A new one stops the build here.
fn classes() -> Vec<(UpstreamClass, &'static str)> {
    use UpstreamClass::*;
    let all = [
        InvalidRequest,
        ContextLength,
        Auth,
        Permission,
        NotFound,
        RateLimited,
        QuotaExhausted,
        Overloaded,
        ServerError,
        Timeout,
        ContentPolicy,
        TooLarge,
        Protocol,
    ];
    let name = |class| match class {
        InvalidRequest => "InvalidRequest",
        ContextLength => "ContextLength",
        Auth => "Auth",
        Permission => "Permission",
        NotFound => "NotFound",
        RateLimited => "RateLimited",
        QuotaExhausted => "QuotaExhausted",
        Overloaded => "Overloaded",
        ServerError => "ServerError",
        Timeout => "Timeout",
        ContentPolicy => "ContentPolicy",
        TooLarge => "TooLarge",
        Protocol => "Protocol",
    };
    all.into_iter().map(|class| (class, name(class))).collect()
}

#[test]
fn the_table_of_upstream_failures_is_the_one_the_code_follows() {
    let rows = table("the provider says");
    assert_eq!(rows.len(), classes().len());
    for (class, name) in classes() {
        let row = rows.iter().find(|row| quoted(&row[1]) == [name]).unwrap_or_else(|| panic!("no row for {name}"));
        let error = UpstreamError { class, ..UpstreamError::protocol("x") };
        assert_eq!(quoted(&row[2]), [error.to_api_error().code.as_str()], "{name}");
        let (same, elsewhere) = match retry(class) {
            Retry::Same => ("yes", "yes"),
            Retry::Elsewhere => ("no", "yes"),
            Retry::Never => ("no", "no"),
        };
        let health = if is_unhealthy(error.to_api_error().code) { "yes" } else { "no" };
        assert_eq!([&row[3], &row[4], &row[5]], [same, elsewhere, health], "{name}");
    }
    // What a status means when the body says nothing.
    for (status, class) in rows.iter().flat_map(|row| {
        row[0]
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|n| n.parse::<u16>().ok().filter(|n| *n >= 100).map(|n| (n, row[1].clone())))
    }) {
        let read = UpstreamError::from_body(status, b"").class;
        assert_eq!(format!("`{read:?}`"), class, "{status}");
    }
}

#[test]
fn every_endpoint_is_listed_and_every_header_that_is_read() {
    let readme = file("README.md");
    let mut paths = BTreeSet::new();
    for source in source::files("shared/src/app", &[".rs"]) {
        let product = source.text.split("#[cfg(test)]").next().unwrap();
        paths.extend(
            product
                .split('"')
                .filter(|word| word.starts_with("/v1/") || *word == "/health")
                .map(|path| path.trim_end_matches('/').to_owned()),
        );
    }
    assert!(paths.contains("/v1/messages"), "{paths:?}");
    for path in paths {
        assert!(readme.contains(&path), "README.md does not list {path}");
    }
    for source in
        source::files("shared/src/pipeline", &[".rs"]).iter().chain(&source::files("shared/src/app", &[".rs"]))
    {
        let product = source.text.split("#[cfg(test)]").next().unwrap();
        let headers = product.split('"').filter(|word| word.starts_with("x-signalbox-") && !word.contains(' '));
        for header in headers {
            assert!(readme.contains(&format!("`{header}`")), "README.md does not list {header}");
        }
    }
}

#[test]
fn a_web_page_may_read_every_header_of_an_answer() {
    let source = file("shared/src/app/cors.rs");
    let exposed = source.split("const EXPOSED: &str = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let exposed: BTreeSet<&str> = exposed.split([',', ' ', '\\', '\n']).filter(|name| !name.is_empty()).collect();
    let readme = file("README.md");
    let answers = readme.split("### Response headers").nth(1).unwrap().split("\n### ").next().unwrap();
    let cells = answers.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let named: Vec<&str> = cells.flat_map(quoted).filter(|word| *word != "-tokens").collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        assert!(exposed.contains(name), "{name} is not exposed");
    }
    // What admin plane and idempotency add.
    assert!(["etag", "age", "x-signalbox-next-cursor"].iter().all(|name| exposed.contains(name)));
}

#[test]
fn the_documents_name_only_tests_and_files_that_are_there() {
    let everything: String = ["shared", "edge", "lambda", "tests", "tools"]
        .iter()
        .flat_map(|folder| source::files(folder, &[".rs", ".mjs", ".json", ".toml"]))
        .map(|source| source.text)
        .collect();
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = file(document);
        let without_blocks: String = text.split("```").step_by(2).collect();
        for word in quoted(&without_blocks) {
            let is_path = word.contains('/')
                && ["shared/", "edge/", "lambda/", "tests/", "tools/", ".ci/"]
                    .iter()
                    .any(|folder| word.starts_with(folder));
            if is_path && !word.contains(['{', '*', '<', ' ', '→']) && !word.starts_with("edge/build") {
                assert!(source::root().join(word).exists(), "{document} names {word}, which is not there");
            }
            let is_test = word.matches('_').count() >= 3
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if is_test {
                assert!(everything.contains(word), "{document} names {word}, which is not there");
            }
        }
    }
}

#[test]
fn every_route_of_the_admin_plane_is_listed_with_its_roles() {
    use signalbox::gateway::admin::ROUTES;
    let listed: Vec<[String; 3]> =
        table("route").into_iter().map(|row| [quoted(&row[0])[0].to_owned(), row[1].clone(), row[2].clone()]).collect();
    let roles =
        |roles: &[signalbox::gateway::Role]| roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    let known: Vec<[String; 3]> = ROUTES
        .iter()
        .map(|route| [format!("{} {}", route.method, route.path), roles(route.roles), route.about.to_owned()])
        .collect();
    for row in &known {
        assert!(listed.contains(row), "README.md does not list {row:?}");
    }
    assert_eq!(listed.len(), known.len(), "README.md lists a route that is not there");
}
