//! Arrays of levels, read straight into memory that is used again.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use tradecore_types::Level;

use super::{PairScales, level_of, malformed};
use crate::error::Problem;

/// A level in JSON.
pub(super) trait LevelText<'de>: Deserialize<'de> {
    /// Returns price and size as they are written.
    fn texts(&self) -> (&'de str, &'de str);
}

/// `["price", "size", ..]`: what follows is not looked at.
pub(super) struct Listed<'de>(&'de str, &'de str);

impl<'de> LevelText<'de> for Listed<'de> {
    fn texts(&self) -> (&'de str, &'de str) {
        (self.0, self.1)
    }
}

impl<'de> Deserialize<'de> for Listed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListedVisitor)
    }
}

/// `{"price": 1.5, "qty": 2.0}`: numbers, kept as the text they are written in.
#[derive(Deserialize)]
pub(super) struct Named<'a> {
    #[serde(borrow)]
    price: &'a RawValue,
    #[serde(borrow)]
    qty: &'a RawValue,
}

impl<'de> LevelText<'de> for Named<'de> {
    fn texts(&self) -> (&'de str, &'de str) {
        (self.price.get(), self.qty.get())
    }
}

/// Appends the levels of an array.
pub(super) fn append<'de, L: LevelText<'de>>(
    array: Option<&'de RawValue>,
    scales: &PairScales,
    out: &mut Vec<Level>,
) -> Result<(), Problem> {
    let Some(array) = array else { return Ok(()) };
    let mut problem = None;
    let seed = ArraySeed::<'_, L> { scales, out, problem: &mut problem, level: std::marker::PhantomData };
    let outcome = seed.deserialize(&mut serde_json::Deserializer::from_str(array.get()));
    match (outcome, problem) {
        (_, Some(problem)) => Err(problem),
        (Err(error), None) => Err(malformed(array.get(), &error)),
        (Ok(()), None) => Ok(()),
    }
}

struct ListedVisitor;

impl<'de> Visitor<'de> for ListedVisitor {
    type Value = Listed<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array that begins with price and size as text")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let missing = |index| serde::de::Error::invalid_length(index, &self);
        let price = items.next_element()?.ok_or_else(|| missing(0))?;
        let size = items.next_element()?.ok_or_else(|| missing(1))?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Listed(price, size))
    }
}

struct ArraySeed<'a, L> {
    scales: &'a PairScales,
    out: &'a mut Vec<Level>,
    problem: &'a mut Option<Problem>,
    level: std::marker::PhantomData<L>,
}

impl<'de, L: LevelText<'de>> DeserializeSeed<'de> for ArraySeed<'_, L> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, L: LevelText<'de>> Visitor<'de> for ArraySeed<'_, L> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of levels")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(level) = items.next_element::<L>()? {
            let (price, size) = level.texts();
            match level_of(self.scales, price, size) {
                Ok(level) => self.out.push(level),
                Err(problem) => {
                    *self.problem = Some(problem);
                    return Err(serde::de::Error::custom("a number is no whole step"));
                }
            }
        }
        Ok(())
    }
}
