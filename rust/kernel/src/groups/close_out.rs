//! What is to be closed out: it is tried on at every change of the market until nothing is left of it.
//!
//! There are two of them. An operator flattens a *position*. And an order that may only close leaves a *rest*: the
//! market order that it is, or was set off to be, found too little depth, the venue did not take it because there
//! was nobody or the book was not to be trusted, or self-trade prevention took it out. A rest is sent once, as a
//! new order with a number of its own; what that one leaves is the next rest. One market order of a strategy that
//! closes is on its way at a time.
//!
//! A flatten may close by limit orders before it goes at the market: see `by_limit`.
//!
//! **Invariant:** what is sent never closes more than there is, of the position and of the entry it is about.

use tradecore_ledger::{ClosedOrder, OpenOrder, OrderState};
use tradecore_types::{
    ByLimit, CancelReason, InstrumentId, OrderId, OrderIntent, OrderKind, RejectReason, Report, ReportBody,
    Scope, Side, Size, StrategyId, SurpriseKind,
};

use crate::books::tickets::held_for;
use crate::groups::by_limit::Way;
use crate::groups::doubted::lots_in;
use crate::groups::to_close::{ASK_AGAIN_NS, CloseOut, Ending, Flattening, Refused, Rest, Ties, TooLarge};
use crate::markets::market::Market;
use crate::{Kernel, KernelError};

impl Kernel {
    /// Remembers what a closing order has left undone, until the market of its instrument changes.
    ///
    /// A flatten closes the whole position anyway, and a killed engine sends nothing.
    pub(crate) fn note_rest(&mut self, rest: Rest) {
        let OrderIntent { strategy, instrument, .. } = rest.intent;
        if self.is_flattened(strategy, instrument) || self.is_killed_for(strategy, instrument) {
            return;
        }
        let is_known = self.books.groups.close_outs.iter_mut().any(|known| match known {
            CloseOut::Rest(known) => known.join(&rest),
            CloseOut::Position(_) | CloseOut::TooLarge(_) | CloseOut::Ending(_) | CloseOut::Resting(_) => {
                false
            }
        });
        if !is_known {
            self.books.groups.close_outs.push(CloseOut::Rest(rest));
        }
    }

    /// Tells whether an operator is flattening a position.
    pub(crate) fn is_flattened(&self, strategy: StrategyId, instrument: InstrumentId) -> bool {
        self.books.groups.close_outs.iter().any(|known| match known {
            CloseOut::Position(of) => {
                (of.strategy, of.instrument) == (strategy, instrument) && !self.waits_for_doubted(of)
            }
            _ => false,
        })
    }

    /// An order of a group has filled by so much: what another one of them has left undone is less by that.
    /// Who cancels one of them cancels all (`None`).
    pub(crate) fn note_partner(&mut self, partner: Ties, filled_lots: Option<i64>) {
        let mut next = 0;
        while let Some(known) = self.books.groups.close_outs.get_mut(next) {
            if let CloseOut::Rest(rest) = known
                && (rest.ties.group, true) == (partner.group, rest.ties.line != partner.line)
            {
                let less_lots = filled_lots.map_or(rest.lots, |lots| lots.min(rest.lots));
                rest.lots -= less_lots;
                let (ties, is_all) = (rest.ties, rest.lots == 0);
                self.books.groups.note_less(ties, less_lots, is_all);
                if is_all {
                    self.books.groups.close_outs.remove(next);
                    continue;
                }
            }
            next += 1;
        }
    }

    /// Forgets what the order with this number has left undone, because its strategy wants it no longer; `false`
    /// when there is nothing.
    pub(crate) fn give_up_rest(&mut self, strategy: StrategyId, order_id: OrderId) -> bool {
        let is_meant = |known: &CloseOut| match known {
            CloseOut::Rest(Rest { intent, .. }) => (intent.strategy, intent.order_id) == (strategy, order_id),
            CloseOut::Position(_) | CloseOut::TooLarge(_) | CloseOut::Ending(_) | CloseOut::Resting(_) => {
                false
            }
        };
        let Some(place) = self.books.groups.close_outs.iter().position(is_meant) else { return false };
        self.recorder.cancel(self.now_ns, order_id, strategy);
        if place < self.books.groups.close_outs.len()
            && let CloseOut::Rest(rest) = self.books.groups.close_outs.remove(place)
        {
            self.books.groups.note_done(rest.ties, rest.lots, true);
        }
        if !self.outgoing.schedule.has_report_by(self.now_ns) {
            self.work_cuts();
        }
        true
    }

    /// The market of an instrument has changed: tries on what is to be closed there, once the reports of this
    /// moment are read. They may be about orders that close the same.
    #[inline]
    pub(crate) fn go_on_closing(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        if self.books.groups.close_outs.is_empty() {
            return Ok(());
        }
        if !self.outgoing.changed.contains(&instrument) {
            self.outgoing.changed.push(instrument);
        }
        self.follow_reports()
    }

    /// Tries on what is to be closed where the market has changed.
    pub(crate) fn close_where_changed(&mut self) -> Result<(), KernelError> {
        while let Some(instrument) = self.outgoing.changed.pop() {
            self.close_again(instrument)?;
        }
        Ok(())
    }

    fn close_again(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        let mut next = 0;
        while let Some(known) = self.books.groups.close_outs.get(next).copied() {
            let stays = match known {
                _ if known.instrument() != instrument => true,
                CloseOut::Position(flattening) => self.flatten_again(&flattening)?,
                CloseOut::Rest(rest) => self.send_rest(&rest, next)?,
                CloseOut::TooLarge(exit) => self.cut_again(&exit),
                CloseOut::Ending(ending) => self.end_again(&ending),
                CloseOut::Resting(resting) => self.end_resting(&resting),
            };
            if stays {
                next += 1;
            }
        }
        Ok(())
    }

    /// Sends an order for what a flatten has left, unless one is on its way: at the market, or by limit while it has
    /// time. Tells whether to go on; a position that is flat is done.
    fn flatten_again(&mut self, flattening: &Flattening) -> Result<bool, KernelError> {
        if self.is_under_way(flattening) {
            return Ok(true);
        }
        if self.is_closed(flattening) {
            return Ok(self.wait_for_doubted(flattening));
        }
        let Flattening { strategy, instrument, refused, .. } = *flattening;
        let parts = self.parts_to_close(flattening);
        let lots = lots_in(&parts);
        if refused.is_some_and(|refused| refused.lots == lots && self.now_ns < refused.not_before_ns) {
            return Ok(true);
        }
        let mark_ticks = match self.way_of(flattening) {
            Way::AtMarket => None,
            Way::ByLimit(mark_ticks) => Some(mark_ticks),
            Way::NotYet => return Ok(true),
        };
        let is_hedged = self.books.ledger.is_hedged(instrument);
        let side = if lots > 0 { Side::Sell } else { Side::Buy };
        let is_possible = is_hedged || lots != 0 && (mark_ticks.is_some() || self.is_taken(instrument, side));
        if !is_possible || self.withdraw_exits(flattening) {
            return Ok(true);
        }
        if let Some(mark_ticks) = mark_ticks {
            self.rest_to_close(flattening, &parts, mark_ticks)?;
            return Ok(true);
        }
        for (lots, entry) in parts {
            let side = if lots > 0 { Side::Sell } else { Side::Buy };
            if self.is_taken(instrument, side) {
                self.close_lots(strategy, instrument, lots, entry)?;
            }
        }
        Ok(true)
    }

    /// Returns what of a position nothing in doubt can close, signed: an order of which nobody knows whether it is there
    /// may have closed its part, or do so yet.
    pub(crate) fn known_to_be_open(&self, strategy: StrategyId, instrument: InstrumentId) -> i64 {
        let position_lots = self.books.ledger.position(strategy, instrument);
        if !self.config.destination.is_outside() {
            return position_lots;
        }
        let side = if position_lots > 0 { Side::Sell } else { Side::Buy };
        let is_in_doubt = |order: &&OpenOrder| {
            let intent = &order.intent;
            (intent.strategy, intent.instrument, intent.side) == (strategy, instrument, side)
                && order.state == OrderState::Unknown
        };
        let doubted = self.books.orders.iter().filter(is_in_doubt).map(OpenOrder::lots_at_stake);
        let doubted_lots = doubted.fold(0_i64, i64::saturating_add);
        position_lots.saturating_abs().saturating_sub(doubted_lots).max(0) * position_lots.signum()
    }

    /// Asks for the end of what else closes a position at a venue outside; tells whether some of that is open.
    ///
    /// Such a venue may count all that closes, and would refuse the flatten beside an exit that rests. An entry that
    /// filled before its end was heard of has such exits.
    fn withdraw_exits(&mut self, flattening: &Flattening) -> bool {
        let Flattening { strategy, instrument, asked_ns, asked_until, .. } = *flattening;
        if !self.config.destination.is_outside() {
            return false;
        }
        let exits: Vec<_> = self.known_exits(strategy, instrument).collect();
        let Some(newest) = exits.iter().max().copied() else { return false };
        let is_due = asked_ns.is_none_or(|asked_ns| self.now_ns >= asked_ns.saturating_add(ASK_AGAIN_NS));
        for order_id in exits.into_iter().filter(|order_id| is_due || *order_id > asked_until) {
            self.request_cancel(order_id, CancelReason::Requested);
        }
        for known in &mut self.books.groups.close_outs {
            if let CloseOut::Position(known) = known
                && known == flattening
            {
                known.asked_until = asked_until.max(newest);
                known.asked_ns = if is_due { Some(self.now_ns) } else { asked_ns };
            }
        }
        true
    }

    /// The orders that may only close and are open. One in doubt is asked about already, and its end is asked for once
    /// it is known.
    fn known_exits(&self, strategy: StrategyId, instrument: InstrumentId) -> impl Iterator<Item = OrderId> {
        let is_meant = move |order: &&OpenOrder| {
            (order.intent.strategy, order.intent.instrument) == (strategy, instrument)
                && order.only_closes()
                && order.state != OrderState::Unknown
        };
        self.books.orders.iter().filter(is_meant).map(|exit| exit.intent.order_id)
    }

    /// The venue refused an order of a flatten. Beside an exit that is why, and it goes out again once that has ended;
    /// with nothing in its way it goes out once more at once and then waits: books and venue may differ, and each change of
    /// the market would bring the same answer.
    fn note_refused_flatten(&mut self, strategy: StrategyId, instrument: InstrumentId) {
        if self.known_exits(strategy, instrument).next().is_some() {
            return;
        }
        let (now_ns, again_ns) = (self.now_ns, self.now_ns.saturating_add(ASK_AGAIN_NS));
        let mut close_outs = std::mem::take(&mut self.books.groups.close_outs);
        for known in &mut close_outs {
            // One that closes by limit has a pace of its own.
            if let CloseOut::Position(of) = known
                && (of.strategy, of.instrument) == (strategy, instrument)
                && of.limited.is_none_or(|limited| now_ns >= limited.until_ns)
            {
                // What was in its way may have ended just before this was told.
                let lots = lots_in(&self.parts_to_close(of));
                let is_again = of.refused.is_some_and(|refused| refused.lots == lots);
                let not_before_ns = if is_again { again_ns } else { now_ns };
                of.refused = Some(Refused { lots, not_before_ns });
            }
        }
        self.books.groups.close_outs = close_outs;
    }

    /// Measures an exit anew that the venue did not make smaller, once that is due; tells whether it still waits.
    fn cut_again(&mut self, exit: &TooLarge) -> bool {
        if self.now_ns < exit.not_before_ns {
            return true;
        }
        self.books.groups.close_outs.retain(|known| *known != CloseOut::TooLarge(*exit));
        self.measure_anew(exit.order_id);
        false
    }

    /// Does what follows when a venue outside refuses what was asked of an exit.
    ///
    /// A cut is asked for again after a while. An exit that it does not take leaves a position without it: what provably
    /// never got there is sent again, and everything else is said, because only people can mend it. That a condition of
    /// the order itself does not hold is no news, nor is the end of one that `is_to_end` as its strategy asked.
    pub(crate) fn follow_refusal(&mut self, report: &Report, is_to_end: bool) {
        match report.body {
            ReportBody::ReplaceRejected(reason) if reason != RejectReason::Unsupported => {
                let order = self.books.orders.get(report.order_id).filter(|order| order.only_closes());
                if let Some(instrument) = order.map(|order| order.intent.instrument) {
                    let (order_id, not_before_ns) =
                        (report.order_id, self.now_ns.saturating_add(ASK_AGAIN_NS));
                    self.books.groups.close_outs.push(CloseOut::TooLarge(TooLarge {
                        order_id,
                        instrument,
                        not_before_ns,
                    }));
                }
            }
            ReportBody::Rejected(RejectReason::WouldTake | RejectReason::CannotFillWhole) => {}
            ReportBody::Rejected(_) if !is_to_end => self.follow_refused_exit(report.order_id),
            ReportBody::CancelRejected(reason) => self.follow_refused_end(report.order_id, reason),
            _ => {}
        }
    }

    fn follow_refused_exit(&mut self, order_id: OrderId) {
        let not_before_ns = self.now_ns.saturating_add(ASK_AGAIN_NS);
        for known in &mut self.books.groups.close_outs {
            if let CloseOut::Rest(rest) = known
                && rest.intent.order_id == order_id
            {
                *rest = rest.not_before(not_before_ns);
                return;
            }
        }
        let Some(order) = self.books.orders.find_closed(order_id).copied() else { return };
        let ClosedOrder { strategy, instrument, side, reduce_only, .. } = order;
        if self.books.heard.is_bound(order_id) {
            // Its strategy meant it to open: it came at a time when only closing is allowed.
            return;
        }
        if reduce_only && self.is_flattened(strategy, instrument) {
            return self.note_refused_flatten(strategy, instrument);
        }
        let open_lots = side.closable_lots(held_for(&self.books.ledger, &order));
        if reduce_only && open_lots > 0 && !self.is_killed_for(strategy, instrument) {
            self.books.heard.note_refused_exit(&order);
            self.note_surprise(instrument, order_id, SurpriseKind::ExitRefused);
        }
    }

    /// Sends the rest at a place again; tells whether it still waits.
    fn send_rest(&mut self, rest: &Rest, place: usize) -> Result<bool, KernelError> {
        let OrderIntent { strategy, instrument, side, .. } = rest.intent;
        let lots = rest.lots.min(self.closable_for(&rest.intent));
        if lots < rest.lots {
            self.books.groups.note_less(rest.ties, rest.lots - lots, lots == 0);
            if let Some(CloseOut::Rest(known)) = self.books.groups.close_outs.get_mut(place) {
                known.lots = lots;
            }
        }
        if lots == 0 {
            self.books.groups.close_outs.remove(place);
            return Ok(false);
        }
        if rest.not_before_ns.is_some_and(|not_before_ns| self.now_ns < not_before_ns) {
            return Ok(true);
        }
        let waits =
            rest.is_market() && (self.is_closing_now(&rest.intent) || !self.is_offered(instrument, side));
        if waits {
            return Ok(true);
        }
        self.books.groups.close_outs.remove(place);
        let order_id = self.next_order_id();
        let intent = OrderIntent { order_id, size: Size::Lots(lots), time_ns: self.now_ns, ..rest.intent };
        self.send_closing(&intent)?;
        self.books.groups.follow_up(order_id, rest.ties, rest.is_market());
        if !rest.is_market() {
            // Others may have been sent meanwhile that close the same.
            self.note_orphans(strategy, instrument);
        }
        Ok(false)
    }

    /// Returns how much there is that an order which may only close can close.
    pub(crate) fn closable_for(&self, intent: &OrderIntent) -> i64 {
        let held_lots = match intent.closes {
            Some(entry) => self.books.ledger.lots_of_entry(intent.strategy, intent.instrument, entry),
            None => self.books.ledger.position(intent.strategy, intent.instrument),
        };
        held_lots.saturating_mul(intent.side.opposite().sign()).max(0)
    }

    /// Tells whether anybody is seen with whom an order of this side could trade.
    pub(crate) fn is_offered(&self, instrument: InstrumentId, side: Side) -> bool {
        let (bid, ask) = self.best(instrument);
        if side == Side::Buy { ask.is_some() } else { bid.is_some() }
    }

    /// Tells whether an order is one that closes at once and has been sent; so does a stop that is set off. What a
    /// market-to-limit order leaves waits at its limit.
    pub(crate) fn is_on_its_way(&self, order: &OpenOrder) -> bool {
        let OrderIntent { order_id, kind, reduce_only, .. } = order.intent;
        let is_now = match kind {
            OrderKind::Market => true,
            OrderKind::MarketToLimit => order.filled_lots == 0,
            kind => order.is_set_off && kind.trades_when_set_off(),
        };
        reduce_only && is_now && !self.books.groups.is_unsent(order_id)
    }

    /// Tells whether a market order of this side finds somebody: one is seen, or it is filled by the next bar.
    pub(crate) fn is_taken(&self, instrument: InstrumentId, side: Side) -> bool {
        let market = self.markets.get(instrument.index());
        market.is_some_and(|market| market.venue.traits().has_certain_cancels)
            || self.is_offered(instrument, side)
    }

    /// Notes every position within a scope, or all of them, and every one that an order under way may still open. They
    /// take the place of all that was to be closed there.
    ///
    /// Where a cancel is certain and a market order always fills, as against bars, nothing is left to follow of what is
    /// closed at the market; but where there is margin, a liquidation may end such an order first.
    pub(crate) fn note_flattenings(&mut self, within: Option<Scope>, by: Option<ByLimit>) {
        self.forget_close_outs(within);
        let is_certain = |market: &Market| {
            market.venue.traits().has_certain_cancels && self.margin_for(market.instrument.id).is_none()
        };
        let followed: Vec<InstrumentId> = (self.markets.iter())
            .filter(|market| by.is_some() || !is_certain(market))
            .map(|market| market.instrument.id)
            .collect();
        for instrument in followed {
            let limited = by.map(|by| self.limited(instrument, by));
            for strategy in (0..self.config.strategies).map(StrategyId) {
                if within.is_some_and(|scope| !self.place_of(strategy, instrument).is_within(scope)) {
                    continue;
                }
                let has_orders = self.books.orders.working(strategy, instrument).open_orders > 0;
                if has_orders || self.books.ledger.legs(strategy, instrument).size() != 0 {
                    let (last_order_id, asked_until) = (OrderId(0), OrderId(0));
                    let flattening = Flattening {
                        strategy,
                        instrument,
                        last_order_id,
                        asked_ns: None,
                        asked_until,
                        limited,
                        refused: None,
                        was_flat: false,
                    };
                    self.books.groups.close_outs.push(CloseOut::Position(flattening));
                }
            }
        }
    }

    /// Says which order is the last one from before what is being flattened.
    pub(crate) fn wait_for_orders_until(&mut self, last: OrderId, within: Option<Scope>) {
        let mut close_outs = std::mem::take(&mut self.books.groups.close_outs);
        for known in &mut close_outs {
            if let CloseOut::Position(flattening) = known {
                let place = self.place_of(flattening.strategy, flattening.instrument);
                if within.is_none_or(|scope| place.is_within(scope)) {
                    flattening.last_order_id = last;
                }
            }
        }
        self.books.groups.close_outs = close_outs;
    }

    /// Forgets what is to be closed within a scope, or all of it: something else takes its place. A limit order of a
    /// flatten has no time left.
    pub(crate) fn forget_close_outs(&mut self, within: Option<Scope>) {
        self.end_time_of_resting(within);
        let Some(scope) = within else {
            self.books.groups.close_outs.retain(|known| matches!(known, CloseOut::Resting(_)));
            return;
        };
        let mut close_outs = std::mem::take(&mut self.books.groups.close_outs);
        close_outs.retain(|known| {
            let strategy = match known {
                CloseOut::Position(of) => Some(of.strategy),
                CloseOut::Rest(rest) => Some(rest.intent.strategy),
                CloseOut::Resting(_) => return true,
                CloseOut::TooLarge(TooLarge { order_id, .. }) | CloseOut::Ending(Ending { order_id, .. }) => {
                    self.books.orders.get(*order_id).map(|order| order.intent.strategy)
                }
            };
            strategy.is_some_and(|strategy| !self.place_of(strategy, known.instrument()).is_within(scope))
        });
        self.books.groups.close_outs = close_outs;
    }

    /// Tells whether an order from before, or one that closes at once, may still change the position.
    ///
    /// What takes back a surplus is one of the latter: to close beside it would open the other side. One in doubt keeps
    /// nothing from being closed, which may take for ever: what it may close is left out, and what it has opened is closed
    /// later (`doubted`).
    fn is_under_way(&self, flattening: &Flattening) -> bool {
        let Flattening { strategy, instrument, last_order_id, .. } = *flattening;
        let is_from_before = |intent: &OrderIntent| {
            (intent.strategy, intent.instrument) == (strategy, instrument) && intent.order_id <= last_order_id
        };
        let is_of_it = |order: &OpenOrder| {
            let intent = &order.intent;
            (intent.strategy, intent.instrument) == (strategy, instrument) && self.is_on_its_way(order)
        };
        let known = self.books.orders.iter().filter(|order| order.state != OrderState::Unknown);
        known.into_iter().any(|order| is_from_before(&order.intent) || is_of_it(order))
            || self.rests_to_close(strategy, instrument)
    }

    /// Closes signed lots of a position, those of an entry first, with a market order, whatever the limits.
    pub(crate) fn close_lots(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        lots: i64,
        entry: Option<OrderId>,
    ) -> Result<(), KernelError> {
        let order_id = self.next_order_id();
        let intent = OrderIntent::closing(order_id, strategy, instrument, lots, entry, self.now_ns);
        self.send_closing(&intent)
    }

    /// Sends an order that only closes, whatever the limits.
    pub(crate) fn send_closing(&mut self, intent: &OrderIntent) -> Result<(), KernelError> {
        let position_lots = self.position_for(intent);
        let market = self.market(intent.instrument)?;
        match market.checks.approve_flatten(intent, position_lots) {
            Ok(order) => self.send(&order),
            Err(refusal) => Err(KernelError::Broken(format!("a closing order was refused: {refusal}"))),
        }
    }
}
