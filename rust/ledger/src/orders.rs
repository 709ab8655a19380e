//! The store of open orders: every report goes through the life-cycle table, or changes nothing.

use std::collections::VecDeque;

use tradecore_types::{
    InstrumentId, OrderId, OrderIntent, OrderKind, Report, ReportBody, Size, StrategyId, TimeNs,
};

use crate::order_index::OrderIndex;
use crate::wire::Put;
use crate::working::{Counted, WorkingTable};
use crate::{Amending, ClosedOrder, OpenOrder, OrderError, OrderEvent, OrderState, Working, next};

/// Orders there is room for at the start; memory grows with the largest number that was ever open at once.
const OPEN_WARM: usize = 64;

/// What a report did to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition<'a> {
    /// The order after the report; when `after` is terminal it is no longer in the store.
    pub order: &'a OpenOrder,
    /// The state from which it came.
    pub before: OrderState,
    /// The state it is in now.
    pub after: OrderState,
}

/// What a report means for the orders that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It changed an open order.
    Applied(Transition<'a>),
    /// It answers a cancel or an amendment of an order that has ended: nothing changes.
    TooLate,
    /// The order has ended before: only a fill can still be news. Nothing is changed.
    Ended,
    /// It cannot be true of what is known. Nothing is changed.
    Surprise(OrderError),
}

impl<'a> Answer<'a> {
    /// Returns the change of an open order.
    #[must_use]
    pub const fn applied(self) -> Option<Transition<'a>> {
        match self {
            Self::Applied(update) => Some(update),
            _ => None,
        }
    }

    /// Returns why it cannot be true.
    #[must_use]
    pub const fn surprise(self) -> Option<OrderError> {
        match self {
            Self::Surprise(error) => Some(error),
            _ => None,
        }
    }
}

/// What a fill of all that is open means for an order of which an amendment under way asks for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fills {
    /// The order is over: its venue tells in order, so it has not amended it before the fill.
    EndAlways,
    /// The venue may have made it larger before the fill and tell so later: the order stays, with nothing open, until
    /// the last amendment is answered.
    LeaveAmended,
}

/// Open orders with their counters, and the newest closed ones.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Orders {
    /// Orders by place; one in a terminal state has left, and its place is free.
    slab: Vec<OpenOrder>,
    free: Vec<usize>,
    capacity: usize,
    index: OrderIndex,
    working: WorkingTable,
    closed: VecDeque<ClosedOrder>,
    closed_capacity: usize,
    closed_total: u64,
    last_id: OrderId,
    /// Open reduce-only orders that name no entry or trade at once.
    closing: usize,
}

/// What a report or a request makes of an order.
#[derive(Clone, Copy, Debug)]
struct Change {
    event: OrderEvent,
    what: What,
}

/// What changes of an order beside its state.
#[derive(Clone, Copy, Debug)]
enum What {
    /// Nothing but its state.
    State,
    /// It waited for a price and was set off.
    SetOff,
    /// It was set off and has this limit.
    SetOffAt(i64),
    /// These lots of it filled.
    Filled(i64),
    /// An amendment is asked for: all that are now.
    Asked(Amending),
    /// An amendment was refused.
    Answered,
    /// It was amended: its whole size and its price.
    Amended(i64, Option<i64>),
    /// Whole size and price changed, and no amendment was answered.
    Restated(i64, Option<i64>),
}

impl Orders {
    /// Makes an empty store for these numbers of strategies and instruments; at most `open_max`
    /// orders are open at once, and the last `closed_max` closed ones are remembered.
    #[must_use]
    pub fn new(strategies: usize, instruments: usize, open_max: usize, closed_max: usize) -> Self {
        Self {
            slab: Vec::with_capacity(open_max.min(OPEN_WARM)),
            free: Vec::with_capacity(open_max.min(OPEN_WARM)),
            capacity: open_max,
            index: OrderIndex::new(),
            working: WorkingTable::new(strategies, instruments),
            closed: VecDeque::with_capacity(closed_max),
            closed_capacity: closed_max,
            closed_total: 0,
            last_id: OrderId(0),
            closing: 0,
        }
    }

    /// Adds an order that is about to be sent, in state `PendingNew`.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when the store is full, the number is not above all before, an id is not in the
    /// tables or the working lots do not fit; nothing is changed.
    pub fn add(&mut self, intent: &OrderIntent) -> Result<(), OrderError> {
        let order_id = intent.order_id;
        if order_id <= self.last_id {
            return Err(OrderError::NumberUsed { order_id });
        }
        let lots = match intent.size {
            Size::Lots(lots) if lots <= 0 => return Err(OrderError::Lots { order_id, lots, open_lots: 0 }),
            Size::Lots(lots) => lots,
            Size::BuyingPowerPpm(_) => 0,
        };
        if self.index.len() >= self.capacity {
            return Err(OrderError::Full { capacity: self.capacity });
        }
        self.working.shift(intent, lots, Counted::In)?;
        self.closing += usize::from(is_closing(intent));
        let place = self.free.pop().unwrap_or(self.slab.len());
        match self.slab.get_mut(place) {
            // In its place, without a copy on the way.
            Some(cell) => *cell = OpenOrder::new(intent),
            None => self.slab.push(OpenOrder::new(intent)),
        }
        self.index.insert(order_id, place);
        self.last_id = order_id;
        Ok(())
    }

    /// Applies what a venue says that tells in order: what has filled whole is over.
    ///
    /// Terminal states absorb what comes after them, whoever sends it late: see [`Answer`].
    #[inline]
    pub fn apply(&mut self, report: &Report) -> Answer<'_> {
        self.apply_by(report, Fills::EndAlways)
    }

    /// Applies what a venue says, as its fills are to be read.
    #[inline]
    pub fn apply_by(&mut self, report: &Report, fills: Fills) -> Answer<'_> {
        let order_id = report.order_id;
        let found = self.index.get(order_id);
        let Some((place, order)) = found.and_then(|place| Some((place, self.slab.get(place)?))) else {
            return self.after_end(report);
        };
        match read(order, report, fills).and_then(|change| self.change(place, change, report.venue_time_ns)) {
            Ok(update) => Answer::Applied(update),
            Err(error) => Answer::Surprise(error),
        }
    }

    /// Returns what a report means that is about no open order.
    #[cold]
    fn after_end(&self, report: &Report) -> Answer<'static> {
        if report.order_id > self.last_id || report.order_id.0 == 0 {
            return Answer::Surprise(OrderError::NotOpen { order_id: report.order_id });
        }
        match report.body {
            ReportBody::CancelRejected(_) | ReportBody::ReplaceRejected(_) => Answer::TooLate,
            _ => Answer::Ended,
        }
    }

    /// Returns an order that has ended, while it is remembered.
    #[must_use]
    pub fn find_closed(&self, order_id: OrderId) -> Option<&ClosedOrder> {
        self.closed.iter().rev().find(|order| order.order_id == order_id)
    }

    /// Counts lots that filled of an order after its end; `false` when it is not remembered.
    pub fn fill_closed(&mut self, order_id: OrderId, lots: i64) -> bool {
        let found = self.closed.iter_mut().rev().find(|order| order.order_id == order_id);
        found.is_some_and(|order| {
            order.filled_lots = order.filled_lots.saturating_add(lots);
            true
        })
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
    ) -> Result<Transition<'_>, OrderError> {
        let (place, order) = self.find(order_id)?;
        let ours = [OrderEvent::CancelRequested, OrderEvent::OutcomeLost, OrderEvent::Expired];
        if !ours.contains(&event) {
            return Err(OrderError::Illegal { order_id, state: order.state, event });
        }
        self.change(place, Change { event, what: What::State }, time_ns)
    }

    /// Notes that we ask for an amendment to this price (none keeps it) and open size; it counts from now on.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when the order is not open, cannot be amended in its state or the working lots would
    /// not fit; nothing is changed.
    pub fn note_replace(
        &mut self,
        order_id: OrderId,
        price_ticks: Option<i64>,
        lots: i64,
        time_ns: TimeNs,
    ) -> Result<Transition<'_>, OrderError> {
        let (place, order) = self.find(order_id)?;
        let asked_ticks = price_ticks.or(order.price_ticks);
        let what = What::Asked(order.amending.asked(order.intent.side, asked_ticks, lots));
        self.change(place, Change { event: OrderEvent::ReplaceRequested, what }, time_ns)
    }

    /// Makes the open size that was asked for last no larger than this; what counts until it is answered stays.
    pub fn ask_at_most(&mut self, order_id: OrderId, lots: i64) {
        let place = self.index.get(order_id);
        if let Some(order) = place.and_then(|place| self.slab.get_mut(place)) {
            order.amending.last_lots = order.amending.last_lots.min(lots);
        }
    }

    /// Sets the size of an order that was a share of buying power, now that it is known.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when the order is not open, has a size already or the size is not above 0;
    /// nothing is changed.
    pub fn set_size(&mut self, order_id: OrderId, lots: i64) -> Result<(), OrderError> {
        let place = self.find(order_id)?.0;
        let Some(order) = self.slab.get_mut(place) else { return Err(OrderError::NotOpen { order_id }) };
        if lots <= 0 || order.lots.is_some() {
            return Err(OrderError::Lots { order_id, lots, open_lots: order.open_lots() });
        }
        self.working.shift(&order.intent, lots, Counted::Already)?;
        order.lots = Some(lots);
        Ok(())
    }

    /// Makes an open order one that may only close: it no longer counts as working.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when the order is not open; nothing is changed.
    pub fn bind(&mut self, order_id: OrderId) -> Result<(), OrderError> {
        let place = self.find(order_id)?.0;
        let Some(order) = self.slab.get_mut(place) else { return Err(OrderError::NotOpen { order_id }) };
        if !order.only_closes() {
            self.working.shift(&order.intent, -order.lots_at_stake(), Counted::Already)?;
            order.intent.reduce_only = true;
            self.closing += 1;
        }
        Ok(())
    }

    /// Returns an order that may still trade; `None` when no open order has this number.
    #[must_use]
    pub fn get(&self, order_id: OrderId) -> Option<&OpenOrder> {
        self.slab.get(self.index.get(order_id)?)
    }

    /// Visits all open orders in an order that depends on the history only.
    pub fn iter(&self) -> impl Iterator<Item = &OpenOrder> {
        self.slab.iter().filter(|order| !order.state.is_terminal())
    }

    /// Tells whether any open order may only close, and names no entry or trades at once.
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
        self.index.len() == 0
    }

    /// Returns what a strategy has working in an instrument.
    #[must_use]
    pub fn working(&self, strategy: StrategyId, instrument: InstrumentId) -> Working {
        self.working.of(strategy, instrument)
    }

    /// Returns what all strategies have working in an instrument.
    #[must_use]
    pub fn working_total(&self, instrument: InstrumentId) -> Working {
        self.working.total(instrument)
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
    #[inline]
    fn change(
        &mut self,
        place: usize,
        change: Change,
        time_ns: TimeNs,
    ) -> Result<Transition<'_>, OrderError> {
        let Some(order) = self.slab.get_mut(place) else {
            return Err(OrderError::Full { capacity: self.capacity });
        };
        let before = order.state;
        let illegal =
            OrderError::Illegal { order_id: order.intent.order_id, state: before, event: change.event };
        let after = match (before, change.event) {
            (OrderState::PendingCancel, OrderEvent::Accepted)
                if tradecore_types::is_planted("late_acknowledgement_undoes_a_cancel") =>
            {
                OrderState::New
            }
            (_, OrderEvent::OutcomeLost) if tradecore_types::is_planted("lost_outcome_ends_the_order") => {
                OrderState::Rejected
            }
            (OrderState::Unknown, OrderEvent::PartialFill)
                if tradecore_types::is_planted("part_fill_ends_a_doubt") =>
            {
                OrderState::Filled
            }
            _ => next(before, change.event).ok_or(illegal)?,
        };
        let (at_stake, has_ended) = (order.lots_at_stake(), after.is_terminal());
        let is_left_out = after == OrderState::Unknown && tradecore_types::is_planted("doubt_not_counted");
        let lots = if has_ended || is_left_out { 0 } else { change.what.lots_at_stake(order, at_stake) };
        if has_ended {
            self.working.shift(&order.intent, lots - at_stake, Counted::Out)?;
        } else if lots != at_stake {
            self.working.shift(&order.intent, lots - at_stake, Counted::Already)?;
        }
        change.what.apply(order);
        order.state = after;
        if has_ended {
            self.leave(place, time_ns);
        }
        match self.slab.get(place) {
            Some(order) => Ok(Transition { order, before, after }),
            None => Err(illegal),
        }
    }

    /// Takes an order that has ended out of the store and remembers it for a while.
    #[inline]
    fn leave(&mut self, place: usize, venue_time_ns: TimeNs) {
        let Some(order) = self.slab.get(place) else { return };
        self.index.remove(order.intent.order_id);
        self.free.push(place);
        self.closing -= usize::from(is_closing(&order.intent));
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
            closes: order.intent.closes,
            reduce_only: order.intent.reduce_only,
            state: order.state,
        });
    }

    /// Returns an open order with its place.
    fn find(&self, order_id: OrderId) -> Result<(usize, &OpenOrder), OrderError> {
        let place = self.index.get(order_id).ok_or(OrderError::NotOpen { order_id })?;
        self.slab.get(place).map(|order| (place, order)).ok_or(OrderError::NotOpen { order_id })
    }
}

/// Tells whether an order may only close, and is bound to the whole position or trades at once.
const fn is_closing(intent: &OrderIntent) -> bool {
    intent.is_bound_to_position() || intent.reduce_only && matches!(intent.kind, OrderKind::Market)
}

impl What {
    /// Returns the largest size of an order that may trade after it, which is `now` before it.
    #[inline]
    fn lots_at_stake(self, order: &OpenOrder, now: i64) -> i64 {
        match self {
            Self::State | Self::SetOff | Self::SetOffAt(_) => now,
            Self::Filled(lots) => {
                order.open_lots().saturating_sub(lots).max(order.amending.filled(lots).lots)
            }
            Self::Asked(amending) => order.open_lots().max(amending.lots),
            Self::Answered => order.open_lots().max(order.amending.answered().lots),
            Self::Amended(whole, _) => {
                whole.saturating_sub(order.filled_lots).max(order.amending.answered().lots)
            }
            Self::Restated(whole, _) => whole.saturating_sub(order.filled_lots).max(order.amending.lots),
        }
    }

    /// Does to the order what was read from the report.
    #[inline]
    fn apply(self, order: &mut OpenOrder) {
        match self {
            Self::State => {}
            Self::SetOff => order.is_set_off = true,
            Self::SetOffAt(price_ticks) => {
                order.is_set_off = true;
                order.price_ticks = Some(price_ticks);
            }
            Self::Filled(lots) => {
                order.filled_lots += lots;
                order.amending = order.amending.filled(lots);
            }
            Self::Asked(amending) => order.amending = amending,
            Self::Answered => order.amending = order.amending.answered(),
            Self::Amended(whole, price_ticks) => {
                order.lots = Some(whole);
                order.price_ticks = price_ticks;
                order.amending = order.amending.answered();
            }
            Self::Restated(whole, price_ticks) => {
                order.lots = Some(whole);
                order.price_ticks = price_ticks;
            }
        }
    }
}

/// Reads a report as an event of the table and the order as it says.
#[inline]
fn read(order: &OpenOrder, report: &Report, fills: Fills) -> Result<Change, OrderError> {
    use OrderEvent as E;
    let either = |event: OrderEvent| event.after_fills(order.filled_lots);
    let same = |event| Ok(Change { event, what: What::State });
    let order_id = order.intent.order_id;
    match report.body {
        ReportBody::Accepted => same(either(E::Accepted)),
        ReportBody::Rejected(_) if order.filled_lots > 0 => {
            Err(OrderError::Illegal { order_id, state: order.state, event: E::Rejected })
        }
        ReportBody::Rejected(_) => same(E::Rejected),
        ReportBody::Triggered => Ok(Change { event: E::Triggered, what: What::SetOff }),
        ReportBody::TriggeredAt { price_ticks } => {
            Ok(Change { event: E::Triggered, what: What::SetOffAt(price_ticks) })
        }
        ReportBody::Canceled(_) => same(E::Canceled),
        ReportBody::Expired => same(E::Expired),
        ReportBody::CancelRejected(_) => same(either(E::CancelRejected)),
        // What was asked for last stays known: those that depend on the order go on with it.
        ReportBody::ReplaceRejected(_) if order.is_over_but_for(1) => same(E::ReplaceRejectedWhole),
        ReportBody::ReplaceRejected(_) => {
            Ok(Change { event: either(E::ReplaceRejected), what: What::Answered })
        }
        ReportBody::Fill { lots, .. } => {
            let open_lots = order.open_lots();
            if lots <= 0 || (lots > open_lots && !tradecore_types::is_planted("overfill_taken_for_a_fill")) {
                return Err(OrderError::Lots { order_id, lots, open_lots });
            }
            let lots_before = match fills {
                Fills::EndAlways => open_lots,
                Fills::LeaveAmended => order.lots_at_stake(),
            };
            Ok(Change { event: E::of_fill(lots, lots_before), what: What::Filled(lots) })
        }
        ReportBody::Replaced { price_ticks, lots } | ReportBody::Restated { price_ticks, lots } => {
            let whole = order.filled_lots.checked_add(lots).filter(|_| lots > 0);
            let whole = whole.ok_or(OrderError::Lots { order_id, lots, open_lots: order.open_lots() })?;
            let states_price = order.price_ticks.is_some() || order.intent.kind == OrderKind::MarketToLimit;
            let price_ticks = price_ticks.or(order.price_ticks).filter(|_| states_price);
            if matches!(report.body, ReportBody::Restated { .. }) {
                return Ok(Change { event: E::Restated, what: What::Restated(whole, price_ticks) });
            }
            Ok(Change { event: either(E::Replaced), what: What::Amended(whole, price_ticks) })
        }
    }
}
