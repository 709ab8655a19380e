//! The one way out: every request to a venue leaves here, and the journal says so at that moment.
//!
//! **Invariant:** nothing else plans an arrival, and what has no `sent` record has left nowhere.

use tradecore_types::{InstrumentId, OrderId, Sent, SentBody};
use tradecore_venue::VenueRequest;

use crate::{Destination, Kernel};

impl Kernel {
    /// Sends a request to where the engine's requests go.
    #[inline]
    pub(crate) fn dispatch(&mut self, request: VenueRequest) {
        self.leave(&request, None);
    }

    /// Sends cancels that the simulated venue carries out at once, before all that is on its way to it.
    pub(crate) fn dispatch_first(&mut self, requests: impl Iterator<Item = VenueRequest>) {
        for (place, request) in requests.enumerate() {
            self.leave(&request, Some(place));
        }
    }

    /// Tells whether the order that a cancel or an amendment is about has been sent.
    fn has_left(&self, request: &VenueRequest) -> bool {
        match *request {
            VenueRequest::Submit(_) => true,
            VenueRequest::Cancel { order_id, .. } | VenueRequest::Replace { order_id, .. } => {
                !self.books.groups.is_unsent(order_id)
            }
        }
    }

    /// Records that a request leaves and plans its arrival; `place` is how many others go before one that is
    /// carried out at once.
    #[inline]
    fn leave(&mut self, request: &VenueRequest, place: Option<usize>) {
        debug_assert!(self.has_left(request), "no venue has seen the order that it is about: {request:?}");
        let destination = self.config.destination;
        let is_one_venue = self.config.accounts.is_empty();
        let arrival_ns = match destination {
            Destination::Simulated => {
                self.recorder.sent(self.now_ns, &request.sent());
                match place {
                    None if is_one_venue => self.config.venue.at_venue_ns(self.now_ns),
                    None => self.venue_for(request.instrument()).at_venue_ns(self.now_ns),
                    Some(_) => self.now_ns,
                }
            }
            // It goes to what watches the market here, and has left nowhere.
            Destination::Outside if self.keeps_here(request) => self.now_ns,
            // Its answers come in as reports.
            Destination::Outside if tradecore_types::is_planted("sent_without_a_record") => return,
            Destination::Outside => return self.recorder.sent(self.now_ns, &request.sent()),
            Destination::Nowhere => return,
        };
        if place.is_none() && !is_one_venue {
            let account = self.account_of(request.instrument());
            let its = |id: InstrumentId| self.books.ledger.account_of(id) == account;
            return self.outgoing.schedule.arrival_among(arrival_ns, request, its);
        }
        self.outgoing.schedule.arrival(arrival_ns, place, request);
    }

    /// Lets an order leave for a venue outside that was watched here and is set off.
    pub(crate) fn leave_awake(&mut self, order_id: OrderId, lots: i64) {
        debug_assert!(!self.outgoing.watched.has(order_id), "what is watched has not left");
        self.recorder.sent(self.now_ns, &Sent { order_id, body: SentBody::New { lots: Some(lots) } });
    }

    /// Lets what is left of an order leave for a venue outside that has ended what it had of it.
    pub(crate) fn leave_renewed(&mut self, order_id: OrderId, price_ticks: Option<i64>, lots: i64) {
        debug_assert!(self.config.destination.is_outside(), "a simulated venue amends orders");
        self.recorder.sent(self.now_ns, &Sent { order_id, body: SentBody::Replace { price_ticks, lots } });
    }
}
