//! `verify-audit FILE.jsonl [--checkpoints FILE.jsonl --key BASE64]`: what anybody can find out about exported records.
//!
//! `FILE.jsonl` is what `GET /admin/v1/audit?format=jsonl` gave, pages one after the other, of one team or of several; or
//! objects of an archive, which have their checkpoints in them. The
//! checkpoints are those of `GET /admin/v1/audit/checkpoints?format=jsonl`; the key is the one that was noted down when the
//! gateway was set up, not one that came with the files.

use anyhow::{Context, bail};
use std::process::ExitCode;
use verify_audit::{Key, verify};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> anyhow::Result<bool> {
    let (mut file, mut checkpoints, mut key) = (None, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--checkpoints" => checkpoints = Some(arguments.next().context("--checkpoints wants a file")?),
            "--key" => key = Some(arguments.next().context("--key wants the public key in base64")?),
            _ if file.is_none() && !argument.starts_with('-') => file = Some(argument),
            _ => bail!("usage: verify-audit FILE.jsonl [--checkpoints FILE.jsonl --key BASE64]"),
        }
    }
    let file = file.context("usage: verify-audit FILE.jsonl [--checkpoints FILE.jsonl --key BASE64]")?;
    let read = |name: &str| std::fs::read_to_string(name).with_context(|| format!("cannot read {name}"));
    let key =
        key.map(|text| Key::parse(&text).context("the key is not an Ed25519 public key in base64")).transpose()?;
    let checkpoints = checkpoints.map(|name| read(&name)).transpose()?.unwrap_or_default();
    if !checkpoints.is_empty() && key.is_none() {
        bail!("checkpoints say nothing without --key: anybody can sign with a key of their own");
    }
    let report = verify(&read(&file)?, &checkpoints, key.as_ref());
    print!("{report}");
    Ok(report.ok())
}
