//! Order life cycle and double-entry ledger.
//!
//! **Invariant:** after every fill the position is the sum of fills and the sum of open lots, and all
//! accounts sum to zero; an order never fills more than its size; what cannot be true changes nothing.
//! Everything is exact integers; nothing here reads a clock, draws a random number or opens a file.

mod accounts;
mod averaging;
mod closed_trade;
mod converting;
mod currency_balance;
mod error;
mod fill;
mod flow_columns;
mod flow_sums;
mod flows;
mod hedges;
mod ledger;
mod lendable;
mod lots;
mod margin_schedule;
mod of_account;
mod opening;
mod order;
mod order_index;
mod orders;
mod purse;
mod purses;
mod revising;
mod state;
#[cfg(test)]
mod tests;
mod tickets;
mod trade;
mod trade_columns;
mod valuation;
mod wire;
mod working;

pub use closed_trade::ClosedTrade;
pub use currency_balance::CurrencyBalance;
pub use error::{BrokenInvariant, LedgerError, OrderError};
pub use fill::{Applied, FillInput, Reduction};
pub use flow_columns::CashFlowColumns;
pub use hedges::Legs;
pub use ledger::Ledger;
pub use lendable::Lendable;
pub use lots::OpenLot;
pub use margin_schedule::{MarginSchedule, MarginTier};
pub use order::{Amending, ClosedOrder, OpenOrder};
pub use orders::{Answer, Fills, Orders, Transition};
pub use state::{OrderEvent, OrderState, TRANSITIONS, diagram, next, state_after};
pub use tickets::Ticket;
pub use trade_columns::TradeColumns;
pub use valuation::HeldPosition;
pub use working::Working;
