//! The resting orders of a book, by position and by key.

use crate::slab::{NIL, Slab};

/// Low bits of a key that stay as they are: so many neighbours share one cache line of the table.
const NEIGHBOUR_BITS: u32 = 4;
/// Odd and without a pattern in its bits (2^64 over the golden ratio), as multiplicative hashing wants it.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A resting order as a link of the queue at its price.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Node {
    pub key: u64,
    pub lots: i64,
    pub previous: u32,
    pub next: u32,
    pub level: u32,
    /// Next order in the same slot of the table; set when the order is put in.
    chained: u32,
}

impl Node {
    /// Makes an order that nobody waits behind.
    pub const fn last(key: u64, lots: i64, previous: u32, level: u32) -> Self {
        Self { key, lots, previous, next: NIL, level, chained: NIL }
    }
}

/// Orders in one block of memory, and a table of chains through them to find one by its key.
///
/// Keys mostly rise one by one and the youngest orders are asked for most, so runs of sixteen keys lie side by
/// side: a line of the cache. With 4 bytes a slot, and the links inside the orders, the table takes an eighth
/// of the memory of a map with keys of its own. Source: multiplicative hashing and chaining, D. E. Knuth, The
/// Art of Computer Programming 3, 1973, section 6.4.
///
/// **Invariant:** every order is in the chain of its key's slot, once; no key is there twice.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Resting {
    nodes: Slab<Node>,
    /// First order of each chain; a power of two of them.
    heads: Vec<u32>,
    /// Slots less one: all bits that a slot can have.
    mask: u64,
}

impl Resting {
    /// Makes an empty store with room for `capacity` orders.
    pub fn with_capacity(capacity: usize) -> Self {
        let slots = capacity.next_power_of_two().max(2 << NEIGHBOUR_BITS);
        let mask = (1 << slots.trailing_zeros()) - 1;
        Self { nodes: Slab::with_capacity(capacity), heads: vec![NIL; slots], mask }
    }

    /// Returns the position of an order.
    #[inline]
    pub fn find(&self, key: u64) -> Option<u32> {
        let mut place = *self.heads.get(self.slot(key))?;
        loop {
            let node = self.nodes.get(place)?;
            if node.key == key {
                return Some(place);
            }
            place = node.chained;
        }
    }

    /// Stores an order whose key is not there and returns its position; `None` when there is no room.
    #[inline]
    pub fn insert(&mut self, mut node: Node) -> Option<u32> {
        debug_assert!(self.find(node.key).is_none(), "a key is there once");
        let slot = self.slot(node.key);
        let head = self.heads.get_mut(slot)?;
        node.chained = *head;
        let place = self.nodes.insert(node)?;
        *head = place;
        Some(place)
    }

    /// Takes an order out. The caller has forgotten its position.
    #[inline]
    pub fn remove(&mut self, place: u32) {
        let Some(&Node { key, chained, .. }) = self.nodes.get(place) else { return };
        let slot = self.slot(key);
        let Some(head) = self.heads.get_mut(slot) else { return };
        if *head == place {
            *head = chained;
        } else {
            let mut before = *head;
            while let Some(node) = self.nodes.get_mut(before) {
                if node.chained == place {
                    node.chained = chained;
                    break;
                }
                before = node.chained;
            }
        }
        self.nodes.remove(place);
    }

    /// Returns the order at a position.
    #[inline]
    pub fn get(&self, place: u32) -> Option<&Node> {
        self.nodes.get(place)
    }

    /// Returns the order at a position, to change it; its key stays.
    #[inline]
    pub fn get_mut(&mut self, place: u32) -> Option<&mut Node> {
        self.nodes.get_mut(place)
    }

    /// Tells whether there is no room.
    pub fn is_full(&self) -> bool {
        self.nodes.is_full()
    }

    /// Counts the orders that rest here.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    #[inline]
    #[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "both are below the slots")]
    fn slot(&self, key: u64) -> usize {
        // The middle of the product becomes the low bits: its top is too even for keys a power of two apart.
        let run = (key >> NEIGHBOUR_BITS).wrapping_mul(MULTIPLIER).rotate_left(26);
        let low = (1 << NEIGHBOUR_BITS) - 1;
        (((run & !low) | (key & low)) & self.mask) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_run_of_keys_lies_side_by_side() {
        let orders = Resting::with_capacity(1 << 17);
        let first = orders.slot(4_096);
        assert!((4_096..4_112).map(|key| orders.slot(key)).eq(first..first + 16));
    }

    #[test]
    fn keys_a_power_of_two_apart_do_not_pile_up() {
        let orders = Resting::with_capacity(1 << 17);
        for shift in 0..40 {
            let slots: HashSet<_> = (0..4_096u64).map(|key| orders.slot(key << shift)).collect();
            assert!(slots.len() > 2_000, "{} slots for keys shifted by {shift}", slots.len());
        }
    }

    proptest! {
        #[test]
        fn what_was_put_in_and_not_taken_out_is_found(changes in prop::collection::vec((any::<bool>(), 0..90u64), 0..400)) {
            // More keys than slots, so that chains have several links.
            let (mut orders, mut expected) = (Resting::with_capacity(40), HashMap::new());
            for (is_new, key) in changes {
                let key = key * 0x1_0000_0001;
                if !is_new {
                    if let Some(place) = expected.remove(&key) {
                        orders.remove(place);
                    }
                } else if !expected.contains_key(&key) {
                    let place = orders.insert(Node::last(key, 1, NIL, 0));
                    prop_assert_eq!(place.is_none(), expected.len() == 40);
                    expected.extend(place.map(|place| (key, place)));
                }
                prop_assert_eq!(orders.len(), expected.len());
                for key in 0..90 {
                    let key = key * 0x1_0000_0001;
                    prop_assert_eq!(orders.find(key), expected.get(&key).copied());
                }
            }
        }
    }
}
