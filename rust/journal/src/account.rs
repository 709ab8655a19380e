//! The bytes of an event about the account.

use tradecore_types::{
    AccountChange, AccountEvent, Balance, CashConversion, GuardState, InstrumentId, Money, Opening,
    OpeningLot, OpeningPrice, OrderId, Rule, StrategyId,
};

use crate::CodecError;
use crate::codes::{flag, unknown};
use crate::command::{put_scope, scope};
use crate::cursor::Cursor;

/// An event about the account, still in its bytes, which were checked when the record was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountBytes<'a> {
    bytes: &'a [u8],
}

impl<'a> AccountBytes<'a> {
    /// Takes what is left of a frame.
    pub(crate) fn of(cursor: &mut Cursor<'a>) -> Result<Self, CodecError> {
        let bytes = cursor.rest();
        account(cursor)?;
        Ok(Self { bytes })
    }

    /// Reads the event.
    ///
    /// # Errors
    ///
    /// None, because the bytes were read before.
    pub fn read(&self) -> Result<AccountEvent, CodecError> {
        account(&mut Cursor::new(self.bytes))
    }
}

/// Appends an event about the account.
pub(crate) fn put_account(out: &mut Vec<u8>, event: &AccountEvent) {
    match event {
        AccountEvent::Opening(opening) => {
            out.push(1);
            put_opening(out, opening);
        }
        AccountEvent::Adjustment(change) => {
            out.push(2);
            put_change(out, change);
        }
        AccountEvent::Transfer(change) => {
            out.push(3);
            put_change(out, change);
        }
        AccountEvent::Conversion(conversion) => {
            out.push(4);
            put_conversion(out, conversion);
        }
    }
}

fn account(cursor: &mut Cursor<'_>) -> Result<AccountEvent, CodecError> {
    match cursor.u8()? {
        1 => Ok(AccountEvent::Opening(opening(cursor)?)),
        2 => Ok(AccountEvent::Adjustment(change(cursor)?)),
        3 => Ok(AccountEvent::Transfer(change(cursor)?)),
        4 => Ok(AccountEvent::Conversion(conversion(cursor)?)),
        code => Err(unknown("account", code)),
    }
}

fn put_change(out: &mut Vec<u8>, change: &AccountChange) {
    put_text(out, &change.currency);
    put_money(out, change.amount);
    put_text(out, &change.reason);
}

fn change(cursor: &mut Cursor<'_>) -> Result<AccountChange, CodecError> {
    Ok(AccountChange {
        currency: cursor.text("currency")?.to_owned(),
        amount: Money(cursor.i128()?),
        reason: cursor.text("reason")?.to_owned(),
    })
}

fn put_conversion(out: &mut Vec<u8>, conversion: &CashConversion) {
    put_balance(out, &conversion.given);
    put_balance(out, &conversion.received);
    out.extend_from_slice(&conversion.rate.to_le_bytes());
    put_balance(out, &conversion.fee);
    put_text(out, &conversion.reason);
}

fn conversion(cursor: &mut Cursor<'_>) -> Result<CashConversion, CodecError> {
    Ok(CashConversion {
        given: balance(cursor)?,
        received: balance(cursor)?,
        rate: cursor.i128()?,
        fee: balance(cursor)?,
        reason: cursor.text("reason")?.to_owned(),
    })
}

fn put_balance(out: &mut Vec<u8>, balance: &Balance) {
    put_text(out, &balance.currency);
    put_money(out, balance.amount);
}

fn balance(cursor: &mut Cursor<'_>) -> Result<Balance, CodecError> {
    Ok(Balance { currency: cursor.text("currency")?.to_owned(), amount: money(cursor)? })
}

fn put_opening(out: &mut Vec<u8>, opening: &Opening) {
    out.extend_from_slice(&opening.last_order_id.to_le_bytes());
    out.extend_from_slice(&opening.market_events.to_le_bytes());
    put_some(out, opening.brought, put_money);
    put_some(out, opening.before, |out, head| out.extend_from_slice(&head));
    put_text(out, &opening.changed);
    put_all(out, &opening.cash, put_balance);
    put_all(out, &opening.lots, |out, lot| {
        out.extend_from_slice(&lot.strategy.0.to_le_bytes());
        out.extend_from_slice(&lot.instrument.0.to_le_bytes());
        out.extend_from_slice(&lot.entry_order.0.to_le_bytes());
        for value in [lot.entry_time_ns, lot.entry_ticks, lot.lots] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        put_money(out, lot.fee);
    });
    put_all(out, &opening.prices, |out, price| {
        out.extend_from_slice(&price.instrument.0.to_le_bytes());
        out.extend_from_slice(&price.price_ticks.to_le_bytes());
    });
    put_all(out, &opening.guards, put_guard);
    let costs: Vec<Option<Money>> = opening.lots.iter().map(|lot| lot.cost).collect();
    // Where no lot has a cost of its own, the bytes are those of before there was one.
    if costs.iter().any(Option::is_some) {
        for cost in costs {
            put_some(out, cost, put_money);
        }
    }
}

fn opening(cursor: &mut Cursor<'_>) -> Result<Opening, CodecError> {
    let (last_order_id, market_events) = (cursor.u64()?, cursor.u64()?);
    let brought = some("brought", cursor, money)?;
    let before = some("before", cursor, Cursor::array)?;
    let changed = cursor.text("changed")?.to_owned();
    let cash = all(cursor, balance)?;
    let mut lots = all(cursor, |cursor| {
        Ok(OpeningLot {
            strategy: StrategyId(cursor.u16()?),
            instrument: InstrumentId(cursor.u32()?),
            entry_order: OrderId(cursor.u64()?),
            entry_time_ns: cursor.i64()?,
            entry_ticks: cursor.i64()?,
            lots: cursor.i64()?,
            fee: money(cursor)?,
            cost: None,
        })
    })?;
    let prices = all(cursor, |cursor| {
        Ok(OpeningPrice { instrument: InstrumentId(cursor.u32()?), price_ticks: cursor.i64()? })
    })?;
    let guards = all(cursor, guard)?;
    if !cursor.rest().is_empty() {
        for lot in &mut lots {
            lot.cost = some("cost", cursor, money)?;
        }
        if lots.iter().all(|lot| lot.cost.is_none()) {
            return Err(unknown("cost", 0));
        }
    }
    Ok(Opening { cash, brought, lots, prices, guards, last_order_id, market_events, before, changed })
}

fn put_guard(out: &mut Vec<u8>, guard: &GuardState) {
    put_scope(out, guard.scope);
    for amount in [guard.cash, guard.last, guard.peak, guard.day_start] {
        put_money(out, amount);
    }
    put_some(out, guard.day, |out, day| out.extend_from_slice(&day.to_le_bytes()));
    put_some(out, guard.halt, |out, (rule, limit, value)| {
        out.push(rule.code());
        out.extend_from_slice(&limit.to_le_bytes());
        out.extend_from_slice(&value.to_le_bytes());
    });
}

fn guard(cursor: &mut Cursor<'_>) -> Result<GuardState, CodecError> {
    Ok(GuardState {
        scope: scope(cursor)?,
        cash: money(cursor)?,
        last: money(cursor)?,
        peak: money(cursor)?,
        day_start: money(cursor)?,
        day: some("day", cursor, Cursor::i64)?,
        halt: some("halt", cursor, |cursor| {
            let code = cursor.u8()?;
            let rule = Rule::from_code(code).ok_or_else(|| unknown("rule", code))?;
            Ok((rule, cursor.i128()?, cursor.i128()?))
        })?,
    })
}

fn put_money(out: &mut Vec<u8>, amount: Money) {
    out.extend_from_slice(&amount.0.to_le_bytes());
}

fn money(cursor: &mut Cursor<'_>) -> Result<Money, CodecError> {
    cursor.i128().map(Money)
}

/// Appends text with its length; [`crate::FRAME_BYTES_MAX`] is far below what a length can say.
fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_some<T>(out: &mut Vec<u8>, value: Option<T>, put: impl Fn(&mut Vec<u8>, T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}

fn some<'a, T>(
    field: &'static str,
    cursor: &mut Cursor<'a>,
    read: impl Fn(&mut Cursor<'a>) -> Result<T, CodecError>,
) -> Result<Option<T>, CodecError> {
    let is_there = flag(field, cursor.u8()?)?;
    is_there.then(|| read(cursor)).transpose()
}

fn put_all<T>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    out.extend_from_slice(&u32::try_from(items.len()).unwrap_or(u32::MAX).to_le_bytes());
    for item in items {
        put(out, item);
    }
}

/// Reads a list; memory grows with what is there, not with what its length claims.
fn all<'a, T>(
    cursor: &mut Cursor<'a>,
    read: impl Fn(&mut Cursor<'a>) -> Result<T, CodecError>,
) -> Result<Vec<T>, CodecError> {
    let count = cursor.u32()?;
    (0..count).map(|_| read(cursor)).collect()
}
