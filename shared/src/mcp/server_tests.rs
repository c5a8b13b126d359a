//! What agents of either era are told.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

fn library() -> Library {
    let one = |id: &str, teams: &[&str]| Definition {
        id: id.to_owned(),
        version: 2,
        terms: vec![id.to_uppercase()],
        text: "Meaning.".to_owned(),
        teams: teams.iter().map(|&team| team.to_owned()).collect(),
        ..Definition::default()
    };
    let mut all: Vec<Definition> = (0..150).map(|n| one(&format!("d{n:03}"), &[])).collect();
    all[149].vanished_at = Some(Timestamp(1_000));
    all.push(one("secret", &["others"]));
    Library::new(all)
}

fn ask(method: &str, mut params: Value, version: Option<&str>) -> (u16, Value) {
    let name = params.get("uri").and_then(Value::as_str).map(str::to_owned);
    if version == Some(MODERN) {
        params["_meta"] = json!({ META_VERSION: MODERN, META_CAPABILITIES: {} });
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let asked = Asked { version, method: Some(method), name: name.as_deref(), body: body.as_bytes() };
    told(&asked)
}

fn told(asked: &Asked<'_>) -> (u16, Value) {
    match answer(asked, &library(), "ours", Timestamp(2_000)) {
        Told::Message(status, message) => (status, message),
        Told::Accepted => (202, Value::Null),
    }
}

#[test]
fn a_team_lists_and_reads_its_definitions_page_by_page_in_either_era() {
    for version in [Some(MODERN), Some("2025-11-25"), None] {
        let (status, first) = ask("resources/list", json!({}), version);
        let cursor = first["result"]["nextCursor"].clone();
        assert_eq!((status, first["result"]["resources"].as_array().unwrap().len()), (200, 100));
        let (_, second) = ask("resources/list", json!({ "cursor": cursor }), version);
        assert_eq!(second["result"]["resources"].as_array().unwrap().len(), 50, "others' are not listed");
        assert_eq!(second["result"].get("nextCursor"), None);
        let (_, read) = ask("resources/read", json!({ "uri": "signalbox://context/d007" }), version);
        assert_eq!(read["result"]["contents"][0]["text"], "# D007\n\nMeaning.\n");
        assert_eq!(read["result"].get("resultType").is_some(), version == Some(MODERN));
        let (_, stale) = ask("resources/read", json!({ "uri": "signalbox://context/d149" }), version);
        let heading = "# D149 (out of date: its certification ended on 1970-01-01)\n\nMeaning.\n";
        assert_eq!(stale["result"]["contents"][0]["text"], heading);
        for hidden in ["signalbox://context/secret", "signalbox://context/", "file:///etc/passwd"] {
            let (_, refused) = ask("resources/read", json!({ "uri": hidden }), version);
            assert_eq!(refused["error"]["message"], "Resource not found", "{hidden}");
        }
    }
}

#[test]
fn the_handshake_answers_with_a_revision_both_know_and_remembers_nothing() {
    for (wanted, given) in [("2025-06-18", "2025-06-18"), ("2099-01-01", "2025-11-25")] {
        let (_, told) = ask("initialize", json!({ "protocolVersion": wanted }), None);
        assert_eq!(told["result"]["protocolVersion"], given);
    }
    assert_eq!(ask("ping", json!({}), None).1["result"], json!({}));
    let note = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(told(&Asked { body: note, ..Asked::default() }).0, 202);
    assert_eq!(ask("server/discover", json!({}), Some(MODERN)).1["result"]["supportedVersions"][0], MODERN);
}

#[test]
fn what_a_header_says_must_be_what_the_body_says() {
    let meta = json!({ META_VERSION: MODERN, META_CAPABILITIES: {} });
    let params = json!({ "uri": "signalbox://context/d001", "_meta": meta });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": params }).to_string();
    let good = Asked {
        version: Some(MODERN),
        method: Some("resources/read"),
        name: Some("=?base64?c2lnbmFsYm94Oi8vY29udGV4dC9kMDAx?="),
        body: body.as_bytes(),
    };
    assert_eq!(told(&good).0, 200);
    for bad in [
        Asked { version: None, ..good },
        Asked { version: Some("2025-11-25"), ..good },
        Asked { method: Some("resources/list"), ..good },
        Asked { method: None, ..good },
        Asked { name: Some("signalbox://context/d002"), ..good },
        Asked { name: None, ..good },
    ] {
        let (status, message) = told(&bad);
        assert_eq!((status, message["error"]["code"].as_i64()), (400, Some(MISMATCH)), "{bad:?}");
    }
}

#[test]
fn what_is_no_message_or_asks_for_what_is_not_there_is_told_so() {
    for (body, status, code) in [
        ("", 400, -32_700),
        ("[]", 400, -32_700),
        (r#"{"id":1,"id":2}"#, 400, -32_700),
        (r#"{"jsonrpc":"2.0"}"#, 400, -32_600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32_600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, 200, -32_601),
    ] {
        let (found, message) = told(&Asked { body: body.as_bytes(), ..Asked::default() });
        assert_eq!((found, message["error"]["code"].as_i64()), (status, Some(code)), "{body}");
    }
    assert_eq!(ask("tools/list", json!({}), Some(MODERN)).0, 404);
    assert_eq!(ask("resources/list", json!({}), Some("1900-01-01")).1["error"]["code"], -32_022);
}
