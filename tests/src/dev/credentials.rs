//! The developer's secret and keys, made once and kept in `dev.json`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What `dev.json` holds. Both packages use the file: what is missing is made, what is unknown is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// `SIGNALBOX_SECRET`: 32 random bytes in hex.
    #[serde(default)]
    pub secret: String,
    /// `SIGNALBOX_ADMIN_KEY`: 16 random bytes in hex.
    #[serde(default)]
    pub admin_key: String,
    /// The virtual key of the last run. Each package keeps its keys in a store of its own, so it is tried before use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Members of others.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Credentials {
    /// New ones, from the system's randomness.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> io::Result<Credentials> {
        let none = Credentials { secret: String::new(), admin_key: String::new(), key: None, others: Map::new() };
        none.completed()
    }

    /// Reads `dev.json`, makes what it lacks, and keeps that.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds something else.
    pub fn load_or_generate(file: &Path) -> io::Result<Credentials> {
        let kept: Option<Credentials> =
            match fs::read(file) {
                Ok(json) => Some(serde_json::from_slice(&json).map_err(|error| {
                    io::Error::other(format!("{}: {error}; delete it to start anew", file.display()))
                })?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
        let whole = match &kept {
            Some(kept) => kept.clone().completed()?,
            None => Credentials::generate()?,
        };
        if kept.as_ref() != Some(&whole) {
            whole.store(file)?;
        }
        Ok(whole)
    }

    fn completed(mut self) -> io::Result<Credentials> {
        if self.secret.is_empty() {
            self.secret = random_hex(32)?;
        }
        if self.admin_key.is_empty() {
            self.admin_key = random_hex(16)?;
        }
        Ok(self)
    }

    /// Writes `dev.json`, readable by its owner alone; a run that is killed leaves the old file whole.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn store(&self, file: &Path) -> io::Result<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = file.with_extension("json.new");
        // One left over from a killed run may have other permissions.
        drop(fs::remove_file(&new));
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let json = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        writeln!(out, "{json}")?;
        fs::rename(new, file)
    }
}

fn random_hex(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_made_and_what_is_there_is_kept() {
        let folder = std::env::temp_dir().join(format!("signalbox-credentials-{}", std::process::id()));
        let file = folder.join("dev.json");
        let first = Credentials::load_or_generate(&file).unwrap();
        assert_eq!((first.secret.len(), first.admin_key.len(), &first.key), (64, 32, &None));
        assert_eq!(Credentials::load_or_generate(&file).unwrap(), first);
        fs::write(&file, r#"{"admin_key": "kept", "other": 1}"#).unwrap();
        let second = Credentials::load_or_generate(&file).unwrap();
        assert_eq!((second.admin_key.as_str(), second.secret.len()), ("kept", 64));
        assert_eq!(Credentials::load_or_generate(&file).unwrap(), second);
        assert!(fs::read_to_string(&file).unwrap().contains("other"));
        fs::write(&file, "{").unwrap();
        assert!(Credentials::load_or_generate(&file).unwrap_err().to_string().contains("delete it"));
        fs::remove_dir_all(folder).unwrap();
    }
}
