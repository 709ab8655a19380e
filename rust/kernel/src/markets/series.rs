//! A series of bars with the indicators that follow it.

use tradecore_bars::{BarBuilder, BarRule, BarSpan, FirstBar, MergedBars, TimeBars};
use tradecore_indicators::{Candle, Indicator, IndicatorSpec};
use tradecore_ring::Ring;
use tradecore_types::{Bar, Instrument, InstrumentId, Sessions, StrategyId, ValueError};

/// The most bars that a series keeps: 40 MB.
pub const HISTORY_MAX: usize = 1_000_000;

/// Where the bars of a series come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarSource {
    /// Bars given as input, as they are.
    Input,
    /// Built from bars given as input, this long.
    Bars(BarSpan),
    /// Built from trades, this long.
    Trades(BarSpan),
    /// Built from the middle of bid and ask, this long.
    Quotes(BarSpan),
    /// Built from bars given as input or from trades, this long: from whichever comes first, and then from
    /// nothing else.
    BarsOrTrades(BarSpan),
    /// Built from trades by this rule.
    Rule(BarRule),
}

/// What builds the bars of a series; neither for bars given as input.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Builders {
    /// Out of prints.
    pub(crate) prints: Option<BarBuilder>,
    /// Out of shorter bars.
    pub(crate) bars: Option<Box<MergedBars>>,
}

impl BarSource {
    /// Makes what builds the bars.
    pub(crate) fn builders(
        self,
        instrument: &Instrument,
        sessions: &Sessions,
        first: FirstBar,
    ) -> Result<Builders, ValueError> {
        let of_prints = |span| BarBuilder::Time(TimeBars::within(span, sessions.clone(), first));
        let of_bars = |span| Box::new(MergedBars::new(span, sessions.clone(), first));
        Ok(match self {
            Self::Input => Builders::default(),
            Self::Bars(span) => Builders { prints: None, bars: Some(of_bars(span)) },
            Self::Trades(span) | Self::Quotes(span) => Builders { prints: Some(of_prints(span)), bars: None },
            Self::BarsOrTrades(span) => Builders { prints: Some(of_prints(span)), bars: Some(of_bars(span)) },
            Self::Rule(rule) => Builders { prints: Some(BarBuilder::new(rule, instrument)?), bars: None },
        })
    }
}

/// Outputs of an indicator now and one bar before.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct IndicatorValues {
    /// Values after the last bar; NaN until warm.
    pub now: [f64; 3],
    /// Values one bar before, for whoever looks for a crossing.
    pub previous: [f64; 3],
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Follower {
    /// What was asked for.
    spec: IndicatorSpec,
    indicator: Indicator,
    values: IndicatorValues,
}

/// The last bars as one float column per price, newest last.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Columns {
    open: Ring<f64>,
    high: Ring<f64>,
    low: Ring<f64>,
    close: Ring<f64>,
    volume: Ring<f64>,
}

/// One price of the bars of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Price of the first trade of a bar.
    Open,
    /// Highest price of a bar.
    High,
    /// Lowest price of a bar.
    Low,
    /// Price of the last trade of a bar.
    Close,
    /// How much was traded in a bar.
    Volume,
}

/// Bars of one instrument, who wants them and what is computed from them.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Series {
    pub(crate) instrument: InstrumentId,
    pub(crate) builders: Builders,
    pub(crate) subscribers: Vec<StrategyId>,
    followers: Vec<Follower>,
    columns: Option<Columns>,
    bars_seen: u64,
}

impl Series {
    /// Makes a series that keeps the last `history` bars.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the history is above [`HISTORY_MAX`], or the memory for it is not to be had.
    pub(crate) fn new(
        instrument: InstrumentId,
        builders: Builders,
        history: usize,
    ) -> Result<Self, ValueError> {
        if history > HISTORY_MAX {
            return Err(ValueError::new("history", history, format!("must be from 0 to {HISTORY_MAX}")));
        }
        let no_memory =
            |_| ValueError::new("history", history, "needs more memory than there is: keep fewer bars");
        let ring = || Ring::try_with_capacity(history).map_err(no_memory);
        let columns = match history {
            0 => None,
            _ => {
                Some(Columns { open: ring()?, high: ring()?, low: ring()?, close: ring()?, volume: ring()? })
            }
        };
        let (subscribers, followers) = (Vec::new(), Vec::new());
        Ok(Self { instrument, builders, subscribers, followers, columns, bars_seen: 0 })
    }

    /// Tells whether the bars are those of an instrument and a strategy is woken by them.
    pub(crate) fn is_of(&self, instrument: InstrumentId, strategy: StrategyId) -> bool {
        self.instrument == instrument && self.subscribers.contains(&strategy)
    }

    /// Tells whether another one was asked for in the same way, whatever has become of it since.
    pub(crate) fn is_as_asked_for_in(&self, other: &Self) -> bool {
        let places = |series: &Self| series.columns.as_ref().map_or(0, |columns| columns.close.capacity());
        self.instrument == other.instrument
            && self.subscribers == other.subscribers
            && self.followers.is_empty()
            && places(self) == places(other)
    }

    /// Returns the index of an indicator that follows already.
    pub(crate) fn find(&self, spec: &IndicatorSpec) -> Option<usize> {
        self.followers.iter().position(|follower| follower.spec == *spec)
    }

    /// Adds an indicator and returns its index.
    pub(crate) fn follow(&mut self, spec: IndicatorSpec, indicator: Indicator) -> usize {
        let values = IndicatorValues { now: [f64::NAN; 3], previous: [f64::NAN; 3] };
        self.followers.push(Follower { spec, indicator, values });
        self.followers.len() - 1
    }

    /// Lets the series be built from bars given as input, and from nothing else from now on. After bars of the past
    /// (`is_past`) it may go on with prints.
    pub(crate) fn built_from_bars(&mut self, is_past: bool) -> Option<&mut MergedBars> {
        let bars = self.builders.bars.as_deref_mut()?;
        if !is_past {
            self.builders.prints = None;
        }
        Some(bars)
    }

    /// Lets the series be built from prints, and from nothing else from now on.
    #[inline]
    pub(crate) fn built_from_prints(&mut self) -> Option<&mut BarBuilder> {
        let prints = self.builders.prints.as_mut()?;
        if self.builders.bars.is_some() {
            self.builders.bars = None;
        }
        Some(prints)
    }

    /// Takes a finished bar in.
    pub(crate) fn update(&mut self, bar: &Bar, instrument: &Instrument) {
        self.bars_seen += 1;
        if self.followers.is_empty() && self.columns.is_none() {
            return;
        }
        let candle = Candle {
            open: instrument.price(bar.open_ticks),
            high: instrument.price(bar.high_ticks),
            low: instrument.price(bar.low_ticks),
            close: instrument.price(bar.close_ticks),
            volume: instrument.quantity(bar.volume_lots),
        };
        for follower in &mut self.followers {
            follower.indicator.update(&candle);
            follower.values.previous = follower.values.now;
            follower.values.now = follower.indicator.values();
        }
        if let Some(columns) = &mut self.columns {
            columns.open.push(candle.open);
            columns.high.push(candle.high);
            columns.low.push(candle.low);
            columns.close.push(candle.close);
            columns.volume.push(candle.volume);
        }
    }

    /// Returns the values of an indicator.
    pub(crate) fn values(&self, indicator: usize) -> Option<IndicatorValues> {
        self.followers.get(indicator).map(|follower| follower.values)
    }

    /// Tells whether an indicator has seen enough bars.
    pub(crate) fn is_warm(&self, indicator: usize) -> bool {
        self.followers.get(indicator).is_some_and(|follower| follower.indicator.is_warm())
    }

    /// Returns how many bars it has had.
    pub(crate) const fn bars_seen(&self) -> u64 {
        self.bars_seen
    }

    /// Returns the number of bars an indicator needs before its first value.
    pub(crate) fn bars_needed(&self, indicator: usize) -> usize {
        self.followers.get(indicator).map_or(0, |follower| follower.indicator.warm_up_bars())
    }

    /// Returns the number of bars the slowest indicator needs before its first value.
    pub(crate) fn warm_up_bars(&self) -> usize {
        self.followers.iter().map(|follower| follower.indicator.warm_up_bars()).max().unwrap_or(0)
    }

    /// Returns the last `count` values of a column, newest last; fewer when there are fewer.
    pub(crate) fn column(&self, column: Column, count: usize) -> &[f64] {
        let Some(columns) = &self.columns else { return &[] };
        let ring = match column {
            Column::Open => &columns.open,
            Column::High => &columns.high,
            Column::Low => &columns.low,
            Column::Close => &columns.close,
            Column::Volume => &columns.volume,
        };
        ring.last(count)
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bars_seen.to_le_bytes());
        if let Some(prints) = &self.builders.prints {
            prints.write_state(out);
        }
        if let Some(bars) = &self.builders.bars {
            bars.write_state(out);
        }
        for follower in &self.followers {
            follower.indicator.write_state(out);
        }
    }
}
