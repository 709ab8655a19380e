//! Parts of an event that is rewritten between two calls of a strategy, and never during one.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// A whole number that an object shows to Python and the engine sets anew.
pub struct Word(AtomicI64);

impl Word {
    /// Starts with this number, until it is set anew.
    pub const fn new(value: i64) -> Self {
        Self(AtomicI64::new(value))
    }

    /// Returns the number as it is now.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Puts another number in its place.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// A yes or no that an object shows to Python and the engine sets anew.
pub struct Flag(AtomicBool);

impl Flag {
    /// Starts with this answer, until it is set anew.
    pub const fn new(value: bool) -> Self {
        Self(AtomicBool::new(value))
    }

    /// Returns the answer as it is now.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Puts another answer in its place.
    pub fn set(&self, value: bool) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// Money in atto units: the upper and the lower half of its 128 bits.
pub struct MoneyWords {
    upper: Word,
    lower: Word,
}

impl MoneyWords {
    /// Starts with an amount in atto units.
    pub fn new(atto: i128) -> Self {
        let (upper, lower) = halves(atto);
        Self { upper: Word::new(upper), lower: Word::new(lower) }
    }

    /// Returns the amount as it is now, in atto units.
    pub fn get(&self) -> i128 {
        i128::from(self.upper.get()) << i64::BITS | i128::from(self.lower.get().cast_unsigned())
    }

    /// Puts another amount in its place.
    pub fn set(&self, atto: i128) {
        let (upper, lower) = halves(atto);
        self.upper.set(upper);
        self.lower.set(lower);
    }
}

/// Splits 128 bits; both halves fit by construction.
fn halves(value: i128) -> (i64, i64) {
    let lower = u64::try_from(value & i128::from(u64::MAX)).unwrap_or_default();
    (i64::try_from(value >> i64::BITS).unwrap_or_default(), lower.cast_signed())
}
