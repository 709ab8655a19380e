//! What comes in: market data, order flow of a simulated exchange, commands and the clock.

use crate::{AccountEvent, Command, InstrumentId, Side, TimeNs, ValueError, VenueEvent};

/// One price level of a book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Level {
    /// Price in whole ticks, so that no digit of it is ever rounded.
    pub price_ticks: i64,
    /// Size in lots; 0 removes the level.
    pub lots: i64,
}

/// A finished bar. `Event::time_ns` is its close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Bar {
    /// Opening time; not after the close.
    pub open_time_ns: TimeNs,
    /// Price of the first trade, in ticks.
    pub open_ticks: i64,
    /// Highest price that was traded, in ticks.
    pub high_ticks: i64,
    /// Lowest price that was traded, in ticks.
    pub low_ticks: i64,
    /// Price of the last trade, in ticks.
    pub close_ticks: i64,
    /// How much was traded, in lots.
    pub volume_lots: i64,
}

/// The best bid and ask of a market: what one can sell and buy at right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Quote {
    /// Price of the best bid, in ticks.
    pub bid_ticks: i64,
    /// Size at the best bid.
    pub bid_lots: i64,
    /// Price of the best ask, in ticks.
    pub ask_ticks: i64,
    /// Size at the best ask.
    pub ask_lots: i64,
    /// Update id of the venue's book this quote was taken from; 0 when the venue gives none.
    pub update_id: u64,
}

/// A trade of others, as the venue publishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Trade {
    /// The price that was traded at, in ticks.
    pub price_ticks: i64,
    /// How many lots were traded, above 0 on either side.
    pub lots: i64,
    /// Side of the order that took liquidity.
    pub aggressor: Side,
    /// The venue's number of the trade; 0 when it gives none.
    pub trade_id: u64,
}

/// What a book message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum BookUpdateKind {
    /// The whole book: levels not named are gone.
    Snapshot,
    /// The levels that have changed; it is worth nothing without all before it.
    Diff,
}

/// A book message; its levels are `bids` then `asks` in the batch's level table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BookUpdate {
    /// Whether it is the whole book or what has changed of it.
    pub kind: BookUpdateKind,
    /// First update id it covers (Binance `U`); for a snapshot equal to `last_id`.
    pub first_id: u64,
    /// Last update id it covers (Binance `u`, snapshot `lastUpdateId`).
    pub last_id: u64,
    /// Last update id of the message before (Binance futures `pu`); 0 when the venue gives none.
    pub prev_id: u64,
    /// Index of the first level in the batch's level table.
    pub levels_start: u32,
    /// How many of its levels are bids; they come first.
    pub bids: u32,
    /// Number of ask levels, which follow the bids.
    pub asks: u32,
    /// Checksum of the book after this message, where the venue states one.
    pub checksum: Option<u32>,
}

/// What a feed says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FeedState {
    /// The connection was lost or restarted: books are invalid until the next snapshot.
    Lost,
    /// What follows is of the past, up to the next loss: it warms up what is computed, and nobody trades on it.
    Past,
}

/// Order flow of a simulated exchange: what its other participants do, matched order by order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// A limit order of an agent; what does not trade at once rests in the book.
    Limit {
        /// Agent's number of the order, unique per instrument.
        flow_id: u64,
        /// Whether it buys or sells.
        side: Side,
        /// The worst price that it trades at, in ticks.
        price_ticks: i64,
        /// Size in lots, above 0.
        lots: i64,
    },
    /// A market order of an agent.
    Market {
        /// Whether it buys or sells.
        side: Side,
        /// Size in lots, above 0.
        lots: i64,
    },
    /// Takes an agent's resting order out; nothing happens when it is already gone.
    Cancel {
        /// Agent's number of the order.
        flow_id: u64,
    },
}

/// The price at which a venue values positions in a derivative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// Price in ticks, above 0.
    pub price_ticks: i64,
}

/// Longs and shorts of a perpetual settle: position times mark price times rate, paid by longs when the
/// rate is above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funding {
    /// Rate in parts per billion of the notional.
    pub rate_ppb: i64,
    /// Mark price of the settlement; `None` settles at the one that the engine knows.
    pub mark_ticks: Option<i64>,
}

/// What can be fed to the engine: it knows of the world by nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventBody {
    /// A finished bar given as input.
    Bar(Bar),
    /// The best bid or ask has changed.
    Quote(Quote),
    /// Others have traded with each other.
    Trade(Trade),
    /// A message about the order book; its levels are in the table of the batch.
    Book(BookUpdate),
    /// Something about the account, at this place of the batch's table; the instrument is not used.
    Account(u32),
    /// Order flow of a simulated exchange.
    Flow(Flow),
    /// State of the feed of this instrument.
    Feed(FeedState),
    /// Mark price of a derivative.
    Mark(Mark),
    /// Longs and shorts of a perpetual pay each other.
    Funding(Funding),
    /// An operator's command; the instrument is not used.
    Command(Command),
    /// What a venue outside says, by its place in the batch's table: its texts must not make a quote larger.
    Venue(u32),
    /// Time passed and nothing else; the instrument is not used.
    Clock,
}

/// Something that happened, when and to which instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When the engine learned of it.
    pub time_ns: TimeNs,
    /// The instrument it is about.
    pub instrument: InstrumentId,
    /// What happened, with its numbers.
    pub body: EventBody,
}

/// Events in time order with tables for what does not fit an event, so that no quote, trade or book message allocates.
#[derive(Clone, Debug, Default)]
pub struct EventBatch {
    /// The events, `time_ns` never falling.
    pub events: Vec<Event>,
    /// Levels of the book messages.
    pub levels: Vec<Level>,
    /// What [`EventBody::Account`] events say, by their place: a quote must not grow by it.
    pub account_events: Vec<AccountEvent>,
    /// What venues outside say, by the place that [`EventBody::Venue`] events name.
    pub venue_events: Vec<VenueEvent>,
}

impl EventBatch {
    /// Makes an empty batch with room for `events` events and `levels` levels.
    #[must_use]
    pub fn with_capacity(events: usize, levels: usize) -> Self {
        Self {
            events: Vec::with_capacity(events),
            levels: Vec::with_capacity(levels),
            account_events: Vec::new(),
            venue_events: Vec::new(),
        }
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.events.clear();
        self.levels.clear();
        self.account_events.clear();
        self.venue_events.clear();
    }

    /// Appends an event about the account.
    pub fn push_account(&mut self, time_ns: TimeNs, event: AccountEvent) {
        let place = u32::try_from(self.account_events.len()).unwrap_or(u32::MAX);
        self.account_events.push(event);
        self.events.push(Event { time_ns, instrument: InstrumentId(0), body: EventBody::Account(place) });
    }

    /// Appends what a venue outside says.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it can be true of no order, or there are 2^32 of them; the batch is as it was.
    pub fn push_venue(
        &mut self,
        time_ns: TimeNs,
        instrument: InstrumentId,
        said: VenueEvent,
    ) -> Result<(), ValueError> {
        said.check()?;
        let count = self.venue_events.len();
        let full = |_| ValueError::new("batch", count, "must have fewer than 2^32 reports");
        let place = u32::try_from(count).map_err(full)?;
        self.venue_events.push(said);
        self.events.push(Event { time_ns, instrument, body: EventBody::Venue(place) });
        Ok(())
    }

    /// Returns what an event about the account says; `None` for a place that is not in the table.
    #[must_use]
    pub fn account_event(&self, place: u32) -> Option<&AccountEvent> {
        usize::try_from(place).ok().and_then(|place| self.account_events.get(place))
    }

    /// Returns what a venue outside says at a place of the table; `None` when it is out of range.
    #[must_use]
    pub fn venue_event(&self, place: u32) -> Option<&VenueEvent> {
        usize::try_from(place).ok().and_then(|place| self.venue_events.get(place))
    }

    /// Returns the bid and the ask levels of a book message; empty when the indices are out of range.
    #[must_use]
    pub fn levels_of(&self, update: &BookUpdate) -> (&[Level], &[Level]) {
        levels_of(&self.levels, update)
    }
}

/// Returns the bid and the ask levels of a book message in a level table.
fn levels_of<'a>(levels: &'a [Level], update: &BookUpdate) -> (&'a [Level], &'a [Level]) {
    let index = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    let start = index(update.levels_start);
    let middle = start.saturating_add(index(update.bids));
    let end = middle.saturating_add(index(update.asks));
    (levels.get(start..middle).unwrap_or_default(), levels.get(middle..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_as_large_as_its_largest_market_data() {
        assert_eq!(size_of::<EventBody>(), 56, "what is larger belongs into a table of the batch");
        assert_eq!(size_of::<Event>(), 72);
    }
}
