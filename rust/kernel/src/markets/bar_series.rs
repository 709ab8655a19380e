//! Bars that are built here: from prices to everything that follows them.

use std::collections::VecDeque;

use tradecore_bars::{Misfit, Print};
use tradecore_types::{Bar, Instrument, InstrumentId, TimeNs, ValueError};

use crate::calls::wake::{Wake, WakeBody};
use crate::markets::market::Market;
use crate::markets::series::Series;
use crate::outgoing::schedule::End;
use crate::{Kernel, KernelError};

impl Kernel {
    /// Takes a price into the bars of an instrument that are built from it.
    pub(crate) fn build_bars(
        &mut self,
        instrument: InstrumentId,
        print: &Print,
        of: impl Fn(&Market) -> &Vec<usize>,
    ) {
        let Some(market) = self.markets.by_instrument.get(instrument.index()) else { return };
        for &index in of(market) {
            let Some(series) = self.markets.series.get_mut(index) else { continue };
            let Some(builder) = series.built_from_prints() else { continue };
            let ended_ns = builder.ends_ns();
            let finished = builder.update(print);
            if let Some(end_ns) = builder.ends_ns().filter(|_| ended_ns != builder.ends_ns()) {
                self.outgoing.schedule.end(end_ns, End::Bar { series: index });
            }
            if let Some(finished) = finished {
                finish(series, index, &finished.bar, &market.instrument, self.now_ns, &mut self.calls.wakes);
            }
        }
    }

    /// Ends the time bar that a series is building, and at this moment all others that have ended: when several
    /// lengths end together, every series has its bar before any strategy is called.
    pub(crate) fn close_time_bars(&mut self, index: usize) {
        self.close_time_bar(index);
        while self.markets.has_timeframes
            && let Some(series) = self.outgoing.schedule.take_bar_end(self.now_ns)
        {
            self.close_time_bar(series);
        }
    }

    fn close_time_bar(&mut self, index: usize) {
        let Some(series) = self.markets.series.get_mut(index) else { return };
        let finished = series.builders.prints.as_mut().and_then(|builder| builder.close_due(self.now_ns));
        if let Some(finished) = finished {
            self.finish_bar(index, &finished.bar);
        }
    }

    /// Takes a bar given as input, with its close, into the longer bars that are built from it, and then shows it
    /// to the series that have it as it is.
    pub(crate) fn spread_bar(
        &mut self,
        instrument: InstrumentId,
        bar: &Bar,
        close_ns: TimeNs,
    ) -> Result<(), KernelError> {
        let is_past = self.is_warming_up();
        let Some(market) = self.markets.by_instrument.get(instrument.index()) else { return Ok(()) };
        for &index in &market.series.merged {
            let Some(series) = self.markets.series.get_mut(index) else { continue };
            let Some(bars) = series.built_from_bars(is_past) else { continue };
            let was_due_ns = bars.due_ns();
            let merged = bars.update(bar, close_ns).map_err(|misfit| unfit(&market.instrument, &misfit))?;
            if let Some(due_ns) = bars.due_ns().filter(|due_ns| was_due_ns != Some(*due_ns)) {
                self.outgoing.schedule.merged_end(due_ns.max(self.now_ns), index);
            }
            for finished in [merged.before, merged.finished].into_iter().flatten() {
                let close_ns = finished.close_time_ns;
                finish(series, index, &finished.bar, &market.instrument, close_ns, &mut self.calls.wakes);
            }
        }
        for &index in &market.series.input {
            let Some(series) = self.markets.series.get_mut(index) else { continue };
            finish(series, index, bar, &market.instrument, self.now_ns, &mut self.calls.wakes);
        }
        Ok(())
    }

    /// Ends the longer bars whose last bar is missing and whose time has come; `false` when there is none.
    pub(crate) fn close_merged(&mut self) -> bool {
        let wakes = self.calls.wakes.len();
        while let Some(series) = self.outgoing.schedule.take_merged_end(self.now_ns) {
            self.close_merged_bar(series);
        }
        self.calls.wakes.len() > wakes
    }

    /// Ends the longer bar that a series is building, when its time has come.
    pub(crate) fn close_merged_bar(&mut self, index: usize) {
        let Some(series) = self.markets.series.get_mut(index) else { return };
        let Some(market) = self.markets.by_instrument.get(series.instrument.index()) else { return };
        let bars = series.builders.bars.as_mut();
        if let Some(finished) = bars.and_then(|bars| bars.close_due(self.now_ns)) {
            let close_ns = finished.close_time_ns;
            finish(series, index, &finished.bar, &market.instrument, close_ns, &mut self.calls.wakes);
        }
    }

    /// Lets everything that follows a series see its next bar.
    pub(crate) fn finish_bar(&mut self, index: usize, bar: &Bar) {
        let Some(series) = self.markets.series.get_mut(index) else { return };
        let Some(market) = self.markets.by_instrument.get(series.instrument.index()) else { return };
        finish(series, index, bar, &market.instrument, self.now_ns, &mut self.calls.wakes);
    }
}

/// Says which bars cannot be built from which.
fn unfit(instrument: &Instrument, misfit: &Misfit) -> KernelError {
    let rule = format!("cannot be built for {}: {misfit}", instrument.spec.symbol);
    ValueError::new("bars", misfit.span, rule).into()
}

/// Updates a series with its next bar and queues one call for every strategy that wants it.
fn finish(
    series: &mut Series,
    index: usize,
    bar: &Bar,
    instrument: &Instrument,
    time_ns: TimeNs,
    wakes: &mut VecDeque<Wake>,
) {
    series.update(bar, instrument);
    for &strategy in &series.subscribers {
        let body = WakeBody::Bar { series: index, bar: *bar };
        wakes.push_back(Wake { time_ns, strategy, instrument: instrument.id, body });
    }
}
