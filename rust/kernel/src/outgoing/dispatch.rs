//! The one way out: every request to a venue leaves here, and the journal says so at that moment.
//!
//! **Invariant:** nothing else plans an arrival, and what has no `sent` record has left nowhere.

use tradecore_venue::VenueRequest;

use crate::{Destination, Kernel};

impl Kernel {
    /// Sends a request to where the engine's requests go.
    #[inline]
    pub(crate) fn dispatch(&mut self, request: VenueRequest) {
        self.leave(request, None);
    }

    /// Sends cancels that the simulated venue carries out at once, before all that is on its way to it.
    pub(crate) fn dispatch_first(&mut self, requests: impl Iterator<Item = VenueRequest>) {
        for (place, request) in requests.enumerate() {
            self.leave(request, Some(place));
        }
    }

    /// Tells whether the order that a cancel or an amendment is about has been sent.
    fn has_left(&self, request: &VenueRequest) -> bool {
        match *request {
            VenueRequest::Submit(_) => true,
            VenueRequest::Cancel { order_id, .. } | VenueRequest::Replace { order_id, .. } => {
                !self.books.groups.is_held(order_id) && !self.books.groups.is_dropped(order_id)
            }
        }
    }

    /// Records that a request leaves and plans its arrival; `place` is how many others go before one that is
    /// carried out at once.
    #[inline]
    fn leave(&mut self, request: VenueRequest, place: Option<usize>) {
        debug_assert!(self.has_left(&request), "no venue has seen the order that it is about: {request:?}");
        match self.config.destination {
            Destination::Simulated => {
                self.recorder.sent(self.now_ns, &request);
                let arrival_ns = match place {
                    None => self.config.venue.at_venue_ns(self.now_ns),
                    Some(_) => self.now_ns,
                };
                self.schedule.arrival(arrival_ns, place, request);
            }
            // Its answers come in as reports.
            Destination::Outside => self.recorder.sent(self.now_ns, &request),
            Destination::Nowhere => {}
        }
    }
}
