//! "Did you mean": the known word nearest to an unknown one.

/// The member of `known` that is at most a third of its length away from `word`, the nearest first.
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // A long word is somebody's paragraph, not a slip of the finger, and distance costs its square.
    if word.len() > 64 {
        return None;
    }
    let mut best: Option<(usize, &'k str)> = None;
    for candidate in known {
        // Most candidates are told apart by their length alone.
        let limit = (candidate.len().max(3) / 3).min(best.map_or(usize::MAX, |(distance, _)| distance - 1));
        if candidate.len().abs_diff(word.len()) > limit {
            continue;
        }
        match distance(word, candidate) {
            0 => return Some(candidate),
            near if near <= limit => best = Some((near, candidate)),
            _far => {}
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edit distance in bytes, row by row: one put in, left out, changed, or two neighbours exchanged
/// costs one; a difference in case costs nothing.
#[inline(never)]
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let same = |left: Option<&u8>, right: Option<&u8>| {
        left.zip(right).is_some_and(|(left, right)| left.eq_ignore_ascii_case(right))
    };
    let (mut before, mut last, mut row) = (Vec::new(), (0..=b.len()).collect::<Vec<usize>>(), Vec::new());
    for i in 0..a.len() {
        row.clear();
        row.push(i + 1);
        for j in 0..b.len() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&last, j) + usize::from(!same(a.get(i), b.get(j)));
            let mut cost = changed.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && same(a.get(i), b.get(j - 1)) && same(a.get(i - 1), b.get(j)) {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
        }
        // The rows move up; the oldest is written over next.
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_is_the_number_of_edits() {
        for (a, b, want) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "ABD", 1),
            ("kitten", "sitting", 3),
            ("", "ab", 2),
            ("ab", "", 2),
            ("fsat", "fast", 1),
            ("abcd", "badc", 2),
        ] {
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
