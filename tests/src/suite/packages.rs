//! What is tested at the outer levels, built the way it is deployed: by `make`, once a process.
//!
//! `PROFILE=debug` builds sooner. A build that fails is the test's failure; nothing is left out because of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// `PROFILE`, which `make` takes too; `release` unless it says otherwise.
fn profile() -> String {
    std::env::var("PROFILE").unwrap_or_else(|_| "release".to_owned())
}

/// Cargo's folder of results: two above this test's program.
fn target() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let deps = program.parent().filter(|folder| folder.ends_with("deps"));
    let folder = deps.and_then(Path::parent).and_then(Path::parent);
    folder.map(Path::to_owned).ok_or_else(|| format!("{} does not lie where cargo puts tests", program.display()))
}

fn make(goal: &str) -> Result<(), String> {
    let mut command = Command::new("make");
    command.args(["--no-print-directory", "-C"]).arg(root()).arg(goal).arg(format!("PROFILE={}", profile()));
    // What cargo tells a test about its own package is not meant for other builds: a build script that looks at it
    // (ring's) would compile the function again at each change between the test's make and a person's.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command.env("CARGO_TARGET_DIR", target()?);
    let output = command.output().map_err(|error| format!("make {goal}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "make {goal} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

fn once(built: &OnceLock<Result<(), String>>, goal: &str) -> Result<(), String> {
    built.get_or_init(|| make(goal)).clone()
}

/// Builds the Worker's modules; gives their folder.
///
/// # Errors
/// What the build said.
pub fn worker() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    once(&BUILT, "build-edge")?;
    Ok(root().join("edge/build"))
}

/// Builds the function's binary; gives its path.
///
/// # Errors
/// What the build said.
pub fn bootstrap() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    once(&BUILT, "build-lambda")?;
    Ok(target()?.join(if profile() == "debug" { "debug" } else { "release" }).join("bootstrap"))
}

/// Installs the SDKs of JavaScript that call the gateway in tests; gives the folder of their programs.
///
/// # Errors
/// What npm said.
pub fn javascript_clients() -> Result<PathBuf, String> {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    once(&INSTALLED, "tests/clients/node_modules/.package-lock.json")?;
    Ok(root().join("tests/clients"))
}

/// Installs the SDKs of Python that call the gateway in tests; gives the folder of their programs, with the environment
/// in `.venv`, or nothing on a machine without a Python that can.
///
/// # Errors
/// What pip said.
pub fn python_clients() -> Result<Option<PathBuf>, String> {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    once(&INSTALLED, "clients-python")?;
    let folder = root().join("tests/clients/python");
    Ok(folder.join(".venv/installed").exists().then_some(folder))
}

/// Installs schemathesis; gives the folder of its configuration, with the environment in `.venv`, or nothing on a machine
/// without a Python that can.
///
/// # Errors
/// What pip said.
pub fn schemathesis() -> Result<Option<PathBuf>, String> {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    once(&INSTALLED, "schemathesis")?;
    let folder = root().join("tests/openapi");
    Ok(folder.join(".venv/installed").exists().then_some(folder))
}
