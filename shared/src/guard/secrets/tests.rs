//! Keys that are found and words that are none. The keys are put together here: none stands in the text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

use super::*;
use crate::guard::plain::Source;

fn classes(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    find(&Plain::of(text, Source::Words), &mut out);
    out.into_iter().map(|one| one.class).collect()
}

/// A text without a pattern, the same each time.
fn random(length: usize, alphabet: &str) -> String {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let letters: Vec<char> = alphabet.chars().collect();
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            letters[(state % letters.len() as u64) as usize]
        })
        .collect()
}

/// A private key in PEM.
fn pem(body: &str) -> String {
    let line = |word: &str| format!("-----{word} {} KEY-----", "PRIVATE");
    format!("{}\n{body}\n{}", line("BEGIN"), line("END"))
}

const ALNUM: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

#[test]
fn keys_of_providers_are_found() {
    for (text, class) in [
        (format!("my key is sk-ant-api03-{}AA ok?", random(93, ALNUM)), "anthropic_key"),
        (format!("GITHUB_TOKEN=ghp_{}", random(36, ALNUM)), "github_token"),
        (format!("hf_{}", random(34, "abcdefghijklmnopqrstuvwxyz")), "huggingface_token"),
        (format!("AKIA{}", random(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")), "aws_key"),
        (format!("sk_live_{}.", random(24, ALNUM)), "stripe_key"),
        (format!("password = \"{}\"", "Xk7!pq92-Lm"), "credential"),
        (format!("api_key: {}", random(32, "0123456789abcdef")), "credential"),
        (format!("DATADOG_APP = {}", random(40, "0123456789abcdef")), "credential"),
        ("heroku_api_key: 3f2b8c1d-9a4e-4c7b-8d21-5e6f7a8b9c0d".to_owned(), "credential"),
        (format!("größe_twitter: '{}'", random(36, "abcdefghijklmnopqrstuvwxyz0123456789")), "credential"),
        ("postgres://admin:S3cr3tPw@db.example.org/x".to_owned(), "url_password"),
        (format!("Bearer eyJ{}.eyJ{}.{}", random(30, ALNUM), random(40, ALNUM), random(43, ALNUM)), "jwt"),
        (format!("https://discord.com/api/webhooks/{}", random(87, ALNUM)), "webhook_url"),
        (pem(&random(200, ALNUM)), "private_key"),
    ] {
        assert_eq!(classes(&text), [class], "{text}");
    }
}

#[test]
fn placeholders_and_code_are_no_secrets() {
    for text in [
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "OPENAI_API_KEY=sk-your-key-here",
        "password: ${DB_PASSWORD}",
        "const token = await getTokenFromServer(request);",
        "the max_tokens: 1024 of this model",
        "postgres://user:password@localhost/db",
        "the secret: never give up on what you love",
        "sk-learn is a library; sk_buff is a struct",
        "facebook page: mycompany-official-page-2024",
        "sentry release = my-app@1.24.5-beta.3",
        "heroku app: 3f2b8c1d-9a4e-4c7b-8d21-5e6f7a8b9c0d",
        "twitter: https://twitter.com/someaccount/status/1234567890123456789",
        "passwordResetUrl = https://example.org/reset/form",
    ] {
        assert!(classes(text).is_empty(), "{text}: {:?}", classes(text));
    }
}

#[test]
fn a_key_under_way_is_held_and_prose_is_not() {
    let held = |text: &str| text[unfinished(&Plain::of(text, Source::Words))..].to_owned();
    assert_eq!(held("the key is ghp_abc"), "ghp_abc");
    assert_eq!(held("nothing to see here"), "here");
    let begun = &pem("abc def")[..35];
    assert_eq!(held(begun), begun);
}
