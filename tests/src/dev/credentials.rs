//! The developer's secret and keys, made once and kept in `dev.json`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What `dev.json` holds. Each package keeps its keys in a store of its own, so `key` is the one of the last run and is tried before use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// `SIGNALBOX_SECRET`.
    pub secret: String,
    /// `SIGNALBOX_ADMIN_KEY`.
    pub admin_key: String,
    /// A virtual key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Credentials {
    /// New ones, from the system's randomness: 32 bytes for the secret, 16 for the administrator's key.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> io::Result<Credentials> {
        Ok(Credentials {
            secret: random_hex(32)?,
            admin_key: format!("sb-admin-{}", random_hex(16)?),
            key: None,
        })
    }

    /// Reads `dev.json`; where there is none, makes new ones and keeps them.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds something else.
    pub fn load_or_generate(file: &Path) -> io::Result<Credentials> {
        match fs::read(file) {
            Ok(json) => serde_json::from_slice(&json).map_err(|error| {
                io::Error::other(format!(
                    "{}: {error}; delete it to start anew",
                    file.display()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let credentials = Credentials::generate()?;
                credentials.store(file)?;
                Ok(credentials)
            }
            Err(error) => Err(error),
        }
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
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
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
