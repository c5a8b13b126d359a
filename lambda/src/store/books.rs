//! A tenant's books as one DynamoDB item, so that a reservation is one conditional update.
//!
//! | attribute | holds |
//! |---|---|
//! | `c\|<window>\|<scope>` | what is spent of a window: posted, held and unconfirmed together |
//! | `u\|<window>\|<scope>` | the part of it that is unconfirmed and whose reservation has left the item |
//! | `t\|<per>\|<kind>\|<scope>` | a rate's theoretical arrival time in microseconds |
//! | `t\|0\|p\|<scope>` | places among parallel calls, held by the reservations written as open |
//! | `l\|<id>` | a reservation, as JSON |
//! | `p\|<window>\|<scope>` | what was lent of a window, as JSON, where this is a shard |
//! | `n` | how many of those are over |
//! | `last` | the latest instant seen, to a second |
//!
//! Only what is spent can be conditioned on, so it is kept as one sum and the parts are derived.
//!
//! A write costs by the size of the item, one unit per kB, and a partition takes 1,000 units a
//! second: about 150 bytes for a call under way, 100 for one that is over and not yet moved out,
//! 60 for a window. An item of 400 kB is refused, and then nothing is admitted.

use super::{Item, number_of};
use aws_sdk_dynamodb::types::AttributeValue;
use signalbox::gateway::ledger::decide::{Books, RateKey, is_past};
use signalbox::gateway::ledger::escrow::Purse;
use signalbox::gateway::ledger::reservation::Reservation;
use signalbox::gateway::ledger::{Charge, RateKind, Report, Standing};
use signalbox::units::{Millis, NanoUsd, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The books as last read, in whole or in part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub(crate) last: Timestamp,
    pub(crate) over: i128,
    pub(crate) spent: BTreeMap<Charge, i128>,
    pub(crate) unconfirmed: BTreeMap<Charge, i128>,
    pub(crate) tats: BTreeMap<RateKey, i128>,
    /// What was lent, as it is written.
    pub(crate) purses: BTreeMap<Charge, String>,
    /// Reservations as they are written, by id.
    pub(crate) entries: BTreeMap<String, String>,
}

pub(crate) fn spent_attribute(charge: &Charge) -> String {
    format!("c|{}|{}", charge.window, charge.scope)
}

pub(crate) fn unconfirmed_attribute(charge: &Charge) -> String {
    format!("u|{}|{}", charge.window, charge.scope)
}

pub(crate) fn purse_attribute(charge: &Charge) -> String {
    format!("p|{}|{}", charge.window, charge.scope)
}

pub(crate) fn rate_attribute(key: &RateKey) -> String {
    let kind = match key.kind {
        RateKind::Requests => "r",
        RateKind::Tokens => "t",
        RateKind::Parallel => "p",
    };
    format!("t|{}|{kind}|{}", key.per.0, key.scope)
}

pub(crate) fn entry_attribute(id: &str) -> String {
    format!("l|{id}")
}

fn charge_of(name: &str) -> Option<Charge> {
    let (window, scope) = name.split_once('|')?;
    Some(Charge { scope: scope.to_owned(), window: window.parse().ok()? })
}

fn rate_of(name: &str) -> Option<RateKey> {
    let mut parts = name.splitn(3, '|');
    let per = Millis(parts.next()?.parse().ok()?);
    let kind = match parts.next()? {
        "r" => RateKind::Requests,
        "t" => RateKind::Tokens,
        "p" => RateKind::Parallel,
        _ => return None,
    };
    Some(RateKey { scope: parts.next()?.to_owned(), kind, per })
}

impl Image {
    pub(crate) fn of(item: &Item) -> Image {
        let mut image = Image::default();
        image.merge(item);
        image
    }

    /// Takes over what an answer told; the rest stays as it was.
    pub(crate) fn merge(&mut self, item: &Item) {
        self.last = self.last.max(Timestamp(number_of(item, "last").unwrap_or(0)));
        self.over = number_of(item, "n").unwrap_or(self.over);
        for (attribute, value) in item {
            let Some((kind, name)) = attribute.split_once('|') else { continue };
            if let AttributeValue::S(json) = value {
                match kind {
                    "p" => drop(charge_of(name).map(|charge| self.purses.insert(charge, json.clone()))),
                    _ => drop(self.entries.insert(name.to_owned(), json.clone())),
                }
                continue;
            }
            let Some(amount) = number_of::<i128>(item, attribute) else { continue };
            match kind {
                "c" => drop(charge_of(name).map(|charge| self.spent.insert(charge, amount))),
                "u" => drop(charge_of(name).map(|charge| self.unconfirmed.insert(charge, amount))),
                "t" => drop(rate_of(name).map(|rate| self.tats.insert(rate, amount))),
                _ => {}
            }
        }
    }

    /// The reservations in the item as they are written, lease ends not considered.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&str, &str, Reservation)> {
        self.entries
            .iter()
            .filter_map(|(id, json)| Some((id.as_str(), json.as_str(), serde_json::from_str(json).ok()?)))
    }

    /// The places under a limit of parallel calls that are still counted and whose leases are over.
    pub(crate) fn lapsed(&self, key: &RateKey, now: Timestamp) -> u64 {
        let over = |(_, _, reservation): (_, _, Reservation)| match reservation {
            Reservation::Open { until, hold } if until <= now => {
                hold.places().filter(|draw| draw.key == *key).map(|draw| draw.cost).sum()
            }
            Reservation::Open { .. }
            | Reservation::Unconfirmed { .. }
            | Reservation::Voided { .. }
            | Reservation::Settled { .. } => 0,
        };
        self.written().map(over).sum()
    }

    /// What was lent of a window.
    pub(crate) fn purse(&self, charge: &Charge) -> Purse {
        self.purses.get(charge).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// What of a window's spending is held, and what is unconfirmed.
    fn reserved(&self, charge: &Charge, now: Timestamp) -> (i128, i128) {
        let (mut held, mut unconfirmed) = (0, self.unconfirmed.get(charge).copied().unwrap_or(0));
        for (_, _, reservation) in self.written() {
            let Reservation::Open { until, hold } = reservation else { continue };
            if hold.charges.contains(charge) {
                *(if now < until { &mut held } else { &mut unconfirmed }) += i128::from(hold.granted.0);
            }
        }
        (held, unconfirmed)
    }

    /// What is posted of a window, what is held and what is unconfirmed.
    pub(crate) fn sums(&self, charge: &Charge, now: Timestamp) -> (NanoUsd, NanoUsd, NanoUsd) {
        let (held, unconfirmed) = self.reserved(charge, now);
        let (held, unconfirmed) = (nano_usd(held), nano_usd(unconfirmed));
        (self.spent(charge).saturating_sub(held).saturating_sub(unconfirmed), held, unconfirmed)
    }

    /// The books a report asks for.
    pub(crate) fn standings(&self, report: &Report, now: Timestamp) -> Vec<Standing> {
        let charges: BTreeSet<&Charge> = self.spent.keys().chain(self.purses.keys()).collect();
        let standing = |charge: &Charge| {
            let (posted, held, unconfirmed) = self.sums(charge, now);
            let purse = self.purses.contains_key(charge).then(|| self.purse(charge));
            let used = self.spent(charge) > NanoUsd::ZERO && (held > NanoUsd::ZERO || !is_past(&charge.window, now));
            (used || purse.as_ref().is_some_and(|purse| !purse.is_over())).then(|| Standing {
                scope: charge.scope.clone(),
                window: charge.window,
                posted,
                held,
                unconfirmed,
                purse,
            })
        };
        charges.into_iter().filter(|charge| report.covers(&charge.scope)).filter_map(standing).collect()
    }
}

impl Books for Image {
    fn spent(&self, charge: &Charge) -> NanoUsd {
        nano_usd(self.spent.get(charge).copied().unwrap_or(0))
    }

    fn lent(&self, charge: &Charge) -> NanoUsd {
        self.purse(charge).lent()
    }

    fn tat(&self, key: &RateKey) -> u64 {
        self.tats.get(key).and_then(|tat| u64::try_from(*tat).ok()).unwrap_or(0)
    }

    fn under_way(&self, key: &RateKey, now: Timestamp) -> u64 {
        self.tat(key).saturating_sub(self.lapsed(key, now))
    }
}

fn nano_usd(amount: i128) -> NanoUsd {
    NanoUsd(u64::try_from(amount.max(0)).unwrap_or(u64::MAX)).min(NanoUsd::MAX)
}
