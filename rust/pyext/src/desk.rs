//! Where a strategy's orders come in: the hot half of its context.

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use tradecore_kernel::{Links, OrderRequest};
use tradecore_types::{InstrumentId, Money, OrderId, Side, StrategyId};

use crate::access::{asked, looked_into};
use crate::arguments::{flag, optional, order, text};
use crate::errors::{invalid_argument, invalid_value};
use crate::kernel::{PyKernel, kernel_error};
use crate::numbers::Numbers;
use crate::order_methods::order_methods;
use crate::updates::refused_object;
use crate::updates::verdict_object;
use crate::wish::{ByPosition, Given, OrderNumber, Part, Wish};

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyOrderDesk>()
}

/// Orders, positions and prices of one strategy; `tradecore.engine.Context` adds the rest.
///
/// Prices and sizes come as exact `..._ticks` and `..._lots`, or as numbers (`limit=61800.5`,
/// `quantity=0.01`) that must be multiples of tick and lot. An order is answered at once: its number
/// (an int) when risk approved it, a `Refused` (which is false) with rule, limit and value when not.
#[pyclass(name = "OrderDesk", module = "tradecore._core", subclass, frozen)]
pub struct PyOrderDesk {
    kernel: Py<PyKernel>,
    strategy: StrategyId,
    /// Instruments of the strategy with their `tradecore.domain.Instrument`, the default first.
    instruments: Vec<(u32, Py<PyAny>)>,
}

#[pymethods]
impl PyOrderDesk {
    /// A desk for a strategy of a kernel; `instruments` are (id, Instrument), the default first.
    #[new]
    fn new(kernel: Py<PyKernel>, strategy_id: u16, instruments: Vec<(u32, Py<PyAny>)>) -> PyResult<Self> {
        if instruments.is_empty() {
            return Err(invalid_value("instruments", "[]", "must name at least one"));
        }
        Ok(Self { kernel, strategy: StrategyId(strategy_id), instruments })
    }

    /// Shows the garbage collector the engine, whose decision gates may lead back here.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.kernel)
    }

    /// Time of the engine, UTC nanoseconds.
    #[getter]
    fn now_ns(&self, py: Python<'_>) -> PyResult<i64> {
        Ok(looked_into(&self.kernel, py)?.kernel.now_ns())
    }

    /// The strategy's position in lots; short is negative.
    #[pyo3(signature = (instrument_id=None))]
    fn position_lots(&self, py: Python<'_>, instrument_id: Given<'_, '_>) -> PyResult<i64> {
        let (id, _) = self.instrument(instrument_id)?;
        Ok(looked_into(&self.kernel, py)?.kernel.ledger().position(self.strategy, InstrumentId(id)))
    }

    /// Best bid and ask in ticks, None where there is none or the book is invalid.
    #[pyo3(signature = (instrument_id=None))]
    fn best_ticks(
        &self,
        py: Python<'_>,
        instrument_id: Given<'_, '_>,
    ) -> PyResult<(Option<i64>, Option<i64>)> {
        let (id, _) = self.instrument(instrument_id)?;
        Ok(looked_into(&self.kernel, py)?.kernel.best(InstrumentId(id)))
    }

    /// Last price of an instrument; None before the first. It is the mark price where the feed has one.
    #[pyo3(signature = (instrument_id=None))]
    fn price(&self, py: Python<'_>, instrument_id: Given<'_, '_>) -> PyResult<Option<f64>> {
        let (id, _) = self.instrument(instrument_id)?;
        let this = looked_into(&self.kernel, py)?;
        let instrument = this.kernel.instrument(InstrumentId(id));
        Ok(this.kernel.mark(InstrumentId(id)).zip(instrument).map(|(ticks, known)| known.price(ticks)))
    }

    /// Money at hand in the account currency, positions paid in full; a short position adds what it sold for. Money in
    /// other currencies counts at its price.
    #[getter]
    fn cash(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(looked_into(&self.kernel, py)?.kernel.ledger().cash().to_f64())
    }

    /// What the account has of a currency by its name, as a venue shows it: spot purchases are a part of it, positions
    /// of derivatives count as settled.
    fn balance(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text::currency)] currency: &str,
    ) -> PyResult<f64> {
        let this = looked_into(&self.kernel, py)?;
        match this.kernel.currency_named(currency) {
            Some(known) => Ok(this.kernel.ledger().balance_in(known).to_f64()),
            None => Err(invalid_value("currency", currency, "must be a currency of the account")),
        }
    }

    /// What the account is worth in its currency: every position at the last price, those of other strategies
    /// included.
    #[getter]
    fn equity(&self, py: Python<'_>) -> PyResult<f64> {
        let equity = looked_into(&self.kernel, py)?.kernel.equity();
        Ok(equity.map_err(|error| kernel_error(&error))?.to_f64())
    }

    /// Average price at which the strategy's position was entered; None when it is flat.
    ///
    /// What was closed no longer counts. Of an inverse contract it is the price at which the whole position is
    /// worth what its parts cost, the harmonic mean.
    #[pyo3(signature = (instrument_id=None))]
    fn entry_price(&self, py: Python<'_>, instrument_id: Given<'_, '_>) -> PyResult<Option<f64>> {
        let (id, _) = self.instrument(instrument_id)?;
        let this = looked_into(&self.kernel, py)?;
        Ok(this.kernel.entry_price(self.strategy, InstrumentId(id)))
    }

    /// Profit of the strategy's position at the last price, before fees, in the settlement currency of the instrument; 0
    /// when it is flat.
    #[pyo3(signature = (instrument_id=None))]
    fn unrealised_pnl(&self, py: Python<'_>, instrument_id: Given<'_, '_>) -> PyResult<f64> {
        let (id, _) = self.instrument(instrument_id)?;
        let this = looked_into(&self.kernel, py)?;
        Ok(this.kernel.unrealised_pnl(self.strategy, InstrumentId(id)).map_or(0.0, Money::to_f64))
    }

    /// Whether an order is still open in any way.
    fn is_open(&self, py: Python<'_>, order_id: OrderNumber) -> PyResult<bool> {
        Ok(looked_into(&self.kernel, py)?.kernel.orders().get(OrderId(order_id.0)).is_some())
    }

    /// Ask the venue to cancel an order; False when it is not open, not ours or being cancelled.
    ///
    /// Of an exit that ended before it had closed all it was for, what is left is then no longer closed either.
    fn cancel(&self, py: Python<'_>, order_id: OrderNumber) -> PyResult<bool> {
        Ok(asked(&self.kernel, py, self.strategy)?.kernel.cancel(self.strategy, OrderId(order_id.0)))
    }

    /// Ask the venue to give an order a new open size and, unless None, a new price: its limit, else trigger.
    ///
    /// What fills while this is on its way counts towards the new size; when that is used up the order ends.
    /// A trailing stop states no price; it can have a new size.
    #[pyo3(
        signature = (order_id, by_position=ByPosition::NOTHING, *, quantity_lots=None, price_ticks=None),
        text_signature = "($self, order_id, *, quantity_lots, price_ticks=None)"
    )]
    fn replace<'a, 'py>(
        &self,
        py: Python<'py>,
        order_id: OrderNumber,
        by_position: ByPosition<'a, 'py>,
        quantity_lots: Given<'a, 'py>,
        price_ticks: Given<'a, 'py>,
    ) -> PyResult<Py<PyAny>> {
        let Some(quantity_lots) = quantity_lots.filter(|_| by_position.is_nothing()) else {
            return Err(by_position.refusal("replace", "order_id, quantity_lots="));
        };
        let order_id = OrderId(order_id.0);
        let mut numbers = Numbers::default();
        let price_ticks = price_ticks.map(|ticks| numbers.whole("price_ticks", ticks)).transpose()?;
        let lots = numbers.whole("quantity_lots", quantity_lots)?;
        let mut this = asked(&self.kernel, py, self.strategy)?;
        if let Some((refusal, words)) = numbers.into_refused() {
            this.kernel.refuse_amendment(self.strategy, order_id, refusal);
            return refused_object(py, refusal, Some(words));
        }
        let verdict = this.kernel.replace(self.strategy, order_id, price_ticks, lots);
        verdict_object(py, verdict.map_err(|error| this.blame(py, &error))?)
    }
}

order_methods! {
    /// Send a buy order: market, or what the prices given make of it.
    ///
    /// Parameters
    /// ----------
    /// quantity, quantity_lots, fraction : float, int, float
    ///     Exactly one: the size, in lots, or as a share (0, 1] of the buying power at the fill.
    /// limit, limit_ticks : float, int
    ///     Worst acceptable price: a limit order, or what a stop or a touched order becomes.
    /// stop, stop_ticks : float, int
    ///     Price that sets the order off when the market comes to it or beyond: up to it for a buy, down to
    ///     it for a sell. It then is a market order, or a limit order if there is a limit.
    /// touch, touch_ticks : float, int
    ///     As stop, from the other side: market-if-touched, or limit-if-touched with a limit.
    /// trail, trail_ticks : float, int
    ///     Distance at which a stop follows the best price since it became active.
    /// trail_limit, trail_limit_ticks : float, int
    ///     Makes of a trailing stop that is set off a limit order this far beyond its trigger.
    /// activation, activation_ticks : float, int
    ///     Price that must be touched before a trailing stop becomes active; at once when None.
    /// display, display_lots : float, int
    ///     Largest part of a limit order that is shown (iceberg).
    /// to_limit : bool
    ///     Take the best opposite price only, and wait there with the rest (market to limit).
    /// time_in_force : str
    ///     `gtc`, `ioc`, `fok`, `day` (until the session ends, see `InstrumentSpec.calendar`) or `gtd` (until
    ///     `expire_ns`).
    /// expire_ns : int
    ///     When the order expires, UTC nanoseconds; makes it `gtd`.
    /// after : int
    ///     Open order of the strategy that comes first (OTO): this one is sent at its first fill and grows with
    ///     every other one, no larger than what filled. With `reduce_only` it is an exit of it. Where positions hedge,
    ///     `reduce_only` needs it, and it may be a ticket, whose order has filled: this one then closes that at once
    ///     or waits to.
    /// stop_loss_pct, take_profit_pct : float
    ///     The same exits so many percent from the price at which the order filled: `stop_loss_pct=2` of a buy
    ///     that filled at 100 is a stop at 98. Rounded to the tick on which no more is lost, or no less is won.
    /// trail_pct : float
    ///     As trail, so many percent of the best price: the trigger of a sell is `best * (1 - trail_pct / 100)`.
    /// oco : int
    ///     Open order of the strategy, of the same instrument: when one of the two ends the other is
    ///     cancelled, and what one fills the other loses. An order can be in one such group, of any size.
    /// post_only, reduce_only : bool
    ///     Never take liquidity; never open or turn a position.
    /// stop_loss, stop_loss_ticks, take_profit, take_profit_ticks : float, int
    ///     Exits that arm themselves as the order fills; what one of them closes the other loses.
    /// instrument_id : int
    ///     Instrument to trade; the strategy's first when None.
    ///
    /// Returns
    /// -------
    /// int or Refused
    ///     Number of the order, or which rule refused it with its limit and the value. A price off the tick
    ///     (`off_tick`), a size that is no whole number of lots (`off_lot`) and what is not a number
    ///     (`not_a_number`) are refused, too: `limit` is then the nearest that the instrument has.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     When the arguments make no sense together, or one has the wrong type.
    buy: Side::Buy;

    /// Send a sell order; parameters, answer and errors are those of `buy`.
    sell: Side::Sell;
}

impl PyOrderDesk {
    /// Returns an instrument of the strategy: the default one when none is named.
    #[inline]
    fn instrument(&self, instrument_id: Given<'_, '_>) -> PyResult<(u32, &Py<PyAny>)> {
        let found = match instrument_id {
            None => self.instruments.first(),
            Some(given) => {
                let wanted: Option<u32> = given.extract().ok();
                self.instruments.iter().find(|known| Some(known.0) == wanted)
            }
        };
        found.map(|(id, instrument)| (*id, instrument)).ok_or_else(|| self.unknown(instrument_id))
    }

    /// Says which instruments the strategy has.
    #[cold]
    fn unknown(&self, instrument_id: Given<'_, '_>) -> PyErr {
        let Some(given) = instrument_id else {
            return invalid_value("instrument_id", "None", "the strategy has no instrument");
        };
        let symbol = |instrument: &Py<PyAny>| {
            instrument
                .bind(given.py())
                .getattr("symbol")
                .map_or_else(|_| String::new(), |name| name.to_string())
        };
        let mut known: Vec<_> = self.instruments.iter().map(|(id, of)| (*id, symbol(of))).collect();
        known.sort_unstable();
        let known: Vec<String> = known.into_iter().map(|(id, symbol)| format!("{id} ({symbol})")).collect();
        let rule = format!("must be the number of an instrument of the strategy: {}", known.join(", "));
        invalid_argument("instrument_id", given, &rule)
    }
}

/// Reads a wish to trade; the parts of a plain one never leave the registers.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "else two dozen arguments that nobody gave are written and read back"
)]
fn send(
    desk: &PyOrderDesk,
    py: Python<'_>,
    instrument_id: Given<'_, '_>,
    wish: Wish<'_, '_>,
) -> PyResult<Py<PyAny>> {
    if wish.is_plain() {
        let (id, _) = desk.instrument(instrument_id)?;
        if let Some(request) = wish.plain_request(InstrumentId(id))? {
            return submit(desk, py, &request, Links::default());
        }
    }
    send_special(desk, py, instrument_id, &wish)
}

/// Reads a wish to trade that states more than most.
#[inline(never)]
fn send_special(
    desk: &PyOrderDesk,
    py: Python<'_>,
    instrument_id: Given<'_, '_>,
    wish: &Wish<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let (id, instrument) = desk.instrument(instrument_id)?;
    let id = InstrumentId(id);
    let session_end_ns =
        || looked_into(&desk.kernel, py)?.kernel.session_end_ns(id).map_err(|error| kernel_error(&error));
    let mut numbers = Numbers::default();
    let request = wish.request(&mut numbers, id, instrument.bind(py), session_end_ns)?;
    let Some((refusal, words)) = numbers.into_refused() else {
        return submit(desk, py, &request, wish.links());
    };
    let mut this = asked(&desk.kernel, py, desk.strategy)?;
    let verdict = this.kernel.refuse(desk.strategy, &request, wish.links(), refusal);
    verdict.map_err(|error| this.blame(py, &error))?;
    refused_object(py, refusal, Some(words))
}

/// Puts a wish to trade before gates and risk.
fn submit(desk: &PyOrderDesk, py: Python<'_>, request: &OrderRequest, links: Links) -> PyResult<Py<PyAny>> {
    let mut this = asked(&desk.kernel, py, desk.strategy)?;
    let verdict = this.kernel.submit_linked(desk.strategy, request, links);
    verdict_object(py, verdict.map_err(|error| this.blame(py, &error))?)
}
