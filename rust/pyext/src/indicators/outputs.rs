//! One value or three, as Python gets them.

/// How an indicator with one value shows it to Python.
pub mod one {
    pub use super::super::arrays::{OneArray as Arrays, fill_one as fill};

    /// A value as Python gets it.
    pub type Values = f64;

    /// Returns the value as Python is to see it.
    pub const fn shown(value: f64) -> Values {
        value
    }
}

/// How an indicator with three values shows them to Python.
pub mod three {
    pub use super::super::arrays::{ThreeArrays as Arrays, fill_three as fill};

    /// Three values as Python gets them.
    pub type Values = (f64, f64, f64);

    /// Returns the values as the tuple that Python is to see.
    pub fn shown(values: [f64; 3]) -> Values {
        values.into()
    }
}
