//! "Did you mean": the known word nearest to an unknown one.

/// The member of `known` that is at most a third of its length away from `word`, the nearest first.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // A long word is somebody's paragraph, not a slip of the finger, and distance costs its square.
    if word.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edit distance (Levenshtein), one row at a time; a case difference costs nothing.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().map(|c| c.to_ascii_lowercase()).enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (right, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let substituted = diagonal + usize::from(left != *right);
            diagonal = *cell;
            *cell = substituted.min(before + 1).min(diagonal + 1);
            before = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_is_the_number_of_edits() {
        for (a, b, want) in [("", "", 0), ("abc", "abc", 0), ("abc", "ABD", 1), ("kitten", "sitting", 3), ("", "ab", 2), ("ab", "", 2)] {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_a_different_word_is_not() {
        let known = ["providers", "routes", "teams", "retries"];
        assert_eq!(nearest("provider", known), Some("providers"));
        assert_eq!(nearest("retires", known), Some("retries"));
        assert_eq!(nearest("guardrails", known), None);
        assert_eq!(nearest(&"t".repeat(10_000), known), None);
    }
}
