//! A local Lambda as a program: `lambda-local --bootstrap PATH`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use signalbox_tests::harness::Stop;
use signalbox_tests::lambda::{LambdaLocal, Options, State, Table};

const USAGE: &str = "usage: lambda-local --bootstrap PATH [options]
  --port N           the Function URL's port on 127.0.0.1; 0, the default, takes any
  --instances N      most processes at a time (10); requests beyond that wait
  --freeze           stop each process between events, as Lambda does
  --buffered         invoke mode BUFFERED
  --timeout SECONDS  the function's timeout (900)
  --env K=V          a variable of the function's environment; repeatable
  --state DIR        keep DynamoDB in DIR; `memory`, the default, keeps nothing
  --table NAME       a table with string keys `pk` and `sk` and a time to live in `ttl`; repeatable (signalbox)
  --with-parent      end when standard input closes
Every *_API_KEY, *_BASE_URL and SIGNALBOX_* of the environment is passed on to the function.";

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
            eprintln!("lambda-local: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<(Options, bool), String> {
    let mut options = Options { inherit: true, echo: true, ..Options::new(PathBuf::new()) };
    let mut tables = Vec::new();
    let mut with_parent = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        let number = |text: String| text.parse::<u64>().map_err(|error| format!("{argument}: {error}"));
        match argument.as_str() {
            "--bootstrap" => options.bootstrap = value()?.into(),
            "--port" => options.port = value()?.parse().map_err(|error| format!("--port: {error}"))?,
            "--instances" => options.instances = value()?.parse().map_err(|error| format!("--instances: {error}"))?,
            "--freeze" => options.freeze = true,
            "--buffered" => options.buffered = true,
            "--timeout" => options.timeout = Duration::from_secs(number(value()?)?),
            "--env" => {
                let pair = value()?;
                let (name, value) = pair.split_once('=').ok_or(format!("--env wants K=V, not {pair}"))?;
                options.env.push((name.to_owned(), value.to_owned()));
            }
            "--state" => {
                let state = value()?;
                options.state = if state == "memory" { State::Memory } else { State::Folder(state.into()) };
            }
            "--table" => tables.push(Table { name: value()?, ..Table::default() }),
            "--with-parent" => with_parent = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    if !tables.is_empty() {
        options.tables = tables;
    }
    if options.bootstrap.as_os_str().is_empty() {
        return Err("--bootstrap is missing".to_owned());
    }
    Ok((options, with_parent))
}

fn run(options: Options, with_parent: bool) -> std::io::Result<()> {
    let lambda = LambdaLocal::start(options)?;
    let stop = Stop::listen()?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {}", lambda.url())?;
    out.flush()?;
    stop.wait(with_parent);
    Ok(())
}
