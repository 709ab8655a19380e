//! Numbers in units of 2^-32, so that an estimate is the same on every machine.

/// Bits behind the point.
pub(crate) const BITS: u32 = 32;

/// The number one.
pub(crate) const ONE: u128 = 1 << BITS;

/// Returns `part / whole`, rounded down; 1 where there is nothing to divide.
///
/// `part` must be at most `whole` and below 2^96, so a ratio is from 0 to 1 and nothing overflows.
pub(crate) fn ratio(part: u128, whole: u128) -> u128 {
    debug_assert!(part <= whole && part < 1 << 96, "a part of a whole");
    (part << BITS).checked_div(whole).unwrap_or(ONE)
}

/// Returns the product of an amount and a number from 0 to 1, rounded down.
pub(crate) const fn scale(amount: u128, share: u128) -> u128 {
    (amount * share) >> BITS
}
