//! Workers as raw `workerd` processes: the binary that `make dev` and the suites use, without miniflare's entry worker,
//! which alone costs more per request than what is measured.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::{Guarded, free_port, wait_for_port};

/// As in `wrangler.toml`.
const COMPATIBILITY: &str = "compatibilityDate = \"2026-10-01\", compatibilityFlags = [\"enable_request_signal\"]";

/// Which Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Ours, from the folder of a build.
    Ours(&'a Path),
    /// One fetch, bodies untouched.
    Bare,
    /// Answers by itself.
    Trivial,
    /// The guardrails by themselves, from their module of wasm.
    Rails(&'a Path),
    /// Somebody else's, by its bundle in `bench/build`.
    Peer(&'a str),
}

/// Where things are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The repository.
    pub root: PathBuf,
    /// The runtime.
    pub workerd: PathBuf,
    /// Configurations and the objects' storage; emptied by its owner.
    pub scratch: PathBuf,
}

impl Places {
    /// Of the repository this program was compiled in.
    ///
    /// # Errors
    /// The runtime is not there yet.
    pub fn find() -> io::Result<Places> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned();
        let workerd = std::env::var_os("BENCH_WORKERD")
            .map_or_else(|| root.join("edge/node_modules/.bin/workerd"), PathBuf::from);
        let workerd = binary(&workerd.canonicalize().map_err(|error| told(&workerd, "npm ci --prefix edge", &error))?);
        let scratch = std::env::temp_dir().join(format!("signalbox-bench-{}", std::process::id()));
        std::fs::create_dir_all(&scratch)?;
        Ok(Places { root, workerd, scratch })
    }
}

/// npm's `bin/workerd` may be a script of Node's; the program itself lies in the package of the platform.
fn binary(found: &Path) -> PathBuf {
    let platforms = ["linux-64", "linux-arm64", "darwin-64", "darwin-arm64"];
    let modules = found.ancestors().find(|folder| folder.ends_with("node_modules"));
    let programs = modules.into_iter().flat_map(|modules| {
        platforms.map(|platform| modules.join(format!("@cloudflare/workerd-{platform}/bin/workerd")))
    });
    programs.into_iter().find(|program| program.is_file()).unwrap_or_else(|| found.to_owned())
}

fn told(path: &Path, cure: &str, error: &io::Error) -> io::Error {
    io::Error::other(format!("{}: {error}; `{cure}` brings it", path.display()))
}

/// A running Worker; ends when dropped.
#[derive(Debug)]
pub struct Worker {
    process: Guarded,
    port: u16,
    folder: PathBuf,
}

impl Worker {
    /// Starts a Worker and returns at once; see [`Worker::ready`].
    ///
    /// # Errors
    /// The configuration cannot be written or the runtime not started.
    pub fn spawn(places: &Places, kind: Kind<'_>, bindings: &[(&str, String)]) -> io::Result<Worker> {
        let port = free_port()?;
        let folder = places.scratch.join(port.to_string());
        std::fs::create_dir_all(folder.join("objects"))?;
        let config = folder.join("config.capnp");
        std::fs::write(&config, configuration(places, kind, bindings, &folder, port)?)?;
        let mut command = Command::new(&places.workerd);
        command.arg("serve").arg(&config).arg("--experimental").current_dir("/");
        // One line a request goes to standard output; a file takes it as production's collector would.
        command
            .stdout(std::fs::File::create(folder.join("out"))?)
            .stderr(std::fs::File::create(folder.join("err"))?)
            .stdin(Stdio::null());
        Ok(Worker { process: Guarded::spawn(command)?, port, folder })
    }

    /// Waits until it listens.
    ///
    /// # Errors
    /// It does not within ten seconds; what it said is part of the error.
    pub fn ready(self) -> io::Result<Worker> {
        let said = || std::fs::read_to_string(self.folder.join("err")).unwrap_or_default();
        wait_for_port(self.port, Duration::from_secs(10))
            .map_err(|error| io::Error::other(format!("{error}\n{}", said())))?;
        Ok(self)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The process whose CPU counts.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

/// The configuration, and beside it the modules it embeds: workerd reads them relative to the file.
fn configuration(
    places: &Places,
    kind: Kind<'_>,
    bindings: &[(&str, String)],
    folder: &Path,
    port: u16,
) -> io::Result<String> {
    let bench = places.root.join("bench");
    let main = match kind {
        Kind::Ours(build) => modules(build, &["entry.mjs"], folder)?,
        Kind::Bare => modules(&bench, &["bare.mjs"], folder)?,
        Kind::Trivial => modules(&bench, &["trivial.mjs"], folder)?,
        Kind::Rails(wasm) => {
            let (from, name) = (wasm.parent().unwrap_or(Path::new(".")), wasm.file_name().unwrap_or_default());
            let wasm = modules(from, &[name.to_string_lossy().as_ref()], folder)?;
            modules(&bench, &["rails.mjs"], folder)? + &wasm
        }
        Kind::Peer(bundle) => modules(&bench.join("build"), &[bundle], folder)?,
    };
    let kv = modules(&bench, &["kv.mjs"], folder)?;
    let mut bound: String =
        bindings.iter().map(|(name, value)| format!("(name = {name:?}, text = {value:?}), ")).collect();
    let mut objects = "";
    if matches!(kind, Kind::Ours(_)) {
        bound.push_str(
            "(name = \"TENANT\", durableObjectNamespace = \"Tenant\"), (name = \"CONFIG\", kvNamespace = \"kv\"), ",
        );
        objects = "durableObjectNamespaces = [(className = \"Tenant\", uniqueKey = \"tenant\", enableSql = true)], durableObjectStorage = (localDisk = \"disk\"), ";
    }
    let disk = folder.join("objects");
    // `--perf-basic-prof` gives functions their names in `perf`.
    let flags: String = std::env::var("BENCH_V8_FLAGS")
        .iter()
        .flat_map(|flags| flags.split(' '))
        .map(|flag| format!("{flag:?}, "))
        .collect();
    Ok(format!(
        "using Workerd = import \"/workerd/workerd.capnp\";
const config :Workerd.Config = (
  services = [
    (name = \"main\", worker = (modules = [{main}], {COMPATIBILITY}, {objects}bindings = [{bound}])),
    (name = \"kv\", worker = (modules = [{kv}], {COMPATIBILITY})),
    (name = \"disk\", disk = (path = {disk:?}, writable = true)),
    (name = \"internet\", network = (allow = [\"public\", \"private\", \"local\"])),
  ],
  sockets = [(name = \"http\", address = \"127.0.0.1:{port}\", http = (), service = \"main\")],
  v8Flags = [{flags}],
);
"
    ))
}

/// The modules named, and for ours all that were built beside them; copied to `folder`, the main one first.
fn modules(from: &Path, names: &[&str], folder: &Path) -> io::Result<String> {
    let mut found: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
    if from.join("entry.mjs").is_file() {
        built(from, Path::new(""), &mut found)?;
    }
    let mut entries = String::new();
    for name in found {
        let kind = match name.extension().and_then(|ending| ending.to_str()) {
            Some("js" | "mjs") => "esModule",
            Some("wasm") => "wasm",
            Some(_) | None => continue,
        };
        let to = folder.join(&name);
        std::fs::create_dir_all(to.parent().unwrap_or(folder))?;
        std::fs::copy(from.join(&name), to)?;
        entries.push_str(&format!("(name = {name:?}, {kind} = embed {name:?}), "));
    }
    Ok(entries)
}

/// Everything below a folder, relative to `from`, but for what is listed already.
fn built(from: &Path, below: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(from.join(below))? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            built(from, &name, found)?;
        } else if !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(())
}
