//! One order meets its price: close what it closes, open the rest if it can be paid, arm the exits.

use tradecore_types::{
    CancelReason, Liquidity, OrderId, OrderKind, PaidPrice, RejectReason, Report, ReportBody, Side, TimeNs,
    exit_kinds,
};

use super::BarAccount;
use super::matcher::BarMatcher;
use super::queue::Waiting;

/// Where and when an order fills.
#[derive(Clone, Copy, Debug)]
pub(super) struct FillTerms {
    /// The price of the fill, in ticks.
    pub price_ticks: i64,
    /// Price at which the account values what it holds meanwhile.
    pub mark_ticks: i64,
    /// The time that its reports carry, in UTC nanoseconds.
    pub venue_time_ns: TimeNs,
    /// Whether it waited in the book or traded on arrival, which decides the fee.
    pub liquidity: Liquidity,
    /// Low and high of its bar: slippage does not leave them, unless it is asked to.
    pub range_ticks: [i64; 2],
    /// Price before slippage, which then depends on the size; `None` when there is none.
    pub bar_ticks: Option<i64>,
    /// Largest size that may fill now.
    pub lots_max: i64,
    /// Whether it fills whole and without slippage, because the data end.
    pub is_final: bool,
}

/// What became of an order that met its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Done {
    /// Whether it opened a position.
    pub opened: bool,
    /// What is left of it and may fill later.
    pub rest: Option<i64>,
}

impl FillTerms {
    /// A fill of a whole order at a price of the bar.
    pub(super) const fn new(
        price_ticks: i64,
        mark_ticks: i64,
        venue_time_ns: TimeNs,
        liquidity: Liquidity,
        range_ticks: [i64; 2],
    ) -> Self {
        let (bar_ticks, lots_max, is_final) = (None, i64::MAX, false);
        Self { price_ticks, mark_ticks, venue_time_ns, liquidity, range_ticks, bar_ticks, lots_max, is_final }
    }
}

impl BarMatcher {
    /// Fills the order at a place; it is gone afterwards, unless the entry it closes still waits.
    /// Tells whether it opened a position.
    pub(super) fn fill_place<A: BarAccount>(
        &mut self,
        place: usize,
        at: FillTerms,
        account: &mut A,
    ) -> Result<bool, A::Error> {
        if self.is_too_early(place, account) {
            return Ok(false);
        }
        let opened = if !self.rules.slippage.is_none() && !at.is_final {
            self.fill_slipped(place, at, account)?
        } else {
            let Some(waiting) = self.queue.take(place) else { return Ok(false) };
            self.fill_taken(&waiting, at, account)?.opened
        };
        self.follow_links(at.venue_time_ns, account)?;
        Ok(opened)
    }

    /// Cancels or cuts the orders that what was reported has cancelled or cut, before anything else fills.
    pub(super) fn follow_links<A: BarAccount>(
        &mut self,
        venue_time_ns: TimeNs,
        account: &mut A,
    ) -> Result<(), A::Error> {
        while let Some((order_id, lots)) = account.next_cut() {
            if lots == 0 {
                match self.queue.take_where(|waiting| waiting.id() == order_id) {
                    Some(waiting) => {
                        let body = ReportBody::Canceled(CancelReason::Linked);
                        tell(&waiting, venue_time_ns, body, account)?;
                    }
                    None => account.put_off(order_id, lots),
                }
            } else if let Some(waiting) = self.queue.get_mut(order_id) {
                if waiting.lots.is_some_and(|known| known > lots) {
                    waiting.lots = Some(lots);
                    let price_ticks = waiting.kind.price_ticks().or(waiting.trail_ticks);
                    let body = ReportBody::Restated { price_ticks, lots };
                    account.report(Report { venue_time_ns, order_id, body })?;
                }
            } else {
                account.put_off(order_id, lots);
            }
        }
        Ok(())
    }

    /// Fills an order that was taken out of the queue, at most `at.lots_max` of it.
    pub(super) fn fill_taken<A: BarAccount>(
        &mut self,
        waiting: &Waiting,
        at: FillTerms,
        account: &mut A,
    ) -> Result<Done, A::Error> {
        if matches!(waiting.kind, OrderKind::Stop { .. }) {
            tell(waiting, at.venue_time_ns, ReportBody::Triggered, account)?;
        }
        match waiting.closes() {
            Some(_) => self.fill_closing(waiting, at, account),
            None => self.fill_plain(waiting, at, account),
        }
    }

    fn is_too_early<A: BarAccount>(&self, place: usize, account: &A) -> bool {
        self.queue.at(place).is_some_and(|waiting| self.waits_for_entry(&waiting, account))
    }

    /// Tells whether the entry that an order closes has not filled yet.
    pub(super) fn waits_for_entry<A: BarAccount>(&self, waiting: &Waiting, account: &A) -> bool {
        // Almost always there is something to close; only without it the queue is searched.
        waiting.closes().is_some_and(|entry| held_for(waiting, account) == 0 && self.queue.contains(entry))
    }

    /// Closes what is left of the named entry, at most the order's size.
    fn fill_closing<A: BarAccount>(
        &mut self,
        waiting: &Waiting,
        at: FillTerms,
        account: &mut A,
    ) -> Result<Done, A::Error> {
        let held = held_for(waiting, account);
        let closable = closable(held, waiting.side());
        let whole = waiting.lots.unwrap_or(closable).min(closable);
        if whole > at.lots_max && waiting.is_all_or_nothing() {
            return cancel_rest(waiting, at, CancelReason::ImmediateOrCancel, account);
        }
        let lots = whole.min(at.lots_max);
        if lots > 0 && self.fill(waiting, lots, at, account)?.is_none() {
            return cancel_rest(waiting, at, CancelReason::InsufficientMargin, account);
        }
        let rest = (lots < whole).then_some(waiting.lots.unwrap_or(whole) - lots);
        if rest.is_none() && waiting.lots != Some(lots) {
            cancel_rest(waiting, at, CancelReason::Linked, account)?;
        }
        self.relink(at.venue_time_ns, None, account)?;
        Ok(Done { opened: false, rest })
    }

    /// Closes the opposite position first, then opens the rest if the account can pay for it.
    fn fill_plain<A: BarAccount>(
        &mut self,
        waiting: &Waiting,
        at: FillTerms,
        account: &mut A,
    ) -> Result<Done, A::Error> {
        let whole = match self.size(waiting, at, account) {
            Ok(lots) => lots,
            Err(reason) => {
                let rejected = ReportBody::Rejected(reason);
                return tell(waiting, at.venue_time_ns, rejected, account).map(|()| Done::default());
            }
        };
        if whole > at.lots_max && waiting.is_all_or_nothing() {
            return cancel_rest(waiting, at, CancelReason::ImmediateOrCancel, account);
        }
        let lots = whole.min(at.lots_max);
        let rest = (lots < whole).then_some(whole - lots);
        let intent = *waiting.order.intent();
        let closing = closable(account.position(intent.strategy), intent.side).min(lots);
        let opening = lots - closing;
        let is_whole = waiting.is_all_or_nothing() && closing > 0 && opening > 0 && !intent.reduce_only;
        if is_whole && !account.can_turn(&waiting.order, closing, opening, at.price_ticks, at.mark_ticks) {
            return cancel_rest(waiting, at, CancelReason::InsufficientMargin, account);
        }
        if closing > 0 {
            if self.fill(waiting, closing, at, account)?.is_none() {
                return cancel_rest(waiting, at, CancelReason::InsufficientMargin, account);
            }
            self.relink(at.venue_time_ns, Some(intent.order_id), account)?;
        }
        if opening == 0 {
            return Ok(Done { opened: false, rest });
        }
        if intent.reduce_only {
            return cancel_rest(waiting, at, CancelReason::Linked, account);
        }
        let affordable = account.can_afford(&waiting.order, opening, at.price_ticks, at.mark_ticks);
        let paid_ticks = if affordable { self.fill(waiting, opening, at, account)? } else { None };
        let Some(paid_ticks) = paid_ticks else {
            return cancel_rest(waiting, at, CancelReason::InsufficientMargin, account);
        };
        self.arm(waiting, opening, at, paid_ticks, account)?;
        Ok(Done { opened: true, rest })
    }

    fn size<A: BarAccount>(
        &self,
        waiting: &Waiting,
        at: FillTerms,
        account: &mut A,
    ) -> Result<i64, RejectReason> {
        let sized = match waiting.lots {
            Some(lots) => lots,
            None => account.sized_lots(&waiting.order, at.price_ticks, at.mark_ticks)?,
        };
        let fee = self.fees.fee(&self.instrument, at.price_ticks, sized, at.liquidity);
        if sized > 0 && fee.is_some() { Ok(sized) } else { Err(RejectReason::InsufficientMargin) }
    }

    /// Reports one fill and returns its price; `None` when its fee does not fit and nothing was filled.
    fn fill<A: BarAccount>(
        &mut self,
        waiting: &Waiting,
        lots: i64,
        at: FillTerms,
        account: &mut A,
    ) -> Result<Option<i64>, A::Error> {
        let FillTerms { mut price_ticks, liquidity, bar_ticks, .. } = at;
        if let Some(bar_ticks) = bar_ticks {
            let taken_lots = self.taken_lots.saturating_add(lots);
            price_ticks = self.slipped(waiting, bar_ticks, taken_lots, at.range_ticks);
            self.taken_lots = taken_lots;
        }
        let Some(fee) = self.fees.fee(&self.instrument, price_ticks, lots, liquidity) else {
            return Ok(None);
        };
        let body = ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency: None };
        tell(waiting, at.venue_time_ns, body, account).map(|()| Some(price_ticks))
    }

    /// Arms the exits of a filled entry: the take-profit to the back of the queue, the stop-loss to the front.
    fn arm<A: BarAccount>(
        &mut self,
        entry: &Waiting,
        lots: i64,
        at: FillTerms,
        paid_ticks: i64,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let bracket = entry.order.intent().bracket;
        if bracket.is_empty() {
            return Ok(());
        }
        let bracket = bracket.from_paid(entry.side(), PaidPrice::of_one(paid_ticks));
        for kind in exit_kinds(&bracket).into_iter().flatten() {
            if let Some(exit) = account.exit(&entry.order, kind, lots)? {
                let waiting = Waiting::new(exit);
                tell(&waiting, at.venue_time_ns, ReportBody::Accepted, account)?;
                self.queue.push(waiting);
            }
        }
        Ok(())
    }

    /// Lets orders that close a named entry follow it: gone when it is gone, smaller when it is smaller.
    /// `filling` is an entry that is about to open and must keep its orders.
    pub(super) fn relink<A: BarAccount>(
        &mut self,
        venue_time_ns: TimeNs,
        filling: Option<OrderId>,
        account: &mut A,
    ) -> Result<(), A::Error> {
        if !self.queue.has_closing() {
            return Ok(());
        }
        while let Some(orphan) = self.take_orphan(filling, account) {
            tell(&orphan, venue_time_ns, ReportBody::Canceled(CancelReason::Linked), account)?;
        }
        for waiting in self.queue.iter_mut() {
            if let Some((price_ticks, lots)) = shrunk(waiting, account) {
                waiting.lots = Some(lots);
                let body = ReportBody::Restated { price_ticks: Some(price_ticks), lots };
                account.report(Report { venue_time_ns, order_id: waiting.id(), body })?;
            }
        }
        Ok(())
    }

    /// Takes out an order whose named entry is closed, and not just waiting to be filled.
    fn take_orphan<A: BarAccount>(&mut self, filling: Option<OrderId>, account: &A) -> Option<Waiting> {
        let queue = &self.queue;
        let is_orphan = |waiting: &&Waiting| {
            waiting.closes().is_some_and(|entry| {
                held_for(waiting, account) == 0 && Some(entry) != filling && !queue.contains(entry)
            })
        };
        let orphan = queue.iter().find(is_orphan)?.id();
        self.queue.take_where(|waiting| waiting.id() == orphan)
    }
}

/// Returns price and new size of a closing limit or stop that is larger than what its entry has left;
/// a closing market order takes what is there when it fills.
fn shrunk<A: BarAccount>(waiting: &Waiting, account: &A) -> Option<(i64, i64)> {
    let price_ticks = waiting.kind.price_ticks()?;
    let left = closable(held_for(waiting, account), waiting.side());
    (left > 0 && waiting.lots? > left).then_some((price_ticks, left))
}

/// Reports what happened to an order.
pub(super) fn tell<A: BarAccount>(
    waiting: &Waiting,
    venue_time_ns: TimeNs,
    body: ReportBody,
    account: &mut A,
) -> Result<(), A::Error> {
    account.report(Report { venue_time_ns, order_id: waiting.id(), body })
}

/// Reports that the rest of an order is gone.
fn cancel_rest<A: BarAccount>(
    waiting: &Waiting,
    at: FillTerms,
    reason: CancelReason,
    account: &mut A,
) -> Result<Done, A::Error> {
    tell(waiting, at.venue_time_ns, ReportBody::Canceled(reason), account).map(|()| Done::default())
}

/// Returns what the entry that an order closes has left, short is negative.
pub(super) fn held_for<A: BarAccount>(waiting: &Waiting, account: &A) -> i64 {
    waiting.closes().map_or(0, |entry| account.lots_of_entry(waiting.order.intent().strategy, entry))
}

/// Returns how much of a holding an order on this side can close.
pub(super) const fn closable(held: i64, side: Side) -> i64 {
    side.closable_lots(held)
}
