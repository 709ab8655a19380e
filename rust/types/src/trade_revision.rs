//! What a venue says of a trade after it has told it: other numbers, or that it never happened.

use crate::venue_id::check_id;
use crate::{
    CurrencyId, InstrumentId, Liquidity, Money, OrderId, ReportBody, Side, StrategyId, TimeNs, ValueError,
};

/// The numbers of a trade of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Traded {
    /// At what price, in ticks.
    pub price_ticks: i64,
    /// How many lots, above 0.
    pub lots: i64,
    /// Whether the order waited in the book or traded on arrival.
    pub liquidity: Liquidity,
    /// What it cost; negative is a rebate.
    pub fee: Money,
    /// In which currency the fee is; `None` for the settlement currency of the instrument.
    pub fee_currency: Option<CurrencyId>,
}

impl Traded {
    /// Reads the numbers of a fill; `None` when the report is none.
    #[must_use]
    pub const fn of(body: &ReportBody) -> Option<Self> {
        match *body {
            ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency } => {
                Some(Self { price_ticks, lots, liquidity, fee, fee_currency })
            }
            _ => None,
        }
    }

    /// Returns the fill with these numbers.
    #[must_use]
    pub const fn fill(self) -> ReportBody {
        let Self { price_ticks, lots, liquidity, fee, fee_currency } = self;
        ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency }
    }
}

/// A trade that a venue tells anew. `T` is its text: owned on the way in, borrowed in a record.
///
/// The first telling of a trade is a fill and counts as revision 0; the highest revision is what holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeRevision<T = Box<str>> {
    /// When the venue revised it.
    pub venue_time_ns: TimeNs,
    /// The order that traded.
    pub order_id: OrderId,
    /// The venue's own name of the trade, the same as when it was told first.
    pub trade_id: T,
    /// The venue's own name of the order.
    pub venue_order_id: Option<T>,
    /// Above 0, and higher each time that the venue tells the trade anew.
    pub revision: u64,
    /// What the trade is from here on; `None` when the venue has busted it: it never happened.
    pub traded: Option<Traded>,
    /// What had filled of the order in all with this trade, as it was told first; `None` where the venue does not say so.
    pub filled_lots: Option<i64>,
}

/// A revision as it was booked: what was taken back, and what was booked in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BookedRevision<T = Box<str>> {
    /// When the venue revised it.
    pub venue_time_ns: TimeNs,
    /// The order that traded.
    pub order_id: OrderId,
    /// The strategy whose order it is.
    pub strategy: StrategyId,
    /// The instrument that was traded.
    pub instrument: InstrumentId,
    /// Whether the order buys or sells.
    pub side: Side,
    /// The entry whose lots the order closes first.
    pub closes: Option<OrderId>,
    /// The venue's own name of the trade.
    pub trade_id: T,
    /// Which telling of the trade it is.
    pub revision: u64,
    /// What was booked of the trade before and is taken back; `None` for one that had been busted.
    pub before: Option<Traded>,
    /// What is booked of it from here on; `None` for one that is busted.
    pub after: Option<Traded>,
}

impl<T: AsRef<str>> TradeRevision<T> {
    /// Returns the same with borrowed text.
    pub fn borrowed(&self) -> TradeRevision<&str> {
        self.with(self.trade_id.as_ref(), self.venue_order_id.as_ref().map(AsRef::as_ref))
    }

    /// Checks what it says by itself; whether ids are known is for whoever has the tables.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a name is none, the revision is 0 or a size is not above 0.
    pub fn check(&self) -> Result<(), ValueError> {
        check_id("trade_id", self.trade_id.as_ref())?;
        if let Some(id) = &self.venue_order_id {
            check_id("venue_order_id", id.as_ref())?;
        }
        if self.revision == 0 {
            return Err(ValueError::new("revision", 0, "must be above 0: revision 0 is a fill"));
        }
        if let Some(lots) = self.filled_lots.filter(|lots| *lots < 0) {
            return Err(ValueError::new("filled_lots", lots, "must not be negative"));
        }
        match self.traded {
            Some(Traded { lots, .. }) if lots <= 0 => {
                let rule = "must be above 0; a trade that never happened is a bust, without numbers";
                Err(ValueError::new("lots", lots, rule))
            }
            _ => Ok(()),
        }
    }

    fn with<U>(&self, trade_id: U, venue_order_id: Option<U>) -> TradeRevision<U> {
        let Self { venue_time_ns, order_id, revision, traded, filled_lots, .. } = *self;
        TradeRevision { venue_time_ns, order_id, trade_id, venue_order_id, revision, traded, filled_lots }
    }
}

impl TradeRevision<&str> {
    /// Returns the same with text of its own.
    #[must_use]
    pub fn to_owned(&self) -> TradeRevision {
        self.with(Box::from(self.trade_id), self.venue_order_id.map(Box::from))
    }
}

impl<T> BookedRevision<T> {
    /// Returns the same with another text for the name of the trade.
    pub fn named<U>(&self, trade_id: U) -> BookedRevision<U> {
        let Self {
            venue_time_ns, order_id, strategy, instrument, side, closes, revision, before, after, ..
        } = *self;
        BookedRevision {
            venue_time_ns,
            order_id,
            strategy,
            instrument,
            side,
            closes,
            trade_id,
            revision,
            before,
            after,
        }
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match (&self.before, &self.after) {
            (_, None) => "busted",
            (None, Some(_)) => "restored",
            (Some(_), Some(_)) => "corrected",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(traded: Option<Traded>) -> TradeRevision<&'static str> {
        TradeRevision {
            venue_time_ns: 7,
            order_id: OrderId(1),
            trade_id: "t1",
            venue_order_id: Some("V1"),
            revision: 1,
            traded,
            filled_lots: Some(4),
        }
    }

    fn traded(lots: i64) -> Traded {
        Traded { price_ticks: 5, lots, liquidity: Liquidity::Maker, fee: Money(-3), fee_currency: None }
    }

    #[test]
    fn a_revision_counts_from_one_and_has_a_size_or_none() {
        assert_eq!(revision(None).check(), Ok(()));
        assert_eq!(revision(Some(traded(1))).check(), Ok(()));
        assert_eq!(revision(Some(traded(0))).check().unwrap_err().field, "lots");
        assert_eq!(TradeRevision { revision: 0, ..revision(None) }.check().unwrap_err().field, "revision");
        assert_eq!(TradeRevision { trade_id: "", ..revision(None) }.check().unwrap_err().field, "trade_id");
        let shrunk = TradeRevision { filled_lots: Some(-1), ..revision(None) };
        assert_eq!(shrunk.check().unwrap_err().field, "filled_lots");
        let unnamed = TradeRevision { venue_order_id: Some("a\n"), ..revision(None) };
        assert_eq!(unnamed.check().unwrap_err().field, "venue_order_id");
    }

    #[test]
    fn borrowed_and_owned_are_the_same_and_a_fill_keeps_its_numbers() {
        let said = revision(Some(traded(4)));
        assert_eq!(said.to_owned().borrowed(), said);
        assert_eq!(Traded::of(&traded(4).fill()), Some(traded(4)));
        assert_eq!(Traded::of(&ReportBody::Accepted), None);
    }

    #[test]
    fn the_name_says_what_became_of_the_trade() {
        let name = |before: Option<i64>, after: Option<i64>| {
            let booked = BookedRevision {
                venue_time_ns: 7,
                order_id: OrderId(1),
                strategy: StrategyId(0),
                instrument: InstrumentId(0),
                side: Side::Buy,
                closes: None,
                trade_id: "t1",
                revision: 2,
                before: before.map(traded),
                after: after.map(traded),
            };
            booked.name()
        };
        assert_eq!(name(Some(4), None), "busted");
        assert_eq!(name(Some(4), Some(3)), "corrected");
        assert_eq!(name(None, Some(3)), "restored");
    }
}
