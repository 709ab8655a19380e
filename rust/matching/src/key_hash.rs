//! Where an order's key lies in the map of resting orders.

use std::hash::{BuildHasherDefault, Hasher};

/// Makes the hashers of a map from order keys.
pub(crate) type KeyHash = BuildHasherDefault<KeyHasher>;

/// Low bits of a key that stay as they are: so many neighbours share the cache lines of the map.
const NEIGHBOUR_BITS: u32 = 4;
/// Odd and without a pattern in its bits (2^64 over the golden ratio), as multiplicative hashing wants it.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// The map compares the highest 7 bits before it looks at a key.
const TAG_SHIFT: u32 = 57;

/// Spreads runs of sixteen keys over the map and keeps each run together.
///
/// Keys mostly rise one by one and the youngest orders are asked for most, so that a map which scatters
/// every key misses the cache at nearly every step. Source: multiplicative hashing, D. E. Knuth, The Art of
/// Computer Programming 3, 1973, section 6.4.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    #[inline]
    fn write_u64(&mut self, key: u64) {
        let run = (key >> NEIGHBOUR_BITS).wrapping_mul(MULTIPLIER).rotate_left(26);
        let low = (1 << NEIGHBOUR_BITS) - 1;
        self.0 = ((run & !low) | (key & low)) ^ (key << TAG_SHIFT);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((self.0 << 8) ^ u64::from(*byte));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::*;

    /// Bits that choose the place in a map of 2^17 buckets, and the bits compared first.
    fn place_and_tag(key: u64) -> (u64, u64) {
        let hash = KeyHash::default().hash_one(key);
        (hash & ((1 << 17) - 1), hash >> TAG_SHIFT)
    }

    #[test]
    fn a_run_of_keys_lies_side_by_side_and_each_has_a_tag_of_its_own() {
        let run: Vec<_> = (4_096..4_112).map(place_and_tag).collect();
        let first = run[0].0;
        assert!(run.iter().zip(first..).all(|((place, _), expected)| *place == expected));
        assert_eq!(run.iter().map(|(_, tag)| tag).collect::<HashSet<_>>().len(), 16);
    }

    #[test]
    fn keys_a_power_of_two_apart_do_not_pile_up() {
        for shift in 0..40 {
            let places: HashSet<_> = (0..4_096u64).map(|key| place_and_tag(key << shift).0).collect();
            assert!(places.len() > 2_000, "{} places for keys shifted by {shift}", places.len());
        }
    }
}
