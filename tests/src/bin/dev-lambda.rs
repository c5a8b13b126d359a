//! `make dev-lambda`: the Lambda package behind a local Function URL, ready for a first call.
//!
//! Environment: `PORT` (8787), `STATE=memory` to keep nothing; see `--help` for the rest.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use signalbox_tests::dev::{Credentials, Providers, dev_key, environment, providers, ready_text};
use signalbox_tests::harness::{Stop, wait_until_healthy};
use signalbox_tests::lambda::{LambdaLocal, Options, State};
use signalbox_tests::simulator::{self, Simulator};

const USAGE: &str = "usage: dev-lambda --bootstrap PATH [--instances N] [--state DIR]
  PORT=N            the port on 127.0.0.1 (8787)
  STATE=memory      keep nothing; otherwise state lies in DIR (.signalbox)
  SIMULATOR_PACE_MS milliseconds between two words of the built-in simulator (30)";

/// How long the function may take to answer `GET /health`.
const READY: Duration = Duration::from_secs(30);

struct Wanted {
    bootstrap: PathBuf,
    instances: usize,
    port: u16,
    /// `None` keeps nothing.
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    let wanted = match wanted() {
        Ok(wanted) => wanted,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dev-lambda: {error}");
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn wanted() -> Result<Wanted, String> {
    let port = variable("PORT").unwrap_or_else(|| "8787".to_owned());
    let port = port.parse().ok().filter(|port| *port != 0).ok_or(format!("PORT={port} is no port (1 to 65535)"))?;
    let mut folder = PathBuf::from(".signalbox");
    let mut bootstrap = PathBuf::new();
    let mut instances = 10;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        match argument.as_str() {
            "--bootstrap" => bootstrap = value()?.into(),
            "--instances" => instances = value()?.parse().map_err(|error| format!("--instances: {error}"))?,
            "--state" => folder = value()?.into(),
            other => return Err(format!("unknown argument {other}")),
        }
    }
    if bootstrap.as_os_str().is_empty() {
        return Err("--bootstrap is missing".to_owned());
    }
    let keeps = variable("STATE").as_deref() != Some("memory");
    Ok(Wanted { bootstrap, instances, port, folder: keeps.then_some(folder) })
}

fn run(wanted: &Wanted) -> io::Result<()> {
    let file = wanted.folder.as_ref().map(|folder| folder.join("dev.json"));
    let kept = match &file {
        Some(file) => Credentials::load_or_generate(file)?,
        None => Credentials::generate()?,
    };
    let given = |name: &str, kept: &str| variable(name).unwrap_or_else(|| kept.to_owned());
    let admin_key = given("SIGNALBOX_ADMIN_KEY", &kept.admin_key);
    let secret = given("SIGNALBOX_SECRET", &kept.secret);
    let providers = providers(&environment());
    let simulator = providers.simulated.then(start_simulator).transpose()?;

    let mut options = Options {
        port: wanted.port,
        instances: wanted.instances,
        freeze: true,
        inherit: true,
        echo: true,
        state: wanted.folder.clone().map_or(State::Memory, State::Folder),
        ..Options::new(&wanted.bootstrap)
    };
    let public_url = given("SIGNALBOX_PUBLIC_URL", &format!("http://127.0.0.1:{}", wanted.port));
    options = options.env("SIGNALBOX_ADMIN_KEY", &admin_key).env("SIGNALBOX_SECRET", &secret);
    options = options.env("SIGNALBOX_PUBLIC_URL", &public_url);
    if let Some(simulator) = &simulator {
        for (name, value) in simulator.bindings() {
            options = options.env(name, value);
        }
    }
    let lambda = LambdaLocal::start(options).map_err(|error| {
        let taken = error.kind() == io::ErrorKind::AddrInUse;
        let said = || io::Error::other(format!("port {} is taken; choose another with PORT=", wanted.port));
        if taken { said() } else { error }
    })?;

    let mut stop = Stop::listen()?;
    let ready = first_call(lambda.url(), &admin_key, &kept, file.as_deref(), &providers);
    let Some(text) = stop.unless_asked(ready) else {
        return Ok(());
    };
    let mut out = io::stdout();
    out.write_all(text?.as_bytes())?;
    out.flush()?;
    stop.wait(false);
    Ok(())
}

fn start_simulator() -> io::Result<Simulator> {
    let mut options = simulator::Options { keep_log: false, ..simulator::Options::default() };
    if let Some(pace) = variable("SIMULATOR_PACE_MS").and_then(|pace| pace.parse().ok()) {
        options.pace_ms = pace;
    }
    Simulator::start(options)
}

/// Waits for the gateway, sees to a key, and words what to do next.
async fn first_call(
    url: &str,
    admin_key: &str,
    kept: &Credentials,
    file: Option<&Path>,
    providers: &Providers,
) -> io::Result<String> {
    wait_until_healthy(url, READY).await?;
    let key = dev_key(url, admin_key, kept.key.as_deref()).await?;
    if let Some(file) = file.filter(|_| kept.key.as_ref() != Some(&key)) {
        Credentials { key: Some(key.clone()), ..kept.clone() }.store(file)?;
    }
    ready_text(url, &key, admin_key, providers).await
}
