//! One model's facts as a line of the table.

use crate::facts::{Facts, Parts};
use signalbox::catalog::{Capabilities, Rate};
use signalbox::units::NanoUsd;

/// The whole of a price, as a part of it.
const ONE: u64 = 1_000_000_000;

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

/// The last cell: `a=32 b*0.5 >272=5/22.5/0.5 p=5/30/0.5`.
fn special(facts: &Facts) -> String {
    let others = ["a", "A", "i", "q"].into_iter().zip(facts.others);
    let others = others.filter(|(_, rate)| rate.is_some()).map(|(name, rate)| format!("{name}={}", dollars(rate)));
    let bands = facts.special.iter().map(|((tier, band), parts)| {
        let above = if *band > 0 { format!(">{band}") } else { String::new() };
        let rates = match share(parts, &facts.price) {
            Some(share) => format!("*{}", dollars(Some(share))),
            None => format!("={}", slashed(parts)),
        };
        format!("{tier}{above}{rates}")
    });
    others.chain(bands).collect::<Vec<_>>().join(" ")
}

/// What part of the list price all parts are, if it is the same of each.
fn share(parts: &Parts, list: &Parts) -> Option<Rate> {
    let first = list[0].filter(|list| list.0 > 0)?;
    let share = u128::from(parts[0]?.0) * u128::from(ONE) / u128::from(first.0);
    let share = Rate(u64::try_from(share).ok()?);
    let all_is = parts.iter().zip(list).all(|(part, list)| {
        let exact =
            |part: Rate, list: Rate| u128::from(part.0) * u128::from(ONE) == u128::from(list.0) * u128::from(share.0);
        part.is_none() && list.is_none() || part.zip(*list).is_some_and(|(part, list)| exact(part, list))
    });
    all_is.then_some(share)
}

fn slashed(parts: &Parts) -> String {
    parts.map(dollars).join("/").trim_end_matches('/').to_owned()
}

/// Dollars for a million, exact.
fn dollars(rate: Option<Rate>) -> String {
    rate.map(|rate| NanoUsd(rate.0).to_string()).unwrap_or_default()
}
