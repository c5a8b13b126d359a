//! Sorting, compiled once.
//!
//! The standard library compiles its sort anew for every kind of element and of comparison, three kilobytes each. Here places are sorted, which are
//! numbers whatever they stand for, and then the elements are brought there.

use std::cmp::Ordering;

/// Sorts; what is equal stays in the order it was in.
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let places = order(items.len(), &mut |one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    bring(items, &places);
}

/// Sorts by a key that is computed for each comparison.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// Sorts by the elements' own order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, Ord::cmp);
}

/// Which element comes first, second, and so on.
fn order(count: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|one, other| compare(*one, *other));
    places
}

/// Swaps every element into its place. The one that belongs at `place` may have been swapped away before: then it is where that swap took it.
fn bring<T>(items: &mut [T], places: &[usize]) {
    for place in 0..places.len() {
        let mut from = place;
        loop {
            from = places.get(from).copied().unwrap_or(place);
            if from >= place {
                break;
            }
        }
        items.swap(place, from);
    }
}
