//! What a simulated venue does by itself, and what it leaves to the engine.

/// What a simulated venue does by itself, and what it leaves to the engine.
#[expect(
    clippy::struct_excessive_bools,
    reason = "answers to questions that have nothing to do with each other"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VenueTraits {
    /// A market order for a share of buying power gets its size when it fills, from the account as it is then.
    pub sizes_at_fill: bool,
    /// The account is asked at each fill whether it can pay, so nobody has to ask before.
    pub asks_buying_power_at_fill: bool,
    /// The exits of a bracket live at the venue; elsewhere the engine arms them as the entry fills.
    pub has_native_brackets: bool,
    /// An entry is closed by an order of its own, which takes the exits of that entry along.
    pub closes_by_entry: bool,
    /// A cancel is certain and a market order always fills: nothing is left to follow.
    pub has_certain_cancels: bool,
    /// What it reports is booked at the moment at which it happens, and is not on its way first.
    pub reports_at_once: bool,
    /// What ends with an order's time could still fill it: the end of the order comes after that.
    pub expires_after_its_time: bool,
    /// The opening of a bar can fill an order before the rest of the bar is known.
    pub fills_at_open: bool,
    /// Its market is bars: the account is valued where one ends, and not by the clock.
    pub values_at_bars: bool,
    /// It fills against a replayed book, which must be proven right; that book gives the price too.
    pub needs_book: bool,
    /// It fills against the best bid and ask: a new quote is a change of its market.
    pub fills_at_quotes: bool,
    /// It makes the market itself, and publishes its book.
    pub publishes_book: bool,
}

impl VenueTraits {
    /// A venue that leaves everything to the engine and has no market yet.
    const PLAIN: Self = Self {
        sizes_at_fill: false,
        asks_buying_power_at_fill: false,
        has_native_brackets: false,
        closes_by_entry: false,
        has_certain_cancels: false,
        reports_at_once: false,
        expires_after_its_time: false,
        fills_at_open: false,
        values_at_bars: false,
        needs_book: false,
        fills_at_quotes: false,
        publishes_book: false,
    };
    /// Against bars given as input.
    pub(crate) const BARS: Self = Self {
        sizes_at_fill: true,
        asks_buying_power_at_fill: true,
        has_native_brackets: true,
        closes_by_entry: true,
        has_certain_cancels: true,
        reports_at_once: true,
        expires_after_its_time: true,
        fills_at_open: true,
        values_at_bars: true,
        ..Self::PLAIN
    };
    /// Against the best bid and ask.
    pub(crate) const QUOTES: Self = Self { fills_at_quotes: true, ..Self::PLAIN };
    /// Against a replayed book.
    pub(crate) const BOOK: Self = Self { needs_book: true, ..Self::PLAIN };
    /// Among the agents of a simulated exchange.
    pub(crate) const EXCHANGE: Self = Self { publishes_book: true, ..Self::PLAIN };

    /// Tells whether the book is where its best prices are read, and not the last quote.
    #[must_use]
    pub const fn shows_book(&self) -> bool {
        self.needs_book || self.publishes_book
    }
}
