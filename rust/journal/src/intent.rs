//! An order intent in 67 bytes; what is absent is zero. An order that needs more numbers has 24 more.

use tradecore_types::{
    Bracket, ExitPrice, InstrumentId, OrderId, OrderIntent, OrderKind, Size, StrategyId, TimeInForce,
};

use crate::CodecError;
use crate::codes::{side, side_code, time_in_force_code, unknown};
use crate::cursor::Cursor;

const POST_ONLY: u8 = 1;
const REDUCE_ONLY: u8 = 2;
const STOP_LOSS: u8 = 4;
const TAKE_PROFIT: u8 = 8;
const CLOSES: u8 = 16;
const MORE: u8 = 32;
/// The stop-loss is in parts per million from the fill of its entry.
const STOP_LOSS_PPM: u8 = 64;
/// The take-profit is.
const TAKE_PROFIT_PPM: u8 = 128;

/// Appends an intent.
pub(crate) fn put_intent(out: &mut Vec<u8>, intent: &OrderIntent) {
    let (kind, [price, second, third]) = kind_numbers(intent.kind);
    let expire_ns = intent.time_in_force.expire_ns();
    let has_more = kind > LAST_SHORT_KIND || expire_ns.is_some();
    let (size_kind, size) = match intent.size {
        Size::Lots(lots) => (1, lots),
        Size::BuyingPowerPpm(ppm) => (2, ppm),
    };
    let Bracket { stop_loss, take_profit } = intent.bracket;
    let (stop_loss_flags, stop_loss) = exit_numbers(stop_loss, STOP_LOSS, STOP_LOSS_PPM);
    let (take_profit_flags, take_profit) = exit_numbers(take_profit, TAKE_PROFIT, TAKE_PROFIT_PPM);
    let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    let flags = flag(intent.post_only, POST_ONLY)
        | flag(intent.reduce_only, REDUCE_ONLY)
        | stop_loss_flags
        | take_profit_flags
        | flag(intent.closes.is_some(), CLOSES)
        | flag(has_more, MORE);

    out.extend_from_slice(&intent.order_id.0.to_le_bytes());
    out.extend_from_slice(&intent.strategy.0.to_le_bytes());
    out.extend_from_slice(&intent.instrument.0.to_le_bytes());
    out.extend_from_slice(&[
        side_code(intent.side),
        kind,
        time_in_force_code(intent.time_in_force),
        flags,
        size_kind,
    ]);
    for value in [price, size, stop_loss, take_profit] {
        out.extend_from_slice(&value.to_le_bytes());
    }
    out.extend_from_slice(&intent.closes.map_or(0, |order| order.0).to_le_bytes());
    out.extend_from_slice(&intent.time_ns.to_le_bytes());
    if has_more {
        for value in [second, third, expire_ns.unwrap_or(0)] {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// Returns the flags and the number of an exit.
const fn exit_numbers(exit: Option<ExitPrice>, is_there: u8, is_ppm: u8) -> (u8, i64) {
    match exit {
        None => (0, 0),
        Some(ExitPrice::Ticks(ticks)) => (is_there, ticks),
        Some(ExitPrice::Ppm(ppm)) => (is_there | is_ppm, ppm),
    }
}

/// Reads an exit; the flag of parts per million without an exit means nothing.
fn exit_price(exit: Option<i64>, flags: u8, is_ppm: u8) -> Result<Option<ExitPrice>, CodecError> {
    match (exit, is_ppm) {
        (None, 0) => Ok(None),
        (None, _) => Err(unknown("order_flags", flags)),
        (Some(ticks), 0) => Ok(Some(ExitPrice::Ticks(ticks))),
        (Some(ppm), _) => Ok(Some(ExitPrice::Ppm(ppm))),
    }
}

/// Code of the last kind that has no more than one number.
const LAST_SHORT_KIND: u8 = 3;

/// Returns the code of a kind with its numbers.
const fn kind_numbers(kind: OrderKind) -> (u8, [i64; 3]) {
    match kind {
        OrderKind::Market => (1, [0; 3]),
        OrderKind::Limit { price_ticks } => (2, [price_ticks, 0, 0]),
        OrderKind::Stop { trigger_ticks } => (3, [trigger_ticks, 0, 0]),
        OrderKind::StopLimit { trigger_ticks, price_ticks } => (4, [trigger_ticks, price_ticks, 0]),
        OrderKind::MarketIfTouched { trigger_ticks } => (5, [trigger_ticks, 0, 0]),
        OrderKind::LimitIfTouched { trigger_ticks, price_ticks } => (6, [trigger_ticks, price_ticks, 0]),
        OrderKind::TrailingStop { offset_ticks, activation_ticks } => {
            (7, [offset_ticks, activation_ticks, 0])
        }
        OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks } => {
            (8, [offset_ticks, activation_ticks, limit_offset_ticks])
        }
        OrderKind::MarketToLimit => (9, [0; 3]),
        OrderKind::TrailingPercent { offset_ppm, activation_ticks } => {
            (11, [offset_ppm, activation_ticks, 0])
        }
        OrderKind::Iceberg { price_ticks, display_lots } => (10, [price_ticks, display_lots, 0]),
    }
}

/// Reads an intent.
pub(crate) fn intent(cursor: &mut Cursor<'_>) -> Result<OrderIntent, CodecError> {
    let order_id = OrderId(cursor.u64()?);
    let strategy = StrategyId(cursor.u16()?);
    let instrument = InstrumentId(cursor.u32()?);
    let side = side(cursor.u8()?)?;
    let kind = cursor.u8()?;
    let time_in_force = cursor.u8()?;
    let flags = cursor.u8()?;
    let size_kind = cursor.u8()?;
    let price = cursor.i64()?;
    let quantity = size(size_kind, cursor.i64()?)?;
    let stop_loss = optional("stop_loss_ticks", flags & STOP_LOSS, cursor.i64()?)?;
    let stop_loss = exit_price(stop_loss, flags, flags & STOP_LOSS_PPM)?;
    let take_profit = optional("take_profit_ticks", flags & TAKE_PROFIT, cursor.i64()?)?;
    let take_profit = exit_price(take_profit, flags, flags & TAKE_PROFIT_PPM)?;
    let closes = optional("closes", flags & CLOSES, cursor.u64()?)?.map(OrderId);
    let time_ns = cursor.i64()?;
    let has_more = flags & MORE != 0;
    let more = if has_more { [cursor.i64()?, cursor.i64()?, cursor.i64()?] } else { [0; 3] };
    let [second, third, expire_ns] = more;
    let kind = order_kind(kind, [price, second, third])?;
    let time_in_force = time_in_force_of(time_in_force, expire_ns)?;
    if has_more != (kind_numbers(kind).0 > LAST_SHORT_KIND || time_in_force.expire_ns().is_some()) {
        return Err(unknown("order_flags", flags));
    }
    Ok(OrderIntent {
        order_id,
        strategy,
        instrument,
        side,
        kind,
        time_in_force,
        post_only: flags & POST_ONLY != 0,
        reduce_only: flags & REDUCE_ONLY != 0,
        size: quantity,
        bracket: Bracket { stop_loss, take_profit },
        closes,
        time_ns,
    })
}

/// Reads a kind; a number that it does not have must be 0.
fn order_kind(code: u8, numbers: [i64; 3]) -> Result<OrderKind, CodecError> {
    let [first, second, third] = numbers;
    let kind = match code {
        1 => OrderKind::Market,
        2 => OrderKind::Limit { price_ticks: first },
        3 => OrderKind::Stop { trigger_ticks: first },
        4 => OrderKind::StopLimit { trigger_ticks: first, price_ticks: second },
        5 => OrderKind::MarketIfTouched { trigger_ticks: first },
        6 => OrderKind::LimitIfTouched { trigger_ticks: first, price_ticks: second },
        7 => OrderKind::TrailingStop { offset_ticks: first, activation_ticks: second },
        8 => OrderKind::TrailingStopLimit {
            offset_ticks: first,
            activation_ticks: second,
            limit_offset_ticks: third,
        },
        9 => OrderKind::MarketToLimit,
        10 => OrderKind::Iceberg { price_ticks: first, display_lots: second },
        11 => OrderKind::TrailingPercent { offset_ppm: first, activation_ticks: second },
        _ => return Err(unknown("order_kind", code)),
    };
    let (_, expected) = kind_numbers(kind);
    match expected.into_iter().zip(numbers).find(|(expected, number)| expected != number) {
        Some((_, number)) => Err(CodecError::Field { field: "price_ticks", value: number.unsigned_abs() }),
        None => Ok(kind),
    }
}

/// Reads a time in force; one that does not expire must have no time.
fn time_in_force_of(code: u8, expire_ns: i64) -> Result<TimeInForce, CodecError> {
    let time_in_force = match code {
        1 => TimeInForce::Gtc,
        2 => TimeInForce::Ioc,
        3 => TimeInForce::Fok,
        4 => TimeInForce::Gtd { expire_ns },
        5 => TimeInForce::Day { expire_ns },
        _ => return Err(unknown("time_in_force", code)),
    };
    if expire_ns != time_in_force.expire_ns().unwrap_or(0) {
        return Err(CodecError::Field { field: "expire_ns", value: expire_ns.unsigned_abs() });
    }
    Ok(time_in_force)
}

fn size(kind: u8, size: i64) -> Result<Size, CodecError> {
    match kind {
        1 => Ok(Size::Lots(size)),
        2 => Ok(Size::BuyingPowerPpm(size)),
        _ => Err(unknown("size_kind", kind)),
    }
}

/// Returns the value when its flag is set; without the flag it must be 0.
fn optional<T: PartialEq + Default>(
    field: &'static str,
    flag: u8,
    value: T,
) -> Result<Option<T>, CodecError> {
    match flag {
        0 if value == T::default() => Ok(None),
        0 => Err(unknown(field, flag)),
        _ => Ok(Some(value)),
    }
}
