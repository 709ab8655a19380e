//! Exact decimals at the edge: text in, scaled integers out.

use std::fmt;

use crate::{ValueError, plain_text};

/// An exact decimal number `mantissa * 10^-decimals`.
///
/// Used only at the edges (instrument definitions, parsing); inside, prices and sizes are ticks and lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Decimal {
    /// All digits as one integer.
    pub mantissa: i64,
    /// How many of the digits are behind the decimal point, 0 to 18.
    pub decimals: u8,
}

impl Decimal {
    /// Reads decimal text: an optional sign, digits, an optional point with digits, an optional exponent.
    ///
    /// `1.2e-05` is exactly `0.000012`, and anything wrong with the one is wrong with the other.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the text is anything else, has over 18 decimals that are not zero, or
    /// does not fit 64 bits.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, ValueError> {
        let plain = plain_text(text.as_bytes()).and_then(|plain| String::from_utf8(plain).ok());
        Self::parse_plain(plain.as_deref().unwrap_or(text)).map_err(|rule| ValueError::new(field, text, rule))
    }

    /// Reads decimal text without an exponent, or says the broken rule.
    fn parse_plain(text: &str) -> Result<Self, &'static str> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err("must be a decimal number");
        }
        let fraction = fraction.trim_end_matches('0');
        let decimals = u8::try_from(fraction.len()).unwrap_or(u8::MAX);
        if decimals > 18 {
            return Err("must have at most 18 decimals");
        }
        let mut mantissa: i64 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err("must be a decimal number");
            }
            mantissa = mantissa
                .checked_mul(10)
                .and_then(|value| value.checked_add(i64::from(byte - b'0')))
                .ok_or("must fit 64 bits")?;
        }
        if text.starts_with('-') {
            mantissa = -mantissa;
        }
        Ok(Self { mantissa, decimals })
    }

    /// Counts how often `step` goes into this number.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is not a whole number of steps or does not fit 64 bits.
    pub fn in_steps_of(self, step: Self, field: &'static str) -> Result<i64, ValueError> {
        let decimals = self.decimals.max(step.decimals);
        let own = i128::from(self.mantissa) * pow10(decimals - self.decimals);
        let unit = i128::from(step.mantissa) * pow10(decimals - step.decimals);
        if unit == 0 {
            return Err(ValueError::new(field, self, "needs a step above 0"));
        }
        if own % unit != 0 {
            return Err(ValueError::new(field, self, format!("must be a multiple of {step}")));
        }
        i64::try_from(own / unit).map_err(|_| ValueError::new(field, self, "must fit 64 bits of steps"))
    }

    /// Counts how many whole steps fit into this number, rounded down; `None` when they do not fit 64 bits
    /// or the step is 0.
    #[must_use]
    pub fn whole_steps(self, step: Self) -> Option<i64> {
        let decimals = self.decimals.max(step.decimals);
        let own = i128::from(self.mantissa).checked_mul(pow10(decimals - self.decimals))?;
        let unit = i128::from(step.mantissa).checked_mul(pow10(decimals - step.decimals))?;
        i64::try_from(own.checked_div_euclid(unit)?).ok()
    }

    /// Multiplies by a whole number and keeps every digit.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the product does not fit 64 bits.
    pub fn times(self, count: i64) -> Result<Self, ValueError> {
        let mantissa = self
            .mantissa
            .checked_mul(count)
            .ok_or_else(|| ValueError::new("value", self, "must fit 64 bits"))?;
        Ok(Self { mantissa, decimals: self.decimals })
    }

    /// Returns the nearest float, for indicators, statistics and screens.
    #[must_use]
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "floats are for display and statistics"
    )]
    pub fn to_f64(self) -> f64 {
        self.mantissa as f64 / 10f64.powi(i32::from(self.decimals))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs();
        if self.decimals == 0 {
            return write!(f, "{sign}{digits}");
        }
        let unit = 10u128.pow(u32::from(self.decimals));
        let (whole, part) = (u128::from(digits) / unit, u128::from(digits) % unit);
        let width = usize::from(self.decimals);
        write!(f, "{sign}{whole}.{part:0width$}")
    }
}

/// Returns `10^exponent`; exponents above 38 saturate, which no decimal here reaches.
pub(crate) fn pow10(exponent: u8) -> i128 {
    10i128.saturating_pow(u32::from(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back_without_trailing_zeros() {
        for (text, shown) in [
            ("61837.63000000", "61837.63"),
            ("0.014", "0.014"),
            ("1001", "1001"),
            ("-2.50", "-2.5"),
            ("1.2e-05", "0.000012"),
            ("1E+6", "1000000"),
            ("-25e-1", "-2.5"),
            ("0e999999999", "0"),
            (".5", "0.5"),
        ] {
            assert_eq!(Decimal::parse("price", text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn anything_but_decimal_text_is_refused() {
        for text in [
            "",
            ".",
            "-",
            "1e",
            "e5",
            "1e5.0",
            "1e999999999999999999999",
            "1e-19",
            "nan",
            "inf",
            "1.2.3",
            " 1",
            "0x10",
            "99999999999999999999",
            "0.0000000000000000001",
        ] {
            assert!(Decimal::parse("price", text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_whole_steps_are_counted() {
        let step = Decimal::parse("tick_size", "0.25").unwrap();
        assert_eq!(Decimal::parse("price", "10.75").unwrap().in_steps_of(step, "price"), Ok(43));
        assert!(Decimal::parse("price", "10.80").unwrap().in_steps_of(step, "price").is_err());
    }
}
