//! Recorded requests: forwarded byte for byte, and translated to what was really sent.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros, reason = "tests read files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod corpus;

use corpus::{ALL, Case, cases, shared};
use signalbox::dialect::{Dialect, Edits, MaxTokensField, ProviderDialect, Quirks, Target, ThinkingSupport, Warnings};
use signalbox::json::{Limits, scan};
use std::process::Command;

/// Sends `client_chat.json` (OpenAI's dialect) to a dialect.
fn translate(case: &Case, chat: &[u8], dialect: impl Into<ProviderDialect>) -> (Vec<u8>, Warnings) {
    send(case, Dialect::OpenAiChat, chat, dialect)
}

/// Sends a request in one dialect to another.
fn send(case: &Case, from: Dialect, body: &[u8], dialect: impl Into<ProviderDialect>) -> (Vec<u8>, Warnings) {
    let request = from.read_request(body).unwrap_or_else(|error| panic!("{}: {error}", case.name));
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
    let body = dialect.into().write_request(&request, &target, &mut warnings);
    (body, warnings)
}

#[test]
fn a_recorded_request_is_forwarded_byte_for_byte_but_for_the_model() {
    for case in cases() {
        let ProviderDialect::Both(dialect) = case.dialect else { continue };
        for body in [case.client_chat(), case.request().map(|request| request["body"].to_string().into_bytes())] {
            let Some(body) = body else { continue };
            let Ok(document) = scan(&body, &Limits::default()) else { continue };
            let Some(model) = document.member("model").filter(|_| case.dialect != Dialect::Gemini) else {
                // It stands in the path: nothing has to change.
                let edits = Edits { model: Some("the-model"), ..Edits::default() };
                assert!(dialect != Dialect::Gemini || dialect.rewrite_request(&document, &edits) == body);
                continue;
            };
            let edits = Edits { model: Some("the-model"), ..Edits::default() };
            let (before, after) = (&body[..model.value.start], &body[model.value.end..]);
            let expected = [before, b"\"the-model\"", after].concat();
            assert_eq!(dialect.rewrite_request(&document, &edits), expected, "{}", case.name);
            assert_eq!(dialect.rewrite_request(&document, &Edits::default()), body, "{}", case.name);
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
        let ProviderDialect::Both(dialect) = case.dialect else { continue };
        let conversation = sent["body"]["messages"].is_array() && dialect == Dialect::Anthropic;
        if conversation || matches!(dialect, Dialect::OpenAiResponses | Dialect::Gemini) {
            let body = sent["body"].to_string();
            let facts = dialect.inspect(&scan(body.as_bytes(), &Limits::default()).unwrap()).unwrap();
            let request = dialect.read_request(body.as_bytes()).unwrap();
            assert_eq!((&facts.model, facts.stream), (&request.model, request.stream), "{}", case.name);
            assert_eq!(facts.max_output_tokens, request.max_output_tokens, "{}", case.name);
            match dialect {
                // Items of one turn are one message.
                Dialect::OpenAiResponses => assert!(facts.messages >= request.messages.len(), "{}", case.name),
                Dialect::OpenAiChat | Dialect::Anthropic | Dialect::Gemini => {
                    assert_eq!(facts.messages, request.messages.len(), "{}", case.name);
                }
            }
            for dialect in ALL {
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

/// Prints `[case number, difference]` for each line `[case folder, its API or null for the case's, body]` by the corpus's own rules.
const JUDGE: &str = r#"
import json, sys
sys.path.insert(0, sys.argv[1])
from canon_request import canon, diff
for number, line in enumerate(open(sys.argv[2])):
    folder, api, sent = json.loads(line)
    meta, request = (json.load(open(folder + name)) for name in ('/meta.json', '/request.json'))
    a = canon(meta['api'], request['body'], request['url'])
    for difference in diff(a, canon(api or meta['api'], sent, request['url'])):
        if a['model'] is None and difference.startswith('.model'): continue  # it stands in the URL
        print(json.dumps([number, difference]))
"#;

/// A request that went out: for which case, in which dialect if not the case's own, the body, the warnings.
type Sent = (Case, Option<Dialect>, Vec<u8>, Warnings);

/// Holds what was sent against what was recorded.
fn judge(sent: &[Sent], explained: impl Fn(&Sent, &str) -> bool) {
    let Some(shared) = shared() else { return };
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("notice: no python3; skipped");
        return;
    }
    let mut lines = Vec::new();
    for (case, dialect, body, _) in sent {
        let api = dialect.map(|dialect| match dialect {
            Dialect::OpenAiChat => "openai_chat",
            Dialect::Anthropic => "anthropic_messages",
            Dialect::OpenAiResponses => "openai_responses",
            Dialect::Gemini => "gemini",
        });
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        lines.extend(serde_json::json!([case.folder, api, body]).to_string().into_bytes());
        lines.push(b'\n');
    }
    let number = sent.len();
    let file = std::env::temp_dir().join(format!("signalbox-requests-{}-{number}.jsonl", std::process::id()));
    std::fs::write(&file, lines).unwrap();
    let run = Command::new("python3").args(["-c", JUDGE]).arg(shared.join("traffic/extractors")).arg(&file).output();
    let run = run.unwrap();
    let _ = std::fs::remove_file(&file);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let mut wrong = Vec::new();
    for line in String::from_utf8_lossy(&run.stdout).lines() {
        let (number, difference): (usize, String) = serde_json::from_str(line).unwrap();
        if !explained(&sent[number], &difference) {
            wrong.push(format!("{}: {difference} ({:?})", sent[number].0.name, sent[number].3.header_value()));
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// Cases whose request was recorded and can be said in OpenAI's chat dialect without loss.
fn lossless() -> impl Iterator<Item = (Case, Vec<u8>)> {
    cases().into_iter().filter_map(|case| {
        let lossless = case.meta["client_chat_lossy"].as_array().is_some_and(Vec::is_empty);
        let chat = case.client_chat().filter(|_| lossless && case.meta["request_recorded"] == true)?;
        Dialect::OpenAiChat.read_request(&chat).is_ok().then_some((case, chat))
    })
}

#[test]
fn a_chat_request_reaches_the_provider_as_what_was_really_sent() {
    let mut sent = Vec::new();
    for (case, chat) in lossless() {
        let (body, warnings) = translate(&case, &chat, case.dialect);
        sent.push((case, None, body, warnings));
    }
    let of = |dialect| sent.iter().filter(|(case, ..)| case.dialect == dialect).count();
    assert!(shared().is_none() || of(Dialect::Gemini) > 10);
    assert!(shared().is_none() || of(Dialect::Anthropic) > 10 && of(Dialect::OpenAiResponses) > 15 && sent.len() > 110);
    judge(&sent, |(case, _, _, warnings), difference| explained(case, difference, warnings));
}

#[test]
fn a_responses_request_reaches_the_provider_as_what_was_really_sent() {
    let mut sent = Vec::new();
    for (case, chat) in lossless() {
        let (asked, lost) = translate(&case, &chat, Dialect::OpenAiResponses);
        // What this dialect's callers cannot say at all is no matter of theirs.
        if lost.is_empty() {
            let (body, warnings) = send(&case, Dialect::OpenAiResponses, &asked, case.dialect);
            sent.push((case, None, body, warnings));
        }
    }
    assert!(shared().is_none() || sent.len() > 90, "{}", sent.len());
    judge(&sent, |(case, _, _, warnings), difference| explained(case, difference, warnings));
}

#[test]
fn a_recorded_responses_request_says_the_same_to_providers_of_other_dialects() {
    let mut sent = Vec::new();
    for case in cases().into_iter().filter(|case| case.dialect == Dialect::OpenAiResponses) {
        let body = case.request().unwrap()["body"].to_string();
        for dialect in [Dialect::OpenAiChat, Dialect::Anthropic] {
            let (body, warnings) = send(&case, Dialect::OpenAiResponses, body.as_bytes(), dialect);
            let again = corpus::cases().into_iter().find(|other| other.name == case.name).unwrap();
            sent.push((again, Some(dialect), body, warnings));
        }
    }
    judge(&sent, |(case, dialect, _, warnings), difference| {
        let named = |path: &str| warnings.header_value().is_some_and(|warnings| warnings.contains(path));
        match dialect {
            // Anthropic demands a limit, has no word for a form without a schema, takes a temperature up to 1 and
            // none beside its thinking, and says effort among other things.
            Some(Dialect::Anthropic) => {
                difference.starts_with(".params.max_tokens: only in sent")
                    || difference.starts_with(".params.temperature") && named("temperature")
                    || difference.starts_with(".params.top_logprobs") && named("top_logprobs")
                    || difference.starts_with(".params.reasoning_effort")
                    // Where a tool tells no schema, it must say that it takes an object.
                    || difference.ends_with(".parameters.type: only in sent: \"object\"")
            }
            Some(Dialect::OpenAiChat) => {
                difference.starts_with(".params.logprobs: only in sent")
                    || difference.starts_with(".messages[2].parts[0]") && named("input[3].output[0];dropped")
                    // Argued: a turn that speaks between its calls. In this dialect a message has its text before them all.
                    || case.name.ends_with("91a8b5f5") && difference.starts_with(".messages[0].parts")
            }
            Some(Dialect::OpenAiResponses | Dialect::Gemini) | None => explained(case, difference, warnings),
        }
    });
}

/// Differences that are right: the recording left something out that the dialect demands, or the
/// warnings name it.
fn explained(case: &Case, line: &str, warnings: &Warnings) -> bool {
    let named = |path: &str| warnings.list().iter().any(|warning| warning.path == path);
    match case.dialect {
        ProviderDialect::Both(Dialect::Anthropic) => {
            (line.starts_with(".params.seed") && named("seed"))
                || (line.starts_with(".params.max_tokens") && case.request().unwrap()["body"]["max_tokens"].is_null())
        }
        ProviderDialect::Both(Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::Gemini)
        | ProviderDialect::Bedrock
        | ProviderDialect::Cohere
        | ProviderDialect::Ollama
        | ProviderDialect::WorkersAi => false,
    }
}

#[test]
fn a_recorded_conversation_survives_the_way_through_any_other_dialect() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Some(chat) = case.client_chat() else { continue };
        let Ok(original) = Dialect::OpenAiChat.read_request(&chat) else { continue };
        for dialect in [Dialect::Anthropic, Dialect::OpenAiResponses, Dialect::Gemini] {
            let (there, warnings) = translate(&case, &chat, dialect);
            let back = dialect.read_request(&there).unwrap();
            // Messages may merge; the text, calls and results in order may not change.
            let told = |request: &signalbox::dialect::ir::ChatRequest| -> Vec<String> {
                let said = request.messages.iter().flat_map(|message| &message.content);
                let all = request.instructions.iter().chain(said);
                // Ids are made fit for Anthropic.
                all.map(|part| format!("{part:?}").replace("functions.weather:0", "functions_weather_0"))
                    .map(|part| part.replace(":call_", "_call_"))
                    .filter(|part| !part.starts_with("Text { text: \"\""))
                    .collect()
            };
            let tools = |request: &signalbox::dialect::ir::ChatRequest| format!("{:?}", request.tools);
            // Argued: what stands alone under `error` is what Google calls a tool's failure, so it reads as one.
            let failure = "vertex/gemini-json-tool-call-gemini-3-flash-08268df8";
            let failed = case.name == failure && dialect == Dialect::Gemini;
            if warnings.is_empty() && !failed && (told(&original) != told(&back)) {
                wrong.push(format!("{} as {dialect:?}:\n  {:?}\n  {:?}", case.name, told(&original), told(&back)));
            }
            // Not strict is said in so many words in this dialect.
            let said = |request: &_| tools(request).replace("strict: Some(false)", "strict: None");
            if warnings.is_empty() && tools(&original).contains("\"type\"") && said(&original) != said(&back) {
                wrong.push(format!("{} as {dialect:?}:\n  {}\n  {}", case.name, tools(&original), tools(&back)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
