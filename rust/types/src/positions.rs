//! Whether buys and sells of one instrument meet in one position, and what margin two sides need.

crate::named! {
    /// What a trade does to what is held of the other side.
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub enum Positions {
        /// It closes that first: a strategy is long or short of an instrument.
        #[default]
        Netting = "netting";
        /// It leaves that alone: each entry order opens a ticket of its own, and what closes names one.
        Hedging = "hedging";
    }
}

crate::named! {
    /// What margin and buying power are asked for where an instrument is held long and short at once.
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub enum HedgedMargin {
        /// For both sides, as if each stood alone.
        #[default]
        Both = "both";
        /// For the larger of the two sides, and for nothing else.
        Larger = "larger";
    }
}

impl HedgedMargin {
    /// Returns the lots for which margin is asked while two sides are held, neither of them negative; more than fits
    /// counts as the largest number.
    #[must_use]
    #[inline]
    pub fn lots(self, long_lots: i64, short_lots: i64) -> i64 {
        match self {
            Self::Both => long_lots.saturating_add(short_lots),
            Self::Larger => long_lots.max(short_lots),
        }
    }
}
