//! What a strategy, or the account as a whole, may do.

use tradecore_types::{Decimal, LimitName, Money, Scope, ValueError};

use crate::rate_window::{check_message_rate, check_rate};
use crate::setting::{count, money, not_of_scope, span, unsigned, window};

/// Length of a window when nothing else is said: one second.
const WINDOW_NS: i64 = 1_000_000_000;

/// Pre-trade limits of a strategy or of the account, over all its instruments; `None` switches one off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScopeLimits {
    /// Largest size of one order, in units of its instrument.
    pub quantity_max: Option<Decimal>,
    /// Largest value of one order, in money.
    pub notional_max: Option<Money>,
    /// Largest position in one instrument either way, working orders included, in its units.
    pub position_max: Option<Decimal>,
    /// Largest number of open orders.
    pub open_orders_max: Option<u32>,
    /// Largest sum of the exposures in all instruments, working orders included, in money.
    pub gross_max: Option<Money>,
    /// Largest difference of long and short exposures, working orders included, in money.
    pub net_max: Option<Money>,
    /// Largest number of new orders, amendments and cancels within the window.
    pub message_rate_max: Option<u32>,
    /// Length of the window of messages, in nanoseconds.
    pub message_rate_window_ns: i64,
    /// Messages of the rate kept for cancels and closing orders; `None`: a fifth, rounded up.
    pub cancel_reserve: Option<u32>,
    /// Loss since the day began above which trading is halted, in money.
    pub daily_loss_max: Option<Money>,
    /// Fall from the highest equity above which trading is halted, in money.
    pub drawdown_max: Option<Money>,
    /// Fills within the window at which a strategy is halted.
    pub executions_max: Option<u32>,
    /// Length of the window of executions, in nanoseconds.
    pub executions_window_ns: i64,
    /// Time within which an order like one before is refused, in nanoseconds.
    pub identical_window_ns: Option<i64>,
}

impl Default for ScopeLimits {
    fn default() -> Self {
        Self {
            quantity_max: None,
            notional_max: None,
            position_max: None,
            open_orders_max: None,
            gross_max: None,
            net_max: None,
            message_rate_max: None,
            message_rate_window_ns: WINDOW_NS,
            cancel_reserve: None,
            daily_loss_max: None,
            drawdown_max: None,
            executions_max: None,
            executions_window_ns: WINDOW_NS,
            identical_window_ns: None,
        }
    }
}

impl ScopeLimits {
    /// Gives a limit a value, in the unit of the setting of its name.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the scope has no such limit or the value is out of its range; nothing is changed.
    pub fn set(&mut self, scope: Scope, limit: LimitName, value: Option<Decimal>) -> Result<(), ValueError> {
        let name = limit.name();
        let is_account = matches!(scope, Scope::Account(_) | Scope::Portfolio);
        match limit {
            LimitName::Quantity => self.quantity_max = unsigned(name, value)?,
            LimitName::Notional => self.notional_max = money(name, value)?,
            LimitName::Position => self.position_max = unsigned(name, value)?,
            LimitName::OpenOrders => self.open_orders_max = count(name, value)?,
            LimitName::Gross => self.gross_max = money(name, value)?,
            LimitName::Net => self.net_max = money(name, value)?,
            LimitName::MessageRate => {
                let max = count(name, value)?;
                check_message_rate(name, max)?;
                self.message_rate_max = max;
            }
            LimitName::CancelReserve => {
                let reserve = count(name, value)?;
                check_rate(name, reserve)?;
                if reserve == Some(0) {
                    return Err(ValueError::new(name, 0, "must be above 0: risk can always be taken off"));
                }
                self.cancel_reserve = reserve;
            }
            LimitName::DailyLoss => self.daily_loss_max = money(name, value)?,
            LimitName::Drawdown => self.drawdown_max = money(name, value)?,
            LimitName::Executions if !is_account => {
                let max = count(name, value)?;
                check_rate(name, max)?;
                self.executions_max = max;
            }
            LimitName::MessageRateWindow => self.message_rate_window_ns = window(name, value)?,
            LimitName::ExecutionsWindow if !is_account => self.executions_window_ns = window(name, value)?,
            LimitName::IdenticalWindow if !is_account => self.identical_window_ns = span(name, value)?,
            LimitName::OrderRate
            | LimitName::PriceCollar
            | LimitName::ReferenceAge
            | LimitName::PriceDrift
            | LimitName::OrderRateWindow
            | LimitName::PriceDriftWindow
            | LimitName::Executions
            | LimitName::ExecutionsWindow
            | LimitName::IdenticalWindow
            | LimitName::SelfTrade => return Err(not_of_scope(scope, limit)),
        }
        Ok(())
    }

    /// Returns how many messages of a rate are kept for cancels and closing orders; all of them where the
    /// setting asks for more.
    pub(crate) fn reserve_of(&self, rate_max: u32) -> u32 {
        self.cancel_reserve.unwrap_or_else(|| rate_max.div_ceil(5)).min(rate_max)
    }

    /// Returns how many messages are kept for cancels and closing orders; `None` without a rate.
    pub(crate) fn reserve(&self) -> Option<u32> {
        self.message_rate_max.map(|rate_max| self.reserve_of(rate_max))
    }

    /// Tells whether losses are limited.
    pub(crate) const fn watches_losses(&self) -> bool {
        self.daily_loss_max.is_some() || self.drawdown_max.is_some()
    }

    /// Tells whether a limit is on that adds up what is held, open or lost in several instruments.
    pub(crate) const fn adds_up(&self) -> bool {
        self.open_orders_max.is_some()
            || self.gross_max.is_some()
            || self.net_max.is_some()
            || self.executions_max.is_some()
            || self.watches_losses()
    }

    /// Tells whether any limit is on.
    pub(crate) fn is_on(&self) -> bool {
        let windows = Self {
            message_rate_window_ns: self.message_rate_window_ns,
            executions_window_ns: self.executions_window_ns,
            cancel_reserve: self.cancel_reserve,
            ..Self::default()
        };
        *self != windows
    }

    /// Appends the canonical bytes of the limits.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        let amounts = [self.quantity_max, self.position_max];
        for amount in amounts {
            let amount = amount.unwrap_or(Decimal { mantissa: -1, decimals: 0 });
            out.extend_from_slice(&amount.mantissa.to_le_bytes());
            out.push(amount.decimals);
        }
        let sums = [self.notional_max, self.gross_max, self.net_max, self.daily_loss_max, self.drawdown_max];
        for money in sums {
            out.extend_from_slice(&money.map_or(-1, |money| money.0).to_le_bytes());
        }
        let counts = [self.open_orders_max, self.message_rate_max, self.cancel_reserve, self.executions_max];
        for count in counts {
            out.extend_from_slice(&count.map_or(-1, i64::from).to_le_bytes());
        }
        let spans =
            [self.message_rate_window_ns, self.executions_window_ns, self.identical_window_ns.unwrap_or(-1)];
        for span in spans {
            out.extend_from_slice(&span.to_le_bytes());
        }
    }
}
