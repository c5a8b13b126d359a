//! Meets what the operator wants: a share of strong calls, a cost a call, or a quality floor.
//!
//! A fixed threshold drifts: set for 40 % strong calls it makes 45 to 62 %. So what calls would amount to
//! is kept in a histogram over the gain, which forgets; who goes to the stronger model is read from it anew
//! for each call, and what was missed so far is made up for.

use super::fixed::ONE;

/// Bins of the histogram, over gains of -¼ to ¼: beyond that a call is as clear as it gets.
const BINS: usize = 64;
/// The width of a bin.
const WIDTH: i32 = ONE / 2 / BINS as i32;
/// What a call counts in a bin, so that halving leaves something of it.
const WEIGHT: i64 = 256;
/// When a histogram has seen this many calls it is halved: the last few hundred speak loudest.
const MEMORY: u32 = 250;
/// Over how many calls a miss is made up for.
const PATIENCE: i64 = 40;

/// What is wanted, on average over calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The share of calls that go to the stronger model, in parts of 65,536.
    Share(i32),
    /// What a call may cost, in nano-dollars.
    Cost(u64),
    /// The share of answers that do, in parts of 65,536.
    Quality(i32),
}

/// A call to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// How much the stronger model would gain: the order in which calls are sent to it.
    pub gain: i32,
    /// The chances that the cheaper and the stronger model's answers do, in parts of 65,536.
    pub will_do: (i32, i32),
    /// What the call costs with the cheaper and with the stronger model, in nano-dollars.
    pub cost: (u64, u64),
}

/// What was seen and done on a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    bins: [Bin; BINS],
    seen: u32,
    /// What calls amounted to so far, less what was wanted.
    surplus: i64,
}

/// Calls of about the same gain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bin {
    calls: i64,
    /// What they amount to with the cheaper model.
    cheap: i64,
    /// And with the stronger.
    strong: i64,
}

impl Default for Controller {
    fn default() -> Controller {
        Controller { bins: [Bin::default(); BINS], seen: 0, surplus: 0 }
    }
}

impl Goal {
    fn wanted(self) -> i64 {
        match self {
            Goal::Share(share) | Goal::Quality(share) => share.into(),
            Goal::Cost(nanos) => amount(nanos),
        }
    }

    /// What a call amounts to with the cheaper and with the stronger model.
    fn amounts(self, call: Call) -> (i64, i64) {
        match self {
            Goal::Share(_) => (0, ONE.into()),
            Goal::Cost(_) => (amount(call.cost.0), amount(call.cost.1)),
            Goal::Quality(_) => (call.will_do.0.into(), call.will_do.1.into()),
        }
    }
}

/// A cost that sums of it cannot overflow with: a call of 1,000 dollars is refused elsewhere.
fn amount(nanos: u64) -> i64 {
    nanos.min(1_000_000_000_000) as i64
}

fn place_of(gain: i32) -> usize {
    ((gain / WIDTH).saturating_add(BINS as i32 / 2)).clamp(0, BINS as i32 - 1) as usize
}

impl Controller {
    /// Whether this call goes to the stronger model. `entropy` decides among calls that look alike.
    pub fn place(&mut self, call: Call, goal: Goal, entropy: u64) -> bool {
        let (cheap, strong) = goal.amounts(call);
        let own = place_of(call.gain);
        self.see(own, cheap, strong);
        let part = self.part(own, goal);
        let chosen = i64::from((entropy >> 48) as u32) < part;
        let done = if chosen { strong } else { cheap };
        // A goal out of reach must not pile up a debt that outlives it.
        let most = PATIENCE * (strong - cheap).abs().max(goal.wanted());
        self.surplus = (self.surplus + done - goal.wanted()).clamp(-most, most);
        chosen
    }

    fn see(&mut self, own: usize, cheap: i64, strong: i64) {
        if self.seen >= MEMORY {
            self.seen /= 2;
            for bin in &mut self.bins {
                *bin = Bin { calls: bin.calls / 2, cheap: bin.cheap / 2, strong: bin.strong / 2 };
            }
        }
        self.seen += 1;
        if let Some(bin) = self.bins.get_mut(own) {
            bin.calls += WEIGHT;
            bin.cheap += cheap * WEIGHT;
            bin.strong += strong * WEIGHT;
        }
    }

    /// The part of the calls in a bin that go to the stronger model, in parts of 65,536.
    fn part(&self, own: usize, goal: Goal) -> i64 {
        let calls: i64 = self.bins.iter().map(|bin| bin.calls).sum();
        let wanted = (goal.wanted() - self.surplus / PATIENCE) * calls;
        let mut missing = wanted - self.bins.iter().map(|bin| bin.cheap).sum::<i64>();
        for (at, bin) in self.bins.iter().enumerate().rev() {
            let more = bin.strong - bin.cheap;
            let whole = match goal {
                // Where the stronger model is no better it adds nothing to a floor.
                Goal::Quality(_) if more <= 0 && bin.calls > 0 => return 0,
                Goal::Share(_) | Goal::Cost(_) | Goal::Quality(_) => more <= missing,
            };
            if at == own {
                let share = i128::from(missing.max(0)) * i128::from(ONE) / i128::from(more.max(1));
                return if whole { ONE.into() } else { share as i64 };
            }
            missing -= more;
            if missing <= 0 && more > 0 {
                return 0;
            }
        }
        0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn draw(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed ^ (*seed >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// Calls whose gain is drawn around `centre`, in thousandths; each fourth call costs ten times as much.
    fn call(centre: i32, spread: u64, seed: &mut u64) -> Call {
        let gain = (centre - spread as i32 + (draw(seed) >> 34) as i32 % (2 * spread as i32 + 1).max(1)) * ONE / 1_000;
        let cheap = (ONE / 2 - gain / 2).clamp(0, ONE);
        let size = if draw(seed) >> 62 == 0 { 10 } else { 1 };
        Call { gain, will_do: (cheap, (cheap + gain).clamp(0, ONE)), cost: (1_000 * size, 20_000 * size) }
    }

    /// Traffic that shifts: its centre and spread, 500 calls each.
    const SHIFTS: [(i32, u64); 6] = [(50, 40), (150, 100), (-50, 10), (100, 0), (0, 200), (400, 300)];

    fn run(goal: Goal, mut each: impl FnMut(usize, Call, bool)) {
        let (mut controller, mut seed) = (Controller::default(), 11);
        for (period, (centre, spread)) in SHIFTS.into_iter().enumerate() {
            for _ in 0..500 {
                let call = call(centre, spread, &mut seed);
                let strong = controller.place(call, goal, draw(&mut seed));
                each(period, call, strong);
            }
        }
    }

    #[test]
    fn a_share_of_strong_calls_is_met_within_three_points_in_every_500_calls_of_shifting_traffic() {
        for percent in [5, 20, 40, 50, 75, 95] {
            let mut strong_calls = [0; SHIFTS.len()];
            run(Goal::Share(percent * ONE / 100), |period, _, strong| strong_calls[period] += i32::from(strong));
            let shares = strong_calls.map(|calls| calls / 5);
            assert!(shares.iter().all(|share| (share - percent).abs() <= 3), "{percent}: {shares:?}");
        }
    }

    #[test]
    fn a_cost_is_met_within_a_twentieth_over_shifting_traffic() {
        for wanted in [10_000, 30_000, 50_000] {
            let mut spent = 0;
            run(Goal::Cost(wanted), |_, call, strong| spent += if strong { call.cost.1 } else { call.cost.0 });
            let each = spent / (500 * SHIFTS.len() as u64);
            assert!(each.abs_diff(wanted) <= wanted / 20, "{wanted}: {each}");
        }
    }

    #[test]
    fn a_quality_floor_is_held_with_as_few_strong_calls_as_it_takes() {
        let floor = 55 * ONE / 100;
        let (mut quality, mut strong_calls) = (0_i64, 0);
        let (mut controller, mut seed) = (Controller::default(), 3);
        for _ in 0..1_000 {
            let call = call(120, 200, &mut seed);
            let strong = controller.place(call, Goal::Quality(floor), draw(&mut seed));
            quality += i64::from(if strong { call.will_do.1 } else { call.will_do.0 });
            strong_calls += u32::from(strong);
        }
        let share = quality * 100 / 1_000 / i64::from(ONE);
        assert!((53..=57).contains(&share), "{share}");
        assert!((100..900).contains(&strong_calls), "{strong_calls}");
    }

    #[test]
    fn the_stronger_model_is_for_the_calls_that_gain_most() {
        let (mut with, mut without) = ((0_i64, 0), (0_i64, 0));
        run(Goal::Share(ONE / 2), |_, call, strong| {
            let side = if strong { &mut with } else { &mut without };
            *side = (side.0 + i64::from(call.gain), side.1 + 1);
        });
        assert!(with.0 / with.1 > without.0 / without.1 + i64::from(ONE) / 50);
    }

    #[test]
    fn goals_out_of_reach_are_approached_and_nothing_overflows() {
        for goal in
            [Goal::Share(-5), Goal::Share(i32::MAX), Goal::Cost(u64::MAX), Goal::Cost(0), Goal::Quality(i32::MAX)]
        {
            run(goal, |_, _, _| {});
        }
        let mut all = 0;
        run(Goal::Share(ONE), |_, _, strong| all += u32::from(strong));
        assert!(all >= 2_995, "{all}");
        run(Goal::Share(0), |_, _, strong| assert!(!strong));
    }
}
