//! Money as a whole number of atto units (10^-18) of a currency.

use std::fmt;
use std::iter::Sum;

use crate::{Decimal, ValueError};

/// Decimals of the money unit: tick times lot of any instrument with up to 18 decimals in all is exact.
pub const MONEY_DECIMALS: u8 = 18;

/// An amount in atto units of a currency, which is known from where it stands; about 1.7e20 units fit.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Money(pub i128);

impl Money {
    /// No money at all, which every sum starts with.
    pub const ZERO: Self = Self(0);

    /// Reads an exact number of units of a currency.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it does not fit 128 bits.
    pub fn of(field: &'static str, amount: Decimal) -> Result<Self, ValueError> {
        let scale = 10i128.pow(u32::from(MONEY_DECIMALS.saturating_sub(amount.decimals)));
        let atto = i128::from(amount.mantissa).checked_mul(scale);
        atto.map(Self).ok_or_else(|| ValueError::new(field, amount, "must fit 128 bits of money"))
    }

    /// Adds, or returns `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Subtracts, or returns `None` on overflow.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Changes the sign; the most negative amount becomes the most positive one.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(self.0.checked_neg().unwrap_or(i128::MAX))
    }

    /// Returns the nearest float, for statistics and screens.
    #[must_use]
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "floats are for display and statistics"
    )]
    pub fn to_f64(self) -> f64 {
        // The whole and the fractional part apart: a quotient of two large floats rounds twice.
        let unit = 10i128.pow(u32::from(MONEY_DECIMALS));
        let (whole, part) = (self.0 / unit, self.0 % unit);
        whole as f64 + part as f64 / unit as f64
    }
}

impl Sum for Money {
    /// Adds up, saturating: a sum that does not fit is caught by the ledger's invariants.
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        Self(iter.fold(0, |total, amount| total.saturating_add(amount.0)))
    }
}

impl fmt::Display for Money {
    /// Writes plain decimal text without trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10u128.pow(u32::from(MONEY_DECIMALS));
        let digits = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let part = format!("{:018}", digits % unit);
        let part = part.trim_end_matches('0');
        let dot = if part.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{dot}{part}", digits / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_plain_decimal_text() {
        assert_eq!(Money(1_500_000_000_000_000_000).to_string(), "1.5");
        assert_eq!(Money(-10_000_000_000_000_000_000_000).to_string(), "-10000");
        assert_eq!(Money(1).to_string(), "0.000000000000000001");
    }
}
