//! Wishes that wait for a person: which do, and what waits.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tradecore_kernel::ConsentRules;
use tradecore_types::{Decimal, Money};

use crate::access::{looked_into, taken};
use crate::errors::{invalid_value, value_error};
use crate::journal::put_intent;
use crate::kernel::PyKernel;

/// A hundredth of a basis point.
const PPM_IN_BPS: Decimal = Decimal { mantissa: 1, decimals: 2 };

/// Adds this part's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(set_consents, module)?)?;
    module.add_function(wrap_pyfunction!(waiting, module)?)
}

/// Lets entries worth more than `above` (None: every one) wait for a person's yes, `timeout_ns` at most and while the
/// price moves by `price_move_bps` at most. To be called before the first event.
#[pyfunction]
fn set_consents(
    kernel: &Bound<'_, PyKernel>,
    above: Option<&str>,
    timeout_ns: i64,
    price_move_bps: &str,
) -> PyResult<()> {
    let number = |field: &'static str, text: &str| {
        let value = Decimal::parse(field, text).map_err(|error| value_error(&error))?;
        if value.mantissa < 0 {
            return Err(invalid_value(field, text, "must not be negative"));
        }
        Ok(value)
    };
    let of_money =
        |text: &str| Money::of("above", number("above", text)?).map_err(|error| value_error(&error));
    let moved = number("price_move_bps", price_move_bps)?;
    let rules = ConsentRules {
        value_max: above.map(of_money).transpose()?,
        timeout_ns,
        move_ppm_max: moved.in_steps_of(PPM_IN_BPS, "price_move_bps").map_err(|error| value_error(&error))?,
    };
    taken(kernel.as_unbound(), kernel.py())?.kernel.set_consents(rules);
    Ok(())
}

/// Wishes that wait for a person, oldest first.
///
/// A dictionary each: order_id (its number), strategy_id, instrument_id, intent, lots, value (in atto units of
/// money), reference_ticks (the price of the market when it was asked for), asked_ns and until_ns.
#[pyfunction]
fn waiting<'py>(py: Python<'py>, kernel: &Bound<'py, PyKernel>) -> PyResult<Bound<'py, PyList>> {
    let this = looked_into(kernel.as_unbound(), py)?;
    let out = PyList::empty(py);
    for waiting in this.kernel.waiting() {
        let intent = PyDict::new(py);
        put_intent(&intent, &waiting.intent)?;
        let row = PyDict::new(py);
        row.set_item("order_id", waiting.intent.order_id.0)?;
        row.set_item("strategy_id", waiting.intent.strategy.0)?;
        row.set_item("instrument_id", waiting.intent.instrument.0)?;
        row.set_item("intent", intent)?;
        row.set_item("lots", waiting.lots)?;
        let value_ticks = waiting.intent.value_ticks(waiting.reference_ticks);
        let instrument = this.kernel.instrument(waiting.intent.instrument);
        let value = instrument.and_then(|known| known.reported_notional(value_ticks, waiting.lots));
        row.set_item("value", value.map_or(i128::MAX, |value| value.0))?;
        row.set_item("reference_ticks", waiting.reference_ticks)?;
        row.set_item("asked_ns", waiting.intent.time_ns)?;
        row.set_item("until_ns", waiting.until_ns)?;
        out.append(row)?;
    }
    Ok(out)
}
