//! Values in one block of memory, named by position; places that become free are used again, youngest first.

/// Position of nothing.
pub(crate) const NIL: u32 = u32::MAX;

/// A bounded store that never allocates after construction.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Slab<T> {
    items: Vec<T>,
    free: Vec<u32>,
    capacity: usize,
}

impl<T: Copy> Slab<T> {
    /// Makes an empty store with room for `capacity` values; at most `u32::MAX - 1` fit.
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.min(index(NIL - 1));
        Self { items: Vec::with_capacity(capacity), free: Vec::with_capacity(capacity), capacity }
    }

    /// Stores a value and returns its position; `None` when there is no room.
    pub fn insert(&mut self, item: T) -> Option<u32> {
        if let Some(place) = self.free.pop() {
            *self.get_mut(place)? = item;
            return Some(place);
        }
        if self.items.len() >= self.capacity {
            return None;
        }
        let place = u32::try_from(self.items.len()).ok()?;
        self.items.push(item);
        Some(place)
    }

    /// Gives a place free. The caller has forgotten its position.
    pub fn remove(&mut self, place: u32) {
        debug_assert!(self.free.len() < self.items.len());
        self.free.push(place);
    }

    /// Tells whether there is no room.
    pub fn is_full(&self) -> bool {
        self.free.is_empty() && self.items.len() >= self.capacity
    }

    /// Counts the values that are held.
    pub fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// Returns the value at a position.
    #[inline]
    pub fn get(&self, place: u32) -> Option<&T> {
        self.items.get(index(place))
    }

    /// Returns the value at a position, to change it.
    #[inline]
    pub fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.items.get_mut(index(place))
    }
}

/// Returns a position as an index.
#[expect(clippy::as_conversions, reason = "u32 to usize is lossless on every supported target")]
pub(crate) const fn index(place: u32) -> usize {
    place as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_used_again() {
        let mut slab = Slab::with_capacity(2);
        assert_eq!((slab.insert('a'), slab.insert('b'), slab.insert('c')), (Some(0), Some(1), None));
        assert!(slab.is_full());
        slab.remove(0);
        assert_eq!((slab.len(), slab.insert('d'), slab.get(0)), (1, Some(0), Some(&'d')));
        assert_eq!(slab.get(NIL), None);
    }
}
