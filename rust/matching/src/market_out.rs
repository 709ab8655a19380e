//! What a simulated exchange says: reports to us, trades and levels to everybody.

use tradecore_types::{Level, OrderId, Report, ReportBody, Side, TimeNs, Trade};

use crate::mandate::report;

/// What the exchange tells everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MarketOut {
    /// A trade; one for every resting order that was hit.
    Trade(Trade),
    /// The new size of a price level; 0 when it is gone.
    Level {
        /// Side of the book: a buy is among the bids, a sell among the asks.
        side: Side,
        /// Price and size, own orders included.
        level: Level,
    },
}

/// Where the exchange writes what one input causes.
pub(crate) struct Tape<'a> {
    pub now_ns: TimeNs,
    pub reports: &'a mut Vec<Report>,
    pub market: &'a mut Vec<MarketOut>,
}

impl Tape<'_> {
    /// Tells us what happened to an order of ours.
    pub fn tell(&mut self, order_id: OrderId, body: ReportBody) {
        self.reports.push(report(order_id, self.now_ns, body));
    }
}
