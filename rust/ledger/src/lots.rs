//! Open lots in one arena: in the order in which fills close them, and findable by the order that opened them.

use std::collections::hash_map::Entry as MapEntry;

use rustc_hash::FxHashMap;
use tradecore_types::{LotMethod, OrderId, TimeNs};

use crate::wire::Put;

/// Index that stands for "none".
pub(crate) const NONE: usize = usize::MAX;

/// What one fill opened and nobody has closed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OpenLot {
    /// Number of the order that opened it: its exits name it.
    pub entry_order: OrderId,
    /// Venue time of the entry.
    pub entry_time_ns: TimeNs,
    /// Price at which it was opened, in ticks.
    pub entry_ticks: i64,
    /// What is left of it: above 0 is long, below 0 short.
    pub lots: i64,
    /// Value at entry of what is left, in money units; 0 where the cost is that of the position alone (average).
    pub(crate) value: i128,
    /// Entry fee of what is left, in money units.
    pub(crate) fee: i128,
    prev: usize,
    pub(crate) next: usize,
    /// Next lot of the same entry order.
    pub(crate) next_of_entry: usize,
}

impl OpenLot {
    /// Makes a lot that is in no list yet.
    pub(crate) fn new(entry_order: OrderId, entry_time_ns: TimeNs, entry_ticks: i64, lots: i64) -> Self {
        Self {
            entry_order,
            entry_time_ns,
            entry_ticks,
            lots,
            value: 0,
            fee: 0,
            prev: NONE,
            next: NONE,
            next_of_entry: NONE,
        }
    }

    /// Sets value and fee at entry, in money units.
    pub(crate) fn with_cost(self, value: i128, fee: i128) -> Self {
        Self { value, fee, ..self }
    }
}

/// First and last lot of one position: the first one is closed first.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Queue {
    pub(crate) head: usize,
    tail: usize,
    slot: usize,
}

impl Queue {
    /// Makes the empty queue of a position.
    pub(crate) const fn new(slot: usize) -> Self {
        Self { head: NONE, tail: NONE, slot }
    }
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Entry {
    head: usize,
    tail: usize,
    lots: i64,
}

/// The arena.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Lots {
    arena: Vec<OpenLot>,
    free: Vec<usize>,
    /// By position and entry order: a strategy cannot name what another one holds.
    entries: FxHashMap<(usize, OrderId), Entry>,
    method: LotMethod,
}

impl Lots {
    /// Makes an empty arena with room for `capacity` open lots before it grows.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut entries = FxHashMap::default();
        entries.reserve(capacity);
        let method = LotMethod::Fifo;
        Self { arena: Vec::with_capacity(capacity), free: Vec::with_capacity(capacity), entries, method }
    }

    /// Takes another method. To be called before the first lot.
    pub(crate) fn close_by(&mut self, method: LotMethod) {
        debug_assert!(self.arena.is_empty());
        self.method = method;
    }

    /// Tells whether lots have no cost of their own.
    #[inline]
    pub(crate) fn is_average(&self) -> bool {
        self.method == LotMethod::Average
    }

    /// Returns a lot.
    pub(crate) fn get(&self, index: usize) -> Option<&OpenLot> {
        self.arena.get(index)
    }

    /// Returns the open lot of an entry order in a position that is closed first, or [`NONE`].
    pub(crate) fn first_of_entry(&self, slot: usize, entry: OrderId) -> usize {
        self.entries.get(&(slot, entry)).map_or(NONE, |found| found.head)
    }

    /// Returns what is left of an entry order in a position, signed; 0 when all of it is closed.
    pub(crate) fn lots_of_entry(&self, slot: usize, entry: OrderId) -> i64 {
        self.entries.get(&(slot, entry)).map_or(0, |found| found.lots)
    }

    /// Adds the newest lot to a position; what it cost is left out where it has no cost of its own.
    pub(crate) fn push(&mut self, queue: &mut Queue, mut lot: OpenLot) {
        match self.method {
            LotMethod::Fifo => {}
            LotMethod::Lifo => return self.push_first(queue, lot),
            LotMethod::Average => lot.value = 0,
        }
        let slot = queue.slot;
        let lot = OpenLot { prev: queue.tail, next: NONE, next_of_entry: NONE, ..lot };
        let index = self.store(lot);
        match self.arena.get_mut(queue.tail) {
            Some(last) => last.next = index,
            None => queue.head = index,
        }
        queue.tail = index;
        let entry = self.entries.entry((slot, lot.entry_order)).or_insert(Entry {
            head: index,
            tail: index,
            lots: 0,
        });
        if entry.tail != index {
            if let Some(last) = self.arena.get_mut(entry.tail) {
                last.next_of_entry = index;
            }
            entry.tail = index;
        }
        entry.lots += lot.lots;
    }

    /// Adds a lot to a position that is closed before the others.
    #[cold]
    fn push_first(&mut self, queue: &mut Queue, lot: OpenLot) {
        let key = (queue.slot, lot.entry_order);
        let next_of_entry = self.entries.get(&key).map_or(NONE, |entry| entry.head);
        let index = self.store(OpenLot { prev: NONE, next: queue.head, next_of_entry, ..lot });
        match self.arena.get_mut(queue.head) {
            Some(first) => first.prev = index,
            None => queue.tail = index,
        }
        queue.head = index;
        let entry = self.entries.entry(key).or_insert(Entry { head: index, tail: index, lots: 0 });
        entry.head = index;
        entry.lots += lot.lots;
    }

    /// Takes signed lots with their value and fee from a lot; an emptied lot leaves its lists. Returns what is
    /// left of its entry order, signed.
    ///
    /// The lot must be the first one of its entry order.
    pub(crate) fn take(&mut self, queue: &mut Queue, index: usize, lots: i64, value: i128, fee: i128) -> i64 {
        let Some(lot) = self.arena.get_mut(index) else { return 0 };
        lot.lots -= lots;
        if self.method != LotMethod::Average {
            lot.value -= value;
        }
        lot.fee -= fee;
        let (is_empty, next_of_entry) = (lot.lots == 0, lot.next_of_entry);
        let (before, after, key) = (lot.prev, lot.next, (queue.slot, lot.entry_order));
        let left = self.lessen_entry(key, lots, is_empty.then_some(next_of_entry));
        if is_empty {
            self.unlink(queue, index, before, after);
        }
        left
    }

    /// Takes signed lots with their value and fee from whatever lot, as [`Lots::take`] does from the first one of its
    /// entry order.
    #[cold]
    pub(crate) fn cut_from(&mut self, queue: &mut Queue, index: usize, lots: i64, value: i128, fee: i128) {
        let Some(&lot) = self.arena.get(index) else { return };
        let key = (queue.slot, lot.entry_order);
        let before = self.before_in_entry(key, index);
        let (true, Some(before)) = (lot.lots == lots, before) else {
            self.take(queue, index, lots, value, fee);
            return;
        };
        if let Some(place) = self.arena.get_mut(before) {
            place.next_of_entry = lot.next_of_entry;
        }
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.lots -= lots;
            if entry.tail == index {
                entry.tail = before;
            }
        }
        self.unlink(queue, index, lot.prev, lot.next);
    }

    /// Returns the lot before another one of its entry order; `None` for the first one.
    fn before_in_entry(&self, key: (usize, OrderId), index: usize) -> Option<usize> {
        let mut at = self.entries.get(&key).map(|entry| entry.head).filter(|head| *head != index)?;
        loop {
            let next = self.arena.get(at)?.next_of_entry;
            if next == index {
                return Some(at);
            }
            at = next;
        }
    }

    /// Gives a lot of which nothing is closed another size, signed as before, price, value and fee.
    #[cold]
    pub(crate) fn correct(
        &mut self,
        queue: Queue,
        index: usize,
        lots: i64,
        entry_ticks: i64,
        value: i128,
        fee: i128,
    ) {
        let Some(lot) = self.arena.get_mut(index) else { return };
        let more = lots - lot.lots;
        *lot = OpenLot { entry_ticks, lots, value, fee, ..*lot };
        if let Some(entry) = self.entries.get_mut(&(queue.slot, lot.entry_order)) {
            entry.lots += more;
        }
    }

    /// Lessens what is left of an entry order by so many lots, whose first lot is `head` from now on when that changed;
    /// returns what is left.
    fn lessen_entry(&mut self, key: (usize, OrderId), lots: i64, head: Option<usize>) -> i64 {
        if let MapEntry::Occupied(mut found) = self.entries.entry(key) {
            let entry = found.get_mut();
            entry.lots -= lots;
            entry.head = head.unwrap_or(entry.head);
            if entry.head != NONE {
                return entry.lots;
            }
            found.remove();
        }
        0
    }

    /// Visits the lots of a position, oldest first.
    pub(crate) fn iter(&self, queue: Queue) -> impl Iterator<Item = &OpenLot> {
        let is_newest_first = self.method == LotMethod::Lifo;
        let oldest = if is_newest_first { queue.tail } else { queue.head };
        let newer = move |lot: &OpenLot| if is_newest_first { lot.prev } else { lot.next };
        std::iter::successors(self.arena.get(oldest), move |lot| self.arena.get(newer(lot)))
    }

    /// Visits the lots of an entry order from one of them on, in the order in which fills close them.
    pub(crate) fn of_entry<'a>(&'a self, first: &'a OpenLot) -> impl Iterator<Item = &'a OpenLot> {
        std::iter::successors(Some(first), |lot| self.arena.get(lot.next_of_entry))
    }

    /// Appends the lots of a position.
    pub(crate) fn write_state(&self, queue: Queue, out: &mut Vec<u8>) {
        for lot in self.iter(queue) {
            lot.entry_order.0.put(out);
            lot.entry_time_ns.put(out);
            lot.entry_ticks.put(out);
            lot.lots.put(out);
            lot.value.put(out);
            lot.fee.put(out);
        }
        u64::MAX.put(out);
    }

    fn store(&mut self, lot: OpenLot) -> usize {
        if let Some(index) = self.free.pop()
            && let Some(place) = self.arena.get_mut(index)
        {
            *place = lot;
            return index;
        }
        self.arena.push(lot);
        self.arena.len() - 1
    }

    fn unlink(&mut self, queue: &mut Queue, index: usize, before: usize, after: usize) {
        match self.arena.get_mut(before) {
            Some(lot) => lot.next = after,
            None => queue.head = after,
        }
        match self.arena.get_mut(after) {
            Some(lot) => lot.prev = before,
            None => queue.tail = before,
        }
        self.free.push(index);
    }
}
