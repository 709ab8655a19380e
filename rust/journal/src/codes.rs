//! Codes of the small enums; they never change meaning.

use tradecore_types::{BookUpdateKind, FeedState, Liquidity, Side, TimeInForce};

use crate::CodecError;

/// Makes the error of a code that nothing has.
pub(crate) fn unknown(field: &'static str, code: u8) -> CodecError {
    CodecError::Field { field, value: u64::from(code) }
}

pub(crate) const fn side_code(side: Side) -> u8 {
    match side {
        Side::Buy => 1,
        Side::Sell => 2,
    }
}

pub(crate) fn side(code: u8) -> Result<Side, CodecError> {
    match code {
        1 => Ok(Side::Buy),
        2 => Ok(Side::Sell),
        _ => Err(unknown("side", code)),
    }
}

pub(crate) const fn time_in_force_code(time_in_force: TimeInForce) -> u8 {
    match time_in_force {
        TimeInForce::Gtc => 1,
        TimeInForce::Ioc => 2,
        TimeInForce::Fok => 3,
        TimeInForce::Gtd { .. } => 4,
        TimeInForce::Day { .. } => 5,
    }
}

pub(crate) const fn liquidity_code(liquidity: Liquidity) -> u8 {
    match liquidity {
        Liquidity::Maker => 1,
        Liquidity::Taker => 2,
    }
}

pub(crate) fn liquidity(code: u8) -> Result<Liquidity, CodecError> {
    match code {
        1 => Ok(Liquidity::Maker),
        2 => Ok(Liquidity::Taker),
        _ => Err(unknown("liquidity", code)),
    }
}

pub(crate) const fn book_kind_code(kind: BookUpdateKind) -> u8 {
    match kind {
        BookUpdateKind::Snapshot => 1,
        BookUpdateKind::Diff => 2,
    }
}

pub(crate) fn book_kind(code: u8) -> Result<BookUpdateKind, CodecError> {
    match code {
        1 => Ok(BookUpdateKind::Snapshot),
        2 => Ok(BookUpdateKind::Diff),
        _ => Err(unknown("book_kind", code)),
    }
}

pub(crate) const fn feed_state_code(state: FeedState) -> u8 {
    match state {
        FeedState::Lost => 1,
        FeedState::Past => 2,
    }
}

pub(crate) fn feed_state(code: u8) -> Result<FeedState, CodecError> {
    match code {
        1 => Ok(FeedState::Lost),
        2 => Ok(FeedState::Past),
        _ => Err(unknown("feed_state", code)),
    }
}

pub(crate) fn flag(field: &'static str, code: u8) -> Result<bool, CodecError> {
    match code {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(unknown(field, code)),
    }
}
