//! Bars on their way through the house, where they are what orders fill against.
//!
//! A bar comes in three moments, in this order:
//!
//! 1. It *opens* ([`Kernel::open_bar`]): orders that wait for a price may fill at the open. The rest of the bar is not
//!    known yet, and nothing here looks at it.
//! 2. It is *known whole*, at its close ([`Kernel::fill_bar`]): orders fill at what the range reaches on the way.
//! 3. The account is *valued* at the close ([`Kernel::value_bar`]); then strategies are called.
//!
//! What a strategy asks for in that call arrives at the venue at once ([`Kernel::arrive_at_bars`]), so it may still have
//! the close it was called with. After the last bar [`Kernel::finish`] deals with what is open.
//!
//! A bar venue sizes orders by the account and books its reports the moment it makes them, so each of these goes through
//! [`Kernel::at_bars`], which hands it the account.

use tradecore_matching::{BarAccount, BarMatcher, BarOrder, Finalize};
use tradecore_risk::ApprovedOrder;
use tradecore_types::{Bar, InstrumentId, Report, Rule, TimeNs};

use crate::markets::bar_desk::BarDesk;
use crate::markets::market::Market;
use crate::{Kernel, KernelError, VenueRequest};

impl Kernel {
    /// A bar opens that will close at `close_ns`: its open is a price that the engine learns, and orders fill at it.
    ///
    /// Without an order that waits nobody is to know of the open: the close tells everything.
    pub(crate) fn open_bar(
        &mut self,
        instrument: InstrumentId,
        bar: &Bar,
        close_ns: TimeNs,
    ) -> Result<(), KernelError> {
        if !self.has_bar_orders(instrument) {
            return Ok(());
        }
        let has_margin = self.margin_for(instrument).is_some_and(|margin| margin.get(instrument).is_some());
        if has_margin && self.venue_for(instrument).bar_order == BarOrder::Queue {
            // In this order nothing fills before the bar is known whole, so the margin must not be looked at before: the
            // open becomes the reference of risk, and not yet the mark of positions.
            self.learn_reference(instrument, bar.open_ticks);
        } else {
            self.learn(instrument, bar.open_ticks);
        }
        self.at_bars(instrument, |venue, desk| venue.on_open(bar, close_ns, desk))
    }

    /// Tells whether orders wait for the next bar of an instrument.
    fn has_bar_orders(&self, instrument: InstrumentId) -> bool {
        self.markets.get(instrument.index()).is_some_and(|market| market.venue.waits_for_open())
    }

    /// A bar is known whole: fills what its range reaches, and closes by force what loses its margin on the way.
    pub(crate) fn fill_bar(
        &mut self,
        instrument: InstrumentId,
        bar: &Bar,
        close_ns: TimeNs,
    ) -> Result<(), KernelError> {
        if let Some(market) = self.markets.get_mut(instrument.index()) {
            market.last_bar = Some((*bar, self.now_ns));
        }
        let mut stop = None;
        self.at_bars(instrument, |venue, desk| {
            stop = venue.on_bar(bar, close_ns, desk)?;
            Ok(())
        })?;
        self.follow_stop(instrument, stop)
    }

    /// Values the account at the close of a bar. One that is worth nothing any more is closed and stopped.
    pub(crate) fn value_bar(&mut self, instrument: InstrumentId, bar: &Bar) -> Result<(), KernelError> {
        let has_position = self.books.ledger.inventory().0 != 0;
        if !has_position && !self.config.has_equity_curve {
            return Ok(());
        }
        if !self.config.accounts.is_empty() && has_position {
            self.close_worthless(instrument)?;
        }
        let mut equity = self.equity()?;
        if equity.0 <= 0 && has_position && !self.control.switches.is_killed {
            self.control.switches.is_killed = true;
            self.end_waiting(Rule::KillLatch, None);
            self.close_all_bars()?;
            // Closing costs fees.
            equity = self.equity()?;
        }
        if self.config.has_equity_curve {
            self.record_bar(instrument, bar.open_time_ns, equity);
        }
        Ok(())
    }

    /// Closes the positions of the venue account that trades an instrument, when it is worth nothing any more. It has
    /// no buying power then; the other accounts trade on.
    #[cold]
    fn close_worthless(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        let account = self.account_of(instrument);
        let is_held = self.books.ledger.held_positions_of(account).next().is_some();
        if is_held && self.equity_of(account)?.0 <= 0 {
            let its: Vec<InstrumentId> = self.instruments_of(account).collect();
            self.close_bars(|instrument| its.contains(&instrument))?;
        }
        Ok(())
    }

    /// Closes every position at the last close of its instrument.
    fn close_all_bars(&mut self) -> Result<(), KernelError> {
        self.close_bars(|_| true)
    }

    fn close_bars(&mut self, is_meant: impl Fn(InstrumentId) -> bool) -> Result<(), KernelError> {
        for (instrument, bar) in self.last_bars().into_iter().filter(|known| is_meant(known.0)) {
            self.at_bars(instrument, |venue, desk| venue.finalize(Finalize::Close, &bar, desk).map(|_| ()))?;
        }
        Ok(())
    }

    /// Hands a request to a venue that is bars.
    pub(crate) fn arrive_at_bars(
        &mut self,
        instrument: InstrumentId,
        request: &VenueRequest,
    ) -> Result<(), KernelError> {
        let now_ns = self.now_ns;
        match request {
            VenueRequest::Submit(order) => self.submit_to_bars(instrument, order),
            VenueRequest::Cancel { order_id, reason, .. } => {
                self.at_bars(instrument, |venue, desk| venue.cancel(*order_id, *reason, now_ns, desk))
            }
            VenueRequest::Replace { order_id, price_ticks, lots, .. } => self
                .at_bars(instrument, |venue, desk| {
                    venue.replace(*order_id, *price_ticks, *lots, now_ns, desk)
                }),
        }
    }

    /// Hands a new order to a venue that is bars. It may have the close of this moment; a close that is past, because
    /// another instrument's bar or a latency came between, cannot be had.
    fn submit_to_bars(&mut self, instrument: InstrumentId, order: &ApprovedOrder) -> Result<(), KernelError> {
        let now_ns = self.now_ns;
        let close_of_now = self.market(instrument)?.last_bar.filter(|known| known.1 == now_ns);
        self.at_bars(instrument, |venue, desk| {
            // It may have been bound to the position while it was on its way.
            let known = desk.books.orders.get(order.intent().order_id);
            let is_bound = known.is_some_and(|known| known.intent.reduce_only);
            let order = if is_bound { order.only_closing() } else { *order };
            venue.submit(&order, now_ns, desk)?;
            match close_of_now {
                Some((bar, _)) => venue.on_close_fill(&bar, desk),
                None => Ok(()),
            }
        })
    }

    /// Books a report that no bar made, as the fill by which a position is closed by force.
    pub(crate) fn report_to_bars(
        &mut self,
        instrument: InstrumentId,
        report: Report,
    ) -> Result<(), KernelError> {
        self.at_bars(instrument, |_, desk| desk.report(report))
    }

    /// The data end: deals with the open positions of bar markets as asked.
    ///
    /// # Errors
    ///
    /// [`KernelError`] when a promise is broken.
    pub fn finish(&mut self, mode: Finalize) -> Result<(), KernelError> {
        for (instrument, bar) in self.last_bars() {
            let mut stop = None;
            self.at_bars(instrument, |venue, desk| {
                stop = venue.finalize(mode, &bar, desk)?;
                if mode == Finalize::Close {
                    venue.end();
                }
                Ok(())
            })?;
            self.follow_stop(instrument, stop)?;
            self.value_bar(instrument, &bar)?;
        }
        self.book_borrow(true)
    }

    /// Returns the last bar of every instrument that has had one. It is asked for at an end only.
    fn last_bars(&self) -> Vec<(InstrumentId, Bar)> {
        let known = |market: &Market| Some((market.instrument.id, market.last_bar?.0));
        self.markets.iter().filter_map(known).collect()
    }

    /// Lets a bar venue act on the account, and does what follows from what it did; nothing in other markets.
    ///
    /// The desk is everything of the kernel that a bar may touch; it lives no longer than the act.
    pub(crate) fn at_bars(
        &mut self,
        instrument: InstrumentId,
        act: impl FnOnce(&mut BarMatcher, &mut BarDesk<'_>) -> Result<(), KernelError>,
    ) -> Result<(), KernelError> {
        let Some(Market { instrument, checks, is_marked, venue, .. }) =
            self.markets.get_mut(instrument.index())
        else {
            return Ok(());
        };
        let Some(venue) = venue.with_account() else {
            return Ok(());
        };
        let account = instrument.account();
        let mut desk = BarDesk {
            instrument,
            checks,
            books: &mut self.books,
            switches: self.control.switches,
            stops: &self.control.stops,
            recorder: &mut self.recorder,
            wakes: &mut self.calls.wakes,
            hearing: &self.calls.hearing,
            last_order_id: &mut self.outgoing.last_order_id,
            leverage: self.config.leverage_of(account),
            fees: self.config.venue_of(account).fees,
            fee_currency: self.config.fee_currency_of(account),
            strategies: self.config.strategies,
            is_marked: *is_marked,
            now_ns: self.now_ns,
        };
        act(venue, &mut desk)?;
        self.settle_account();
        if self.books.groups.has_work() {
            self.work_groups()?;
        }
        Ok(())
    }
}
