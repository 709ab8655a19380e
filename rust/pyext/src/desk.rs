//! Where a strategy's orders come in: the hot half of its context.

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use tradecore_kernel::{Links, OrderRequest, Verdict};
use tradecore_types::{Bracket, InstrumentId, OrderId, OrderKind, Side, Size, StrategyId, TimeInForce};

use crate::errors::invalid_value;
use crate::kernel::{PyKernel, kernel_error, verdict_object};

/// Parts per million in a whole.
const PPM: f64 = 1e6;

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
    /// Whether a subclass judges or records every wish to trade first.
    is_watched: bool,
}

/// A size or price as the caller gave it: as a number, or exact.
type Given<'py> = Option<Bound<'py, PyAny>>;

/// An order as the caller stated it.
struct Wish<'py> {
    side: Side,
    quantity: Given<'py>,
    quantity_lots: Given<'py>,
    fraction: Option<f64>,
    limit: (Given<'py>, Given<'py>),
    stop: (Given<'py>, Given<'py>),
    touch: (Given<'py>, Given<'py>),
    trail: (Given<'py>, Given<'py>),
    trail_limit: (Given<'py>, Given<'py>),
    activation: (Given<'py>, Given<'py>),
    display: (Given<'py>, Given<'py>),
    to_limit: bool,
    time_in_force: &'py str,
    expire_ns: Option<i64>,
    after: Option<u64>,
    oco: Option<u64>,
    post_only: bool,
    reduce_only: bool,
    stop_loss: (Given<'py>, Given<'py>),
    take_profit: (Given<'py>, Given<'py>),
    instrument_id: Option<u32>,
}

#[pymethods]
impl PyOrderDesk {
    /// A desk for a strategy of a kernel; `instruments` are (id, Instrument), the default first.
    #[new]
    fn new(
        kernel: Py<PyKernel>,
        strategy_id: u16,
        instruments: Vec<(u32, Py<PyAny>)>,
        is_watched: bool,
    ) -> PyResult<Self> {
        if instruments.is_empty() {
            return Err(invalid_value("instruments", "[]", "must name at least one"));
        }
        Ok(Self { kernel, strategy: StrategyId(strategy_id), instruments, is_watched })
    }

    /// Time of the engine, UTC nanoseconds.
    #[getter]
    fn now_ns(&self, py: Python<'_>) -> i64 {
        self.kernel.borrow(py).kernel.now_ns()
    }

    /// The strategy's position in lots; short is negative.
    #[pyo3(signature = (instrument_id=None))]
    fn position_lots(&self, py: Python<'_>, instrument_id: Option<u32>) -> PyResult<i64> {
        let (id, _) = self.instrument(instrument_id)?;
        Ok(self.kernel.borrow(py).kernel.ledger().position(self.strategy, InstrumentId(id)))
    }

    /// Best bid and ask in ticks, None where there is none or the book is invalid.
    #[pyo3(signature = (instrument_id=None))]
    fn best_ticks(&self, py: Python<'_>, instrument_id: Option<u32>) -> PyResult<(Option<i64>, Option<i64>)> {
        let (id, _) = self.instrument(instrument_id)?;
        Ok(self.kernel.borrow(py).kernel.best(InstrumentId(id)))
    }

    /// Whether an order is still open in any way.
    fn is_open(&self, py: Python<'_>, order_id: u64) -> bool {
        self.kernel.borrow(py).kernel.orders().get(OrderId(order_id)).is_some()
    }

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
    ///     `gtc`, `ioc`, `fok`, `day` (until `venue.day_end_ns`) or `gtd` (until `expire_ns`).
    /// expire_ns : int
    ///     When the order expires, UTC nanoseconds; makes it `gtd`.
    /// after : int
    ///     Open order of the strategy that comes first (OTO): this one is sent at its first fill and grows with
    ///     every other one, no larger than what filled. With `reduce_only` it is an exit of it.
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
    ///     Number of the order, or which rule refused it with its limit and the value.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     When the arguments make no sense.
    #[pyo3(signature = (
        *, quantity=None, quantity_lots=None, fraction=None, limit=None, limit_ticks=None, stop=None,
        stop_ticks=None, time_in_force="gtc", post_only=false, reduce_only=false, stop_loss=None,
        stop_loss_ticks=None, take_profit=None, take_profit_ticks=None, instrument_id=None, touch=None,
        touch_ticks=None, trail=None, trail_ticks=None, trail_limit=None, trail_limit_ticks=None,
        activation=None, activation_ticks=None, display=None, display_lots=None, to_limit=false,
        expire_ns=None, after=None, oco=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "an order has this many choices; each is a keyword")]
    fn buy<'py>(
        slf: &Bound<'py, Self>,
        quantity: Given<'py>,
        quantity_lots: Given<'py>,
        fraction: Option<f64>,
        limit: Given<'py>,
        limit_ticks: Given<'py>,
        stop: Given<'py>,
        stop_ticks: Given<'py>,
        time_in_force: &'py str,
        post_only: bool,
        reduce_only: bool,
        stop_loss: Given<'py>,
        stop_loss_ticks: Given<'py>,
        take_profit: Given<'py>,
        take_profit_ticks: Given<'py>,
        instrument_id: Option<u32>,
        touch: Given<'py>,
        touch_ticks: Given<'py>,
        trail: Given<'py>,
        trail_ticks: Given<'py>,
        trail_limit: Given<'py>,
        trail_limit_ticks: Given<'py>,
        activation: Given<'py>,
        activation_ticks: Given<'py>,
        display: Given<'py>,
        display_lots: Given<'py>,
        to_limit: bool,
        expire_ns: Option<i64>,
        after: Option<u64>,
        oco: Option<u64>,
    ) -> PyResult<Py<PyAny>> {
        let wish = Wish {
            side: Side::Buy,
            quantity,
            quantity_lots,
            fraction,
            limit: (limit, limit_ticks),
            stop: (stop, stop_ticks),
            touch: (touch, touch_ticks),
            trail: (trail, trail_ticks),
            trail_limit: (trail_limit, trail_limit_ticks),
            activation: (activation, activation_ticks),
            display: (display, display_lots),
            to_limit,
            time_in_force,
            expire_ns,
            after,
            oco,
            post_only,
            reduce_only,
            stop_loss: (stop_loss, stop_loss_ticks),
            take_profit: (take_profit, take_profit_ticks),
            instrument_id,
        };
        send(slf, &wish)
    }

    /// Send a sell order; parameters, answer and errors are those of `buy`.
    #[pyo3(signature = (
        *, quantity=None, quantity_lots=None, fraction=None, limit=None, limit_ticks=None, stop=None,
        stop_ticks=None, time_in_force="gtc", post_only=false, reduce_only=false, stop_loss=None,
        stop_loss_ticks=None, take_profit=None, take_profit_ticks=None, instrument_id=None, touch=None,
        touch_ticks=None, trail=None, trail_ticks=None, trail_limit=None, trail_limit_ticks=None,
        activation=None, activation_ticks=None, display=None, display_lots=None, to_limit=false,
        expire_ns=None, after=None, oco=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "an order has this many choices; each is a keyword")]
    fn sell<'py>(
        slf: &Bound<'py, Self>,
        quantity: Given<'py>,
        quantity_lots: Given<'py>,
        fraction: Option<f64>,
        limit: Given<'py>,
        limit_ticks: Given<'py>,
        stop: Given<'py>,
        stop_ticks: Given<'py>,
        time_in_force: &'py str,
        post_only: bool,
        reduce_only: bool,
        stop_loss: Given<'py>,
        stop_loss_ticks: Given<'py>,
        take_profit: Given<'py>,
        take_profit_ticks: Given<'py>,
        instrument_id: Option<u32>,
        touch: Given<'py>,
        touch_ticks: Given<'py>,
        trail: Given<'py>,
        trail_ticks: Given<'py>,
        trail_limit: Given<'py>,
        trail_limit_ticks: Given<'py>,
        activation: Given<'py>,
        activation_ticks: Given<'py>,
        display: Given<'py>,
        display_lots: Given<'py>,
        to_limit: bool,
        expire_ns: Option<i64>,
        after: Option<u64>,
        oco: Option<u64>,
    ) -> PyResult<Py<PyAny>> {
        let wish = Wish {
            side: Side::Sell,
            quantity,
            quantity_lots,
            fraction,
            limit: (limit, limit_ticks),
            stop: (stop, stop_ticks),
            touch: (touch, touch_ticks),
            trail: (trail, trail_ticks),
            trail_limit: (trail_limit, trail_limit_ticks),
            activation: (activation, activation_ticks),
            display: (display, display_lots),
            to_limit,
            time_in_force,
            expire_ns,
            after,
            oco,
            post_only,
            reduce_only,
            stop_loss: (stop_loss, stop_loss_ticks),
            take_profit: (take_profit, take_profit_ticks),
            instrument_id,
        };
        send(slf, &wish)
    }

    /// Ask the venue to cancel an order; False when it is not open, not ours or being cancelled.
    fn cancel(&self, py: Python<'_>, order_id: u64) -> bool {
        self.kernel.borrow_mut(py).kernel.cancel(self.strategy, OrderId(order_id))
    }

    /// Ask the venue to give an order a new open size and, unless None, a new price: its limit, else trigger.
    ///
    /// What fills while this is on its way counts towards the new size; when that is used up the order ends.
    /// A trailing stop states no price; it can have a new size.
    #[pyo3(signature = (order_id, *, quantity_lots, price_ticks=None))]
    fn replace(
        &self,
        py: Python<'_>,
        order_id: u64,
        quantity_lots: &Bound<'_, PyAny>,
        price_ticks: Given<'_>,
    ) -> PyResult<Py<PyAny>> {
        let price_ticks = price_ticks.map(|ticks| whole("price_ticks", &ticks)).transpose()?;
        let lots = whole("quantity_lots", quantity_lots)?;
        let verdict =
            self.kernel.borrow_mut(py).kernel.replace(self.strategy, OrderId(order_id), price_ticks, lots);
        verdict_object(py, verdict.map_err(|error| kernel_error(&error))?)
    }
}

impl PyOrderDesk {
    /// Returns an instrument of the strategy: the default one when none is named.
    fn instrument(&self, instrument_id: Option<u32>) -> PyResult<(u32, &Py<PyAny>)> {
        let found = match instrument_id {
            None => self.instruments.first(),
            Some(wanted) => self.instruments.iter().find(|known| known.0 == wanted),
        };
        found.map(|(id, instrument)| (*id, instrument)).ok_or_else(|| {
            let mut known: Vec<u32> = self.instruments.iter().map(|known| known.0).collect();
            known.sort_unstable();
            let wanted = instrument_id.unwrap_or_default().to_string();
            invalid_value("instrument_id", &wanted, &format!("must be one of {known:?}"))
        })
    }
}

/// Puts a wish to trade before the subclass, if it watches, and then before risk.
fn send<'py>(slf: &Bound<'py, PyOrderDesk>, wish: &Wish<'py>) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    let desk = slf.get();
    let request = request_of(py, desk, wish)?;
    if desk.is_watched
        && let Some(refused) = watch(slf, &request)?
    {
        return Ok(refused);
    }
    let links = Links { after: wish.after.map(OrderId), oco: wish.oco.map(OrderId) };
    let verdict = desk.kernel.borrow_mut(py).kernel.submit_linked(desk.strategy, &request, links);
    let verdict = verdict.map_err(|error| kernel_error(&error))?;
    if desk.is_watched && matches!(verdict, Verdict::Approved(_)) {
        slf.call_method1("_approved", (wish.reduce_only,))?;
    }
    verdict_object(py, verdict)
}

/// Lets the subclass judge and record a wish; returns the refusal when it says no.
fn watch(slf: &Bound<'_, PyOrderDesk>, request: &OrderRequest) -> PyResult<Option<Py<PyAny>>> {
    let lots = match request.size {
        Size::Lots(lots) => lots,
        Size::EquityPpm(_) => 0,
    };
    let is_buy = request.side == Side::Buy;
    let passes: bool = slf.call_method1("_judge", (request.instrument.0, is_buy, lots))?.extract()?;
    if passes {
        return Ok(None);
    }
    let (py, desk) = (slf.py(), slf.get());
    let refusal = desk.kernel.borrow_mut(py).kernel.refuse(desk.strategy, request);
    let refusal = refusal.map_err(|error| kernel_error(&error))?;
    verdict_object(py, Verdict::Refused(refusal)).map(Some)
}

/// Reads a wish in ticks and lots.
fn request_of(py: Python<'_>, desk: &PyOrderDesk, wish: &Wish<'_>) -> PyResult<OrderRequest> {
    let (id, instrument) = desk.instrument(wish.instrument_id)?;
    let instrument = instrument.bind(py);
    let kind = kind_of(instrument, wish)?;
    let session_end_ns = || desk.kernel.borrow(py).kernel.session_end_ns();
    let time_in_force = match (wish.time_in_force, wish.expire_ns) {
        ("gtc", None) => TimeInForce::Gtc,
        ("ioc", None) => TimeInForce::Ioc,
        ("fok", None) => TimeInForce::Fok,
        ("day", None) => TimeInForce::Day { expire_ns: session_end_ns() },
        ("gtc" | "gtd", Some(expire_ns)) => TimeInForce::Gtd { expire_ns },
        ("gtd", None) => return Err(invalid_value("expire_ns", "None", "must be given with gtd")),
        ("ioc" | "fok" | "day", Some(expire_ns)) => {
            let rule = format!("cannot be given with {}", wish.time_in_force);
            return Err(invalid_value("expire_ns", &expire_ns.to_string(), &rule));
        }
        (other, _) => return Err(invalid_value("time_in_force", other, "must be gtc, gtd, day, ioc or fok")),
    };
    Ok(OrderRequest {
        instrument: InstrumentId(id),
        side: wish.side,
        kind,
        time_in_force,
        post_only: wish.post_only,
        reduce_only: wish.reduce_only,
        size: size(instrument, wish)?,
        bracket: Bracket {
            stop_loss_ticks: ticks(instrument, "stop_loss", &wish.stop_loss)?,
            take_profit_ticks: ticks(instrument, "take_profit", &wish.take_profit)?,
        },
    })
}

/// Reads what kind of order the prices of a wish make.
fn kind_of(instrument: &Bound<'_, PyAny>, wish: &Wish<'_>) -> PyResult<OrderKind> {
    let limit = ticks(instrument, "limit", &wish.limit)?;
    let stop = ticks(instrument, "stop", &wish.stop)?;
    let touch = ticks(instrument, "touch", &wish.touch)?;
    let trail = ticks(instrument, "trail", &wish.trail)?;
    let trail_limit = ticks(instrument, "trail_limit", &wish.trail_limit)?;
    let activation = ticks(instrument, "activation", &wish.activation)?;
    let display = display_lots(instrument, wish)?;
    let activation_ticks = activation.unwrap_or(0);
    let kind = match (limit, stop, touch, trail, display, wish.to_limit) {
        (None, None, None, None, None, false) => Some(OrderKind::Market),
        (None, None, None, None, None, true) => Some(OrderKind::MarketToLimit),
        (Some(price_ticks), None, None, None, None, false) => Some(OrderKind::Limit { price_ticks }),
        (Some(price_ticks), None, None, None, Some(display_lots), false) => {
            Some(OrderKind::Iceberg { price_ticks, display_lots })
        }
        (None, Some(trigger_ticks), None, None, None, false) => Some(OrderKind::Stop { trigger_ticks }),
        (Some(price_ticks), Some(trigger_ticks), None, None, None, false) => {
            Some(OrderKind::StopLimit { trigger_ticks, price_ticks })
        }
        (None, None, Some(trigger_ticks), None, None, false) => {
            Some(OrderKind::MarketIfTouched { trigger_ticks })
        }
        (Some(price_ticks), None, Some(trigger_ticks), None, None, false) => {
            Some(OrderKind::LimitIfTouched { trigger_ticks, price_ticks })
        }
        (None, None, None, Some(offset_ticks), None, false) => Some(match trail_limit {
            None => OrderKind::TrailingStop { offset_ticks, activation_ticks },
            Some(limit_offset_ticks) => {
                OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks }
            }
        }),
        _ => None,
    };
    let parts = [
        ("stop", stop),
        ("touch", touch),
        ("trail", trail),
        ("to_limit", wish.to_limit.then_some(1)),
        ("display", display),
        ("trail_limit", trail_limit),
        ("activation", activation),
    ];
    let has_trail_parts = trail_limit.or(activation).is_some();
    if let Some(kind) = kind.filter(|_| trail.is_some() || !has_trail_parts) {
        return Ok(kind);
    }
    let last = parts.into_iter().rfind(|part| part.1.is_some());
    let (name, value) = last.map_or(("limit", 0), |(name, value)| (name, value.unwrap_or(0)));
    let rule = "goes with none of the others: an order has one of stop, touch, trail and to_limit; limit goes \
                with stop and touch, display with limit alone, trail_limit and activation with trail";
    Err(invalid_value(name, &value.to_string(), rule))
}

/// Reads the part of a wish that is shown, given as a number or in lots, not both.
fn display_lots(instrument: &Bound<'_, PyAny>, wish: &Wish<'_>) -> PyResult<Option<i64>> {
    match &wish.display {
        (None, None) => Ok(None),
        (None, Some(lots)) => whole("display_lots", lots).map(Some),
        (Some(quantity), None) => {
            let lots = instrument.call_method1("quantity_lots", (quantity,))?;
            whole("display", &lots).map(Some)
        }
        (Some(quantity), Some(_)) => {
            Err(invalid_value("display", &quantity.to_string(), "give display or display_lots, not both"))
        }
    }
}

/// Reads the size of a wish, which is given in exactly one way.
fn size(instrument: &Bound<'_, PyAny>, wish: &Wish<'_>) -> PyResult<Size> {
    match (&wish.quantity, &wish.quantity_lots, wish.fraction) {
        (None, Some(lots), None) => Ok(Size::Lots(whole("quantity_lots", lots)?)),
        (Some(quantity), None, None) => {
            let lots = instrument.call_method1("quantity_lots", (quantity,))?;
            Ok(Size::Lots(whole("quantity", &lots)?))
        }
        (None, None, Some(fraction)) => share(fraction),
        _ => {
            let rule = "give exactly one of quantity, quantity_lots and fraction";
            Err(invalid_value("quantity", "None", rule))
        }
    }
}

/// Reads a share of the buying power as parts per million.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the product is between 0 and one million"
)]
fn share(fraction: f64) -> PyResult<Size> {
    // Written so that NaN is refused too.
    if !(fraction > 0.0 && fraction <= 1.0) {
        return Err(invalid_value("fraction", &fraction.to_string(), "must be above 0 and at most 1"));
    }
    match (fraction * PPM).round_ties_even() as i64 {
        0 => Err(invalid_value("fraction", &fraction.to_string(), "must be at least a millionth")),
        ppm => Ok(Size::EquityPpm(ppm)),
    }
}

/// Reads a price that may be given; most are not, and then nothing is called.
#[inline]
fn ticks(instrument: &Bound<'_, PyAny>, name: &str, given: &(Given<'_>, Given<'_>)) -> PyResult<Option<i64>> {
    if let (None, None) = given { Ok(None) } else { given_ticks(instrument, name, given) }
}

/// Reads a price that is given as a number or in ticks, not both.
fn given_ticks(
    instrument: &Bound<'_, PyAny>,
    name: &str,
    given: &(Given<'_>, Given<'_>),
) -> PyResult<Option<i64>> {
    match given {
        (None, None) => Ok(None),
        (None, Some(ticks)) => whole(name, ticks).map(Some),
        (Some(price), None) => {
            let ticks = instrument.call_method1("price_ticks", (price,))?;
            whole(name, &ticks).map(Some)
        }
        (Some(price), Some(_)) => {
            let rule = format!("give {name} or {name}_ticks, not both");
            Err(invalid_value(name, &price.to_string(), &rule))
        }
    }
}

/// Reads a whole number of 64 bits.
fn whole(name: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    value.extract::<i64>().map_err(|error| {
        if error.is_instance_of::<PyOverflowError>(value.py()) {
            invalid_value(name, &value.to_string(), "must fit 64 bits")
        } else {
            error
        }
    })
}
