//! A bar that is not finished.

use tradecore_types::{Bar, TimeNs};

use crate::{FinishedBar, Print};

/// Opens a bar with its first print.
pub(crate) const fn opened(open_time_ns: TimeNs, print: &Print) -> Bar {
    Bar {
        open_time_ns,
        open_ticks: print.price_ticks,
        high_ticks: print.price_ticks,
        low_ticks: print.price_ticks,
        close_ticks: print.price_ticks,
        volume_lots: print.lots,
    }
}

/// Takes a later print into a bar.
pub(crate) fn extend(bar: &mut Bar, print: &Print) {
    bar.high_ticks = bar.high_ticks.max(print.price_ticks);
    bar.low_ticks = bar.low_ticks.min(print.price_ticks);
    bar.close_ticks = print.price_ticks;
    bar.volume_lots = bar.volume_lots.saturating_add(print.lots);
}

/// Appends the canonical bytes of a bar.
pub(crate) fn write_bar(bar: &Bar, out: &mut Vec<u8>) {
    let values =
        [bar.open_time_ns, bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks, bar.volume_lots];
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// The bar being built between two trades that close one.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Partial {
    bar: Option<Bar>,
    last_ns: TimeNs,
}

impl Partial {
    /// Takes a print in and returns the bar with it.
    pub(crate) fn add(&mut self, print: &Print) -> Bar {
        self.last_ns = print.time_ns;
        let bar = match self.bar {
            Some(mut bar) => {
                extend(&mut bar, print);
                bar
            }
            None => opened(print.time_ns, print),
        };
        self.bar = Some(bar);
        bar
    }

    /// Ends the bar.
    pub(crate) fn finish(&mut self) -> Option<FinishedBar> {
        let close_time_ns = self.last_ns;
        self.bar.take().map(|bar| FinishedBar { close_time_ns, bar })
    }

    /// Appends the canonical bytes of the bar and of what was counted in it; none when there is no bar.
    pub(crate) fn write_state(&self, counted: i128, out: &mut Vec<u8>) {
        let Some(bar) = &self.bar else { return };
        write_bar(bar, out);
        out.extend_from_slice(&self.last_ns.to_le_bytes());
        out.extend_from_slice(&counted.to_le_bytes());
    }
}
