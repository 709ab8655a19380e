//! Market by order as Databento stores it: DBN, after decompression.
//!
//! Source: Databento Binary Encoding (DBN), versions 1 to 3: `"DBN"`, version, length of the metadata,
//! metadata, then records that each begin with their own length in words of 4 bytes. The market-by-order
//! record has been the same in all of them, so the metadata is passed over and nothing else is needed.

use tradecore_types::Side;

use crate::DecodeError;
use crate::error::Problem;

/// Newest version of the format that is known.
const VERSION_MAX: u8 = 3;

/// Bytes before the metadata.
const PREFIX_BYTES: usize = 8;

/// Type of a market-by-order record.
const MBO: u8 = 0xA0;

/// Bytes of a market-by-order record.
const MBO_BYTES: usize = 56;

/// Marks a price that is not there.
const NO_PRICE: i64 = i64::MAX;

/// What a record does to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MboAction {
    /// A new order rests in the book.
    Add,
    /// An order has another price or size.
    Modify,
    /// The size of the record is taken out of an order.
    Cancel,
    /// Somebody traded; the book changes by other records.
    Trade,
    /// An order was filled; the book changes by other records.
    Fill,
    /// Every order is gone, as at the start of a session or before a snapshot.
    Clear,
    /// The record changes no order.
    None,
}

/// One change of one order in the book, as Databento's market-by-order records tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MboRecord {
    /// When the venue says it happened, in nanoseconds since 1970 (UTC).
    pub event_ns: u64,
    /// When Databento received it, in UTC nanoseconds.
    pub received_ns: u64,
    /// The instrument as the publisher numbers it.
    pub instrument_id: u32,
    /// Sequence number of the venue.
    pub sequence: u32,
    /// The venue's id of the order.
    pub order_id: u64,
    /// What happened to the order.
    pub action: MboAction,
    /// Side of the order, or of the aggressor in a trade; `None` where there is none.
    pub side: Option<Side>,
    /// Price in units of 10^-9, or `None`.
    pub price_nanos: Option<i64>,
    /// Size of the order or the change.
    pub size: u32,
    /// Whether it is part of a snapshot, not a change.
    pub is_snapshot: bool,
    /// Whether it is the last record of one event: only then the book is whole.
    pub is_last: bool,
}

impl MboRecord {
    /// Returns the price in ticks of a size in units of 10^-9; `None` without a price, or off the tick.
    #[must_use]
    pub fn price_ticks(&self, tick_nanos: i64) -> Option<i64> {
        let price = self.price_nanos.filter(|price| price.checked_rem(tick_nanos) == Some(0))?;
        price.checked_div(tick_nanos)
    }
}

/// Reads the market-by-order records of a DBN file from its bytes, in order.
///
/// Records of other types are passed over, but a file of prices by level or of bars alone is an error; after an
/// error there are no more.
#[derive(Clone, Debug)]
pub struct MboReader<'a> {
    rest: &'a [u8],
    records: u64,
    has_orders: bool,
    other_data: Option<u8>,
}

impl<'a> MboReader<'a> {
    /// Begins to read a file.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when it is not DBN, of a newer version, or ends within the metadata.
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let bad = |value: &[u8], rule| DecodeError::at(0, Problem::bytes("header", value, rule));
        let version = match bytes.first_chunk::<4>() {
            Some(&[b'D', b'B', b'N', version]) => version,
            Some(start) => return Err(bad(start, "must begin with DBN; decompress the file first")),
            None => return Err(bad(bytes, "must begin with DBN and a version")),
        };
        if !(1..=VERSION_MAX).contains(&version) {
            let problem = Problem::new("version", version, format!("must be 1 to {VERSION_MAX}"));
            return Err(DecodeError::at(0, problem));
        }
        let metadata = Fields(bytes).u32(4).and_then(|length| usize::try_from(length).ok());
        let rest = metadata.and_then(|length| bytes.get(PREFIX_BYTES..)?.get(length..));
        let rest = rest.ok_or_else(|| bad(&[], "must hold the metadata it announces"))?;
        Ok(Self { rest, records: 0, has_orders: false, other_data: None })
    }

    fn record(&mut self) -> Result<Option<MboRecord>, Problem> {
        while let Some(&words) = self.rest.first() {
            self.records += 1;
            let length = usize::from(words) * 4;
            let rule = "must be a length from 16 bytes to what is left of the file";
            let bad = || Problem::new("length", length, rule);
            let (record, rest) =
                self.rest.split_at_checked(length).filter(|_| length >= 16).ok_or_else(bad)?;
            self.rest = rest;
            match record.get(1) {
                Some(&MBO) => {
                    self.has_orders = true;
                    return mbo(record).map(Some);
                }
                Some(&kind) if schema_of(kind).is_some() => self.other_data = Some(kind),
                _ => {}
            }
        }
        match self.other_data.take().filter(|_| !self.has_orders).and_then(schema_of) {
            None => Ok(None),
            Some(schema) => {
                Err(Problem::new("schema", schema, "must be mbo: fetch the file as market by order"))
            }
        }
    }
}

impl Iterator for MboReader<'_> {
    type Item = Result<MboRecord, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.record().transpose().map(|record| {
            record.map_err(|problem| {
                self.rest = &[];
                DecodeError::at(self.records, problem)
            })
        })
    }
}

/// Names the schema of a record with market data that are not orders (DBN, `rtype`).
const fn schema_of(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0x00 => "trades",
        0x01 => "mbp-1",
        0x0A => "mbp-10",
        0x11 | 0x20..=0x24 => "ohlcv",
        0xB1 => "cmbp-1",
        0xC0 | 0xC1 => "cbbo",
        0xC2 => "tcbbo",
        0xC3 | 0xC4 => "bbo",
        _ => return None,
    })
}

/// Reads a market-by-order record.
fn mbo(record: &[u8]) -> Result<MboRecord, Problem> {
    let fields = Fields(record);
    let read = || {
        let price = fields.u64(24)?.cast_signed();
        Some(MboRecord {
            event_ns: fields.u64(8)?,
            received_ns: fields.u64(40)?,
            instrument_id: fields.u32(4)?,
            sequence: fields.u32(52)?,
            order_id: fields.u64(16)?,
            action: MboAction::None,
            side: None,
            price_nanos: (price != NO_PRICE).then_some(price),
            size: fields.u32(32)?,
            is_snapshot: fields.u8(36)? & 0x20 != 0,
            is_last: fields.u8(36)? & 0x80 != 0,
        })
    };
    let whole = read().filter(|_| record.len() == MBO_BYTES);
    let whole = whole.ok_or_else(|| Problem::new("length", record.len(), "must be 56 for an MBO record"))?;
    let (action, side) = (fields.u8(38).unwrap_or(0), fields.u8(39).unwrap_or(0));
    let bad = |field, value: u8, rule| Problem::bytes(field, &[value], rule);
    let action = action_of(action).ok_or_else(|| bad("action", action, "must be A, M, C, T, F, R or N"))?;
    let side = match side {
        b'B' => Some(Side::Buy),
        b'A' => Some(Side::Sell),
        b'N' => None,
        _ => return Err(bad("side", side, "must be B, A or N")),
    };
    Ok(MboRecord { action, side, ..whole })
}

fn action_of(letter: u8) -> Option<MboAction> {
    Some(match letter {
        b'A' => MboAction::Add,
        b'M' => MboAction::Modify,
        b'C' => MboAction::Cancel,
        b'T' => MboAction::Trade,
        b'F' => MboAction::Fill,
        b'R' => MboAction::Clear,
        b'N' => MboAction::None,
        _ => return None,
    })
}

/// Little-endian numbers at fixed places.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u8(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    fn u32(self, at: usize) -> Option<u32> {
        self.0.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
    }

    fn u64(self, at: usize) -> Option<u64> {
        self.0.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
    }
}
