//! `make bench`: both packages beside the least that could stand in their place. Prints a table, writes JSON.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use signalbox_tests::bench::edge::{self, Effort};
use signalbox_tests::bench::peers::Peers;
use signalbox_tests::bench::report::{Report, Size};
use signalbox_tests::bench::upstream::{self, Upstream};
use signalbox_tests::bench::workers::Places;
use signalbox_tests::bench::{lambda, rails, semantic, start, translation};

const USAGE: &str = "usage: bench [options]
  --bootstrap PATH   the Lambda package's release binary; without it, nothing of Lambda is measured
  --rails FILE       the guardrails by themselves (signalbox_rails.wasm); without it they are not measured
  --out FILE         where the figures go as JSON (target/bench.json)
  --rounds N         rounds that count (7)
  --only TEXT        only what contains TEXT in `scenario/arm`, and no starts;
                     `translation`: how fast streams are translated; `rails`: the guardrails by themselves;
                     `semantic`: hits of the semantic cache
  --connections LIST numbers of connections (8,1)
  --worker DIR       our Worker's build (edge/build); given again, another one to measure beside it
BENCH_WORKERD (edge/node_modules/.bin/workerd) names another runtime.";

struct Wanted {
    bootstrap: Option<PathBuf>,
    rails: Option<PathBuf>,
    out: PathBuf,
    whole: bool,
    effort: Effort,
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(upstream::ARGUMENT) {
        return ended(upstream::serve());
    }
    match wanted() {
        Ok(wanted) => ended(run(&wanted)),
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn ended(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wanted() -> Result<Wanted, String> {
    let mut wanted = Wanted {
        bootstrap: None,
        rails: None,
        out: "target/bench.json".into(),
        whole: true,
        effort: Effort { builds: Vec::new(), rounds: 7, only: String::new(), connections: vec![8, 1] },
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        let number = |text: &str| text.parse::<usize>().map_err(|error| format!("{argument}: {error}"));
        match argument.as_str() {
            "--bootstrap" => wanted.bootstrap = Some(value()?.into()),
            "--rails" => wanted.rails = Some(value()?.into()),
            "--out" => wanted.out = value()?.into(),
            "--rounds" => wanted.effort.rounds = number(&value()?)?,
            "--only" => {
                wanted.effort.only = value()?;
                wanted.whole = false;
            }
            "--worker" => wanted.effort.builds.push(value()?.into()),
            "--connections" => wanted.effort.connections = value()?.split(',').map(number).collect::<Result<_, _>>()?,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    if wanted.effort.builds.is_empty() {
        wanted.effort.builds.push("edge/build".into());
    }
    Ok(wanted)
}

fn run(wanted: &Wanted) -> io::Result<()> {
    let places = Places::find()?;
    let measured =
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(wanted, &places));
    std::fs::remove_dir_all(&places.scratch)?;
    let mut report = measured?;
    report.judge();
    io::stdout().write_all(report.table().as_bytes())?;
    if let Some(folder) = wanted.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&wanted.out, serde_json::to_string_pretty(&report)?)
}

async fn measure(wanted: &Wanted, places: &Places) -> io::Result<Report> {
    let mut report = Report { workerd: version(&places.workerd)?, load_average: load_average(), ..Report::default() };
    let build = wanted.effort.builds.first().ok_or_else(|| io::Error::other("no Worker"))?;
    (report.wasm, report.worker) = sizes(build)?;
    let upstream = Upstream::start()?;
    if wanted.whole {
        report.start =
            Some(start::measure(places, build, &edge::bindings(upstream.url()), wanted.effort.rounds).await?);
    }
    let mut peers = Peers::start(places).await?;
    report.edge = edge::measure(places, &upstream, &mut peers, &wanted.effort).await?;
    report.peers = peers.told;
    if wanted.whole || wanted.effort.only == "translation" {
        report.translation = translation::measure();
    }
    if wanted.whole || wanted.effort.only == "semantic" {
        report.semantic = semantic::measure(places, build, &upstream).await?;
    }
    if let Some(wasm) = wanted.rails.as_ref().filter(|_| wanted.whole || wanted.effort.only == "rails") {
        report.rails = rails::measure(places, wasm).await?;
    }
    if let Some(bootstrap) = &wanted.bootstrap {
        report.lambda = Some(lambda::measure(bootstrap, &upstream, wanted.effort.rounds, 21).await?);
    }
    Ok(report)
}

fn version(workerd: &Path) -> io::Result<String> {
    let said = Command::new(workerd).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// The wasm, and all modules together, each compressed by itself as they travel.
fn sizes(build: &Path) -> io::Result<(Size, Size)> {
    let (mut wasm, mut all) = (Size::default(), Size::default());
    let mut folders = vec![build.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if path.is_dir() {
                folders.push(path);
            } else if !hidden {
                let bytes = std::fs::read(&path)?;
                let size = Size::of(&bytes)?;
                if path.extension().is_some_and(|ending| ending == "wasm") {
                    wasm = size;
                }
                all = Size { raw: all.raw + size.raw, gzip: all.gzip + size.gzip };
            }
        }
    }
    Ok((wasm, all))
}
