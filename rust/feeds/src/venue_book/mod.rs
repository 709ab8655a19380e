//! Book messages that carry a checksum: Kraken (WebSocket v1 and v2) and OKX.

mod events;
mod kraken;
mod levels;
mod okx;

pub use events::VenueBookEvents;
use tradecore_types::{Level, Side};

use crate::error::Problem;
use crate::{DecodeError, Flaw, Scale};

/// How a venue writes its book messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookFormat {
    /// Kraken WebSocket v1: `[channel, {"a": ..}, {"b": .., "c": ".."}, "book-10", "XBT/USD"]`.
    KrakenV1,
    /// Kraken WebSocket v2: `{"channel": "book", "type": .., "data": [..]}` with prices as JSON numbers.
    KrakenV2,
    /// OKX: `{"arg": {"channel": "books", ..}, "action": .., "data": [..]}`.
    Okx,
}

/// Tick and lot of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairScales {
    /// The step in which prices are read: one tick.
    pub price: Scale,
    /// The step in which sizes are read: one lot.
    pub size: Scale,
}

/// What the last message said; its levels are in the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookMessage<'a> {
    /// The pair as the venue names it.
    pub symbol: &'a str,
    /// Whether the levels are the whole book.
    pub is_snapshot: bool,
    /// The checksum of the book after this message, the same 32 bits for venues that state it signed.
    pub checksum: Option<u32>,
}

/// Reads book messages one by one; the memory for levels is used again.
#[derive(Clone, Debug)]
pub struct VenueBookDecoder {
    format: BookFormat,
    sides: Sides,
    messages: u64,
}

impl VenueBookDecoder {
    /// Makes a decoder for one format.
    #[must_use]
    pub fn new(format: BookFormat) -> Self {
        Self { format, sides: Sides::default(), messages: 0 }
    }

    /// Reads one message: `None` for one that is no book message or of a pair without `scales`.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the text is malformed or a number is no whole step; there are no levels then.
    pub fn read<'a>(
        &mut self,
        payload: &'a [u8],
        scales: &dyn Fn(&str) -> Option<PairScales>,
    ) -> Result<Option<BookMessage<'a>>, DecodeError> {
        self.messages += 1;
        self.sides.clear();
        let message = std::str::from_utf8(payload)
            .map_err(|error| Problem::bytes("json", payload, format!("must be UTF-8: {error}")))
            .and_then(|text| match self.format {
                BookFormat::KrakenV1 => kraken::read_v1(text, scales, &mut self.sides),
                BookFormat::KrakenV2 => kraken::read_v2(text, scales, &mut self.sides),
                BookFormat::Okx => okx::read(text, scales, &mut self.sides),
            });
        message.map_err(|problem| {
            self.sides.clear();
            DecodeError::at(self.messages, problem)
        })
    }

    /// Returns the levels of one side of the last message, in its order.
    #[must_use]
    pub fn levels(&self, side: Side) -> &[Level] {
        match side {
            Side::Buy => &self.sides.bids,
            Side::Sell => &self.sides.asks,
        }
    }
}

/// The levels of a message.
#[derive(Clone, Debug, Default)]
struct Sides {
    bids: Vec<Level>,
    asks: Vec<Level>,
}

impl Sides {
    fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }
}

/// Reads a price and a size.
fn level_of(scales: &PairScales, price: &str, size: &str) -> Result<Level, Problem> {
    let steps = |field, scale: &Scale, text: &str| {
        let bad = |flaw: Flaw| Problem::new(field, text, scale.rule(flaw));
        scale.steps(text.as_bytes()).map_err(bad)
    };
    Ok(Level { price_ticks: steps("price", &scales.price, price)?, lots: steps("size", &scales.size, size)? })
}

/// Says that a text is no message of this format.
fn malformed(text: &str, error: &serde_json::Error) -> Problem {
    Problem::new("json", text, format!("must be a book message: {error}"))
}
