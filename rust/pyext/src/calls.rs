//! Calls strategies: one wake-up, one Python call.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use pyo3::prelude::*;
use tradecore_kernel::{OrderUpdate, Wake, WakeBody};
use tradecore_types::{BookedRevision, ReportBody};

use crate::callback::PyCallback;
use crate::events::{PyBar, PyQuote, PyTrade, Scale, Shown, ShownBar};
use crate::kernel::PyKernel;
use crate::reused::Reused;
use crate::revision::PyRevision;
use crate::updates::{FillOf, PyCashFlow, PyFill, PyLiquidation, PyOrderUpdate};
use crate::views::PyBook;

/// The callbacks of one strategy, bound to its context.
#[derive(FromPyObject)]
pub struct Handlers<'py> {
    context: Bound<'py, PyAny>,
    on_bar: Option<Bound<'py, PyCallback>>,
    on_quote: Option<Bound<'py, PyCallback>>,
    on_book: Option<Bound<'py, PyCallback>>,
    on_trade: Option<Bound<'py, PyCallback>>,
    on_fill: Option<Bound<'py, PyCallback>>,
    on_order: Option<Bound<'py, PyCallback>>,
    on_timer: Option<Bound<'py, PyCallback>>,
    on_cash_flow: Option<Bound<'py, PyCallback>>,
    on_liquidation: Option<Bound<'py, PyCallback>>,
    on_revision: Option<Bound<'py, PyCallback>>,
}

/// The events that one strategy was last called with.
#[derive(Default)]
pub struct Last {
    bar: Reused<PyBar>,
    quote: Reused<PyQuote>,
    trade: Reused<PyTrade>,
    fill: Reused<PyFill>,
}

/// The books that strategies were shown in one run, made when first asked for: a run of one event must not
/// pay for every instrument there is.
pub struct Books<'a, 'py> {
    kernel: &'a Bound<'py, PyKernel>,
    shown: BTreeMap<u32, Bound<'py, PyBook>>,
}

impl<'a, 'py> Books<'a, 'py> {
    /// Starts without the objects of a call: each is made when a strategy first needs it.
    pub const fn new(kernel: &'a Bound<'py, PyKernel>) -> Self {
        Self { kernel, shown: BTreeMap::new() }
    }

    /// Gives a trade that was told anew, while the engine has it.
    fn revision(&self, number: u64) -> Option<BookedRevision> {
        self.kernel.borrow().kernel.revision(number).cloned()
    }

    /// Gives the book of an instrument, the same object at every call.
    fn get(&mut self, instrument: u32) -> PyResult<&Bound<'py, PyBook>> {
        Ok(match self.shown.entry(instrument) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let book = PyBook { kernel: self.kernel.clone().unbind(), instrument };
                entry.insert(Bound::new(self.kernel.py(), book)?)
            }
        })
    }
}

/// Calls the strategy that a wake-up is for.
pub fn call(
    py: Python<'_>,
    wake: &Wake,
    scale: Scale,
    handlers: &[Handlers<'_>],
    last: &mut [Last],
    books: &mut Books<'_, '_>,
    timeframes: &[Arc<str>],
) -> PyResult<()> {
    let index = wake.strategy.index();
    let (Some(handlers), Some(last)) = (handlers.get(index), last.get_mut(index)) else { return Ok(()) };
    let (time_ns, instrument) = (wake.time_ns, wake.instrument.0);
    let context = &handlers.context;
    match wake.body {
        WakeBody::Bar { series, bar } => {
            if let Some(on_bar) = &handlers.on_bar {
                let bar = Shown { what: bar, time_ns, instrument, scale };
                let shown = ShownBar { bar, series, timeframe: timeframes.get(series) };
                last.bar.call(on_bar.get(), context, &shown)?;
            }
        }
        WakeBody::Quote(quote) => {
            if let Some(on_quote) = &handlers.on_quote {
                last.quote.call(
                    on_quote.get(),
                    context,
                    &Shown { what: quote, time_ns, instrument, scale },
                )?;
            }
        }
        WakeBody::Book => {
            if let Some(on_book) = &handlers.on_book {
                on_book.get().call(context, books.get(instrument)?)?;
            }
        }
        WakeBody::Trade(trade) => {
            if let Some(on_trade) = &handlers.on_trade {
                last.trade.call(
                    on_trade.get(),
                    context,
                    &Shown { what: trade, time_ns, instrument, scale },
                )?;
            }
        }
        WakeBody::Order(update) => return call_order(py, wake, update, scale, handlers, last),
        WakeBody::CashFlow(flow) => {
            if let Some(on_cash_flow) = &handlers.on_cash_flow {
                on_cash_flow.get().call(context, &Bound::new(py, PyCashFlow { flow })?)?;
            }
        }
        WakeBody::Liquidation(liquidation) => {
            if let Some(on_liquidation) = &handlers.on_liquidation {
                let liquidation = PyLiquidation { liquidation, time_ns, scale };
                on_liquidation.get().call(context, &Bound::new(py, liquidation)?)?;
            }
        }
        WakeBody::Revision { number } => {
            if let Some(on_revision) = &handlers.on_revision
                && let Some(booked) = books.revision(number)
            {
                let revision = PyRevision { booked, time_ns, scale };
                on_revision.get().call(context, &Bound::new(py, revision)?)?;
            }
        }
        WakeBody::Timer { timer_id } => {
            if let Some(on_timer) = &handlers.on_timer {
                on_timer.get().call(context, &timer_id.into_pyobject(py)?)?;
            }
        }
    }
    Ok(())
}

/// Calls a strategy about one of its orders.
fn call_order(
    py: Python<'_>,
    wake: &Wake,
    update: OrderUpdate,
    scale: Scale,
    handlers: &Handlers<'_>,
    last: &mut Last,
) -> PyResult<()> {
    let (time_ns, instrument) = (wake.time_ns, wake.instrument.0);
    if let ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency } = update.report.body {
        if let Some(on_fill) = &handlers.on_fill {
            let what = FillOf { update, price_ticks, lots, liquidity, fee, fee_currency };
            last.fill.call(on_fill.get(), &handlers.context, &Shown { what, time_ns, instrument, scale })?;
        }
    } else if let Some(on_order) = &handlers.on_order {
        let update = PyOrderUpdate { update, time_ns, instrument };
        on_order.get().call(&handlers.context, &Bound::new(py, update)?)?;
    }
    Ok(())
}
