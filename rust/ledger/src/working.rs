//! Open orders and working lots, counted as they change.

use tradecore_types::{InstrumentId, OrderIntent, Side, StrategyId};

use crate::OrderError;

/// What works in the market: what risk adds to a position to know the worst case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Working {
    /// Orders that are open in any way, pending and unknown ones included.
    pub open_orders: u32,
    /// Lots still open on the buy side. Orders that can only close are not in it.
    pub buy_lots: i64,
    /// Lots still open on the sell side. Orders that can only close are not in it.
    pub sell_lots: i64,
}

impl Working {
    /// Returns the lots of a side with some more, or `None` when they do not fit.
    const fn lots_with(&self, side: Side, lots: i64) -> Option<i64> {
        match side {
            Side::Buy => self.buy_lots.checked_add(lots),
            Side::Sell => self.sell_lots.checked_add(lots),
        }
    }

    /// Sets the lots of a side and counts an order in or out.
    const fn set(&mut self, side: Side, lots: i64, counted: Counted) {
        match side {
            Side::Buy => self.buy_lots = lots,
            Side::Sell => self.sell_lots = lots,
        }
        self.open_orders = match counted {
            Counted::In => self.open_orders.saturating_add(1),
            Counted::Already => self.open_orders,
            Counted::Out => self.open_orders.saturating_sub(1),
        };
    }
}

/// What a change of lots means for the number of open orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// The order is new.
    In,
    /// It is open and stays so.
    Already,
    /// It has ended.
    Out,
}

/// The counters of every (strategy, instrument) pair and of every instrument.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
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

    /// Adds lots to both counters of an order and counts it in or out, or does nothing.
    ///
    /// # Errors
    ///
    /// [`OrderError`] when an id is not in the tables or the lots do not fit.
    #[inline]
    pub(crate) fn shift(
        &mut self,
        intent: &OrderIntent,
        lots: i64,
        counted: Counted,
    ) -> Result<(), OrderError> {
        let outside = OrderError::OutOfTable { order_id: intent.order_id };
        let slot = self.slot(intent.strategy, intent.instrument).ok_or(outside)?;
        let of_slot = self.by_slot.get_mut(slot).ok_or(outside)?;
        let of_instrument = self.by_instrument.get_mut(intent.instrument.index()).ok_or(outside)?;
        // What can only close is no part of the worst case.
        let lots = if intent.is_bound() { 0 } else { lots };
        let (own, all) = (of_slot.lots_with(intent.side, lots), of_instrument.lots_with(intent.side, lots));
        let (Some(own), Some(all)) = (own, all) else {
            return Err(OrderError::Uncountable { order_id: intent.order_id, lots });
        };
        of_slot.set(intent.side, own, counted);
        of_instrument.set(intent.side, all, counted);
        Ok(())
    }

    fn slot(&self, strategy: StrategyId, instrument: InstrumentId) -> Option<usize> {
        if instrument.index() >= self.instruments {
            return None;
        }
        strategy.index().checked_mul(self.instruments)?.checked_add(instrument.index())
    }
}
