//! Records to frames, appended to the caller's buffer; nothing else is allocated.

use tradecore_types::{
    AccountEvent, Adopted, AdoptedBody, BookUpdate, BookedRevision, CashFlow, Event, EventBody, Flow,
    InstrumentId, Level, Liquidation, Money, OrderId, OrderIntent, Refusal, Report, ReportBody, Sent,
    SentBody, StrategyId, Surprise, TimeNs, Traded, VenueEvent,
};

use crate::account::put_account;
use crate::codes::{book_kind_code, feed_state_code, liquidity_code, side_code};
use crate::command::put_command;
use crate::frames::LENGTH_BYTES;
use crate::intent::put_intent;
use crate::{CodecError, FORMAT_VERSION, FRAME_BYTES_MAX, Gate, Kind};

/// Appends the beginning of a session: engine version and configuration as JSON.
///
/// # Errors
///
/// [`CodecError::TooLarge`] when it does not fit a frame; `out` is then as it was.
pub fn encode_session(
    out: &mut Vec<u8>,
    time_ns: TimeNs,
    engine_version: &str,
    config: &[u8],
) -> Result<(), CodecError> {
    let frame = Frame::begin(out, Kind::Session, time_ns);
    put_u32(frame.out, FORMAT_VERSION);
    frame.text("engine_version", engine_version)?.bytes("config", config)?.end();
    Ok(())
}

/// Appends the end of a session and why it ended.
///
/// # Errors
///
/// [`CodecError::TooLarge`] when the reason does not fit a frame; `out` is then as it was.
pub fn encode_session_end(out: &mut Vec<u8>, time_ns: TimeNs, reason: &str) -> Result<(), CodecError> {
    Frame::begin(out, Kind::SessionEnd, time_ns).text("reason", reason)?.end();
    Ok(())
}

/// Appends the hash of the engine's state.
pub fn encode_state_hash(out: &mut Vec<u8>, time_ns: TimeNs, hash: &[u8; 32]) {
    let frame = Frame::begin(out, Kind::StateHash, time_ns);
    frame.out.extend_from_slice(hash);
    frame.end();
}

/// Appends an event at its own time; `bids` and `asks` are the levels of a book message, else empty.
///
/// # Errors
///
/// [`CodecError::TooLarge`] when the levels do not fit a frame, [`CodecError::Apart`] for an event whose larger part
/// is in a table of its batch ([`crate::encode_events`] writes those); `out` is then as it was.
pub fn encode_event(
    out: &mut Vec<u8>,
    event: &Event,
    bids: &[Level],
    asks: &[Level],
) -> Result<(), CodecError> {
    if let EventBody::Account(_) | EventBody::Venue(_) = event.body {
        return Err(CodecError::Apart);
    }
    let frame = Frame::begin(out, Kind::of_event(&event.body), event.time_ns);
    put_u32(frame.out, event.instrument.0);
    match &event.body {
        EventBody::Bar(bar) => {
            put_i64s(
                frame.out,
                [
                    bar.open_time_ns,
                    bar.open_ticks,
                    bar.high_ticks,
                    bar.low_ticks,
                    bar.close_ticks,
                    bar.volume_lots,
                ],
            );
        }
        EventBody::Quote(quote) => {
            put_i64s(frame.out, [quote.bid_ticks, quote.bid_lots, quote.ask_ticks, quote.ask_lots]);
            put_u64(frame.out, quote.update_id);
        }
        EventBody::Trade(trade) => {
            put_i64s(frame.out, [trade.price_ticks, trade.lots]);
            frame.out.push(side_code(trade.aggressor));
            put_u64(frame.out, trade.trade_id);
        }
        EventBody::Book(update) => return put_book(frame, update, bids, asks),
        EventBody::Flow(flow) => put_flow(frame.out, flow),
        EventBody::Feed(state) => frame.out.push(feed_state_code(*state)),
        EventBody::Command(command) => put_command(frame.out, &command.kind),
        EventBody::Mark(mark) => put_i64s(frame.out, [mark.price_ticks]),
        EventBody::Funding(funding) => {
            put_i64s(frame.out, [funding.rate_ppb, price_or_zero(funding.mark_ticks)]);
        }
        EventBody::Clock | EventBody::Account(_) | EventBody::Venue(_) => {}
    }
    frame.end();
    Ok(())
}

/// Appends an event about the account.
///
/// # Errors
///
/// [`CodecError::TooLarge`] when it does not fit a frame; `out` is then as it was.
pub fn encode_account(out: &mut Vec<u8>, time_ns: TimeNs, event: &AccountEvent) -> Result<(), CodecError> {
    let frame = Frame::begin(out, Kind::Account, time_ns);
    put_u32(frame.out, 0);
    put_account(frame.out, event);
    frame.within("account")?.end();
    Ok(())
}

/// Appends what a venue outside said.
///
/// # Errors
///
/// [`CodecError::TooLarge`] when an id does not fit; `out` is then as it was.
pub fn encode_venue(
    out: &mut Vec<u8>,
    time_ns: TimeNs,
    instrument: InstrumentId,
    said: &VenueEvent<&str>,
) -> Result<(), CodecError> {
    let frame = Frame::begin(out, Kind::of_venue(said), time_ns);
    put_u32(frame.out, instrument.0);
    match said {
        VenueEvent::Report(said) => {
            put_report(frame.out, &said.report);
            let frame = frame.id("venue_order_id", said.venue_order_id)?.id("trade_id", said.trade_id)?;
            frame.out.push(u8::from(said.filled_lots.is_some()));
            put_i64s(frame.out, [said.filled_lots.unwrap_or(0)]);
            frame.end();
        }
        VenueEvent::OutcomeLost { order_id } => {
            put_u64(frame.out, order_id.0);
            frame.end();
        }
        VenueEvent::Reconciling | VenueEvent::Reconciled => frame.end(),
        VenueEvent::Adopted(found) => {
            put_adopted(frame.out, found);
            let frame = frame.id("venue_order_id", found.venue_order_id)?;
            frame.id("client_order_id", found.client_order_id)?.end();
        }
        VenueEvent::Revision(said) => {
            put_i64s(frame.out, [said.venue_time_ns]);
            put_u64(frame.out, said.order_id.0);
            put_u64(frame.out, said.revision);
            put_traded(frame.out, said.traded.as_ref());
            let frame = frame.id("trade_id", Some(said.trade_id))?;
            let frame = frame.id("venue_order_id", said.venue_order_id)?;
            // Journals of before it was read have nothing there.
            if let Some(lots) = said.filled_lots {
                put_i64s(frame.out, [lots]);
            }
            frame.end();
        }
    }
    Ok(())
}

/// Appends a trade that a venue told anew, as it was booked.
///
/// # Errors
///
/// [`CodecError::TooLarge`] when the name of the trade does not fit; `out` is then as it was.
pub fn encode_revision(
    out: &mut Vec<u8>,
    time_ns: TimeNs,
    booked: &BookedRevision<&str>,
) -> Result<(), CodecError> {
    let frame = Frame::begin(out, Kind::Revision, time_ns);
    put_i64s(frame.out, [booked.venue_time_ns]);
    put_u64(frame.out, booked.order_id.0);
    frame.out.extend_from_slice(&booked.strategy.0.to_le_bytes());
    put_u32(frame.out, booked.instrument.0);
    frame.out.push(side_code(booked.side));
    put_u64(frame.out, booked.closes.map_or(0, |entry| entry.0));
    put_u64(frame.out, booked.revision);
    put_traded(frame.out, booked.before.as_ref());
    put_traded(frame.out, booked.after.as_ref());
    frame.id("trade_id", Some(booked.trade_id))?.end();
    Ok(())
}

/// Appends what was not expected of a venue outside.
pub fn encode_surprise(out: &mut Vec<u8>, time_ns: TimeNs, surprise: Surprise) {
    let frame = Frame::begin(out, Kind::Surprise, time_ns);
    put_u64(frame.out, surprise.order_id.0);
    frame.out.push(surprise.kind.code());
    frame.end();
}

/// Appends an order that risk approved, with the reference price it was checked against (0: none).
pub fn encode_order(out: &mut Vec<u8>, time_ns: TimeNs, intent: &OrderIntent, reference_ticks: i64) {
    let frame = Frame::begin(out, Kind::Order, time_ns);
    put_intent(frame.out, intent);
    put_i64s(frame.out, [reference_ticks]);
    frame.end();
}

/// Appends an order that was refused, and why.
pub fn encode_refused(out: &mut Vec<u8>, time_ns: TimeNs, intent: &OrderIntent, refusal: &Refusal) {
    let frame = Frame::begin(out, Kind::Refused, time_ns);
    put_intent(frame.out, intent);
    frame.out.push(refusal.rule.code());
    frame.out.extend_from_slice(&refusal.limit.to_le_bytes());
    frame.out.extend_from_slice(&refusal.value.to_le_bytes());
    frame.end();
}

/// Appends that a cancel was asked for.
pub fn encode_cancel_request(out: &mut Vec<u8>, time_ns: TimeNs, order_id: OrderId, strategy: StrategyId) {
    let frame = Frame::begin(out, Kind::CancelRequest, time_ns);
    put_u64(frame.out, order_id.0);
    frame.out.extend_from_slice(&strategy.0.to_le_bytes());
    frame.end();
}

/// Appends that an amendment was asked for.
pub fn encode_replace_request(
    out: &mut Vec<u8>,
    time_ns: TimeNs,
    order_id: OrderId,
    price_ticks: Option<i64>,
    lots: i64,
) {
    let frame = Frame::begin(out, Kind::ReplaceRequest, time_ns);
    put_u64(frame.out, order_id.0);
    put_i64s(frame.out, [price_or_zero(price_ticks), lots]);
    frame.end();
}

/// Appends that an order waits for another one to fill, or that it and another one cancel each other.
pub fn encode_link(
    out: &mut Vec<u8>,
    time_ns: TimeNs,
    order_id: OrderId,
    after: Option<OrderId>,
    oco: Option<OrderId>,
) {
    let frame = Frame::begin(out, Kind::Link, time_ns);
    for id in [Some(order_id), after, oco] {
        put_u64(frame.out, id.map_or(0, |id| id.0));
    }
    frame.end();
}

/// Appends what the venue said about an order.
pub fn encode_report(out: &mut Vec<u8>, time_ns: TimeNs, report: &Report) {
    let frame = Frame::begin(out, Kind::Report, time_ns);
    put_report(frame.out, report);
    frame.end();
}

fn put_report(out: &mut Vec<u8>, report: &Report) {
    put_i64s(out, [report.venue_time_ns]);
    put_u64(out, report.order_id.0);
    match report.body {
        ReportBody::Accepted => out.push(1),
        ReportBody::Rejected(reason) => out.extend_from_slice(&[2, reason.code()]),
        ReportBody::Triggered => out.push(3),
        ReportBody::TriggeredAt { price_ticks } => {
            out.push(11);
            put_i64s(out, [price_ticks]);
        }
        ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency } => {
            out.push(if fee_currency.is_some() { 12 } else { 4 });
            put_i64s(out, [price_ticks, lots]);
            out.push(liquidity_code(liquidity));
            out.extend_from_slice(&fee.0.to_le_bytes());
            if let Some(currency) = fee_currency {
                out.push(currency.0);
            }
        }
        ReportBody::Canceled(reason) => out.extend_from_slice(&[5, reason.code()]),
        ReportBody::CancelRejected(reason) => out.extend_from_slice(&[6, reason.code()]),
        ReportBody::Replaced { price_ticks, lots } => {
            out.push(7);
            put_i64s(out, [price_or_zero(price_ticks), lots]);
        }
        ReportBody::ReplaceRejected(reason) => out.extend_from_slice(&[8, reason.code()]),
        ReportBody::Expired => out.push(9),
        ReportBody::Restated { price_ticks, lots } => {
            out.push(10);
            put_i64s(out, [price_or_zero(price_ticks), lots]);
        }
    }
}

/// Appends the numbers of a trade: 0 for none, 1, or 2 where the fee is in a currency of its own.
fn put_traded(out: &mut Vec<u8>, traded: Option<&Traded>) {
    let Some(&Traded { price_ticks, lots, liquidity, fee, fee_currency }) = traded else {
        return out.push(0);
    };
    out.push(if fee_currency.is_some() { 2 } else { 1 });
    put_i64s(out, [price_ticks, lots]);
    out.push(liquidity_code(liquidity));
    out.extend_from_slice(&fee.0.to_le_bytes());
    out.extend(fee_currency.map(|currency| currency.0));
}

fn put_adopted(out: &mut Vec<u8>, found: &Adopted<&str>) {
    out.extend_from_slice(&found.strategy.0.to_le_bytes());
    out.push(side_code(found.side));
    put_i64s(out, [found.lots, found.venue_time_ns]);
    match found.body {
        AdoptedBody::Order { price_ticks } => {
            out.push(1);
            put_i64s(out, [price_or_zero(price_ticks)]);
        }
        AdoptedBody::Position { price_ticks, fee, fee_currency } => {
            out.push(if fee_currency.is_some() { 3 } else { 2 });
            put_i64s(out, [price_ticks]);
            out.extend_from_slice(&fee.0.to_le_bytes());
            out.extend(fee_currency.map(|currency| currency.0));
        }
    }
}

/// Appends money that came or went without a fill, at the time the engine booked it.
pub fn encode_cash_flow(out: &mut Vec<u8>, time_ns: TimeNs, flow: &CashFlow) {
    let frame = Frame::begin(out, Kind::CashFlow, time_ns);
    put_i64s(frame.out, [flow.time_ns]);
    frame.out.extend_from_slice(&flow.strategy.0.to_le_bytes());
    put_u32(frame.out, flow.instrument.0);
    frame.out.push(flow.kind.code());
    frame.out.extend_from_slice(&flow.amount.0.to_le_bytes());
    frame.end();
}

/// Appends money that was moved to the margin of an isolated position, or back when it is negative.
pub fn encode_margin(
    out: &mut Vec<u8>,
    time_ns: TimeNs,
    strategy: StrategyId,
    instrument: InstrumentId,
    amount: Money,
) {
    let frame = Frame::begin(out, Kind::Margin, time_ns);
    frame.out.extend_from_slice(&strategy.0.to_le_bytes());
    put_u32(frame.out, instrument.0);
    frame.out.extend_from_slice(&amount.0.to_le_bytes());
    frame.end();
}

/// Appends the size of an order that was a share of buying power.
pub fn encode_sized(out: &mut Vec<u8>, time_ns: TimeNs, order_id: OrderId, lots: i64) {
    let frame = Frame::begin(out, Kind::Sized, time_ns);
    put_u64(frame.out, order_id.0);
    put_i64s(frame.out, [lots]);
    frame.end();
}

/// Appends that a request left for the venue.
pub fn encode_sent(out: &mut Vec<u8>, time_ns: TimeNs, sent: &Sent) {
    let frame = Frame::begin(out, Kind::Sent, time_ns);
    put_u64(frame.out, sent.order_id.0);
    match sent.body {
        SentBody::New { lots: Some(lots) } => {
            frame.out.push(1);
            put_i64s(frame.out, [lots]);
        }
        SentBody::New { lots: None } => frame.out.push(2),
        SentBody::Cancel => frame.out.push(3),
        SentBody::Replace { price_ticks, lots } => {
            frame.out.push(4);
            put_i64s(frame.out, [price_or_zero(price_ticks), lots]);
        }
    }
    frame.end();
}

/// Appends a position that the venue closed by force.
pub fn encode_liquidation(out: &mut Vec<u8>, time_ns: TimeNs, liquidation: &Liquidation) {
    let frame = Frame::begin(out, Kind::Liquidation, time_ns);
    frame.out.extend_from_slice(&liquidation.strategy.0.to_le_bytes());
    put_u32(frame.out, liquidation.instrument.0);
    put_u64(frame.out, liquidation.order_id.0);
    put_i64s(frame.out, [liquidation.price_ticks, liquidation.lots]);
    for amount in [liquidation.equity, liquidation.maintenance] {
        frame.out.extend_from_slice(&amount.0.to_le_bytes());
    }
    frame.end();
}

/// Appends a decision with what each gate said.
///
/// # Errors
///
/// [`CodecError::TooLarge`] when a text or the number of gates does not fit; `out` is then as it was.
pub fn encode_decision(
    out: &mut Vec<u8>,
    time_ns: TimeNs,
    strategy: StrategyId,
    instrument: InstrumentId,
    action: u8,
    reason: &str,
    gates: &[Gate<'_>],
) -> Result<(), CodecError> {
    let frame = Frame::begin(out, Kind::Decision, time_ns);
    frame.out.extend_from_slice(&strategy.0.to_le_bytes());
    put_u32(frame.out, instrument.0);
    frame.out.push(action);
    let mut frame = frame.text("reason", reason)?;
    let Ok(count) = u16::try_from(gates.len()) else { return Err(frame.abandon("gates")) };
    frame.out.extend_from_slice(&count.to_le_bytes());
    for gate in gates {
        let Ok(length) = u8::try_from(gate.name.len()) else { return Err(frame.abandon("gate")) };
        frame.out.push(length);
        frame.out.extend_from_slice(gate.name.as_bytes());
        frame.out.extend_from_slice(&gate.limit.to_bits().to_le_bytes());
        frame.out.extend_from_slice(&gate.value.to_bits().to_le_bytes());
        frame.out.push(u8::from(gate.passed));
        frame = frame.within("gates")?;
    }
    frame.end();
    Ok(())
}

fn put_book(frame: Frame<'_>, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> Result<(), CodecError> {
    let counts = (u32::try_from(bids.len()), u32::try_from(asks.len()));
    let (Ok(bid_count), Ok(ask_count)) = counts else { return Err(frame.abandon("levels")) };
    let bytes = bids.len().saturating_add(asks.len()).saturating_mul(16);
    if bytes > FRAME_BYTES_MAX {
        return Err(frame.abandon("levels"));
    }
    frame.out.push(book_kind_code(update.kind));
    put_u64(frame.out, update.first_id);
    put_u64(frame.out, update.last_id);
    put_u64(frame.out, update.prev_id);
    put_u32(frame.out, bid_count);
    put_u32(frame.out, ask_count);
    if let Some(checksum) = update.checksum {
        put_u32(frame.out, checksum);
    }
    frame.out.reserve(bytes);
    for level in bids.iter().chain(asks) {
        put_i64s(frame.out, [level.price_ticks, level.lots]);
    }
    frame.within("levels")?.end();
    Ok(())
}

fn put_flow(out: &mut Vec<u8>, flow: &Flow) {
    match *flow {
        Flow::Limit { flow_id, side, price_ticks, lots } => {
            out.push(1);
            put_u64(out, flow_id);
            out.push(side_code(side));
            put_i64s(out, [price_ticks, lots]);
        }
        Flow::Market { side, lots } => {
            out.extend_from_slice(&[2, side_code(side)]);
            put_i64s(out, [lots]);
        }
        Flow::Cancel { flow_id } => {
            out.push(3);
            put_u64(out, flow_id);
        }
    }
}

/// A frame whose length is not yet known.
struct Frame<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Frame<'a> {
    fn begin(out: &'a mut Vec<u8>, kind: Kind, time_ns: TimeNs) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; LENGTH_BYTES]);
        out.push(kind.code());
        out.extend_from_slice(&time_ns.to_le_bytes());
        Self { out, start }
    }

    /// Appends text with its length.
    fn text(self, field: &'static str, text: &str) -> Result<Self, CodecError> {
        self.bytes(field, text.as_bytes())
    }

    /// Appends a short text with its length, 0 where there is none.
    fn id(self, field: &'static str, id: Option<&str>) -> Result<Self, CodecError> {
        let id = id.unwrap_or_default();
        let Ok(length) = u8::try_from(id.len()) else { return Err(self.abandon(field)) };
        self.out.push(length);
        self.out.extend_from_slice(id.as_bytes());
        Ok(self)
    }

    /// Appends bytes with their length.
    fn bytes(self, field: &'static str, bytes: &[u8]) -> Result<Self, CodecError> {
        match u32::try_from(bytes.len()) {
            Ok(length) if bytes.len() < FRAME_BYTES_MAX => {
                put_u32(self.out, length);
                self.out.extend_from_slice(bytes);
                self.within(field)
            }
            _ => Err(self.abandon(field)),
        }
    }

    /// Goes on when the frame is not yet too large.
    fn within(self, field: &'static str) -> Result<Self, CodecError> {
        if self.out.len().saturating_sub(self.start) > FRAME_BYTES_MAX {
            return Err(self.abandon(field));
        }
        Ok(self)
    }

    /// Takes back what was written and says what was too large.
    fn abandon(self, field: &'static str) -> CodecError {
        self.out.truncate(self.start);
        CodecError::TooLarge(field)
    }

    /// Writes the length.
    fn end(self) {
        let length = self.out.len().saturating_sub(self.start).saturating_sub(LENGTH_BYTES);
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let field = self.out.get_mut(self.start..).and_then(|frame| frame.first_chunk_mut::<LENGTH_BYTES>());
        if let Some(field) = field {
            *field = length.to_le_bytes();
        }
        debug_assert!(self.out.len() - self.start <= FRAME_BYTES_MAX);
    }
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Returns the number that stands for a price which may be none: no price is 0, so a frame says 0 then.
fn price_or_zero(price_ticks: Option<i64>) -> i64 {
    debug_assert_ne!(price_ticks, Some(0), "0 is no price");
    price_ticks.unwrap_or(0)
}

fn put_i64s<const N: usize>(out: &mut Vec<u8>, values: [i64; N]) {
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
}
