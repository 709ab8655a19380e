//! An order as the caller of `OrderDesk.buy` or `sell` states it, and what it is in ticks and lots.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use tradecore_kernel::{Links, OrderRequest};
use tradecore_types::{Bracket, ExitPrice, InstrumentId, OrderId, OrderKind, Side, Size, TimeInForce};

use crate::errors::invalid_value;
use crate::events::side_name;
use crate::numbers::{Numbers, whole};
use crate::updates::PyRefused;

/// A size or price as the caller gave it: as a number, or exact.
pub type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// A part of an order that the caller may leave out, as [`Given`] but a pointer and nothing behind it: an order has
/// two dozen of them, and nearly all are left out.
#[derive(Clone, Copy)]
pub struct Part<'a, 'py>(Option<Borrowed<'a, 'py, PyAny>>);

impl<'py> Part<'_, 'py> {
    pub const NONE: Self = Self(None);

    #[inline]
    pub const fn is_none(self) -> bool {
        self.0.is_none()
    }

    #[inline]
    pub fn get(&self) -> Given<'_, 'py> {
        self.0.as_deref()
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Part<'a, 'py> {
    type Error = PyErr;

    #[inline]
    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self((!given.is_none()).then_some(given)))
    }
}

/// What was given by position, if only `None`.
#[derive(Clone, Copy)]
pub struct ByPosition<'a, 'py>(Option<Borrowed<'a, 'py, PyAny>>);

impl ByPosition<'_, '_> {
    pub const NOTHING: Self = Self(None);

    /// Returns whether everything was given by name.
    #[inline]
    pub const fn is_nothing(self) -> bool {
        self.0.is_none()
    }

    /// Says how to call a method whose arguments have names: `call` is one that lacks the value.
    pub fn refusal(self, method: &str, call: &str) -> PyErr {
        let shown = self.0.and_then(|given| given.repr().ok());
        let value = shown.map_or_else(|| "...".to_owned(), |text| text.to_string());
        PyTypeError::new_err(format!("{method} takes its arguments by name: ctx.{method}({call}{value})"))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for ByPosition<'a, 'py> {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(Some(given)))
    }
}

/// The number of an order, as `buy` and `sell` answer it.
pub struct OrderNumber(pub u64);

impl FromPyObject<'_, '_> for OrderNumber {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        given.extract::<u64>().map(Self).map_err(|error| {
            let refused = given.cast::<PyRefused>().ok().map(|refused| refused.get().rule);
            let why = match refused {
                Some(rule) => format!("that order was refused ({rule}), so it has no number"),
                None if error.is_instance_of::<PyOverflowError>(given.py()) => "that is none".to_owned(),
                None => given.get_type().name().map_or_else(|_| String::new(), |name| format!("not {name}")),
            };
            PyTypeError::new_err(format!(
                "order_id must be the number of an order, as buy and sell answer it; {why}"
            ))
        })
    }
}

/// An order as the caller stated it.
pub struct Wish<'a, 'py> {
    pub side: Side,
    /// What was given without a name, which is refused: an order's numbers are too alike.
    ///
    /// The parameters are no keyword-only ones because the binding goes through all of those at every call.
    pub by_position: ByPosition<'a, 'py>,
    pub quantity: Part<'a, 'py>,
    pub quantity_lots: Part<'a, 'py>,
    pub fraction: Part<'a, 'py>,
    pub limit: (Part<'a, 'py>, Part<'a, 'py>),
    pub stop: (Part<'a, 'py>, Part<'a, 'py>),
    pub touch: (Part<'a, 'py>, Part<'a, 'py>),
    pub trail: (Part<'a, 'py>, Part<'a, 'py>),
    pub trail_limit: (Part<'a, 'py>, Part<'a, 'py>),
    pub activation: (Part<'a, 'py>, Part<'a, 'py>),
    pub display: (Part<'a, 'py>, Part<'a, 'py>),
    pub to_limit: bool,
    pub time_in_force: &'a str,
    pub expire_ns: Option<i64>,
    pub after: Option<u64>,
    pub oco: Option<u64>,
    pub post_only: bool,
    pub reduce_only: bool,
    pub stop_loss: (Part<'a, 'py>, Part<'a, 'py>),
    pub take_profit: (Part<'a, 'py>, Part<'a, 'py>),
    pub stop_loss_pct: Part<'a, 'py>,
    pub take_profit_pct: Part<'a, 'py>,
    pub trail_pct: Part<'a, 'py>,
}

impl Wish<'_, '_> {
    /// Returns whether it states what nearly every order states, and nothing else.
    ///
    /// One question after the other: an array of them would write each part to memory to ask it there.
    #[inline]
    pub fn is_plain(&self) -> bool {
        let is_missing = |given: (Part<'_, '_>, Part<'_, '_>)| given.0.is_none() && given.1.is_none();
        self.by_position.is_nothing()
            && self.quantity.is_none()
            && self.limit.0.is_none()
            && self.time_in_force == "gtc"
            && self.expire_ns.is_none()
            && self.after.is_none()
            && self.oco.is_none()
            && self.fraction.is_none()
            && !self.to_limit
            && is_missing(self.stop)
            && is_missing(self.touch)
            && is_missing(self.trail)
            && is_missing(self.trail_limit)
            && is_missing(self.activation)
            && is_missing(self.display)
            && is_missing(self.stop_loss)
            && is_missing(self.take_profit)
            && self.stop_loss_pct.is_none()
            && self.take_profit_pct.is_none()
            && self.trail_pct.is_none()
    }

    /// Reads a plain wish; `None` when one of its numbers does not fit 64 bits.
    #[inline]
    pub fn plain_request(&self, id: InstrumentId) -> PyResult<Option<OrderRequest>> {
        let kind = match self.limit.1.get() {
            None => OrderKind::Market,
            Some(price) => match whole("limit", price)? {
                Some(price_ticks) => OrderKind::Limit { price_ticks },
                None => return Ok(None),
            },
        };
        let lots = self.quantity_lots.get().ok_or_else(no_one_size)?;
        let Some(lots) = whole("quantity_lots", lots)? else { return Ok(None) };
        Ok(Some(OrderRequest {
            instrument: id,
            side: self.side,
            kind,
            time_in_force: TimeInForce::Gtc,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            size: Size::Lots(lots),
            bracket: Bracket::default(),
        }))
    }

    /// Returns the orders that this one is bound to.
    pub fn links(&self) -> Links {
        Links { after: self.after.map(OrderId), oco: self.oco.map(OrderId) }
    }

    /// Reads the wish in ticks and lots; a day's order asks when its session ends. What has no exact number goes
    /// to `numbers`, and the nearest one stands for it.
    pub fn request(
        &self,
        numbers: &mut Numbers,
        id: InstrumentId,
        instrument: &Bound<'_, PyAny>,
        session_end_ns: impl Fn() -> PyResult<i64>,
    ) -> PyResult<OrderRequest> {
        if !self.by_position.is_nothing() {
            return Err(self.by_position.refusal(side_name(self.side), "quantity="));
        }
        let kind = self.kind(numbers, instrument)?;
        let time_in_force = match (self.time_in_force, self.expire_ns) {
            ("gtc", None) => TimeInForce::Gtc,
            ("ioc", None) => TimeInForce::Ioc,
            ("fok", None) => TimeInForce::Fok,
            ("day", None) => TimeInForce::Day { expire_ns: session_end_ns()? },
            ("gtc" | "gtd", Some(expire_ns)) => TimeInForce::Gtd { expire_ns },
            ("gtd", None) => return Err(invalid_value("expire_ns", "None", "must be given with gtd")),
            ("ioc" | "fok" | "day", Some(expire_ns)) => {
                let rule = format!("cannot be given with {}", self.time_in_force);
                return Err(invalid_value("expire_ns", &expire_ns.to_string(), &rule));
            }
            (other, _) => {
                let rule = "must be gtc, gtd, day, ioc or fok";
                return Err(invalid_value("time_in_force", other, rule));
            }
        };
        Ok(OrderRequest {
            instrument: id,
            side: self.side,
            kind,
            time_in_force,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            size: self.size(numbers, instrument)?,
            bracket: self.bracket(numbers, instrument)?,
        })
    }

    /// Reads the exits that travel with it.
    fn bracket(&self, numbers: &mut Numbers, instrument: &Bound<'_, PyAny>) -> PyResult<Bracket> {
        Ok(Bracket {
            stop_loss: exit(numbers, instrument, "stop_loss", self.stop_loss, self.stop_loss_pct)?,
            take_profit: exit(numbers, instrument, "take_profit", self.take_profit, self.take_profit_pct)?,
        })
    }

    /// Reads what kind of order the prices make.
    fn kind(&self, numbers: &mut Numbers, instrument: &Bound<'_, PyAny>) -> PyResult<OrderKind> {
        let mut read = |name, given| ticks(numbers, instrument, name, given);
        let limit = read("limit", self.limit)?;
        let stop = read("stop", self.stop)?;
        let touch = read("touch", self.touch)?;
        let trail = read("trail", self.trail)?;
        let trail_limit = read("trail_limit", self.trail_limit)?;
        let activation = read("activation", self.activation)?;
        let display = self.display_lots(numbers, instrument)?;
        if let Some(percent) = self.trail_pct.get() {
            let others = [limit, stop, touch, trail, trail_limit, display];
            if self.to_limit || others.iter().any(Option::is_some) {
                let rule = "goes with activation alone: an order has one of stop, touch, trail, trail_pct and to_limit";
                return Err(invalid_value("trail_pct", &percent.to_string(), rule));
            }
            let offset_ppm = numbers.ppm_of_percent("trail_pct", percent)?;
            return Ok(OrderKind::TrailingPercent { offset_ppm, activation_ticks: activation.unwrap_or(0) });
        }
        let activation_ticks = activation.unwrap_or(0);
        let kind = match (limit, stop, touch, trail, display, self.to_limit) {
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
            ("to_limit", self.to_limit.then_some(1)),
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

    /// Reads the part that is shown, given as a number or in lots, not both.
    fn display_lots(&self, numbers: &mut Numbers, instrument: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
        match (self.display.0.get(), self.display.1.get()) {
            (None, None) => Ok(None),
            (None, Some(lots)) => numbers.whole("display_lots", lots).map(Some),
            (Some(quantity), None) => {
                numbers.stepped(instrument, "quantity_lots", "display", quantity).map(Some)
            }
            (Some(quantity), Some(_)) => {
                Err(invalid_value("display", &quantity.to_string(), "give display or display_lots, not both"))
            }
        }
    }

    /// Reads the size, which is given in exactly one way.
    fn size(&self, numbers: &mut Numbers, instrument: &Bound<'_, PyAny>) -> PyResult<Size> {
        match (self.quantity.get(), self.quantity_lots.get(), self.fraction.get()) {
            (None, Some(lots), None) => numbers.whole("quantity_lots", lots).map(Size::Lots),
            (Some(quantity), None, None) => {
                numbers.stepped(instrument, "quantity_lots", "quantity", quantity).map(Size::Lots)
            }
            (None, None, Some(fraction)) => numbers.share(fraction).map(Size::BuyingPowerPpm),
            _ => Err(no_one_size()),
        }
    }
}

/// Says that the size is missing or given twice.
fn no_one_size() -> PyErr {
    invalid_value("quantity", "None", "give exactly one of quantity, quantity_lots and fraction")
}

/// Reads a price that may be given; most are not, and then nothing is called.
fn ticks(
    numbers: &mut Numbers,
    instrument: &Bound<'_, PyAny>,
    name: &str,
    given: (Part<'_, '_>, Part<'_, '_>),
) -> PyResult<Option<i64>> {
    if given.0.is_none() && given.1.is_none() {
        return Ok(None);
    }
    given_ticks(numbers, instrument, name, given)
}

/// Reads a price that is given as a number or in ticks, not both.
fn given_ticks(
    numbers: &mut Numbers,
    instrument: &Bound<'_, PyAny>,
    name: &str,
    given: (Part<'_, '_>, Part<'_, '_>),
) -> PyResult<Option<i64>> {
    match (given.0.get(), given.1.get()) {
        (None, None) => Ok(None),
        (None, Some(ticks)) => numbers.whole(name, ticks).map(Some),
        (Some(price), None) => numbers.stepped(instrument, "price_ticks", name, price).map(Some),
        (Some(price), Some(_)) => {
            let rule = format!("give {name} or {name}_ticks, not both");
            Err(invalid_value(name, &price.to_string(), &rule))
        }
    }
}

/// Reads an exit of a bracket: a price, or its distance from the fill in percent.
fn exit(
    numbers: &mut Numbers,
    instrument: &Bound<'_, PyAny>,
    name: &str,
    at: (Part<'_, '_>, Part<'_, '_>),
    percent: Part<'_, '_>,
) -> PyResult<Option<ExitPrice>> {
    let at = ticks(numbers, instrument, name, at)?;
    match (at, percent.get()) {
        (at, None) => Ok(at.map(ExitPrice::Ticks)),
        (None, Some(percent)) => {
            numbers.ppm_of_percent(&format!("{name}_pct"), percent).map(|ppm| Some(ExitPrice::Ppm(ppm)))
        }
        (Some(_), Some(percent)) => {
            let rule = format!("give {name}, {name}_ticks or {name}_pct, one of them");
            Err(invalid_value(&format!("{name}_pct"), &percent.to_string(), &rule))
        }
    }
}
