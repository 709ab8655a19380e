//! The trades of one order, by the names that its venue gave them.
//!
//! **Invariant:** it holds one trade at least. Most orders have one: a map of its own would take ten times as much for it,
//! and tens of thousands are remembered.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tradecore_types::Traded;

/// A trade as it was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Trade {
    /// How often the venue has told it anew; 0 as it was told first.
    pub(crate) revision: u64,
    /// What is booked of it; `None` for one that is busted.
    pub(crate) booked: Option<Traded>,
    /// What of its order counts as filled by it: a revision changes money and position, and no order.
    pub(crate) filled_lots: i64,
    /// Whether the venue has told it first: a later telling may come before that.
    pub(crate) is_told_first: bool,
}

impl Trade {
    /// A trade as it is told first.
    pub(crate) const fn told_first(traded: Traded) -> Self {
        Self { revision: 0, booked: Some(traded), filled_lots: traded.lots, is_told_first: true }
    }

    /// Tells whether these are its price and size. A fee may come later than its trade, and is no part of them.
    pub(crate) fn is(&self, traded: &Traded) -> bool {
        self.booked
            .is_some_and(|booked| (booked.price_ticks, booked.lots) == (traded.price_ticks, traded.lots))
    }
}

/// What is remembered of the trades of an order.
#[derive(Debug)]
pub(crate) enum Trades {
    One(Arc<str>, Trade),
    Several(BTreeMap<Arc<str>, Trade>),
}

impl Trades {
    /// Remembers a trade as it was told last; tells whether it was known.
    pub(crate) fn put(&mut self, name: &Arc<str>, trade: Trade) -> bool {
        if let Some(known) = self.get_mut(name) {
            *known = trade;
            return true;
        }
        match self {
            Self::One(first, told) => {
                let both = [(Arc::clone(first), *told), (Arc::clone(name), trade)];
                *self = Self::Several(BTreeMap::from(both));
            }
            Self::Several(all) => {
                all.insert(Arc::clone(name), trade);
            }
        }
        false
    }

    /// Forgets a trade; tells whether none is left.
    pub(crate) fn forget(&mut self, name: &str) -> bool {
        match self {
            Self::One(known, _) => **known == *name,
            Self::Several(all) => {
                all.remove(name);
                all.is_empty()
            }
        }
    }

    /// Returns a trade.
    pub(crate) fn get(&self, name: &str) -> Option<&Trade> {
        match self {
            Self::One(known, trade) => (**known == *name).then_some(trade),
            Self::Several(all) => all.get(name),
        }
    }

    /// Returns a trade that is to be changed.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Trade> {
        match self {
            Self::One(known, trade) => (**known == *name).then_some(trade),
            Self::Several(all) => all.get_mut(name),
        }
    }

    /// Visits all, by their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Trade)> {
        let (one, several) = match self {
            Self::One(name, trade) => (Some((name, trade)), None),
            Self::Several(all) => (None, Some(all.iter())),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }
}

impl Serialize for Trades {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(name, trade) => serializer.collect_map([(name, trade)]),
            Self::Several(all) => all.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Trades {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = BTreeMap::<Arc<str>, Trade>::deserialize(deserializer)?;
        if all.len() == 1
            && let Some((name, trade)) = all.pop_first()
        {
            return Ok(Self::One(name, trade));
        }
        Ok(Self::Several(all))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;
    use tradecore_types::{Liquidity, Money, Traded};

    use crate::books::trades::{Trade, Trades};

    fn trade(lots: i64) -> Trade {
        let liquidity = Liquidity::Taker;
        Trade::told_first(Traded { price_ticks: 100, lots, liquidity, fee: Money(3), fee_currency: None })
    }

    proptest! {
        /// It is a map of all, whatever comes and goes, also once it was written and read.
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0..4_u8, 1..9_i64, any::<bool>()), 1..40)) {
            let mut map = BTreeMap::<Arc<str>, Trade>::new();
            let mut trades: Option<Trades> = None;
            for (number, lots, is_put) in steps {
                let name: Arc<str> = format!("t{number}").into();
                if is_put {
                    let was_known = map.insert(Arc::clone(&name), trade(lots)).is_some();
                    match &mut trades {
                        Some(trades) => prop_assert_eq!(trades.put(&name, trade(lots)), was_known),
                        None => trades = Some(Trades::One(Arc::clone(&name), trade(lots))),
                    }
                } else {
                    map.remove(&name);
                    if let Some(known) = &mut trades {
                        let is_empty = known.forget(&name);
                        prop_assert_eq!(is_empty, map.is_empty());
                        trades = if is_empty { None } else { trades };
                    }
                }
                let Some(known) = &mut trades else { continue };
                prop_assert!(known.iter().eq(map.iter()));
                prop_assert_eq!((known.get(&name), known.get("t0")), (map.get(&name), map.get("t0")));
                prop_assert_eq!(known.get_mut("t1").copied(), map.get("t1").copied());
                let written = rmp_serde::to_vec_named(known).unwrap();
                prop_assert_eq!(&written, &rmp_serde::to_vec_named(&map).unwrap());
                trades = Some(rmp_serde::from_slice(&written).unwrap());
            }
        }
    }
}
