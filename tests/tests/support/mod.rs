//! What the suites of the local Lambda share.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use signalbox_tests::harness::Guarded;

/// The example function, built: cargo does so by itself only when every test is run.
pub(crate) fn bootstrap() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let target = test.parent().and_then(|deps| deps.parent()).unwrap();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "signalbox-tests", "--example", "bootstrap"]);
        build.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", target.parent().unwrap());
        assert!(build.status().unwrap().success());
        target.join("examples/bootstrap")
    });
    built.clone()
}

pub(crate) fn alive(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// `T` when the kernel has stopped it.
pub(crate) fn process_state(pid: i32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().chars().take(1).collect()
}

/// The processes a process has started.
pub(crate) fn children(pid: u32) -> Vec<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<i32>>()).collect()
}

/// Runs a developer's gateway until it is ready, gives what it printed, and stops it with this signal: it ends well, and leaves no process.
pub(crate) fn run_until_ready(mut command: Command, signal: &str) -> String {
    command.stdout(Stdio::piped());
    let mut process = Guarded::spawn(command).unwrap();
    let mut printed = String::new();
    let out = process.child().stdout.take().unwrap();
    for line in BufReader::new(out).lines() {
        printed.push_str(&line.unwrap());
        printed.push('\n');
        if printed.contains("Ctrl-C") {
            break;
        }
    }
    let children = children(process.id());
    assert!(!children.is_empty(), "{printed}");
    let told = Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert!(process.child().wait().unwrap().success());
    assert!(children.iter().all(|pid| !alive(*pid)), "a process was left behind");
    printed
}

/// The same command in an environment that configures no provider and no gateway.
pub(crate) fn without_bindings(command: &mut Command) {
    for (name, _) in std::env::vars() {
        if name.ends_with("_API_KEY") || name.ends_with("_BASE_URL") || name.starts_with("SIGNALBOX_") {
            command.env_remove(name);
        }
    }
}
