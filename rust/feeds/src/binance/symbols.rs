//! Which symbols are wanted, and the tick and lot of each.

use rustc_hash::FxHashMap;
use tradecore_types::{Decimal, InstrumentId, ValueError};

use crate::Scale;

/// Longest symbol a stream name may carry; no venue symbol comes near it.
const SYMBOL_BYTES_MAX: usize = 64;

/// A symbol whose messages are wanted, and in what steps its numbers are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolSpec {
    /// The venue's name, e.g. `BTCUSDT`; letter case does not matter.
    pub symbol: String,
    /// Instrument its events are about.
    pub instrument: InstrumentId,
    /// Smallest price step, above 0.
    pub tick_size: Decimal,
    /// Smallest size step, above 0.
    pub lot_size: Decimal,
}

/// A wanted symbol with its steps prepared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub(super) instrument: InstrumentId,
    pub(super) price: Scale,
    pub(super) quantity: Scale,
}

/// The wanted symbols by name.
#[derive(Clone, Debug)]
pub(super) struct SymbolTable {
    by_name: FxHashMap<Box<str>, Listing>,
}

impl SymbolTable {
    /// Prepares the table.
    pub(super) fn new(specs: &[SymbolSpec]) -> Result<Self, ValueError> {
        let mut by_name = FxHashMap::default();
        for spec in specs {
            let listing = Listing {
                instrument: spec.instrument,
                price: Scale::new("tick_size", spec.tick_size)?,
                quantity: Scale::new("lot_size", spec.lot_size)?,
            };
            let name = spec.symbol.to_ascii_uppercase().into_boxed_str();
            if name.is_empty() || by_name.insert(name, listing).is_some() {
                return Err(ValueError::new("symbol", &spec.symbol, "must be there and be given once"));
            }
        }
        if by_name.is_empty() {
            return Err(ValueError::new("instruments", "[]", "must name at least one symbol"));
        }
        Ok(Self { by_name })
    }

    /// Returns the symbol with this upper-case name.
    pub(super) fn get(&self, name: &str) -> Option<Listing> {
        self.by_name.get(name).copied()
    }

    /// Returns the symbol with this name in any letter case, as stream names have it.
    pub(super) fn get_any_case(&self, name: &str) -> Option<Listing> {
        let mut upper = [0u8; SYMBOL_BYTES_MAX];
        let upper = upper.get_mut(..name.len())?;
        upper.copy_from_slice(name.as_bytes());
        upper.make_ascii_uppercase();
        self.get(std::str::from_utf8(upper).ok()?)
    }

    /// Returns the only symbol, if there is just one.
    pub(super) fn only(&self) -> Option<Listing> {
        let mut listings = self.by_name.values();
        listings.next().copied().filter(|_| listings.next().is_none())
    }
}
