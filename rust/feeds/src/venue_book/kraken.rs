//! Book messages of Kraken's WebSocket.
//!
//! Source: Kraken API documentation, "Book" channel and "Book checksum", v1 and v2.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::levels::{Listed, Named, append};
use super::{BookMessage, PairScales, Sides, malformed};
use crate::error::Problem;

/// A message of v2; other channels have other data.
#[derive(Deserialize)]
struct MessageV2<'a> {
    #[serde(borrow, default)]
    channel: Option<&'a str>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a str>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

/// The one entry that a book message of v2 has.
#[derive(Deserialize)]
struct EntryV2<'a> {
    #[serde(borrow)]
    symbol: &'a str,
    #[serde(borrow, default)]
    bids: Option<&'a RawValue>,
    #[serde(borrow, default)]
    asks: Option<&'a RawValue>,
    checksum: u32,
}

/// A part of a message of v1.
#[derive(Deserialize)]
struct PartV1<'a> {
    #[serde(borrow, default, rename = "as")]
    all_asks: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "bs")]
    all_bids: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "a")]
    asks: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "b")]
    bids: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "c")]
    checksum: Option<&'a str>,
}

/// Channel number, part, channel name, pair.
type OnePartV1<'a> = (&'a RawValue, &'a RawValue, &'a RawValue, &'a RawValue);

/// Channel number, asks, bids, channel name, pair.
type TwoPartsV1<'a> = (&'a RawValue, &'a RawValue, &'a RawValue, &'a RawValue, &'a RawValue);

/// Reads a message of v2.
pub(super) fn read_v2<'a>(
    text: &'a str,
    scales: &dyn Fn(&str) -> Option<PairScales>,
    sides: &mut Sides,
) -> Result<Option<BookMessage<'a>>, Problem> {
    let bad = |error: serde_json::Error| malformed(text, &error);
    let message: MessageV2<'a> = serde_json::from_str(text).map_err(bad)?;
    let is_snapshot = match (message.channel, message.kind) {
        (Some("book"), Some("snapshot")) => true,
        (Some("book"), Some("update")) => false,
        _ => return Ok(None),
    };
    let Some(data) = message.data else { return Err(Problem::new("data", "nothing", "must be there")) };
    let [entry]: [EntryV2<'a>; 1] = serde_json::from_str(data.get()).map_err(bad)?;
    let Some(scales) = scales(entry.symbol) else { return Ok(None) };
    append::<Named<'_>>(entry.bids, &scales, &mut sides.bids)?;
    append::<Named<'_>>(entry.asks, &scales, &mut sides.asks)?;
    Ok(Some(BookMessage { symbol: entry.symbol, is_snapshot, checksum: Some(entry.checksum) }))
}

/// Reads a message of v1.
pub(super) fn read_v1<'a>(
    text: &'a str,
    scales: &dyn Fn(&str) -> Option<PairScales>,
    sides: &mut Sides,
) -> Result<Option<BookMessage<'a>>, Problem> {
    let bad = |error: serde_json::Error| malformed(text, &error);
    if !text.trim_start().starts_with('[') {
        return serde_json::from_str::<&RawValue>(text).map(|_| None).map_err(bad);
    }
    let one_part = serde_json::from_str::<OnePartV1<'a>>(text);
    let (first, second, channel, pair) = if let Ok((_, part, channel, pair)) = one_part {
        (part, None, channel, pair)
    } else {
        let (_, first, second, channel, pair): TwoPartsV1<'a> = serde_json::from_str(text).map_err(bad)?;
        (first, Some(second), channel, pair)
    };
    if !channel.get().starts_with("\"book") {
        return Ok(None);
    }
    let symbol: &'a str = serde_json::from_str(pair.get()).map_err(bad)?;
    let Some(scales) = scales(symbol) else { return Ok(None) };
    let mut message = BookMessage { symbol, is_snapshot: false, checksum: None };
    for part in [Some(first), second].into_iter().flatten() {
        let part: PartV1<'a> = serde_json::from_str(part.get()).map_err(bad)?;
        message.is_snapshot |= part.all_asks.is_some() || part.all_bids.is_some();
        for array in [part.all_asks, part.asks] {
            append::<Listed<'_>>(array, &scales, &mut sides.asks)?;
        }
        for array in [part.all_bids, part.bids] {
            append::<Listed<'_>>(array, &scales, &mut sides.bids)?;
        }
        if let Some(stated) = part.checksum {
            let rule = "must be a whole number of 32 bits";
            message.checksum = Some(stated.parse().map_err(|_| Problem::new("c", stated, rule))?);
        }
    }
    Ok(Some(message))
}
