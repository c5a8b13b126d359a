//! Makes the OpenAPI document from the tables of routes, and holds the one that is served against it.
//!
//! `UPDATE_GOLDEN=1 cargo test -p signalbox --lib openapi` writes it anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::app::endpoints::{ENDPOINTS, Endpoint, Kind, OPENAPI};
use crate::error::Code;
use crate::gateway::admin::ROUTES;
use crate::gateway::admin::routes::Route;
use crate::json::json;
use crate::operation::passthrough::METHODS;
use crate::sorted::{SortedMap, SortedSet};
use serde_json::{Map, Value};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/openapi.json");

/// What a caller may send beside the body, and what the answers bear. The README's tables say the same.
const ASKED: [(&str, &str); 6] = [
    ("x-signalbox-tags", "A JSON object of strings, at most 32: attribution."),
    ("x-signalbox-user", "Whom the call is for."),
    ("x-signalbox-route", "Takes the place of the body's model."),
    ("x-signalbox-timeout-ms", "The longest the whole call may take, 1 to 3600000."),
    ("x-signalbox-cache", "no-store or refresh."),
    ("traceparent", "W3C trace context."),
];
const ANSWERED: [(&str, &str); 10] = [
    ("x-signalbox-context", "The governed definitions the model was given, by version."),
    ("x-signalbox-request-id", "The id that is in the audit line."),
    ("x-signalbox-model", "What answered, provider:model."),
    ("x-signalbox-route", "The route or class; direct where a model was named."),
    ("x-signalbox-reason", "Why that model was first."),
    ("x-signalbox-attempts", "Calls made to providers."),
    ("x-signalbox-cost-usd", "The cost of an answer in one piece."),
    ("x-signalbox-warnings", "What a translation could not carry."),
    ("x-signalbox-cache", "hit, semantic, miss or bypass, where answers are kept."),
    ("server-timing", "Milliseconds in the gateway and at the provider."),
];

/// The codes of each status.
fn statuses() -> SortedMap<u16, Vec<&'static str>> {
    let mut all: SortedMap<u16, Vec<&str>> = SortedMap::new();
    for code in Code::ALL {
        all.entry(code.status()).or_default().push(code.as_str());
    }
    all
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn refusals(responses: &mut Map<String, Value>, statuses: &[u16]) {
    for status in statuses {
        responses.insert(status.to_string(), reference("responses", &format!("Refused{status}")));
    }
}

fn in_path(path: &str) -> Vec<Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let schema = json!({ "type": "string", "minLength": 1 });
    names.map(|name| json!({ "name": name, "in": "path", "required": true, "schema": schema })).collect()
}

fn in_query(route: &Route, name: &str) -> Value {
    // An empty value counts as none given.
    let one_of = |words: &[&str]| json!({ "enum": words.iter().chain(&[""]).collect::<Vec<_>>() });
    let schema = match (name, route.path) {
        ("limit", path) => {
            let most = match path {
                "audit" => 1_000,
                "audit/verify" => 50_000,
                _ => 200,
            };
            json!({ "type": "integer", "minimum": 1, "maximum": most })
        }
        ("days", _) => json!({ "type": "integer", "minimum": 1, "maximum": 31 }),
        ("from" | "to", "config/diff") => json!({ "type": "integer", "minimum": 1 }),
        ("from" | "to", _) => json!({ "type": "string", "description": "RFC 3339, or a day, a month; UTC." }),
        ("state", "audit") => one_of(&["open", "closed"]),
        ("state", "keys") => one_of(&["active", "expired", "revoked"]),
        ("order", _) => one_of(&["asc", "desc"]),
        ("interval", _) => one_of(&["hour", "day", "month"]),
        ("format", "usage") => one_of(&["json", "csv"]),
        ("format", _) => one_of(&["json", "jsonl"]),
        ("team", "audit/checkpoints") => json!({ "type": "string", "minLength": 1 }),
        _ => json!({ "type": "string" }),
    };
    let required = route.path == "config/diff" || (name == "team" && route.path == "audit/checkpoints");
    json!({ "name": name, "in": "query", "required": required, "schema": schema })
}

fn body(schema: &str, is_required: bool) -> Value {
    if schema == "Weights" {
        let bytes = json!({ "application/octet-stream": { "schema": reference("schemas", schema) } });
        return json!({ "required": is_required, "content": bytes });
    }
    if schema == "DefinitionLines" {
        let lines = json!({ "application/x-ndjson": { "schema": reference("schemas", schema) } });
        return json!({ "required": is_required, "content": lines });
    }
    let mut content = json!({ "application/json": { "schema": reference("schemas", schema) } });
    if schema == "Document" {
        content["application/toml"] = json!({ "schema": { "type": "string" } });
    }
    json!({ "required": is_required, "content": content })
}

fn administered(route: &Route) -> Value {
    let roles: Vec<&str> = route.roles.iter().map(|role| role.as_str()).collect();
    let mut parameters = in_path(route.path);
    // Filters by `tag.NAME`, of any name, are beyond what the document can say.
    let named = route.query.iter().filter(|name| **name != "tag_name");
    parameters.extend(named.map(|name| in_query(route, name)));
    let replaces = matches!(route.method, "PUT" | "PATCH" | "DELETE") || route.path.contains("}/");
    if replaces && route.method != "GET" {
        parameters.push(reference("parameters", "if-match"));
    }
    if route.status == 201 || route.gives == "KeyShownOnce" {
        parameters.push(reference("parameters", "idempotency-key"));
    }
    let mut answer = json!({ "description": "As asked.", "content": { "application/json": { "schema": reference("schemas", route.gives) } } });
    let text = json!({ "schema": { "type": "string" } });
    if route.query.contains(&"format") {
        let kind = if route.path == "usage" { "text/csv" } else { "application/x-ndjson" };
        answer["content"][kind] = text;
    }
    let mut responses = Map::new();
    responses.insert(route.status.to_string(), answer);
    refusals(&mut responses, &[400, 401, 403, 404, 409, 412, 413, 500, 503]);
    let mut operation = json!({
        "operationId": format!("{:?}", route.action),
        "tags": [route.path.split('/').next()],
        "summary": route.about,
        "description": format!("Roles: {}.", roles.join(", ")),
        "security": [{ "administrator": [] }],
        "parameters": parameters,
        "responses": responses,
    });
    if !route.takes.is_empty() {
        operation["requestBody"] = body(route.takes.trim_end_matches('?'), !route.takes.ends_with('?'));
    }
    operation
}

fn served(endpoint: &Endpoint) -> Value {
    let (takes, gives) = endpoint.schemas;
    let mut parameters = in_path(endpoint.path);
    let mut answer = match gives {
        "" => json!({ "description": "Done; a browser is sent on." }),
        "Page" => json!({ "description": "A page.", "content": { "text/html": { "schema": { "type": "string" } } } }),
        gives => {
            json!({ "description": "As asked.", "content": { "application/json": { "schema": reference("schemas", gives) } } })
        }
    };
    let (security, statuses): (Value, &[u16]) = match endpoint.kind {
        Kind::Call => {
            parameters.extend(ASKED.iter().map(|(name, _)| reference("parameters", name)));
            answer["headers"] =
                ANSWERED.iter().map(|(name, _)| ((*name).to_owned(), reference("headers", name))).collect();
            answer["content"]["text/event-stream"] = json!({ "schema": { "type": "string" } });
            (json!([{ "key": [] }]), &[400, 401, 402, 403, 404, 409, 413, 415, 429, 500, 502, 503, 504])
        }
        Kind::Form => (json!([]), &[400, 401, 413, 500, 503]),
        Kind::Look => (json!([{ "key": [] }]), &[401, 403, 404, 503]),
        Kind::Open => (json!([]), &[400, 401, 503]),
        Kind::Browser => (json!([]), &[401, 403, 404, 503]),
    };
    let mut responses = Map::new();
    for status in if gives.is_empty() { &["204", "303"][..] } else { &["200"] } {
        responses.insert((*status).to_owned(), answer.clone());
    }
    refusals(&mut responses, statuses);
    if endpoint.path == "/mcp" {
        // A notification is taken without an answer; what is no message is told so in the protocol's own form.
        responses.insert("202".to_owned(), json!({ "description": "A notification was taken." }));
        responses.insert("400".to_owned(), answer.clone());
    }
    if endpoint.kind == Kind::Browser && matches!(gives, "Page" | "") && endpoint.method == "GET" {
        let page = json!({ "description": "A page that says what is wrong.", "content": { "text/html": { "schema": { "type": "string" } } } });
        responses.extend(statuses.iter().map(|status| (status.to_string(), page.clone())));
    }
    let mut operation = json!({
        "tags": ["gateway"], "summary": endpoint.about, "security": security, "parameters": parameters, "responses": responses,
    });
    if !takes.is_empty() {
        operation["requestBody"] = body(takes, true);
    }
    if endpoint.kind == Kind::Form {
        let content = json!({ "application/x-www-form-urlencoded": { "schema": reference("schemas", takes) } });
        operation["requestBody"]["content"] = content;
    }
    operation
}

/// A provider's own API, whatever it is.
fn passed() -> Value {
    let mut responses = Map::new();
    responses.insert("default".to_owned(), json!({ "description": "The provider's own answer." }));
    refusals(&mut responses, &[400, 401, 402, 403, 404, 429, 502, 503, 504]);
    json!({
        "tags": ["gateway"], "summary": "The rest of a provider's API as it is.", "security": [{ "key": [] }],
        "parameters": in_path("{provider}{path}"), "responses": responses,
    })
}

fn document() -> Map<String, Value> {
    let mut paths: SortedMap<String, Map<String, Value>> = SortedMap::new();
    for endpoint in ENDPOINTS {
        let item = paths.entry(endpoint.path.to_owned()).or_default();
        item.insert(endpoint.method.to_lowercase(), served(endpoint));
    }
    let passed_on = METHODS.iter().map(|method| (method.to_lowercase(), passed())).collect();
    paths.insert("/passthrough/{provider}/{path}".to_owned(), passed_on);
    for route in ROUTES {
        let item = paths.entry(format!("/admin/v1/{}", route.path)).or_default();
        item.insert(route.method.to_lowercase(), administered(route));
    }
    let mut schemas: SortedMap<String, Value> = serde_json::from_str(include_str!("schemas.json")).unwrap();
    for name in
        ROUTES.iter().flat_map(|route| [route.takes.trim_end_matches('?'), route.gives]).filter(|name| !name.is_empty())
    {
        // One that nobody wrote down yet says as much as it can.
        schemas.entry(name.to_owned()).or_insert_with(|| json!({ "type": "object" }));
    }
    let refused = |(status, codes): (u16, Vec<&str>)| {
        let content = json!({ "application/json": { "schema": { "anyOf": [reference("schemas", "Error"), reference("schemas", "Answer")] } } });
        (format!("Refused{status}"), json!({ "description": format!("{}.", codes.join(", ")), "content": content }))
    };
    let header = |(name, about): (&str, &str)| {
        (name.to_owned(), json!({ "description": about, "schema": { "type": "string" } }))
    };
    let parameter = |(name, about): (&str, &str)| {
        (name.to_owned(), json!({ "name": name, "in": "header", "description": about, "schema": { "type": "string" } }))
    };
    let own = [
        ("if-match", "The etag of what is to be changed: 412 if it was changed since."),
        ("idempotency-key", "However often it is sent within a day, one thing is made and one answer given."),
    ];
    let bearer = |about: &str| json!({ "type": "http", "scheme": "bearer", "description": about });
    let components = json!({
        "securitySchemes": {
            "key": bearer("A virtual key; also as x-api-key, api-key or x-goog-api-key."),
            "administrator": bearer("SIGNALBOX_ADMIN_KEY, or a key with a role."),
        },
        "parameters": ASKED.into_iter().chain(own).map(parameter).collect::<Map<_, _>>(),
        "headers": ANSWERED.into_iter().map(header).collect::<Map<_, _>>(),
        "responses": statuses().into_iter().map(refused).collect::<Map<_, _>>(),
        "schemas": schemas,
    });
    let info = json!({
        "title": "Signalbox", "version": env!("CARGO_PKG_VERSION"),
        "summary": "One URL in front of every LLM provider.", "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    let all = [("openapi", json!("3.1.0")), ("info", info), ("paths", json!(paths)), ("components", components)];
    all.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// Small to serve and good to compare: a line for each path and each component.
fn written() -> String {
    let document = document();
    let lines = |members: &Value, indent: &str| {
        let member = |(name, value): (&String, &Value)| format!("{indent}{}:{value}", json!(name));
        members.as_object().unwrap().iter().map(member).collect::<Vec<_>>().join(",\n")
    };
    let components = document["components"].as_object().unwrap().iter();
    let components = components.map(|(name, value)| format!("{}:{{\n{}\n}}", json!(name), lines(value, " ")));
    format!(
        "{{\n\"openapi\":{},\n\"info\":{},\n\"paths\":{{\n{}\n}},\n\"components\":{{\n{}\n}}\n}}\n",
        document["openapi"],
        document["info"],
        lines(&document["paths"], " "),
        components.collect::<Vec<_>>().join(",\n"),
    )
}

#[test]
fn the_openapi_document_is_what_the_tables_say() {
    let text = written();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), Value::Object(document()));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    assert!(text == golden, "tests/golden/openapi.json: run with UPDATE_GOLDEN=1 if this is meant");
    assert!(OPENAPI == golden || std::env::var_os("UPDATE_GOLDEN").is_some());
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    let document = Value::Object(document());
    let mut names = SortedSet::new();
    walk(&document, &mut |object| {
        if let Some(target) = object.get("$ref").and_then(Value::as_str) {
            assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
        }
        if let Some(name) = object.get("operationId") {
            assert!(names.insert(name.to_string()), "{name}");
        }
    });
    assert_eq!(names.len(), ROUTES.len());
}

fn walk(value: &Value, look: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            look(members);
            members.values().for_each(|member| walk(member, look));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, look)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
