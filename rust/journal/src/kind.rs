//! The kinds of record: one table, from which code, documents and readers take them.

use tradecore_types::{BookUpdate, EventBody, VenueEvent};

tradecore_types::named! {
    /// Which way a record goes.
    pub enum Direction {
        /// A note of the runtime; no engine makes it.
        Note = "note";
        /// An event that was fed to the engine.
        Input = "input";
        /// What the engine made of its events.
        Output = "output";
    }
}

/// Makes everything that is said of kinds out of one table: number, name, what it is about, its fields.
macro_rules! kinds {
    ($($(#[doc = $about:literal])+ $kind:ident = $code:literal, $direction:ident, $name:literal, [$($field:literal)*];)+) => {
        tradecore_types::coded! {
            /// What a record is about; its code stands in the frame.
            pub enum Kind {
                $($(#[doc = $about])+ $kind = $code, $name;)+
            }
        }

        impl Kind {
            /// Tells which way it goes.
            #[must_use]
            pub const fn direction(self) -> Direction {
                match self {
                    $(Self::$kind => Direction::$direction,)+
                }
            }

            /// Says in a sentence what it is about.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($about),+).trim_ascii(),)+
                }
            }

            /// Names what its record can have, besides its time; what a record does not have is left out.
            #[must_use]
            pub const fn fields(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => &[$($field),*],)+
                }
            }
        }
    };
}

kinds! {
    /// A session began: version of the program and configuration, which names the version of behaviour.
    Session = 1, Note, "session", ["engine_version" "config"];
    /// A session ended, and why.
    SessionEnd = 2, Note, "session_end", ["reason"];
    /// Hash of the engine's state at this point.
    StateHash = 3, Note, "state_hash", ["hash"];
    /// A bar that was fed, when it has closed.
    Bar = 16, Input, "bar",
        ["instrument" "open_time_ns" "open_ticks" "high_ticks" "low_ticks" "close_ticks" "volume_lots"];
    /// A change of the best bid or ask.
    Quote = 17, Input, "quote", ["instrument" "bid_ticks" "bid_lots" "ask_ticks" "ask_lots" "update_id"];
    /// A trade between others in the market.
    Trade = 18, Input, "trade", ["instrument" "price_ticks" "lots" "aggressor" "trade_id"];
    /// A book message with its levels.
    Book = 19, Input, "book", ["instrument" "update" "first_id" "last_id" "prev_id" "bids" "asks"];
    /// Order flow of a simulated exchange.
    Flow = 20, Input, "flow", ["instrument" "flow" "flow_id" "side" "price_ticks" "lots"];
    /// A feed was lost: what it said before proves nothing any more. Or what follows is of the `past`, up to that.
    Feed = 21, Input, "feed", ["instrument" "state"];
    /// What an operator asked for, such as a pause.
    Command = 22, Input, "command", ["command" "scope" "scope_id" "limit" "value" "instrument" "person" "order_id" "within_bps" "then_market_ns" "cause" "seen" "bound"];
    /// Time has passed in which nothing else was fed.
    Clock = 23, Input, "clock", [];
    /// A book message with its levels and the checksum that the venue states.
    CheckedBook = 24, Input, "checked_book",
        ["instrument" "update" "first_id" "last_id" "prev_id" "bids" "asks" "checksum"];
    /// Mark price of a derivative.
    Mark = 25, Input, "mark", ["instrument" "price_ticks"];
    /// Funding of a perpetual: rate per unit of value, in parts per thousand million.
    Funding = 26, Input, "funding", ["instrument" "rate_ppb" "mark_ticks"];
    /// Something about the account itself: what it begins with, a correction, cash that was converted, or money that its
    /// owner brings or takes.
    Account = 27, Input, "account",
        ["account" "currency" "amount" "reason" "into" "received" "rate" "fee" "fee_currency" "cash" "brought"
         "lots" "prices" "guards" "last_order_id" "market_events" "before" "changed"];
    /// The books are compared with what the venue of the instrument has from here on; new risk at its account waits.
    Reconciling = 28, Input, "reconciling", ["instrument"];
    /// What a venue outside said about an order, with its own names of the order and the trade.
    VenueReport = 29, Input, "venue_report",
        ["instrument" "order_id" "venue_time_ns" "report" "price_ticks" "lots" "liquidity" "fee" "fee_currency" "reason"
         "venue_order_id" "trade_id" "filled_lots"];
    /// The outcome of a request to a venue outside is lost: the order counts as open until the venue says more.
    OutcomeLost = 30, Input, "outcome_lost", ["instrument" "order_id"];
    /// The books were compared with what the venue of the instrument has, and agree.
    Reconciled = 31, Input, "reconciled", ["instrument"];
    /// An order that risk approved.
    Order = 32, Output, "order",
        ["order_id" "strategy" "instrument" "side" "order_kind" "price_ticks" "trigger_ticks" "trail_ticks"
         "trail_ppm" "limit_offset_ticks" "activation_ticks" "display_lots" "lots" "buying_power_ppm" "time_in_force"
         "expire_ns" "post_only" "reduce_only" "stop_loss_ticks" "take_profit_ticks"
         "stop_loss_ppm" "take_profit_ppm" "closes" "decided_ns"
         "reference_ticks"];
    /// An order, an amendment or a cancel that was refused: the order, the rule, its limit and the value.
    Refused = 33, Output, "refused",
        ["order_id" "strategy" "instrument" "side" "order_kind" "price_ticks" "trigger_ticks" "trail_ticks"
         "trail_ppm" "limit_offset_ticks" "activation_ticks" "display_lots" "lots" "buying_power_ppm" "time_in_force"
         "expire_ns" "post_only" "reduce_only" "stop_loss_ticks" "take_profit_ticks"
         "stop_loss_ppm" "take_profit_ppm" "closes" "decided_ns"
         "rule" "limit" "value"];
    /// A cancel was asked for.
    CancelRequest = 34, Output, "cancel_request", ["order_id" "strategy"];
    /// An amendment was asked for: new open size, and new price (none keeps it).
    ReplaceRequest = 35, Output, "replace_request", ["order_id" "price_ticks" "lots"];
    /// What the venue said about an order, as it was booked.
    Report = 36, Output, "report",
        ["order_id" "venue_time_ns" "report" "price_ticks" "lots" "liquidity" "fee" "fee_currency" "reason"];
    /// What a strategy decided, also to do nothing, and what each decision gate said.
    Decision = 37, Output, "decision", ["strategy" "instrument" "action" "reason" "gates"];
    /// Money that came or went without a fill, and when it was due.
    CashFlow = 38, Output, "cash_flow", ["due_ns" "strategy" "instrument" "cash_flow" "amount"];
    /// A position that the venue closed by force, and the order that it did so with.
    Liquidation = 39, Output, "liquidation",
        ["strategy" "instrument" "order_id" "price_ticks" "lots" "equity" "maintenance"];
    /// Money moved to the margin of an isolated position, or back.
    Margin = 40, Output, "margin", ["strategy" "instrument" "amount"];
    /// An order waits for the fills of another, or belongs to those that cancel each other.
    Link = 41, Output, "link", ["order_id" "after" "oco"];
    /// An order that was a share of buying power has its size now.
    Sized = 42, Output, "sized", ["order_id" "lots"];
    /// A request left for the venue: a new order and its size, a cancel, or an amendment (no price keeps it).
    Sent = 43, Output, "sent", ["order_id" "request" "price_ticks" "lots"];
    /// A venue outside said what was not expected; `halts` says whether new risk waits for a comparison.
    Surprise = 44, Output, "surprise", ["order_id" "surprise" "halts"];
    /// An order or a position that others made at the account, and the strategy that it belongs to from here on.
    Adopted = 45, Input, "adopted",
        ["instrument" "strategy" "side" "lots" "venue_time_ns" "adopted" "price_ticks" "fee" "fee_currency"
         "venue_order_id" "client_order_id"];
    /// A venue outside told a trade anew, as it came: its numbers from here on, or none where it never happened.
    VenueRevision = 46, Input, "venue_revision",
        ["instrument" "order_id" "venue_time_ns" "trade_id" "venue_order_id" "revision" "filled_lots" "price_ticks" "lots"
         "liquidity" "fee" "fee_currency"];
    /// A trade that was told anew, as it was booked: what is taken back, and what is booked in its place.
    Revision = 47, Output, "revision",
        ["order_id" "strategy" "instrument" "side" "closes" "venue_time_ns" "trade_id" "revision" "revised"
         "was_price_ticks" "was_lots" "was_liquidity" "was_fee" "was_fee_currency"
         "price_ticks" "lots" "liquidity" "fee" "fee_currency"];
}

impl Kind {
    /// Tells whether it is an event that was fed to the engine; the rest is what came out.
    #[must_use]
    pub const fn is_event(self) -> bool {
        matches!(self.direction(), Direction::Input)
    }

    /// Returns the kind of the record of what a venue outside says.
    #[must_use]
    pub const fn of_venue<T>(said: &VenueEvent<T>) -> Self {
        match said {
            VenueEvent::Report(_) => Self::VenueReport,
            VenueEvent::OutcomeLost { .. } => Self::OutcomeLost,
            VenueEvent::Reconciling => Self::Reconciling,
            VenueEvent::Reconciled => Self::Reconciled,
            VenueEvent::Adopted(_) => Self::Adopted,
            VenueEvent::Revision(_) => Self::VenueRevision,
        }
    }

    /// Returns the kind of the record of an event; of what a venue says it is the most frequent one, and
    /// [`Kind::of_venue`] knows which.
    #[must_use]
    pub const fn of_event(body: &EventBody) -> Self {
        match body {
            EventBody::Bar(_) => Self::Bar,
            EventBody::Quote(_) => Self::Quote,
            EventBody::Trade(_) => Self::Trade,
            EventBody::Book(BookUpdate { checksum: Some(_), .. }) => Self::CheckedBook,
            EventBody::Book(_) => Self::Book,
            EventBody::Account(_) => Self::Account,
            EventBody::Flow(_) => Self::Flow,
            EventBody::Feed(_) => Self::Feed,
            EventBody::Command(_) => Self::Command,
            EventBody::Clock => Self::Clock,
            EventBody::Mark(_) => Self::Mark,
            EventBody::Funding(_) => Self::Funding,
            EventBody::Venue(_) => Self::VenueReport,
        }
    }
}
