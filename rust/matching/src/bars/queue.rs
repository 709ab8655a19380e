//! The orders that wait for a bar, in the order in which they are tried.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{Bar, OrderId, OrderKind, Side, TimeInForce, TimeNs};

/// An order that waits for a bar, with what the bars so far have made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Waiting {
    /// The order as risk approved it.
    pub order: ApprovedOrder,
    /// Its kind with the price it has now.
    pub kind: OrderKind,
    /// Its size; `None` while it is a share of buying power.
    pub lots: Option<i64>,
    /// Whether no price has been shown to it yet: a limit that the first one is through takes.
    pub is_new: bool,
    /// Whether the bar under way has nothing left for it.
    pub is_done: bool,
    /// Trigger of a trailing stop once it is active.
    pub trail_ticks: Option<i64>,
    /// When it arrived: a bar that opened before does not fill it.
    pub arrived_ns: TimeNs,
    /// When its price was changed, or its size made larger.
    pub amended_ns: TimeNs,
    /// When its time is up; the end of time when it waits for as long as it takes.
    pub expire_ns: TimeNs,
    /// Whether its time was up before it met the bar that it is good for: it lives through the next one.
    pub is_owed_a_bar: bool,
}

impl Waiting {
    pub(super) fn new(order: ApprovedOrder) -> Self {
        // A bar shows no depth and no queue: what trades at once trades whole, and nothing need be hidden.
        let kind = match order.intent().kind {
            OrderKind::MarketToLimit => OrderKind::Market,
            OrderKind::Iceberg { price_ticks, .. } => OrderKind::Limit { price_ticks },
            kind => kind,
        };
        Self {
            kind,
            lots: order.lots(),
            is_new: true,
            is_done: false,
            trail_ticks: None,
            arrived_ns: TimeNs::MIN,
            amended_ns: TimeNs::MIN,
            expire_ns: order.intent().time_in_force.expire_ns().unwrap_or(TimeNs::MAX),
            is_owed_a_bar: false,
            order,
        }
    }

    pub(super) fn id(&self) -> OrderId {
        self.order.intent().order_id
    }

    pub(super) fn side(&self) -> Side {
        self.order.intent().side
    }

    pub(super) fn closes(&self) -> Option<OrderId> {
        self.order.intent().closes
    }

    /// Returns the price it gets in a bar when the price stood at `from_ticks` and then met it.
    ///
    /// A post-only limit was in the book when the price jumped over it: it trades at its own price, or at the
    /// nearest one that the bar had.
    pub(super) fn price_in(&self, from_ticks: i64, bar: &Bar) -> i64 {
        match self.kind {
            OrderKind::Limit { price_ticks } if self.order.intent().post_only => {
                price_ticks.min(bar.high_ticks).max(bar.low_ticks)
            }
            _ => self.price(from_ticks),
        }
    }

    /// Tells whether it is good for a session and no longer.
    pub(super) fn is_for_the_day(&self) -> bool {
        matches!(self.order.intent().time_in_force, TimeInForce::Day { .. })
    }

    /// Tells whether its time can be up at all.
    pub(super) fn is_timed(&self) -> bool {
        self.expire_ns != TimeNs::MAX
    }

    /// Tells whether it was there when a bar opened, and its time was not up.
    pub(super) fn was_there(&self, opened_ns: TimeNs) -> bool {
        self.arrived_ns <= opened_ns && (self.expire_ns > opened_ns || self.is_owed_a_bar)
    }

    /// Tells whether a bar can meet it: it was there at the open, as it is now.
    pub(super) fn is_in_time(&self, bar: &Bar) -> bool {
        self.was_there(bar.open_time_ns) && (self.amended_ns <= bar.open_time_ns || self.still_protects(bar))
    }

    /// Tells whether a bar that was under way when it was amended can meet it.
    ///
    /// Nothing proves that a price it now waits for came after the amendment, so what gains by that price (a
    /// limit, a touched order) waits for the next bar. A stop loses by it and goes on, but never at an open
    /// that was before the amendment. A stop-limit keeps its trigger.
    fn still_protects(&self, bar: &Bar) -> bool {
        match self.kind {
            OrderKind::Limit { .. } | OrderKind::MarketIfTouched { .. } => false,
            OrderKind::Stop { .. } => !self.is_met(bar.open_ticks),
            _ => true,
        }
    }

    /// Tells whether it may not wait beyond the next open.
    pub(super) fn is_immediate(&self) -> bool {
        matches!(self.kind, OrderKind::Limit { .. }) && self.ends_at_once()
    }

    /// Tells whether what is left of it ends once it was tried.
    pub(super) fn ends_at_once(&self) -> bool {
        !self.order.intent().time_in_force.may_wait()
    }

    /// Tells whether it trades whole or not at all.
    pub(super) fn is_all_or_nothing(&self) -> bool {
        self.order.intent().time_in_force == TimeInForce::Fok
    }

    /// Tells whether it waits to be woken; a plain stop is met like a limit instead.
    pub(super) fn is_dormant(&self) -> bool {
        self.kind.is_conditional() && !matches!(self.kind, OrderKind::Stop { .. })
    }

    /// Tells whether it fills at this price: at the open, or when the price gets there.
    pub(super) fn is_met(&self, ticks: i64) -> bool {
        match (self.kind, self.side()) {
            (OrderKind::Market, _) => true,
            (OrderKind::Limit { price_ticks }, Side::Buy) => ticks <= price_ticks,
            (OrderKind::Limit { price_ticks }, Side::Sell) => ticks >= price_ticks,
            (OrderKind::Stop { trigger_ticks }, Side::Buy) => ticks >= trigger_ticks,
            (OrderKind::Stop { trigger_ticks }, Side::Sell) => ticks <= trigger_ticks,
            _ => false,
        }
    }

    /// Returns the price it gets when the price stood at `from_ticks` and then met it.
    pub(super) fn price(&self, from_ticks: i64) -> i64 {
        match (self.kind, self.side()) {
            (OrderKind::Limit { price_ticks }, Side::Buy) => from_ticks.min(price_ticks),
            (OrderKind::Limit { price_ticks }, Side::Sell) => from_ticks.max(price_ticks),
            (OrderKind::Stop { trigger_ticks }, Side::Buy) => from_ticks.max(trigger_ticks),
            (OrderKind::Stop { trigger_ticks }, Side::Sell) => from_ticks.min(trigger_ticks),
            _ => from_ticks,
        }
    }
}

/// The waiting orders. What arrives during a pass is kept apart and joins at the next one, so that
/// places do not move while they are visited.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Queue {
    places: Vec<Option<Waiting>>,
    front: Vec<Waiting>,
    back: Vec<Waiting>,
    spare: Vec<Option<Waiting>>,
    live: usize,
    /// How many of them close a named entry.
    closing: usize,
    /// How many of them are dormant.
    dormant: usize,
    /// How many of them have a time that can be up.
    timed: usize,
}

impl Queue {
    pub(super) fn with_capacity(orders: usize) -> Self {
        Self {
            places: Vec::with_capacity(orders),
            front: Vec::with_capacity(orders),
            back: Vec::with_capacity(orders),
            spare: Vec::with_capacity(orders),
            live: 0,
            closing: 0,
            dormant: 0,
            timed: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Tells whether any order closes a named entry.
    pub(super) fn has_closing(&self) -> bool {
        self.closing > 0
    }

    /// Tells whether any order waits to be woken.
    pub(super) fn has_dormant(&self) -> bool {
        self.dormant > 0
    }

    /// Tells whether any order has a time that can be up.
    pub(super) fn has_timed(&self) -> bool {
        self.timed > 0
    }

    /// Adds an order: what closes a named entry goes to the front, take-profits and all others to the back.
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.count(&waiting);
        let is_limit = matches!(waiting.kind, OrderKind::Limit { .. });
        if waiting.closes().is_some() && !is_limit {
            self.front.push(waiting);
        } else {
            self.back.push(waiting);
        }
    }

    /// Lets what arrived join, newest first at the front; returns how many places a pass visits.
    pub(super) fn begin_pass(&mut self) -> usize {
        if !self.front.is_empty() || !self.back.is_empty() || self.places.len() != self.live {
            self.spare.clear();
            self.spare.extend(self.front.drain(..).rev().map(Some));
            self.spare.extend(self.places.drain(..).flatten().map(Some));
            self.spare.extend(self.back.drain(..).map(Some));
            std::mem::swap(&mut self.places, &mut self.spare);
        }
        self.places.len()
    }

    /// Returns the order at a place, unless it is gone or was not there when a bar opened.
    pub(super) fn in_time(&self, place: usize, bar: &Bar) -> Option<Waiting> {
        self.at(place).filter(|waiting| waiting.is_in_time(bar))
    }

    /// Returns the order at a place, unless it is gone.
    pub(super) fn at(&self, place: usize) -> Option<Waiting> {
        self.places.get(place).copied().flatten()
    }

    /// Puts the order at a place back as it is now.
    pub(super) fn set(&mut self, place: usize, waiting: Waiting) {
        if let Some(known) = self.places.get_mut(place).and_then(Option::as_mut) {
            self.dormant += usize::from(waiting.is_dormant());
            self.dormant -= usize::from(known.is_dormant());
            *known = waiting;
        }
    }

    /// Takes the order at a place out.
    pub(super) fn take(&mut self, place: usize) -> Option<Waiting> {
        let taken = self.places.get_mut(place)?.take()?;
        self.forget(&taken);
        Some(taken)
    }

    /// Puts what is left of an order back to the place it was taken from.
    pub(super) fn put_back(&mut self, place: usize, rest: Waiting) {
        if let Some(slot) = self.places.get_mut(place) {
            debug_assert!(slot.is_none(), "a place is taken once");
            *slot = Some(rest);
            self.count(&rest);
        }
    }

    /// Takes an order out by its number.
    pub(super) fn take_id(&mut self, order_id: OrderId) -> Option<Waiting> {
        self.begin_pass();
        let place = self.place_of(order_id)?;
        self.take(place)
    }

    /// Returns an order by its number, to be amended.
    pub(super) fn get_mut(&mut self, order_id: OrderId) -> Option<&mut Waiting> {
        self.iter_mut().find(|waiting| waiting.id() == order_id)
    }

    /// Puts an order that waits back as it is now.
    pub(super) fn replace(&mut self, waiting: Waiting) {
        if let Some(known) = self.get_mut(waiting.id()) {
            debug_assert_eq!(known.is_dormant(), waiting.is_dormant(), "an amendment changes no kind");
            *known = waiting;
        }
    }

    /// Tells whether an order still waits.
    pub(super) fn contains(&self, order_id: OrderId) -> bool {
        self.iter().any(|waiting| waiting.id() == order_id)
    }

    /// Visits all orders, whether they have joined or not.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.front.iter().rev().chain(self.places.iter().flatten()).chain(&self.back)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.front.iter_mut().rev().chain(self.places.iter_mut().flatten()).chain(&mut self.back)
    }

    /// Takes out the first order that a test names, wherever it is.
    pub(super) fn take_where(&mut self, mut test: impl FnMut(&Waiting) -> bool) -> Option<Waiting> {
        let found = if let Some(at) = self.front.iter().position(&mut test) {
            Some(self.front.remove(at))
        } else if let Some(place) = self.places.iter_mut().find(|place| place.as_ref().is_some_and(&mut test))
        {
            place.take()
        } else {
            self.back.iter().position(&mut test).map(|at| self.back.remove(at))
        }?;
        self.forget(&found);
        Some(found)
    }

    fn place_of(&self, order_id: OrderId) -> Option<usize> {
        self.places.iter().position(|place| place.is_some_and(|waiting| waiting.id() == order_id))
    }

    fn count(&mut self, added: &Waiting) {
        self.live += 1;
        self.closing += usize::from(added.closes().is_some());
        self.dormant += usize::from(added.is_dormant());
        self.timed += usize::from(added.is_timed());
    }

    fn forget(&mut self, taken: &Waiting) {
        self.live -= 1;
        self.closing -= usize::from(taken.closes().is_some());
        self.dormant -= usize::from(taken.is_dormant());
        self.timed -= usize::from(taken.is_timed());
    }
}
