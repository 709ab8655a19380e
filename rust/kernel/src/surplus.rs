//! What an order that may only close has opened all the same: it is closed again until nothing is left of it.

use tradecore_ledger::OpenOrder;
use tradecore_types::{InstrumentId, OrderId, OrderKind, StrategyId};

use crate::{Kernel, KernelError};

/// A position that nobody wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Surplus {
    pub(crate) strategy: StrategyId,
    pub(crate) instrument: InstrumentId,
    /// Order that opened it.
    pub(crate) opener: OrderId,
}

impl Surplus {
    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.strategy.0.to_le_bytes());
        out.extend_from_slice(&self.instrument.0.to_le_bytes());
        out.extend_from_slice(&self.opener.0.to_le_bytes());
    }
}

impl Kernel {
    /// Closes what a fill has just opened (signed lots), and remembers it until nothing is left.
    pub(crate) fn take_back(&mut self, surplus: Surplus, lots: i64) -> Result<(), KernelError> {
        if !self.surpluses.contains(&surplus) {
            self.surpluses.push(surplus);
        }
        self.close_lots(surplus.strategy, surplus.instrument, lots, Some(surplus.opener))
    }

    /// The market of an instrument has moved: closes again what is left of every surplus there.
    ///
    /// Too little depth, or none, can leave some of it; one market order of a strategy is under way at a time.
    pub(crate) fn go_on_taking_back(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        let mut next = 0;
        while let Some(surplus) = self.surpluses.get(next).copied() {
            let Surplus { strategy, opener, .. } = surplus;
            let lots = self.ledger.lots_of_entry(strategy, instrument, opener);
            if surplus.instrument != instrument || self.is_closing_now(strategy, instrument) {
                next += 1;
            } else if lots == 0 {
                self.surpluses.remove(next);
            } else {
                self.close_lots(strategy, instrument, lots, Some(opener))?;
                next += 1;
            }
        }
        Ok(())
    }

    /// Tells whether an order that closes at once is on its way for a strategy.
    pub(crate) fn is_closing_now(&self, strategy: StrategyId, instrument: InstrumentId) -> bool {
        self.orders.iter().map(|order| &order.intent).any(|intent| {
            (intent.strategy, intent.instrument) == (strategy, instrument)
                && intent.reduce_only
                && intent.kind == OrderKind::Market
                && !self.groups.is_held(intent.order_id)
        })
    }

    /// Tells whether an order closes a surplus.
    pub(crate) fn takes_back(&self, order: &OpenOrder) -> bool {
        let closes = order.intent.closes;
        closes.is_some() && self.surpluses.iter().any(|surplus| Some(surplus.opener) == closes)
    }
}
