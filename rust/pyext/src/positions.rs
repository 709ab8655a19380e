//! What an account holds and has lost, for those who look at a running engine.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tradecore_kernel::Kernel;
use tradecore_ledger::OpenOrder;
use tradecore_types::{AccountId, Instrument, InstrumentId, Money, OrderId, StrategyId, Within};

use crate::access::looked_into;
use crate::errors::broken_invariant;
use crate::events::side_name;
use crate::journal::put_intent;
use crate::kernel::PyKernel;
use crate::risk;

/// Adds this part's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(open_positions, module)?)?;
    module.add_function(wrap_pyfunction!(stops, module)?)?;
    module.add_function(wrap_pyfunction!(paused_by, module)?)?;
    module.add_function(wrap_pyfunction!(canary_orders, module)?)?;
    module.add_function(wrap_pyfunction!(knows_trade, module)?)?;
    module.add_function(wrap_pyfunction!(losses, module)?)
}

/// Open positions of an engine, each strategy for itself, by strategy and instrument; where positions hedge, each ticket
/// for itself, the oldest first.
///
/// A dictionary each: strategy_id, instrument_id, ticket (number of the order that opened it; None where positions are
/// netted), lots (short is negative), cost (signed value at entry of what is open, in atto units of money), mark_ticks
/// and unrealised (atto units); the last two are None before the first price.
#[pyfunction]
fn open_positions<'py>(py: Python<'py>, kernel: &Bound<'py, PyKernel>) -> PyResult<Bound<'py, PyList>> {
    let this = looked_into(kernel.as_unbound(), py)?;
    let (kernel, ledger) = (&this.kernel, this.kernel.ledger());
    let out = PyList::empty(py);
    let strategies = u16::try_from(this.strategies.len()).unwrap_or(u16::MAX);
    for strategy in (0..strategies).map(StrategyId) {
        for index in 0..kernel.instruments() {
            let id = InstrumentId(u32::try_from(index).unwrap_or(u32::MAX));
            let Some(instrument) = kernel.instrument(id) else { continue };
            if !instrument.is_hedged() {
                let held = Held {
                    ticket: None,
                    lots: ledger.position(strategy, id),
                    cost: ledger.cost(strategy, id),
                };
                if held.lots != 0 {
                    out.append(held_row(py, strategy, instrument, &held, kernel.mark(id))?)?;
                }
                continue;
            }
            for ticket in ledger.tickets(strategy, id) {
                let held = Held { ticket: Some(ticket.entry_order), lots: ticket.lots, cost: ticket.cost };
                out.append(held_row(py, strategy, instrument, &held, kernel.mark(id))?)?;
            }
        }
    }
    Ok(out)
}

/// A position, or a ticket.
struct Held {
    ticket: Option<OrderId>,
    lots: i64,
    cost: Money,
}

fn held_row<'py>(
    py: Python<'py>,
    strategy: StrategyId,
    instrument: &Instrument,
    held: &Held,
    mark_ticks: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let value = |ticks| {
        let value = instrument.value(ticks, held.lots).and_then(|value| value.0.checked_sub(held.cost.0));
        value.ok_or_else(|| broken_invariant("the value of a position does not fit"))
    };
    let row = PyDict::new(py);
    row.set_item("strategy_id", strategy.0)?;
    row.set_item("instrument_id", instrument.id.0)?;
    row.set_item("ticket", held.ticket.map(|ticket| ticket.0))?;
    row.set_item("lots", held.lots)?;
    row.set_item("cost", held.cost.0)?;
    row.set_item("mark_ticks", mark_ticks)?;
    row.set_item("unrealised", mark_ticks.map(value).transpose()?)?;
    Ok(row)
}

/// Returns the open orders as dictionaries, by number.
pub fn open_orders<'py>(py: Python<'py>, kernel: &Kernel) -> PyResult<Bound<'py, PyList>> {
    let mut orders: Vec<_> = kernel.orders().iter().copied().collect();
    orders.sort_unstable_by_key(|order| order.intent.order_id);
    let out = PyList::empty(py);
    for order in orders {
        let (row, intent) = (PyDict::new(py), PyDict::new(py));
        put_intent(&intent, &order.intent)?;
        row.set_item("order_id", order.intent.order_id.0)?;
        row.set_item("strategy_id", order.intent.strategy.0)?;
        row.set_item("instrument_id", order.intent.instrument.0)?;
        row.set_item("side", side_name(order.intent.side))?;
        row.set_item("price_ticks", order.price_ticks)?;
        row.set_item("open_lots", order.open_lots())?;
        row.set_item("filled_lots", order.filled_lots)?;
        row.set_item("state", order.state.name())?;
        row.set_item("is_sent", kernel.has_been_sent(order.intent.order_id))?;
        row.set_item("trades", kernel.trades_of(order.intent.order_id).collect::<Vec<_>>())?;
        row.set_item("revised", kernel.untold_first_of(order.intent.order_id).collect::<Vec<_>>())?;
        row.set_item("intent", intent)?;
        row.set_item("renewal", renewal(py, kernel, &order)?)?;
        out.append(row)?;
    }
    Ok(out)
}

/// How far the amendments of an order are that end it at its venue and send it anew; `None` before the first.
fn renewal<'py>(py: Python<'py>, kernel: &Kernel, order: &OpenOrder) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(renewal) = kernel.renewal(order.intent.order_id) else { return Ok(None) };
    let out = PyDict::new(py);
    out.set_item("revision", renewal.revision)?;
    out.set_item("step", renewal.step.name())?;
    out.set_item("price_ticks", renewal.price_ticks)?;
    out.set_item("past_lots", renewal.past_lots)?;
    out.set_item("is_answered", renewal.answers == 0)?;
    out.set_item("lots", order.amending.last_lots)?;
    out.set_item("is_set_off", order.is_set_off)?;
    Ok(Some(out))
}

/// What operators have stopped in parts of trading: the command, the scope and its number.
#[pyfunction]
fn stops(kernel: &Bound<'_, PyKernel>) -> PyResult<Vec<(&'static str, &'static str, u32)>> {
    let told = |within: Within| {
        let (scope, id) = risk::scope_name(within.scope);
        (within.stop.name(), scope, id)
    };
    Ok(looked_into(kernel.as_unbound(), kernel.py())?.kernel.stops().map(told).collect())
}

/// Why the engine has paused itself: time in UTC nanoseconds, cause, what was seen, and the bound that it passed.
#[pyfunction]
fn paused_by(kernel: &Bound<'_, PyKernel>) -> PyResult<Option<(i64, &'static str, i64, i64)>> {
    let known = looked_into(kernel.as_unbound(), kernel.py())?.kernel.paused_by();
    Ok(known.map(|(time_ns, pause)| (time_ns, pause.cause.name(), pause.value, pause.bound)))
}

/// How the venue of an account calls orders.
pub fn venue_names(kernel: &Kernel, account: AccountId) -> Vec<(u64, &str, Option<&str>, bool)> {
    let names = kernel.venue_names(account);
    names.map(|(order_id, venue, client, is_theirs)| (order_id.0, venue, client, is_theirs)).collect()
}

/// What is known of the venue of an account beside its orders.
pub fn outside<'py>(py: Python<'py>, kernel: &Kernel, account: AccountId) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("has_agreed", kernel.has_agreed(account))?;
    out.set_item("is_unreconciled", kernel.is_unreconciled(account))?;
    out.set_item("last_order_id", kernel.last_order_id().0)?;
    out.set_item("to_end", kernel.to_end().map_or(0, |id| id.0))?;
    out.set_item("ordered_to_end", kernel.ordered_to_end().map(|id| id.0).collect::<Vec<_>>())?;
    out.set_item("revisions", kernel.revisions(account))?;
    out.set_item("refused_exits", kernel.refused_exits(account).map(|id| id.0).collect::<Vec<_>>())?;
    Ok(out)
}

/// Loss of the account or a strategy since its day began, and its fall from the highest equity, in atto units.
///
/// None where neither `daily_loss_max` nor `drawdown_max` is set: then nobody follows them.
#[pyfunction]
#[pyo3(signature = (kernel, scope, scope_id=0))]
fn losses(kernel: &Bound<'_, PyKernel>, scope: &str, scope_id: u32) -> PyResult<Option<(i128, i128)>> {
    let scope = risk::scope(scope, scope_id)?;
    let losses = looked_into(kernel.as_unbound(), kernel.py())?.kernel.scopes().losses(scope);
    Ok(losses.map(|(day, fall)| (day.0, fall.0)))
}

/// New orders of a venue account in the day of now, by its number; None where no canary profile bounds it.
#[pyfunction]
#[pyo3(signature = (kernel, account=0))]
fn canary_orders(kernel: &Bound<'_, PyKernel>, account: u8) -> PyResult<Option<u32>> {
    let this = looked_into(kernel.as_unbound(), kernel.py())?;
    Ok(this.kernel.scopes().canary_orders(AccountId(account), this.kernel.now_ns()))
}

/// Whether a venue has told a trade first, at this price and of this size: to tell the engine again says nothing.
#[pyfunction]
fn knows_trade(
    kernel: &Bound<'_, PyKernel>,
    instrument: u32,
    order_id: u64,
    trade_id: &str,
    price_ticks: i64,
    lots: i64,
) -> PyResult<bool> {
    let this = looked_into(kernel.as_unbound(), kernel.py())?;
    let terms = (price_ticks, lots);
    Ok(this.kernel.knows_trade(InstrumentId(instrument), OrderId(order_id), trade_id, terms))
}
