//! Book messages of OKX's public WebSocket.
//!
//! Source: OKX API v5 documentation, "Order book channel". `books`, `books-l2-tbt` and `books50-l2-tbt` send a
//! snapshot and then changes, each with a checksum. `books5` and `bbo-tbt` send the whole of their few levels
//! every time, without an action and without a checksum.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::levels::{Listed, append};
use super::{BookMessage, PairScales, Sides, malformed};
use crate::error::Problem;

/// A message; answers to subscriptions have an event and no data.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    arg: Option<Argument<'a>>,
    #[serde(borrow, default)]
    action: Option<&'a str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// What was subscribed to.
#[derive(Deserialize)]
struct Argument<'a> {
    #[serde(borrow, default)]
    channel: Option<&'a str>,
    #[serde(borrow, default, rename = "instId")]
    symbol: Option<&'a str>,
}

/// The one entry that a book message has.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    asks: &'a RawValue,
    #[serde(borrow)]
    bids: &'a RawValue,
    #[serde(default)]
    checksum: Option<i32>,
}

/// Reads a message.
pub(super) fn read<'a>(
    text: &'a str,
    scales: &dyn Fn(&str) -> Option<PairScales>,
    sides: &mut Sides,
) -> Result<Option<BookMessage<'a>>, Problem> {
    let bad = |error: serde_json::Error| malformed(text, &error);
    let message: Message<'a> = serde_json::from_str(text).map_err(bad)?;
    let Some(Argument { channel: Some(channel), symbol: Some(symbol) }) = message.arg else {
        return Ok(None);
    };
    let is_whole_each_time = matches!(channel, "books5" | "bbo-tbt");
    if !is_whole_each_time && !channel.starts_with("books") {
        return Ok(None);
    }
    let is_snapshot = match message.action {
        Some("snapshot") => true,
        Some("update") => false,
        None if is_whole_each_time && message.data.is_some() => true,
        _ => return Ok(None),
    };
    let Some(scales) = scales(symbol) else { return Ok(None) };
    let Some(data) = message.data else { return Err(Problem::new("data", "nothing", "must be there")) };
    let [entry]: [Entry<'a>; 1] = serde_json::from_str(data.get()).map_err(bad)?;
    if entry.checksum.is_none() && !is_whole_each_time {
        return Err(Problem::new("checksum", "nothing", "must be there: changes are proved by it"));
    }
    append::<Listed<'_>>(Some(entry.asks), &scales, &mut sides.asks)?;
    append::<Listed<'_>>(Some(entry.bids), &scales, &mut sides.bids)?;
    Ok(Some(BookMessage { symbol, is_snapshot, checksum: entry.checksum.map(i32::cast_unsigned) }))
}
