//! The workspace as text: what the architecture and the deployment are checked on.
//!
//! No parser: comments and literals are blanked, and what is left is read word by word. That is
//! enough for "who imports whom" and "which word never occurs", and it cannot drift from the compiler.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders that are built or brought, not written.
const FOREIGN: [&str; 9] =
    ["target", "node_modules", ".venv", "build", ".git", ".signalbox", ".aws-sam", "corpus", "artifacts"];

/// A file of the workspace.
pub(crate) struct Source {
    /// Below the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Declared as a module for tests only.
    for_tests: bool,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// One file, which must be there.
pub(crate) fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file of text below `folder` (`""` is the root) whose name ends in one of `endings`, in order.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut |path| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        if endings.iter().any(|ending| name.ends_with(ending))
            && let Ok(text) = std::fs::read_to_string(path)
        {
            found.push(Source { path: name, text, for_tests: false });
        }
    });
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let for_tests: BTreeSet<String> = found.iter().flat_map(test_modules).collect();
    found.iter_mut().for_each(|source| source.for_tests = for_tests.contains(&source.path));
    assert!(!found.is_empty(), "nothing to check below `{folder}`");
    found
}

/// Every file below `folder`, foreign folders left out.
pub(crate) fn walk(folder: &Path, each: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_file() {
            each(&path);
        } else if kind.is_dir() && !FOREIGN.contains(&entry.file_name().to_string_lossy().as_ref()) {
            walk(&path, each);
        }
    }
}

/// Where the modules lie that this file declares below `#[cfg(test)]`.
fn test_modules(source: &Source) -> Vec<String> {
    let code = source.code();
    let declared =
        code.split("#[cfg(test)]").skip(1).filter_map(|rest| rest.trim_start().strip_prefix("mod ")?.split_once(';'));
    let folder = match source.path.rsplit_once('/') {
        Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder,
        Some(_) | None => source.path.trim_end_matches(".rs"),
    };
    declared.map(|(name, _)| format!("{folder}/{name}.rs")).collect()
}

/// The Rust of the product: what is deployed, the tests inside it included.
pub(crate) fn product() -> Vec<Source> {
    ["shared/src", "edge/src", "lambda/src"].iter().flat_map(|folder| files(folder, &[".rs"])).collect()
}

impl Source {
    /// A file that exists only in a test of a check.
    pub(crate) fn of(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned(), for_tests: false }
    }

    /// Whether the whole file is a test.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.for_tests || self.path.contains("/tests/") || name == "tests.rs" || name.ends_with("_tests.rs")
    }

    /// The text without comments, strings and characters; lines stay where they were.
    pub(crate) fn code(&self) -> String {
        blank_literals(&self.text)
    }

    /// [`code`](Source::code) without what is compiled for tests only.
    pub(crate) fn production(&self) -> String {
        if self.is_test() { String::new() } else { blank_tests(self.code()) }
    }

    /// Every path (`a::b::c`, one entry for each branch of a `use`) of the code, resolved against this
    /// file's module where it begins with `crate`, `self` or `super`.
    pub(crate) fn paths(&self) -> BTreeSet<String> {
        let code = self.production();
        let tokens = tokens(&code);
        let mut found = BTreeSet::new();
        for (at, token) in tokens.iter().enumerate() {
            let follows_path = at >= 1 && tokens[at - 1] == "::";
            if !follows_path && is_word(token) && tokens.get(at + 1) == Some(&"::") {
                tree(&tokens, at, &mut Vec::new(), &mut found);
            }
        }
        found.into_iter().map(|path| self.resolve(&path)).collect()
    }

    /// The modules of this crate that the file names.
    pub(crate) fn imports(&self) -> BTreeSet<String> {
        let own = self.paths();
        own.iter().filter_map(|path| Some(path.strip_prefix("crate::")?.split("::").next()?.to_owned())).collect()
    }

    fn resolve(&self, path: &str) -> String {
        let mut module: Vec<&str> =
            self.path.split_once("/src/").map_or("", |(_, below)| below).trim_end_matches(".rs").split('/').collect();
        if matches!(module.last(), Some(&("mod" | "lib" | "main"))) {
            module.pop();
        }
        let mut steps = path.split("::").peekable();
        if !matches!(steps.peek(), Some(&("self" | "super"))) {
            return path.to_owned();
        }
        while let Some(step) = steps.next_if(|step| matches!(*step, "self" | "super")) {
            if step == "super" {
                module.pop();
            }
        }
        ["crate"].into_iter().chain(module).chain(steps).collect::<Vec<_>>().join("::")
    }
}

pub(crate) fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::` and single other characters.
pub(crate) fn tokens(code: &str) -> Vec<&str> {
    let mut rest = code;
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !first.is_whitespace() {
            found.push(token);
        }
        rest = after;
    }
    found
}

/// Reads a use tree (or a plain path) that begins at `at`; returns where it ends.
fn tree(tokens: &[&str], mut at: usize, prefix: &mut Vec<String>, found: &mut BTreeSet<String>) -> usize {
    let depth = prefix.len();
    let mut branched = false;
    while let Some(token) = tokens.get(at) {
        if *token == "{" && at >= 1 && tokens[at - 1] == "::" {
            at += 1;
            while tokens.get(at).is_some_and(|token| *token != "}") {
                at = if is_word(tokens[at]) { tree(tokens, at, prefix, found) } else { at + 1 };
            }
            branched = true;
            at += 1;
            break;
        } else if is_word(token) {
            prefix.push((*token).to_owned());
            at += 1;
            if tokens.get(at) != Some(&"::") {
                break;
            }
        } else if *token == "::" {
            at += 1;
        } else {
            break;
        }
    }
    if !branched && prefix.len() > depth {
        found.insert(prefix.join("::"));
    }
    prefix.truncate(depth);
    at
}

fn blank_literals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let blank = |piece: &str| piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>();
    while !rest.is_empty() {
        let skip = literal(rest, out.ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        if skip > 0 {
            out.push_str(&blank(&rest[..skip]));
            rest = &rest[skip..];
        } else {
            let length = rest.chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        }
    }
    out
}

/// The length of the comment, string or character at the beginning of `rest`; 0 when there is none.
fn literal(rest: &str, after_word: bool) -> usize {
    let until = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return until("*/", 2);
    }
    if !after_word && (rest.starts_with("r\"") || rest.starts_with("r#")) {
        let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
        if rest[1 + hashes..].starts_with('"') {
            return until(&format!("\"{}", "#".repeat(hashes)), 2 + hashes);
        }
    }
    if rest.starts_with('"') {
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        return end.map_or(rest.len(), |(at, _)| at + 1);
    }
    if rest.starts_with('\'') {
        // A lifetime has no closing quote after one character.
        let mut chars = rest.char_indices().skip(1);
        return match (chars.next(), chars.next()) {
            (Some((_, '\\')), Some((at, escape))) => until("'", at + escape.len_utf8()),
            (Some(_), Some((at, '\''))) => at + 1,
            _ => 0,
        };
    }
    0
}

/// Blanks every item below `#[cfg(test)]`: to its closing brace, or to its `;` where it has no body.
fn blank_tests(code: String) -> String {
    let mut out = String::new();
    let mut rest = code.as_str();
    while let Some((before, after)) = rest.split_once("#[cfg(test)]") {
        out.push_str(before);
        let mut depth = 0_usize;
        let end = after.char_indices().find(|(_, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(c, '}' | ';')
        });
        let end = end.map_or(after.len(), |(at, _)| at + 1);
        out.extend(after[..end].chars().filter(|c| *c == '\n'));
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}
