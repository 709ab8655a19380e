//! Orders that only close: what they close together, and that they never close more than there is.
//!
//! An order can be bound in two ways. A *closing order* is reduce-only and bound to the whole position of its strategy;
//! most of this file is about these. An *exit* names the entry that it closes, and is bound to what that one opened.
//! Where positions hedge, a closing order names an open ticket and is bound to that; each ticket is a position of its
//! own here, with closing orders of its own.
//!
//! Several closing orders may wait on one side. Together they close no more than the position: a new one that would is
//! refused, and when the position shrinks those that wait are cut. Orders that cancel each other are one *unit*: only
//! one of them can fill, so a unit counts once, as large as its largest.
//!
//! # Example
//!
//! A strategy is long ten lots:
//!
//! | what happens | position | a limit at 110 | a stop at 90 |
//! |---|---|---|---|
//! | both are sent as reduce-only: together they close all ten | 10 | 6 | 4 |
//! | another reduce-only order of one lot is refused: nothing is left for it to close | 10 | 6 | 4 |
//! | a market order sells three: they close three too many, so the newest is cut by three | 7 | 6 | 1 |
//! | a market order sells two: the newest is cut by one, which ends it, and the older one by one | 5 | 5 | - |
//!
//! Had limit and stop been sent with ten lots each and as orders that cancel each other, the unit would count ten. After
//! the sale of three both are cut to seven, not to seven together. `rust/kernel/tests/worked_examples.rs` does all of
//! this.
//!
//! The sizes that are compared differ in what is still on its way. Before something new is allowed, an order counts
//! with what *may* still trade ([`OpenOrder::lots_at_stake`]). When it is decided what to cut, it counts with what is
//! *meant* to be open once the venue has answered ([`OpenOrder::meant_lots`]), so that nothing is cut twice.

use std::cmp::Reverse;

use std::collections::BTreeMap;

use tradecore_ledger::OpenOrder;
use tradecore_types::{CancelReason, InstrumentId, OrderId, OrderIntent, OrderKind, Side, StrategyId};

use crate::{Kernel, KernelError};

/// Whose closing orders, and on which side: a sell closes what is long, a buy what is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ClosingSide {
    strategy: StrategyId,
    instrument: InstrumentId,
    side: Side,
    /// The ticket that they close, where positions hedge: each has closing orders of its own.
    ticket: Option<OrderId>,
}

impl ClosingSide {
    fn has(self, intent: &OrderIntent) -> bool {
        (intent.strategy, intent.instrument, intent.side) == (self.strategy, self.instrument, self.side)
            && (self.ticket.is_none() || intent.closes == self.ticket)
    }
}

impl Kernel {
    /// Returns whose closing orders an order is one of, or would be.
    fn closing_side(&self, intent: &OrderIntent) -> ClosingSide {
        let OrderIntent { strategy, instrument, side, closes, .. } = *intent;
        let ticket = closes.filter(|_| self.books.ledger.is_hedged(instrument));
        ClosingSide { strategy, instrument, side, ticket }
    }

    // What is spoken for already

    /// Counts what a strategy's closing orders on the side of a new one close already. A unit counts once, by its
    /// first order; exits count only when they trade at once.
    ///
    /// A reduce-only market order trades before what rests: that is cut as it fills, so only what trades at once too
    /// counts against it. While an operator flattens the position at a venue outside nothing is left to close: see
    /// `withdraw_exits`.
    #[inline]
    pub(crate) fn closing_lots(&self, new: &OrderIntent) -> i64 {
        if new.reduce_only || self.books.orders.has_closing() { self.spoken_for(new) } else { 0 }
    }

    #[inline(never)]
    fn spoken_for(&self, new: &OrderIntent) -> i64 {
        if new.reduce_only
            && self.config.destination.is_outside()
            && self.is_flattened(new.strategy, new.instrument)
        {
            return self.closable_lots(self.closing_side(new));
        }
        let comes_first = new.reduce_only && new.kind == OrderKind::Market;
        let is_of_ticket = new.closes.is_some() && self.books.ledger.is_hedged(new.instrument);
        if !comes_first && !self.books.orders.has_closing() && !is_of_ticket {
            return 0;
        }
        let whose = self.closing_side(new);
        let is_before = |order: &OpenOrder| self.is_on_its_way(order) || (!comes_first && self.rests(order));
        self.books
            .orders
            .iter()
            .filter(|order| whose.has(&order.intent) && is_before(order))
            .filter(|order| self.counts(order, is_before))
            .map(OpenOrder::lots_at_stake)
            .fold(0, i64::saturating_add)
    }

    /// Tells whether an order that closes the same at once is on its way.
    pub(crate) fn is_closing_now(&self, rest: &OrderIntent) -> bool {
        let OrderIntent { strategy, instrument, closes, .. } = *rest;
        let is_hedged = self.books.ledger.is_hedged(instrument);
        self.books.orders.iter().any(|order| {
            (order.intent.strategy, order.intent.instrument) == (strategy, instrument)
                && (!is_hedged || order.intent.closes == closes)
                && self.is_on_its_way(order)
        })
    }

    /// Takes out of a position what is being closed at once already. The parts are signed lots with the entry they
    /// belong to.
    ///
    /// What closes a named entry is taken from that one, and before the rest is taken from the oldest: else the rest
    /// could leave nothing of it.
    pub(crate) fn leave_out_under_way(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        parts: &mut Vec<(i64, Option<OrderId>)>,
    ) {
        let Some(is_long) = parts.first().map(|part| part.0 > 0) else { return };
        if self.books.ledger.is_hedged(instrument) {
            self.leave_out_of_tickets(strategy, instrument, parts);
            return;
        }
        let side = if is_long { Side::Sell } else { Side::Buy };
        let whose = ClosingSide { strategy, instrument, side, ticket: None };
        let is_now = |order: &OpenOrder| self.is_on_its_way(order);
        for is_named in [true, false] {
            let under_way =
                self.books.orders.iter().filter(|order| whose.has(&order.intent) && is_now(order));
            for order in under_way.filter(|order| order.intent.closes.is_some() == is_named) {
                if self.counts(order, is_now) {
                    leave_out(parts, order.intent.closes, order.lots_at_stake());
                }
            }
        }
        parts.retain(|part| part.0 != 0);
    }

    /// Tells whether an order speaks for its unit among those that `is_counted` names: the first of them does, so that
    /// a unit counts once. One that the order just being judged will cancel does not count beside that one.
    fn counts(&self, order: &OpenOrder, is_counted: impl Fn(&OpenOrder) -> bool) -> bool {
        let order_id = order.intent.order_id;
        let comes_before = |other: &OpenOrder| other.intent.order_id < order_id && is_counted(other);
        let is_first = || !self.unit(self.closing_side(&order.intent), order_id).any(comes_before);
        !self.books.groups.is_joined(order_id)
            && (self.books.groups.group_of(order_id).is_none() || is_first())
    }

    /// Takes out of tickets what is being closed of each at once already.
    fn leave_out_of_tickets(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        parts: &mut Vec<(i64, Option<OrderId>)>,
    ) {
        let is_now = |order: &OpenOrder| self.is_on_its_way(order);
        for (lots, ticket) in parts.iter_mut() {
            let side = if *lots > 0 { Side::Sell } else { Side::Buy };
            let whose = ClosingSide { strategy, instrument, side, ticket: *ticket };
            let under_way =
                self.books.orders.iter().filter(|order| whose.has(&order.intent) && is_now(order));
            let counted = under_way.filter(|order| self.counts(order, is_now));
            let taken = counted.map(OpenOrder::lots_at_stake).fold(0, i64::saturating_add);
            *lots -= taken.min(lots.saturating_abs()) * lots.signum();
        }
        parts.retain(|part| part.0 != 0);
    }

    /// Returns how much of a position, or of the ticket that is named, orders on this side can close. Where positions
    /// hedge, an order that names none closes nothing.
    fn closable_lots(&self, whose: ClosingSide) -> i64 {
        let ClosingSide { strategy, instrument, side, ticket } = whose;
        let held_lots = match ticket {
            Some(ticket) => self.books.ledger.lots_of_entry(strategy, instrument, ticket),
            None if self.books.ledger.is_hedged(instrument) => 0,
            None => self.books.ledger.position(strategy, instrument),
        };
        side.closable_lots(held_lots)
    }

    /// Tells whether an order is a closing order: it may only close, and is bound to the whole position or, where
    /// positions hedge, to a ticket that was open when it was sent. An exit that follows an entry is none.
    pub(crate) fn is_closing_order(&self, order: &OpenOrder) -> bool {
        let intent = &order.intent;
        intent.is_bound_to_position()
            || intent.reduce_only
                && self.books.ledger.is_hedged(intent.instrument)
                && !self.books.groups.follows_entry(intent.order_id)
    }

    /// Tells whether a closing order waits where it can be cut: a market order trades before it could be.
    fn rests(&self, order: &OpenOrder) -> bool {
        order.intent.kind != OrderKind::Market && self.is_closing_order(order)
    }

    /// Returns how much of a position, or of a ticket, open exits close on this side; those that cancel each other count
    /// once.
    pub(crate) fn exit_lots(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        side: Side,
        ticket: Option<OrderId>,
    ) -> i64 {
        let whose = ClosingSide { strategy, instrument, side, ticket };
        let mut of_groups: BTreeMap<OrderId, i64> = BTreeMap::new();
        for order in self.books.orders.iter().filter(|order| order.only_closes() && whose.has(&order.intent))
        {
            let order_id = order.intent.order_id;
            let group = self.books.groups.group_of(order_id).unwrap_or(order_id);
            let largest = of_groups.entry(group).or_default();
            *largest = order.meant_lots().max(*largest);
        }
        of_groups.into_values().fold(0, i64::saturating_add)
    }

    // When the position has shrunk

    /// Remembers that closing orders of a strategy may have become too large. Orphans are cut once all that happened at
    /// this moment is booked.
    pub(crate) fn note_orphans(&mut self, strategy: StrategyId, instrument: InstrumentId) {
        if self.outgoing.orphaned.last() != Some(&(strategy, instrument)) {
            self.outgoing.orphaned.push((strategy, instrument));
        }
    }

    /// Cuts closing orders to what can still be closed: the newest unit first, for the oldest keep their size and their
    /// place at the venue. A unit is as old as the first order of it.
    pub(crate) fn trim_orphans(&mut self) {
        while let Some((strategy, instrument)) = self.outgoing.orphaned.pop() {
            if self.books.ledger.is_hedged(instrument) {
                self.trim_tickets(strategy, instrument);
                continue;
            }
            for side in [Side::Buy, Side::Sell] {
                self.trim(ClosingSide { strategy, instrument, side, ticket: None });
            }
        }
    }

    /// Cuts what waits to close tickets, each of them by itself.
    fn trim_tickets(&mut self, strategy: StrategyId, instrument: InstrumentId) {
        let is_its = |order: &&OpenOrder| {
            (order.intent.strategy, order.intent.instrument) == (strategy, instrument)
                && self.rests_there(order)
        };
        let its = self.books.orders.iter().filter(is_its);
        let mut tickets: Vec<_> = its.map(|order| (order.intent.closes, order.intent.side)).collect();
        tickets.sort_unstable_by_key(|(ticket, side)| (*ticket, side.sign()));
        tickets.dedup();
        for (ticket, side) in tickets {
            self.trim(ClosingSide { strategy, instrument, side, ticket });
        }
    }

    /// Cuts what waits on one side by as much as it would close too much.
    fn trim(&mut self, whose: ClosingSide) {
        // The memory is kept from one time to the next.
        let mut numbers = std::mem::take(&mut self.outgoing.met);
        let closing =
            self.books.orders.iter().filter(|order| self.rests_there(order) && whose.has(&order.intent));
        let counted = closing.filter(|order| self.counts(order, |other| self.rests(other)));
        numbers.extend(counted.map(|order| order.intent.order_id));
        let all_lots = numbers.iter().map(|id| self.unit_lots(whose, *id)).fold(0, i64::saturating_add);
        let mut excess_lots = all_lots.saturating_sub(self.closable_lots(whose));
        if excess_lots > 0 {
            numbers.sort_unstable();
        }
        while let Some(order_id) = numbers.pop().filter(|_| excess_lots > 0) {
            let lots = self.unit_lots(whose, order_id);
            let cut_lots = lots.min(excess_lots);
            debug_assert!(cut_lots <= lots, "no unit is cut by more than it has");
            if cut_lots > 0 && self.cut_unit(whose, order_id, lots - cut_lots) {
                excess_lots -= cut_lots;
            }
        }
        numbers.clear();
        self.outgoing.met = numbers;
    }

    /// Tells whether a closing order waits at the venue. One that is held is known here only, and is measured when it is
    /// sent.
    fn rests_there(&self, order: &OpenOrder) -> bool {
        self.rests(order) && !self.books.groups.is_held(order.intent.order_id)
    }

    /// Returns what a unit closes: what its order does, or the largest of those that cancel each other.
    fn unit_lots(&self, whose: ClosingSide, order_id: OrderId) -> i64 {
        match self.books.groups.group_of(order_id) {
            Some(_) => self.unit(whose, order_id).map(OpenOrder::meant_lots).max().unwrap_or(0),
            None => self.books.orders.get(order_id).map_or(0, OpenOrder::meant_lots),
        }
    }

    /// Visits a unit: an order, and the closing orders of its side that it cancels and that cancel it.
    fn unit(&self, whose: ClosingSide, order_id: OrderId) -> impl Iterator<Item = &OpenOrder> {
        let group = self.books.groups.group_of(order_id);
        self.books.orders.iter().filter(move |order| {
            let id = order.intent.order_id;
            id == order_id
                || (group.is_some()
                    && self.is_closing_order(order)
                    && whose.has(&order.intent)
                    && self.books.groups.group_of(id) == group)
        })
    }

    /// Makes every order of a unit that waits no larger than this; 0 cancels them. `false` when the order is not open.
    ///
    /// Each cut changes the orders, so the next one is looked up anew: that of the next higher number.
    fn cut_unit(&mut self, whose: ClosingSide, order_id: OrderId, lots: i64) -> bool {
        let mut next = Some(order_id);
        while let Some(order_id) = next {
            let Some(order) = self.books.orders.get(order_id) else { return false };
            if order.meant_lots() > lots {
                self.cut(order_id, lots, CancelReason::Linked);
            }
            next = self.books.groups.group_of(order_id).and_then(|_| {
                let of_unit = self.unit(whose, order_id).filter(|order| self.rests_there(order));
                of_unit.map(|order| order.intent.order_id).filter(|other| *other > order_id).min()
            });
        }
        true
    }

    /// Asks for a smaller open size at the price the order has, or for its end when nothing is to be left.
    fn cut(&mut self, order_id: OrderId, lots: i64, reason: CancelReason) {
        if lots > 0 {
            self.request_replace(order_id, None, lots);
        } else {
            self.request_cancel(order_id, reason);
        }
    }

    // When trading is halted

    /// Cancels what could add risk for a strategy or an account that was just halted.
    ///
    /// What closes the position stays, up to its size, because a halt must not take the protection away: stops first,
    /// for they limit the loss, then the others, each the oldest first. What stays is bound to the position from now
    /// on, as if it had been sent as reduce-only.
    pub(crate) fn withdraw_halted(&mut self) -> Result<(), KernelError> {
        if !self.books.scopes.take_tripped() {
            return Ok(());
        }
        let mut stopped = std::mem::take(&mut self.outgoing.met);
        let is_halted = |intent: &OrderIntent| {
            self.books.scopes.is_halted(intent.strategy, self.account_of(intent.instrument))
        };
        let adds = |order: &&OpenOrder| !order.only_closes() && is_halted(&order.intent);
        stopped.extend(self.books.orders.iter().filter(adds).map(|order| order.intent.order_id));
        // What others made is ended by a kill or on request only.
        stopped.retain(|order_id| !self.books.heard.names().is_adopted(*order_id));
        stopped.sort_unstable();
        for are_stops in [true, false] {
            for order_id in &stopped {
                let order = self.books.orders.get(*order_id).copied();
                if let Some(order) = order.filter(|order| is_stop(order.intent.kind) == are_stops) {
                    self.withdraw(&order)?;
                }
            }
        }
        stopped.clear();
        self.outgoing.met = stopped;
        Ok(())
    }

    /// Cancels an order of a halted strategy but for what closes its position and nothing else closes already.
    fn withdraw(&mut self, order: &OpenOrder) -> Result<(), KernelError> {
        let intent = order.intent;
        let whose = self.closing_side(&intent);
        let of_unit = self.unit(whose, intent.order_id).filter(|other| self.is_closing_order(other));
        // The first of a unit that stays has taken the room; the others of it may be as large, and no larger.
        let room_lots = match of_unit.map(OpenOrder::meant_lots).max() {
            Some(lots) => lots,
            None => self.closable_lots(whose).saturating_sub(self.covered_lots(whose)).max(0),
        };
        let lots =
            if self.books.groups.is_unsent(intent.order_id) { 0 } else { order.meant_lots().min(room_lots) };
        if lots > 0 {
            self.bind(&intent)?;
        }
        if lots == 0 || lots < order.meant_lots() {
            self.cut(intent.order_id, lots, CancelReason::Halted);
        }
        Ok(())
    }

    /// Counts what closing orders and exits on a side close already.
    fn covered_lots(&self, whose: ClosingSide) -> i64 {
        let of_side = self.books.orders.iter().filter(|order| whose.has(&order.intent));
        let is_closing = |order: &OpenOrder| self.is_closing_order(order);
        let units = of_side.filter(|order| is_closing(order) && self.counts(order, is_closing));
        let closing = units.map(|order| self.unit_lots(whose, order.intent.order_id));
        closing.fold(self.covered_by_exits(whose), i64::saturating_add)
    }

    /// Counts what exits on a side close already. The exits of one entry close the same lots, so the largest of them
    /// counts (the oldest of equals), and no more than what is left of the entry. One that has ended while it was held
    /// closes nothing.
    fn covered_by_exits(&self, whose: ClosingSide) -> i64 {
        let is_over = |order: &OpenOrder| self.books.groups.is_dropped(order.intent.order_id);
        let of_side = || self.books.orders.iter().filter(|order| whose.has(&order.intent) && !is_over(order));
        let rank = |order: &OpenOrder| (order.meant_lots(), Reverse(order.intent.order_id));
        let is_largest = |exit: &OpenOrder| {
            of_side().all(|order| order.intent.closes != exit.intent.closes || rank(order) <= rank(exit))
        };
        let lots = |exit: &OpenOrder| {
            let entry = exit.intent.closes?;
            let held_lots = self.books.ledger.lots_of_entry(whose.strategy, whose.instrument, entry);
            Some(exit.meant_lots().min(held_lots.saturating_abs()))
        };
        let largest = of_side().filter(|order| order.intent.closes.is_some() && is_largest(order));
        largest.filter_map(lots).fold(0, i64::saturating_add)
    }

    /// Makes an open order one that may only close, unless it is one already: in the books, at a venue that sees to that
    /// itself, and for its scopes, where it no longer counts as something that adds.
    pub(crate) fn bind(&mut self, intent: &OrderIntent) -> Result<(), KernelError> {
        if self.books.orders.get(intent.order_id).is_none_or(OpenOrder::only_closes) {
            return Ok(());
        }
        self.books.orders.bind(intent.order_id)?;
        let Some(market) = self.markets.get_mut(intent.instrument.index()) else { return Ok(()) };
        market.venue.bind(intent.order_id);
        if !self.books.scopes.is_on() {
            return Ok(());
        }
        self.books.tell_changed(intent, &market.instrument);
        Ok(())
    }
}

/// Takes lots out of the parts of a position: those of the entry that is named, or without one the oldest first.
fn leave_out(parts: &mut [(i64, Option<OrderId>)], entry: Option<OrderId>, mut lots: i64) {
    for part in parts.iter_mut().filter(|part| entry.is_none() || part.1.is_none() || part.1 == entry) {
        let taken = lots.min(part.0.saturating_abs());
        part.0 -= taken * part.0.signum();
        lots -= taken;
    }
}

/// Tells whether an order is one that limits a loss.
const fn is_stop(kind: OrderKind) -> bool {
    matches!(
        kind,
        OrderKind::Stop { .. }
            | OrderKind::StopLimit { .. }
            | OrderKind::TrailingStop { .. }
            | OrderKind::TrailingPercent { .. }
            | OrderKind::TrailingStopLimit { .. }
    )
}
