//! What happens when two orders of the same account meet.

/// How a venue keeps an account from trading with itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SelfTradePrevention {
    /// The order that rests is cancelled and the arriving one goes on.
    #[default]
    CancelOldest,
    /// What is left of the arriving order is cancelled; the one that rests stays.
    CancelNewest,
    /// Both are cancelled.
    CancelBoth,
    /// Both become smaller by the size they would have traded, without a trade.
    Decrement,
}

impl SelfTradePrevention {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::CancelOldest, Self::CancelNewest, Self::CancelBoth, Self::Decrement];

    /// Returns the name used in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CancelOldest => "cancel_oldest",
            Self::CancelNewest => "cancel_newest",
            Self::CancelBoth => "cancel_both",
            Self::Decrement => "decrement",
        }
    }

    /// Returns the mode with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}
