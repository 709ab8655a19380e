//! Which of the open lots of a position a fill closes, and at what cost.

crate::named! {
    /// Which of the open lots of a position a fill closes, and at what cost. What an order closes by name comes first
    /// whatever the method.
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub enum LotMethod {
        /// The oldest first, each at what it cost.
        #[default]
        Fifo = "fifo";
        /// The newest first, each at what it cost.
        Lifo = "lifo";
        /// The oldest first, all at what the position cost on average.
        Average = "average";
    }
}
