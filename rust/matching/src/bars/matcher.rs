//! The simulated venue of one instrument whose market is known by its bars.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    Bar, CancelReason, Instrument, Liquidity, OrderId, OrderKind, RejectReason, Report, ReportBody, TimeNs,
};

use super::execution::{Execution, tell};
use super::queue::{Armed, Queue, Waiting};
use super::{BarAccount, BarFill, BarOrder, BarRules, Finalize, OpenPosition};
use crate::FeeSchedule;

/// Matches the orders of one instrument against its bars.
///
/// Per bar the kernel calls [`BarMatcher::on_open`], [`BarMatcher::on_bar`], lets strategies decide
/// ([`BarMatcher::submit`], `cancel`, `replace`) and calls [`BarMatcher::on_close_fill`]; at the end of
/// the data [`BarMatcher::finalize`]. Calls that a policy does not use do nothing, so the kernel need
/// not know the policy. Fills carry the opening time of their bar.
#[derive(Clone, Debug)]
pub struct BarMatcher {
    pub(super) instrument: Instrument,
    pub(super) fees: FeeSchedule,
    pub(super) rules: BarRules,
    pub(super) queue: Queue,
    /// The bar that was processed last, and the one before it.
    pub(super) last: Option<Bar>,
    pub(super) before_last: Option<Bar>,
    /// Lots that were taken of the last bar.
    pub(super) taken_lots: i64,
    positions: Vec<OpenPosition>,
}

impl BarMatcher {
    /// Makes a matcher without orders.
    #[must_use]
    pub fn new(instrument: Instrument, fees: FeeSchedule, rules: BarRules) -> Self {
        Self {
            instrument,
            fees,
            rules,
            queue: Queue::with_capacity(rules.orders_max.saturating_mul(3)),
            last: None,
            before_last: None,
            taken_lots: 0,
            positions: Vec::new(),
        }
    }

    /// Takes an order; it can fill from the first bar on that opens at `now_ns` or later, so that bars of
    /// several instruments with the same times hide nothing. Reports `Accepted`, or `Rejected` when too
    /// many orders wait, a post-only limit is through the last close, or an order that closes a named
    /// entry has no size of its own.
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
        let waiting = Waiting { arrived_ns: now_ns, ..Waiting::new(*order, Armed::Open) };
        let would_take =
            order.intent().post_only && self.last.is_some_and(|bar| waiting.is_met(bar.close_ticks));
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
        self.queue.push(waiting);
        Ok(())
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

    /// Takes an order out whose time ran out; says nothing when it does not wait here.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn expire<A: BarAccount>(
        &mut self,
        order_id: OrderId,
        now_ns: TimeNs,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let Some(waiting) = self.queue.take_id(order_id) else { return Ok(()) };
        tell(&waiting, now_ns, ReportBody::Expired, account)?;
        self.relink(now_ns, None, account)?;
        self.follow_links(now_ns, account)
    }

    /// Gives an order a new stated price (limit, else trigger; 0 keeps it) and size; it keeps its place.
    /// Reports `Replaced`, or `ReplaceRejected` for an order that does not wait here, is a market order, has
    /// no price to be changed, or a size that is not above 0.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn replace<A: BarAccount>(
        &mut self,
        order_id: OrderId,
        price_ticks: i64,
        lots: i64,
        now_ns: TimeNs,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let amended =
            |kind: OrderKind| if price_ticks == 0 { Some(kind) } else { kind.with_price(price_ticks) };
        let body = match self.queue.get_mut(order_id) {
            None => ReportBody::ReplaceRejected(RejectReason::UnknownOrder),
            Some(waiting) => match amended(waiting.kind) {
                Some(kind) if lots > 0 && kind != OrderKind::Market => {
                    (waiting.kind, waiting.lots) = (kind, Some(lots));
                    let price_ticks = kind.price_ticks().or(waiting.trail_ticks).unwrap_or(0);
                    ReportBody::Replaced { price_ticks, lots }
                }
                _ => ReportBody::ReplaceRejected(RejectReason::Unsupported),
            },
        };
        account.report(Report { venue_time_ns: now_ns, order_id, body })
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

    /// A bar opens: fills everything that executes at the open price. Does nothing with
    /// [`BarOrder::Queue`], where the whole bar is tried at once.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn on_open<A: BarAccount>(
        &mut self,
        time_ns: TimeNs,
        open_ticks: i64,
        account: &mut A,
    ) -> Result<(), A::Error> {
        match self.rules.order {
            BarOrder::Time if self.queue.len() > 0 => self.fill_open(time_ns, open_ticks, account),
            _ => Ok(()),
        }
    }

    /// A bar is known whole: fills what its range reaches.
    ///
    /// # Errors
    ///
    /// What [`BarAccount::report`] returns.
    pub fn on_bar<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<(), A::Error> {
        self.before_last = self.last.replace(*bar);
        self.taken_lots = 0;
        self.process(bar, account)
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
                self.execute(place, at_close(bar), account)?;
            }
        }
        Ok(())
    }

    /// The data end with this bar, which was processed already: see [`Finalize`].
    ///
    /// # Errors
    ///
    /// What [`BarAccount`] returns.
    pub fn finalize<A: BarAccount>(
        &mut self,
        mode: Finalize,
        bar: &Bar,
        account: &mut A,
    ) -> Result<(), A::Error> {
        if mode == Finalize::None {
            return Ok(());
        }
        if mode == Finalize::Close {
            self.cancel_all(CancelReason::EndOfData, bar.open_time_ns, account)?;
        }
        self.order_closing(bar.open_time_ns, account)?;
        if mode == Finalize::LastOpen {
            // The bar stands for one that never came, so every order is in time for it.
            self.queue.iter_mut().for_each(|waiting| waiting.arrived_ns = TimeNs::MIN);
            self.on_open(bar.open_time_ns, bar.open_ticks, account)?;
            return self.process(bar, account);
        }
        let at = Execution { is_final: true, ..at_close(bar) };
        for place in 0..self.queue.begin_pass() {
            self.execute(place, at, account)?;
        }
        Ok(())
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
            out.push(u8::from(waiting.is_new));
            // What kind it is decides the order store already; only what changes by itself is added.
            if waiting.is_dormant() {
                out.extend_from_slice(&waiting.trail_ticks.unwrap_or(i64::MIN).to_le_bytes());
            }
        }
    }

    fn process<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<(), A::Error> {
        if self.queue.len() == 0 {
            return Ok(());
        }
        match self.rules.order {
            BarOrder::Time => self.fill_range(bar, account)?,
            BarOrder::Queue => self.fill_queue(bar, account)?,
        }
        let in_time = |waiting: &&mut Waiting| waiting.arrived_ns <= bar.open_time_ns;
        for waiting in self.queue.iter_mut().filter(in_time) {
            waiting.is_new = false;
            waiting.armed = Armed::Open;
        }
        Ok(())
    }

    /// Orders the closing of every open lot, newest first, so that the oldest is in front.
    fn order_closing<A: BarAccount>(&mut self, now_ns: TimeNs, account: &mut A) -> Result<(), A::Error> {
        let mut positions = std::mem::take(&mut self.positions);
        positions.clear();
        account.open_positions(&mut positions);
        for position in positions.iter().rev() {
            if let Some(order) = account.close(*position)? {
                let waiting = Waiting::new(order, Armed::Open);
                tell(&waiting, now_ns, ReportBody::Accepted, account)?;
                self.queue.push(waiting);
            }
        }
        self.positions = positions;
        Ok(())
    }
}

/// A fill at the close of a bar, stamped with its opening time.
fn at_close(bar: &Bar) -> Execution {
    let close_ticks = bar.close_ticks;
    Execution::new(close_ticks, close_ticks, bar.open_time_ns, Liquidity::Taker, Armed::Open)
}
