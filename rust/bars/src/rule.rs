//! When a bar ends, and how a person writes it.

use tradecore_types::{Decimal, Instrument, MONEY_DECIMALS, Money, ValueError};

/// What decides that a bar ends, and with that what its bars measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarRule {
    /// After this many nanoseconds; a [`crate::BarSpan`] says from when they are counted.
    Time(i64),
    /// After this many trades, whatever their size.
    Tick(i64),
    /// When this many lots were traded.
    Volume(i64),
    /// When this much money was traded.
    Notional(Money),
    /// When high minus low is this many ticks.
    Range(i64),
    /// When buyers took this many trades more than sellers, or the other way round.
    TickImbalance(i64),
    /// When buyers took this many lots more than sellers, or the other way round.
    VolumeImbalance(i64),
}

impl BarRule {
    /// Reads a number and what it counts: `100tick`, `2.5volume`, `1e6notional`, `20range`, `10imbalance` or
    /// `50volume-imbalance`.
    ///
    /// Trades and ticks are whole numbers; volume is in units of the instrument, notional in money. A number
    /// may have an exponent.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the text is anything else, the number is not above 0 or the volume is not a
    /// multiple of the lot size.
    pub fn parse(text: &str, instrument: &Instrument) -> Result<Self, ValueError> {
        let (number, unit) = text.split_at(number_end(text));
        let number =
            Decimal::parse("bars", number).map_err(|error| ValueError::new("bars", text, error.rule))?;
        if number.mantissa <= 0 {
            return Err(ValueError::new("bars", text, "must be above 0"));
        }
        let count = || number.in_steps_of(ONE, "bars");
        let lots = || number.in_steps_of(instrument.spec.lot_size, "bars");
        match unit {
            "tick" => count().map(Self::Tick),
            "volume" => lots().map(Self::Volume),
            "notional" => Ok(Self::Notional(money(number))),
            "range" => count().map(Self::Range),
            "imbalance" => count().map(Self::TickImbalance),
            "volume-imbalance" => lots().map(Self::VolumeImbalance),
            _ => Err(ValueError::new("bars", text, KNOWN)),
        }
    }
}

const ONE: Decimal = Decimal { mantissa: 1, decimals: 0 };

const KNOWN: &str =
    "must be a number and one of tick, volume, notional, range, imbalance or volume-imbalance, e.g. 100tick";

/// Returns where the number ends; an exponent belongs to it.
fn number_end(text: &str) -> usize {
    let mantissa = text.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(text.len());
    let rest = text.get(mantissa..).unwrap_or_default();
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return mantissa };
    let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let after = digits.trim_start_matches(|sign: char| sign.is_ascii_digit());
    text.len() - after.len()
}

/// Returns a number as money; 64 bits of digits always fit.
fn money(number: Decimal) -> Money {
    let scale = 10i128.pow(u32::from(MONEY_DECIMALS.saturating_sub(number.decimals)));
    Money(i128::from(number.mantissa).saturating_mul(scale))
}

/// Returns a threshold that makes sense.
pub(crate) fn above_zero(field: &'static str, value: i64) -> Result<i64, ValueError> {
    if value > 0 { Ok(value) } else { Err(ValueError::new(field, value, "must be above 0")) }
}

#[cfg(test)]
mod tests {
    use tradecore_types::{InstrumentId, InstrumentKind, InstrumentSpec};

    use super::*;

    fn instrument() -> Instrument {
        let decimal = |text| Decimal::parse("test", text).unwrap();
        let spec = InstrumentSpec {
            symbol: "XRPETH".into(),
            tick_size: decimal("0.01"),
            lot_size: decimal("0.5"),
            kind: InstrumentKind::Linear,
            multiplier: decimal("1"),
        };
        Instrument::new(InstrumentId(0), spec).unwrap()
    }

    #[test]
    fn a_number_and_what_it_counts_are_a_rule() {
        let read = |text| BarRule::parse(text, &instrument()).unwrap();
        assert_eq!(read("100tick"), BarRule::Tick(100));
        assert_eq!(read("2.5volume"), BarRule::Volume(5));
        assert_eq!(read("1e6notional"), read("1000000notional"));
        assert_eq!(read("1.5e1notional"), BarRule::Notional(Money(15 * 10i128.pow(18))));
        assert_eq!(read("20range"), BarRule::Range(20));
        assert_eq!(read("10imbalance"), BarRule::TickImbalance(10));
        assert_eq!(read("1.25e3volume-imbalance"), BarRule::VolumeImbalance(2500));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "tick",
            "100",
            "0tick",
            "-1tick",
            "1.5tick",
            "0.3volume",
            "1etick",
            "1e99tick",
            "9e18volume",
            "1x",
            "1m",
            "²tick",
        ] {
            assert!(BarRule::parse(text, &instrument()).is_err(), "{text}");
        }
    }
}
