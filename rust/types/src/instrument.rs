//! What is traded: tick, lot, contract, and the arithmetic from ticks and lots to money.

use crate::decimal::pow10;
use crate::{
    AccountId, CurrencyId, Decimal, HedgedMargin, InstrumentId, MONEY_DECIMALS, Money, Positions, Rate,
    ValueError,
};

/// How a contract turns a price into money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum InstrumentKind {
    /// Spot and linear futures: value = price * size * multiplier, in the quote currency.
    Linear,
    /// Inverse (coin-margined) futures: value = -size * multiplier / price, in the base currency.
    Inverse,
}

/// The definition of an instrument as a person or a venue states it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InstrumentSpec {
    /// The name that the venue has for it, such as `BTCUSDT`.
    pub symbol: String,
    /// Smallest price step, above 0.
    pub tick_size: Decimal,
    /// Smallest size step, above 0.
    pub lot_size: Decimal,
    /// Whether its value rises with the price (linear) or with one over it (inverse).
    pub kind: InstrumentKind,
    /// Contract multiplier (contract size), above 0; 1 for spot.
    pub multiplier: Decimal,
}

/// The currencies that trading an instrument moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Currencies {
    /// In which value, profit and funding are: the quote currency of linear, the coin of inverse contracts.
    pub settlement: CurrencyId,
    /// What a purchase adds to what the account owns (spot); `None` for a derivative, and where nobody asks.
    pub base: Option<CurrencyId>,
    /// The venue account that trades it: both currencies are balances there.
    pub account: AccountId,
}

/// An instrument with its arithmetic prepared; but for the rate of its settlement currency it never changes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Instrument {
    /// Position in the engine's table.
    pub id: InstrumentId,
    /// The definition it was made from.
    pub spec: InstrumentSpec,
    /// The currencies that trading it moves.
    pub currencies: Currencies,
    /// What a unit of its settlement currency is worth to the account.
    pub rate: Rate,
    /// Whether its buys and sells meet in one position.
    pub positions: Positions,
    /// What margin is asked for where it is held long and short at once.
    pub hedged_margin: HedgedMargin,
    /// Linear: atto units of one tick times one lot. Inverse: numerator of one lot's value.
    unit: i128,
    /// Inverse: mantissa of the tick, the divisor beside the price; 1 for linear.
    divisor: i128,
}

impl Instrument {
    /// Returns the venue account that trades it.
    #[must_use]
    #[inline]
    pub const fn account(&self) -> AccountId {
        self.currencies.account
    }

    /// Prepares the arithmetic of an instrument.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when tick, lot or multiplier is not above 0, or one tick times one lot is
    /// finer than the money unit of 10^-18.
    pub fn new(id: InstrumentId, spec: InstrumentSpec) -> Result<Self, ValueError> {
        for (field, value) in
            [("tick_size", spec.tick_size), ("lot_size", spec.lot_size), ("multiplier", spec.multiplier)]
        {
            if value.mantissa <= 0 {
                return Err(ValueError::new(field, value, "must be above 0"));
            }
        }
        let too_large = |field| ValueError::new(field, &spec.symbol, "does not fit 128 bits of money");
        let size = i128::from(spec.lot_size.mantissa)
            .checked_mul(i128::from(spec.multiplier.mantissa))
            .ok_or_else(|| too_large("multiplier"))?;
        let size_decimals = spec.lot_size.decimals + spec.multiplier.decimals;
        let (unit, divisor) = match spec.kind {
            InstrumentKind::Linear => {
                let decimals = size_decimals + spec.tick_size.decimals;
                let scale = MONEY_DECIMALS.checked_sub(decimals).ok_or_else(|| {
                    ValueError::new(
                        "tick_size",
                        spec.tick_size,
                        "tick, lot and multiplier may have 18 decimals in all",
                    )
                })?;
                let unit = size
                    .checked_mul(i128::from(spec.tick_size.mantissa))
                    .and_then(|value| value.checked_mul(pow10(scale)))
                    .ok_or_else(|| too_large("tick_size"))?;
                (unit, 1)
            }
            InstrumentKind::Inverse => {
                let scale = MONEY_DECIMALS + spec.tick_size.decimals;
                let scale = scale.checked_sub(size_decimals).ok_or_else(|| {
                    ValueError::new(
                        "lot_size",
                        spec.lot_size,
                        "lot and multiplier may have 18 decimals in all",
                    )
                })?;
                let unit = size.checked_mul(pow10(scale)).ok_or_else(|| too_large("lot_size"))?;
                (unit, i128::from(spec.tick_size.mantissa))
            }
        };
        Ok(Self {
            id,
            spec,
            currencies: Currencies::default(),
            rate: Rate::One,
            positions: Positions::Netting,
            hedged_margin: HedgedMargin::Both,
            unit,
            divisor,
        })
    }

    /// Returns the same instrument, settled in another currency than the one in which the account reports.
    #[must_use]
    pub fn in_currencies(self, currencies: Currencies) -> Self {
        let rate = if currencies.settlement == CurrencyId::REPORTING { Rate::One } else { Rate::Missing };
        Self { currencies, rate, ..self }
    }

    /// Returns the same instrument, with positions of this kind.
    #[must_use]
    pub fn with_positions(self, positions: Positions) -> Self {
        Self { positions, ..self }
    }

    /// Returns the same instrument, with this margin where it is held long and short at once.
    #[must_use]
    pub fn with_hedged_margin(self, hedged_margin: HedgedMargin) -> Self {
        Self { hedged_margin, ..self }
    }

    /// Tells whether a strategy may be long and short of it at once: each entry order opens a ticket of its own.
    #[must_use]
    #[inline]
    pub const fn is_hedged(&self) -> bool {
        matches!(self.positions, Positions::Hedging)
    }

    /// Returns how much of its base currency a number of lots is; `None` when it does not fit.
    #[must_use]
    pub fn base_amount(&self, lots: i64) -> Option<Money> {
        let size = i128::from(lots).checked_mul(i128::from(self.spec.lot_size.mantissa))?;
        let size = size.checked_mul(i128::from(self.spec.multiplier.mantissa))?;
        let decimals = self.spec.lot_size.decimals + self.spec.multiplier.decimals;
        let scale = MONEY_DECIMALS.checked_sub(decimals)?;
        size.checked_mul(pow10(scale)).map(Money)
    }

    /// Returns what a position is worth at a price in the currency in which the account reports; `None` as
    /// [`Instrument::value`], and without a rate.
    #[must_use]
    #[inline]
    pub fn reported_value(&self, price_ticks: i64, lots: i64) -> Option<Money> {
        self.value(price_ticks, lots).and_then(|value| self.rate.worth(value))
    }

    /// Returns the size of a trade in the currency in which the account reports, never negative: what limits count.
    ///
    /// `None` under the same conditions as [`Instrument::reported_value`].
    #[must_use]
    #[inline]
    pub fn reported_notional(&self, price_ticks: i64, lots: i64) -> Option<Money> {
        self.notional(price_ticks, lots).and_then(|size| self.rate.worth(size))
    }

    /// Returns what a position of `lots` (signed) is worth at a price; a long gains when it rises.
    ///
    /// Linear: `price * size * multiplier`. Inverse: `-size * multiplier / price`, rounded half away
    /// from zero to one money unit, the only rounding there is.
    ///
    /// `None` on overflow, or for an inverse contract at a price that is not above 0.
    #[must_use]
    #[inline]
    pub fn value(&self, price_ticks: i64, lots: i64) -> Option<Money> {
        let size = i128::from(price_ticks) * i128::from(lots);
        // Both fit 64 bits nearly always, and one multiplication then does for many.
        match (i64::try_from(size), i64::try_from(self.unit), self.spec.kind) {
            (Ok(size), Ok(unit), InstrumentKind::Linear) => Some(Money(i128::from(size) * i128::from(unit))),
            (_, _, InstrumentKind::Linear) => size.checked_mul(self.unit).map(Money),
            (_, _, InstrumentKind::Inverse) => self.inverse_value(price_ticks, lots),
        }
    }

    fn inverse_value(&self, price_ticks: i64, lots: i64) -> Option<Money> {
        if price_ticks <= 0 {
            return None;
        }
        let value = i128::from(lots).checked_mul(self.unit)?;
        let price = i128::from(price_ticks).checked_mul(self.divisor)?;
        round_half_away(value, price).checked_neg().map(Money)
    }

    /// Returns the price in ticks at which a position of `lots` (signed) is worth so much, rounded half away from zero to a
    /// tick; `None` when there is none, or it does not fit.
    #[must_use]
    pub fn ticks_at(&self, value: Money, lots: i64) -> Option<i64> {
        let size = i128::from(lots).checked_mul(self.unit)?;
        let (above, below) = match self.spec.kind {
            InstrumentKind::Linear => (value.0, size),
            InstrumentKind::Inverse => (size.checked_neg()?, value.0.checked_mul(self.divisor)?),
        };
        let is_whole = lots != 0 && below != 0 && below != i128::MIN && above != i128::MIN;
        i64::try_from(is_whole.then(|| round_half_away(above * below.signum(), below.abs()))?).ok()
    }

    /// Returns the size of a trade in money, never negative: what fees and notional limits count.
    ///
    /// `None` under the same conditions as [`Instrument::value`].
    #[must_use]
    #[inline]
    pub fn notional(&self, price_ticks: i64, lots: i64) -> Option<Money> {
        self.value(price_ticks, lots).and_then(|value| value.0.checked_abs()).map(Money)
    }

    /// Reads a price as whole ticks.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the text is no decimal number or not a multiple of the tick size.
    pub fn price_ticks(&self, text: &str) -> Result<i64, ValueError> {
        Decimal::parse("price", text)?.in_steps_of(self.spec.tick_size, "price")
    }

    /// Reads a size as whole lots.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the text is no decimal number or not a multiple of the lot size.
    pub fn quantity_lots(&self, text: &str) -> Result<i64, ValueError> {
        Decimal::parse("quantity", text)?.in_steps_of(self.spec.lot_size, "quantity")
    }

    /// Returns a price as a float, for indicators and screens.
    #[must_use]
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "floats are for indicators and display"
    )]
    pub fn price(&self, price_ticks: i64) -> f64 {
        // Multiply before dividing: 34571 ticks of 0.01 are exactly the float 345.71.
        (price_ticks as f64 * self.spec.tick_size.mantissa as f64)
            / 10f64.powi(i32::from(self.spec.tick_size.decimals))
    }

    /// Returns a size as a float, for indicators and screens.
    #[must_use]
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "floats are for indicators and display"
    )]
    pub fn quantity(&self, lots: i64) -> f64 {
        (lots as f64 * self.spec.lot_size.mantissa as f64)
            / 10f64.powi(i32::from(self.spec.lot_size.decimals))
    }
}

/// Divides and rounds half away from zero; the divisor is above 0.
fn round_half_away(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest.unsigned_abs() >= divisor.unsigned_abs().div_ceil(2) {
        quotient + value.signum()
    } else {
        quotient
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument(tick: &str, lot: &str, kind: InstrumentKind, multiplier: &str) -> Instrument {
        let decimal = |text| Decimal::parse("test", text).unwrap();
        let spec = InstrumentSpec {
            symbol: "TEST".into(),
            tick_size: decimal(tick),
            lot_size: decimal(lot),
            kind,
            multiplier: decimal(multiplier),
        };
        Instrument::new(InstrumentId(0), spec).unwrap()
    }

    #[test]
    fn linear_value_is_price_times_size() {
        let spot = instrument("0.01", "0.00001", InstrumentKind::Linear, "1");
        let ticks = spot.price_ticks("61837.63").unwrap();
        let lots = spot.quantity_lots("0.02").unwrap();
        assert_eq!(spot.value(ticks, lots).unwrap().to_string(), "1236.7526");
        assert_eq!(spot.value(ticks, -lots).unwrap().to_string(), "-1236.7526");
    }

    #[test]
    fn inverse_long_gains_in_coin_when_the_price_rises() {
        let perpetual = instrument("0.1", "1", InstrumentKind::Inverse, "100");
        let low = perpetual.value(500_000, 5).unwrap();
        let high = perpetual.value(1_000_000, 5).unwrap();
        assert_eq!(low.to_string(), "-0.01");
        assert_eq!(high.to_string(), "-0.005");
        assert_eq!(perpetual.notional(500_000, 5).unwrap().to_string(), "0.01");
    }

    #[test]
    fn overflow_is_none_and_never_a_wrap() {
        let coarse = instrument("1", "1", InstrumentKind::Linear, "1");
        assert_eq!(coarse.value(i64::MAX, i64::MAX), None);
    }

    #[test]
    fn a_price_off_the_tick_is_refused() {
        let spot = instrument("0.01", "1", InstrumentKind::Linear, "1");
        assert!(spot.price_ticks("1.005").is_err());
    }

    #[test]
    fn the_price_of_a_value_is_that_of_which_it_is_the_value() {
        for kind in [InstrumentKind::Linear, InstrumentKind::Inverse] {
            let known = instrument("0.5", "0.1", kind, "7");
            for (ticks, lots) in [(1, 1), (3, -7), (99_999, 1_000), (12_345, -1)] {
                let value = known.value(ticks, lots).unwrap();
                assert_eq!(known.ticks_at(value, lots), Some(ticks));
            }
            for (value, lots) in [(i128::MIN, -1), (0, 0), (1, 0)] {
                assert_eq!(known.ticks_at(Money(value), lots), None);
            }
        }
        let linear = instrument("1", "1", InstrumentKind::Linear, "1");
        assert_eq!(linear.ticks_at(Money(i128::MAX), 1), None, "that price does not fit");
        let halves = |lots: i64| linear.ticks_at(Money(linear.value(5, lots).unwrap().0 / 2), lots);
        assert_eq!((halves(1), halves(-1)), (Some(3), Some(3)), "a half is rounded away from zero");
    }
}
