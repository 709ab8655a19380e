//! Decimal text straight to whole steps (ticks or lots), without floats and without allocation.

use tradecore_types::{Decimal, ValueError, plain_text};

/// Powers of ten that fit 64 bits.
const POWERS: [u64; 20] = {
    let mut powers = [1u64; 20];
    let mut index = 1;
    while index < 20 {
        #[expect(clippy::indexing_slicing, reason = "a constant table, checked by the compiler")]
        {
            powers[index] = powers[index - 1] * 10;
        }
        index += 1;
    }
    powers
};

/// Why a text is no whole number of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Not decimal text (`NaN`, blanks, nothing at all).
    NotDecimal,
    /// It is below 0, where no price or size can be.
    Negative,
    /// Not a multiple of the step.
    OffStep,
    /// Does not fit 64 bits.
    TooLarge,
}

/// A step size prepared for reading decimal text as multiples of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    step: Decimal,
    mantissa: u64,
    decimals: u8,
}

impl Scale {
    /// Prepares a step size.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the step is not above 0 or has more than 18 decimals.
    pub fn new(field: &'static str, step: Decimal) -> Result<Self, ValueError> {
        let mantissa = u64::try_from(step.mantissa).unwrap_or(0);
        if mantissa == 0 || step.decimals > 18 {
            return Err(ValueError::new(field, step, "must be above 0 with at most 18 decimals"));
        }
        Ok(Self { step, mantissa, decimals: step.decimals })
    }

    /// Returns the step, of which every number read must be a whole multiple.
    #[must_use]
    pub const fn step(&self) -> Decimal {
        self.step
    }

    /// Reads unsigned decimal text as a whole number of steps.
    ///
    /// # Errors
    ///
    /// [`Flaw`] when it is anything else; a minus sign is refused even before a zero.
    #[inline]
    pub fn steps(&self, text: &[u8]) -> Result<i64, Flaw> {
        let (units, exact) = self.units(text)?;
        if !exact || !units.is_multiple_of(self.mantissa) {
            return Err(Flaw::OffStep);
        }
        i64::try_from(units / self.mantissa).map_err(|_| Flaw::TooLarge)
    }

    /// Reads unsigned decimal text as whole steps and drops what is left.
    ///
    /// # Errors
    ///
    /// [`Flaw`] when the text is no unsigned decimal number or does not fit 64 bits.
    #[inline]
    pub fn floor(&self, text: &[u8]) -> Result<i64, Flaw> {
        let (units, _) = self.units(text)?;
        i64::try_from(units / self.mantissa).map_err(|_| Flaw::TooLarge)
    }

    /// Reads unsigned decimal text as the nearest whole number of steps, half away from zero.
    ///
    /// Digits beyond the decimals of the step count only as "half or more" through the first of
    /// them, which is exact for steps that are a power of ten and within one unit of the last
    /// decimal of the step for others.
    ///
    /// # Errors
    ///
    /// [`Flaw`] when the text is no unsigned decimal number or does not fit 64 bits.
    pub fn nearest(&self, text: &[u8]) -> Result<i64, Flaw> {
        let fine = Self { decimals: (self.decimals + 1).min(18), mantissa: 1, step: self.step };
        let (units, _) = fine.units(text)?;
        let step = i128::from(self.mantissa)
            .checked_mul(i128::from(power(fine.decimals - self.decimals)))
            .ok_or(Flaw::TooLarge)?;
        let nearest = (i128::from(units) * 2 + step) / (step * 2);
        i64::try_from(nearest).map_err(|_| Flaw::TooLarge)
    }

    /// Reads the digits up to the decimals of the step; `false` when more digits than that matter.
    #[inline]
    fn units(&self, text: &[u8]) -> Result<(u64, bool), Flaw> {
        let mut rest = text.iter();
        let mut value = 0u64;
        let mut left = self.decimals;
        let mut exact = true;
        let mut digits = 0u32;
        let mut in_fraction = false;
        for &byte in rest.by_ref() {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                digits = digits.saturating_add(1);
                if in_fraction {
                    if left == 0 {
                        exact &= digit == 0;
                        continue;
                    }
                    left -= 1;
                }
                let larger = value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit)));
                let Some(larger) = larger else { return self.units_of_many_digits(text) };
                value = larger;
            } else if byte == b'.' && !in_fraction {
                in_fraction = true;
            } else if byte == b'-' && digits == 0 && !in_fraction {
                return Err(Flaw::Negative);
            } else {
                return self.units_with_exponent(text);
            }
        }
        if digits == 0 {
            return Err(Flaw::NotDecimal);
        }
        let value = if left == 0 { Some(value) } else { value.checked_mul(power(left)) };
        value.map(|value| (value, exact)).ok_or(Flaw::TooLarge)
    }

    /// Reads text whose digits do not fit; an exponent behind them may make them fewer.
    #[cold]
    fn units_of_many_digits(&self, text: &[u8]) -> Result<(u64, bool), Flaw> {
        let has_exponent = text.iter().any(|byte| matches!(byte, b'e' | b'E'));
        if has_exponent { self.units_with_exponent(text) } else { Err(Flaw::TooLarge) }
    }

    /// Reads text with an exponent, `1.2e-05`, as the text without one.
    #[cold]
    fn units_with_exponent(&self, text: &[u8]) -> Result<(u64, bool), Flaw> {
        let plain = plain_text(text).ok_or(Flaw::NotDecimal)?;
        self.units(&plain)
    }

    /// Says the broken rule in words, e.g. `must be a multiple of 0.01`.
    #[must_use]
    pub fn rule(&self, flaw: Flaw) -> String {
        match flaw {
            Flaw::NotDecimal => "must be decimal text".to_owned(),
            Flaw::Negative => "must not be negative".to_owned(),
            Flaw::OffStep => format!("must be a multiple of {}", self.step),
            Flaw::TooLarge => format!("must fit 64 bits of steps of {}", self.step),
        }
    }
}

/// Returns `10^exponent` for exponents up to 19.
fn power(exponent: u8) -> u64 {
    POWERS.get(usize::from(exponent)).copied().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(step: &str) -> Scale {
        Scale::new("tick_size", Decimal::parse("tick_size", step).unwrap()).unwrap()
    }

    #[test]
    fn decimal_text_becomes_whole_steps() {
        for (step, text, steps) in [
            ("0.01", "61837.63000000", 6_183_763),
            ("0.00001", "1.54698000", 154_698),
            ("0.1", "61773.6", 617_736),
            ("1", "1001", 1001),
            ("0.25", "10.75", 43),
            ("0.01", "0.00000000", 0),
            ("5", "15.0", 3),
            ("0.000001", "1.2e-05", 12),
            ("1", "1E+6", 1_000_000),
            ("0.01", "0e-999999999", 0),
            ("0.25", "1075.0e-2", 43),
        ] {
            assert_eq!(scale(step).steps(text.as_bytes()), Ok(steps), "{text} in {step}");
        }
    }

    #[test]
    fn each_flaw_is_told_apart() {
        for (text, flaw) in [
            ("1.005", Flaw::OffStep),
            ("-1", Flaw::Negative),
            ("", Flaw::NotDecimal),
            (".", Flaw::NotDecimal),
            ("NaN", Flaw::NotDecimal),
            ("1e", Flaw::NotDecimal),
            ("e5", Flaw::NotDecimal),
            ("-1e5", Flaw::Negative),
            ("+1e5", Flaw::NotDecimal),
            ("1e-3", Flaw::OffStep),
            ("1e999999999999999999999", Flaw::TooLarge),
            ("1.2.3", Flaw::NotDecimal),
            (" 1", Flaw::NotDecimal),
            ("+1", Flaw::NotDecimal),
            ("99999999999999999999", Flaw::TooLarge),
            ("9223372036854775807", Flaw::TooLarge),
        ] {
            assert_eq!(scale("0.01").steps(text.as_bytes()), Err(flaw), "{text}");
        }
    }

    #[test]
    fn floor_drops_what_is_no_whole_step() {
        for (step, text, steps) in
            [("0.00001", "25.42618900", 2_542_618), ("1", "0.99", 0), ("0.25", "0.74", 2), ("5", "14.9", 2)]
        {
            assert_eq!(scale(step).floor(text.as_bytes()), Ok(steps), "{text} in {step}");
        }
        assert_eq!(scale("1").floor(b"-0.5"), Err(Flaw::Negative));
    }

    #[test]
    fn nearest_rounds_half_away_from_zero() {
        for (step, text, steps) in
            [("0.01", "1.005", 101), ("0.01", "1.00499", 100), ("0.25", "10.8", 43), ("1", "0.5", 1)]
        {
            assert_eq!(scale(step).nearest(text.as_bytes()), Ok(steps), "{text} in {step}");
        }
    }

    /// Moves the point of a number one place at a time; a slow oracle.
    fn moved(number: &str, exponent: i64) -> String {
        let unsigned = number.trim_start_matches('-');
        let sign = &number[..number.len() - unsigned.len()];
        let (before, after) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let (mut before, mut after) = (before.to_owned(), after.to_owned());
        if before.is_empty() && after.is_empty() {
            return number.to_owned();
        }
        for _ in 0..exponent.abs() {
            if exponent > 0 {
                before.push(if after.is_empty() { '0' } else { after.remove(0) });
            } else {
                after.insert(0, before.pop().unwrap_or('0'));
            }
        }
        format!("{sign}{before}.{after}")
    }

    proptest! {
        #[test]
        fn steps_agree_with_the_plain_decimal_arithmetic(
            text in "[0-9]{0,12}(\\.[0-9]{0,9})?",
            step in prop::sample::select(vec!["1", "0.1", "0.01", "0.00001", "0.25", "0.5", "5"]),
        ) {
            let plain = Decimal::parse("price", &text)
                .and_then(|value| value.in_steps_of(Decimal::parse("tick_size", step).unwrap(), "price"));
            prop_assert_eq!(scale(step).steps(text.as_bytes()).ok(), plain.ok());
        }

        #[test]
        fn an_exponent_changes_nothing(
            digits in "-?[0-9]{0,12}(\\.[0-9]{0,9})?",
            exponent in -40i64..40,
            step in prop::sample::select(vec!["1", "0.1", "0.01", "0.00000001", "0.25", "5"]),
            mark in prop::sample::select(vec!["e", "E", "e+", "e0"]),
        ) {
            let mark = if exponent < 0 { &mark[..1] } else { mark };
            let text = format!("{digits}{mark}{exponent}");
            let plain = moved(&digits, exponent);
            let scale = scale(step);
            prop_assert_eq!(scale.steps(text.as_bytes()), scale.steps(plain.as_bytes()), "{} {}", text, plain);
            prop_assert_eq!(scale.floor(text.as_bytes()), scale.floor(plain.as_bytes()));
            prop_assert_eq!(scale.nearest(text.as_bytes()), scale.nearest(plain.as_bytes()));
            let read = |text: &str| Decimal::parse("price", text).map_err(|error| error.rule);
            prop_assert_eq!(read(&text), read(&plain));
        }

        #[test]
        fn any_bytes_are_accepted_or_flawed(text in prop::collection::vec(any::<u8>(), 0..40)) {
            let (steps, nearest) = (scale("0.01").steps(&text), scale("0.25").nearest(&text));
            prop_assert!(steps.is_err() || steps.is_ok_and(|steps| steps >= 0));
            prop_assert!(nearest.is_err() || nearest.is_ok_and(|steps| steps >= 0));
        }
    }
}
