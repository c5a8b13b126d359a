//! A thousand processes and a hundred thousand requests a second on one lender's books: at every moment the records of
//! requests add up to them, nothing is overspent, and what providers have billed is in them.

use super::super::*;
use super::chance::Faults;
use super::processes::{Event, MOST, TOKENS, World};
use crate::units::Millis;

/// So many calls in so many seconds, and what comes after until every lease is over.
fn simulate(seed: u64, processes: usize, figures: [u64; 3], faults: Faults) -> World {
    limited(seed, processes, figures, vec![], faults)
}

fn limited(
    seed: u64,
    processes: usize,
    [calls, seconds, limit]: [u64; 3],
    rates: Vec<RateLine>,
    faults: Faults,
) -> World {
    let mut world = World::new(seed, processes, limit, rates, faults);
    for call in 0..calls {
        let number = usize::try_from(world.random.below(processes as u64)).unwrap();
        world.after(call * seconds * 1_000 / calls, Event::Call { number, call });
    }
    world.run((seconds * 20).max(7));
    let [posted, held, unconfirmed] = world.books();
    assert_eq!(held, 0, "nothing is held when every lease is over");
    println!("seed {seed}: {:?}; {posted} + {unconfirmed} of {limit}, billed {}", world.figures, world.billed);
    world
}

const ALL: Faults = Faults { lost: 50, twice: 50, crash: 4_000, restart: 30_000 };

#[test]
fn with_money_enough_a_thousand_processes_admit_by_themselves_and_nothing_stays_with_them() {
    let mut world = simulate(1, 1_000, [100_000, 1, 40_000_000_000_000], Faults::default());
    let figures = &world.figures;
    assert!(figures.here > 90_000 && figures.denied == 0, "{figures:?}");
    assert_eq!(world.books(), [world.billed, 0, 0]);
    // A process that is called more often has a smaller part of its calls to wait for.
    let world = simulate(2, 20, [100_000, 5, 40_000_000_000_000], Faults::default());
    assert!(world.figures.here > 96_500 && world.figures.turns < 106_000, "{:?}", world.figures);
}

#[test]
fn a_budget_for_half_of_the_calls_is_spent_to_its_end_and_not_overspent() {
    let limit = 50_000 * 25_000;
    let mut world = simulate(3, 1_000, [100_000, 4, limit], Faults::default());
    let [posted, held, unconfirmed] = world.books();
    assert!(world.figures.denied > 10_000 && posted > limit / 100 * 97 && held + unconfirmed == 0, "{posted}");
}

#[test]
fn whatever_is_lost_repeated_or_overtaken_and_whoever_ends_the_records_add_up_to_the_books() {
    let world = simulate(5, 1_000, [100_000, 2, 50_000 * 50_000], ALL);
    assert!(world.figures.crashes > 10 && world.figures.extended > 100, "{:?}", world.figures);
}

/// Few calls and looks at every step, so that each fault meets every other.
#[test]
fn small_worlds_hold_at_every_step() {
    for seed in 100..250 {
        let faults = Faults { lost: 2 + seed % 9, twice: 2 + seed % 7, crash: 20 + seed % 60, restart: 25 };
        simulate(seed, 1 + usize::try_from(seed % 3).unwrap(), [120, 3, MOST * (10 + seed % 300)], faults);
    }
}

/// So many requests and places, and tokens enough for half of those requests.
fn rates(requests: u64, places: u64) -> Vec<RateLine> {
    let line = |kind, per, limit, cost| RateLine { scope: "team:a".into(), kind, per: Millis(per), limit, cost };
    vec![
        line(RateKind::Requests, 60_000, requests, 1),
        line(RateKind::Tokens, 60_000, requests * TOKENS / 2, TOKENS),
        line(RateKind::Parallel, 0, places, 1),
    ]
}

const RICH: u64 = 40_000_000_000_000;

#[test]
fn rates_are_lent_with_the_budget_and_processes_admit_by_themselves() {
    let world = limited(6, 10, [40_000, 4, RICH], rates(2_000_000, 40_000), Faults::default());
    assert!(world.figures.here > 36_000 && world.figures.denied == 0, "{:?}", world.figures);
}

#[test]
fn rates_hold_however_many_processes_draw_on_them_and_are_drawn_to_their_end() {
    let world = limited(7, 50, [40_000, 10, RICH], rates(20_000, 100_000), Faults::default());
    // Half of the requests fit by their tokens, of which calls use about half; a sixth more comes in ten seconds.
    let figures = &world.figures;
    let admitted = figures.here + figures.by_the_lender;
    assert!(figures.denied > 10_000 && (17_000..=23_400).contains(&admitted), "{figures:?}");
    // Nearly twice as many want a place as there are: the lender gives one to whoever comes next.
    let world = limited(8, 20, [20_000, 10, RICH], rates(2_000_000, 300), Faults::default());
    assert!(world.figures.denied > 5_000 && world.figures.by_the_lender > 5_000, "{:?}", world.figures);
}

#[test]
fn rates_hold_whatever_is_lost_repeated_or_overtaken_and_whoever_ends() {
    limited(9, 100, [30_000, 3, RICH], rates(200_000, 12_000), ALL);
    for seed in 300..400 {
        let faults = Faults { lost: 2 + seed % 9, twice: 2 + seed % 7, crash: 20 + seed % 60, restart: 25 };
        let processes = 1 + usize::try_from(seed % 3).unwrap();
        limited(seed, processes, [400, 3, MOST * (10 + seed % 500)], rates(150 + seed % 400, 32 + seed % 100), faults);
    }
}
