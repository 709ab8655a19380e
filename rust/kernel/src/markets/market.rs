//! Everything the kernel knows about one instrument.

use tradecore_book::{Depth, InstrumentBook, L2Book, QuoteDepth};
use tradecore_risk::{InstrumentChecks, Reference};
use tradecore_types::{Bar, Instrument, Quote, Sessions, StrategyId, TimeNs};
use tradecore_venue::{Shown, SimulatedVenue};

use crate::books::activity::Seen;

/// The book of an instrument and where it comes from.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Book {
    /// Rebuilt from a venue's messages.
    Synced(Box<InstrumentBook>),
    /// Published by the simulated exchange.
    Published(Box<L2Book>),
}

impl Book {
    /// Returns the levels when they are known to be right.
    pub(crate) fn valid(&self) -> Option<&L2Book> {
        match self {
            Self::Synced(book) => book.is_valid().then(|| book.book()),
            Self::Published(book) => Some(book),
        }
    }

    /// Returns the longest time it may go without a message.
    pub(crate) fn age_ns_max(&self) -> Option<i64> {
        match self {
            Self::Synced(book) => book.rules().age_ns_max,
            Self::Published(_) => None,
        }
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        match self {
            Self::Synced(book) => book.write_state(out),
            Self::Published(book) => book.write_state(out),
        }
    }
}

/// Who wants to be woken by what.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Subscribers {
    pub(crate) quotes: Vec<StrategyId>,
    pub(crate) books: Vec<StrategyId>,
    pub(crate) trades: Vec<StrategyId>,
}

/// Series of bars by what they are made from.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct SeriesOf {
    pub(crate) input: Vec<usize>,
    /// Longer bars, built from those given as input.
    pub(crate) merged: Vec<usize>,
    pub(crate) trades: Vec<usize>,
    pub(crate) quotes: Vec<usize>,
}

/// One instrument with its data, its venue and its checks.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Market {
    pub(crate) instrument: Instrument,
    /// When it trades; shared with the other instruments of its calendar.
    pub(crate) sessions: Sessions,
    pub(crate) book: Book,
    /// When the last book message came; 0 before the first.
    pub(crate) book_time_ns: TimeNs,
    /// Whether the end of the book's silence is planned in the schedule.
    pub(crate) is_book_watched: bool,
    pub(crate) quote: Option<Quote>,
    /// Last bar given as input, and when it closed.
    pub(crate) last_bar: Option<(Bar, TimeNs)>,
    /// Whether others have traded in it.
    pub(crate) has_traded: bool,
    /// Reference price and when it was learned.
    pub(crate) reference: Option<(i64, TimeNs)>,
    /// Whether its venue gives mark prices, which alone value positions then.
    pub(crate) is_marked: bool,
    pub(crate) venue: SimulatedVenue,
    pub(crate) checks: InstrumentChecks,
    pub(crate) subscribers: Subscribers,
    pub(crate) series: SeriesOf,
}

impl Market {
    /// Tells whether another one wakes the same strategies and keeps the same series.
    pub(crate) fn is_told_to_those_of(&self, other: &Self) -> bool {
        self.subscribers == other.subscribers && self.series == other.series
    }

    /// Appends the canonical bytes of the prices that decide what comes of the next order.
    pub(crate) fn write_prices(&self, out: &mut Vec<u8>) {
        let (price_ticks, time_ns) = self.reference.unwrap_or((i64::MIN, 0));
        let closed_ns = self.last_bar.map_or(i64::MIN, |known| known.1);
        let quote = self.quote.map_or([0; 4], |q| [q.bid_ticks, q.bid_lots, q.ask_ticks, q.ask_lots]);
        for value in [price_ticks, time_ns, closed_ns].into_iter().chain(quote) {
            out.extend_from_slice(&value.to_le_bytes());
        }
        if self.is_marked {
            out.push(1);
        }
        if self.book.age_ns_max().is_some() {
            out.extend_from_slice(&self.book_time_ns.to_le_bytes());
            out.push(u8::from(self.is_book_watched));
        }
    }

    /// Returns which kinds of market data it has had.
    pub(crate) fn seen(&self) -> Seen {
        let is_two_sided = self.venue.traits().publishes_book && self.reference.is_some();
        Seen {
            bars: self.last_bar.is_some(),
            quotes: self.quote.is_some() || is_two_sided,
            trades: self.has_traded,
            books: self.book_time_ns != 0 || is_two_sided,
        }
    }

    /// Returns what risk may judge an order by.
    pub(crate) fn reference(&self) -> Reference {
        let is_book_invalid = self.venue.traits().needs_book && self.book.valid().is_none();
        Reference {
            price_ticks: self.reference.map(|known| known.0),
            time_ns: self.reference.map_or(0, |known| known.1),
            is_book_invalid,
        }
    }

    /// Returns the best bid and ask in ticks: of a valid book, else of the last quote.
    pub(crate) fn best(&self) -> (Option<i64>, Option<i64>) {
        let of = |depth: &dyn Depth| {
            (depth.best_bid().map(|level| level.price_ticks), depth.best_ask().map(|level| level.price_ticks))
        };
        if self.venue.traits().shows_book() {
            return self.book.valid().map_or((None, None), |book| of(book));
        }
        self.quote.map_or((None, None), |quote| of(&QuoteDepth(quote)))
    }

    /// Splits the venue from what its market shows.
    #[inline]
    pub(crate) fn shown_to_venue(&mut self) -> (&mut SimulatedVenue, Shown<'_>) {
        let book = match &self.book {
            Book::Synced(book) => Some(book.book()),
            Book::Published(_) => None,
        };
        (&mut self.venue, Shown { quote: self.quote, book })
    }
}

/// Returns the price halfway between two, rounded down to a tick.
pub(crate) fn middle(bid_ticks: i64, ask_ticks: i64) -> i64 {
    bid_ticks.midpoint(ask_ticks)
}
