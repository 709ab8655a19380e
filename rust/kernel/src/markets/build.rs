//! Builds the parts of a kernel from its configuration.

use tradecore_book::{InstrumentBook, SyncCapacity};
use tradecore_risk::InstrumentChecks;
use tradecore_types::{Instrument, InstrumentId, ValueError};
use tradecore_venue::SimulatedVenue;

use crate::markets::market::{Book, Market, SeriesOf, Subscribers};
use crate::{InstrumentConfig, KernelConfig};

/// Builds the market of one instrument.
pub(crate) fn build_market(
    id: InstrumentId,
    config: &InstrumentConfig,
    kernel: &KernelConfig,
) -> Result<Market, ValueError> {
    let instrument = Instrument::new(id, config.spec.clone())?
        .in_currencies(config.currencies)
        .with_positions(kernel.positions_of(config.currencies.account))
        .with_hedged_margin(kernel.hedged_margin_of(config.currencies.account));
    let of_account = kernel.venue_of(config.currencies.account);
    let venue = if kernel.destination.is_outside() {
        SimulatedVenue::only_watching(&instrument, &config.sessions, of_account)
    } else {
        SimulatedVenue::new(&instrument, &config.sessions, of_account)
    };
    let book = if venue.traits().publishes_book {
        Book::Published(Box::default())
    } else {
        Book::Synced(Box::new(InstrumentBook::new(config.book, SyncCapacity::default())))
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
        checks: InstrumentChecks::new(config.limits),
        subscribers: Subscribers::default(),
        series: SeriesOf::default(),
    })
}
