//! One value or three, as Python gets them.

/// One value.
pub mod one {
    pub use super::super::arrays::{OneArray as Arrays, fill_one as fill};

    /// A value as Python gets it.
    pub type Values = f64;

    /// Shows a value.
    pub const fn shown(value: f64) -> Values {
        value
    }
}

/// Three values.
pub mod three {
    pub use super::super::arrays::{ThreeArrays as Arrays, fill_three as fill};

    /// Three values as Python gets them.
    pub type Values = (f64, f64, f64);

    /// Shows three values.
    pub fn shown(values: [f64; 3]) -> Values {
        values.into()
    }
}
