//! Orders that close tickets, where positions hedge.
//!
//! **Invariant:** where an instrument hedges, nothing closes but by a ticket that it names, and no more than that has.

use std::collections::BTreeMap;

use tradecore_ledger::{OpenOrder, OrderState, Working};
use tradecore_risk::{Exposure, Stake};
use tradecore_types::{InstrumentId, OrderId, OrderIntent, Refusal, Rule, Size, StrategyId};

use crate::books::heard::TradedBy;
use crate::books::tickets::stake;
use crate::gates::decision::RequestKind;
use crate::outgoing::orders::asked_side;
use crate::{Kernel, KernelError, Links, OrderRequest, Verdict};

impl Kernel {
    /// Counts what is at stake in an instrument that hedges, the order that is replaced left out of what works.
    ///
    /// An order without a ticket adds to its side, and closes nothing. One that names a ticket has that for its position,
    /// less what other closing orders of the ticket close already.
    #[cold]
    pub(crate) fn exposure_of_sides(
        &self,
        intent: &OrderIntent,
        (own, account): (Working, Working),
        replaced: Option<&OpenOrder>,
    ) -> Exposure {
        let (strategy, instrument, side) = (intent.strategy, intent.instrument, intent.side);
        let own_stake = match intent.closes {
            None => stake(side, self.books.ledger.legs(strategy, instrument), own),
            Some(ticket) => {
                let position_lots = self.books.ledger.lots_of_entry(strategy, instrument, ticket);
                let counted = replaced.filter(|order| self.is_closing_order(order));
                let own_lots = counted.map_or(0, OpenOrder::lots_at_stake);
                let closing_lots = self.closing_lots(intent).saturating_sub(own_lots);
                Stake { position_lots, ..Stake::default() }.with_order(side, closing_lots)
            }
        };
        Exposure {
            account: stake(side, self.books.ledger.legs_total(instrument), account),
            own: own_stake,
            open_orders: account.open_orders,
        }
    }

    /// Puts an order that may only close before risk where positions hedge; `None` where they do not, and for an exit of
    /// an order that is still open, which is one as ever.
    ///
    /// Else the order that it comes after is the ticket that it is bound to, and nothing is waited for.
    #[cold]
    pub(crate) fn submit_to_ticket(
        &mut self,
        strategy: StrategyId,
        request: &OrderRequest,
        links: Links,
    ) -> Result<Option<Verdict>, KernelError> {
        let is_exit = links.after.is_some_and(|entry| self.books.orders.get(entry).is_some());
        if is_exit || !self.books.ledger.is_hedged(request.instrument) {
            return Ok(None);
        }
        let order_id = self.next_order_id();
        let intent = self.intent(order_id, strategy, request, links, request.size);
        let links = Links { after: None, ..links };
        let checked = self.check_ticket(&intent).and_then(|lots| {
            let is_tied = links != Links::default();
            if is_tied { self.check_links(&intent, links).map(|()| lots) } else { Ok(lots) }
        });
        match checked {
            Ok(lots) => self.judge_and_send(&intent, lots, links, RequestKind::New).map(Some),
            Err(refusal) => {
                self.trace_unasked(strategy, request.instrument, asked_side(request.side))?;
                Ok(Some(self.refused(&intent, refusal)))
            }
        }
    }

    /// Checks that an order has a size and names a ticket of its strategy that is open on the other side; returns the
    /// size.
    fn check_ticket(&self, intent: &OrderIntent) -> Result<i64, Refusal> {
        let OrderIntent { strategy, instrument, side, closes, size, .. } = *intent;
        let Some(ticket) = closes else { return Err(not_open(None)) };
        // A share of buying power has no size yet: it is tied to nothing, as ever.
        let Size::Lots(lots) = size else {
            return Err(Refusal { rule: Rule::InvalidOrder, limit: 0, value: i128::from(ticket.0) });
        };
        let held_lots = self.books.ledger.lots_of_entry(strategy, instrument, ticket);
        if side.closable_lots(held_lots) == 0 { Err(not_open(Some(ticket))) } else { Ok(lots) }
    }

    /// Closes a ticket of a strategy with a market order, or `lots` of it.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table.
    pub fn close_ticket(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        ticket: OrderId,
        lots: Option<i64>,
    ) -> Result<Verdict, KernelError> {
        self.market(instrument)?;
        self.trace_unasked(strategy, instrument, "close")?;
        let held_lots = if self.books.ledger.is_hedged(instrument) {
            self.books.ledger.lots_of_entry(strategy, instrument, ticket)
        } else {
            0
        };
        if held_lots == 0 {
            let order_id = self.next_order_id();
            let intent = OrderIntent::closing(
                order_id,
                strategy,
                instrument,
                lots.unwrap_or_default(),
                Some(ticket),
                self.now_ns,
            );
            return Ok(self.refused(&intent, not_open(Some(ticket))));
        }
        let mut parts = vec![(held_lots, Some(ticket))];
        self.leave_out_under_way(strategy, instrument, &mut parts);
        // When all of it is on its way, the refusal says so.
        let open_lots = parts.first().map_or(held_lots, |part| part.0);
        let lots = lots.map_or(open_lots, |lots| lots.saturating_mul(held_lots.signum()));
        self.close_part(strategy, instrument, lots, Some(ticket))
    }

    /// Returns the instrument in which a strategy has a ticket; `None` when it is not open.
    #[must_use]
    pub fn instrument_of_ticket(&self, strategy: StrategyId, ticket: OrderId) -> Option<InstrumentId> {
        let instruments = self.books.ledger.instruments().map(|instrument| instrument.id);
        instruments
            .filter(|id| self.books.ledger.is_hedged(*id))
            .find(|id| self.books.ledger.lots_of_entry(strategy, *id, ticket) != 0)
    }

    /// Returns what of an instrument that hedges a strategy holds, as signed lots with the ticket that they belong to.
    pub(crate) fn ticket_parts(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
    ) -> Vec<(i64, Option<OrderId>)> {
        let tickets = self.books.ledger.tickets(strategy, instrument);
        tickets.map(|ticket| (ticket.lots, Some(ticket.entry_order))).collect()
    }

    /// Tells whether a strategy has tickets that are open.
    pub(crate) fn has_tickets(&self, strategy: StrategyId, instrument: InstrumentId) -> bool {
        self.books.ledger.is_hedged(instrument) && self.books.ledger.legs(strategy, instrument).size() != 0
    }

    /// Returns the same less what an order in doubt at a venue outside may have closed of each ticket, or do so yet.
    pub(crate) fn known_tickets(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
    ) -> Vec<(i64, Option<OrderId>)> {
        let mut parts = self.ticket_parts(strategy, instrument);
        if self.config.destination.is_outside() {
            for (lots, ticket) in &mut parts {
                let is_in_doubt = |order: &&OpenOrder| {
                    (order.intent.strategy, order.intent.instrument) == (strategy, instrument)
                        && order.intent.closes == *ticket
                        && order.state == OrderState::Unknown
                };
                let doubted = self.books.orders.iter().filter(is_in_doubt).map(OpenOrder::lots_at_stake);
                let doubted_lots = doubted.fold(0_i64, i64::saturating_add);
                *lots -= doubted_lots.min(lots.saturating_abs()) * lots.signum();
            }
            parts.retain(|part| part.0 != 0);
        }
        parts
    }

    /// Returns the ticket at a venue outside that trades of an order belong to, and what it opened under its own number:
    /// the one that it was to close, else the one that it opens.
    #[must_use]
    pub fn ticket_at_venue(&self, order_id: OrderId) -> OrderId {
        let (mut ticket, mut next) = (order_id, Some(order_id));
        while let Some(order_id) = next {
            ticket = order_id;
            let by =
                TradedBy::of(order_id, &self.books.orders).or_else(|| self.books.heard.traded_by(order_id));
            // What closes has a higher number than what it closes, so this ends.
            next = by.and_then(|by| by.owner.closes).filter(|closes| *closes < order_id);
        }
        ticket
    }

    /// Returns what is open of tickets by the names that they have at a venue outside, in signed lots by instrument.
    #[must_use]
    pub fn tickets_at_venue(&self) -> BTreeMap<(InstrumentId, OrderId), i64> {
        let mut tickets = BTreeMap::new();
        for strategy in (0..self.config.strategies).map(StrategyId) {
            for instrument in self.books.ledger.instruments().map(|instrument| instrument.id) {
                for ticket in self.books.ledger.tickets(strategy, instrument) {
                    let place = (instrument, self.ticket_at_venue(ticket.entry_order));
                    *tickets.entry(place).or_default() += ticket.lots;
                }
            }
        }
        tickets.retain(|_, lots| *lots != 0);
        tickets
    }

    /// Returns the position that an order may close: of its ticket where positions hedge, else all of it.
    pub(crate) fn position_for(&self, intent: &OrderIntent) -> i64 {
        match intent.closes.filter(|_| self.books.ledger.is_hedged(intent.instrument)) {
            Some(ticket) => self.books.ledger.lots_of_entry(intent.strategy, intent.instrument, ticket),
            None => self.books.ledger.position(intent.strategy, intent.instrument),
        }
    }
}

/// Refuses what names no ticket that it could close.
pub(crate) fn not_open(ticket: Option<OrderId>) -> Refusal {
    let value = ticket.map_or(0, |ticket| i128::from(ticket.0));
    Refusal { rule: Rule::TicketNotOpen, limit: 0, value }
}
