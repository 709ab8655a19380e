//! Fields of a known kind of message, turned into the body of an event.

use tradecore_types::{BookUpdate, BookUpdateKind, EventBody, Level, Quote, Side, Trade};

use super::decoded::Decoded;
use super::fields::{Fields, Kind, Part, Scalar};
use super::reader::read_part;
use super::symbols::Listing;
use crate::Scale;
use crate::error::Problem;

/// The messages that become events.
#[derive(Clone, Copy)]
pub(super) enum Message {
    Snapshot,
    Depth,
    Trade,
    AggTrade,
    BookTicker,
}

/// Returns what a message is; `None` when nobody asked for it.
pub(super) fn kind_of(fields: &Fields<'_>) -> Result<Option<Message>, Problem> {
    if fields.is_partial_depth() {
        return Ok(None);
    }
    Ok(match fields.kind {
        Kind::Depth => Some(Message::Depth),
        Kind::Trade => Some(Message::Trade),
        Kind::AggTrade => Some(Message::AggTrade),
        Kind::BookTicker => Some(Message::BookTicker),
        Kind::Absent if fields.snapshot_id != Scalar::Absent => Some(Message::Snapshot),
        // Best bid and ask of spot carry no type.
        Kind::Absent if fields.bid_quantity != Scalar::Absent => Some(Message::BookTicker),
        Kind::Absent if fields.error => {
            let text = fields.error_text.text("msg").unwrap_or_default();
            return Err(Problem::new("error", text, "the venue refused a request"));
        }
        Kind::Absent | Kind::Other => None,
    })
}

/// Kind and update ids of a book message.
pub(super) struct Ids {
    pub(super) kind: BookUpdateKind,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) prev: u64,
}

impl Ids {
    /// Makes a book message of levels that begin at `start`.
    pub(super) fn update(&self, start: usize, bids: usize, asks: usize) -> Result<BookUpdate, Problem> {
        let count = |value: usize| {
            u32::try_from(value)
                .map_err(|_| Problem::new("b", value, "too many levels for one batch; read it in parts"))
        };
        Ok(BookUpdate {
            kind: self.kind,
            first_id: self.first,
            last_id: self.last,
            prev_id: self.prev,
            levels_start: count(start)?,
            bids: count(bids)?,
            asks: count(asks)?,
            checksum: None,
        })
    }
}

/// Makes a book message of the levels read since `start`.
pub(super) fn book(
    fields: &Fields<'_>,
    listing: Listing,
    ids: &Ids,
    start: usize,
    levels: &mut Vec<Level>,
) -> Result<BookUpdate, Problem> {
    let bids = read_part("b", fields.bids, listing, levels)?;
    let asks = read_part("a", fields.asks, listing, levels)?;
    let (bids_start, bids) = span(bids, "b")?;
    let (asks_start, asks) = span(asks, "a")?;
    if asks_start < bids_start
        && let Some(own) = levels.get_mut(start..)
    {
        own.rotate_left(asks);
    }
    ids.update(start, bids, asks)
}

fn span(part: Part<'_>, field: &'static str) -> Result<(usize, usize), Problem> {
    match part {
        Part::Levels(start, count) => Ok((start, count)),
        _ => Err(Problem::new(field, "", "is missing; it must be an array of [price, size]")),
    }
}

pub(super) fn single<'de>(part: Part<'de>, field: &'static str) -> Result<Scalar<'de>, Problem> {
    match part {
        Part::Absent => Ok(Scalar::Absent),
        Part::Single(scalar) => Ok(scalar),
        Part::Levels(..) => Err(Problem::new(field, "", "must be a single value")),
        Part::Unread(raw) => {
            serde_json::from_str(raw.get()).map_err(|error| Problem::new(field, raw.get(), error.to_string()))
        }
    }
}

pub(super) fn trade(
    fields: &Fields<'_>,
    listing: Listing,
    trade_id: Result<u64, Problem>,
) -> Result<Result<EventBody, Decoded>, Problem> {
    if !matches!(fields.trade_kind, Scalar::Absent | Scalar::Text("MARKET")) {
        return Ok(Err(Decoded::OffMarket));
    }
    let price_ticks = positive("p", fields.price, &listing.price)?;
    let lots = lots("q", fields.quantity, &listing.quantity)?;
    if lots == 0 {
        return Ok(Err(Decoded::BelowLot));
    }
    let aggressor = if fields.buyer_is_maker.bool("m")? { Side::Sell } else { Side::Buy };
    Ok(Ok(EventBody::Trade(Trade { price_ticks, lots, aggressor, trade_id: trade_id? })))
}

pub(super) fn quote(fields: &Fields<'_>, listing: Listing) -> Result<Result<EventBody, Decoded>, Problem> {
    let quote = Quote {
        bid_ticks: steps("b", single(fields.bids, "b")?, &listing.price)?,
        bid_lots: lots("B", fields.bid_quantity, &listing.quantity)?,
        ask_ticks: steps("a", single(fields.asks, "a")?, &listing.price)?,
        ask_lots: lots("A", fields.ask_quantity, &listing.quantity)?,
        update_id: fields.last_id.number("u")?,
    };
    if [quote.bid_ticks, quote.bid_lots, quote.ask_ticks, quote.ask_lots].contains(&0) {
        return Ok(Err(Decoded::EmptySide));
    }
    Ok(Ok(EventBody::Quote(quote)))
}

fn steps(field: &'static str, scalar: Scalar<'_>, scale: &Scale) -> Result<i64, Problem> {
    let text = scalar.text(field)?;
    scale.steps(text.as_bytes()).map_err(|flaw| Problem::new(field, text, scale.rule(flaw)))
}

fn lots(field: &'static str, scalar: Scalar<'_>, scale: &Scale) -> Result<i64, Problem> {
    let text = scalar.text(field)?;
    scale.floor(text.as_bytes()).map_err(|flaw| Problem::new(field, text, scale.rule(flaw)))
}

fn positive(field: &'static str, scalar: Scalar<'_>, scale: &Scale) -> Result<i64, Problem> {
    match steps(field, scalar, scale)? {
        0 => Err(Problem::new(field, "0", "must be above 0")),
        steps => Ok(steps),
    }
}
