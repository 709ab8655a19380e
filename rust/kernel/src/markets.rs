//! Markets: what is known of every instrument, and market data on its way through the house.

pub(crate) mod bar_desk;
pub(crate) mod bar_series;
pub(crate) mod bars;
pub(crate) mod build;
pub(crate) mod events;
pub(crate) mod funding;
pub(crate) mod market;
pub(crate) mod series;

use tradecore_types::FeedState;

use crate::markets::market::Market;
use crate::markets::series::Series;

/// What is known of every instrument.
///
/// **Invariant:** the market of an instrument is at the instrument's number, and no series is of an instrument
/// that is not there.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Markets {
    by_instrument: Vec<Market>,
    pub(crate) series: Vec<Series>,
    /// What a feed said of itself last: of the past strategies are called, and what they ask for is refused.
    pub(crate) feed_state: FeedState,
    /// Whether a strategy has bars of several lengths: those that end together are known before it is called.
    pub(crate) has_timeframes: bool,
    /// Whether the series came with their indicators, out of a snapshot: who asks for one gets that.
    #[serde(skip)]
    pub(crate) has_kept_indicators: bool,
    /// Whether a new mark changes more than the value of positions in its instrument.
    pub(crate) follows_marks: bool,
}

impl Markets {
    /// Holds the markets of a table of instruments, in its order.
    pub(crate) fn new(by_instrument: Vec<Market>, follows_marks: bool) -> Self {
        let markets = Self {
            by_instrument,
            series: Vec::new(),
            feed_state: FeedState::Lost,
            has_timeframes: false,
            has_kept_indicators: false,
            follows_marks,
        };
        debug_assert!(markets.is_sound());
        markets
    }

    /// Tells whether what it promises holds.
    pub(crate) fn is_sound(&self) -> bool {
        let are_at_their_numbers =
            self.by_instrument.iter().enumerate().all(|(at, market)| market.instrument.id.index() == at);
        are_at_their_numbers && self.series.iter().all(|series| series.instrument.index() < self.len())
    }

    /// Tells whether others are those of the same instruments.
    pub(crate) fn has_instruments_of(&self, other: &Self) -> bool {
        let pairs = || self.by_instrument.iter().zip(&other.by_instrument);
        self.len() == other.len()
            && pairs()
                .all(|(own, other)| own.instrument == other.instrument && own.is_told_to_those_of(other))
    }

    /// Tells whether others have the same series of bars, for the same strategies.
    pub(crate) fn has_series_of(&self, other: &Self) -> bool {
        let pairs = || self.series.iter().zip(&other.series);
        self.series.len() == other.series.len() && pairs().all(|(own, other)| own.is_as_asked_for_in(other))
    }

    /// How many instruments there are.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.by_instrument.len()
    }

    /// Returns the market at the number of an instrument.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&Market> {
        self.by_instrument.get(index)
    }

    /// Returns the market at the number of an instrument.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Market> {
        self.by_instrument.get_mut(index)
    }

    /// Visits every market, in the order of the table.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Market> {
        self.by_instrument.iter()
    }

    /// Visits every market, in the order of the table.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Market> {
        self.by_instrument.iter_mut()
    }
}
