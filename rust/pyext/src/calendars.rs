//! Reads the calendars of an `EngineSpec`: when each instrument trades.

use std::collections::HashMap;

use pyo3::prelude::*;
use tradecore_types::Sessions;

use crate::errors::{invalid_value, value_error};
use crate::problems::Problems;

/// Name of the calendar of what trades all the time; it needs no table.
const ALWAYS: &str = "24/7";

/// The sessions of every calendar that has a table, and of what trades all the time.
pub struct Calendars {
    always: Sessions,
    tables: HashMap<String, Sessions>,
}

impl Calendars {
    /// Reads the tables of a specification; what trades all the time ends its days at `venue.day_end_ns`.
    ///
    /// `None` when one of them was refused.
    pub fn read(spec: &Bound<'_, PyAny>, problems: &mut Problems) -> PyResult<Option<Self>> {
        let day_end_ns = spec.getattr("venue")?.getattr("day_end_ns")?.extract()?;
        let always = Sessions::always(day_end_ns).map_err(|error| value_error(&error));
        let Some(always) = problems.take("venue", always)? else { return Ok(None) };
        let mut is_good = true;
        let mut tables = HashMap::new();
        for item in spec.getattr("calendars")?.call_method0("items")?.try_iter()? {
            let (name, table): (String, Bound<'_, PyAny>) = item?.extract()?;
            let spans: Vec<i64> = table.getattr("spans")?.extract()?;
            let (first_ns, step_ns) =
                (table.getattr("first_ns")?.extract()?, table.getattr("step_ns")?.extract()?);
            let sessions =
                Sessions::from_spans(first_ns, step_ns, &spans).map_err(|error| value_error(&error));
            match problems.take(&format!("calendars.{name}"), sessions)? {
                Some(sessions) => drop(tables.insert(name, sessions)),
                None => is_good = false,
            }
        }
        Ok(is_good.then_some(Self { always, tables }))
    }

    /// Returns when an instrument trades; instruments of one calendar share its table.
    pub fn of(&self, instrument: &Bound<'_, PyAny>) -> PyResult<Sessions> {
        let name: String = instrument.getattr("calendar")?.extract()?;
        if name == ALWAYS {
            return Ok(self.always.clone());
        }
        self.tables.get(&name).cloned().ok_or_else(|| {
            let rule = "must be 24/7, or the name of a table in `calendars` of the specification";
            invalid_value("calendar", &name, rule)
        })
    }
}
