//! Open orders and working lots, counted as they change.

use tradecore_types::{InstrumentId, Side, StrategyId};

use crate::{OpenOrder, OrderError};

/// What works in the market: what risk adds to a position to know the worst case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Working {
    /// Orders that are open in any way, pending and unknown ones included.
    pub open_orders: u32,
    /// Lots still open on the buy side. Orders that can only close are not in it.
    pub buy_lots: i64,
    /// Lots still open on the sell side. Orders that can only close are not in it.
    pub sell_lots: i64,
}

impl Working {
    /// Counts an order in or out.
    pub(crate) fn count(&mut self, opened: bool) {
        self.open_orders =
            if opened { self.open_orders.saturating_add(1) } else { self.open_orders.saturating_sub(1) };
    }

    /// Adds signed lots to one side, or returns `None` when they do not fit.
    pub(crate) fn with_lots(self, side: Side, lots: i64) -> Option<Self> {
        Some(match side {
            Side::Buy => Self { buy_lots: self.buy_lots.checked_add(lots)?, ..self },
            Side::Sell => Self { sell_lots: self.sell_lots.checked_add(lots)?, ..self },
        })
    }
}

/// The counters of every (strategy, instrument) pair and of every instrument.
#[derive(Clone, Debug)]
pub(crate) struct WorkingTable {
    instruments: usize,
    by_slot: Vec<Working>,
    by_instrument: Vec<Working>,
}

impl WorkingTable {
    /// Makes the counters, all zero.
    pub(crate) fn new(strategies: usize, instruments: usize) -> Self {
        Self {
            instruments,
            by_slot: vec![Working::default(); strategies.saturating_mul(instruments)],
            by_instrument: vec![Working::default(); instruments],
        }
    }

    /// Returns what a strategy has working in an instrument.
    pub(crate) fn of(&self, strategy: StrategyId, instrument: InstrumentId) -> Working {
        self.slot(strategy, instrument).and_then(|slot| self.by_slot.get(slot)).copied().unwrap_or_default()
    }

    /// Returns what all strategies have working in an instrument.
    pub(crate) fn total(&self, instrument: InstrumentId) -> Working {
        self.by_instrument.get(instrument.index()).copied().unwrap_or_default()
    }

    /// Adds lots to both counters of an order, or to none.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when an id is not in the tables or the lots do not fit.
    pub(crate) fn shift(&mut self, order: &OpenOrder, lots: i64) -> Result<(), OrderError> {
        let intent = &order.intent;
        let outside = OrderError::OutOfTable { order_id: intent.order_id };
        let slot = self.slot(intent.strategy, intent.instrument).ok_or(outside)?;
        let of_slot = self.by_slot.get_mut(slot).ok_or(outside)?;
        let of_instrument = self.by_instrument.get_mut(intent.instrument.index()).ok_or(outside)?;
        let lots = if order.only_closes() { 0 } else { lots };
        let too_many = OrderError::Lots { order_id: intent.order_id, lots, open_lots: order.open_lots() };
        let after = of_slot.with_lots(intent.side, lots).ok_or(too_many)?;
        *of_instrument = of_instrument.with_lots(intent.side, lots).ok_or(too_many)?;
        *of_slot = after;
        Ok(())
    }

    /// Counts an order in or out.
    pub(crate) fn count(&mut self, order: &OpenOrder, opened: bool) {
        let (strategy, instrument) = (order.intent.strategy, order.intent.instrument);
        if let Some(of_slot) = self.slot(strategy, instrument).and_then(|slot| self.by_slot.get_mut(slot)) {
            of_slot.count(opened);
        }
        if let Some(of_instrument) = self.by_instrument.get_mut(instrument.index()) {
            of_instrument.count(opened);
        }
    }

    fn slot(&self, strategy: StrategyId, instrument: InstrumentId) -> Option<usize> {
        if instrument.index() >= self.instruments {
            return None;
        }
        strategy.index().checked_mul(self.instruments)?.checked_add(instrument.index())
    }
}
