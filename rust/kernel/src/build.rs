//! Builds the parts of a kernel from its configuration.

use tradecore_book::{InstrumentBook, SyncCapacity};
use tradecore_matching::{BarMatcher, BarRules, DepthMatcher, ExchangeMatcher};
use tradecore_risk::Gate;
use tradecore_types::{Instrument, InstrumentId, ValueError};

use crate::market::{Book, Market, SeriesOf, Subscribers, Venue};
use crate::{InstrumentConfig, Matching, VenueConfig};

/// Orders of agents that fit a simulated exchange before memory grows.
const FLOW_ORDERS: usize = 1 << 14;

/// Builds the market of one instrument.
pub(crate) fn build_market(
    id: InstrumentId,
    config: &InstrumentConfig,
    venue: &VenueConfig,
) -> Result<Market, ValueError> {
    let instrument = Instrument::new(id, config.spec.clone())?;
    let book = match venue.matching {
        Matching::Exchange => Book::Published(Box::default()),
        _ => Book::Synced(Box::new(InstrumentBook::new(config.book, SyncCapacity::default()))),
    };
    let capacity = venue.open_orders_max;
    let depth = |is_frozen| {
        let matcher = DepthMatcher::new(instrument.clone(), venue.fees, capacity).with_queue(venue.queue);
        // A book shows what comes after its best price.
        let mut matcher = if is_frozen { matcher } else { matcher.with_market_rest(venue.market_rest) };
        matcher.set_frozen(is_frozen);
        Box::new(matcher)
    };
    let venue = match venue.matching {
        Matching::Bars => {
            let rules = BarRules {
                fill: venue.bar_fill,
                order: venue.bar_order,
                orders_max: capacity,
                slippage: venue.bar_slippage,
            };
            let sessions = config.sessions.clone();
            Venue::Bars(Box::new(BarMatcher::new(instrument.clone(), venue.fees, rules, sessions)))
        }
        Matching::Quotes => Venue::Quotes(depth(false)),
        // Nothing fills before the book is proven right.
        Matching::Book => Venue::Book(depth(true)),
        Matching::Exchange => {
            let mut matcher =
                Box::new(ExchangeMatcher::new(instrument.clone(), venue.fees, FLOW_ORDERS, capacity));
            matcher.set_self_trade(venue.self_trade);
            Venue::Exchange(matcher)
        }
    };
    Ok(Market {
        instrument,
        sessions: config.sessions.clone(),
        book,
        book_time_ns: 0,
        is_book_watched: false,
        quote: None,
        last_bar: None,
        has_traded: false,
        reference: None,
        is_marked: false,
        venue,
        gate: Gate::new(config.limits),
        subscribers: Subscribers::default(),
        series: SeriesOf::default(),
    })
}
