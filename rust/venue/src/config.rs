//! What a simulated venue is made of.

use tradecore_matching::{
    BarFill, BarOrder, FeeSchedule, MarketRest, QueueModel, SelfTradePrevention, Slippage,
};
use tradecore_types::TimeNs;

use crate::{LatencySamples, VenueTraits};

/// What the simulated venue matches against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// Bars that are given as input: the coarsest, and the only one that needs no quotes.
    Bars,
    /// Quotes: what is behind the best price is not known.
    Quotes,
    /// An order book that is replayed, and proven right.
    Book,
    /// The order flow of a simulated exchange.
    Exchange,
}

impl Matching {
    /// Returns what a venue of this kind does and what it leaves to others.
    #[inline]
    #[must_use]
    pub const fn traits(self) -> VenueTraits {
        match self {
            Self::Bars => VenueTraits::BARS,
            Self::Quotes => VenueTraits::QUOTES,
            Self::Book => VenueTraits::BOOK,
            Self::Exchange => VenueTraits::EXCHANGE,
        }
    }
}

/// How the simulated venue behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueConfig {
    /// What orders are matched against.
    pub matching: Matching,
    /// Time from the engine to the venue, in nanoseconds.
    pub order_latency_ns: i64,
    /// Time from the venue to the engine, in nanoseconds.
    pub report_latency_ns: i64,
    /// Measured latencies in place of the two constant ones.
    pub latency_samples: Option<LatencySamples>,
    /// How positions in the queues of a book or a quote are followed.
    pub queue: QueueModel,
    /// What becomes of the rest of a market order for which a quote shows too little.
    pub market_rest: MarketRest,
    /// When market orders fill on bars.
    pub bar_fill: BarFill,
    /// In which order the orders of one bar are tried.
    pub bar_order: BarOrder,
    /// What the simulated exchange does when two orders of the account meet.
    pub self_trade: SelfTradePrevention,
    /// What fills against bars cost beyond the prices of the bars.
    pub bar_slippage: Slippage,
    /// Fees; those below the first tier when there are tiers.
    pub fees: FeeSchedule,
    /// Largest number of open orders per instrument.
    pub open_orders_max: usize,
}

impl VenueConfig {
    /// Returns when a request sent now reaches the venue.
    #[inline]
    #[must_use]
    pub fn at_venue_ns(&self, now_ns: TimeNs) -> TimeNs {
        let samples = self.latency_samples.as_ref();
        now_ns.saturating_add(samples.map_or(self.order_latency_ns, |samples| samples.order_ns(now_ns)))
    }

    /// Returns when a report made now reaches the engine.
    #[inline]
    #[must_use]
    pub fn at_engine_ns(&self, now_ns: TimeNs) -> TimeNs {
        let samples = self.latency_samples.as_ref();
        now_ns.saturating_add(samples.map_or(self.report_latency_ns, |samples| samples.report_ns(now_ns)))
    }
}
