//! From the number of a setting to the unit a check works in.

use tradecore_types::{Decimal, LimitName, Money, Scope, ValueError};

/// One, in which whole numbers are counted.
const ONE: Decimal = Decimal { mantissa: 1, decimals: 0 };

/// A hundredth of a basis point.
const PPM_IN_BPS: Decimal = Decimal { mantissa: 1, decimals: 2 };

/// Makes the error of a limit that a scope does not have.
pub(crate) fn not_of_scope(scope: Scope, limit: LimitName) -> ValueError {
    let whose = match scope {
        Scope::Account(_) => "the account",
        Scope::Strategy(_) => "a strategy",
        Scope::Instrument(_) => "an instrument",
        Scope::Portfolio => "the portfolio",
    };
    ValueError::new("limit", limit.name(), format!("is no limit of {whose}"))
}

/// Reads a number that is not negative.
pub(crate) fn unsigned(field: &'static str, value: Option<Decimal>) -> Result<Option<Decimal>, ValueError> {
    match value {
        Some(value) if value.mantissa < 0 => Err(ValueError::new(field, value, "must not be negative")),
        value => Ok(value),
    }
}

/// Reads an amount of money.
pub(crate) fn money(field: &'static str, value: Option<Decimal>) -> Result<Option<Money>, ValueError> {
    unsigned(field, value)?.map(|value| Money::of(field, value)).transpose()
}

/// Reads a number of things.
pub(crate) fn count(field: &'static str, value: Option<Decimal>) -> Result<Option<u32>, ValueError> {
    let Some(value) = unsigned(field, value)? else { return Ok(None) };
    let whole = value.in_steps_of(ONE, field)?;
    u32::try_from(whole).map(Some).map_err(|_| ValueError::new(field, value, "must be below 2^32"))
}

/// Reads a length of time in nanoseconds, above 0.
pub(crate) fn span(field: &'static str, value: Option<Decimal>) -> Result<Option<i64>, ValueError> {
    let Some(value) = value else { return Ok(None) };
    let whole = value.in_steps_of(ONE, field)?;
    if whole > 0 { Ok(Some(whole)) } else { Err(ValueError::new(field, value, "must be above 0")) }
}

/// Reads the length of a window in nanoseconds, which cannot be switched off.
pub(crate) fn window(field: &'static str, value: Option<Decimal>) -> Result<i64, ValueError> {
    span(field, value)?.ok_or_else(|| ValueError::new(field, "off", "must be above 0"))
}

/// Reads basis points as parts per million.
pub(crate) fn ppm(field: &'static str, value: Option<Decimal>) -> Result<Option<i64>, ValueError> {
    unsigned(field, value)?.map(|value| value.in_steps_of(PPM_IN_BPS, field)).transpose()
}

/// Reads a size as lots; one between two lots means the lower one.
pub(crate) fn lots(
    field: &'static str,
    value: Option<Decimal>,
    lot_size: Decimal,
) -> Result<Option<i64>, ValueError> {
    let Some(value) = value else { return Ok(None) };
    let lots = value.whole_steps(lot_size).filter(|lots| *lots >= 0);
    let rule = "must not be negative and must fit 64 bits of lots";
    lots.map(Some).ok_or_else(|| ValueError::new(field, value, rule))
}
