//! The outcomes of decoding a message.

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// One event was added to the batch.
    Event,
    /// About a symbol nobody asked for.
    UnknownSymbol,
    /// Of a type nobody asked for, a book of only the first levels included.
    UnknownType,
    /// A futures trade outside the market (`X` other than `MARKET`: insurance fund, ADL, none).
    OffMarket,
    /// A best bid and ask of which one side is empty or below one lot; it is no quote.
    EmptySide,
    /// A trade below one lot.
    BelowLot,
    /// An answer to a subscription.
    Control,
}
