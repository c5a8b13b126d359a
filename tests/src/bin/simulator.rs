//! The upstream simulator as a program: `simulator [--port N] [--pace-ms N] [--no-log] [--with-parent] [--if-wanted]`.

use std::io::Write;
use std::process::ExitCode;

use signalbox_tests::dev::{environment, providers};
use signalbox_tests::harness::Stop;
use signalbox_tests::simulator::{Options, Simulator};

const USAGE: &str = "usage: simulator [--port N] [--pace-ms N] [--no-log] [--with-parent] [--if-wanted]
  --port N        listen on 127.0.0.1:N; 0, the default, takes any port
  --pace-ms N     milliseconds between two words (also SIMULATOR_PACE_MS; 30)
  --no-log        remember no requests
  --with-parent   end when standard input closes
  --if-wanted     end at once, naming a model for a first call, where the environment configures a provider";

struct Wanted {
    options: Options,
    with_parent: bool,
    if_wanted: bool,
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
            eprintln!("simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wanted() -> Result<Wanted, String> {
    let mut options = Options::default();
    let (mut with_parent, mut if_wanted) = (false, false);
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
            "--if-wanted" => if_wanted = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(Wanted { options, with_parent, if_wanted })
}

fn run(wanted: &Wanted) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let providers = providers(&environment());
    if wanted.if_wanted && !providers.simulated {
        return writeln!(out, "not wanted: {}", providers.model);
    }
    let simulator = Simulator::start(wanted.options)?;
    let stop = Stop::listen()?;
    writeln!(out, "listening on {}", simulator.url())?;
    out.flush()?;
    stop.wait(wanted.with_parent);
    Ok(())
}
