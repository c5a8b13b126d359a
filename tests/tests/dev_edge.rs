//! `make dev` as a developer runs it: the built Worker on workerd.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::process::{Command, Stdio};

use signalbox_tests::harness::free_port;
use signalbox_tests::suite::packages;

fn command(port: &str) -> Command {
    packages::worker().unwrap_or_else(|problem| panic!("{problem}"));
    let mut command = Command::new("node");
    command.arg("edge/dev.mjs").arg(env!("CARGO_BIN_EXE_simulator")).current_dir(packages::root());
    support::without_bindings(&mut command);
    command.env("PORT", port).env("STATE", "memory").stderr(Stdio::null());
    command
}

#[test]
fn it_prints_a_first_call_that_the_simulator_answers_whatever_else_has_a_key_and_leaves_no_process() {
    let port = free_port().unwrap().to_string();
    let mut command = command(&port);
    command.env("SENDGRID_API_KEY", "of no provider").env("APP_BASE_URL", "http://127.0.0.1:1");
    let printed = support::run_until_ready(command, "-INT");
    assert!(printed.contains("built-in simulator"), "{printed}");
    assert!(printed.contains(&format!("curl -N http://127.0.0.1:{port}/v1/chat/completions")), "{printed}");
    assert!(printed.contains("Bearer sk-sb-") && printed.contains("\"model\":\"openai:gpt-5.4-mini\""), "{printed}");
    assert!(printed.contains(&format!("http://127.0.0.1:{port}/console/")), "{printed}");
    assert!(!printed.contains("{{") && !printed.contains("undefined"), "{printed}");
}

#[test]
fn a_provider_that_is_configured_keeps_the_simulator_away() {
    let mut command = command(&free_port().unwrap().to_string());
    command.env("ANTHROPIC_API_KEY", "given");
    let printed = support::run_until_ready(command, "-TERM");
    assert!(printed.contains("\"model\":\"anthropic:claude-haiku-4-5\""), "{printed}");
    assert!(!printed.contains("simulator"), "{printed}");
}

#[test]
fn a_port_that_cannot_be_had_is_said() {
    let refused = |port: &str| {
        let output = command(port).stderr(Stdio::piped()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = refused("0");
    assert!(code == Some(1) && said.contains("PORT is a number from 1 to 65535"), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, said) = refused(&taken.local_addr().unwrap().port().to_string());
    assert!(
        code == Some(1)
            && said
                == format!(
                    "make dev: port {} is taken; choose another with PORT=\n",
                    taken.local_addr().unwrap().port()
                ),
        "{said}"
    );
}
