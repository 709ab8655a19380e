//! Columns of the engine as numpy arrays on the engine's own memory: the one place that needs `unsafe`.

use std::any::Any;
use std::sync::Arc;

use numpy::ndarray::ArrayView1;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

/// What an array on columns keeps, so that their memory outlives it. Nothing can be done with it.
#[pyclass(name = "LentColumns", module = "tradecore._core", frozen)]
struct PyLentColumns {
    _columns: Arc<dyn Any + Send + Sync>,
}

/// Columns that were lent, and the Python object that keeps them.
pub struct Lent<'py, T> {
    columns: Arc<T>,
    keeper: Bound<'py, PyLentColumns>,
}

impl<'py, T: Any + Send + Sync> Lent<'py, T> {
    /// Puts columns into the keeping of a Python object.
    pub fn new(py: Python<'py>, columns: Arc<T>) -> PyResult<Self> {
        let keeper = Bound::new(py, PyLentColumns { _columns: Arc::<T>::clone(&columns) })?;
        Ok(Self { columns, keeper })
    }

    /// Returns the columns that are shown, as they are in the engine's memory.
    pub fn columns(&self) -> &T {
        &self.columns
    }

    /// Returns a column as a read-only int64 array on its memory.
    #[expect(unsafe_code, reason = "numpy cannot be told in safe code to look at memory of ours")]
    pub fn view(&self, column: impl FnOnce(&T) -> &[i64]) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let column = ArrayView1::from(column(&self.columns));
        let keeper = self.keeper.clone().into_any();
        // SAFETY: `column` is borrowed from what `self.columns` points to, for any lifetime it may be borrowed
        // for, and the keeper holds that very `Arc` from its creation to its end: it is frozen and has no
        // method, and it has no cycle that a collector would clear. So the memory lives as long as the array,
        // whose base the keeper becomes. Nobody changes it meanwhile: safe code gets at the inside of an `Arc`
        // only while nobody else holds it, and the array is made read-only before anybody sees it. numpy does
        // not let that be undone, because the keeper offers no writable buffer. Miri cannot run Python: it runs
        // the same lending and reading without it in `miri/lent_memory.rs` (`make miri`).
        let array = unsafe { PyArray1::borrow_from_array(&column, keeper) };
        array.try_readwrite()?.make_nonwriteable();
        Ok(array)
    }
}
