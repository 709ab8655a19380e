//! Numbers of an order as a strategy computed them: exact ones, and why the others are refused.

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::PyBool;
use tradecore_types::{Refusal, Rule};

use crate::errors::{invalid_argument, invalid_value, off_grid};

/// Parts per million in a percent.
const PPM_PER_PERCENT: f64 = 1e4;

/// What is wrong with the numbers of a request: the first of them is the answer, and is told in words.
#[derive(Default)]
pub struct Numbers {
    refused: Option<(Refusal, String)>,
}

impl Numbers {
    /// Returns the refusal, if there is one.
    pub fn into_refused(self) -> Option<(Refusal, String)> {
        self.refused
    }

    fn refuse(&mut self, rule: Rule, limit: i128, value: i128, words: String) {
        self.refused.get_or_insert((Refusal { rule, limit, value }, words));
    }

    /// Reads a whole number; one of more than 64 bits is refused, and stands for the nearest that fits.
    pub fn whole(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
        if let Some(number) = whole(name, value)? {
            return Ok(number);
        }
        let (limit, value) = bounds(value)?;
        self.refuse(
            Rule::InvalidOrder,
            i128::from(limit),
            value,
            format!("{name} must fit 64 bits: at most {limit}"),
        );
        Ok(limit)
    }

    /// Reads a price as ticks, or a size as lots, by a method of the instrument. What is not on the grid is
    /// refused, and stands for the nearest that is.
    pub fn stepped(
        &mut self,
        instrument: &Bound<'_, PyAny>,
        method: &str,
        name: &str,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<i64> {
        let error = match instrument.call_method1(method, (value, name)) {
            Ok(steps) => return self.whole(name, &steps),
            Err(error) => error,
        };
        let Some((rule, limit, value, words)) = off_grid(value.py(), &error)? else { return Err(error) };
        let rule = Rule::from_name(&rule).unwrap_or(Rule::InvalidOrder);
        self.refuse(rule, limit, value, words);
        Ok(i64::try_from(limit).unwrap_or(if limit > 0 { i64::MAX } else { i64::MIN }))
    }

    /// Reads a percentage as parts per million; what is less than half of one is 0.
    pub fn ppm_of_percent(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
        let percent = float(name, value)?;
        Ok(self.ppm(name, percent * PPM_PER_PERCENT))
    }

    /// Rounds parts per million to whole ones; what is no number is refused.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "a cast of a float saturates"
    )]
    pub fn ppm(&mut self, name: &str, ppm: f64) -> i64 {
        if !ppm.is_finite() {
            let value = if ppm.is_nan() { 0 } else { ppm.signum() as i128 };
            let words = format!("{name} must be a finite number: is an indicator not warm yet?");
            self.refuse(Rule::NotANumber, 0, value, words);
            return 0;
        }
        ppm.round_ties_even() as i64
    }

    /// Reads a share of the buying power as parts per million, from 1 to a million.
    pub fn share(&mut self, value: &Bound<'_, PyAny>) -> PyResult<i64> {
        const PPM: i64 = 1_000_000;
        let share = float("fraction", value)?;
        let ppm = self.ppm("fraction", share * 1e6);
        // By the number itself: a hair above 1 is refused, too.
        if share > 1.0 || ppm > PPM {
            let words = "fraction must be at most 1".to_owned();
            self.refuse(Rule::InvalidOrder, i128::from(PPM), i128::from(ppm.max(PPM + 1)), words);
        } else if ppm < 1 {
            let words = "fraction must be above 0, and at least a millionth".to_owned();
            self.refuse(Rule::InvalidOrder, 1, i128::from(ppm), words);
        }
        Ok(ppm)
    }
}

/// Reads a whole number; `None` when it does not fit 64 bits.
#[inline]
pub fn whole(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    if value.is_instance_of::<PyBool>() {
        return Err(invalid_argument(name, value, "must be a whole number, not a yes or no"));
    }
    match value.extract::<i64>() {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Ok(None),
        Err(_) => Err(invalid_argument(name, value, "must be a whole number")),
    }
}

/// Reads a whole number of 64 bits.
pub fn fitting(name: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    whole(name, value)?.ok_or_else(|| invalid_value(name, &value.to_string(), "must fit 64 bits"))
}

fn float(name: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    if value.is_instance_of::<PyBool>() {
        return Err(invalid_argument(name, value, "must be a number, not a yes or no"));
    }
    match value.extract::<f64>() {
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => {
            Ok(if value.lt(0)? { f64::NEG_INFINITY } else { f64::INFINITY })
        }
        read => read.map_err(|_| invalid_argument(name, value, "must be a number")),
    }
}

/// Returns the number of 64 bits nearest to one that does not fit, and that one as far as 128 bits go.
fn bounds(value: &Bound<'_, PyAny>) -> PyResult<(i64, i128)> {
    let is_negative = value.lt(0)?;
    let far = if is_negative { i128::MIN } else { i128::MAX };
    Ok((if is_negative { i64::MIN } else { i64::MAX }, value.extract::<i128>().unwrap_or(far)))
}
