//! The store of open orders: every report goes through the life-cycle table, or changes nothing.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use tradecore_types::{InstrumentId, OrderId, OrderIntent, Report, ReportBody, StrategyId, TimeNs};

use crate::wire::Put;
use crate::{ClosedOrder, OpenOrder, OrderError, OrderEvent, OrderState, Working, next};

/// What a report did to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderUpdate {
    /// The order after the report; when `after` is terminal it is no longer in the store.
    pub order: OpenOrder,
    /// State before.
    pub before: OrderState,
    /// State after.
    pub after: OrderState,
}

/// Open orders with their counters, and the newest closed ones.
#[derive(Clone, Debug)]
pub struct Orders {
    slab: Vec<Option<OpenOrder>>,
    free: Vec<usize>,
    index: FxHashMap<OrderId, usize>,
    instruments: usize,
    by_slot: Vec<Working>,
    by_instrument: Vec<Working>,
    closed: VecDeque<ClosedOrder>,
    closed_capacity: usize,
    closed_total: u64,
    last_id: OrderId,
    /// Places above it were never used.
    places_used: usize,
    /// Open reduce-only orders that name no entry.
    closing: usize,
}

impl Orders {
    /// Makes an empty store for these numbers of strategies and instruments; at most `open_max`
    /// orders are open at once, and the last `closed_max` closed ones are remembered.
    #[must_use]
    pub fn new(strategies: usize, instruments: usize, open_max: usize, closed_max: usize) -> Self {
        let mut index = FxHashMap::default();
        index.reserve(open_max);
        Self {
            slab: vec![None; open_max],
            free: (0..open_max).rev().collect(),
            index,
            instruments,
            by_slot: vec![Working::default(); strategies.saturating_mul(instruments)],
            by_instrument: vec![Working::default(); instruments],
            closed: VecDeque::with_capacity(closed_max),
            closed_capacity: closed_max,
            closed_total: 0,
            last_id: OrderId(0),
            places_used: 0,
            closing: 0,
        }
    }

    /// Adds an order that is about to be sent, in state `PendingNew`.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when the store is full, the number is not above all before, an id is not in the
    /// tables or the working lots do not fit; nothing is changed.
    pub fn add(&mut self, intent: OrderIntent) -> Result<(), OrderError> {
        let order_id = intent.order_id;
        if order_id <= self.last_id {
            return Err(OrderError::NumberUsed { order_id });
        }
        let order = OpenOrder::new(intent);
        if order.lots.is_some_and(|lots| lots <= 0) {
            return Err(OrderError::Lots { order_id, lots: order.open_lots(), open_lots: 0 });
        }
        let place = *self.free.last().ok_or(OrderError::Full { capacity: self.slab.len() })?;
        self.shift_working(&order, order.open_lots())?;
        self.free.pop();
        self.count(&order, true);
        if let Some(cell) = self.slab.get_mut(place) {
            *cell = Some(order);
        }
        self.places_used = self.places_used.max(place + 1);
        self.index.insert(order_id, place);
        self.last_id = order_id;
        Ok(())
    }

    /// Applies what a venue says.
    ///
    /// The answer to a cancel or an amendment that came after the order's end is `Ok(None)`:
    /// terminal states absorb it.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when the order is not open, the report cannot be true in its state or more would
    /// be filled than was ordered; nothing is changed.
    pub fn apply(&mut self, report: &Report) -> Result<Option<OrderUpdate>, OrderError> {
        let order_id = report.order_id;
        let Some(order) = self.get(order_id).copied() else {
            return self.too_late(report).then_some(None).ok_or(OrderError::NotOpen { order_id });
        };
        let (event, changed) = read(&order, report)?;
        self.change(&order, changed, event, report.venue_time_ns).map(Some)
    }

    /// Notes that we ask for a cancel, or that the outcome of a request is lost.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when the order is not open or the event cannot happen in its state; nothing is changed.
    pub fn note(
        &mut self,
        order_id: OrderId,
        event: OrderEvent,
        time_ns: TimeNs,
    ) -> Result<OrderUpdate, OrderError> {
        let order = *self.get(order_id).ok_or(OrderError::NotOpen { order_id })?;
        let ours = [OrderEvent::CancelRequested, OrderEvent::OutcomeLost, OrderEvent::Expired];
        if !ours.contains(&event) {
            return Err(OrderError::Illegal { order_id, state: order.state, event });
        }
        self.change(&order, order, event, time_ns)
    }

    /// Notes that we ask for an amendment to this price and open size; it counts from now on.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when the order is not open, cannot be amended in its state or the working lots would
    /// not fit; nothing is changed.
    pub fn note_replace(
        &mut self,
        order_id: OrderId,
        price_ticks: i64,
        lots: i64,
        time_ns: TimeNs,
    ) -> Result<OrderUpdate, OrderError> {
        let order = *self.get(order_id).ok_or(OrderError::NotOpen { order_id })?;
        let amending = order.amending.asked(order.intent.side, price_ticks, lots);
        self.change(&order, OpenOrder { amending, ..order }, OrderEvent::ReplaceRequested, time_ns)
    }

    /// Sets the size of an order that was a share of equity, now that it is known.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when the order is not open, has a size already or the size is not above 0;
    /// nothing is changed.
    pub fn set_size(&mut self, order_id: OrderId, lots: i64) -> Result<(), OrderError> {
        let order = *self.get(order_id).ok_or(OrderError::NotOpen { order_id })?;
        if lots <= 0 || order.lots.is_some() {
            return Err(OrderError::Lots { order_id, lots, open_lots: order.open_lots() });
        }
        self.shift_working(&order, lots)?;
        self.put(OpenOrder { lots: Some(lots), ..order });
        Ok(())
    }

    /// Returns an open order.
    #[must_use]
    pub fn get(&self, order_id: OrderId) -> Option<&OpenOrder> {
        self.slab.get(*self.index.get(&order_id)?)?.as_ref()
    }

    /// Visits all open orders in an order that depends on the history only.
    pub fn iter(&self) -> impl Iterator<Item = &OpenOrder> {
        self.slab.iter().take(self.places_used).flatten()
    }

    /// Tells whether any open order may only close and names no entry.
    #[must_use]
    pub fn has_closing(&self) -> bool {
        self.closing > 0
    }

    /// Returns how many orders are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Tells whether no order is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Returns what a strategy has working in an instrument.
    #[must_use]
    pub fn working(&self, strategy: StrategyId, instrument: InstrumentId) -> Working {
        self.slot(strategy, instrument).and_then(|slot| self.by_slot.get(slot)).copied().unwrap_or_default()
    }

    /// Returns what all strategies have working in an instrument.
    #[must_use]
    pub fn working_total(&self, instrument: InstrumentId) -> Working {
        self.by_instrument.get(instrument.index()).copied().unwrap_or_default()
    }

    /// Visits the newest closed orders, oldest of them first.
    pub fn closed(&self) -> impl Iterator<Item = &ClosedOrder> {
        self.closed.iter()
    }

    /// Returns how many orders have ended since the start.
    #[must_use]
    pub fn closed_total(&self) -> u64 {
        self.closed_total
    }

    /// Appends the open orders by number, and how many are closed.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        let mut open: Vec<&OpenOrder> = self.iter().collect();
        open.sort_unstable_by_key(|order| order.intent.order_id);
        open.len().put(out);
        for order in open {
            order.write_state(out);
        }
        self.closed_total.put(out);
        self.last_id.0.put(out);
    }

    /// Takes one change through the table, then through the counters, then into the store.
    fn change(
        &mut self,
        before: &OpenOrder,
        changed: OpenOrder,
        event: OrderEvent,
        time_ns: TimeNs,
    ) -> Result<OrderUpdate, OrderError> {
        let order_id = before.intent.order_id;
        let illegal = OrderError::Illegal { order_id, state: before.state, event };
        let state = next(before.state, event).ok_or(illegal)?;
        let order = OpenOrder { state, ..changed };
        let lots = if state.is_terminal() { 0 } else { order.lots_at_stake() };
        self.shift_working(before, lots - before.lots_at_stake())?;
        if state.is_terminal() {
            self.remove(&order, time_ns);
        } else {
            self.put(order);
        }
        Ok(OrderUpdate { order, before: before.state, after: state })
    }

    fn put(&mut self, order: OpenOrder) {
        let place = self.index.get(&order.intent.order_id).copied();
        if let Some(cell) = place.and_then(|place| self.slab.get_mut(place)) {
            *cell = Some(order);
        }
    }

    fn remove(&mut self, order: &OpenOrder, venue_time_ns: TimeNs) {
        let Some(place) = self.index.remove(&order.intent.order_id) else { return };
        if let Some(cell) = self.slab.get_mut(place) {
            *cell = None;
        }
        self.free.push(place);
        self.count(order, false);
        self.closed_total += 1;
        if self.closed_capacity == 0 {
            return;
        }
        if self.closed.len() == self.closed_capacity {
            self.closed.pop_front();
        }
        self.closed.push_back(ClosedOrder {
            order_id: order.intent.order_id,
            venue_time_ns,
            lots: order.lots.unwrap_or(0),
            filled_lots: order.filled_lots,
            instrument: order.intent.instrument,
            strategy: order.intent.strategy,
            side: order.intent.side,
            state: order.state,
        });
    }

    fn slot(&self, strategy: StrategyId, instrument: InstrumentId) -> Option<usize> {
        if instrument.index() >= self.instruments {
            return None;
        }
        strategy.index().checked_mul(self.instruments)?.checked_add(instrument.index())
    }

    /// Adds lots to both counters of an order, or to none.
    fn shift_working(&mut self, order: &OpenOrder, lots: i64) -> Result<(), OrderError> {
        let order_id = order.intent.order_id;
        let outside = OrderError::OutOfTable { order_id };
        let OrderIntent { strategy, instrument, side, .. } = order.intent;
        let slot = self.slot(strategy, instrument).ok_or(outside)?;
        let of_slot = self.by_slot.get_mut(slot).ok_or(outside)?;
        let of_instrument = self.by_instrument.get_mut(instrument.index()).ok_or(outside)?;
        let lots = if order.only_closes() { 0 } else { lots };
        let too_many = OrderError::Lots { order_id, lots, open_lots: order.open_lots() };
        let after = of_slot.with_lots(side, lots).ok_or(too_many)?;
        *of_instrument = of_instrument.with_lots(side, lots).ok_or(too_many)?;
        *of_slot = after;
        Ok(())
    }

    fn count(&mut self, order: &OpenOrder, opened: bool) {
        let OrderIntent { strategy, instrument, .. } = order.intent;
        if order.intent.reduce_only && order.intent.closes.is_none() {
            self.closing = if opened { self.closing + 1 } else { self.closing.saturating_sub(1) };
        }
        if let Some(of_slot) = self.slot(strategy, instrument).and_then(|slot| self.by_slot.get_mut(slot)) {
            of_slot.count(opened);
        }
        if let Some(of_instrument) = self.by_instrument.get_mut(instrument.index()) {
            of_instrument.count(opened);
        }
    }

    /// Tells whether a report answers a request about an order that has ended.
    fn too_late(&self, report: &Report) -> bool {
        let answers = matches!(report.body, ReportBody::CancelRejected(_) | ReportBody::ReplaceRejected(_));
        answers && report.order_id <= self.last_id
    }
}

/// Reads a report as an event of the table and the order as it says.
fn read(order: &OpenOrder, report: &Report) -> Result<(OrderEvent, OpenOrder), OrderError> {
    use OrderEvent as E;
    let either = |unfilled, partly| if order.filled_lots > 0 { partly } else { unfilled };
    let same = |event| Ok((event, *order));
    let order_id = order.intent.order_id;
    match report.body {
        ReportBody::Accepted => same(either(E::Accepted, E::AcceptedPartly)),
        ReportBody::Rejected(_) if order.filled_lots > 0 => {
            Err(OrderError::Illegal { order_id, state: order.state, event: E::Rejected })
        }
        ReportBody::Rejected(_) => same(E::Rejected),
        ReportBody::Triggered => same(E::Triggered),
        ReportBody::Canceled(_) => same(E::Canceled),
        ReportBody::CancelRejected(_) => same(either(E::CancelRejected, E::CancelRejectedPartly)),
        ReportBody::ReplaceRejected(_) => {
            let event = either(E::ReplaceRejected, E::ReplaceRejectedPartly);
            Ok((event, OpenOrder { amending: order.amending.answered(), ..*order }))
        }
        ReportBody::Fill { lots, .. } => {
            let open_lots = order.open_lots();
            if lots <= 0 || lots > open_lots {
                return Err(OrderError::Lots { order_id, lots, open_lots });
            }
            let event = if lots == open_lots { E::Fill } else { E::PartialFill };
            Ok((event, OpenOrder { filled_lots: order.filled_lots + lots, ..*order }))
        }
        ReportBody::Replaced { price_ticks, lots } => {
            let whole = order.filled_lots.checked_add(lots).filter(|_| lots > 0);
            let whole = whole.ok_or(OrderError::Lots { order_id, lots, open_lots: order.open_lots() })?;
            let price_ticks = order.price_ticks.map(|_| price_ticks);
            let event = either(E::Replaced, E::ReplacedPartly);
            let amending = order.amending.answered();
            Ok((event, OpenOrder { lots: Some(whole), price_ticks, amending, ..*order }))
        }
    }
}
