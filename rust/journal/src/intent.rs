//! An order intent in 67 bytes; what is absent is zero.

use tradecore_types::{Bracket, InstrumentId, OrderId, OrderIntent, OrderKind, Size, StrategyId};

use crate::CodecError;
use crate::codes::{side, side_code, time_in_force, time_in_force_code, unknown};
use crate::decode::Cursor;

const POST_ONLY: u8 = 1;
const REDUCE_ONLY: u8 = 2;
const STOP_LOSS: u8 = 4;
const TAKE_PROFIT: u8 = 8;
const CLOSES: u8 = 16;
const ALL_FLAGS: u8 = POST_ONLY | REDUCE_ONLY | STOP_LOSS | TAKE_PROFIT | CLOSES;

/// Appends an intent.
pub(crate) fn put_intent(out: &mut Vec<u8>, intent: &OrderIntent) {
    let (kind, price) = match intent.kind {
        OrderKind::Market => (1, 0),
        OrderKind::Limit { price_ticks } => (2, price_ticks),
        OrderKind::Stop { trigger_ticks } => (3, trigger_ticks),
    };
    let (size_kind, size) = match intent.size {
        Size::Lots(lots) => (1, lots),
        Size::EquityPpm(ppm) => (2, ppm),
    };
    let Bracket { stop_loss_ticks, take_profit_ticks } = intent.bracket;
    let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
    let flags = flag(intent.post_only, POST_ONLY)
        | flag(intent.reduce_only, REDUCE_ONLY)
        | flag(stop_loss_ticks.is_some(), STOP_LOSS)
        | flag(take_profit_ticks.is_some(), TAKE_PROFIT)
        | flag(intent.closes.is_some(), CLOSES);

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
    for value in [price, size, stop_loss_ticks.unwrap_or(0), take_profit_ticks.unwrap_or(0)] {
        out.extend_from_slice(&value.to_le_bytes());
    }
    out.extend_from_slice(&intent.closes.map_or(0, |order| order.0).to_le_bytes());
    out.extend_from_slice(&intent.time_ns.to_le_bytes());
}

/// Reads an intent.
pub(crate) fn intent(cursor: &mut Cursor<'_>) -> Result<OrderIntent, CodecError> {
    let order_id = OrderId(cursor.u64()?);
    let strategy = StrategyId(cursor.u16()?);
    let instrument = InstrumentId(cursor.u32()?);
    let side = side(cursor.u8()?)?;
    let kind = cursor.u8()?;
    let time_in_force = time_in_force(cursor.u8()?)?;
    let flags = cursor.u8()?;
    let size_kind = cursor.u8()?;
    if flags & !ALL_FLAGS != 0 {
        return Err(unknown("order_flags", flags));
    }
    let kind = order_kind(kind, cursor.i64()?)?;
    let quantity = size(size_kind, cursor.i64()?)?;
    let stop_loss_ticks = optional("stop_loss_ticks", flags & STOP_LOSS, cursor.i64()?)?;
    let take_profit_ticks = optional("take_profit_ticks", flags & TAKE_PROFIT, cursor.i64()?)?;
    let closes = optional("closes", flags & CLOSES, cursor.u64()?)?.map(OrderId);
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
        bracket: Bracket { stop_loss_ticks, take_profit_ticks },
        closes,
        time_ns: cursor.i64()?,
    })
}

fn order_kind(kind: u8, price: i64) -> Result<OrderKind, CodecError> {
    match (kind, price) {
        (1, 0) => Ok(OrderKind::Market),
        (1, _) => Err(CodecError::Field { field: "price_ticks", value: price.unsigned_abs() }),
        (2, price_ticks) => Ok(OrderKind::Limit { price_ticks }),
        (3, trigger_ticks) => Ok(OrderKind::Stop { trigger_ticks }),
        _ => Err(unknown("order_kind", kind)),
    }
}

fn size(kind: u8, size: i64) -> Result<Size, CodecError> {
    match kind {
        1 => Ok(Size::Lots(size)),
        2 => Ok(Size::EquityPpm(size)),
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
