//! One face of all builders.

use tradecore_types::{Instrument, TimeNs, ValueError};

use crate::{
    BarRule, FinishedBar, ImbalanceBars, NotionalBars, Print, RangeBars, TickBars, TimeBars, VolumeBars,
};

/// Builds bars by any rule.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub enum BarBuilder {
    /// A bar ends when its span of time is over.
    Time(TimeBars),
    /// A bar ends with its last trade.
    Tick(TickBars),
    /// A bar ends when it has its lots.
    Volume(VolumeBars),
    /// A bar ends when it has its value in money.
    Notional(Box<NotionalBars>),
    /// A bar ends when high and low are far enough apart.
    Range(RangeBars),
    /// By imbalance, of trades or of volume.
    Imbalance(ImbalanceBars),
}

impl BarBuilder {
    /// Makes the builder of a rule.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the threshold is not above 0.
    pub fn new(rule: BarRule, instrument: &Instrument) -> Result<Self, ValueError> {
        match rule {
            BarRule::Time(interval_ns) => TimeBars::new(interval_ns).map(Self::Time),
            BarRule::Tick(trades) => TickBars::new(trades).map(Self::Tick),
            BarRule::Volume(lots) => VolumeBars::new(lots).map(Self::Volume),
            BarRule::Notional(money) => {
                NotionalBars::new(money, instrument).map(|bars| Self::Notional(Box::new(bars)))
            }
            BarRule::Range(ticks) => RangeBars::new(ticks).map(Self::Range),
            BarRule::TickImbalance(trades) => ImbalanceBars::of_trades(trades).map(Self::Imbalance),
            BarRule::VolumeImbalance(lots) => ImbalanceBars::of_volume(lots).map(Self::Imbalance),
        }
    }

    /// Takes a print in; returns the bar that it ends, which holds the print unless it is a time bar.
    #[inline]
    pub fn update(&mut self, print: &Print) -> Option<FinishedBar> {
        match self {
            Self::Time(bars) => bars.update(print),
            Self::Tick(bars) => bars.update(print),
            Self::Volume(bars) => bars.update(print),
            Self::Notional(bars) => bars.update(print),
            Self::Range(bars) => bars.update(print),
            Self::Imbalance(bars) => bars.update(print),
        }
    }

    /// Returns when the bar being built ends by itself; `None` for everything but a time bar.
    #[must_use]
    pub fn ends_ns(&self) -> Option<TimeNs> {
        match self {
            Self::Time(bars) => bars.ends_ns(),
            _ => None,
        }
    }

    /// Ends the current bar if its time has come.
    pub fn close_due(&mut self, now_ns: TimeNs) -> Option<FinishedBar> {
        match self {
            Self::Time(bars) => bars.close_due(now_ns),
            _ => None,
        }
    }

    /// Ends the current bar as it is: what is left when the data end.
    pub fn close(&mut self) -> Option<FinishedBar> {
        match self {
            Self::Time(bars) => bars.close(),
            Self::Tick(bars) => bars.close(),
            Self::Volume(bars) => bars.close(),
            Self::Notional(bars) => bars.close(),
            Self::Range(bars) => bars.close(),
            Self::Imbalance(bars) => bars.close(),
        }
    }

    /// Appends the canonical bytes of the bar being built; none when there is none.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        match self {
            Self::Time(bars) => bars.write_state(out),
            Self::Tick(bars) => bars.write_state(out),
            Self::Volume(bars) => bars.write_state(out),
            Self::Notional(bars) => bars.write_state(out),
            Self::Range(bars) => bars.write_state(out),
            Self::Imbalance(bars) => bars.write_state(out),
        }
    }
}
