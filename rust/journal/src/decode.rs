//! Frames to records, borrowing from the frame.
//!
//! **Invariant:** whatever the bytes are, the outcome is a record or a [`CodecError`]; a record that
//! was accepted encodes to the very same bytes.

use tradecore_types::{
    Adopted, AdoptedBody, Bar, BookUpdate, BookedRevision, CancelReason, CashFlow, CashFlowKind, Command,
    CurrencyId, Event, EventBody, Flow, Funding, InstrumentId, Liquidation, Mark, Money, OrderId, Quote,
    Refusal, RejectReason, Report, ReportBody, Rule, Sent, SentBody, StrategyId, Surprise, SurpriseKind,
    TimeNs, Trade, TradeRevision, Traded, VenueEvent, VenueReport,
};

use crate::codes::{book_kind, feed_state, flag, liquidity, side, unknown};
use crate::command::command;
use crate::cursor::{Cursor, text};
use crate::frames::LENGTH_BYTES;
use crate::intent::intent;
use crate::record::gate;
use crate::{
    AccountBytes, CodecError, Decision, FORMAT_VERSION, FRAME_BYTES_MAX, Gates, Kind, Levels, Record,
    RecordBody,
};

/// Reads one frame, its length field included.
///
/// # Errors
///
/// [`CodecError`] when the bytes are not exactly one record of a known kind.
pub fn decode(frame: &[u8]) -> Result<Record<'_>, CodecError> {
    let mut cursor = Cursor::new(frame);
    let length = cursor.u32()?;
    let actual = frame.len().saturating_sub(LENGTH_BYTES);
    if usize::try_from(length) != Ok(actual) || frame.len() > FRAME_BYTES_MAX {
        return Err(CodecError::Length(u64::from(length)));
    }
    let code = cursor.u8()?;
    let kind = Kind::from_code(code).ok_or(CodecError::UnknownKind(code))?;
    let time_ns = cursor.i64()?;
    let body = body(kind, time_ns, &mut cursor)?;
    if !cursor.rest().is_empty() {
        return Err(CodecError::Length(u64::from(length)));
    }
    Ok(Record { time_ns, body })
}

fn body<'a>(kind: Kind, time_ns: TimeNs, cursor: &mut Cursor<'a>) -> Result<RecordBody<'a>, CodecError> {
    match kind {
        Kind::Session => session(cursor),
        Kind::SessionEnd => Ok(RecordBody::SessionEnd { reason: cursor.text("reason")? }),
        Kind::StateHash => Ok(RecordBody::StateHash(cursor.array()?)),
        Kind::Order => Ok(RecordBody::Order { intent: intent(cursor)?, reference_ticks: cursor.i64()? }),
        Kind::Refused => Ok(RecordBody::Refused { intent: intent(cursor)?, refusal: refusal(cursor)? }),
        Kind::CancelRequest => Ok(RecordBody::CancelRequest {
            order_id: OrderId(cursor.u64()?),
            strategy: StrategyId(cursor.u16()?),
        }),
        Kind::ReplaceRequest => Ok(RecordBody::ReplaceRequest {
            order_id: OrderId(cursor.u64()?),
            price_ticks: price_or_none(cursor.i64()?),
            lots: cursor.i64()?,
        }),
        Kind::Link => Ok(RecordBody::Link {
            order_id: OrderId(cursor.u64()?),
            after: order_or_none(cursor.u64()?),
            oco: order_or_none(cursor.u64()?),
        }),
        Kind::Sized => Ok(RecordBody::Sized { order_id: OrderId(cursor.u64()?), lots: cursor.i64()? }),
        Kind::Sent => Ok(RecordBody::Sent(sent(cursor)?)),
        Kind::Report => Ok(RecordBody::Report(report(cursor)?)),
        Kind::VenueReport
        | Kind::OutcomeLost
        | Kind::Reconciling
        | Kind::Reconciled
        | Kind::Adopted
        | Kind::VenueRevision => {
            Ok(RecordBody::Venue { instrument: InstrumentId(cursor.u32()?), said: said(kind, cursor)? })
        }
        Kind::Surprise => Ok(RecordBody::Surprise(surprise(cursor)?)),
        Kind::Revision => Ok(RecordBody::Revision(booked_revision(cursor)?)),
        Kind::Decision => Ok(RecordBody::Decision(decision(cursor)?)),
        Kind::CashFlow => Ok(RecordBody::CashFlow(cash_flow(cursor)?)),
        Kind::Liquidation => Ok(RecordBody::Liquidation(liquidation(cursor)?)),
        Kind::Margin => Ok(RecordBody::Margin {
            strategy: StrategyId(cursor.u16()?),
            instrument: InstrumentId(cursor.u32()?),
            amount: Money(cursor.i128()?),
        }),
        Kind::Account => account(cursor),
        Kind::Bar
        | Kind::Quote
        | Kind::Trade
        | Kind::Book
        | Kind::CheckedBook
        | Kind::Flow
        | Kind::Feed
        | Kind::Command
        | Kind::Mark
        | Kind::Funding
        | Kind::Clock => event(kind, time_ns, cursor),
    }
}

/// Reads an event about the account; its instrument is not used, and is the first one.
fn account<'a>(cursor: &mut Cursor<'a>) -> Result<RecordBody<'a>, CodecError> {
    match cursor.u32()? {
        0 => AccountBytes::of(cursor).map(RecordBody::Account),
        other => Err(CodecError::Field { field: "instrument", value: u64::from(other) }),
    }
}

/// Reads an order number; orders count from 1, and 0 is none.
fn order_or_none(number: u64) -> Option<OrderId> {
    (number != 0).then_some(OrderId(number))
}

/// Reads a price that may be none; no price is 0, so 0 says that there is none.
fn price_or_none(price_ticks: i64) -> Option<i64> {
    (price_ticks != 0).then_some(price_ticks)
}

fn session<'a>(cursor: &mut Cursor<'a>) -> Result<RecordBody<'a>, CodecError> {
    let version = cursor.u32()?;
    if version > FORMAT_VERSION {
        return Err(CodecError::NewerVersion(version));
    }
    if version == 0 {
        return Err(unknown("format_version", 0));
    }
    Ok(RecordBody::Session { engine_version: cursor.text("engine_version")?, config: cursor.bytes()? })
}

fn event<'a>(kind: Kind, time_ns: TimeNs, cursor: &mut Cursor<'a>) -> Result<RecordBody<'a>, CodecError> {
    let instrument = InstrumentId(cursor.u32()?);
    let (mut bids, mut asks) = (Levels::default(), Levels::default());
    let body = match kind {
        Kind::Bar => EventBody::Bar(bar(cursor)?),
        Kind::Quote => EventBody::Quote(quote(cursor)?),
        Kind::Trade => EventBody::Trade(trade(cursor)?),
        Kind::Book | Kind::CheckedBook => {
            let update = book(kind, cursor)?;
            bids = levels(cursor, update.bids)?;
            asks = levels(cursor, update.asks)?;
            EventBody::Book(update)
        }
        Kind::Flow => EventBody::Flow(flow(cursor)?),
        Kind::Feed => EventBody::Feed(feed_state(cursor.u8()?)?),
        Kind::Command => EventBody::Command(Command { kind: command(cursor)? }),
        Kind::Clock => EventBody::Clock,
        Kind::Mark => EventBody::Mark(Mark { price_ticks: cursor.i64()? }),
        Kind::Funding => {
            EventBody::Funding(Funding { rate_ppb: cursor.i64()?, mark_ticks: price_or_none(cursor.i64()?) })
        }
        other => return Err(CodecError::UnknownKind(other.code())),
    };
    Ok(RecordBody::Event { event: Event { time_ns, instrument, body }, bids, asks })
}

fn bar(cursor: &mut Cursor<'_>) -> Result<Bar, CodecError> {
    Ok(Bar {
        open_time_ns: cursor.i64()?,
        open_ticks: cursor.i64()?,
        high_ticks: cursor.i64()?,
        low_ticks: cursor.i64()?,
        close_ticks: cursor.i64()?,
        volume_lots: cursor.i64()?,
    })
}

fn quote(cursor: &mut Cursor<'_>) -> Result<Quote, CodecError> {
    Ok(Quote {
        bid_ticks: cursor.i64()?,
        bid_lots: cursor.i64()?,
        ask_ticks: cursor.i64()?,
        ask_lots: cursor.i64()?,
        update_id: cursor.u64()?,
    })
}

fn trade(cursor: &mut Cursor<'_>) -> Result<Trade, CodecError> {
    Ok(Trade {
        price_ticks: cursor.i64()?,
        lots: cursor.i64()?,
        aggressor: side(cursor.u8()?)?,
        trade_id: cursor.u64()?,
    })
}

fn book(kind: Kind, cursor: &mut Cursor<'_>) -> Result<BookUpdate, CodecError> {
    Ok(BookUpdate {
        kind: book_kind(cursor.u8()?)?,
        first_id: cursor.u64()?,
        last_id: cursor.u64()?,
        prev_id: cursor.u64()?,
        levels_start: 0,
        bids: cursor.u32()?,
        asks: cursor.u32()?,
        checksum: if kind == Kind::CheckedBook { Some(cursor.u32()?) } else { None },
    })
}

fn flow(cursor: &mut Cursor<'_>) -> Result<Flow, CodecError> {
    match cursor.u8()? {
        1 => Ok(Flow::Limit {
            flow_id: cursor.u64()?,
            side: side(cursor.u8()?)?,
            price_ticks: cursor.i64()?,
            lots: cursor.i64()?,
        }),
        2 => Ok(Flow::Market { side: side(cursor.u8()?)?, lots: cursor.i64()? }),
        3 => Ok(Flow::Cancel { flow_id: cursor.u64()? }),
        code => Err(unknown("flow", code)),
    }
}

fn refusal(cursor: &mut Cursor<'_>) -> Result<Refusal, CodecError> {
    let code = cursor.u8()?;
    let rule = Rule::from_code(code).ok_or_else(|| unknown("rule", code))?;
    Ok(Refusal { rule, limit: cursor.i128()?, value: cursor.i128()? })
}

fn report(cursor: &mut Cursor<'_>) -> Result<Report, CodecError> {
    let venue_time_ns = cursor.i64()?;
    let order_id = OrderId(cursor.u64()?);
    let body = match cursor.u8()? {
        1 => ReportBody::Accepted,
        2 => ReportBody::Rejected(reject_reason(cursor)?),
        3 => ReportBody::Triggered,
        4 => ReportBody::Fill {
            price_ticks: cursor.i64()?,
            lots: cursor.i64()?,
            liquidity: liquidity(cursor.u8()?)?,
            fee: Money(cursor.i128()?),
            fee_currency: None,
        },
        12 => ReportBody::Fill {
            price_ticks: cursor.i64()?,
            lots: cursor.i64()?,
            liquidity: liquidity(cursor.u8()?)?,
            fee: Money(cursor.i128()?),
            fee_currency: Some(CurrencyId(cursor.u8()?)),
        },
        5 => {
            let code = cursor.u8()?;
            let reason = CancelReason::from_code(code).ok_or_else(|| unknown("cancel_reason", code))?;
            ReportBody::Canceled(reason)
        }
        6 => ReportBody::CancelRejected(reject_reason(cursor)?),
        7 => ReportBody::Replaced { price_ticks: price_or_none(cursor.i64()?), lots: cursor.i64()? },
        8 => ReportBody::ReplaceRejected(reject_reason(cursor)?),
        9 => ReportBody::Expired,
        10 => ReportBody::Restated { price_ticks: price_or_none(cursor.i64()?), lots: cursor.i64()? },
        11 => ReportBody::TriggeredAt { price_ticks: cursor.i64()? },
        code => return Err(unknown("report", code)),
    };
    Ok(Report { venue_time_ns, order_id, body })
}

fn said<'a>(kind: Kind, cursor: &mut Cursor<'a>) -> Result<VenueEvent<&'a str>, CodecError> {
    match kind {
        Kind::VenueReport => Ok(VenueEvent::Report(VenueReport {
            report: report(cursor)?,
            venue_order_id: venue_id("venue_order_id", cursor)?,
            trade_id: venue_id("trade_id", cursor)?,
            filled_lots: filled_lots(cursor)?,
        })),
        Kind::OutcomeLost => Ok(VenueEvent::OutcomeLost { order_id: OrderId(cursor.u64()?) }),
        Kind::Reconciling => Ok(VenueEvent::Reconciling),
        Kind::Reconciled => Ok(VenueEvent::Reconciled),
        Kind::Adopted => Ok(VenueEvent::Adopted(adopted(cursor)?)),
        Kind::VenueRevision => Ok(VenueEvent::Revision(revision(cursor)?)),
        other => Err(CodecError::UnknownKind(other.code())),
    }
}

fn revision<'a>(cursor: &mut Cursor<'a>) -> Result<TradeRevision<&'a str>, CodecError> {
    Ok(TradeRevision {
        venue_time_ns: cursor.i64()?,
        order_id: OrderId(cursor.u64()?),
        revision: cursor.u64()?,
        traded: traded(cursor)?,
        trade_id: trade_id(cursor)?,
        venue_order_id: venue_id("venue_order_id", cursor)?,
        filled_lots: (!cursor.rest().is_empty()).then(|| cursor.i64()).transpose()?,
    })
}

fn booked_revision<'a>(cursor: &mut Cursor<'a>) -> Result<BookedRevision<&'a str>, CodecError> {
    Ok(BookedRevision {
        venue_time_ns: cursor.i64()?,
        order_id: OrderId(cursor.u64()?),
        strategy: StrategyId(cursor.u16()?),
        instrument: InstrumentId(cursor.u32()?),
        side: side(cursor.u8()?)?,
        closes: order_or_none(cursor.u64()?),
        revision: cursor.u64()?,
        before: traded(cursor)?,
        after: traded(cursor)?,
        trade_id: trade_id(cursor)?,
    })
}

/// Reads the numbers of a trade, if there are any.
fn traded(cursor: &mut Cursor<'_>) -> Result<Option<Traded>, CodecError> {
    let code = cursor.u8()?;
    match code {
        0 => Ok(None),
        1 | 2 => Ok(Some(Traded {
            price_ticks: cursor.i64()?,
            lots: cursor.i64()?,
            liquidity: liquidity(cursor.u8()?)?,
            fee: Money(cursor.i128()?),
            fee_currency: (code == 2).then(|| cursor.u8()).transpose()?.map(CurrencyId),
        })),
        code => Err(unknown("traded", code)),
    }
}

/// Reads the name of a trade, which is never empty.
fn trade_id<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, CodecError> {
    venue_id("trade_id", cursor)?.ok_or(CodecError::Field { field: "trade_id", value: 0 })
}

fn adopted<'a>(cursor: &mut Cursor<'a>) -> Result<Adopted<&'a str>, CodecError> {
    let strategy = StrategyId(cursor.u16()?);
    let side = side(cursor.u8()?)?;
    let (lots, venue_time_ns) = (cursor.i64()?, cursor.i64()?);
    let body = match cursor.u8()? {
        1 => AdoptedBody::Order { price_ticks: price_or_none(cursor.i64()?) },
        code @ (2 | 3) => AdoptedBody::Position {
            price_ticks: cursor.i64()?,
            fee: Money(cursor.i128()?),
            fee_currency: (code == 3).then(|| cursor.u8()).transpose()?.map(CurrencyId),
        },
        code => return Err(unknown("adopted", code)),
    };
    let venue_order_id = venue_id("venue_order_id", cursor)?;
    let client_order_id = venue_id("client_order_id", cursor)?;
    Ok(Adopted { strategy, side, lots, venue_time_ns, body, venue_order_id, client_order_id })
}

/// Reads an id of a venue; an empty one is none.
fn venue_id<'a>(field: &'static str, cursor: &mut Cursor<'a>) -> Result<Option<&'a str>, CodecError> {
    let length = usize::from(cursor.u8()?);
    let id = text(field, cursor.take(length)?)?;
    Ok((!id.is_empty()).then_some(id))
}

/// Reads what had filled in all, if the venue said it.
fn filled_lots(cursor: &mut Cursor<'_>) -> Result<Option<i64>, CodecError> {
    let is_said = flag("has_filled_lots", cursor.u8()?)?;
    match (is_said, cursor.i64()?) {
        (true, lots) => Ok(Some(lots)),
        (false, 0) => Ok(None),
        (false, _) => Err(unknown("filled_lots", 1)),
    }
}

fn surprise(cursor: &mut Cursor<'_>) -> Result<Surprise, CodecError> {
    let order_id = OrderId(cursor.u64()?);
    let code = cursor.u8()?;
    let kind = SurpriseKind::from_code(code).ok_or_else(|| unknown("surprise", code))?;
    Ok(Surprise { order_id, kind })
}

fn sent(cursor: &mut Cursor<'_>) -> Result<Sent, CodecError> {
    let order_id = OrderId(cursor.u64()?);
    let body = match cursor.u8()? {
        1 => SentBody::New { lots: Some(cursor.i64()?) },
        2 => SentBody::New { lots: None },
        3 => SentBody::Cancel,
        4 => SentBody::Replace { price_ticks: price_or_none(cursor.i64()?), lots: cursor.i64()? },
        code => return Err(unknown("sent", code)),
    };
    Ok(Sent { order_id, body })
}

fn cash_flow(cursor: &mut Cursor<'_>) -> Result<CashFlow, CodecError> {
    let time_ns = cursor.i64()?;
    let strategy = StrategyId(cursor.u16()?);
    let instrument = InstrumentId(cursor.u32()?);
    let code = cursor.u8()?;
    let kind = CashFlowKind::from_code(code).ok_or_else(|| unknown("cash_flow", code))?;
    Ok(CashFlow { time_ns, strategy, instrument, kind, amount: Money(cursor.i128()?) })
}

fn liquidation(cursor: &mut Cursor<'_>) -> Result<Liquidation, CodecError> {
    Ok(Liquidation {
        strategy: StrategyId(cursor.u16()?),
        instrument: InstrumentId(cursor.u32()?),
        order_id: OrderId(cursor.u64()?),
        price_ticks: cursor.i64()?,
        lots: cursor.i64()?,
        equity: Money(cursor.i128()?),
        maintenance: Money(cursor.i128()?),
    })
}

fn reject_reason(cursor: &mut Cursor<'_>) -> Result<RejectReason, CodecError> {
    let code = cursor.u8()?;
    RejectReason::from_code(code).ok_or_else(|| unknown("reject_reason", code))
}

fn decision<'a>(cursor: &mut Cursor<'a>) -> Result<Decision<'a>, CodecError> {
    let strategy = StrategyId(cursor.u16()?);
    let instrument = InstrumentId(cursor.u32()?);
    let action = cursor.u8()?;
    let reason = cursor.text("reason")?;
    let count = cursor.u16()?;
    let start = cursor.rest();
    for _ in 0..count {
        gate(cursor)?;
    }
    let length = start.len().saturating_sub(cursor.rest().len());
    let bytes = start.get(..length).unwrap_or_default();
    Ok(Decision { strategy, instrument, action, reason, gates: Gates { count, bytes } })
}

/// Reads so many levels.
fn levels<'a>(cursor: &mut Cursor<'a>, count: u32) -> Result<Levels<'a>, CodecError> {
    let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(16));
    let taken = cursor.take(length.ok_or(CodecError::Truncated)?)?;
    Ok(Levels { bytes: taken.as_chunks::<16>().0 })
}
