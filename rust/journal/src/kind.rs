//! The kinds of record and their numbers.

use tradecore_types::{BookUpdate, EventBody};

/// What a record is about. Numbers and names never change meaning; new kinds get new numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A session began: engine version and configuration.
    Session = 1,
    /// A session ended, and why.
    SessionEnd = 2,
    /// Hash of the engine's state at this point.
    StateHash = 3,
    /// Input: a finished bar.
    Bar = 16,
    /// Input: best bid and ask.
    Quote = 17,
    /// Input: a trade of others.
    Trade = 18,
    /// Input: a book message with its levels.
    Book = 19,
    /// Input: order flow of a simulated exchange.
    Flow = 20,
    /// Input: state of a feed.
    Feed = 21,
    /// Input: an operator's command.
    Command = 22,
    /// Input: time passed.
    Clock = 23,
    /// Input: a book message with its levels and the checksum that the venue states.
    CheckedBook = 24,
    /// Input: mark price of a derivative.
    Mark = 25,
    /// Input: funding of a perpetual.
    Funding = 26,
    /// Output: an order that risk approved.
    Order = 32,
    /// Output: an order that was refused.
    Refused = 33,
    /// Output: a cancel was asked for.
    CancelRequest = 34,
    /// Output: an amendment was asked for.
    ReplaceRequest = 35,
    /// What the venue said about an order.
    Report = 36,
    /// A decision with its gates.
    Decision = 37,
    /// Output: money that came or went without a fill.
    CashFlow = 38,
    /// Output: a position that the venue closed by force.
    Liquidation = 39,
    /// Output: money moved to the margin of an isolated position, or back.
    Margin = 40,
    /// Output: an order depends on others.
    Link = 41,
}

impl Kind {
    /// Every kind, in the order of their codes.
    pub const ALL: [Self; 24] = [
        Self::Session,
        Self::SessionEnd,
        Self::StateHash,
        Self::Bar,
        Self::Quote,
        Self::Trade,
        Self::Book,
        Self::Flow,
        Self::Feed,
        Self::Command,
        Self::Clock,
        Self::CheckedBook,
        Self::Mark,
        Self::Funding,
        Self::Order,
        Self::Refused,
        Self::CancelRequest,
        Self::ReplaceRequest,
        Self::Report,
        Self::Decision,
        Self::CashFlow,
        Self::Liquidation,
        Self::Margin,
        Self::Link,
    ];

    /// Returns the number in the frame.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the discriminant of a repr(u8) enum")]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the kind with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Tells whether it is an event that was fed to the engine; the rest is what came out.
    #[must_use]
    pub const fn is_event(self) -> bool {
        matches!(self.code(), 16..=26)
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::SessionEnd => "session_end",
            Self::StateHash => "state_hash",
            Self::Bar => "bar",
            Self::Quote => "quote",
            Self::Trade => "trade",
            Self::Book => "book",
            Self::Flow => "flow",
            Self::Feed => "feed",
            Self::Command => "command",
            Self::Clock => "clock",
            Self::CheckedBook => "checked_book",
            Self::Order => "order",
            Self::Refused => "refused",
            Self::CancelRequest => "cancel_request",
            Self::ReplaceRequest => "replace_request",
            Self::Report => "report",
            Self::Decision => "decision",
            Self::Mark => "mark",
            Self::Funding => "funding",
            Self::CashFlow => "cash_flow",
            Self::Liquidation => "liquidation",
            Self::Margin => "margin",
            Self::Link => "link",
        }
    }
}

impl Kind {
    /// Returns the kind of the record of an event.
    #[must_use]
    pub const fn of_event(body: &EventBody) -> Self {
        match body {
            EventBody::Bar(_) => Self::Bar,
            EventBody::Quote(_) => Self::Quote,
            EventBody::Trade(_) => Self::Trade,
            EventBody::Book(BookUpdate { checksum: Some(_), .. }) => Self::CheckedBook,
            EventBody::Book(_) => Self::Book,
            EventBody::Flow(_) => Self::Flow,
            EventBody::Feed(_) => Self::Feed,
            EventBody::Command(_) => Self::Command,
            EventBody::Clock => Self::Clock,
            EventBody::Mark(_) => Self::Mark,
            EventBody::Funding(_) => Self::Funding,
        }
    }
}
