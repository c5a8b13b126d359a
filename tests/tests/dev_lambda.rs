//! `dev-lambda` as a developer runs it, with the example function in the gateway's place.
#![cfg(feature = "lambda-local")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use signalbox_tests::harness::free_port;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("signalbox-dev-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn command(folder: &Path, port: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev-lambda"));
    command.arg("--bootstrap").arg(support::bootstrap()).current_dir(folder).env("PORT", port);
    support::without_bindings(&mut command);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

#[test]
fn it_prints_a_first_call_and_keeps_its_credentials_to_itself() {
    let folder = Folder::new("kept");
    let port = free_port().unwrap().to_string();
    let printed = support::run_until_ready(command(&folder.0, &port), "-INT");
    assert!(printed.contains(&format!("curl -N http://127.0.0.1:{port}/v1/chat/completions")), "{printed}");
    assert!(printed.contains("Bearer key-of-the-example"), "{printed}");
    assert!(printed.contains("built-in simulator"), "{printed}");
    assert!(!printed.contains("{{"), "{printed}");
    let file = folder.0.join(".signalbox/dev.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read_to_string(&file).unwrap();
    let json: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(json["key"], "key-of-the-example");
    assert_eq!(json["secret"].as_str().unwrap().len(), 64);
    assert!(folder.0.join(".signalbox/dynamodb.sqlite").is_file());
    assert_eq!(support::run_until_ready(command(&folder.0, &port), "-INT"), printed, "a second run says the same");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), kept, "a second run changes nothing");
}

#[test]
fn state_in_memory_leaves_nothing_and_a_given_administrator_and_provider_are_used() {
    let folder = Folder::new("memory");
    let port = free_port().unwrap().to_string();
    let mut command = command(&folder.0, &port);
    command.env("STATE", "memory").env("SIGNALBOX_ADMIN_KEY", "given").env("ANTHROPIC_API_KEY", "given");
    let printed = support::run_until_ready(command, "-TERM");
    assert!(printed.contains("\"model\":\"anthropic:claude-haiku-4-5\""), "{printed}");
    assert!(!printed.contains("simulator"), "{printed}");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn a_port_that_cannot_be_had_is_said() {
    let folder = Folder::new("port");
    let refused = |port: &str| {
        let output = command(&folder.0, port).stderr(Stdio::piped()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = refused("0");
    assert!(code == Some(2) && said.contains("PORT=0 is no port"), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, said) = refused(&taken.local_addr().unwrap().port().to_string());
    assert!(code == Some(1) && said.contains("is taken; choose another with PORT="), "{said}");
}
