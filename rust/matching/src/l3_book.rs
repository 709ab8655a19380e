//! An order-by-order book with price-time priority: the matching core of the simulated exchange.

use tradecore_book::Depth;
use tradecore_types::{Level, Side};

use crate::SelfTradePrevention;
use crate::level_list::LevelList;
use crate::mandate::reaches;
use crate::resting::{Node, Resting};
use crate::slab::{NIL, Slab};
use crate::state::{put, put_id};

/// What happened in the book while an order took liquidity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookEvent {
    /// A resting order traded, in whole or in part.
    Traded {
        /// Key of the resting order.
        key: u64,
        /// Its price in ticks, which is that of the trade.
        price_ticks: i64,
        /// How many lots were traded.
        lots: i64,
        /// What it still rests with, shown or not; 0 when it is gone.
        left_lots: i64,
    },
    /// A resting order was taken out because it must not trade with the taker.
    Removed {
        /// Key of the resting order.
        key: u64,
    },
    /// A resting order and the taker both became smaller instead of trading with each other.
    Decremented {
        /// Key of the resting order.
        key: u64,
        /// By how many lots it is smaller now.
        lots: i64,
        /// Price of the resting order.
        price_ticks: i64,
        /// What it still rests with, shown or not; 0 when it is gone.
        left_lots: i64,
    },
    /// The rest of the taker must not go on.
    Stopped,
    /// The taker is done with a level, which now has this size; 0 when it is gone.
    Level(Level),
}

/// Why an order cannot rest; the book is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestError {
    /// There is no room for another order.
    Full,
    /// An order with this key rests already.
    Duplicate,
    /// The size is not above 0, or the level would not fit 64 bits of lots.
    Size,
    /// No order with this key rests.
    Unknown,
}

/// An order that waits in the book, as others and we ourselves see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L3Order {
    /// Side of the book: a buy is among the bids, a sell among the asks.
    pub side: Side,
    /// The price at which it trades, in ticks.
    pub price_ticks: i64,
    /// The lots that others see.
    pub lots: i64,
    /// The lots behind those, which are shown as those trade.
    pub hidden_lots: i64,
}

/// What an iceberg hides behind the part it shows.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Reserve {
    key: u64,
    display_lots: i64,
    hidden_lots: i64,
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Queue {
    side: Side,
    price_ticks: i64,
    lots: i64,
    head: u32,
    tail: u32,
}

/// An order book of single orders.
///
/// An iceberg shows a part of its size; when that part is gone the next one joins the end of the queue at
/// its price.
///
/// **Invariant:** a level's size is the sum of what its orders show and above 0; within a level the oldest
/// order trades first; nothing allocates after construction but the list of icebergs, once.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct L3Book {
    resting: Resting,
    queues: Slab<Queue>,
    bids: LevelList,
    asks: LevelList,
    /// Icebergs by arrival; they are few.
    reserves: Vec<Reserve>,
}

impl L3Book {
    /// Makes an empty book with room for `capacity` resting orders.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            resting: Resting::with_capacity(capacity),
            queues: Slab::with_capacity(capacity),
            bids: LevelList::with_capacity(Side::Buy, capacity),
            asks: LevelList::with_capacity(Side::Sell, capacity),
            reserves: Vec::new(),
        }
    }

    /// Takes what an arriving limit order can trade with and lets the rest wait under `key`.
    ///
    /// Returns the lots that wait.
    ///
    /// # Errors
    ///
    /// [`RestError`]; `Size` and `Duplicate` leave the book unchanged, `Full` and a level that grows too
    /// large mean that what could trade has traded and the rest is dropped.
    pub fn limit(
        &mut self,
        key: u64,
        side: Side,
        price_ticks: i64,
        lots: i64,
        each: impl FnMut(BookEvent),
    ) -> Result<i64, RestError> {
        if lots <= 0 {
            return Err(RestError::Size);
        }
        if self.reaches_best(side, price_ticks) {
            if self.resting.find(key).is_some() {
                return Err(RestError::Duplicate);
            }
            let left = self.take(side, Some(price_ticks), lots, |_| None, each);
            return if left > 0 { self.rest(key, side, price_ticks, left).map(|()| left) } else { Ok(0) };
        }
        self.rest(key, side, price_ticks, lots).map(|()| lots)
    }

    /// Trades up to `lots` against the other side, best price first, oldest order first, and returns what
    /// is left. What happens instead of a trade with an order that must not trade with this one is what
    /// `conflict` says of it.
    pub fn take(
        &mut self,
        side: Side,
        limit: Option<i64>,
        lots: i64,
        conflict: impl Fn(u64) -> Option<SelfTradePrevention>,
        mut each: impl FnMut(BookEvent),
    ) -> i64 {
        let (mut wanted, mut is_stopped) = (lots, false);
        while wanted > 0 && !is_stopped {
            let Some((price_ticks, place)) = self.list(side.opposite()).best() else { break };
            if limit.is_some_and(|limit_ticks| !reaches(side, limit_ticks, price_ticks)) {
                break;
            }
            let Some(queue) = self.queues.get_mut(place) else { break };
            while wanted > 0 && !is_stopped {
                let Some(node) = self.resting.get_mut(queue.head) else { break };
                let key = node.key;
                let part = node.lots.min(wanted);
                let hidden = |reserves: &[Reserve]| hidden_of(reserves, key);
                match conflict(key) {
                    None => {
                        wanted -= part;
                        queue.lots -= part;
                        node.lots -= part;
                        let left_lots = node.lots + hidden(&self.reserves);
                        each(BookEvent::Traded { key, price_ticks, lots: part, left_lots });
                    }
                    Some(SelfTradePrevention::Decrement) => {
                        wanted -= part;
                        queue.lots -= part;
                        node.lots -= part;
                        let left_lots = node.lots + hidden(&self.reserves);
                        each(BookEvent::Decremented { key, lots: part, price_ticks, left_lots });
                    }
                    Some(SelfTradePrevention::CancelNewest) => is_stopped = true,
                    Some(mode @ (SelfTradePrevention::CancelOldest | SelfTradePrevention::CancelBoth)) => {
                        queue.lots -= node.lots;
                        node.lots = 0;
                        forget(&mut self.reserves, key);
                        each(BookEvent::Removed { key });
                        is_stopped = mode == SelfTradePrevention::CancelBoth;
                    }
                }
                if node.lots == 0 {
                    let gone = queue.head;
                    queue.head = node.next;
                    if let Some(head) = self.resting.get_mut(queue.head) {
                        head.previous = NIL;
                    }
                    if self.reserves.is_empty()
                        || !show_more(&mut self.reserves, &mut self.resting, queue, gone)
                    {
                        self.resting.remove(gone);
                    }
                }
            }
            let left_lots = queue.lots;
            each(BookEvent::Level(Level { price_ticks, lots: left_lots }));
            if left_lots == 0 {
                self.queues.remove(place);
                self.list_mut(side.opposite()).pop();
            }
        }
        if is_stopped {
            each(BookEvent::Stopped);
        }
        wanted
    }

    /// Puts an iceberg behind the others of its price: it shows at most `display_lots` of its size.
    ///
    /// # Errors
    ///
    /// [`RestError`] when it cannot rest; the book is unchanged.
    pub fn rest_iceberg(
        &mut self,
        key: u64,
        side: Side,
        price_ticks: i64,
        lots: i64,
        display_lots: i64,
    ) -> Result<(), RestError> {
        let shown = lots.min(display_lots);
        self.rest(key, side, price_ticks, shown)?;
        self.reserves.push(Reserve { key, display_lots, hidden_lots: lots - shown });
        Ok(())
    }

    /// Returns the largest part that an iceberg shows; `None` for any other order.
    #[must_use]
    pub fn display_lots(&self, key: u64) -> Option<i64> {
        self.reserves.iter().find(|reserve| reserve.key == key).map(|reserve| reserve.display_lots)
    }

    /// Puts an order behind the others of its price. The caller has made it trade first, so that the
    /// book is never crossed.
    ///
    /// # Errors
    ///
    /// [`RestError`] when it cannot rest; the book is unchanged.
    pub fn rest(&mut self, key: u64, side: Side, price_ticks: i64, lots: i64) -> Result<(), RestError> {
        debug_assert!(!self.reaches_best(side, price_ticks), "the book would be crossed");
        if lots <= 0 {
            return Err(RestError::Size);
        }
        if self.resting.is_full() {
            return Err(RestError::Full);
        }
        if self.resting.find(key).is_some() {
            return Err(RestError::Duplicate);
        }
        let list = if side == Side::Buy { &mut self.bids } else { &mut self.asks };
        match list.find(price_ticks) {
            Ok(level) => {
                let queue = self.queues.get_mut(level).ok_or(RestError::Full)?;
                let sum = queue.lots.checked_add(lots).ok_or(RestError::Size)?;
                let place =
                    self.resting.insert(Node::last(key, lots, queue.tail, level)).ok_or(RestError::Full)?;
                if let Some(tail) = self.resting.get_mut(queue.tail) {
                    tail.next = place;
                }
                queue.tail = place;
                queue.lots = sum;
            }
            Err(index) => {
                let queue = Queue { side, price_ticks, lots, head: NIL, tail: NIL };
                let level = self.queues.insert(queue).ok_or(RestError::Full)?;
                let place = self.resting.insert(Node::last(key, lots, NIL, level)).ok_or(RestError::Full)?;
                if let Some(queue) = self.queues.get_mut(level) {
                    queue.head = place;
                    queue.tail = place;
                }
                list.insert(index, price_ticks, level);
            }
        }
        Ok(())
    }

    /// Takes a resting order out and returns what it was.
    pub fn cancel(&mut self, key: u64) -> Option<L3Order> {
        let place = self.resting.find(key)?;
        let node = *self.resting.get(place)?;
        self.resting.remove(place);
        if let Some(previous) = self.resting.get_mut(node.previous) {
            previous.next = node.next;
        }
        if let Some(next) = self.resting.get_mut(node.next) {
            next.previous = node.previous;
        }
        let queue = self.queues.get_mut(node.level)?;
        queue.lots -= node.lots;
        if queue.head == place {
            queue.head = node.next;
        }
        if queue.tail == place {
            queue.tail = node.previous;
        }
        let Queue { side, price_ticks, .. } = *queue;
        if queue.head == NIL {
            self.queues.remove(node.level);
            self.list_mut(side).remove(price_ticks);
        }
        let hidden_lots = hidden_of(&self.reserves, key);
        forget(&mut self.reserves, key);
        Some(L3Order { side, price_ticks, lots: node.lots, hidden_lots })
    }

    /// Makes a resting order smaller; it keeps its place, and what it hides falls first. `false` when it is
    /// not known or not larger.
    pub fn reduce(&mut self, key: u64, lots: i64) -> bool {
        let Some(node) = self.resting.find(key).and_then(|place| self.resting.get_mut(place)) else {
            return false;
        };
        if lots <= 0 || lots > node.lots.saturating_add(hidden_of(&self.reserves, key)) {
            return false;
        }
        let shown = lots.min(node.lots);
        if let Some(queue) = self.queues.get_mut(node.level) {
            queue.lots -= node.lots - shown;
        }
        node.lots = shown;
        if let Some(reserve) = self.reserves.iter_mut().find(|reserve| reserve.key == key) {
            reserve.hidden_lots = lots - shown;
        }
        true
    }

    /// Changes price and size of a resting order and returns the lots that wait now.
    ///
    /// It keeps its place when only its size falls; else it leaves and arrives anew, and may trade.
    ///
    /// # Errors
    ///
    /// [`RestError::Unknown`] when it does not rest, [`RestError::Size`] when the size is not above 0 or the
    /// level would not fit 64 bits of lots; the book is unchanged.
    pub fn replace(
        &mut self,
        key: u64,
        price_ticks: i64,
        lots: i64,
        each: impl FnMut(BookEvent),
    ) -> Result<i64, RestError> {
        let order = self.order(key).ok_or(RestError::Unknown)?;
        if lots <= 0 || self.lots_at(order.side, price_ticks).checked_add(lots).is_none() {
            return Err(RestError::Size);
        }
        if price_ticks == order.price_ticks && self.reduce(key, lots) {
            return Ok(lots);
        }
        self.cancel(key);
        self.limit(key, order.side, price_ticks, lots, each)
    }

    /// Returns an order that rests, with what it hides; `None` when no such order does.
    #[must_use]
    pub fn order(&self, key: u64) -> Option<L3Order> {
        let node = self.resting.find(key).and_then(|place| self.resting.get(place))?;
        let queue = self.queues.get(node.level)?;
        let hidden_lots = hidden_of(&self.reserves, key);
        Some(L3Order { side: queue.side, price_ticks: queue.price_ticks, lots: node.lots, hidden_lots })
    }

    /// Returns the lots that trade before a resting order at its price; it counts order by order.
    #[must_use]
    pub fn ahead_lots(&self, key: u64) -> Option<i64> {
        let mut node = self.resting.find(key).and_then(|place| self.resting.get(place))?;
        let mut sum = 0i64;
        while let Some(previous) = self.resting.get(node.previous) {
            sum += previous.lots;
            node = previous;
        }
        Some(sum)
    }

    /// Counts the orders that rest, ours and those of agents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.resting.len()
    }

    /// Tells whether nobody rests here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts the price levels of one side.
    #[must_use]
    pub fn level_count(&self, side: Side) -> usize {
        self.list(side).len()
    }

    /// Visits the resting orders of one side in price-time priority: `(key, price_ticks, lots)`.
    pub fn orders(&self, side: Side) -> impl Iterator<Item = (u64, i64, i64)> + '_ {
        self.list(side).places().filter_map(|place| self.queues.get(place)).flat_map(|queue| {
            let head = self.resting.get(queue.head);
            std::iter::successors(head, |node| self.resting.get(node.next))
                .map(|node| (node.key, queue.price_ticks, node.lots))
        })
    }

    /// Appends the canonical bytes: every order of both sides in price-time priority.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        put(out, i64::try_from(self.len()).unwrap_or(i64::MAX));
        for side in [Side::Buy, Side::Sell] {
            for (key, price_ticks, lots) in self.orders(side) {
                put(out, side.sign());
                put_id(out, key);
                put(out, price_ticks);
                put(out, lots);
            }
        }
        for reserve in &self.reserves {
            put_id(out, reserve.key);
            put(out, reserve.display_lots);
            put(out, reserve.hidden_lots);
        }
    }

    /// Tells whether an order with this limit would trade on arrival.
    #[inline]
    fn reaches_best(&self, side: Side, limit_ticks: i64) -> bool {
        self.list(side.opposite()).best().is_some_and(|(best, _)| reaches(side, limit_ticks, best))
    }

    const fn list(&self, side: Side) -> &LevelList {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    const fn list_mut(&mut self, side: Side) -> &mut LevelList {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    fn level_at(&self, place: u32) -> Option<Level> {
        self.queues.get(place).map(|queue| Level { price_ticks: queue.price_ticks, lots: queue.lots })
    }
}

/// Returns what an order hides.
fn hidden_of(reserves: &[Reserve], key: u64) -> i64 {
    reserves.iter().find(|reserve| reserve.key == key).map_or(0, |reserve| reserve.hidden_lots)
}

/// Forgets what an order hides.
fn forget(reserves: &mut Vec<Reserve>, key: u64) {
    reserves.retain(|reserve| reserve.key != key);
}

/// Lets an order whose shown part is gone join the end of its queue with the next part; `false` when it
/// hides nothing, and then it is forgotten.
fn show_more(reserves: &mut Vec<Reserve>, resting: &mut Resting, queue: &mut Queue, place: u32) -> bool {
    let Some(key) = resting.get(place).map(|node| node.key) else { return false };
    let Some(reserve) = reserves.iter_mut().find(|reserve| reserve.key == key) else { return false };
    let part = reserve.hidden_lots.min(reserve.display_lots);
    reserve.hidden_lots -= part;
    if part == 0 {
        forget(reserves, key);
        return false;
    }
    let is_alone = queue.head == NIL;
    let tail = if is_alone { NIL } else { queue.tail };
    if let Some(node) = resting.get_mut(place) {
        (node.lots, node.previous, node.next) = (part, tail, NIL);
    }
    if let Some(last) = resting.get_mut(tail) {
        last.next = place;
    }
    if is_alone {
        queue.head = place;
    }
    queue.tail = place;
    queue.lots += part;
    true
}

impl Depth for L3Book {
    fn best_bid(&self) -> Option<Level> {
        self.bids.best().and_then(|(_, place)| self.level_at(place))
    }

    fn best_ask(&self) -> Option<Level> {
        self.asks.best().and_then(|(_, place)| self.level_at(place))
    }

    fn lots_at(&self, side: Side, price_ticks: i64) -> i64 {
        let place = self.list(side).find(price_ticks).ok();
        place.and_then(|place| self.level_at(place)).map_or(0, |level| level.lots)
    }

    fn walk(&self, side: Side, visit: &mut dyn FnMut(Level) -> bool) {
        for level in self.list(side).places().filter_map(|place| self.level_at(place)) {
            if !visit(level) {
                return;
            }
        }
    }
}
