//! The best levels of a book in an array that is rewritten on demand.

use numpy::{PyArray1, PyArray3, PyArrayMethods};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use crate::book::{PyL2Book, write_rows};

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyTopView>()
}

/// The best levels of an `L2Book` in one array, as `top_view` of the book makes it.
///
/// What `L2Book.top` checks of its `out` at each call is known here from the start, so `refresh` takes less than
/// half the time.
#[pyclass(name = "TopView", module = "tradecore._core")]
pub struct PyTopView {
    book: Py<PyL2Book>,
    array: Py<PyArray3<i64>>,
    /// Memory of the array, which stays where it is as long as this is held.
    memory: PyBuffer<i64>,
    /// What is about to be copied there.
    cells: Box<[i64]>,
}

#[pymethods]
impl PyTopView {
    /// Writes the best levels as they are now, and returns the array: always the same one, of the shape of `top`.
    fn refresh(&mut self, py: Python<'_>) -> PyResult<Py<PyArray3<i64>>> {
        write_rows(self.book.bind(py).try_borrow()?.inner(), &mut self.cells);
        self.memory.copy_from_slice(py, &self.cells)?;
        Ok(self.array.clone_ref(py))
    }
}

impl PyTopView {
    /// Makes a view of `n` levels a side, which shows them at once.
    pub fn new(py: Python<'_>, book: Py<PyL2Book>, n: usize) -> PyResult<Self> {
        // A view: an array that does not own its memory cannot be resized, so that the memory stays.
        let array = PyArray1::zeros(py, n * 4, false).reshape([2, n, 2])?;
        let memory = PyBuffer::get(&array)?;
        let cells = vec![0; n * 4].into_boxed_slice();
        let mut view = Self { book, array: array.unbind(), memory, cells };
        view.refresh(py)?;
        Ok(view)
    }
}
