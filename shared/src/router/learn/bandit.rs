//! Beta–Thompson sampling over a route's arms, by lexical cells: which model has done best on prompts that
//! look like this one.
//!
//! A cell's few outcomes are shrunk to what its arm did everywhere. The state is sums, so that what
//! instances see apart is added in any order; clamps and the prior are applied when it is read, never kept
//! in it. Below [`ENOUGH`] outcomes it watches only: exploring then costs more than it finds.

use super::draw::Draws;
use super::fixed::ONE;
use super::mark::Mark;
use super::scan::Scan;
use serde::{Deserialize, Serialize};

/// Cells prompts fall into: six kinds of work, four sizes.
pub const CELLS: usize = 24;
/// Outcomes of a route below which nothing is explored.
pub const ENOUGH: u64 = 1_000;
/// How many outcomes of the arm's average a cell starts from.
const SHRINK: i64 = 60;
/// Counts are never read as less than this: half an outcome.
const LEAST: i64 = ONE as i64 / 2;

/// Which cell a prompt falls into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell(u8);

impl Cell {
    /// Of a scan.
    pub fn of(scan: &Scan) -> Cell {
        let rate = |marks: &[Mark]| marks.iter().map(|mark| scan.per_mille(*mark)).sum::<u32>();
        let has = |mark| scan.count(mark) > 0;
        let kind = if has(Mark::Fences) || rate(&[Mark::CodeWords, Mark::Identifiers]) > 140 {
            0
        } else if scan.count(Mark::Choices) > 2 {
            1
        } else if has(Mark::Backslashes) || rate(&[Mark::Numbers, Mark::QuantityWords, Mark::MathWords]) > 150 {
            2
        } else if rate(&[Mark::WritingWords, Mark::PersonaWords, Mark::ChatWords]) > 60 {
            3
        } else if has(Mark::Questions) || has(Mark::FactWords) {
            4
        } else {
            5
        };
        let size = match scan.count(Mark::Words) {
            0..=11 => 0,
            12..=39 => 1,
            40..=119 => 2,
            _ => 3,
        };
        Cell(kind * 4 + size)
    }

    /// Its place among [`CELLS`].
    pub fn number(self) -> u8 {
        self.0
    }

    /// The cell of this place.
    pub fn numbered(place: u64) -> Option<Cell> {
        u8::try_from(place).ok().filter(|place| usize::from(*place) < CELLS).map(Cell)
    }
}

/// Sums of what an arm's answers were worth and were not worth, in parts of 65,536.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// What they were worth.
    pub won: i64,
    /// What they fell short of.
    pub lost: i64,
}

/// What became of one arm's answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// By cell: what somebody said they were worth.
    pub cells: [Tally; CELLS],
    /// What shows by itself: calls that went well, and those that failed, were left or were asked again.
    #[serde(default)]
    pub calls: Tally,
}

impl Default for Record {
    fn default() -> Record {
        Record { cells: [Tally::default(); CELLS], calls: Tally::default() }
    }
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.won = self.won.saturating_add(other.won);
        self.lost = self.lost.saturating_add(other.lost);
    }

    fn outcomes(self) -> i64 {
        self.won.saturating_add(self.lost) / i64::from(ONE)
    }

    fn faded(self, left: i64) -> Tally {
        let faded = |sum: i64| ((i128::from(sum) * i128::from(left)) >> 16) as i64;
        Tally { won: faded(self.won), lost: faded(self.lost) }
    }
}

impl Record {
    /// Learns what an answer was worth, 0 to 65,536.
    pub fn learn(&mut self, cell: Cell, worth: i32) {
        let worth = i64::from(worth.clamp(0, ONE));
        if let Some(tally) = self.cells.get_mut(usize::from(cell.0)) {
            tally.add(Tally { won: worth, lost: i64::from(ONE) - worth });
        }
    }

    /// Takes note of a call of which nobody said anything: how much of it went wrong, 0 to 65,536.
    pub fn call(&mut self, wrong: i32) {
        let wrong = i64::from(wrong.clamp(0, ONE));
        self.calls.add(Tally { won: i64::from(ONE) - wrong, lost: wrong });
    }

    /// A call that had gone well went wrong after all.
    pub fn blame(&mut self) {
        self.calls.add(Tally { won: -i64::from(ONE), lost: ONE.into() });
    }

    /// Adds what another instance saw.
    pub fn add(&mut self, other: &Record) {
        self.cells.iter_mut().zip(&other.cells).for_each(|(own, new)| own.add(*new));
        self.calls.add(other.calls);
    }

    /// Outcomes it is judged by: what was said, and what went wrong. A call that went well says next to nothing.
    pub fn outcomes(&self) -> i64 {
        self.total().outcomes().saturating_add(self.calls.lost / i64::from(ONE))
    }

    /// What is left of an answer's worth for the calls that go wrong, in parts of 65,536.
    fn reliability(&self) -> i64 {
        let one = i128::from(ONE);
        let (lost, all) = (i128::from(self.calls.lost.max(0)), i128::from(self.calls.won.max(0)));
        (one - lost * one / (all + lost + 20 * one)) as i64
    }

    /// Lets the past fade: what is left of each outcome, in parts of 65,536.
    pub fn discount(&mut self, left: i32) {
        let left = i64::from(left.clamp(0, ONE));
        self.cells.iter_mut().for_each(|tally| *tally = tally.faded(left));
        self.calls = self.calls.faded(left);
    }

    /// Of all cells together.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.cells.iter().for_each(|tally| total.add(*tally));
        total
    }

    /// The counts a cell is judged by: its own, and [`SHRINK`] outcomes of the arm's average.
    fn posterior(&self, cell: Cell) -> (i64, i64) {
        let total = self.total();
        let one = i64::from(ONE);
        // One success and one failure are taken as given.
        let (won, lost) = (total.won.max(0) + one, total.lost.max(0) + one);
        let share = (i128::from(won) * i128::from(one) / i128::from(won + lost)) as i64;
        let own = self.cells.get(usize::from(cell.0)).copied().unwrap_or_default();
        ((own.won + SHRINK * share).max(LEAST), (own.lost + SHRINK * (one - share)).max(LEAST))
    }

    /// What an answer to a prompt of this cell is expected to be worth, in parts of 65,536.
    pub fn expected(&self, cell: Cell) -> i32 {
        let (won, lost) = self.posterior(cell);
        self.reliably((i128::from(won) * i128::from(ONE) / i128::from(won + lost).max(1)) as i32)
    }

    fn reliably(&self, worth: i32) -> i32 {
        ((i64::from(worth) * self.reliability()) >> 16) as i32
    }
}

/// What a choice may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    /// Inside a loop of tool calls, or with a prompt cache that is warm, nothing is tried out.
    pub settled: bool,
    /// The most calls on which an arm may be tried out, in parts of 65,536.
    pub exploration: i32,
}

/// A choice and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The place of the arm.
    pub arm: usize,
    /// Whether it was drawn rather than expected to be best.
    pub explored: bool,
    /// Whether too little is known to choose at all: the first arm, as configured.
    pub watching: bool,
    /// What it is expected to be worth less than the best, in parts of 65,536.
    pub forgone: i32,
}

/// Chooses among arms. `costs` is what a call is worth less with each, in parts of 65,536.
pub fn choose(records: &[Record], costs: &[i32], cell: Cell, leave: Leave, entropy: u64) -> Choice {
    let known: i64 = records.iter().map(Record::outcomes).sum();
    let mut draws = Draws::from(entropy);
    let cost = |arm: usize| i64::from(costs.get(arm).copied().unwrap_or(0));
    let best = |value: &mut dyn FnMut(&Record) -> i32| {
        let worths = records.iter().enumerate().map(|(arm, record)| (i64::from(value(record)) - cost(arm), arm));
        // Of equals the first, as configured.
        worths.reduce(|best, next| if next.0 > best.0 { next } else { best }).map_or(0, |(_, arm)| arm)
    };
    let expected = best(&mut |record| record.expected(cell));
    let worth = |arm: usize| records.get(arm).map_or(0, |record| i64::from(record.expected(cell)) - cost(arm));
    let forgone = |arm: usize| (worth(expected) - worth(arm)).clamp(0, ONE.into()) as i32;
    if known.unsigned_abs() < ENOUGH {
        return Choice { arm: 0, explored: false, watching: true, forgone: forgone(0) };
    }
    if leave.settled || !draws.chance(leave.exploration) {
        return Choice { arm: expected, explored: false, watching: false, forgone: 0 };
    }
    let drawn = best(&mut |record| {
        let (won, lost) = record.posterior(cell);
        record.reliably(draws.beta(won, lost))
    });
    Choice { arm: drawn, explored: drawn != expected, watching: false, forgone: forgone(drawn) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::router::learn::lexicon::Lexicon;
    use crate::router::learn::sample::Sample;

    const FREE: Leave = Leave { settled: false, exploration: ONE };

    fn cell(text: &str) -> Cell {
        Cell::of(&Scan::of(Sample::of(text), &Lexicon::built_in()))
    }

    /// Two arms of which each is right about one kind of prompt.
    fn taught(outcomes: usize) -> Vec<Record> {
        let (code, poem) = (cell("def f(x): return x"), cell("Write a poem"));
        let mut records = vec![Record::default(); 2];
        for at in 0..outcomes {
            let (arm, likes) = (at % 2, if at % 2 == 0 { code } else { poem });
            let cell = if at % 4 < 2 { code } else { poem };
            records[arm].learn(cell, if cell == likes { ONE } else { ONE / 5 });
        }
        records
    }

    fn chosen(records: &[Record], costs: &[i32], text: &str, leave: Leave) -> Vec<Choice> {
        (0..300).map(|entropy| choose(records, costs, cell(text), leave, entropy)).collect()
    }

    #[test]
    fn below_a_thousand_outcomes_the_first_arm_answers_as_configured() {
        let choices = chosen(&taught(900), &[], "Write a poem", FREE);
        assert!(choices.iter().all(|choice| choice.arm == 0 && !choice.explored && choice.watching));
    }

    #[test]
    fn each_kind_of_prompt_goes_to_the_arm_that_did_best_on_it() {
        let records = taught(4_000);
        let still = Leave { settled: true, exploration: ONE };
        assert!(chosen(&records, &[], "def f(x): return x", still).iter().all(|choice| choice.arm == 0));
        assert!(chosen(&records, &[], "Write a poem", still).iter().all(|choice| choice.arm == 1));
        // What costs more than it is better by is not worth it.
        assert!(chosen(&records, &[0, ONE], "Write a poem", still).iter().all(|choice| choice.arm == 0));
    }

    #[test]
    fn exploring_keeps_to_its_cap_and_stops_in_tool_loops_and_on_warm_caches() {
        // Arms that are hardly known from each other.
        let mut records = vec![Record::default(); 2];
        (0..1_200)
            .for_each(|at| records[at % 2].learn(Cell((at / 2 % CELLS) as u8), if at / 48 % 3 == 0 { ONE } else { 0 }));
        let explored = |leave| chosen(&records, &[], "Why?", leave).iter().filter(|choice| choice.explored).count();
        assert!(explored(FREE) > 60);
        assert!((1..45).contains(&explored(Leave { settled: false, exploration: ONE / 10 })));
        assert_eq!(explored(Leave { settled: true, exploration: ONE }), 0);
        assert_eq!(explored(Leave { settled: false, exploration: 0 }), 0);
    }

    #[test]
    fn a_cell_nobody_has_seen_is_expected_to_be_as_its_arm_is_elsewhere() {
        let mut record = Record::default();
        assert_eq!(record.expected(Cell(0)), ONE / 2);
        (0..500).for_each(|_| record.learn(Cell(1), ONE * 9 / 10));
        let unseen = record.expected(Cell(7));
        assert!((ONE * 88 / 100..ONE * 91 / 100).contains(&unseen), "{unseen}");
    }

    #[test]
    fn sums_of_instances_are_the_same_in_any_order_and_the_past_fades() {
        let (a, b) = (taught(40), taught(60));
        let sum = |first: &Record, second: &Record| {
            let mut sum = first.clone();
            sum.add(second);
            sum
        };
        assert_eq!(sum(&a[0], &b[0]), sum(&b[0], &a[0]));
        let mut faded = sum(&a[0], &b[0]);
        let before = faded.total().outcomes();
        faded.discount(ONE / 2);
        assert!((faded.total().outcomes() - before / 2).abs() <= 1);
        faded.discount(0);
        assert_eq!(faded, Record::default());
        // Even negative sums, of a store gone wrong, are read as half an outcome.
        let wrong = Record { cells: [Tally { won: i64::MIN / 4, lost: -5 }; CELLS], ..Record::default() };
        assert!((0..=ONE).contains(&wrong.expected(Cell(0))));
    }

    #[test]
    fn cells_tell_kinds_and_sizes_apart() {
        let texts = [
            "def f(x): return g(x)",
            "What is 3 + 4 - 5 * 6?",
            "Write a poem",
            "Who was he?",
            "Go on",
            &"word ".repeat(200),
        ];
        let cells: crate::sorted::SortedSet<u8> = texts.iter().map(|text| cell(text).0).collect();
        assert_eq!(cells.len(), texts.len());
        assert!(cells.iter().all(|cell| usize::from(*cell) < CELLS));
    }
}
