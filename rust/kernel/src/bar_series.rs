//! Bars that are built here: from prices to everything that follows them.

use std::collections::VecDeque;

use tradecore_bars::Print;
use tradecore_types::{Bar, Instrument, InstrumentId, TimeNs};

use crate::Kernel;
use crate::market::Market;
use crate::schedule::End;
use crate::series::Series;
use crate::wake::{Wake, WakeBody};

impl Kernel {
    /// Takes a price into the bars of an instrument that are built from it.
    pub(crate) fn build_bars(
        &mut self,
        instrument: InstrumentId,
        print: &Print,
        of: impl Fn(&Market) -> &Vec<usize>,
    ) {
        let Some(market) = self.markets.get(instrument.index()) else { return };
        for &index in of(market) {
            let Some(series) = self.series.get_mut(index) else { continue };
            let Some(builder) = &mut series.builder else { continue };
            let ended_ns = builder.ends_ns();
            let finished = builder.update(print);
            if let Some(end_ns) = builder.ends_ns().filter(|_| ended_ns != builder.ends_ns()) {
                self.schedule.end(end_ns, End::Bar { series: index });
            }
            if let Some(finished) = finished {
                finish(series, index, &finished.bar, &market.instrument, self.now_ns, &mut self.wakes);
            }
        }
    }

    /// Ends the time bar that a series is building, when its time has come.
    pub(crate) fn close_time_bar(&mut self, index: usize) {
        let Some(series) = self.series.get_mut(index) else { return };
        let finished = series.builder.as_mut().and_then(|builder| builder.close_due(self.now_ns));
        if let Some(finished) = finished {
            self.finish_bar(index, &finished.bar);
        }
    }

    /// Lets everything that follows a series see its next bar.
    pub(crate) fn finish_bar(&mut self, index: usize, bar: &Bar) {
        let Some(series) = self.series.get_mut(index) else { return };
        let Some(market) = self.markets.get(series.instrument.index()) else { return };
        finish(series, index, bar, &market.instrument, self.now_ns, &mut self.wakes);
    }
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
