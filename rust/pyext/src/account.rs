//! Events about the account, and accounts followed by the records of a journal.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tradecore_kernel::{AccountPoint, FollowedOrder, Follower};
use tradecore_types::{
    AccountChange, AccountEvent, Balance, CashConversion, GuardState, InstrumentId, Money, Opening,
    OpeningLot, OpeningPrice, OrderId, OtherSide, Rule, StrategyId,
};

use crate::config;
use crate::errors::{broken_invariant, invalid_value, value_error};
use crate::journal::{put_command, put_intent};
use crate::kernel::kernel_error;
use crate::risk;

/// A moment of an account: records, time, cash, equity, exposure, what was brought, and equity by account.
type PointRow = (u64, i64, i128, i128, i128, i128, Vec<i128>);

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFollower>()
}

/// An open lot: strategy, instrument, entry order, entry time, entry price, lots, entry fee and its share of an average
/// cost.
pub type LotRow = (u16, u32, u64, i64, i64, i64, i128, Option<i128>);

/// What a loss limit counts from: scope and its number; cash, last, peak and start of the day; number of the day;
/// rule, limit and value of a halt.
pub type GuardRow = (String, u32, [i128; 4], Option<i64>, Option<(String, i128, i128)>);

/// What an account begins with, as Python hands it in.
#[derive(FromPyObject)]
pub struct OpeningRows {
    cash: Vec<(String, i128)>,
    brought: Option<i128>,
    lots: Vec<LotRow>,
    prices: Vec<(u32, i64)>,
    guards: Vec<GuardRow>,
    last_order_id: u64,
    market_events: u64,
    before: Option<[u8; 32]>,
    changed: String,
}

impl OpeningRows {
    /// Returns what was read as an event for the engine.
    pub fn event(self) -> PyResult<AccountEvent> {
        let balance = |(currency, amount)| Balance { currency, amount: Money(amount) };
        let price = |(id, price_ticks)| OpeningPrice { instrument: InstrumentId(id), price_ticks };
        Ok(AccountEvent::Opening(Opening {
            cash: self.cash.into_iter().map(balance).collect(),
            brought: self.brought.map(Money),
            lots: self.lots.iter().map(lot_of).collect(),
            prices: self.prices.into_iter().map(price).collect(),
            guards: self.guards.into_iter().map(guard).collect::<PyResult<_>>()?,
            last_order_id: self.last_order_id,
            market_events: self.market_events,
            before: self.before,
            changed: self.changed,
        }))
    }
}

fn guard((what, id, [cash, last, peak, day_start], day, halt): GuardRow) -> PyResult<GuardState> {
    let halted = |(name, limit, value): (String, i128, i128)| {
        let rule = Rule::from_name(&name).ok_or_else(|| invalid_value("halt", &name, "must be a rule"))?;
        Ok::<_, PyErr>((rule, limit, value))
    };
    Ok(GuardState {
        scope: risk::scope(&what, id)?,
        cash: Money(cash),
        last: Money(last),
        peak: Money(peak),
        day_start: Money(day_start),
        day,
        halt: halt.map(halted).transpose()?,
    })
}

/// Returns an adjustment or a transfer.
pub fn change(is_transfer: bool, currency: &str, amount: i128, reason: &str) -> AccountEvent {
    let change =
        AccountChange { currency: currency.to_owned(), amount: Money(amount), reason: reason.to_owned() };
    if is_transfer { AccountEvent::Transfer(change) } else { AccountEvent::Adjustment(change) }
}

/// A conversion of cash, as Python hands it in; exactly one of `received` and `rate` is given.
#[derive(FromPyObject)]
pub struct ConversionRow {
    currency: String,
    amount: i128,
    into: String,
    received: Option<i128>,
    rate: Option<i128>,
    fee: i128,
    fee_currency: String,
    reason: String,
}

impl ConversionRow {
    /// Returns what was read as an event for the engine; an error names the field.
    pub fn event(self) -> PyResult<AccountEvent> {
        let stated = match (self.received, self.rate) {
            (Some(received), None) => OtherSide::Amount(Money(received)),
            (None, Some(rate)) => OtherSide::Rate(rate),
            (None, None) => return Err(invalid_value("received", "None", "must be given where rate is not")),
            (Some(received), Some(_)) => {
                let rule = "must not be given beside rate: the one follows from the other";
                return Err(invalid_value("received", &received.to_string(), rule));
            }
        };
        let given = Balance { currency: self.currency, amount: Money(self.amount) };
        let fee = Balance { currency: self.fee_currency, amount: Money(self.fee) };
        let said = CashConversion::new(given, (self.into, stated), fee, self.reason);
        said.map(AccountEvent::Conversion).map_err(|error| value_error(&error))
    }
}

/// Returns the open lot that a row of numbers states.
pub fn lot_of(row: &LotRow) -> OpeningLot {
    let &(strategy, instrument, entry_order, entry_time_ns, entry_ticks, lots, fee, cost) = row;
    OpeningLot {
        strategy: StrategyId(strategy),
        instrument: InstrumentId(instrument),
        entry_order: OrderId(entry_order),
        entry_time_ns,
        entry_ticks,
        lots,
        fee: Money(fee),
        cost: cost.map(Money),
    }
}

/// Puts what an event about the account says; what it does not have is left out.
pub fn put_account(dict: &Bound<'_, PyDict>, event: &AccountEvent) -> PyResult<()> {
    dict.set_item("account", event.name())?;
    match event {
        AccountEvent::Opening(opening) => put_opening(dict, opening),
        AccountEvent::Adjustment(change) | AccountEvent::Transfer(change) => {
            dict.set_item("currency", &change.currency)?;
            dict.set_item("amount", change.amount.0)?;
            dict.set_item("reason", &change.reason)
        }
        AccountEvent::Conversion(said) => {
            dict.set_item("currency", &said.given.currency)?;
            dict.set_item("amount", said.given.amount.0)?;
            dict.set_item("into", &said.received.currency)?;
            dict.set_item("received", said.received.amount.0)?;
            dict.set_item("rate", said.rate)?;
            dict.set_item("fee", said.fee.amount.0)?;
            dict.set_item("fee_currency", &said.fee.currency)?;
            dict.set_item("reason", &said.reason)
        }
    }
}

/// Puts what an account begins with.
fn put_opening(dict: &Bound<'_, PyDict>, opening: &Opening) -> PyResult<()> {
    let py = dict.py();
    let cash = PyDict::new(py);
    for balance in &opening.cash {
        cash.set_item(&balance.currency, balance.amount.0)?;
    }
    dict.set_item("cash", cash)?;
    if let Some(brought) = opening.brought {
        dict.set_item("brought", brought.0)?;
    }
    let lots = PyList::empty(py);
    for lot in &opening.lots {
        lots.append(lot_fields(py, lot)?)?;
    }
    dict.set_item("lots", lots)?;
    let prices = PyList::empty(py);
    for price in &opening.prices {
        let fields = PyDict::new(py);
        fields.set_item("instrument", price.instrument.0)?;
        fields.set_item("price_ticks", price.price_ticks)?;
        prices.append(fields)?;
    }
    dict.set_item("prices", prices)?;
    let guards = PyList::empty(py);
    for guard in &opening.guards {
        guards.append(guard_fields(py, guard)?)?;
    }
    dict.set_item("guards", guards)?;
    dict.set_item("last_order_id", opening.last_order_id)?;
    dict.set_item("market_events", opening.market_events)?;
    if let Some(before) = opening.before {
        dict.set_item("before", tradecore_journal::Head(before).to_string())?;
    }
    dict.set_item("changed", &opening.changed)
}

fn lot_fields<'py>(py: Python<'py>, lot: &OpeningLot) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("strategy", lot.strategy.0)?;
    fields.set_item("instrument", lot.instrument.0)?;
    fields.set_item("entry_order", lot.entry_order.0)?;
    fields.set_item("entry_time_ns", lot.entry_time_ns)?;
    fields.set_item("entry_ticks", lot.entry_ticks)?;
    fields.set_item("lots", lot.lots)?;
    fields.set_item("fee", lot.fee.0)?;
    if let Some(cost) = lot.cost {
        fields.set_item("cost", cost.0)?;
    }
    Ok(fields)
}

fn guard_fields<'py>(py: Python<'py>, guard: &GuardState) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    let (scope, id) = risk::scope_name(guard.scope);
    fields.set_item("scope", scope)?;
    fields.set_item("scope_id", id)?;
    for (name, amount) in
        [("cash", guard.cash), ("last", guard.last), ("peak", guard.peak), ("day_start", guard.day_start)]
    {
        fields.set_item(name, amount.0)?;
    }
    if let Some(day) = guard.day {
        fields.set_item("day", day)?;
    }
    if let Some((rule, limit, value)) = guard.halt {
        fields.set_item("halt", rule.name())?;
        fields.set_item("halt_limit", limit)?;
        fields.set_item("halt_value", value)?;
    }
    Ok(fields)
}

/// An account as the records of a journal say it, whatever strategies and whatever behaviour wrote them.
///
/// Takes the `EngineSpec` that the journal names and the names of its strategies, then the frames in their order.
#[pyclass(name = "AccountFollower", module = "tradecore._core")]
pub struct PyFollower {
    follower: Follower,
}

#[pymethods]
impl PyFollower {
    #[new]
    fn new(spec: &Bound<'_, PyAny>, strategies: Vec<String>) -> PyResult<Self> {
        let config = config::read(spec, &strategies, false, false, false, None)?;
        let follower = Follower::new(config).map_err(|error| value_error(&error))?;
        Ok(Self { follower })
    }

    /// Takes whole frames; a record that does not fit those before it is an error.
    fn take(&mut self, py: Python<'_>, frames: &[u8]) -> PyResult<()> {
        let follower = &mut self.follower;
        py.detach(|| follower.take(frames)).map_err(|error| kernel_error(&error))
    }

    /// What an account begins with that goes on from here: the fields of an `account` record.
    fn opening<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        put_opening(&dict, &self.follower.opening())?;
        Ok(dict)
    }

    /// The commands of operators that still hold: the fields of `command` records.
    fn commands<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let commands = self.follower.standing_commands();
        let fields = |kind| {
            let dict = PyDict::new(py);
            put_command(&dict, kind).map(|()| dict)
        };
        commands.iter().map(fields).collect()
    }

    /// The open orders: the fields of `order` records, and `open_lots`, None for a share of buying power without a size.
    fn open_orders<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let fields = |order: &FollowedOrder| {
            let dict = PyDict::new(py);
            put_intent(&dict, &order.intent)?;
            dict.set_item("open_lots", order.open_lots)?;
            Ok(dict)
        };
        self.follower.open_orders().map(fields).collect()
    }

    /// The account over time since the last call, a tuple for each moment: how many records it counts, its time;
    /// cash, equity, exposure and what the owner brought in atto units; and the equity of each of several venue
    /// accounts, by their numbers.
    fn take_points(&mut self) -> Vec<PointRow> {
        let row = |at: AccountPoint| {
            let accounts = at.accounts.iter().map(|equity| equity.0).collect();
            (at.records, at.time_ns, at.cash.0, at.equity.0, at.exposure.0, at.brought.0, accounts)
        };
        self.follower.take_points().into_iter().map(row).collect()
    }

    /// What the account is worth at the last prices, in atto units.
    fn equity(&self) -> PyResult<i128> {
        let equity = self.follower.kernel().equity();
        equity.map(|equity| equity.0).map_err(|error| broken_invariant(&error.to_string()))
    }

    /// Time of the last event, UTC nanoseconds.
    #[getter]
    fn now_ns(&self) -> i64 {
        self.follower.kernel().now_ns()
    }
}
