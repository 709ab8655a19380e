//! Levels `[["price","size"],...]`, each read straight into the level table.

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use tradecore_types::Level;

use super::fields::{Part, Scalar, ScalarVisitor};
use super::symbols::Listing;
use crate::Scale;
use crate::error::Problem;

/// Reads one side: an array of levels into the table, or any single value.
pub(super) struct PartSeed<'a> {
    pub(super) field: &'static str,
    pub(super) listing: Listing,
    pub(super) levels: &'a mut Vec<Level>,
    pub(super) problem: &'a mut Option<Problem>,
}

impl<'de> DeserializeSeed<'de> for PartSeed<'_> {
    type Value = Part<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PartSeed<'_> {
    type Value = Part<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("levels or a single value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Part<'de>, A::Error> {
        let start = self.levels.len();
        let Self { field, listing, levels, problem } = self;
        loop {
            let seed = LevelSeed { field, listing: &listing, problem: &mut *problem };
            match seq.next_element_seed(seed)? {
                Some(level) => levels.push(level),
                None => return Ok(Part::Levels(start, levels.len() - start)),
            }
        }
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Part<'de>, E> {
        Ok(Part::Single(Scalar::Text(text)))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Part<'de>, E> {
        Ok(Part::Single(Scalar::Other))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Part<'de>, E> {
        Ok(Part::Single(Scalar::Number(number)))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Part<'de>, E> {
        Ok(Part::Single(Scalar::Other))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Part<'de>, E> {
        Ok(Part::Single(Scalar::Other))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Part<'de>, E> {
        Ok(Part::Single(Scalar::Bool(value)))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Part<'de>, E> {
        Ok(Part::Single(Scalar::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Part<'de>, A::Error> {
        ScalarVisitor.visit_map(map).map(Part::Single)
    }
}

/// Reads one level; elements after price and size (old captures have an empty array) are passed over.
struct LevelSeed<'a> {
    field: &'static str,
    listing: &'a Listing,
    problem: &'a mut Option<Problem>,
}

impl<'de> DeserializeSeed<'de> for LevelSeed<'_> {
    type Value = Level;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Level, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for LevelSeed<'_> {
    type Value = Level;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a level [price, size]")
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Level, A::Error> {
        let Self { field, listing, problem } = self;
        let price = seq.next_element_seed(StepsSeed {
            field,
            scale: &listing.price,
            is_price: true,
            problem: &mut *problem,
        })?;
        let lots = seq.next_element_seed(StepsSeed {
            field,
            scale: &listing.quantity,
            is_price: false,
            problem: &mut *problem,
        })?;
        let (Some(price_ticks), Some(lots)) = (price, lots) else {
            return fail(problem, Problem::new(field, "", "each level needs a price and a size"));
        };
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Level { price_ticks, lots })
    }
}

/// Reads one decimal text: a price must be whole ticks above 0, a size is cut to whole lots.
struct StepsSeed<'a> {
    field: &'static str,
    scale: &'a Scale,
    is_price: bool,
    problem: &'a mut Option<Problem>,
}

impl<'de> DeserializeSeed<'de> for StepsSeed<'_> {
    type Value = i64;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<i64, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for StepsSeed<'_> {
    type Value = i64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("decimal text in quotes")
    }

    #[inline]
    fn visit_bytes<E: de::Error>(self, text: &[u8]) -> Result<i64, E> {
        let steps = if self.is_price { self.scale.steps(text) } else { self.scale.floor(text) };
        match steps {
            Ok(0) if self.is_price => {
                fail(self.problem, Problem::bytes(self.field, text, "the price must be above 0"))
            }
            Ok(steps) => Ok(steps),
            Err(flaw) => fail(self.problem, Problem::bytes(self.field, text, self.scale.rule(flaw))),
        }
    }
}

/// Notes the problem and stops the reading.
pub(super) fn fail<T, E: de::Error>(slot: &mut Option<Problem>, problem: Problem) -> Result<T, E> {
    *slot = Some(problem);
    Err(E::custom("a value breaks a rule"))
}
