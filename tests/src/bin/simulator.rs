//! The upstream simulator as a program: `simulator [--port N] [--pace-ms N] [--no-log] [--with-parent]`.

use std::io::Write;
use std::process::ExitCode;

use signalbox_tests::harness::Stop;
use signalbox_tests::simulator::{Options, Simulator};

const USAGE: &str = "usage: simulator [--port N] [--pace-ms N] [--no-log] [--with-parent]
  --port N        listen on 127.0.0.1:N; 0, the default, takes any port
  --pace-ms N     milliseconds between two words (also SIMULATOR_PACE_MS; 30)
  --no-log        remember no requests
  --with-parent   end when standard input closes";

fn main() -> ExitCode {
    let (options, with_parent) = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(options, with_parent) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<(Options, bool), String> {
    let mut options = Options::default();
    let mut with_parent = false;
    if let Ok(pace) = std::env::var("SIMULATOR_PACE_MS") {
        options.pace_ms = pace.parse().map_err(|_| format!("SIMULATOR_PACE_MS is no number: {pace}"))?;
    }
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or(format!("{argument} wants a number"));
        match argument.as_str() {
            "--port" => options.port = number()?.parse().map_err(|error| format!("--port: {error}"))?,
            "--pace-ms" => options.pace_ms = number()?.parse().map_err(|error| format!("--pace-ms: {error}"))?,
            "--no-log" => options.keep_log = false,
            "--with-parent" => with_parent = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok((options, with_parent))
}

fn run(options: Options, with_parent: bool) -> std::io::Result<()> {
    let simulator = Simulator::start(options)?;
    let stop = Stop::listen()?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", simulator.url())?;
    out.flush()?;
    stop.wait(with_parent);
    Ok(())
}
