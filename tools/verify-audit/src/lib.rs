//! Walking exported chains, with the same walk the gateway takes, and holding signed checkpoints against them.

use signalbox::gateway::journal::checkpoint::{Signed, key_id, unbase64};
use signalbox::gateway::journal::{Broken, Walk};
use signalbox::jose::{Algorithm, PublicKey};
use std::collections::BTreeMap;
use std::fmt;

/// The public key that checkpoints are signed with.
#[derive(Clone, Debug)]
pub struct Key([u8; 32]);

impl Key {
    /// Reads it as `GET /admin/v1/audit/checkpoints` shows it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Key> {
        unbase64(text)?.try_into().ok().map(Key)
    }

    fn has_signed(&self, signed: &Signed) -> bool {
        let (key, text) = (PublicKey::Ed25519(self.0.to_vec()), signed.text.as_bytes());
        signed.key == key_id(&self.0) && signalbox_crypto::verify(&key, Algorithm::EdDsa, text, &signed.signature)
    }
}

/// What was found out about one chain.
#[derive(Clone, Debug)]
pub struct Chain {
    /// How far it is whole.
    pub walk: Walk,
    /// Where it is not.
    pub broken: Option<Broken>,
    /// How many checkpoints hold.
    pub sealed: usize,
    /// The number of the last record that a checkpoint covers.
    pub sealed_to: u64,
}

/// What was found out.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By team.
    pub chains: BTreeMap<String, Chain>,
    /// Checkpoints that are none, or that the key has not signed.
    pub bad_checkpoints: usize,
    /// Checkpoints among the records that nobody looked at, for want of a key.
    pub unread_checkpoints: usize,
}

impl Report {
    /// Whether nothing speaks against the records.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.bad_checkpoints == 0 && self.chains.values().all(|chain| chain.broken.is_none())
    }
}

/// Whether a line is a checkpoint, as the objects of an archive end with one.
fn is_checkpoint(line: &str) -> bool {
    let line = serde_json::from_str::<serde_json::Value>(line).unwrap_or_default();
    line.get("note").is_some() && line.get("record").is_none()
}

/// Walks the lines of every team and holds the checkpoints against them, those among the lines too.
#[must_use]
pub fn verify(lines: &str, checkpoints: &str, key: Option<&Key>) -> Report {
    let mut report = Report::default();
    let mut signed: BTreeMap<(String, u64), Signed> = BTreeMap::new();
    let (among, lines): (Vec<&str>, Vec<&str>) = said(lines).partition(|line| is_checkpoint(line));
    let among = if key.is_some() {
        among
    } else {
        report.unread_checkpoints = among.len();
        Vec::new()
    };
    for line in among.into_iter().chain(said(checkpoints)) {
        let note = serde_json::from_str::<serde_json::Value>(line).ok();
        let note = note.as_ref().and_then(|line| Signed::parse(line.get("note")?.as_str()?));
        match (note, key) {
            (Some(note), Some(key)) if key.has_signed(&note) => {
                signed.insert((note.checkpoint.team.clone(), note.checkpoint.size), note);
            }
            (Some(_) | None, _) => report.bad_checkpoints += 1,
        }
    }
    for line in lines {
        let parsed: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let team = parsed.get("team").and_then(serde_json::Value::as_str).unwrap_or_default();
        let new = || Chain { walk: Walk::new(team), broken: None, sealed: 0, sealed_to: 0 };
        let chain = report.chains.entry(team.to_owned()).or_insert_with(new);
        if chain.broken.is_some() {
            continue;
        }
        if let Err(broken) = chain.walk.step(line) {
            chain.broken = Some(broken);
            continue;
        }
        let Some((seq, _)) = chain.walk.last() else { continue };
        let Some(Signed { checkpoint, .. }) = signed.get(&(team.to_owned(), seq)) else { continue };
        match chain.walk.holds(seq, &checkpoint.hash, &checkpoint.root) {
            Some(Err(broken)) => chain.broken = Some(broken),
            Some(Ok(())) => (chain.sealed, chain.sealed_to) = (chain.sealed + 1, seq),
            None => {}
        }
    }
    // A checkpoint beyond the last line: the chain was longer than what is shown.
    for (team, size) in signed.keys() {
        if let Some(chain) = report.chains.get_mut(team)
            && chain.broken.is_none()
            && let Some((last, _)) = chain.walk.last()
            && last < *size
        {
            let reason = "A signed checkpoint covers records that are not here.";
            chain.broken = Some(Broken { seq: last + 1, reason });
        }
    }
    report
}

fn said(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (team, chain) in &self.chains {
            let (first, last) = (chain.walk.first().unwrap_or(0), chain.walk.last().map_or(0, |(seq, _)| seq));
            match &chain.broken {
                None => writeln!(
                    f,
                    "{team}: whole from {first} to {last}, {} USD, {} lost; {} checkpoints hold, up to {}",
                    chain.walk.cost(),
                    chain.walk.lost(),
                    chain.sealed,
                    chain.sealed_to
                )?,
                Some(broken) => writeln!(f, "{team}: BROKEN at {}: {}", broken.seq, broken.reason)?,
            }
        }
        if self.bad_checkpoints > 0 {
            writeln!(f, "{} checkpoints are not signed by this key", self.bad_checkpoints)?;
        }
        if self.unread_checkpoints > 0 {
            writeln!(f, "{} checkpoints were not looked at: they say nothing without --key", self.unread_checkpoints)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use signalbox::gateway::journal::Head;
    use signalbox::gateway::journal::checkpoint::{Checkpoint, base64};
    use signalbox::ports::Seed;
    use signalbox::units::Timestamp;

    fn chain(records: u64) -> (Vec<String>, Head) {
        let mut head = Head::default();
        let line = |n| head.append("a", &format!("{{\"cost_nano_usd\":{n}}}"), Timestamp(n)).text;
        ((1..=records).map(line).collect(), head)
    }

    fn note(head: &Head, seed: &Seed) -> String {
        let checkpoint = Checkpoint::of("a", head, Timestamp(9));
        let signature = signalbox_crypto::sign(seed, checkpoint.text().as_bytes()).unwrap();
        let note = checkpoint.note(&signalbox_crypto::public_key(seed).unwrap(), &signature);
        format!("{}\n", serde_json::json!({ "note": note }))
    }

    #[test]
    fn a_chain_is_whole_and_its_checkpoints_hold_or_it_is_said_where_not() {
        let seed = Seed::new([7; 32]);
        let key = Key::parse(&base64(&signalbox_crypto::public_key(&seed).unwrap())).unwrap();
        let ((lines, head), (_, early)) = (chain(5), chain(3));
        let notes = note(&early, &seed) + &note(&head, &seed);
        let report = verify(&lines.join("\n"), &notes, Some(&key));
        assert!(report.ok(), "{report}");
        assert_eq!((report.chains["a"].sealed, report.chains["a"].sealed_to), (2, 5));

        // Cut off behind a checkpoint, rewritten whole, signed by somebody else, altered in one place.
        assert!(!verify(&lines[..4].join("\n"), &notes, Some(&key)).ok());
        let mut other = Head::default();
        let forged: Vec<String> = (1..=5).map(|n| other.append("a", "{}", Timestamp(n)).text).collect();
        assert!(verify(&forged.join("\n"), "", None).ok());
        assert_eq!(verify(&forged.join("\n"), &notes, Some(&key)).chains["a"].broken.as_ref().unwrap().seq, 3);
        assert_eq!(verify(&lines.join("\n"), &note(&head, &Seed::new([8; 32])), Some(&key)).bad_checkpoints, 1);
        let altered = lines.join("\n").replace("\"cost_nano_usd\":2", "\"cost_nano_usd\":3");
        assert_eq!(verify(&altered, &notes, Some(&key)).chains["a"].broken.as_ref().unwrap().seq, 2);
        // An object of an archive is checked alone, and with those that follow it.
        let object = |lines: &[String], head: &Head| lines.join("\n") + "\n" + &note(head, &seed);
        let (one, two) = (object(&lines[..3], &early), object(&lines[3..], &head));
        for (text, sealed) in [(one.clone(), 1), (two.clone(), 1), (one.clone() + &two, 2)] {
            let report = verify(&text, "", Some(&key));
            assert!(report.ok() && report.chains["a"].sealed == sealed, "{report}");
            assert_eq!(verify(&text, "", None).unread_checkpoints, sealed);
        }
        assert!(!verify(&two.replace("\"cost_nano_usd\":5", "\"cost_nano_usd\":6"), "", Some(&key)).ok());
        assert!(!verify(&(one + &note(&head, &seed)), "", Some(&key)).ok(), "it was longer");
        // What is left after retention holds by the checkpoints that follow.
        assert!(verify(&lines[2..].join("\n"), &notes, Some(&key)).ok());
    }
}
