//! The simulated venue of one instrument whose market is known by its bars.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    Bar, CancelReason, Instrument, Liquidity, OrderId, OrderKind, RejectReason, Report, ReportBody, Sessions,
    TimeNs,
};

use super::filling::{FillTerms, tell};
use super::lifetime::Interval;
use super::path::Stop;
use super::queue::{Queue, Waiting};
use super::{BarAccount, BarFill, BarOrder, BarRules, Finalize, OpenPosition};
use crate::FeeSchedule;

/// Matches the orders of one instrument against its bars.
///
/// Per bar the kernel calls [`BarMatcher::on_open`], [`BarMatcher::on_bar`], lets strategies decide
/// ([`BarMatcher::submit`], `cancel`, `replace`) and calls [`BarMatcher::on_close_fill`]; at the end of
/// the data [`BarMatcher::finalize`]. Calls that a policy does not use do nothing, so the kernel need
/// not know the policy. What arrives between the open and the whole bar, at the time of the open, meets the
/// open too. Fills carry the opening time of their bar.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct BarMatcher {
    pub(super) instrument: Instrument,
    pub(super) fees: FeeSchedule,
    pub(super) rules: BarRules,
    pub(super) queue: Queue,
    /// When the instrument trades.
    pub(super) sessions: Sessions,
    /// The bar that has opened and is not processed yet.
    pub(super) under_way: Option<Interval>,
    /// The bar that was processed last, and the one before it.
    pub(super) last: Option<Bar>,
    pub(super) before_last: Option<Bar>,
    /// When the last bar closed, and the one before it.
    last_close_ns: TimeNs,
    pub(super) before_close_ns: TimeNs,
    /// Lots that were taken of the last bar.
    pub(super) taken_lots: i64,
    positions: Vec<OpenPosition>,
    /// Whether no bar comes any more and nothing may trade.
    has_ended: bool,
}

impl BarMatcher {
    /// Makes a matcher without orders.
    #[must_use]
    pub fn new(instrument: Instrument, fees: FeeSchedule, rules: BarRules, sessions: Sessions) -> Self {
        Self {
            instrument,
            fees,
            rules,
            queue: Queue::with_capacity(rules.orders_max.saturating_mul(3)),
            sessions,
            under_way: None,
            last: None,
            before_last: None,
            last_close_ns: TimeNs::MIN,
            before_close_ns: TimeNs::MIN,
            taken_lots: 0,
            positions: Vec::new(),
            has_ended: false,
        }
    }

    /// Takes an order; it can fill from the first bar on that opens at `now_ns` or later, so that bars of
    /// several instruments with the same times hide nothing; at the very time at which a bar has opened, that
    /// open is the first price it sees. Reports `Accepted`, or `Rejected` when too many orders wait, a post-only
    /// limit is through the last price, or an order that closes a named entry has no size of its own.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn submit<A: BarAccount>(
        &mut self,
        order: &ApprovedOrder,
        now_ns: TimeNs,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let waiting = Waiting { arrived_ns: now_ns, ..Waiting::new(*order) };
        let would_take = self.would_take(&waiting, now_ns);
        // What closes a named entry is not sized by equity.
        let unsized_closing = waiting.closes().is_some() && waiting.lots.is_none();
        let rejected = if unsized_closing || self.queue.len() >= self.rules.orders_max {
            Some(RejectReason::Unsupported)
        } else if would_take {
            Some(RejectReason::WouldTake)
        } else {
            None
        };
        if let Some(reason) = rejected {
            return tell(&waiting, now_ns, ReportBody::Rejected(reason), account);
        }
        tell(&waiting, now_ns, ReportBody::Accepted, account)?;
        if self.has_ended {
            return tell(&waiting, now_ns, ReportBody::Canceled(CancelReason::EndOfData), account);
        }
        self.queue.push(waiting);
        self.meet_open(now_ns, account)
    }

    /// Takes an order out, for this reason. Reports `Canceled`, or `CancelRejected` when it does not wait here.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn cancel<A: BarAccount>(
        &mut self,
        order_id: OrderId,
        reason: CancelReason,
        now_ns: TimeNs,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let body = match self.queue.take_id(order_id) {
            Some(_) => ReportBody::Canceled(reason),
            None => ReportBody::CancelRejected(RejectReason::UnknownOrder),
        };
        account.report(Report { venue_time_ns: now_ns, order_id, body })?;
        self.relink(now_ns, None, account)?;
        self.follow_links(now_ns, account)
    }

    /// Gives an order a new stated price (limit, else trigger; none keeps it) and size; it keeps its place, and
    /// with a new price it meets the market anew, as an order that arrives does. Reports `Replaced`, or
    /// `ReplaceRejected` for an order that does not wait here, is a market order, has no price to be changed, a
    /// size that is not above 0, or is post-only and would trade at its new price.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn replace<A: BarAccount>(
        &mut self,
        order_id: OrderId,
        price_ticks: Option<i64>,
        lots: i64,
        now_ns: TimeNs,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let body = match self.amended(order_id, price_ticks, lots, now_ns) {
            Ok(waiting) => {
                let price_ticks = waiting.kind.price_ticks().or(waiting.trail_ticks);
                self.queue.replace(waiting);
                ReportBody::Replaced { price_ticks, lots }
            }
            Err(reason) => ReportBody::ReplaceRejected(reason),
        };
        account.report(Report { venue_time_ns: now_ns, order_id, body })?;
        self.meet_open(now_ns, account)
    }

    /// Returns an order as it is after an amendment, or why it cannot be amended so.
    fn amended(
        &self,
        order_id: OrderId,
        price_ticks: Option<i64>,
        lots: i64,
        now_ns: TimeNs,
    ) -> Result<Waiting, RejectReason> {
        let Some(known) = self.queue.iter().find(|waiting| waiting.id() == order_id) else {
            return Err(RejectReason::UnknownOrder);
        };
        let kind = price_ticks.map_or(Some(known.kind), |new_ticks| known.kind.with_price(new_ticks));
        let kind = kind.filter(|kind| lots > 0 && *kind != OrderKind::Market);
        let kind = kind.ok_or(RejectReason::Unsupported)?;
        let is_new = known.is_new || kind != known.kind;
        let is_other = kind != known.kind || known.lots.is_none_or(|before| lots > before);
        let amended_ns = if is_other { now_ns } else { known.amended_ns };
        let waiting = Waiting { kind, lots: Some(lots), is_new, amended_ns, ..*known };
        let would_take = kind != known.kind && self.would_take(&waiting, now_ns);
        if would_take { Err(RejectReason::WouldTake) } else { Ok(waiting) }
    }

    /// Tells whether a post-only order would trade at the last price that is known: the open of this moment,
    /// else the last close.
    fn would_take(&self, waiting: &Waiting, now_ns: TimeNs) -> bool {
        let open_ticks = self.opening_at(now_ns).map(|interval| interval.bar.open_ticks);
        let last_ticks = open_ticks.or(self.last.map(|bar| bar.close_ticks));
        waiting.order.intent().post_only && last_ticks.is_some_and(|ticks| waiting.is_met(ticks))
    }

    /// Returns the bar that opens at this very moment, if it has been looked at already.
    fn opening_at(&self, now_ns: TimeNs) -> Option<Interval> {
        self.under_way.filter(|interval| interval.bar.open_time_ns == now_ns)
    }

    /// Shows the open of this moment to what has just appeared or changed.
    fn meet_open<A: BarAccount>(&mut self, now_ns: TimeNs, account: &mut A) -> Result<(), A::Error> {
        match self.opening_at(now_ns) {
            Some(interval) if self.rules.order == BarOrder::Time => self.fill_open(&interval.bar, account),
            _ => Ok(()),
        }
    }

    /// Makes an order that waits one that may only close.
    pub fn bind(&mut self, order_id: OrderId) {
        if let Some(waiting) = self.queue.get_mut(order_id) {
            waiting.order = waiting.order.only_closing();
        }
    }

    /// Takes every order out, in queue order.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn cancel_all<A: BarAccount>(
        &mut self,
        reason: CancelReason,
        now_ns: TimeNs,
        account: &mut A,
    ) -> Result<(), A::Error> {
        for place in 0..self.queue.begin_pass() {
            if let Some(waiting) = self.queue.take(place) {
                tell(&waiting, now_ns, ReportBody::Canceled(reason), account)?;
            }
        }
        Ok(())
    }

    /// A bar opens that will close at `close_ns`: fills everything that fills at the open price. With
    /// [`BarOrder::Queue`] nothing fills yet, for the whole bar is tried at once.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn on_open<A: BarAccount>(
        &mut self,
        bar: &Bar,
        close_ns: TimeNs,
        account: &mut A,
    ) -> Result<(), A::Error> {
        self.under_way = Some(Interval { bar: *bar, close_ns });
        match self.rules.order {
            BarOrder::Time if self.queue.len() > 0 => self.fill_open(bar, account),
            _ => Ok(()),
        }
    }

    /// A bar is known whole, at its close: fills what its range reaches, then ends what was good until then. With
    /// [`BarFill::Close`], market orders that wait fill at the close. When margin is used up on the way, it returns
    /// where: the orders that are left trade no more in this bar.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn on_bar<A: BarAccount>(
        &mut self,
        bar: &Bar,
        close_ns: TimeNs,
        account: &mut A,
    ) -> Result<Option<Stop>, A::Error> {
        let interval = Interval { bar: *bar, close_ns };
        self.before_last = self.last.replace(*bar);
        self.before_close_ns = std::mem::replace(&mut self.last_close_ns, close_ns);
        self.taken_lots = 0;
        let mut stop = None;
        if self.queue.len() > 0 || account.is_margined() {
            self.under_way = Some(interval);
            stop = self.process(bar, account)?;
            if stop.is_none() {
                self.on_close_fill(bar, account)?;
            }
            if self.queue.has_timed() {
                self.expire_with_bar(interval, account)?;
            }
        }
        self.under_way = None;
        Ok(stop)
    }

    /// Returns the bar that was processed last.
    pub(super) fn last_interval(&self) -> Option<Interval> {
        self.last.map(|bar| Interval { bar, close_ns: self.last_close_ns })
    }

    /// Strategies have decided on a bar: with [`BarFill::Close`] their market orders fill at its close,
    /// stamped with its opening time. Does nothing with [`BarOrder::Queue`], where they fill at that
    /// close when the next bar is tried, as in backtesting.py.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn on_close_fill<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<(), A::Error> {
        if self.rules.fill != BarFill::Close || self.rules.order != BarOrder::Time {
            return Ok(());
        }
        for place in 0..self.queue.begin_pass() {
            let Some(waiting) = self.queue.at(place) else { continue };
            if waiting.kind == OrderKind::Market {
                self.fill_place(place, at_close(bar), account)?;
            }
        }
        Ok(())
    }

    /// The data end with this bar, which was processed already: see [`Finalize`]. Returns where margin was used up,
    /// as [`BarMatcher::on_bar`] does.
    ///
    /// # Errors
    ///
    /// What [`BarAccount`] returns.
    pub fn finalize<A: BarAccount>(
        &mut self,
        mode: Finalize,
        bar: &Bar,
        account: &mut A,
    ) -> Result<Option<Stop>, A::Error> {
        if mode == Finalize::None {
            return Ok(None);
        }
        if mode == Finalize::Close {
            self.cancel_all(CancelReason::EndOfData, bar.open_time_ns, account)?;
        }
        self.order_closing(bar.open_time_ns, account)?;
        if mode == Finalize::LastOpen {
            // The bar stands for one that never came, so every order is in time for it, and nobody has taken of it.
            self.taken_lots = 0;
            self.queue.iter_mut().for_each(|waiting| {
                (waiting.arrived_ns, waiting.amended_ns) = (TimeNs::MIN, TimeNs::MIN);
            });
            self.on_open(bar, self.last_close_ns, account)?;
            let stop = self.process(bar, account)?;
            self.under_way = None;
            return Ok(stop);
        }
        let at = FillTerms { is_final: true, ..at_close(bar) };
        for place in 0..self.queue.begin_pass() {
            self.fill_place(place, at, account)?;
        }
        Ok(None)
    }

    /// No bar comes any more: an order that arrives from now on ends at once, also at the last close.
    pub const fn end(&mut self) {
        self.has_ended = true;
    }

    /// Sets the rates that the next fill pays.
    pub const fn set_fees(&mut self, fees: FeeSchedule) {
        self.fees = fees;
    }

    /// Returns how many orders wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Tells whether no order waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.len() == 0
    }

    /// Visits the waiting orders in queue order, as risk approved them.
    pub fn orders(&self) -> impl Iterator<Item = &ApprovedOrder> {
        self.queue.iter().map(|waiting| &waiting.order)
    }

    /// Appends everything that decides later fills, in a fixed order.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        for bar in [self.before_last, self.last].into_iter().flatten() {
            for number in [bar.open_time_ns, bar.open_ticks, bar.close_ticks] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        if self.last.is_some() {
            out.extend_from_slice(&self.last_close_ns.to_le_bytes());
        }
        if let Some(Interval { bar, close_ns }) = self.under_way {
            for number in [bar.open_time_ns, bar.open_ticks, close_ns] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        if !self.rules.slippage.is_none() {
            let [high, low, volume] =
                self.last.map_or([0; 3], |bar| [bar.high_ticks, bar.low_ticks, bar.volume_lots]);
            for number in [high, low, volume, self.taken_lots] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        for waiting in self.queue.iter() {
            let price_ticks = waiting.kind.price_ticks().unwrap_or(0);
            out.extend_from_slice(&waiting.id().0.to_le_bytes());
            out.extend_from_slice(&price_ticks.to_le_bytes());
            out.extend_from_slice(&waiting.lots.unwrap_or(0).to_le_bytes());
            out.extend_from_slice(&waiting.arrived_ns.to_le_bytes());
            if waiting.amended_ns > waiting.arrived_ns {
                out.extend_from_slice(&waiting.amended_ns.to_le_bytes());
            }
            out.push(u8::from(waiting.is_new) + 2 * u8::from(waiting.is_owed_a_bar));
            // What kind it is decides the order store already; only what changes by itself is added.
            if waiting.is_dormant() {
                out.extend_from_slice(&waiting.trail_ticks.unwrap_or(i64::MIN).to_le_bytes());
            }
        }
    }

    fn process<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<Option<Stop>, A::Error> {
        let stop = match self.rules.order {
            BarOrder::Time => self.walk(bar, None, account)?,
            BarOrder::Queue => self.fill_queue(bar, account)?,
        };
        for waiting in self.queue.iter_mut() {
            waiting.is_done = false;
            waiting.is_new &= !waiting.is_in_time(bar);
        }
        Ok(stop)
    }

    /// Orders the closing of every open lot, newest first, so that the oldest is in front.
    fn order_closing<A: BarAccount>(&mut self, now_ns: TimeNs, account: &mut A) -> Result<(), A::Error> {
        let mut positions = std::mem::take(&mut self.positions);
        positions.clear();
        account.open_positions(&mut positions);
        for position in positions.iter().rev() {
            if let Some(order) = account.close(*position)? {
                let waiting = Waiting::new(order);
                tell(&waiting, now_ns, ReportBody::Accepted, account)?;
                self.queue.push(waiting);
            }
        }
        self.positions = positions;
        Ok(())
    }
}

/// A fill at the close of a bar, stamped with its opening time.
fn at_close(bar: &Bar) -> FillTerms {
    let close_ticks = bar.close_ticks;
    let range_ticks = [bar.low_ticks, bar.high_ticks];
    FillTerms::new(close_ticks, close_ticks, bar.open_time_ns, Liquidity::Taker, range_ticks)
}
