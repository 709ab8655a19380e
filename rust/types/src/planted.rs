//! Faults that are there on purpose, so that tests can show that they would be noticed.

/// Tells whether the fault of this name is in the engine now.
///
/// Only a build with the feature `planted` can say yes: the environment variable `TRADECORE_PLANT` chooses one fault
/// there, before the first question. Everywhere else the answer is the constant `false`, and the compiler leaves both
/// the fault and its name out. No wheel has the feature.
#[cfg(not(feature = "planted"))]
#[must_use]
#[inline]
pub const fn is_planted(_name: &str) -> bool {
    false
}

/// Tells whether the fault of this name is in the engine now: the one that `TRADECORE_PLANT` names.
#[cfg(feature = "planted")]
#[must_use]
pub fn is_planted(name: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("TRADECORE_PLANT").unwrap_or_default()) == name
}
