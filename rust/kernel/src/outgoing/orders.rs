//! The way out: from a strategy's wish to the venue.

use tradecore_ledger::{OpenOrder, OrderError, OrderEvent, OrderState};
use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    Bracket, CancelReason, InstrumentId, OrderId, OrderIntent, OrderKind, Refusal, Report, ReportBody, Rule,
    Side, Size, StrategyId, TimeInForce,
};

use crate::books::Booking;
use crate::gates::Occasion;
use crate::gates::decision::RequestKind;
use crate::outgoing::schedule::{Cancelling, Delivery};
use crate::{Destination, Kernel, KernelError, Links, VenueRequest};

/// What a strategy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRequest {
    /// The instrument that it trades.
    pub instrument: InstrumentId,
    /// Whether it buys or sells.
    pub side: Side,
    /// Market, limit, stop and so on.
    pub kind: OrderKind,
    /// How long it may wait.
    pub time_in_force: TimeInForce,
    /// Refuse rather than take liquidity.
    pub post_only: bool,
    /// May only bring the strategy's position nearer to flat.
    pub reduce_only: bool,
    /// How large it is to be: lots, or a share of what the account can buy.
    pub size: Size,
    /// Exits to arm on fill.
    pub bracket: Bracket,
}

/// The answer to a wish to trade, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Risk approved it and it is on its way.
    Approved(OrderId),
    /// A gate or risk refused it: nothing was sent, and the rule says why.
    Refused(Refusal),
}

impl Kernel {
    /// Puts a wish to trade before risk and sends it on its way if it is approved.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table.
    pub fn submit(&mut self, strategy: StrategyId, request: &OrderRequest) -> Result<Verdict, KernelError> {
        self.submit_linked(strategy, request, Links::default())
    }

    /// Puts a wish to trade before risk that depends on other open orders of the strategy, as [`Links`] say.
    ///
    /// A reduce-only order after another one is an exit of it: as large as what that one opens, at most. It
    /// is refused, as `InvalidOrder`, when a linked order is not open, not the strategy's, or of another
    /// instrument.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table.
    pub fn submit_linked(
        &mut self,
        strategy: StrategyId,
        request: &OrderRequest,
        links: Links,
    ) -> Result<Verdict, KernelError> {
        if request.reduce_only
            && let Some(answer) = self.submit_to_ticket(strategy, request, links)?
        {
            return Ok(answer);
        }
        let order_id = self.next_order_id();
        let market = self.market(request.instrument)?;
        let is_sized_at_fill = market.venue.traits().sizes_at_fill && request.kind == OrderKind::Market;
        let (size, lots) = match request.size {
            Size::Lots(lots) => (request.size, lots),
            Size::BuyingPowerPpm(ppm) => {
                let lots = self.affordable_lots(market, ppm)?;
                // The size of an order that fills later is only estimated here; risk judges it again then.
                if is_sized_at_fill { (request.size, lots.max(1)) } else { (Size::Lots(lots), lots) }
            }
        };
        let intent = self.intent(order_id, strategy, request, links, size);
        if links != Links::default()
            && let Err(refusal) = self.check_links(&intent, links)
        {
            self.trace_unasked(strategy, request.instrument, asked_side(request.side))?;
            return Ok(self.refused(&intent, refusal));
        }
        self.judge_and_send(&intent, lots, links, RequestKind::New)
    }

    /// Refuses a wish to trade that has no exact numbers, such as a price off the tick: it is recorded as every
    /// other refusal is, with the nearest numbers that the instrument has.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table.
    pub fn refuse(
        &mut self,
        strategy: StrategyId,
        request: &OrderRequest,
        links: Links,
        refusal: Refusal,
    ) -> Result<Verdict, KernelError> {
        self.market(request.instrument)?;
        let order_id = self.next_order_id();
        let intent = self.intent(order_id, strategy, request, links, request.size);
        self.trace_unasked(strategy, request.instrument, asked_side(request.side))?;
        Ok(self.refused(&intent, refusal))
    }

    /// Refuses an amendment that has no exact numbers; it is recorded when the order is the strategy's.
    pub fn refuse_amendment(&mut self, strategy: StrategyId, order_id: OrderId, refusal: Refusal) -> Verdict {
        match self.books.orders.get(order_id).filter(|order| order.intent.strategy == strategy) {
            Some(order) => {
                let intent = OrderIntent { time_ns: self.now_ns, ..order.intent };
                self.refused(&intent, refusal)
            }
            None => Verdict::Refused(refusal),
        }
    }

    /// Makes an intent of a request, under a new number.
    #[inline]
    pub(crate) fn intent(
        &self,
        order_id: OrderId,
        strategy: StrategyId,
        request: &OrderRequest,
        links: Links,
        size: Size,
    ) -> OrderIntent {
        OrderIntent {
            order_id,
            strategy,
            instrument: request.instrument,
            side: request.side,
            kind: request.kind,
            time_in_force: request.time_in_force,
            post_only: request.post_only,
            reduce_only: request.reduce_only,
            size,
            bracket: request.bracket,
            closes: links.after.filter(|_| request.reduce_only),
            time_ns: self.now_ns,
        }
    }

    /// Closes a strategy's position with market orders, but for what orders that close at once are on their way to
    /// close; `None` when it is flat.
    ///
    /// Against bars every entry gets a closing order of its own, so that its exits go with it, and so does every ticket
    /// where positions hedge; the verdict is that of the last one, or the first refusal.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table.
    pub fn close(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
    ) -> Result<Option<Verdict>, KernelError> {
        let mut parts = self.closing_parts(strategy, instrument)?;
        let whole = parts.clone();
        self.leave_out_under_way(strategy, instrument, &mut parts);
        if parts.is_empty() {
            // All of it is on its way: the refusal says so.
            parts = whole;
        }
        self.trace_unasked(strategy, instrument, "close")?;
        let mut verdict = None;
        for (position_lots, entry) in parts {
            let answer = self.close_part(strategy, instrument, position_lots, entry)?;
            verdict = Some(answer);
            if matches!(answer, Verdict::Refused(_)) {
                break;
            }
        }
        Ok(verdict)
    }

    /// Closes a part of a position with a market order: signed lots with the entry that they belong to.
    pub(crate) fn close_part(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        position_lots: i64,
        entry: Option<OrderId>,
    ) -> Result<Verdict, KernelError> {
        let order_id = self.next_order_id();
        let intent = OrderIntent::closing(order_id, strategy, instrument, position_lots, entry, self.now_ns);
        self.judge_and_send(&intent, position_lots.saturating_abs(), Links::default(), RequestKind::Close)
    }

    /// Returns what is to be closed, as signed lots with the entry they belong to.
    fn closing_parts(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
    ) -> Result<Vec<(i64, Option<OrderId>)>, KernelError> {
        if self.books.ledger.is_hedged(instrument) {
            return Ok(self.ticket_parts(strategy, instrument));
        }
        let position_lots = self.books.ledger.position(strategy, instrument);
        if !self.market(instrument)?.venue.traits().closes_by_entry {
            let whole = (position_lots != 0).then_some((position_lots, None));
            return Ok(whole.into_iter().collect());
        }
        let mut parts: Vec<(i64, Option<OrderId>)> = Vec::new();
        for lot in self.books.ledger.open_lots(strategy, instrument) {
            match parts.last_mut() {
                Some(last) if last.1 == Some(lot.entry_order) => last.0 += lot.lots,
                _ => parts.push((lot.lots, Some(lot.entry_order))),
            }
        }
        Ok(parts)
    }

    /// Puts an intent before gates and risk and sends it on its way if it is approved, or lets it wait for a person.
    pub(crate) fn judge_and_send(
        &mut self,
        intent: &OrderIntent,
        lots: i64,
        links: Links,
        kind: RequestKind,
    ) -> Result<Verdict, KernelError> {
        if self.is_warming_up() {
            return self.refused_as_past(intent, kind);
        }
        if kind == RequestKind::New
            && self.control.consents.is_some()
            && let Some(answer) = self.ask_person(intent, lots, links)?
        {
            return Ok(answer);
        }
        self.put_forward(intent, lots, links, kind)
    }

    /// Puts an intent that needs no person, or has a person's yes, before gates and risk.
    pub(crate) fn put_forward(
        &mut self,
        intent: &OrderIntent,
        lots: i64,
        links: Links,
        kind: RequestKind,
    ) -> Result<Verdict, KernelError> {
        let refusal = if let Some(entry) = links.after.filter(|_| intent.reduce_only) {
            self.trace_unasked(intent.strategy, intent.instrument, asked_side(intent.side))?;
            match self.judge_exit(intent, lots, entry)? {
                Ok(order) => return self.approved(&order, links),
                Err(refusal) => refusal,
            }
        } else {
            self.books.groups.set_joining(links.oco);
            let verdict = self.judge(intent, lots, None, Occasion::first(kind));
            self.books.groups.set_joining(None);
            match verdict? {
                Ok(approval) => {
                    let order = approval.order();
                    if self.config.destination.is_outside()
                        && order.intent().reduce_only
                        && !intent.reduce_only
                    {
                        self.books.heard.note_bound(intent.order_id, &self.books.orders);
                    }
                    return self.approved(&order, links);
                }
                Err(refusal) => refusal,
            }
        };
        Ok(self.refused(intent, refusal))
    }

    /// Refuses what is asked for on account of the past.
    #[cold]
    pub(crate) fn refused_as_past(
        &mut self,
        intent: &OrderIntent,
        kind: RequestKind,
    ) -> Result<Verdict, KernelError> {
        if kind == RequestKind::New {
            self.trace_unasked(intent.strategy, intent.instrument, asked_side(intent.side))?;
        }
        Ok(self.refused(intent, Refusal { rule: Rule::WarmingUp, limit: 0, value: 1 }))
    }

    /// Sends an approved order and makes it the answer.
    fn approved(&mut self, order: &ApprovedOrder, links: Links) -> Result<Verdict, KernelError> {
        self.send_linked(order, links)?;
        Ok(Verdict::Approved(order.intent().order_id))
    }

    /// Records a refusal and makes it the answer.
    pub(crate) fn refused(&mut self, intent: &OrderIntent, refusal: Refusal) -> Verdict {
        self.books.counters.refusals += 1;
        self.books.activity.note_refusal(self.now_ns, intent, &refusal);
        self.recorder.refused(self.now_ns, intent, &refusal);
        Verdict::Refused(refusal)
    }

    /// Checks that the orders a new one depends on are open and the strategy's, and that it has a size.
    pub(crate) fn check_links(&self, intent: &OrderIntent, links: Links) -> Result<(), Refusal> {
        let is_sized = matches!(intent.size, Size::Lots(_));
        for order_id in [links.after, links.oco].into_iter().flatten() {
            let other = self.books.orders.get(order_id).map(|order| &order.intent);
            let is_known = other.is_some_and(|other| {
                (other.strategy, other.instrument) == (intent.strategy, intent.instrument)
            });
            if !is_known || !is_sized {
                let value = i128::from(order_id.0);
                return Err(Refusal { rule: Rule::InvalidOrder, limit: 0, value });
            }
        }
        Ok(())
    }

    /// Sends an approved order on its way: into the books of account, the journal and to the venue.
    pub(crate) fn send(&mut self, order: &ApprovedOrder) -> Result<(), KernelError> {
        self.send_linked(order, Links::default())
    }

    /// Opens an order in the books.
    pub(crate) fn open_order(
        &mut self,
        intent: &OrderIntent,
        reference_ticks: i64,
    ) -> Result<(), KernelError> {
        let market = self.markets.get(intent.instrument.index());
        let instrument = &market.ok_or(OrderError::OutOfTable { order_id: intent.order_id })?.instrument;
        let at = Booking::new(instrument, self.now_ns);
        self.books.open(intent, reference_ticks, at, &mut self.recorder)
    }

    /// Sends an approved order on its way, or holds it until the order before it has ended.
    fn send_linked(&mut self, order: &ApprovedOrder, links: Links) -> Result<(), KernelError> {
        let intent = order.intent();
        // What closes whatever the limits may go out before any price was seen: its record says 0 then.
        let reference_ticks = self.market(intent.instrument)?.reference.map_or(0, |known| known.0);
        if self.books.scopes.is_on() {
            self.withdraw_met(intent);
        }
        self.open_order(intent, reference_ticks)?;
        if self.books.scopes.is_on() {
            let account = self.account_of(intent.instrument);
            self.books.scopes.note_message(intent.strategy, account, self.now_ns);
        }
        let is_held = self.link(order, links);
        match self.config.destination {
            Destination::Simulated | Destination::Outside => {
                if !intent.bracket.is_empty() {
                    self.note_bracket(intent)?;
                }
                if !is_held {
                    self.dispatch(VenueRequest::Submit(*order));
                }
                self.plan_expiry(order, is_held);
                if is_held && self.books.groups.has_work() {
                    self.work_groups()?;
                }
            }
            Destination::Nowhere => {
                let body = ReportBody::Canceled(CancelReason::Shadow);
                let report = Report { venue_time_ns: self.now_ns, order_id: intent.order_id, body };
                self.outgoing
                    .schedule
                    .report(self.now_ns, Delivery { instrument: intent.instrument, report });
            }
        }
        Ok(())
    }

    /// Asks the venue to cancel an order; `false` when it is not open, not the strategy's or being cancelled,
    /// or when the whole rate of messages is used up, which is recorded as a refusal of the order.
    ///
    /// Of an exit that has ended with a rest, and of the last order that was sent for it, the rest is given up.
    pub fn cancel(&mut self, strategy: StrategyId, order_id: OrderId) -> bool {
        if !self.books.groups.close_outs.is_empty() && self.give_up_rest(strategy, order_id) {
            return true;
        }
        let order = self.books.orders.get(order_id).filter(|order| order.intent.strategy == strategy);
        let Some(order) = order.filter(|order| order.state != OrderState::PendingCancel) else {
            return false;
        };
        if self.is_resting_to_close(order_id) {
            return false;
        }
        let instrument = order.intent.instrument;
        if self.books.scopes.is_on()
            && let Err(refusal) =
                self.books.scopes.check_cancel(strategy, self.account_of(instrument), self.now_ns)
        {
            self.books.counters.refusals += 1;
            self.books.activity.note_refusal(self.now_ns, &order.intent, &refusal);
            self.recorder.refused(self.now_ns, &order.intent, &refusal);
            return false;
        }
        let is_asked = self.request_cancel(order_id, CancelReason::Requested);
        if is_asked && self.books.scopes.is_on() {
            let account = self.account_of(instrument);
            self.books.scopes.note_urgent(strategy, account, self.now_ns);
        }
        is_asked
    }

    /// Asks the venue to cancel an order, whoever's it is.
    pub(crate) fn request_cancel(&mut self, order_id: OrderId, reason: CancelReason) -> bool {
        if self.books.orders.get(order_id).is_none_or(|order| order.state == OrderState::PendingCancel) {
            return false;
        }
        match self.note_cancel(order_id, reason) {
            Some(Cancelling::AtVenue(request)) => {
                self.dispatch(request);
                true
            }
            Some(Cancelling::Ended) => true,
            None => false,
        }
    }

    /// Notes that an order is to be cancelled, and ends it when it is held back; `None` when it cannot be cancelled,
    /// as one that has ended before it was sent.
    pub(crate) fn note_cancel(&mut self, order_id: OrderId, reason: CancelReason) -> Option<Cancelling> {
        if !self.books.groups.is_off() && self.books.groups.is_dropped(order_id) {
            return None;
        }
        let order = self.books.orders.note(order_id, OrderEvent::CancelRequested, self.now_ns).ok()?.order;
        let (intent, state) = (order.intent, order.state);
        self.recorder.cancel(self.now_ns, order_id, intent.strategy);
        if state == OrderState::Unknown {
            // It may get there before the order does.
            self.note_ending(order_id, intent.instrument);
        }
        if self.books.scopes.is_on() {
            self.tell_scopes(&intent);
        }
        if !self.books.groups.is_off() {
            if reason != CancelReason::Linked {
                self.books.groups.give_up(order_id);
            }
            if let Some(held) = self.books.groups.take_held(order_id) {
                self.tell_held(&held, ReportBody::Canceled(reason));
                return Some(Cancelling::Ended);
            }
        }
        if !self.outgoing.renewals.is_empty() && self.end_renewal(&intent, reason) {
            return Some(Cancelling::Ended);
        }
        let instrument = intent.instrument;
        Some(Cancelling::AtVenue(VenueRequest::Cancel { order_id, instrument, reason }))
    }

    /// Asks the venue to give an order a new stated price (limit, else trigger; `None` keeps it) and a new
    /// open size. Market and trailing orders state no price; a trailing one can have a new size.
    ///
    /// Gates and risk judge the order as it will be, in the place of the order as it is. One that passes only
    /// because it is closing is reduce-only from then on. Gates are not asked about one that keeps the price and
    /// makes the order no larger.
    ///
    /// # Errors
    ///
    /// [`KernelError`] when a promise is broken.
    pub fn replace(
        &mut self,
        strategy: StrategyId,
        order_id: OrderId,
        price_ticks: impl Into<Option<i64>>,
        lots: i64,
    ) -> Result<Verdict, KernelError> {
        let unknown = Refusal { rule: Rule::InvalidOrder, limit: 1, value: 0 };
        let Some(order) = self.books.orders.get(order_id).copied() else {
            return Ok(Verdict::Refused(unknown));
        };
        let is_unsent = self.books.groups.is_unsent(order_id);
        let is_operators = self.is_resting_to_close(order_id);
        if order.intent.strategy != strategy
            || order.intent.kind == OrderKind::Market
            || is_unsent
            || is_operators
        {
            return Ok(Verdict::Refused(unknown));
        }
        let price_ticks = price_ticks.into();
        let Some(kind) = amended_kind(&order, price_ticks, lots) else {
            return Ok(Verdict::Refused(unknown));
        };
        let intent = OrderIntent { kind, size: Size::Lots(lots), time_ns: self.now_ns, ..order.intent };
        if self.is_warming_up() {
            return self.refused_as_past(&intent, RequestKind::Amend);
        }
        if let Some(most) = self.renewals_used_up(order_id, true) {
            let (limit, value) = (i128::from(most), i128::from(most) + 1);
            return Ok(self.refused(&intent, Refusal { rule: Rule::AmendmentsMax, limit, value }));
        }
        let occasion = Occasion::first(amendment_kind(&order, price_ticks, lots));
        let is_bound = match self.judge(&intent, lots, Some(&order), occasion)? {
            Ok(approval) => approval.order().intent().reduce_only,
            Err(refusal) => return Ok(self.refused(&intent, refusal)),
        };
        if self.books.scopes.is_on() {
            self.withdraw_met(&intent);
        }
        if !self.request_replace(order_id, price_ticks, lots) {
            return Ok(Verdict::Refused(unknown));
        }
        if !self.books.groups.close_outs.is_empty() {
            self.give_up_ending(order_id);
        }
        if is_bound {
            if self.config.destination.is_outside() && !order.only_closes() {
                self.books.heard.note_bound(order_id, &self.books.orders);
            }
            self.bind(&intent)?;
        }
        Ok(Verdict::Approved(order_id))
    }

    /// Sends an amendment on its way, with a new price or (`None`) the one that the order has; `false` when the
    /// order cannot be amended now.
    pub(crate) fn request_replace(&mut self, order_id: OrderId, price_ticks: Option<i64>, lots: i64) -> bool {
        if !self.books.groups.is_off() && self.books.groups.is_dropped(order_id) {
            return false;
        }
        if self.renewals_used_up(order_id, false).is_some() {
            return false;
        }
        let Ok(update) = self.books.orders.note_replace(order_id, price_ticks, lots, self.now_ns) else {
            return false;
        };
        let (intent, filled_lots) = (update.order.intent, update.order.filled_lots);
        self.recorder.replace(self.now_ns, order_id, price_ticks, lots);
        if !self.books.groups.is_off() {
            self.books.groups.note_amendment(order_id);
        }
        if self.books.scopes.is_on() {
            self.tell_scopes(&intent);
        }
        let instrument = intent.instrument;
        if self.is_renewed(order_id) {
            self.renew(order_id, instrument, price_ticks);
        } else {
            self.dispatch(VenueRequest::Replace { order_id, instrument, price_ticks, lots, filled_lots });
        }
        true
    }

    /// Tells whether traces are kept at all.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        self.recorder.is_recording()
    }
}

/// Returns the word by which a trace names a wish to buy or to sell.
pub(crate) const fn asked_side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// Tells an amendment that only makes an order smaller from others. What is asked for already counts: an order
/// that is about to get another price or a smaller size does not get its old ones back as if they were nothing.
fn amendment_kind(order: &OpenOrder, price_ticks: Option<i64>, lots: i64) -> RequestKind {
    let keeps_price =
        price_ticks.is_none_or(|at| Some(at) == order.price_ticks && order.amending.price_ticks.is_none());
    if keeps_price && lots <= order.asked_lots() { RequestKind::Cut } else { RequestKind::Amend }
}

/// Returns the kind of an order as an amendment makes it; `None` when it cannot have that price.
fn amended_kind(order: &OpenOrder, price_ticks: Option<i64>, lots: i64) -> Option<OrderKind> {
    let kind = match (order.intent.kind, order.price_ticks) {
        // Once it waits, its price is known.
        (OrderKind::MarketToLimit, known) => OrderKind::Limit { price_ticks: known? },
        (OrderKind::TrailingStopLimit { .. }, Some(price_ticks)) => OrderKind::Limit { price_ticks },
        (kind, _) => kind.showing_at_most(lots),
    };
    match price_ticks {
        Some(price_ticks) => kind.with_price(price_ticks),
        None => order.price_ticks.map_or(Some(kind), |known| kind.with_price(known)),
    }
}
