//! What reaches the simulated venue.

use tradecore_types::{CancelReason, InstrumentId};

use crate::{Kernel, KernelError, VenueRequest};

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
        if self.market(instrument)?.venue.traits().reports_at_once {
            self.arrive_at_bars(instrument, request)?;
            // It has reported already: a flatten may have waited for the end of an order.
            return self.go_on_closing(instrument);
        }
        let now_ns = self.now_ns;
        self.at_venue(instrument, |market, out| {
            let (venue, shown) = market.shown_to_venue();
            venue.take(request, shown, now_ns, out);
        })
    }

    /// Takes from the size of an amendment what filled while it was on its way, so that the order never trades
    /// more than was asked for; an amendment to what has filled already ends the order.
    fn after_fills(&self, request: &VenueRequest) -> VenueRequest {
        let VenueRequest::Replace { order_id, instrument, lots, filled_lots, .. } = *request else {
            return *request;
        };
        let Some(order) = self.books.orders.get(order_id) else { return *request };
        let (unreported_lots, open_lots) = self.outgoing.schedule.unreported(order_id, order.open_lots());
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
}
