//! An order as the caller of `OrderDesk.buy` or `sell` states it, and what it is in ticks and lots.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use tradecore_kernel::{Links, OrderRequest};
use tradecore_types::{Bracket, InstrumentId, OrderId, OrderKind, Side, Size, TimeInForce};

use crate::errors::invalid_value;
use crate::events::side_name;
use crate::updates::PyRefused;

/// Parts per million in a whole.
const PPM: f64 = 1e6;

/// A size or price as the caller gave it: as a number, or exact.
pub type Given<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

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
    pub quantity: Given<'a, 'py>,
    pub quantity_lots: Given<'a, 'py>,
    pub fraction: Option<f64>,
    pub limit: (Given<'a, 'py>, Given<'a, 'py>),
    pub stop: (Given<'a, 'py>, Given<'a, 'py>),
    pub touch: (Given<'a, 'py>, Given<'a, 'py>),
    pub trail: (Given<'a, 'py>, Given<'a, 'py>),
    pub trail_limit: (Given<'a, 'py>, Given<'a, 'py>),
    pub activation: (Given<'a, 'py>, Given<'a, 'py>),
    pub display: (Given<'a, 'py>, Given<'a, 'py>),
    pub to_limit: bool,
    pub time_in_force: &'a str,
    pub expire_ns: Option<i64>,
    pub after: Option<u64>,
    pub oco: Option<u64>,
    pub post_only: bool,
    pub reduce_only: bool,
    pub stop_loss: (Given<'a, 'py>, Given<'a, 'py>),
    pub take_profit: (Given<'a, 'py>, Given<'a, 'py>),
}

impl Wish<'_, '_> {
    /// Returns whether it states what nearly every order states, and nothing else.
    #[inline]
    pub fn is_plain(&self) -> bool {
        let pairs = [self.stop, self.touch, self.trail, self.trail_limit, self.activation, self.display];
        let exits = [self.stop_loss, self.take_profit];
        let is_exact = self.by_position.is_nothing() && self.quantity.is_none() && self.limit.0.is_none();
        let is_lasting = self.time_in_force == "gtc" && self.expire_ns.is_none();
        let is_single = self.after.is_none() && self.oco.is_none() && self.fraction.is_none();
        let is_missing = |given: &(Given<'_, '_>, Given<'_, '_>)| given.0.is_none() && given.1.is_none();
        is_exact
            && is_lasting
            && is_single
            && !self.to_limit
            && pairs.iter().all(is_missing)
            && exits.iter().all(is_missing)
    }

    /// Reads a plain wish.
    #[inline]
    pub fn plain_request(&self, id: InstrumentId) -> PyResult<OrderRequest> {
        let kind = match self.limit.1 {
            None => OrderKind::Market,
            Some(price) => OrderKind::Limit { price_ticks: whole("limit", price)? },
        };
        let lots = self.quantity_lots.ok_or_else(no_one_size)?;
        Ok(OrderRequest {
            instrument: id,
            side: self.side,
            kind,
            time_in_force: TimeInForce::Gtc,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            size: Size::Lots(whole("quantity_lots", lots)?),
            bracket: Bracket::default(),
        })
    }

    /// Returns the orders that this one is bound to.
    pub fn links(&self) -> Links {
        Links { after: self.after.map(OrderId), oco: self.oco.map(OrderId) }
    }

    /// Reads the wish in ticks and lots; a day's order asks when its session ends.
    pub fn request(
        &self,
        id: InstrumentId,
        instrument: &Bound<'_, PyAny>,
        session_end_ns: impl Fn() -> PyResult<i64>,
    ) -> PyResult<OrderRequest> {
        if !self.by_position.is_nothing() {
            return Err(self.by_position.refusal(side_name(self.side), "quantity="));
        }
        let kind = self.kind(instrument)?;
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
            size: self.size(instrument)?,
            bracket: Bracket {
                stop_loss_ticks: ticks(instrument, "stop_loss", self.stop_loss)?,
                take_profit_ticks: ticks(instrument, "take_profit", self.take_profit)?,
            },
        })
    }

    /// Reads what kind of order the prices make.
    fn kind(&self, instrument: &Bound<'_, PyAny>) -> PyResult<OrderKind> {
        let limit = ticks(instrument, "limit", self.limit)?;
        let stop = ticks(instrument, "stop", self.stop)?;
        let touch = ticks(instrument, "touch", self.touch)?;
        let trail = ticks(instrument, "trail", self.trail)?;
        let trail_limit = ticks(instrument, "trail_limit", self.trail_limit)?;
        let activation = ticks(instrument, "activation", self.activation)?;
        let display = self.display_lots(instrument)?;
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
    fn display_lots(&self, instrument: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
        match self.display {
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

    /// Reads the size, which is given in exactly one way.
    fn size(&self, instrument: &Bound<'_, PyAny>) -> PyResult<Size> {
        match (self.quantity, self.quantity_lots, self.fraction) {
            (None, Some(lots), None) => Ok(Size::Lots(whole("quantity_lots", lots)?)),
            (Some(quantity), None, None) => {
                let lots = instrument.call_method1("quantity_lots", (quantity,))?;
                Ok(Size::Lots(whole("quantity", &lots)?))
            }
            (None, None, Some(fraction)) => share(fraction),
            _ => Err(no_one_size()),
        }
    }
}

/// Says that the size is missing or given twice.
fn no_one_size() -> PyErr {
    invalid_value("quantity", "None", "give exactly one of quantity, quantity_lots and fraction")
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
fn ticks(
    instrument: &Bound<'_, PyAny>,
    name: &str,
    given: (Given<'_, '_>, Given<'_, '_>),
) -> PyResult<Option<i64>> {
    if let (None, None) = given { Ok(None) } else { given_ticks(instrument, name, given) }
}

/// Reads a price that is given as a number or in ticks, not both.
fn given_ticks(
    instrument: &Bound<'_, PyAny>,
    name: &str,
    given: (Given<'_, '_>, Given<'_, '_>),
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
pub fn whole(name: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    value.extract::<i64>().map_err(|error| {
        if error.is_instance_of::<PyOverflowError>(value.py()) {
            invalid_value(name, &value.to_string(), "must fit 64 bits")
        } else {
            error
        }
    })
}
