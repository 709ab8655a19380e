//! Tickets of strategies, where positions hedge.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tradecore_ledger::{Legs, Ticket};
use tradecore_types::{Instrument, InstrumentId, OrderId, StrategyId};

use crate::access::{asked, looked_into};
use crate::errors::broken_invariant;
use crate::kernel::{PyKernel, kernel_error};
use crate::updates::verdict_object;

/// Adds this part's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(tickets, module)?)?;
    module.add_function(wrap_pyfunction!(legs, module)?)?;
    module.add_function(wrap_pyfunction!(tickets_at_venue, module)?)?;
    module.add_function(wrap_pyfunction!(ticket_at_venue, module)?)?;
    module.add_function(wrap_pyfunction!(close_ticket, module)?)
}

/// Open tickets of a strategy in an instrument, the oldest first; None where positions are netted.
///
/// A dictionary each: ticket (number of the order that opened it), lots (short is negative), tick_lots (sum of entry
/// prices in ticks, each times its lots), entry_time_ns, cost (signed value at entry), at_a_tick (what the lots are worth
/// at a price of one tick), fees (of the entry), closed_lots, realised (profit of what is closed, after fees) and
/// unrealised (before fees; None before the first price). Amounts are atto units (1e-18).
#[pyfunction]
fn tickets<'py>(
    kernel: &Bound<'py, PyKernel>,
    strategy_id: u16,
    instrument_id: u32,
) -> PyResult<Option<Bound<'py, PyList>>> {
    let py = kernel.py();
    let this = looked_into(kernel.as_unbound(), py)?;
    let (strategy, id) = (StrategyId(strategy_id), InstrumentId(instrument_id));
    let ledger = this.kernel.ledger();
    let Some(instrument) = this.kernel.instrument(id).filter(|known| known.is_hedged()) else {
        return Ok(None);
    };
    let out = PyList::empty(py);
    for ticket in ledger.tickets(strategy, id) {
        out.append(row(py, &ticket, instrument, this.kernel.mark(id))?)?;
    }
    Ok(Some(out))
}

fn row<'py>(
    py: Python<'py>,
    ticket: &Ticket,
    instrument: &Instrument,
    mark_ticks: Option<i64>,
) -> PyResult<Bound<'py, PyDict>> {
    let profit = |ticks| {
        let value = instrument.value(ticks, ticket.lots).and_then(|value| value.0.checked_sub(ticket.cost.0));
        value.ok_or_else(|| broken_invariant("the value of a ticket does not fit"))
    };
    let row = PyDict::new(py);
    row.set_item("ticket", ticket.entry_order.0)?;
    row.set_item("lots", ticket.lots)?;
    row.set_item("tick_lots", ticket.tick_lots)?;
    row.set_item("at_a_tick", instrument.value(1, ticket.lots).map_or(0, |worth| worth.0))?;
    row.set_item("entry_time_ns", ticket.entry_time_ns)?;
    row.set_item("cost", ticket.cost.0)?;
    row.set_item("fees", ticket.fees.0)?;
    row.set_item("closed_lots", ticket.closed_lots)?;
    row.set_item("realised", ticket.realised.0)?;
    row.set_item("unrealised", mark_ticks.map(profit).transpose()?)?;
    Ok(row)
}

/// What a strategy holds of an instrument on both sides, in lots: long and short, neither negative.
#[pyfunction]
fn legs(kernel: &Bound<'_, PyKernel>, strategy_id: u16, instrument_id: u32) -> PyResult<(i64, i64)> {
    let this = looked_into(kernel.as_unbound(), kernel.py())?;
    let Legs { long, short } =
        this.kernel.ledger().legs(StrategyId(strategy_id), InstrumentId(instrument_id));
    Ok((long, short))
}

/// What is open of tickets as a venue outside counts it: instrument, number of the ticket there, lots (short is negative).
/// What a closing order opened is a part of the ticket that it was to close.
#[pyfunction]
fn tickets_at_venue(kernel: &Bound<'_, PyKernel>) -> PyResult<Vec<(u32, u64, i64)>> {
    let this = looked_into(kernel.as_unbound(), kernel.py())?;
    let tickets = this.kernel.tickets_at_venue();
    Ok(tickets.into_iter().map(|((instrument, ticket), lots)| (instrument.0, ticket.0, lots)).collect())
}

/// The ticket at a venue outside that an order closes, else the one that it opens.
#[pyfunction]
fn ticket_at_venue(kernel: &Bound<'_, PyKernel>, order_id: u64) -> PyResult<u64> {
    let this = looked_into(kernel.as_unbound(), kernel.py())?;
    Ok(this.kernel.ticket_at_venue(OrderId(order_id)).0)
}

/// Closes a ticket of a strategy with a market order, or so many lots of it: a number, or a `Refused`. One that is open
/// in no instrument is refused as of `instrument_id`.
#[pyfunction]
fn close_ticket(
    kernel: &Bound<'_, PyKernel>,
    strategy_id: u16,
    ticket: u64,
    instrument_id: u32,
    lots: Option<i64>,
) -> PyResult<Py<PyAny>> {
    let (py, strategy, ticket) = (kernel.py(), StrategyId(strategy_id), OrderId(ticket));
    let mut this = asked(kernel.as_unbound(), py, strategy)?;
    let found = this.kernel.instrument_of_ticket(strategy, ticket);
    let instrument = found.unwrap_or(InstrumentId(instrument_id));
    let verdict = this.kernel.close_ticket(strategy, instrument, ticket, lots);
    verdict_object(py, verdict.map_err(|error| kernel_error(&error))?)
}
