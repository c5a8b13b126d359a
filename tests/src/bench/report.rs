//! All figures of a run, the bars they are held against, and how people read them.

use std::fmt::Write;

use serde::Serialize;

use super::edge::Row;
use super::lambda;
use super::peers::Peer;
use super::rails::{self, Rail};
use super::scenario::{BY_KEY, BY_TOKEN, CHEAPEST, LEARNED, NAMED};
use super::semantic::Semantic;
use super::start::Starts;
use super::stats::Spread;
use super::translation::Translation;

/// Bytes as they lie on disk and as they travel.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Size {
    /// On disk.
    pub raw: usize,
    /// Compressed at the highest level.
    pub gzip: usize,
}

/// What a run has found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// `workerd --version`.
    pub workerd: String,
    /// Load of the machine when the run began, one minute's average: figures of a busy one are coarse.
    pub load_average: f64,
    /// Our Worker's wasm.
    pub wasm: Size,
    /// All modules of our Worker.
    pub worker: Size,
    /// Who was measured beside us.
    pub peers: Vec<Peer>,
    /// The Worker's figures.
    pub edge: Vec<Row>,
    /// Start to first answer.
    pub start: Option<Starts>,
    /// The Lambda package's figures.
    pub lambda: Option<lambda::Figures>,
    /// What the guardrails of a request cost by themselves.
    pub rails: Vec<Rail>,
    /// Hits of the semantic cache.
    pub semantic: Option<Semantic>,
    /// How fast streams are translated.
    pub translation: Vec<Translation>,
    /// Held against.
    pub bars: Vec<Bar>,
}

/// A figure and the most it may be.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// Of what.
    pub name: String,
    /// What was found.
    pub value: f64,
    /// The most it may be.
    pub limit: f64,
    /// `value <= limit`.
    pub met: bool,
}

impl Report {
    /// Holds the figures that are there against what the product promises.
    pub fn judge(&mut self) {
        let mut bars = Vec::new();
        let mut bar = |name: String, value: Option<f64>, limit: f64| {
            bars.extend(value.map(|value| Bar { name, value, limit, met: value <= limit }));
        };
        for row in self.edge.iter().filter(|row| row.ours) {
            let name = |what: &str| format!("{} / {}: {what}", row.scenario, row.arm);
            // CPU where requests overlap, waiting where none waits for another.
            let (cpu, token) = match row.scenario {
                "json" => (Some(1.8), None),
                "burst" => (Some(2.5), None),
                "paced" => (Some(2.5), Some(2.0)),
                "burst-cross" => (Some(6.0), None),
                "paced-cross" => (Some(6.0), Some(3.0)),
                _ => (None, None),
            };
            match (cpu, token) {
                (Some(limit), _) if row.connections > 1 => bar(name("CPU over bare"), row.cpu_ratio, limit),
                (_, Some(limit)) if row.connections == 1 => {
                    bar(name("first token over bare, p50 ms"), Some(row.token_over_bare.p50), limit);
                }
                (Some(_) | None, Some(_) | None) => {}
            }
        }
        // What one arm uses more than another, µs.
        let more = |scenario: &str, arm: &str, than: &str| {
            let cpu = |name: &str| {
                let of = |row: &&Row| row.scenario == scenario && row.arm == name && row.connections > 1;
                self.edge.iter().find(of).and_then(|row| row.cpu_ms)
            };
            Some((cpu(arm)? - cpu(than)?) * 1e3)
        };
        bar("a token that is remembered over a key, CPU µs".to_owned(), more("json", BY_TOKEN, BY_KEY), 50.0);
        bar("decision, cheapest of 20, CPU µs".to_owned(), more("decision", CHEAPEST, NAMED), 150.0);
        let learned = more("decision", LEARNED, NAMED);
        bar("decision, learned and semantic on 1,000 tokens, CPU µs".to_owned(), learned, 1_000.0);
        let all = self.rails.iter().find(|rail| rail.kind == rails::ALL).map(|rail| rail.cpu_us);
        bar("all built-in guardrails on 4 kB, CPU µs".to_owned(), all, 300.0);
        let hit = self.semantic.map(|semantic| semantic.hit_ms.p50);
        bar("a hit of the semantic cache, p50 ms".to_owned(), hit, 5.0);
        bar("worker, gzip kB".to_owned(), (self.worker.gzip > 0).then(|| self.worker.gzip as f64 / 1e3), 900.0);
        if let Some(lambda) = &self.lambda {
            bar("bootstrap, spawn to first poll, p50 ms".to_owned(), Some(lambda.init_ms.p50), 15.0);
            bar("bootstrap, MB".to_owned(), Some(lambda.binary_bytes as f64 / 1e6), 9.0);
        }
        // 300 MB a second.
        for Translation { to, megabytes_per_second } in &self.translation {
            bar(
                format!("stream of openai_chat to {to}, natively: ns a kB"),
                Some(1e6 / megabytes_per_second),
                1e6 / 300.0,
            );
        }
        self.bars = bars;
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{}; load average at the start {:.1}", self.workerd, self.load_average)?;
        writeln!(
            out,
            "worker {} bytes, {} gzip; wasm alone {} bytes, {} gzip",
            self.worker.raw, self.worker.gzip, self.wasm.raw, self.wasm.gzip
        )?;
        for peer in &self.peers {
            let size = peer.size.map_or(String::new(), |size| format!(": {} bytes, {} gzip", size.raw, size.gzip));
            writeln!(out, "{}: {}{size}", peer.name, peer.told)?;
        }
        writeln!(out)?;
        if !self.edge.is_empty() {
            writeln!(
                out,
                "{:<12} {:<20} {:>4} {:>8} {:>6} {:>6}  {:>7} {:>7}  {:>7} {:>7}  {:>7} {:>7}  {:>15}  {:>15}  {:>15}",
                "Worker",
                "",
                "conn",
                "CPU ms",
                "x bare",
                "quiet",
                "byte50",
                "p99",
                "token50",
                "p99",
                "end50",
                "p99",
                "token over bare",
                "end over bare",
                "end over direct"
            )?;
        }
        let number =
            |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
        for row in &self.edge {
            writeln!(
                out,
                "{:<12} {:<20} {:>4} {:>8} {:>6} {:>6}  {:>7.2} {:>7.2}  {:>7.2} {:>7.2}  {:>7.2} {:>7.2}  {:>15}  {:>15}  {:>15}",
                row.scenario,
                row.arm,
                row.connections,
                number(row.cpu_ms, 3),
                number(row.cpu_ratio, 2),
                number(row.cpu_ratio_quiet, 2),
                row.first_ms.p50,
                row.first_ms.p99,
                row.token_ms.p50,
                row.token_ms.p99,
                row.end_ms.p50,
                row.end_ms.p99,
                added(row.token_over_bare),
                added(row.end_over_bare),
                added(row.end_over_direct),
            )?;
        }
        if let Some(start) = &self.start {
            writeln!(
                out,
                "\nstart to first answer: ours {:.1} ms wall, {:.1} CPU; a trivial Worker {:.1} wall, {:.1} CPU",
                start.ours.wall_ms, start.ours.cpu_ms, start.trivial.wall_ms, start.trivial.cpu_ms
            )?;
        }
        if let Some(lambda) = &self.lambda {
            self.write_lambda(lambda, out)?;
        }
        if !self.rails.is_empty() {
            let told: Vec<String> =
                self.rails.iter().map(|Rail { kind, cpu_us }| format!("{kind} {cpu_us:.0}")).collect();
            writeln!(out, "guardrails on 4 kB in a loop, CPU µs, each with the reading: {}", told.join(", "))?;
        }
        if let Some(Semantic { hit_ms, cpu_ms }) = self.semantic {
            writeln!(
                out,
                "a hit of the semantic cache: p50 {:.2} ms, p99 {:.2}; CPU {cpu_ms:.2} ms",
                hit_ms.p50, hit_ms.p99
            )?;
        }
        for Translation { to, megabytes_per_second } in &self.translation {
            writeln!(
                out,
                "a stream of openai_chat is told as {to} at {megabytes_per_second:.0} MB/s of one core, natively"
            )?;
        }
        writeln!(out)?;
        for bar in &self.bars {
            writeln!(
                out,
                "{:<8}{:<56} {:>9.2}  (at most {})",
                if bar.met { "met" } else { "MISSED" },
                bar.name,
                bar.value,
                bar.limit
            )?;
        }
        Ok(())
    }

    fn write_lambda(&self, lambda: &lambda::Figures, out: &mut String) -> std::fmt::Result {
        let mb = |bytes: u64| bytes as f64 / 1e6;
        writeln!(
            out,
            "\nLambda: bootstrap {:.2} MB; spawn to first poll p50 {:.1} ms, p99 {:.1}; resident {:.1} MB idle, {:.1} MB after",
            mb(lambda.binary_bytes),
            lambda.init_ms.p50,
            lambda.init_ms.p99,
            mb(lambda.resident_idle_bytes),
            mb(lambda.resident_used_bytes)
        )?;
        for row in &lambda.rows {
            writeln!(
                out,
                "{:<12} {:<20} CPU {:>6.3} ms  first {:>6.2} {:>6.2}  end {:>6.2} {:>6.2}  over direct: first {}, end {}",
                row.scenario,
                row.arm,
                row.cpu_ms,
                row.first_ms.p50,
                row.first_ms.p99,
                row.end_ms.p50,
                row.end_ms.p99,
                added(row.first_over_direct),
                added(row.end_over_direct)
            )?;
        }
        Ok(())
    }
}

fn added(over: Spread) -> String {
    format!("{:+.2} {:+.2}", over.p50, over.p99)
}
