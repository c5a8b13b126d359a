//! Topics of an operator's own, by examples: what n-grams their examples have that others' have not and, where there are
//! weights of a static embedding, what the examples mean.
//!
//! Words tell what is named, an embedding what it is like: whoever asks for "my money back" has none of the words of
//! "refund". Neither alone is as good as both (`tools/router/TOPICS.md`). A prompt that is like no topic, or like
//! two, has none; nor has one outside English, whatever it is like.

use super::fixed::{log2, sqrt_q8};
use super::lexicon::Lexicon;
use super::sample::Sample;
use super::scan::{BUCKETS, Scan};
use super::topic::english;
use crate::embed::{Embedding, Vector};
use crate::sorted;

/// An operator's own topics.
#[derive(Clone, Debug, Default)]
pub struct OwnTopics {
    topics: Vec<Own>,
    /// How telling a bucket is, in Q8: the rarer among examples, the more.
    telling: Vec<u16>,
}

#[derive(Clone, Debug)]
struct Own {
    name: String,
    examples: Vec<String>,
    /// How many of its examples have a bucket, weighed by how telling it is, for a length of 2^12.
    centre: Vec<u16>,
}

/// The middle of each topic's examples, by an embedding, in the order of the topics.
#[derive(Clone, Debug, Default)]
pub struct Meant(Vec<Option<Vector>>);

impl Meant {
    /// How alike what a prompt means is to each topic, in parts of 4,096, in their order.
    pub fn similarities(&self, vector: &Vector) -> impl Iterator<Item = i64> {
        self.0.iter().map(|middle| middle.as_ref().map_or(0, |middle| i64::from(middle.cosine(vector)) / 16))
    }
}

/// How alike a prompt and a topic's centre must be, in parts of 4,096, and by how much it must be ahead: by n-grams alone.
const ALIKE: i64 = 520;
const MARGIN: i64 = 80;
/// The same of n-grams and meaning together.
const ALIKE_BOTH: i64 = 2_200;
const MARGIN_BOTH: i64 = 360;

impl OwnTopics {
    /// From examples, by topic.
    pub fn new<'a>(examples: impl IntoIterator<Item = (&'a str, &'a str)>, lexicon: &Lexicon) -> OwnTopics {
        let examples: Vec<(&str, &str)> = examples.into_iter().collect();
        let scans: Vec<(&str, Scan)> =
            examples.iter().map(|(name, text)| (*name, Scan::of(Sample::of(text), lexicon))).collect();
        let mut seen = vec![0_u32; BUCKETS];
        for bucket in scans.iter().flat_map(|(_, scan)| scan.grams().buckets()) {
            if let Some(count) = seen.get_mut(bucket) {
                *count += 1;
            }
        }
        let all = log2(scans.len() as u64 + 1);
        // A bucket that no example has is unknown rather than rare: it counts as much as the rarest.
        let telling = seen.iter().map(|count| ((all - log2(u64::from((*count).max(1)))) / 1024 + 64) as u16).collect();
        let mut own = OwnTopics { topics: Vec::new(), telling };
        for (name, _) in &scans {
            if !own.topics.iter().any(|topic| topic.name == *name) {
                let centre = own.centre(scans.iter().filter(|(other, _)| other == name).map(|(_, scan)| scan));
                let of = examples.iter().filter(|(other, _)| other == name).map(|(_, text)| (*text).to_owned());
                own.topics.push(Own { name: (*name).to_owned(), examples: of.collect(), centre });
            }
        }
        own
    }

    fn centre<'a>(&self, scans: impl Iterator<Item = &'a Scan>) -> Vec<u16> {
        let mut sums = vec![0_u32; BUCKETS];
        for bucket in scans.flat_map(|scan| scan.grams().buckets()) {
            if let (Some(sum), Some(telling)) = (sums.get_mut(bucket), self.telling.get(bucket)) {
                *sum += u32::from(*telling);
            }
        }
        let square: u64 = sums.iter().map(|sum| u64::from(*sum).pow(2)).sum();
        let length = square.isqrt().max(1);
        sums.iter().map(|sum| (u64::from(*sum) * 4_096 / length) as u16).collect()
    }

    /// How alike a prompt is to each topic, in parts of 4,096, in their order.
    pub fn similarities(&self, scan: &Scan) -> Vec<(&str, i64)> {
        let telling = |bucket: usize| self.telling.get(bucket).map_or(0, |telling| i64::from(*telling));
        let square: i64 = scan.grams().buckets().map(|bucket| telling(bucket).pow(2)).sum();
        let length = sqrt_q8(u32::try_from(square / 256).unwrap_or(u32::MAX)) / 16;
        let dot = |own: &Own| -> i64 {
            let parts = scan
                .grams()
                .buckets()
                .map(|bucket| own.centre.get(bucket).map_or(0, |c| i64::from(*c)) * telling(bucket));
            parts.sum()
        };
        self.topics.iter().map(|own| (own.name.as_str(), dot(own) / length.max(1))).collect()
    }

    /// What the topics mean by an embedding.
    pub fn meant(&self, embedding: &Embedding<'_>) -> Meant {
        let middle = |own: &Own| embedding.centre(own.examples.iter().map(String::as_str));
        Meant(self.topics.iter().map(middle).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The topic a prompt is most like, by its n-grams and, where that is known, by what it means beside what the topics
    /// mean; `None` when it is like none, or like two.
    pub fn of(&self, scan: &Scan, meaning: Option<(&Vector, &Meant)>) -> Option<&str> {
        if !english(scan) {
            return None;
        }
        let mut similarities = self.similarities(scan);
        let (alike, margin) = match meaning {
            Some((vector, meant)) => {
                for ((_, similarity), cosine) in similarities.iter_mut().zip(meant.similarities(vector)) {
                    *similarity += cosine;
                }
                (ALIKE_BOTH, MARGIN_BOTH)
            }
            None => (ALIKE, MARGIN),
        };
        sorted::sort_by_key(&mut similarities, |(_, similarity)| -similarity);
        let first = similarities.first()?;
        let second = similarities.get(1).map_or(0, |(_, similarity)| *similarity);
        (first.1 >= alike && first.1 - second >= margin).then_some(first.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::embed::Weights;

    fn told<'a>(own: &'a OwnTopics, text: &str) -> Option<&'a str> {
        own.of(&Scan::of(Sample::of(text), &Lexicon::built_in()), None)
    }

    #[test]
    fn a_topic_of_ones_own_is_told_by_examples_and_nothing_else_is_one() {
        let lexicon = Lexicon::built_in();
        let examples = [
            ("refunds", "How do I get my money back for a cancelled order?"),
            ("refunds", "I want a refund, the parcel arrived broken"),
            ("refunds", "When will the refund for my order be paid out?"),
            ("travel", "Which visa do I need to travel to Brazil?"),
            ("travel", "Book me a flight from Oslo to Rome for Friday"),
            ("travel", "What can I take in my hand luggage on the flight?"),
        ];
        let own = OwnTopics::new(examples, &lexicon);
        assert_eq!(told(&own, "My order was broken, can I get a refund for it?"), Some("refunds"));
        assert_eq!(told(&own, "Is my luggage checked through on a flight to Rome?"), Some("travel"));
        assert_eq!(told(&own, "Prove that there are infinitely many primes."), None);
        assert_eq!(told(&own, ""), None);
        assert_eq!(told(&OwnTopics::new([], &lexicon), "anything at all"), None);
    }

    /// An embedding of two numbers: money and voyages.
    fn weights() -> Weights {
        let words =
            [("refund", [100, 0]), ("money", [90, 10]), ("flight", [0, 100]), ("boat", [10, 90]), ("sea", [70, 70])];
        let mut file = b"SEMB0001".to_vec();
        let header = [2_u32, 2, 0, words.len() as u32, 0, 0];
        file.extend(header.iter().flat_map(|value| value.to_le_bytes()));
        file.extend(words.iter().flat_map(|(_, row)| row.map(|value: i8| value.cast_unsigned())));
        words.iter().for_each(|(word, _)| file.extend([word.as_bytes(), b"\n"].concat()));
        Weights::read(&file).unwrap()
    }

    #[test]
    fn a_prompt_that_has_none_of_the_words_of_a_topic_is_told_by_what_it_means() {
        let examples =
            [("refunds", "refund me"), ("refunds", "a refund now"), ("travel", "a flight"), ("travel", "my flight")];
        let own = OwnTopics::new(examples, &Lexicon::built_in());
        let weights = weights();
        let embedding = weights.embedding().unwrap();
        let meant = own.meant(&embedding);
        let told = |text: &str| {
            let vector = embedding.vector(text);
            own.of(&Scan::of(Sample::of(text), &Lexicon::built_in()), vector.as_ref().map(|vector| (vector, &meant)))
        };
        assert_eq!(told("Where is that money of mine?"), Some("refunds"));
        assert_eq!(told("Where is that boat of yours?"), Some("travel"));
        assert_eq!(told("Where is that sea of ours?"), None, "as like the one as the other");
        assert_eq!(told("Wo ist denn eigentlich das money von uns allen, bitte sehr, mein Herr?"), None, "not English");
        assert_eq!(told("Nothing that is known"), None);
        let nothing = OwnTopics::default();
        assert_eq!(nothing.of(&Scan::of(Sample::of("money"), &Lexicon::built_in()), None), None);
    }

    #[test]
    fn with_the_real_weights_what_is_asked_in_other_words_is_told() {
        let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        let root = std::env::var_os("SIGNALBOX_SHARED").map_or_else(beside, std::path::PathBuf::from);
        let folder = root.join("routing/embedding");
        let file = |name: &str| std::fs::read(folder.join(name)).ok();
        let both = file("minilm_static_64.semb").zip(file("vocab.txt"));
        let Some(weights) = both.and_then(|(rows, words)| Weights::read(&[rows, words].concat())) else {
            return eprintln!("notice: no {}; topics are not told by meaning", folder.display());
        };
        let examples = [
            ("refunds", "How do I get a refund for a cancelled order?"),
            ("refunds", "I want a refund, the parcel arrived broken"),
            ("refunds", "When will the refund for my purchase be paid?"),
            ("refunds", "Please return the money for my order"),
            ("travel", "Which visa do I need to travel to Brazil?"),
            ("travel", "Book me a flight from Oslo to Rome for Friday"),
            ("travel", "What can I take in my hand luggage on the flight?"),
            ("travel", "Is the train to Paris faster than the plane?"),
        ];
        let own = OwnTopics::new(examples, &Lexicon::built_in());
        let embedding = weights.embedding().unwrap();
        let meant = own.meant(&embedding);
        let told = |text: &str| {
            let (scan, vector) = (Scan::of(Sample::of(text), &Lexicon::built_in()), embedding.vector(text));
            let grams = own.similarities(&scan).into_iter().map(|(_, alike)| alike).collect::<Vec<_>>();
            let meaning = vector.as_ref().map(|vector| meant.similarities(vector).collect::<Vec<_>>());
            println!("{text}: {grams:?} {meaning:?}");
            own.of(&scan, vector.as_ref().map(|vector| (vector, &meant))).map(str::to_owned)
        };
        assert_eq!(told("Will you reimburse customers whose goods came damaged?").as_deref(), Some("refunds"));
        assert_eq!(told("Are there hotels near the airport of Lisbon?").as_deref(), Some("travel"));
        assert_eq!(told("Prove that there are infinitely many primes."), None);
        assert_eq!(told("Write a poem about the sea in autumn."), None);
    }
}
