//! What callers notice while providers fail, in virtual time and from one seed: our router beside what people write
//! themselves. `UPDATE_GOLDEN=1 cargo test -p signalbox-tests --test resilience` writes the table of `docs/routing.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "resilience/callers.rs"]
mod callers;
#[path = "resilience/weather.rs"]
mod weather;

use callers::{Caller, Tally, play};
use weather::Weather;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/routing.md");
const BEGIN: &str = "<!-- resilience: written by a test -->\n";
const END: &str = "<!-- resilience ends -->";

fn row(weather: Weather, caller: Caller, tally: &Tally) -> String {
    format!(
        "| {} | {} | {:.2} % | {} ms | {} ms | {:.1} % |\n",
        weather.about(),
        caller.about(),
        tally.success_percent(),
        tally.added_ms(50),
        tally.added_ms(99),
        tally.waste_percent()
    )
}

#[test]
fn who_has_one_healthy_candidate_is_served_whatever_the_others_do_and_the_table_says_at_what_price() {
    let mut table = String::from(
        "| providers | client | answered | added, median | added, 99th percentile | wasted spend |\n|---|---|---|---|---|---|\n",
    );
    for weather in Weather::ALL {
        for caller in Caller::ALL {
            let tally = play(weather, caller);
            table.push_str(&row(weather, caller, &tally));
            if caller.is_ours() {
                assert!(tally.success_percent() >= 99.9, "{}", row(weather, caller, &tally));
                assert!(tally.waste_percent() <= 2.0, "{}", row(weather, caller, &tally));
            }
        }
    }
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (kept, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(DOCUMENT, [before, BEGIN, &table, END, after].concat()).unwrap();
    } else {
        assert_eq!(kept, table, "run with UPDATE_GOLDEN=1 if this is meant");
    }
}
