//! The fields of one message as they came, before anybody knows what the message is.

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::symbols::Listing;
use crate::error::Problem;

/// The names of fields that matter; every other field is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Stream,
    Data,
    Kind,
    Symbol,
    FirstId,
    LastId,
    PrevId,
    SnapshotId,
    Bids,
    Asks,
    BidQuantity,
    AskQuantity,
    TradeId,
    Price,
    Quantity,
    TradeKind,
    BuyerIsMaker,
    Result,
    Error,
    ErrorCode,
    ErrorText,
    Other,
}

impl Name {
    fn of(name: &[u8]) -> Self {
        match name {
            b"stream" => Self::Stream,
            b"data" => Self::Data,
            b"e" => Self::Kind,
            b"s" | b"symbol" => Self::Symbol,
            b"U" => Self::FirstId,
            b"u" => Self::LastId,
            b"pu" => Self::PrevId,
            b"lastUpdateId" => Self::SnapshotId,
            b"b" | b"bids" => Self::Bids,
            b"a" | b"asks" => Self::Asks,
            b"B" => Self::BidQuantity,
            b"A" => Self::AskQuantity,
            b"t" => Self::TradeId,
            b"p" => Self::Price,
            b"q" => Self::Quantity,
            b"X" => Self::TradeKind,
            b"m" => Self::BuyerIsMaker,
            b"result" => Self::Result,
            b"error" => Self::Error,
            b"code" => Self::ErrorCode,
            b"msg" => Self::ErrorText,
            _ => Self::Other,
        }
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Name, E> {
        Ok(Name::of(name.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(NameVisitor)
    }
}

/// What `e` says a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Absent,
    Depth,
    Trade,
    AggTrade,
    BookTicker,
    Other,
}

impl Kind {
    pub(super) fn of(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Text("depthUpdate") => Self::Depth,
            Scalar::Text("trade") => Self::Trade,
            Scalar::Text("aggTrade") => Self::AggTrade,
            Scalar::Text("bookTicker") => Self::BookTicker,
            _ => Self::Other,
        }
    }
}

/// What is known of the symbol.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Named {
    #[default]
    Absent,
    Known(Listing),
    Unknown,
}

/// A value of any type, of which only these matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Scalar<'de> {
    #[default]
    Absent,
    Text(&'de str),
    Number(u64),
    Bool(bool),
    Other,
}

impl<'de> Scalar<'de> {
    /// Returns the text.
    pub(super) fn text(self, field: &'static str) -> Result<&'de str, Problem> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(self.not_a(field, "decimal text in quotes")),
        }
    }

    /// Returns the whole number.
    pub(super) fn number(self, field: &'static str) -> Result<u64, Problem> {
        match self {
            Self::Number(number) => Ok(number),
            _ => Err(self.not_a(field, "a whole number of at most 64 bits")),
        }
    }

    /// Returns the truth value.
    pub(super) fn bool(self, field: &'static str) -> Result<bool, Problem> {
        match self {
            Self::Bool(value) => Ok(value),
            _ => Err(self.not_a(field, "true or false")),
        }
    }

    fn not_a(self, field: &'static str, wanted: &str) -> Problem {
        let shown = match self {
            Self::Absent => return Problem::new(field, "", format!("is missing; it must be {wanted}")),
            Self::Text(text) => text.to_owned(),
            Self::Number(number) => number.to_string(),
            Self::Bool(value) => value.to_string(),
            Self::Other => "another type".to_owned(),
        };
        Problem::new(field, shown, format!("must be {wanted}"))
    }
}

pub(super) struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(text))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(value))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// What `b` and `a` hold: levels of a depth message, a price of a quote, an id of a trade.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Part<'de> {
    #[default]
    Absent,
    /// Levels already in the level table: where they start and how many.
    Levels(usize, usize),
    /// A single value.
    Single(Scalar<'de>),
    /// Text that came before its symbol, not read yet.
    Unread(&'de RawValue),
}

/// Everything of a message that matters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields<'de> {
    pub(super) kind: Kind,
    pub(super) symbol: Named,
    pub(super) stream: Option<&'de str>,
    pub(super) has_data: bool,
    pub(super) first_id: Scalar<'de>,
    pub(super) last_id: Scalar<'de>,
    pub(super) prev_id: Scalar<'de>,
    pub(super) snapshot_id: Scalar<'de>,
    pub(super) bids: Part<'de>,
    pub(super) asks: Part<'de>,
    pub(super) bid_quantity: Scalar<'de>,
    pub(super) ask_quantity: Scalar<'de>,
    pub(super) trade_id: Scalar<'de>,
    pub(super) price: Scalar<'de>,
    pub(super) quantity: Scalar<'de>,
    pub(super) trade_kind: Scalar<'de>,
    pub(super) buyer_is_maker: Scalar<'de>,
    pub(super) result: bool,
    pub(super) error: bool,
    pub(super) error_text: Scalar<'de>,
}

impl Fields<'_> {
    /// Tells whether the stream is one of the first levels only, which is no whole book.
    pub(super) fn is_partial_depth(&self) -> bool {
        self.stream.is_some_and(is_partial_depth)
    }
}

/// Tells whether a stream holds the first levels only, e.g. `btcusdt@depth20@100ms`.
pub(super) fn is_partial_depth(stream: &str) -> bool {
    let levels = stream.split_once("@depth").map(|(_, levels)| levels);
    levels.is_some_and(|levels| levels.starts_with(|first: char| first.is_ascii_digit()))
}
