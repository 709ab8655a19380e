//! Orders that only close: what they close together, and that they never close more than there is.

use std::cmp::Reverse;

use tradecore_ledger::OpenOrder;
use tradecore_types::{CancelReason, InstrumentId, OrderId, OrderIntent, OrderKind, Side, StrategyId};

use crate::outgoing::orders::KEEPS_PRICE;
use crate::{Kernel, KernelError};

/// Whose orders, and on which side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ClosingSide {
    strategy: StrategyId,
    instrument: InstrumentId,
    side: Side,
}

impl ClosingSide {
    fn has(self, intent: &OrderIntent) -> bool {
        (intent.strategy, intent.instrument, intent.side) == (self.strategy, self.instrument, self.side)
    }
}

impl Kernel {
    /// Counts what a strategy's reduce-only orders on the side of a new one close already, exits that wait
    /// apart; of orders that cancel each other only the first.
    ///
    /// Before a reduce-only market order only others that trade at once come: what rests is cut as it fills.
    pub(crate) fn closing_lots(&self, new: &OrderIntent) -> i64 {
        let is_first = new.reduce_only && new.kind == OrderKind::Market;
        if !is_first && !self.books.orders.has_closing() {
            return 0;
        }
        let whose = ClosingSide { strategy: new.strategy, instrument: new.instrument, side: new.side };
        let is_meant = |order: &OpenOrder| {
            self.is_on_its_way(order)
                || (!is_first && is_closing(order) && order.intent.kind != OrderKind::Market)
        };
        self.books
            .orders
            .iter()
            .filter(|order| whose.has(&order.intent) && is_meant(order))
            .filter(|order| self.counts(order, is_meant))
            .map(OpenOrder::lots_at_stake)
            .fold(0, i64::saturating_add)
    }

    /// Takes out of the parts of a position, as signed lots with the entry they belong to, what is being closed at
    /// once already. What closes a named entry takes of that one, the rest of the oldest.
    pub(crate) fn leave_out_under_way(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        parts: &mut Vec<(i64, Option<OrderId>)>,
    ) {
        let Some(sign) = parts.first().map(|part| part.0.signum()) else { return };
        let side = if sign > 0 { Side::Sell } else { Side::Buy };
        let whose = ClosingSide { strategy, instrument, side };
        let is_meant = |order: &OpenOrder| self.is_on_its_way(order);
        for is_named in [true, false] {
            for order in self.books.orders.iter().filter(|order| whose.has(&order.intent) && is_meant(order))
            {
                let entry = order.intent.closes;
                if entry.is_some() != is_named || !self.counts(order, is_meant) {
                    continue;
                }
                let mut lots = order.lots_at_stake();
                for part in
                    parts.iter_mut().filter(|part| entry.is_none() || part.1.is_none() || part.1 == entry)
                {
                    let taken = lots.min(part.0.saturating_abs());
                    part.0 -= taken * sign;
                    lots -= taken;
                }
            }
        }
        parts.retain(|part| part.0 != 0);
    }

    /// Tells whether a closing order counts: of those meant that cancel each other, on a side, only the first does.
    fn counts(&self, order: &OpenOrder, is_meant: impl Fn(&OpenOrder) -> bool) -> bool {
        let OrderIntent { order_id, strategy, instrument, side, .. } = order.intent;
        let whose = ClosingSide { strategy, instrument, side };
        let comes_before = |other: &OpenOrder| other.intent.order_id < order_id && is_meant(other);
        let is_first = || !self.unit(whose, order_id).any(comes_before);
        !self.books.groups.is_joined(order_id)
            && (self.books.groups.group_of(order_id).is_none() || is_first())
    }

    /// Returns how much of a position orders on this side can close.
    fn closable_lots(&self, whose: ClosingSide) -> i64 {
        whose.side.closable_lots(self.books.ledger.position(whose.strategy, whose.instrument))
    }

    /// Remembers that reduce-only orders of a strategy may have become too large.
    pub(crate) fn note_orphans(&mut self, strategy: StrategyId, instrument: InstrumentId) {
        if self.orphaned.last() != Some(&(strategy, instrument)) {
            self.orphaned.push((strategy, instrument));
        }
    }

    /// Cuts reduce-only orders to what can still be closed: the newest first, the oldest keep their size and
    /// their place. Orders that cancel each other are one, as old as the first of them.
    pub(crate) fn trim_orphans(&mut self) {
        while let Some((strategy, instrument)) = self.orphaned.pop() {
            for side in [Side::Buy, Side::Sell] {
                self.trim(ClosingSide { strategy, instrument, side });
            }
        }
    }

    fn trim(&mut self, whose: ClosingSide) {
        let mut numbers = std::mem::take(&mut self.met);
        // A market order trades before it could be cut, and what rests is cut as that fills.
        let closing =
            self.books.orders.iter().filter(|order| self.rests_there(order) && whose.has(&order.intent));
        numbers.extend(closing.filter(|order| self.counts(order, rests)).map(|order| order.intent.order_id));
        let all_lots = numbers.iter().map(|id| self.unit_lots(whose, *id)).fold(0, i64::saturating_add);
        let mut excess_lots = all_lots.saturating_sub(self.closable_lots(whose));
        if excess_lots > 0 {
            numbers.sort_unstable();
        }
        while let Some(order_id) = numbers.pop().filter(|_| excess_lots > 0) {
            let lots = self.unit_lots(whose, order_id);
            let cut_lots = lots.min(excess_lots);
            if cut_lots > 0 && self.cut_unit(whose, order_id, lots - cut_lots) {
                excess_lots -= cut_lots;
            }
        }
        numbers.clear();
        self.met = numbers;
    }

    /// Tells whether such an order waits at the venue: one that is held is known here only, and is measured when it
    /// is sent.
    fn rests_there(&self, order: &OpenOrder) -> bool {
        rests(order) && !self.books.groups.is_held(order.intent.order_id)
    }

    /// Returns what an order closes, or the largest of those that cancel each other with it.
    fn unit_lots(&self, whose: ClosingSide, order_id: OrderId) -> i64 {
        match self.books.groups.group_of(order_id) {
            Some(_) => self.unit(whose, order_id).map(OpenOrder::meant_lots).max().unwrap_or(0),
            None => self.books.orders.get(order_id).map_or(0, OpenOrder::meant_lots),
        }
    }

    /// Visits an order and the reduce-only ones that cancel each other with it.
    fn unit(&self, whose: ClosingSide, order_id: OrderId) -> impl Iterator<Item = &OpenOrder> {
        let group = self.books.groups.group_of(order_id);
        self.books.orders.iter().filter(move |order| {
            let id = order.intent.order_id;
            id == order_id
                || (group.is_some()
                    && is_closing(order)
                    && whose.has(&order.intent)
                    && self.books.groups.group_of(id) == group)
        })
    }

    /// Makes an order that waits, and those that cancel each other with it, no larger than this; 0 cancels them.
    /// `false` when it is not open.
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

    fn cut(&mut self, order_id: OrderId, lots: i64, reason: CancelReason) {
        if lots > 0 {
            self.request_replace(order_id, KEEPS_PRICE, lots);
        } else {
            self.request_cancel(order_id, reason);
        }
    }

    /// Cancels what could add risk for a strategy or an account that was just halted.
    ///
    /// What closes the position stays, up to its size: stops first, then the others, each the oldest first. It is
    /// bound to the position from now on, as if it had been sent as reduce-only.
    pub(crate) fn withdraw_halted(&mut self) -> Result<(), KernelError> {
        if !self.books.scopes.take_tripped() {
            return Ok(());
        }
        let mut stopped = std::mem::take(&mut self.met);
        let adds =
            |order: &&OpenOrder| !order.only_closes() && self.books.scopes.is_halted(order.intent.strategy);
        stopped.extend(self.books.orders.iter().filter(adds).map(|order| order.intent.order_id));
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
        self.met = stopped;
        Ok(())
    }

    /// Cancels an order of a halted strategy but for what closes its position and nothing else closes already.
    fn withdraw(&mut self, order: &OpenOrder) -> Result<(), KernelError> {
        let intent = order.intent;
        let whose =
            ClosingSide { strategy: intent.strategy, instrument: intent.instrument, side: intent.side };
        let of_unit = self.unit(whose, intent.order_id).filter(|other| is_closing(other));
        // Of orders that cancel each other one closes; the first that stays speaks for all.
        let room_lots = match of_unit.map(OpenOrder::meant_lots).max() {
            Some(lots) => lots,
            None => self.closable_lots(whose).saturating_sub(self.covered_lots(whose)).max(0),
        };
        let lots =
            if self.books.groups.is_held(intent.order_id) { 0 } else { order.meant_lots().min(room_lots) };
        if lots > 0 {
            self.bind(&intent)?;
        }
        if lots == 0 || lots < order.meant_lots() {
            self.cut(intent.order_id, lots, CancelReason::Halted);
        }
        Ok(())
    }

    /// Counts what reduce-only orders and exits close already.
    fn covered_lots(&self, whose: ClosingSide) -> i64 {
        let of_these = || self.books.orders.iter().filter(|order| whose.has(&order.intent));
        let counted = of_these().filter(|order| is_closing(order) && self.counts(order, is_closing));
        let closing = counted.map(|order| self.unit_lots(whose, order.intent.order_id));
        // Of the exits of one entry the largest counts, the oldest of equals.
        let rank = |order: &OpenOrder| (order.meant_lots(), Reverse(order.intent.order_id));
        let is_largest = |exit: &OpenOrder| {
            of_these().all(|order| order.intent.closes != exit.intent.closes || rank(order) <= rank(exit))
        };
        let exits = of_these().filter(|order| order.intent.closes.is_some() && is_largest(order));
        let exits = exits.map(|exit| {
            let entry = exit.intent.closes.unwrap_or(exit.intent.order_id);
            let held_lots = self.books.ledger.lots_of_entry(whose.strategy, whose.instrument, entry);
            exit.meant_lots().min(held_lots.saturating_abs())
        });
        closing.chain(exits).fold(0, i64::saturating_add)
    }

    /// Makes an open order one that may only close, unless it is one already.
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

/// Tells whether an order may only close and names no entry.
const fn is_closing(order: &OpenOrder) -> bool {
    order.intent.is_bound_to_position()
}

/// Tells whether such an order waits where it can be cut.
fn rests(order: &OpenOrder) -> bool {
    is_closing(order) && order.intent.kind != OrderKind::Market
}
