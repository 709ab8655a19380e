//! Python face of measured latencies.

use pyo3::prelude::*;
use tradecore_kernel::{LatencySample, LatencySamples};

use crate::columns::{Column, rows, slice};
use crate::errors::value_error;
use crate::kernel::hex;

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLatencySamples>()
}

/// Measured latencies of orders: when a request left, when the venue had it, when the answer came back.
///
/// Three contiguous int64 arrays of one length in UTC nanoseconds. From row to row requests are later and
/// the venue is not earlier; no way takes less than no time. Raises `InvalidValueError` with the row.
#[pyclass(name = "LatencySamples", module = "tradecore._core", frozen)]
pub struct PyLatencySamples {
    /// The samples, in the order in which they were measured.
    pub inner: LatencySamples,
}

#[pymethods]
impl PyLatencySamples {
    /// Reads one sample a row from three columns of equal length, in UTC nanoseconds.
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "arguments as Python hands them over")]
    fn new(request_ns: Column<'_>, venue_ns: Column<'_>, response_ns: Column<'_>) -> PyResult<Self> {
        let columns = rows([
            ("request_ns", slice("request_ns", &request_ns)?),
            ("venue_ns", slice("venue_ns", &venue_ns)?),
            ("response_ns", slice("response_ns", &response_ns)?),
        ])?;
        let samples = columns
            .map(|[request_ns, venue_ns, response_ns]| LatencySample { request_ns, venue_ns, response_ns })
            .collect();
        Ok(Self { inner: LatencySamples::new(samples).map_err(|error| value_error(&error))? })
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    /// BLAKE3 hash of all values, hexadecimal: equal samples have equal digests, in whatever file they are.
    #[getter]
    fn digest(&self) -> String {
        hex(&self.inner.digest())
    }
}
