//! The books of one currency beside the one in which the account reports.

use tradecore_types::{AccountId, Rate};

use crate::accounts::Accounts;
use crate::flow_sums::Flows;

/// The books of one currency.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Purse {
    /// The venue account that has it.
    pub(crate) account: AccountId,
    pub(crate) accounts: Accounts,
    /// Sum of the costs of all holdings that are settled in it.
    pub(crate) cost: i128,
    pub(crate) flows: Option<Box<Flows>>,
    pub(crate) rate: Rate,
}
