//! What others made at the account and whose it is from here on: an order, or a trade by which a position came.

use crate::venue_id::check_id;
use crate::{CurrencyId, Money, Side, StrategyId, TimeNs, ValueError};

/// Something at the account that the engine did not make, and the strategy that it belongs to from here on.
/// `T` is its text: owned on the way in, borrowed in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adopted<T = Box<str>> {
    /// The strategy that it belongs to from here on.
    pub strategy: StrategyId,
    /// Whether it buys or sells, or has.
    pub side: Side,
    /// Its whole size: what is open of an order and what has filled, or what came of a position.
    pub lots: i64,
    /// When the venue said so, or when it traded.
    pub venue_time_ns: TimeNs,
    /// An order that is open, or a position.
    pub body: AdoptedBody,
    /// The venue's own name of the order; an order has one.
    pub venue_order_id: Option<T>,
    /// The name that whoever made the order gave it.
    pub client_order_id: Option<T>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdoptedBody {
    /// An order that is open there, with its price if it states one.
    Order {
        /// Its price in ticks.
        price_ticks: Option<i64>,
    },
    /// A position, or a part of one, which came or went at this price.
    Position {
        /// The price in ticks by which it counts.
        price_ticks: i64,
        /// What the account paid for it; negative is a rebate.
        fee: Money,
        /// Currency of the fee; `None` for that of the settlement.
        fee_currency: Option<CurrencyId>,
    },
}

impl AdoptedBody {
    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Order { .. } => "order",
            Self::Position { .. } => "position",
        }
    }
}

impl<T: AsRef<str>> Adopted<T> {
    /// Returns the same with borrowed text.
    pub fn borrowed(&self) -> Adopted<&str> {
        self.with(
            self.venue_order_id.as_ref().map(AsRef::as_ref),
            self.client_order_id.as_ref().map(AsRef::as_ref),
        )
    }

    /// Checks what it says by itself; whether ids are known is for whoever has the tables.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a size is not above 0, a price is 0, an order has no name at the venue, or a name is none.
    pub fn check(&self) -> Result<(), ValueError> {
        if self.lots <= 0 {
            return Err(ValueError::new("lots", self.lots, "must be above 0"));
        }
        match self.body {
            AdoptedBody::Order { price_ticks: Some(0) } | AdoptedBody::Position { price_ticks: 0, .. } => {
                return Err(ValueError::new("price_ticks", 0, "must not be 0"));
            }
            AdoptedBody::Order { .. } if self.venue_order_id.is_none() => {
                let rule = "an order must have its name at the venue, so that it is not taken over twice";
                return Err(ValueError::new("venue_order_id", "none", rule));
            }
            AdoptedBody::Order { .. } | AdoptedBody::Position { .. } => {}
        }
        let names = [("venue_order_id", &self.venue_order_id), ("client_order_id", &self.client_order_id)];
        names.into_iter().try_for_each(|(field, name)| match name {
            Some(name) => check_id(field, name.as_ref()),
            None => Ok(()),
        })
    }
}

impl Adopted<&str> {
    /// Returns the same with text of its own.
    #[must_use]
    pub fn to_owned(&self) -> Adopted {
        self.with(self.venue_order_id.map(Box::from), self.client_order_id.map(Box::from))
    }
}

impl<T> Adopted<T> {
    fn with<U>(&self, venue_order_id: Option<U>, client_order_id: Option<U>) -> Adopted<U> {
        Adopted {
            strategy: self.strategy,
            side: self.side,
            lots: self.lots,
            venue_time_ns: self.venue_time_ns,
            body: self.body,
            venue_order_id,
            client_order_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(price_ticks: Option<i64>) -> Adopted<&'static str> {
        Adopted {
            strategy: StrategyId(1),
            side: Side::Sell,
            lots: 3,
            venue_time_ns: 7,
            body: AdoptedBody::Order { price_ticks },
            venue_order_id: Some("7"),
            client_order_id: None,
        }
    }

    #[test]
    fn what_is_adopted_has_a_size_a_price_that_is_one_and_an_order_its_name() {
        assert_eq!(order(None).check(), Ok(()));
        assert_eq!(order(Some(5)).check(), Ok(()));
        assert_eq!(order(Some(0)).check().unwrap_err().field, "price_ticks");
        assert_eq!(Adopted { lots: 0, ..order(None) }.check().unwrap_err().field, "lots");
        assert_eq!(
            Adopted { venue_order_id: None, ..order(None) }.check().unwrap_err().field,
            "venue_order_id"
        );
        let odd = Adopted { client_order_id: Some("\n"), ..order(None) };
        assert_eq!(odd.check().unwrap_err().field, "client_order_id");
        let body = AdoptedBody::Position { price_ticks: 9, fee: Money(1), fee_currency: None };
        let position = Adopted { body, venue_order_id: None, ..order(None) };
        assert_eq!(position.check(), Ok(()), "nobody knows by which order a position came");
        let body = AdoptedBody::Position { price_ticks: 0, fee: Money(1), fee_currency: None };
        assert_eq!(Adopted { body, ..position }.check().unwrap_err().field, "price_ticks");
    }

    #[test]
    fn borrowed_and_owned_are_the_same() {
        let said = Adopted { client_order_id: Some("web"), ..order(Some(5)) };
        assert_eq!(said.to_owned().borrowed(), said);
    }
}
