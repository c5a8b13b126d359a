//! Maps and sets do what the trees of the standard library do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{SortedMap, SortedSet, sort, sort_by_key};
use proptest::prelude::*;
use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
    ops::Index,
};

/// In a test, what is not there is a failure.
impl<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized> Index<&Q> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("the key is there")
    }
}

proptest! {
    #[test]
    fn a_map_does_what_a_tree_does(steps in proptest::collection::vec((0_u8..5, 0_u8..20, any::<u16>()), 0..120)) {
        let (mut ours, mut tree) = (SortedMap::new(), BTreeMap::new());
        for (step, key, value) in steps {
            match step {
                0 => prop_assert_eq!(ours.insert(key, value), tree.insert(key, value)),
                1 => prop_assert_eq!(ours.remove(&key), tree.remove(&key)),
                2 => prop_assert_eq!(ours.get(&key), tree.get(&key)),
                3 => prop_assert_eq!(ours.entry(key).or_insert(value), tree.entry(key).or_insert(value)),
                _ => {
                    ours.retain(|known, _| known % 7 != key % 7);
                    tree.retain(|known, _| known % 7 != key % 7);
                }
            }
        }
        prop_assert!(ours.iter().eq(tree.iter()));
        prop_assert!(ours.iter().rev().eq(tree.iter().rev()));
        prop_assert_eq!(ours.first_key_value(), tree.first_key_value());
        let told = serde_json::to_string(&ours).unwrap();
        prop_assert_eq!(&told, &serde_json::to_string(&tree).unwrap());
        prop_assert_eq!(serde_json::from_str::<SortedMap<u8, u16>>(&told).unwrap(), ours);
    }

    #[test]
    fn a_set_does_what_a_tree_does(steps in proptest::collection::vec((any::<bool>(), 0_u8..20), 0..80)) {
        let (mut ours, mut tree) = (SortedSet::new(), BTreeSet::new());
        for (add, member) in steps {
            if add {
                prop_assert_eq!(ours.insert(member), tree.insert(member));
            } else {
                prop_assert_eq!(ours.remove(&member), tree.remove(&member));
            }
        }
        prop_assert!(ours.iter().eq(tree.iter()));
        let told = serde_json::to_string(&ours).unwrap();
        prop_assert_eq!(serde_json::from_str::<SortedSet<u8>>(&told).unwrap(), ours);
    }

    #[test]
    fn sorting_is_the_standard_librarys_and_stable(items in proptest::collection::vec((0_u8..9, any::<u16>()), 0..60)) {
        let (mut ours, mut standard) = (items.clone(), items);
        sort_by_key(&mut ours, |(key, _)| *key);
        standard.sort_by_key(|(key, _)| *key);
        prop_assert_eq!(&ours, &standard);
        sort(&mut ours);
        standard.sort();
        prop_assert_eq!(ours, standard);
    }
}
