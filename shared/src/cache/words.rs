//! Whether two questions are one, as far as their words can tell.
//!
//! Vectors alone cannot: "convert 5 USD to EUR" and "convert 5 EUR to USD" have the same, and one "not" moves them little. So
//! what may differ is listed here, and everything else must be the same and in the same order: articles, politeness,
//! contractions, ways to begin a question, numbers as words, and a few pairs of words that mean one thing. A wrong answer is worse
//! than none, so where in doubt a word counts.

use crate::letters::small;

/// The longest question that is compared, in bytes: longer ones hardly ever repeat.
const LONGEST: usize = 2_000;

/// Signs that part words, and say nothing at the end of a question.
const PAUSES: &[char] = &['.', ',', ';', ':', '!', '?', '…'];

/// Words that change nothing wherever they stand.
const IDLE: &[&str] = &["a", "an", "the", "please", "kindly", "do", "does", "thanks"];

/// How questions begin that ask the same.
const OPENINGS: &[&[&str]] = &[
    &["hi"],
    &["hello"],
    &["hey"],
    &["can", "you"],
    &["could", "you"],
    &["would", "you"],
    &["will", "you"],
    &["i", "want", "to", "know"],
    &["i", "would", "like", "to", "know"],
    &["tell", "me"],
    &["what", "is"],
    &["what", "are"],
];

/// How questions for a way begin.
const WAYS: &[&[&str]] = &[
    &["how", "i"],
    &["how", "you"],
    &["how", "we"],
    &["how", "one"],
    &["how", "can", "i"],
    &["how", "can", "you"],
    &["how", "can", "we"],
    &["how", "to"],
];

/// Words that mean one thing, the one they are read as first.
const SAME: &[&[&str]] = &[
    &["0", "zero"],
    &["1", "one"],
    &["2", "two"],
    &["3", "three"],
    &["4", "four"],
    &["5", "five"],
    &["6", "six"],
    &["7", "seven"],
    &["8", "eight"],
    &["9", "nine"],
    &["10", "ten"],
    &["11", "eleven"],
    &["12", "twelve"],
    &["picture", "photo", "image"],
    &["pictures", "photos", "images"],
    &["buy", "purchase"],
    &["start", "begin"],
    &["fix", "repair"],
    &["delete", "remove"],
    &["select", "choose"],
    &["film", "movie"],
    &["email", "e-mail"],
    &["large", "big"],
    &["quick", "fast"],
    &["quickly", "fast"],
];

/// Words that are no names, so that a capital at the beginning of a question means nothing.
const COMMON: &[&str] = &[
    "and",
    "at",
    "calculate",
    "can",
    "compare",
    "compute",
    "convert",
    "could",
    "create",
    "define",
    "describe",
    "did",
    "explain",
    "find",
    "for",
    "from",
    "generate",
    "give",
    "had",
    "has",
    "have",
    "hello",
    "hey",
    "hi",
    "how",
    "i",
    "if",
    "in",
    "is",
    "are",
    "list",
    "make",
    "name",
    "of",
    "on",
    "or",
    "show",
    "should",
    "solve",
    "sort",
    "summarize",
    "tell",
    "that",
    "these",
    "this",
    "those",
    "to",
    "translate",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "whose",
    "why",
    "will",
    "with",
    "would",
    "write",
    "you",
    "not",
    "my",
    "your",
    "our",
    "their",
    "it",
];

/// What is left of a question once everything is taken away that may differ; `None` for one that is not compared.
pub(super) fn bare(text: &str) -> Option<Vec<String>> {
    // In code every sign counts, white space included.
    if text.len() > LONGEST || text.contains("```") || text.contains('\t') || text.contains("\n ") {
        return None;
    }
    let mut words: Vec<String> = Vec::new();
    for raw in text.split_whitespace() {
        // Between words a sign says something: "Let's eat, Grandma".
        let sign = raw.chars().next_back().filter(|sign| PAUSES.contains(sign)).map(String::from);
        let inner = raw.trim_matches(|c| ".,!?;:\"()“”…".contains(c));
        // A sign that stands alone says something: minus, or.
        let inner =
            if inner.is_empty() && !raw.chars().all(|c| ".,!?;:\"()“”…".contains(c)) { raw } else { inner };
        // A quotation is to be taken literally.
        if raw.contains(['"', '“', '”', '`']) {
            words.push(raw.trim_end_matches(['.', ',', '!', '?']).to_owned());
        } else {
            expand(inner, &mut words);
        }
        words.extend(sign);
    }
    words.retain(|word| !word.is_empty() && !IDLE.contains(&word.as_str()));
    while words.last().is_some_and(|word| is_pause(word)) {
        words.pop();
    }
    begin(&mut words);
    let begins = |words: &[String], with: &&[&str]| {
        words.len() > with.len() && words.iter().zip(with.iter()).all(|(word, wanted)| word == wanted)
    };
    while let Some(opening) = OPENINGS.iter().find(|opening| begins(&words, opening)) {
        words.drain(..opening.len());
        begin(&mut words);
    }
    if let Some(way) = WAYS.iter().find(|way| begins(&words, way)) {
        words.drain(..way.len());
        words.insert(0, "how-to".to_owned());
    }
    let same = |word: String| {
        SAME.iter()
            .find(|all| all.contains(&word.as_str()))
            .and_then(|all| all.first())
            .map_or(word, |one| (*one).to_owned())
    };
    let words: Vec<String> = words.into_iter().map(same).collect();
    (!words.is_empty()).then_some(words)
}

fn is_pause(word: &str) -> bool {
    word.chars().all(|sign| PAUSES.contains(&sign))
}

/// Takes away the signs that a question begins with, once what stood before them is gone.
fn begin(words: &mut Vec<String>) {
    let signs = words.iter().take_while(|word| is_pause(word)).count();
    words.drain(..signs);
}

/// A word, or the words a contraction stands for.
fn expand(word: &str, out: &mut Vec<String>) {
    let straight = word.replace('’', "'");
    let lower = straight.to_ascii_lowercase();
    let whole = match lower.as_str() {
        "can't" | "cannot" => Some(["can", "not"]),
        "won't" => Some(["will", "not"]),
        "shan't" => Some(["shall", "not"]),
        "i'm" => Some(["i", "am"]),
        "what's" => Some(["what", "is"]),
        "where's" => Some(["where", "is"]),
        "who's" => Some(["who", "is"]),
        "how's" => Some(["how", "is"]),
        "it's" => Some(["it", "is"]),
        "that's" => Some(["that", "is"]),
        "i'd" => Some(["i", "would"]),
        _ => None,
    };
    if let Some(words) = whole {
        return out.extend(words.map(str::to_owned));
    }
    for (end, word) in [("n't", "not"), ("'re", "are"), ("'ve", "have"), ("'ll", "will")] {
        if let Some(stem) = lower.strip_suffix(end).filter(|stem| !stem.is_empty()) {
            out.extend([plain(stem), word.to_owned()]);
            return;
        }
    }
    out.push(plain(&straight));
}

/// A word without the capital that only says where it stands. What could be a name keeps its own.
fn plain(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let is_title = word.chars().skip(1).all(|c| small(c) == c);
    let known =
        |lower: &str| COMMON.contains(&lower) || IDLE.contains(&lower) || SAME.iter().any(|all| all.contains(&lower));
    if is_title && known(&lower) { lower } else { word.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Questions that sound alike and are not: no vector may make one of the other.
    const TRAPS: &[(&str, &str)] = &[
        // Negation.
        ("Is aspirin safe for dogs?", "Is aspirin not safe for dogs?"),
        ("Which foods are allowed?", "Which foods aren't allowed?"),
        ("How do I enable two-factor login?", "How do I disable two-factor login?"),
        ("Can I travel with a visa?", "Can I travel without a visa?"),
        ("Should I never restart the server?", "Should I ever restart the server?"),
        ("List users who have logged in", "List users who have not logged in"),
        ("What is included?", "What is excluded?"),
        ("Is it legal?", "Is it illegal?"),
        ("Does it work on no device?", "Does it work on a device?"),
        ("Why did the build fail?", "Why didn't the build fail?"),
        // Numbers.
        ("What is 15% of 80?", "What is 15% of 90?"),
        ("What is 5% of 80?", "What is 5 of 80?"),
        ("Convert 10 miles to km", "Convert 100 miles to km"),
        ("Summarize in three sentences", "Summarize in two sentences"),
        ("What changed in version 1.2.3?", "What changed in version 1.2.4?"),
        ("Who won in 1998?", "Who won in 1989?"),
        ("What is -5 squared?", "What is 5 squared?"),
        ("Give me 1,000 words", "Give me 1.000 words"),
        ("Solve x + 2 = 5", "Solve x - 2 = 5"),
        ("What is the 1st item?", "What is the 2nd item?"),
        // Names and ids.
        ("What is the capital of France?", "What is the capital of Germany?"),
        ("what is the capital of france", "what is the capital of germany"),
        ("Where is order A-1001?", "Where is order A-1002?"),
        ("Email Ann about it", "Email Anna about it"),
        ("What does US mean to them?", "What does us mean to them?"),
        ("Apple prices in March", "apple prices in March"),
        ("Who is Turkey playing?", "Who is turkey playing?"),
        ("Show invoice INV-7 of acme", "Show invoice INV-7 of apex"),
        ("Define user_id", "Define userId"),
        ("Call get_user(id)", "Call set_user(id)"),
        ("What is \"The Trial\" about?", "What is \"Trial\" about?"),
        ("Rate of AAPL today", "Rate of AAPL yesterday"),
        // Order.
        ("Convert 5 USD to EUR", "Convert 5 EUR to USD"),
        ("Did the dog bite the man?", "Did the man bite the dog?"),
        ("Is 7 greater than 5?", "Is 5 greater than 7?"),
        ("Translate from German to French", "Translate from French to German"),
        ("Flights from Oslo to Rome", "Flights from Rome to Oslo"),
        ("Subtract 3 from 10", "Subtract 10 from 3"),
        ("Does A imply B?", "Does B imply A?"),
        ("Move file x before y", "Move file y before x"),
        // Signs between words.
        ("Let's eat, Grandma", "Let's eat Grandma"),
        ("Sell two, hundred shares each", "Sell two hundred shares each"),
        ("Translate: no smoking", "Translate no smoking"),
        ("Is it true? Never mind.", "Is it true never mind"),
        // Small words that carry the meaning.
        ("Is it open before 9?", "Is it open after 9?"),
        ("Who was the president?", "Who is the president?"),
        ("What are my rights?", "What are your rights?"),
        ("Sort ascending", "Sort descending"),
        ("What is the highest price?", "What is the lowest price?"),
        ("Delete all users", "Delete some users"),
        ("Can I park here?", "Must I park here?"),
        ("When does it start?", "Where does it start?"),
        ("List open tickets", "List closed tickets"),
        ("What is the price or the date?", "What is the price and the date?"),
        ("List the first item", "List the last item"),
        ("What is above it?", "What is below it?"),
    ];

    #[test]
    fn questions_that_only_sound_alike_are_never_one() {
        for (one, other) in TRAPS {
            assert_ne!(bare(one).unwrap(), bare(other).unwrap(), "{one} / {other}");
        }
    }

    #[test]
    fn what_is_asked_in_other_words_of_courtesy_is_one_question() {
        for (one, other) in [
            ("What is the capital of France?", "what's the capital of France"),
            ("What is the capital of France?", "Could you please tell me the capital of France?"),
            ("How do I reset my password?", "How can I reset my password"),
            ("How do I reset my password?", "Hi, how to reset my password?"),
            ("Summarize it in three sentences.", "Please summarize it in 3 sentences"),
            ("Why doesn't it work?", "why doesn’t it work"),
            ("Remove the photo", "delete the picture."),
            ("Please, remove the photo, thanks!", "Hello! Could you remove the photo?"),
            ("I can't log in", "I cannot log in"),
        ] {
            assert_eq!(bare(one), bare(other), "{one} / {other}");
        }
    }

    #[test]
    fn code_and_long_texts_are_not_compared() {
        for text in ["", " ?", "x\n  y", "a\tb", "```x```", "x ".repeat(1_001).as_str()] {
            assert_eq!(bare(text), None, "{text}");
        }
        assert_eq!(bare("the"), None);
    }
}
