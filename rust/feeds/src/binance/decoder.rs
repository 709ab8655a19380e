//! What a message means: fields in, at most one event out.

use tradecore_types::{BookUpdateKind, Event, EventBatch, EventBody, Level, TimeNs, ValueError};

use super::decoded::Decoded;
use super::fast_depth;
use super::fields::{Fields, Kind, Named};
use super::message::{Ids, Message, book, kind_of, quote, single, trade};
use super::reader::Reader;
use super::symbols::{Listing, SymbolSpec, SymbolTable};
use crate::error::{DecodeError, Problem};

/// Which Binance market the messages are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Market {
    /// Spot: diffs chain by `U == previous u + 1`.
    Spot,
    /// USD-margined futures: diffs chain by `pu == previous u`.
    UsdM,
    /// Coin-margined futures: as USD-M, sizes are contracts.
    CoinM,
}

/// How many messages there were of each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All messages, the wrong ones included.
    pub messages: u64,
    /// Messages that became an event.
    pub events: u64,
    /// Messages about a symbol that nobody asked for ([`Decoded::UnknownSymbol`]).
    pub unknown_symbols: u64,
    /// Messages of a type that is not read here ([`Decoded::UnknownType`]).
    pub unknown_types: u64,
    /// Trades that did not happen in the market ([`Decoded::OffMarket`]).
    pub off_market: u64,
    /// Quotes with nobody on one side ([`Decoded::EmptySide`]).
    pub empty_sides: u64,
    /// Trades of less than a lot ([`Decoded::BelowLot`]).
    pub below_lot: u64,
    /// Answers to subscriptions and the like ([`Decoded::Control`]).
    pub controls: u64,
}

/// Decoder of Binance public market data: `depthUpdate`, `trade`, `aggTrade`, `bookTicker` and depth
/// snapshots, bare or wrapped in `{"stream","data"}`, live or captured.
///
/// The time of an event is the time it was received. A trade's `trade_id` is `t`, an aggregate
/// trade's is `a`; subscribing to both counts every trade twice. Trades of futures outside the
/// market (`X` other than `MARKET`) never met the book, so they are counted and left out.
///
/// Prices must be whole ticks. Sizes are cut to whole lots: books hold remainders finer than the lot that
/// new orders must keep to, and what is below one lot cannot be traded with.
///
/// **Invariant:** a message adds one event with its levels, or leaves the batch as it was. No
/// allocation once the batch has grown to its working size.
#[derive(Clone, Debug)]
pub struct BinanceDecoder {
    market: Market,
    symbols: SymbolTable,
    default: Option<Listing>,
    pub(super) counts: Counts,
    last_time_ns: TimeNs,
}

impl BinanceDecoder {
    /// Makes a decoder of these symbols.
    ///
    /// `default_symbol` is what a message is about that names no symbol (a REST snapshot of spot or
    /// USD-M); without it, the only symbol if there is just one.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when there is no symbol, one is given twice, a tick or lot is not above 0, or
    /// the default is none of them.
    pub fn new(
        market: Market,
        symbols: &[SymbolSpec],
        default_symbol: Option<&str>,
    ) -> Result<Self, ValueError> {
        let table = SymbolTable::new(symbols)?;
        let default = match default_symbol {
            None => table.only(),
            Some(name) => Some(
                table
                    .get_any_case(name)
                    .ok_or_else(|| ValueError::new("default_symbol", name, "must be one of the symbols"))?,
            ),
        };
        Ok(Self { market, symbols: table, default, counts: Counts::default(), last_time_ns: 0 })
    }

    /// Returns how many messages there were so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Reads one message received at `time_ns` and adds its event to the batch.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when it is no message of Binance, a value breaks a rule or the time falls.
    pub fn decode(
        &mut self,
        time_ns: TimeNs,
        payload: &[u8],
        batch: &mut EventBatch,
    ) -> Result<Decoded, DecodeError> {
        self.counts.messages += 1;
        self.decode_numbered(time_ns, payload, self.default, batch)
            .map_err(|problem| DecodeError::at(self.counts.messages, problem))
    }

    /// Reads a REST depth snapshot of `symbol` received at `time_ns`.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] under the same conditions as [`Self::decode`], and for an unknown symbol.
    pub fn decode_snapshot(
        &mut self,
        time_ns: TimeNs,
        symbol: &str,
        payload: &[u8],
        batch: &mut EventBatch,
    ) -> Result<Decoded, DecodeError> {
        self.counts.messages += 1;
        let listing = self.symbols.get_any_case(symbol);
        let outcome = match listing {
            Some(_) => self.decode_numbered(time_ns, payload, listing, batch),
            None => Err(Problem::new("symbol", symbol, "must be one of the symbols")),
        };
        outcome.map_err(|problem| DecodeError::at(self.counts.messages, problem))
    }

    /// Reads one message and counts its outcome; the batch is untouched unless an event was added.
    pub(super) fn decode_numbered(
        &mut self,
        time_ns: TimeNs,
        payload: &[u8],
        default: Option<Listing>,
        batch: &mut EventBatch,
    ) -> Result<Decoded, Problem> {
        if time_ns < self.last_time_ns {
            let rule = format!("must not be before the message before it, {}", self.last_time_ns);
            return Err(Problem::new("receive_ns", time_ns, rule));
        }
        let levels_before = batch.levels.len();
        let outcome = self.event(time_ns, payload, default, &mut batch.levels);
        match outcome {
            Ok(Ok(event)) => {
                batch.events.push(event);
                self.last_time_ns = time_ns;
                self.counts.events += 1;
                Ok(Decoded::Event)
            }
            Ok(Err(skipped)) => {
                batch.levels.truncate(levels_before);
                self.last_time_ns = time_ns;
                self.count(skipped);
                Ok(skipped)
            }
            Err(problem) => {
                batch.levels.truncate(levels_before);
                Err(problem)
            }
        }
    }

    /// Returns what a message without a symbol is about.
    pub(super) const fn default_listing(&self) -> Option<Listing> {
        self.default
    }

    fn count(&mut self, skipped: Decoded) {
        let count = match skipped {
            Decoded::Event => &mut self.counts.events,
            Decoded::UnknownSymbol => &mut self.counts.unknown_symbols,
            Decoded::UnknownType => &mut self.counts.unknown_types,
            Decoded::OffMarket => &mut self.counts.off_market,
            Decoded::EmptySide => &mut self.counts.empty_sides,
            Decoded::BelowLot => &mut self.counts.below_lot,
            Decoded::Control => &mut self.counts.controls,
        };
        *count += 1;
    }

    /// Returns the event of a message, or why there is none.
    pub(super) fn event(
        &self,
        time_ns: TimeNs,
        payload: &[u8],
        default: Option<Listing>,
        levels: &mut Vec<Level>,
    ) -> Result<Result<Event, Decoded>, Problem> {
        let start = levels.len();
        if let Some(depth) = fast_depth::read(payload, &self.symbols, levels) {
            let prev = if self.market == Market::Spot { Some(0) } else { depth.prev_id };
            if let Some(prev) = prev {
                let ids =
                    Ids { kind: BookUpdateKind::Diff, first: depth.first_id, last: depth.last_id, prev };
                let body = EventBody::Book(ids.update(start, depth.bids, depth.asks)?);
                return Ok(Ok(Event { time_ns, instrument: depth.listing.instrument, body }));
            }
            levels.truncate(start);
        }
        self.general_event(time_ns, payload, default, levels)
    }

    /// Returns the event of a message of any form, or why there is none.
    pub(super) fn general_event(
        &self,
        time_ns: TimeNs,
        payload: &[u8],
        default: Option<Listing>,
        levels: &mut Vec<Level>,
    ) -> Result<Result<Event, Decoded>, Problem> {
        let start = levels.len();
        let fields = Reader::read(payload, &self.symbols, levels)?;
        let Some(kind) = kind_of(&fields)? else {
            let control = fields.result && matches!(fields.kind, Kind::Absent);
            return Ok(Err(if control { Decoded::Control } else { Decoded::UnknownType }));
        };
        let listing = match fields.symbol {
            Named::Known(listing) => listing,
            Named::Unknown => return Ok(Err(Decoded::UnknownSymbol)),
            Named::Absent => match self.listing_of_stream(&fields, default)? {
                Some(listing) => listing,
                None => return Ok(Err(Decoded::UnknownSymbol)),
            },
        };
        let body = match kind {
            Message::Snapshot => {
                let last_id = fields.snapshot_id.number("lastUpdateId")?;
                let ids = Ids { kind: BookUpdateKind::Snapshot, first: last_id, last: last_id, prev: 0 };
                Ok(EventBody::Book(book(&fields, listing, &ids, start, levels)?))
            }
            Message::Depth => {
                let ids = self.diff_ids(&fields)?;
                Ok(EventBody::Book(book(&fields, listing, &ids, start, levels)?))
            }
            Message::Trade => trade(&fields, listing, fields.trade_id.number("t"))?,
            Message::AggTrade => trade(&fields, listing, single(fields.asks, "a")?.number("a"))?,
            Message::BookTicker => quote(&fields, listing)?,
        };
        Ok(body.map(|body| Event { time_ns, instrument: listing.instrument, body }))
    }

    fn listing_of_stream(
        &self,
        fields: &Fields<'_>,
        default: Option<Listing>,
    ) -> Result<Option<Listing>, Problem> {
        match fields.stream.and_then(|stream| stream.split('@').next()) {
            Some(name) => Ok(self.symbols.get_any_case(name)),
            None if default.is_some() => Ok(default),
            None => Err(Problem::new(
                "s",
                "",
                "is missing, and there are several symbols and no default among them",
            )),
        }
    }

    fn diff_ids(&self, fields: &Fields<'_>) -> Result<Ids, Problem> {
        let (first, last) = (fields.first_id.number("U")?, fields.last_id.number("u")?);
        if first > last {
            return Err(Problem::new("U", first, format!("must not be above u, {last}")));
        }
        let prev = match self.market {
            Market::Spot => 0,
            Market::UsdM | Market::CoinM => fields.prev_id.number("pu")?,
        };
        Ok(Ids { kind: BookUpdateKind::Diff, first, last, prev })
    }
}
