//! How much there is of a currency, and what every word about cash must be.

use crate::{Money, ValueError};

/// Bytes that the name of a currency may have.
const CURRENCY_BYTES_MAX: usize = 32;

/// What there is of one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Name of the currency, such as `USDT`.
    pub currency: String,
    /// How much of it is at hand.
    pub amount: Money,
}

/// Checks that a reason is a line of text.
pub(crate) fn check_reason(reason: &str) -> Result<(), ValueError> {
    if reason.trim().is_empty() || reason.chars().any(char::is_control) {
        return Err(ValueError::new("reason", reason, "must say in a line of text why"));
    }
    Ok(())
}

/// Checks the name of a currency.
pub(crate) fn check_currency(name: &str) -> Result<(), ValueError> {
    let is_printable = !name.trim().is_empty() && !name.chars().any(char::is_control);
    if is_printable && name.len() <= CURRENCY_BYTES_MAX {
        return Ok(());
    }
    Err(ValueError::new("currency", name, "must be a name of 1 to 32 bytes"))
}
