//! Reads the JSON of one message, once from left to right.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tradecore_types::Level;

use super::fields::{Fields, Kind, Name, Named, Part, Scalar};
use super::levels::{PartSeed, fail};
use super::symbols::{Listing, SymbolTable};
use crate::error::Problem;

/// Reads one message; levels whose symbol is known go straight into the level table.
pub(super) struct Reader<'a, 'de> {
    symbols: &'a SymbolTable,
    levels: &'a mut Vec<Level>,
    problem: Option<Problem>,
    fields: Fields<'de>,
}

impl<'a, 'de> Reader<'a, 'de> {
    /// Reads a whole message.
    pub(super) fn read(
        payload: &'de [u8],
        symbols: &'a SymbolTable,
        levels: &'a mut Vec<Level>,
    ) -> Result<Fields<'de>, Problem> {
        let mut reader = Self { symbols, levels, problem: None, fields: Fields::default() };
        // One check of the whole text costs less than one per string.
        let text = std::str::from_utf8(payload)
            .map_err(|error| Problem::bytes("json", payload, format!("must be UTF-8: {error}")))?;
        let mut json = serde_json::Deserializer::from_str(text);
        let outcome = ObjectSeed { reader: &mut reader, inner: false }.deserialize(&mut json);
        match outcome.and_then(|()| json.end()) {
            Ok(()) => Ok(reader.fields),
            Err(error) => Err(reader.problem.take().unwrap_or_else(|| malformed(payload, &error))),
        }
    }

    fn read_field<A: MapAccess<'de>>(&mut self, name: Name, map: &mut A) -> Result<(), A::Error> {
        match name {
            Name::Symbol => self.fields.symbol = self.symbol(map.next_value()?),
            Name::Bids => self.fields.bids = self.part("b", self.fields.bids, map)?,
            Name::Asks => self.fields.asks = self.part("a", self.fields.asks, map)?,
            Name::Kind => self.fields.kind = Kind::of(map.next_value()?),
            Name::Stream => {
                if let Scalar::Text(stream) = map.next_value()? {
                    self.fields.stream = Some(stream);
                }
            }
            Name::Result => self.fields.result = map.next_value::<IgnoredAny>().map(|_| true)?,
            Name::Error | Name::ErrorCode => {
                self.fields.error = map.next_value::<IgnoredAny>().map(|_| true)?;
            }
            Name::FirstId => self.fields.first_id = map.next_value()?,
            Name::LastId => self.fields.last_id = map.next_value()?,
            Name::PrevId => self.fields.prev_id = map.next_value()?,
            Name::SnapshotId => self.fields.snapshot_id = map.next_value()?,
            Name::BidQuantity => self.fields.bid_quantity = map.next_value()?,
            Name::AskQuantity => self.fields.ask_quantity = map.next_value()?,
            Name::TradeId => self.fields.trade_id = map.next_value()?,
            Name::Price => self.fields.price = map.next_value()?,
            Name::Quantity => self.fields.quantity = map.next_value()?,
            Name::TradeKind => self.fields.trade_kind = map.next_value()?,
            Name::BuyerIsMaker => self.fields.buyer_is_maker = map.next_value()?,
            Name::ErrorText => self.fields.error_text = map.next_value()?,
            Name::Data | Name::Other => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn symbol(&self, scalar: Scalar<'de>) -> Named {
        match scalar {
            Scalar::Text(name) => self.symbols.get(name).map_or(Named::Unknown, Named::Known),
            _ => Named::Unknown,
        }
    }

    fn part<A: MapAccess<'de>>(
        &mut self,
        field: &'static str,
        before: Part<'de>,
        map: &mut A,
    ) -> Result<Part<'de>, A::Error> {
        if !matches!(before, Part::Absent) {
            return fail(&mut self.problem, Problem::new(field, "", "must be given once"));
        }
        match (self.fields.symbol, self.fields.kind) {
            (Named::Unknown, _) | (_, Kind::Other) => {
                map.next_value::<IgnoredAny>().map(|_| Part::Single(Scalar::Other))
            }
            (Named::Absent, _) => map.next_value::<&'de RawValue>().map(Part::Unread),
            (Named::Known(listing), _) => {
                let problem = &mut self.problem;
                map.next_value_seed(PartSeed { field, listing, levels: &mut *self.levels, problem })
            }
        }
    }
}

/// Reads a side that came before its symbol.
pub(super) fn read_part<'de>(
    field: &'static str,
    part: Part<'de>,
    listing: Listing,
    levels: &mut Vec<Level>,
) -> Result<Part<'de>, Problem> {
    let Part::Unread(raw) = part else {
        return Ok(part);
    };
    let mut problem = None;
    let mut json = serde_json::Deserializer::from_str(raw.get());
    let seed = PartSeed { field, listing, levels, problem: &mut problem };
    seed.deserialize(&mut json)
        .map_err(|error| problem.unwrap_or_else(|| malformed(raw.get().as_bytes(), &error)))
}

/// Reads an object: the envelope `{"stream","data"}` or a bare message.
struct ObjectSeed<'r, 'a, 'de> {
    reader: &'r mut Reader<'a, 'de>,
    inner: bool,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Name>()? {
            if name == Name::Data && !self.inner {
                if std::mem::replace(&mut self.reader.fields.has_data, true) {
                    return fail(&mut self.reader.problem, Problem::new("data", "", "must be given once"));
                }
                map.next_value_seed(ObjectSeed { reader: &mut *self.reader, inner: true })?;
            } else {
                self.reader.read_field(name, &mut map)?;
            }
        }
        Ok(())
    }
}

/// Says that the text is no message.
fn malformed(payload: &[u8], error: &serde_json::Error) -> Problem {
    Problem::bytes("json", payload, error.to_string())
}
