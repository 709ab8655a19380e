//! Whose an order is, and the ledger's view of what it fills.

use tradecore_ledger::{ClosedOrder, FillInput};
use tradecore_types::{InstrumentId, OrderId, OrderIntent, Report, ReportBody, Side, StrategyId};

/// Whose an order is and what it does to a position, be it open or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Owner {
    pub(crate) strategy: StrategyId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) closes: Option<OrderId>,
}

impl Owner {
    /// Reads an order that is open.
    #[inline]
    pub(crate) const fn of(intent: &OrderIntent) -> Self {
        let OrderIntent { strategy, instrument, side, closes, .. } = *intent;
        Self { strategy, instrument, side, closes }
    }

    /// Reads an order that has ended.
    pub(crate) const fn of_closed(order: &ClosedOrder) -> Self {
        let ClosedOrder { strategy, instrument, side, closes, .. } = *order;
        Self { strategy, instrument, side, closes }
    }

    /// Returns the ledger's view of a fill; `None` when the report is none.
    #[inline]
    pub(crate) const fn fill(self, report: &Report) -> Option<FillInput> {
        let ReportBody::Fill { price_ticks, lots, fee, fee_currency, .. } = report.body else { return None };
        let Self { strategy, instrument, side, closes } = self;
        Some(FillInput {
            order_id: report.order_id,
            strategy,
            instrument,
            side,
            price_ticks,
            lots,
            fee,
            fee_currency,
            venue_time_ns: report.venue_time_ns,
            closes,
        })
    }
}
