//! Where an open order is kept, by its number.

use tradecore_types::OrderId;

/// Cells at the start; doubled whenever half of them are taken.
const CELLS: usize = 64;

/// A number that is in use and its place; number 0 marks a free cell, for no order has it.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Cell {
    order_id: u64,
    place: usize,
}

/// A table from numbers to places for numbers that rise from order to order.
///
/// A number belongs to the cell of its last bits, so that neighbours in time are neighbours in memory: looking
/// for an order that was sent a moment ago touches no memory that is not warm. A general hash map scatters them.
///
/// **Invariant:** between a number's own cell and the cell that holds it no cell is free.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct OrderIndex {
    cells: Vec<Cell>,
    len: usize,
}

impl OrderIndex {
    /// Makes an empty table.
    pub(crate) fn new() -> Self {
        Self { cells: vec![Cell::default(); CELLS], len: 0 }
    }

    /// Returns how many numbers there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Returns the place of a number.
    pub(crate) fn get(&self, order_id: OrderId) -> Option<usize> {
        self.find(order_id).and_then(|at| self.cells.get(at)).map(|cell| cell.place)
    }

    /// Adds a number that is not in the table; 0 is not taken.
    pub(crate) fn insert(&mut self, order_id: OrderId, place: usize) {
        debug_assert!(order_id.0 != 0 && self.find(order_id).is_none());
        if self.len * 2 >= self.cells.len() {
            self.grow();
        }
        self.put(Cell { order_id: order_id.0, place });
        self.len += 1;
    }

    /// Takes a number out and returns its place.
    pub(crate) fn remove(&mut self, order_id: OrderId) -> Option<usize> {
        let mut free = self.find(order_id)?;
        let place = self.cells.get(free)?.place;
        self.len -= 1;
        // What stands behind the free cell and may stand in it moves up, so that nobody has to step over it.
        let mut at = self.after(free);
        while let Some(&cell) = self.cells.get(at).filter(|cell| cell.order_id != 0) {
            if self.distance(self.home(cell.order_id), at) >= self.distance(free, at) {
                self.set(free, cell);
                free = at;
            }
            at = self.after(at);
        }
        self.set(free, Cell::default());
        Some(place)
    }

    /// Returns the cell of a number.
    fn find(&self, order_id: OrderId) -> Option<usize> {
        let mut at = self.home(order_id.0);
        loop {
            match self.cells.get(at)?.order_id {
                0 => return None,
                found if found == order_id.0 => return Some(at),
                _ => at = self.after(at),
            }
        }
    }

    fn put(&mut self, cell: Cell) {
        let mut at = self.home(cell.order_id);
        while self.cells.get(at).is_some_and(|taken| taken.order_id != 0) {
            at = self.after(at);
        }
        self.set(at, cell);
    }

    fn grow(&mut self) {
        let cells = vec![Cell::default(); self.cells.len() * 2];
        for cell in std::mem::replace(&mut self.cells, cells) {
            if cell.order_id != 0 {
                self.put(cell);
            }
        }
    }

    fn set(&mut self, at: usize, cell: Cell) {
        if let Some(known) = self.cells.get_mut(at) {
            *known = cell;
        }
    }

    /// Returns the cell a number would have alone.
    fn home(&self, order_id: u64) -> usize {
        // The number of cells is a power of two: the last bits of any integer are an index.
        usize::try_from(order_id & u64::try_from(self.mask()).unwrap_or(0)).unwrap_or(0)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & self.mask()
    }

    /// Returns how many steps forward it is from one cell to another, around the end.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & self.mask()
    }

    fn mask(&self) -> usize {
        self.cells.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Numbers that come and go are found exactly where a sorted map has them, however they collide.
        #[test]
        fn it_knows_what_a_map_knows(
            steps in prop::collection::vec((1..40u64, prop::option::of(0..200usize)), 1..400),
        ) {
            let (mut index, mut map, mut last) = (OrderIndex::new(), BTreeMap::new(), 0);
            for (step, removed) in steps {
                let known = removed.and_then(|nth| map.keys().nth(nth % map.len().max(1)).copied());
                if let Some(id) = known {
                    prop_assert_eq!(index.remove(OrderId(id)), map.remove(&id));
                } else {
                    last += step;
                    index.insert(OrderId(last), map.len());
                    map.insert(last, map.len());
                }
                prop_assert_eq!(index.len(), map.len());
                for id in 1..=last {
                    prop_assert_eq!(index.get(OrderId(id)), map.get(&id).copied());
                }
                prop_assert_eq!(index.remove(OrderId(last + 1)), None);
            }
        }
    }
}
