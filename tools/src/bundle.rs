//! From the Worker's crate to the modules workerd loads as they are: `entry.mjs`, `index.js`, `index_bg.wasm`, and
//! what JavaScript crates brought along below `snippets`.
//!
//! `cargo build` for wasm32, then the library behind `wasm-bindgen`. No bundler: miniflare and `wrangler deploy` with
//! `no_bundle` take modules one by one. No `wasm-opt`: 30 s of it took less than one percent off the compressed size.

use crate::pack::pack;
use anyhow::{Context, Result, ensure};
use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};
use wasm_bindgen_cli_support::Bindgen;

const PACKAGE: &str = "signalbox-edge";
const LIBRARY: &str = "signalbox_edge.wasm";
/// Modules of ours that are deployed as they are.
const OURS: [&str; 6] = ["crypto.mjs", "entry.mjs", "glue.mjs", "http.mjs", "operation.mjs", "upstream.mjs"];
const TARGET: &str = "wasm32-unknown-unknown";

/// How much the compiler is asked to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// What is deployed and measured.
    Release,
    /// Compiles in a second, for the edit loop.
    Debug,
}

impl Profile {
    /// `release` or `debug`, as in `PROFILE=debug`.
    pub fn parse(name: &str) -> Result<Profile> {
        match name {
            "release" => Ok(Profile::Release),
            "debug" => Ok(Profile::Debug),
            other => anyhow::bail!("PROFILE is `release` or `debug`, not `{other}`"),
        }
    }

    /// Cargo's profile, and the folder below `target` that it builds into.
    fn cargo(self) -> (&'static str, &'static str) {
        match self {
            Profile::Release => ("worker", "worker"),
            Profile::Debug => ("dev", "debug"),
        }
    }
}

/// Where things are, all below the workspace's root.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
    target: PathBuf,
}

impl Layout {
    /// The workspace around the current folder; `CARGO_TARGET_DIR` as cargo itself reads it.
    ///
    /// Asked at run time: with a shared target folder, this program may have been compiled from another checkout.
    pub fn of_workspace() -> Result<Layout> {
        let located = cargo().args(["locate-project", "--workspace", "--message-format", "plain"]).output()?;
        ensure!(located.status.success(), "{}", String::from_utf8_lossy(&located.stderr));
        let manifest = PathBuf::from(String::from_utf8(located.stdout)?.trim());
        let root = manifest.parent().context("a manifest lies in a folder")?.to_owned();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
        Ok(Layout { root, target })
    }

    /// `edge/build`.
    pub fn build(&self) -> PathBuf {
        self.root.join("edge/build")
    }

    /// A module of ours in `edge/`.
    fn ours(&self, module: &str) -> PathBuf {
        self.root.join("edge").join(module)
    }

    fn library(&self, profile: Profile) -> PathBuf {
        self.target.join(TARGET).join(profile.cargo().1).join(LIBRARY)
    }
}

/// Builds the bundle, or leaves the present one when nothing it is made from changed.
pub fn build(layout: &Layout, profile: Profile) -> Result<()> {
    compile(layout, profile)?;
    let stamp_path = layout.build().join(".stamp");
    let stamp = stamp(layout, profile)?;
    if fs::read_to_string(&stamp_path).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    // Snippets lie in folders named by a hash: without this, old ones would pile up and be deployed.
    if layout.build().exists() {
        fs::remove_dir_all(layout.build())?;
    }
    bind(layout, profile)?;
    for module in OURS {
        fs::copy(layout.ours(module), layout.build().join(module))?;
    }
    fs::write(stamp_path, stamp)?;
    Ok(())
}

fn compile(layout: &Layout, profile: Profile) -> Result<()> {
    ensure_target(layout)?;
    let mut cargo = cargo();
    cargo.current_dir(&layout.root).args(["build", "--package", PACKAGE, "--lib", "--target", TARGET]);
    cargo.args(["--profile", profile.cargo().0]);
    run(cargo)
}

/// Adds the wasm32 target when the toolchain lacks it. A toolchain without rustup has to bring its own.
fn ensure_target(layout: &Layout) -> Result<()> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let probe = Command::new(rustc)
        .current_dir(&layout.root)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("rustc did not start")?;
    let libraries = String::from_utf8(probe.stdout)?;
    if Path::new(libraries.trim()).exists() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.current_dir(&layout.root).args(["target", "add", TARGET]);
    run(rustup)
}

/// Everything that changes the bundle: the library, our entry module, this tool.
fn stamp(layout: &Layout, profile: Profile) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    profile.hash(&mut hasher);
    let ours = OURS.map(|module| layout.ours(module));
    for input in ours.into_iter().chain([layout.library(profile), env::current_exe()?]) {
        fs::read(&input).with_context(|| input.display().to_string())?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn bind(layout: &Layout, profile: Profile) -> Result<()> {
    Bindgen::new()
        .input_path(layout.library(profile))
        .out_name("index")
        .module(true)?
        .typescript(false)
        .remove_producers_section(true)
        // The entry module builds a new instance after a trap.
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate(layout.build())?;
    if profile == Profile::Release {
        let module = layout.build().join("index_bg.wasm");
        let is_foreign = |export: &str| FOREIGN.iter().any(|class| export.contains(&class.to_lowercase()));
        fs::write(&module, pack(&fs::read(&module)?, &|export| !is_foreign(export))?)?;
        let glue = layout.build().join("index.js");
        fs::write(&glue, without(&fs::read_to_string(&glue)?, &FOREIGN)?)?;
    }
    let glue = layout.build().join("index.js");
    fs::write(&glue, lean(&adapt(&fs::read_to_string(&glue)?)?)?)?;
    Ok(())
}

/// What wasm-bindgen writes, and what workerd and our entry module need in its place.
const EDITS: [(&str, &str); 2] = [
    // workerd gives the compiled module to a plain `import` and does not know the source-phase one.
    ("import source wasmModule from", "import wasmModule from"),
    // A trap inside a future surfaces in a microtask, where nobody waits for it: tell the entry module.
    (
        "function __wbg_call_abort_hook() {",
        "export const aborted = { notify() {} };\nfunction __wbg_call_abort_hook() {\n    aborted.notify();",
    ),
];

/// Classes of the `worker` crate that this Worker does not use. It exports them all the same, with everything they call.
const FOREIGN: [&str; 6] = [
    "ContainerStartupOptions",
    "IntoUnderlyingByteSource",
    "IntoUnderlyingSink",
    "IntoUnderlyingSource",
    "MinifyConfig",
    "R2Range",
];

/// Applies [`EDITS`]; glue that lacks one of the places is refused rather than shipped.
fn adapt(glue: &str) -> Result<String> {
    EDITS.iter().try_fold(glue.to_owned(), |glue, (from, to)| {
        ensure!(glue.matches(from).count() == 1, "wasm-bindgen no longer writes `{from}` once");
        Ok(glue.replace(from, to))
    })
}

/// Leaves out these classes, with what wasm-bindgen writes about each: how it is disposed of, and what its finalization does. One that
/// is not there, or that something else names, stops the build.
fn without(glue: &str, classes: &[&str]) -> Result<String> {
    let mut kept = String::with_capacity(glue.len());
    let mut left_out = 0;
    let mut lines = glue.lines();
    while let Some(line) = lines.next() {
        let begins = |class: &&str| {
            let line = line.trim_start_matches("export ");
            line == format!("class {class} {{") || line.starts_with(&format!("const {class}Finalization = "))
        };
        if classes.iter().any(begins) {
            left_out += 1;
            lines.find(|line| ["}", "});"].contains(line));
        } else if !classes.iter().any(|class| line.starts_with(&format!("if (Symbol.dispose) {class}."))) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    ensure!(left_out == 2 * classes.len(), "wasm-bindgen writes other classes than {classes:?}");
    ensure!(!classes.iter().any(|class| kept.contains(class)), "one of {classes:?} is needed");
    Ok(kept)
}

/// Leaves out what is for readers: documentation, and the white space that lines begin with.
fn lean(glue: &str) -> Result<String> {
    let mut kept = String::with_capacity(glue.len());
    let mut documents = false;
    for line in glue.lines().map(str::trim) {
        documents |= line.starts_with("/**");
        if !documents && !line.is_empty() && !line.starts_with("//") {
            ensure!(line.matches('`').count() % 2 == 0, "a text of several lines, whose white space counts: `{line}`");
            kept.push_str(line);
            kept.push('\n');
        }
        if documents && line.contains("*/") {
            ensure!(line.ends_with("*/"), "code behind a comment: `{line}`");
            documents = false;
        }
    }
    Ok(kept)
}

fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn run(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} did not start"))?;
    ensure!(status.success(), "{command:?} failed: {status}");
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GLUE: &str =
        "import source wasmModule from \"./index_bg.wasm\";\nfunction __wbg_call_abort_hook() {\n    rest();\n}";

    #[test]
    fn the_glue_imports_the_module_plainly_and_reports_an_abort_first() {
        let adapted = adapt(GLUE).unwrap();
        assert!(adapted.starts_with("import wasmModule from \"./index_bg.wasm\";"));
        assert!(adapted.contains("__wbg_call_abort_hook() {\n    aborted.notify();\n    rest();"));
    }

    #[test]
    fn glue_of_another_shape_is_refused_rather_than_shipped() {
        assert!(adapt("import wasmModule from 'x';").is_err());
        assert!(adapt(&GLUE.replace("abort_hook", "other_hook")).is_err());
        assert!(adapt(&GLUE.repeat(2)).is_err());
    }

    #[test]
    fn foreign_classes_are_left_out_and_missed_when_they_are_not_there() {
        let class = |name: &str| {
            format!(
                "export class {name} {{\n    free() {{\n    }}\n}}\nif (Symbol.dispose) {name}.prototype.x = 1;\n\
                 const {name}Finalization = a\n    : b(() => {{\n    c();\n}});\n"
            )
        };
        let glue = format!("{}{}f();\n", class("Ours"), class("Theirs"));
        assert_eq!(without(&glue, &["Theirs"]).unwrap(), format!("{}f();\n", class("Ours")));
        assert!(without(&glue, &["Gone"]).is_err());
        assert!(without(&format!("{glue}new Theirs();\n"), &["Theirs"]).is_err());
    }

    #[test]
    fn glue_is_shipped_without_what_is_for_readers() {
        let glue =
            "/**\n * Says `it.\n */\nexport function say() {\n    // Once.\n\n    return `it`;\n}\n/** @type {1} */\n";
        assert_eq!(lean(glue).unwrap(), "export function say() {\nreturn `it`;\n}\n");
        assert!(lean("say(`one\n  two`);").is_err());
        assert!(lean("/** why */ say();").is_err());
    }

    #[test]
    fn a_profile_is_release_or_debug() {
        assert_eq!(Profile::parse("debug").unwrap(), Profile::Debug);
        assert_eq!(Profile::parse("release").unwrap(), Profile::Release);
        assert!(Profile::parse("fast").is_err());
    }
}
