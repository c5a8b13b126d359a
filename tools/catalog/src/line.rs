//! One model's facts as a line of the table.

use crate::facts::{Facts, Parts};
use signalbox::catalog::{Capabilities, Rate};
use signalbox::units::NanoUsd;

/// The cells after the id, empty ones at the end left out.
pub(crate) fn write(facts: &Facts) -> String {
    let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    let letters =
        Capabilities::LETTERS.iter().filter(|(_, one)| facts.capabilities.has(*one)).map(|(letter, _)| *letter);
    let mut cells = vec![number(facts.context), number(facts.max_output)];
    cells.extend(facts.price.map(dollars));
    cells.extend([letters.collect(), facts.traits.letters(), facts.retires.clone(), special(facts)]);
    cells.join("\t").trim_end().to_owned()
}

/// The last cell: `a=32 >272=5/22.5/0.5 p=5/30/0.5`.
fn special(facts: &Facts) -> String {
    let others = ["a", "A", "i", "q"].into_iter().zip(facts.others);
    let others = others.filter(|(_, rate)| rate.is_some()).map(|(name, rate)| format!("{name}={}", dollars(rate)));
    let bands = facts.special.iter().map(|((tier, band), parts)| match band {
        0 => format!("{tier}={}", slashed(parts)),
        band => format!("{tier}>{band}={}", slashed(parts)),
    });
    others.chain(bands).collect::<Vec<_>>().join(" ")
}

fn slashed(parts: &Parts) -> String {
    parts.map(dollars).join("/").trim_end_matches('/').to_owned()
}

/// Dollars for a million, exact.
fn dollars(rate: Option<Rate>) -> String {
    rate.map(|rate| NanoUsd(rate.0).to_string()).unwrap_or_default()
}
