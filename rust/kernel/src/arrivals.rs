//! What reaches the simulated venue.

use tradecore_book::{Depth, QuoteDepth};
use tradecore_matching::DepthMatcher;
use tradecore_types::{CancelReason, InstrumentId, Quote, Report, TimeNs};

use crate::market::{Book, Market, Venue};
use crate::{Kernel, KernelError, VenueRequest};

/// A quote that shows nothing, for a venue that has not seen one yet.
const NO_QUOTE: Quote = Quote { bid_ticks: 0, bid_lots: 0, ask_ticks: 0, ask_lots: 0, update_id: 0 };

impl Kernel {
    /// Hands a request to the venue.
    pub(crate) fn arrive(&mut self, request: &VenueRequest) -> Result<(), KernelError> {
        match *request {
            VenueRequest::Submit(ref order) if self.expires_on_arrival(order)? => Ok(()),
            VenueRequest::Submit(ref order) => self.hand_over(order.intent().instrument, request),
            VenueRequest::Cancel { instrument, .. } => self.hand_over(instrument, request),
            VenueRequest::Replace { instrument, .. } => {
                self.hand_over(instrument, &self.after_fills(request))
            }
        }
    }

    fn hand_over(&mut self, instrument: InstrumentId, request: &VenueRequest) -> Result<(), KernelError> {
        match self.market(instrument)?.venue {
            Venue::Bars(_) => self.arrive_at_bars(instrument, request),
            Venue::Quotes(_) | Venue::Book(_) => {
                self.arrive_at_depth(instrument, request);
                Ok(())
            }
            Venue::Exchange(_) => self.arrive_at_exchange(instrument, request),
        }
    }

    fn arrive_at_exchange(
        &mut self,
        instrument: InstrumentId,
        request: &VenueRequest,
    ) -> Result<(), KernelError> {
        let now_ns = self.now_ns;
        let mut published = std::mem::take(&mut self.published);
        self.at_venue(instrument, |market, reports| {
            let Venue::Exchange(venue) = &mut market.venue else { return };
            match request {
                VenueRequest::Submit(order) => venue.submit(order, now_ns, reports, &mut published),
                VenueRequest::Cancel { order_id, reason, .. } => {
                    venue.cancel_because(*order_id, *reason, now_ns, reports, &mut published);
                }
                VenueRequest::Replace { order_id, price_ticks, lots, .. } => {
                    venue.replace(*order_id, *price_ticks, *lots, now_ns, reports, &mut published);
                }
            }
        });
        self.spread_published(instrument, &mut published)?;
        self.published = published;
        Ok(())
    }

    /// Takes from the size of an amendment what filled while it was on its way, so that the order never trades
    /// more than was asked for; an amendment to what has filled already ends the order.
    fn after_fills(&self, request: &VenueRequest) -> VenueRequest {
        let VenueRequest::Replace { order_id, instrument, lots, filled_lots, .. } = *request else {
            return *request;
        };
        let Some(order) = self.orders.get(order_id) else { return *request };
        let (unreported_lots, open_lots) = self.schedule.unreported(order_id, order.open_lots());
        if open_lots <= 0 {
            return *request;
        }
        let filled_since = order.filled_lots.saturating_add(unreported_lots).saturating_sub(filled_lots);
        let left = lots.saturating_sub(filled_since);
        match *request {
            _ if left <= 0 => VenueRequest::Cancel { order_id, instrument, reason: CancelReason::Requested },
            VenueRequest::Replace { price_ticks, .. } => {
                VenueRequest::Replace { order_id, instrument, price_ticks, lots: left, filled_lots }
            }
            other => other,
        }
    }

    /// Hands a request to a venue that is quotes or a book.
    fn arrive_at_depth(&mut self, instrument: InstrumentId, request: &VenueRequest) {
        let now_ns = self.now_ns;
        self.at_venue(instrument, |market, reports| {
            let Market { venue, book, quote, .. } = market;
            match (venue, book) {
                (Venue::Quotes(venue), _) => {
                    let depth = QuoteDepth(quote.unwrap_or(NO_QUOTE));
                    meet_depth(venue, request, &depth, now_ns, reports);
                }
                // An invalid book has frozen the venue: it rejects what would trade and still cancels.
                (Venue::Book(venue), Book::Synced(book)) => {
                    meet_depth(venue, request, book.book(), now_ns, reports);
                }
                _ => {}
            }
        });
    }
}

/// Shows a venue a request and the depth it meets.
fn meet_depth(
    venue: &mut DepthMatcher,
    request: &VenueRequest,
    depth: &impl Depth,
    now_ns: TimeNs,
    reports: &mut Vec<Report>,
) {
    match request {
        VenueRequest::Submit(order) => venue.submit(order, depth, now_ns, reports),
        VenueRequest::Cancel { order_id, reason, .. } => {
            venue.cancel_because(*order_id, *reason, now_ns, reports);
        }
        VenueRequest::Replace { order_id, price_ticks, lots, .. } => {
            venue.replace(*order_id, *price_ticks, *lots, depth, now_ns, reports);
        }
    }
}
