//! A bounded ring whose window of the last values is always one contiguous slice.
//!
//! Every value is written twice, one capacity apart, so no window ever wraps: reading costs no copy,
//! and writing costs the same on every push (no occasional move of the whole buffer).
//!
//! **Invariant:** for `n <= len`, the slots `next + capacity - n .. next + capacity` hold the last `n`
//! values, oldest first.

use std::collections::TryReserveError;

/// The last `capacity` values, oldest first, readable as one slice.
///
/// ```
/// use tradecore_ring::Ring;
///
/// let mut closes = Ring::with_capacity(3);
/// for close in [1, 2, 3, 4] {
///     closes.push(close);
/// }
/// assert_eq!(closes.last(2), &[3, 4]);
/// assert_eq!(closes.get_back(0), Some(4));
/// ```
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Ring<T> {
    /// Two copies of the window; empty until the first push, then always twice the capacity.
    slots: Vec<T>,
    capacity: usize,
    /// Slot of the next value, below the capacity.
    next: usize,
    len: usize,
}

impl<T: Copy> Ring<T> {
    /// Builds an empty ring and allocates all the memory it will ever use.
    ///
    /// A capacity of 0 gives a ring that keeps nothing. Two values are held per place.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { slots: Vec::with_capacity(capacity.saturating_mul(2)), capacity, next: 0, len: 0 }
    }

    /// Builds an empty ring as [`with_capacity`](Self::with_capacity), unless there is no memory for it.
    ///
    /// # Errors
    ///
    /// [`TryReserveError`] when the memory is not to be had.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, TryReserveError> {
        let mut slots = Vec::new();
        slots.try_reserve_exact(capacity.saturating_mul(2))?;
        Ok(Self { slots, capacity, next: 0, len: 0 })
    }

    /// Appends a value and returns the oldest one if it had to make room.
    #[inline]
    pub fn push(&mut self, value: T) -> Option<T> {
        if self.capacity == 0 {
            return Some(value);
        }
        if self.slots.is_empty() {
            // Reserved by `with_capacity`: this fills memory, it does not allocate.
            self.slots.resize(self.capacity.saturating_mul(2), value);
        }
        let mut evicted = None;
        let (older, newer) = self.slots.split_at_mut(self.capacity);
        if let (Some(slot), Some(mirror)) = (older.get_mut(self.next), newer.get_mut(self.next)) {
            if self.len == self.capacity {
                evicted = Some(*slot);
            }
            *slot = value;
            *mirror = value;
        }
        self.next = if self.next + 1 == self.capacity { 0 } else { self.next + 1 };
        self.len = self.capacity.min(self.len + 1);
        debug_assert!(self.next < self.capacity && self.slots.len() == 2 * self.capacity);
        evicted
    }

    /// Returns the last `count` values, oldest first; all there are if `count` is more than that.
    #[inline]
    #[must_use]
    pub fn last(&self, count: usize) -> &[T] {
        let end = self.next + self.capacity;
        self.slots.get(end - count.min(self.len)..end).unwrap_or_default()
    }

    /// Returns all values, oldest first.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        self.last(self.len)
    }

    /// Returns the value `steps` pushes before the newest (0 is the newest), if it is still there.
    #[inline]
    #[must_use]
    pub fn get_back(&self, steps: usize) -> Option<T> {
        if steps >= self.len {
            return None;
        }
        self.slots.get(self.next + self.capacity - 1 - steps).copied()
    }

    /// Counts the values that are held, which are at most the capacity.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Says whether nothing is held.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Says whether the next push evicts the oldest value.
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == self.capacity
    }

    /// Returns how many values fit.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all values and keeps the memory.
    pub fn clear(&mut self) {
        self.next = 0;
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_window_that_crosses_the_end_is_still_one_slice_in_time_order() {
        let mut ring = Ring::with_capacity(4);
        for value in 0..6 {
            ring.push(value);
        }
        assert_eq!(ring.as_slice(), &[2, 3, 4, 5]);
        assert_eq!(ring.last(3), &[3, 4, 5]);
    }

    #[test]
    fn a_window_longer_than_what_is_there_gives_what_is_there() {
        let mut ring = Ring::with_capacity(4);
        assert!(ring.last(9).is_empty());
        ring.push(7);
        assert_eq!(ring.last(9), &[7]);
    }

    #[test]
    fn a_ring_without_room_hands_every_value_back() {
        let mut ring = Ring::with_capacity(0);
        assert_eq!(ring.push(5), Some(5));
        assert!(ring.is_empty() && ring.is_full() && ring.as_slice().is_empty());
        assert_eq!(ring.get_back(0), None);
    }

    #[test]
    fn pushing_never_allocates_after_construction() {
        let mut ring = Ring::with_capacity(5);
        let reserved = ring.slots.capacity();
        for value in 0..50 {
            ring.push(value);
        }
        assert_eq!(ring.slots.capacity(), reserved);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Push(i32),
        Clear,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![20 => any::<i32>().prop_map(Step::Push), 1 => Just(Step::Clear)];
        prop::collection::vec(step, 0..120)
    }

    proptest! {
        #[test]
        fn a_ring_behaves_as_a_bounded_deque(capacity in 0_usize..12, steps in steps()) {
            let mut ring = Ring::with_capacity(capacity);
            let mut oracle = VecDeque::new();
            for step in steps {
                match step {
                    Step::Push(value) => {
                        oracle.push_back(value);
                        let evicted = if oracle.len() > capacity { oracle.pop_front() } else { None };
                        prop_assert_eq!(ring.push(value), evicted);
                    }
                    Step::Clear => {
                        oracle.clear();
                        ring.clear();
                    }
                }
                prop_assert_eq!(ring.len(), oracle.len());
                prop_assert_eq!(ring.is_full(), oracle.len() == capacity);
                for count in 0..=capacity + 1 {
                    let expected: Vec<i32> =
                        oracle.iter().skip(oracle.len().saturating_sub(count)).copied().collect();
                    prop_assert_eq!(ring.last(count), &expected[..]);
                    let back = oracle.len().checked_sub(count + 1).map(|index| oracle[index]);
                    prop_assert_eq!(ring.get_back(count), back);
                }
            }
        }
    }
}
