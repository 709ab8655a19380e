//! Values every room of the kernel speaks in: ids, ticks and lots, money, orders, events and reports.
//!
//! **Invariant:** prices are whole ticks and sizes whole lots of an instrument (`i64`), money is a
//! whole number of atto units of a currency ([`Money`], `i128`), time is UTC nanoseconds
//! (`i64`). Nothing here reads a clock, draws a random number or opens a file.

mod account_event;
mod adoption;
mod balance;
mod bracket;
mod by_limit;
mod cash_conversion;
mod cash_flow;
mod command;
mod decimal;
mod error;
mod event;
mod ids;
mod instrument;
mod limit;
mod limit_value;
mod liquidation;
pub mod long_array;
mod lot_method;
mod money;
mod named;
mod order;
mod person;
mod plain_text;
mod planted;
mod positions;
mod rate;
mod ratio;
mod refusal;
mod report;
mod safety;
mod sent;
mod sessions;
mod trade_revision;
mod venue_event;
mod venue_id;

pub use account_event::{AccountChange, AccountEvent, GuardState, Opening, OpeningLot, OpeningPrice};
pub use adoption::{Adopted, AdoptedBody};
pub use balance::Balance;
pub use bracket::{Bracket, ExitPrice, PaidPrice, exit_kinds};
pub use by_limit::ByLimit;
pub use cash_conversion::{CashConversion, OtherSide};
pub use cash_flow::{CashFlow, CashFlowKind};
pub use command::{
    Command, CommandKind, CommandName, Consent, FlattenByLimit, LimitChange, Permission, Release, Said,
    Scope, Stop, Within,
};
pub use decimal::Decimal;
pub use error::ValueError;
pub use event::{
    Bar, BookUpdate, BookUpdateKind, Event, EventBatch, EventBody, FeedState, Flow, Funding, Level, Mark,
    Quote, Trade,
};
pub use ids::{AccountId, CurrencyId, InstrumentId, OrderId, StrategyId};
pub use instrument::{Currencies, Instrument, InstrumentKind, InstrumentSpec};
pub use limit::{LimitName, LimitOwner};
pub use limit_value::LimitValue;
pub use liquidation::Liquidation;
pub use lot_method::LotMethod;
pub use money::{MONEY_DECIMALS, Money};
pub use order::{OrderIntent, OrderKind, Side, Size, TimeInForce};
pub use person::PersonName;
pub use plain_text::plain_text;
pub use planted::is_planted;
pub use positions::{HedgedMargin, Positions};
pub use rate::Rate;
pub use ratio::share_of;
pub use refusal::{Refusal, Rule};
pub use report::{CancelReason, Liquidity, RejectReason, Report, ReportBody};
pub use safety::{SafetyCause, SafetyPause};
pub use sent::{Sent, SentBody};
pub use sessions::{SESSIONS_MAX, Session, Sessions};
pub use trade_revision::{BookedRevision, TradeRevision, Traded};
pub use venue_event::{Surprise, SurpriseKind, VenueEvent, VenueReport};
pub use venue_id::VENUE_ID_BYTES_MAX;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z.
pub type TimeNs = i64;
