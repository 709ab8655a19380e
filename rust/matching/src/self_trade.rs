//! What happens when two orders of the same account meet.

tradecore_types::named! {
    /// How a venue keeps an account from trading with itself.
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub enum SelfTradePrevention {
        /// The order that rests is cancelled and the arriving one goes on.
        #[default]
        CancelOldest = "cancel_oldest";
        /// What is left of the arriving order is cancelled; the one that rests stays.
        CancelNewest = "cancel_newest";
        /// Both are cancelled.
        CancelBoth = "cancel_both";
        /// Both become smaller by the size they would have traded, without a trade.
        Decrement = "decrement";
    }
}
