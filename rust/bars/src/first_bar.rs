//! What becomes of the first bar when the data begin in the middle of it.

/// What becomes of the first time bar that is built when the data begin in the middle of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FirstBar {
    /// It is left out if it is built from bars, which show that its beginning is missing. Of bars built from
    /// trades or quotes nobody can say that, and the first one is shown.
    #[default]
    BySource,
    /// It is left out: of trades and quotes, unless the first one is at its very beginning.
    Whole,
    /// It is shown like any other.
    Any,
}
