//! Why the kernel stops and asks a strategy.

use tradecore_types::{
    Bar, CashFlow, InstrumentId, Liquidation, OrderId, Quote, Report, ReportBody, Side, StrategyId, TimeNs,
    Trade,
};

/// One reason to call one strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// Time of the engine at which it was queued, in UTC nanoseconds.
    pub time_ns: TimeNs,
    /// The strategy that is to be called.
    pub strategy: StrategyId,
    /// Instrument it is about; of no meaning for a timer.
    pub instrument: InstrumentId,
    /// What happened, which decides the callback.
    pub body: WakeBody,
}

/// What a strategy is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeBody {
    /// A bar of a series closed.
    Bar {
        /// Index of the series of bars in the table of the kernel.
        series: usize,
        /// The bar that has closed.
        bar: Bar,
    },
    /// Best bid or ask changed.
    Quote(Quote),
    /// The book changed and is valid.
    Book,
    /// Others traded with each other.
    Trade(Trade),
    /// One of the strategy's orders changed.
    Order(OrderUpdate),
    /// Money came or went without a fill.
    CashFlow(CashFlow),
    /// A trade of one of the strategy's orders was told anew: it was corrected or busted.
    Revision {
        /// Which one: `Kernel::revision` has it until the strategy was called.
        number: u64,
    },
    /// The venue closes a position by force; the fill follows.
    Liquidation(Liquidation),
    /// The time came for which the strategy had set a timer.
    Timer {
        /// The strategy's own number for it.
        timer_id: u64,
    },
}

/// What a report did to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderUpdate {
    /// Number of the order that it is about.
    pub order_id: OrderId,
    /// Whether the order buys or sells.
    pub side: Side,
    /// Lots still open after the report.
    pub open_lots: i64,
    /// What the venue said of it.
    pub report: Report,
}

/// What a strategy wants to be told about its own orders: what nobody listens to is no wake-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Hearing {
    /// Its fills.
    pub(crate) fills: bool,
    /// Everything else.
    pub(crate) changes: bool,
}

impl Hearing {
    /// Tells whether a report is worth a wake-up.
    pub(crate) const fn is_about(self, report: &Report) -> bool {
        match report.body {
            ReportBody::Fill { .. } => self.fills,
            _ => self.changes,
        }
    }
}
