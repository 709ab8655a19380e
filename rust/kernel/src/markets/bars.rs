//! Bars on their way through the house: opening, range, close, end of data.

use tradecore_matching::{BarAccount, BarMatcher, BarOrder, Finalize};
use tradecore_types::{Bar, InstrumentId, Report, TimeNs};

use crate::markets::bar_desk::BarDesk;
use crate::markets::market::Market;
use crate::{Kernel, KernelError, VenueRequest};

impl Kernel {
    /// Lets a bar venue act on the account; does nothing in other markets.
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
        let mut desk = BarDesk {
            instrument,
            checks,
            books: &mut self.books,
            switches: self.switches,
            recorder: &mut self.recorder,
            wakes: &mut self.wakes,
            hearing: &self.hearing,
            last_order_id: &mut self.last_order_id,
            leverage: self.config.leverage,
            fees: self.config.venue.fees,
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

    /// Tells whether orders wait for the next bar of an instrument.
    fn has_bar_orders(&self, instrument: InstrumentId) -> bool {
        self.markets.get(instrument.index()).is_some_and(|market| market.venue.waits_for_open())
    }

    /// A bar opens that will close at `close_ns`.
    pub(crate) fn open_bar(
        &mut self,
        instrument: InstrumentId,
        bar: &Bar,
        close_ns: TimeNs,
    ) -> Result<(), KernelError> {
        if !self.has_bar_orders(instrument) {
            return Ok(());
        }
        let has_margin = self.margin().is_some_and(|margin| margin.get(instrument).is_some());
        if has_margin && self.config.venue.bar_order == BarOrder::Queue {
            // Nothing fills yet, and at one price orders come before the margin: it is judged with the whole bar.
            self.learn_reference(instrument, bar.open_ticks);
        } else {
            self.learn(instrument, bar.open_ticks);
        }
        self.at_bars(instrument, |venue, desk| venue.on_open(bar, close_ns, desk))
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

    /// Hands a report that no bar made to the account behind the bars.
    pub(crate) fn report_to_bars(
        &mut self,
        instrument: InstrumentId,
        report: Report,
    ) -> Result<(), KernelError> {
        self.at_bars(instrument, |_, desk| desk.report(report))
    }

    /// Values the account at the end of a bar; an account with nothing left is closed and stopped.
    pub(crate) fn value_bar(&mut self, instrument: InstrumentId, bar: &Bar) -> Result<(), KernelError> {
        let has_position = self.books.ledger.inventory().0 != 0;
        if !has_position && !self.config.has_equity_curve {
            return Ok(());
        }
        let mut equity = self.equity()?;
        if equity.0 <= 0 && has_position && !self.switches.is_killed {
            self.switches.is_killed = true;
            self.close_all_bars()?;
            equity = self.equity()?;
        }
        if self.config.has_equity_curve {
            self.record_bar(instrument, bar.open_time_ns, equity);
        }
        Ok(())
    }

    /// Closes every position at the last close of its instrument.
    fn close_all_bars(&mut self) -> Result<(), KernelError> {
        for index in 0..self.markets.len() {
            let instrument = InstrumentId(u32::try_from(index).unwrap_or(u32::MAX));
            let Some((bar, _)) = self.market(instrument)?.last_bar else { continue };
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
        // A close that is past, because another instrument's bar or a latency came between, cannot be had.
        let last_bar = self.market(instrument)?.last_bar.filter(|known| known.1 == now_ns);
        self.at_bars(instrument, |venue, desk| match request {
            VenueRequest::Submit(order) => {
                let is_bound = desk.books.orders.get(order.intent().order_id);
                let is_bound = is_bound.is_some_and(|known| known.intent.reduce_only);
                let order = if is_bound { order.only_closing() } else { *order };
                venue.submit(&order, now_ns, desk)?;
                match last_bar {
                    Some((bar, _)) => venue.on_close_fill(&bar, desk),
                    None => Ok(()),
                }
            }
            VenueRequest::Cancel { order_id, reason, .. } => venue.cancel(*order_id, *reason, now_ns, desk),
            VenueRequest::Replace { order_id, price_ticks, lots, .. } => {
                venue.replace(*order_id, *price_ticks, *lots, now_ns, desk)
            }
        })
    }

    /// The data end: deals with the open positions of bar markets as asked.
    ///
    /// # Errors
    ///
    /// [`KernelError`] when a promise is broken.
    pub fn finish(&mut self, mode: Finalize) -> Result<(), KernelError> {
        for index in 0..self.markets.len() {
            let instrument = InstrumentId(u32::try_from(index).unwrap_or(u32::MAX));
            let Some((bar, _)) = self.market(instrument)?.last_bar else { continue };
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
}
