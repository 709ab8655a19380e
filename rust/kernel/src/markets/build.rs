//! Builds the parts of a kernel from its configuration.

use tradecore_book::{InstrumentBook, SyncCapacity};
use tradecore_risk::InstrumentChecks;
use tradecore_types::{Instrument, InstrumentId, ValueError};
use tradecore_venue::SimulatedVenue;

use crate::markets::market::{Book, Market, SeriesOf, Subscribers};
use crate::{InstrumentConfig, VenueConfig};

/// Builds the market of one instrument.
pub(crate) fn build_market(
    id: InstrumentId,
    config: &InstrumentConfig,
    venue: &VenueConfig,
) -> Result<Market, ValueError> {
    let instrument = Instrument::new(id, config.spec.clone())?;
    let venue = SimulatedVenue::new(&instrument, &config.sessions, venue);
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
