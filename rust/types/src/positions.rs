//! Whether buys and sells of one instrument meet in one position.

crate::named! {
    /// What a trade does to what is held of the other side.
    #[derive(Default)]
    pub enum Positions {
        /// It closes that first: a strategy is long or short of an instrument.
        #[default]
        Netting = "netting";
        /// It leaves that alone: each entry order opens a ticket of its own, and what closes names one.
        Hedging = "hedging";
    }
}
