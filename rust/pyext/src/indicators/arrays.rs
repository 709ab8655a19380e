//! Arrays in and out: one-dimensional float64, or one clear error.

use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;
use tradecore_types::ValueError;

use crate::errors::{invalid_value, value_error};
use crate::still::is_still;

/// Up to here other threads wait no longer for the whole work than for the question whether they must.
const WORTH_ASKING: usize = 4_096;

type FloatArray<'py> = Bound<'py, PyArray1<f64>>;

/// The one array that an indicator with one value has.
pub type OneArray<'py> = FloatArray<'py>;

/// Input values that lie side by side: the caller's own, or a copy of a strided array.
pub struct Series<'py> {
    /// What is read; while it is held no output can be the same array.
    array: PyReadonlyArray1<'py, f64>,
    is_still: bool,
}

impl<'py> Series<'py> {
    /// Reads an argument that must be an array of numbers with one dimension.
    pub fn of(field: &str, value: &Bound<'py, PyAny>) -> PyResult<Self> {
        let given = float_array(field, value)?;
        let array = readable(field, given)?;
        if let Ok(values) = array.as_slice() {
            let is_still = values.len() > WORTH_ASKING && is_still(given);
            return Ok(Self { array, is_still });
        }
        let copy = array.call_method0("copy")?;
        Ok(Self { array: readable(field, float_array(field, &copy)?)?, is_still: true })
    }

    /// Returns the values without copying them.
    pub fn as_slice(&self) -> &[f64] {
        self.array.as_slice().unwrap_or_default()
    }

    /// Tells whether nobody can change the values.
    pub const fn is_still(&self) -> bool {
        self.is_still
    }
}

/// Does the work; other threads run meanwhile when nobody can change what it reads and writes.
///
/// Else the interpreter lock is held: a copy would cost more than the fastest indicators do.
fn beside_others<T: Send>(py: Python<'_>, is_still: bool, work: impl FnOnce() -> T + Send) -> T {
    if is_still { py.detach(work) } else { work() }
}

/// Runs `fill` over one output, the caller's or a new one; `is_still` says whether anybody can change the inputs.
pub fn fill_one<'py>(
    py: Python<'py>,
    is_still: bool,
    length: usize,
    out: Option<&Bound<'py, PyAny>>,
    fill: impl FnOnce(&mut [f64]) -> Result<(), ValueError> + Send,
) -> PyResult<FloatArray<'py>> {
    let array = output(py, length, out)?;
    let mut view = writable(&array)?;
    let values = slice_of(&mut view)?;
    beside_others(py, is_still && out.is_none(), || fill(values)).map_err(|error| value_error(&error))?;
    Ok(array)
}

/// Three arrays, as a tuple in Python.
pub type ThreeArrays<'py> = (FloatArray<'py>, FloatArray<'py>, FloatArray<'py>);

/// Runs `fill` over three outputs, as `fill_one` does.
pub fn fill_three<'py>(
    py: Python<'py>,
    is_still: bool,
    length: usize,
    outs: Option<&Bound<'py, PyAny>>,
    fill: impl FnOnce([&mut [f64]; 3]) -> Result<(), ValueError> + Send,
) -> PyResult<ThreeArrays<'py>> {
    let given: [Option<Bound<'py, PyAny>>; 3] = match outs {
        None => [None, None, None],
        Some(outs) => outs
            .extract::<[Bound<'py, PyAny>; 3]>()
            .map_err(|_| invalid_value("out", &type_name(outs), "must be three arrays"))?
            .map(Some),
    };
    let [first, second, third] = given.each_ref().map(|given| output(py, length, given.as_ref()));
    let arrays = (first?, second?, third?);
    let mut views = [writable(&arrays.0)?, writable(&arrays.1)?, writable(&arrays.2)?];
    let [first, second, third] = views.each_mut().map(slice_of);
    let slices = [first?, second?, third?];
    beside_others(py, is_still && outs.is_none(), || fill(slices)).map_err(|error| value_error(&error))?;
    Ok(arrays)
}

fn float_array<'a, 'py>(field: &str, value: &'a Bound<'py, PyAny>) -> PyResult<&'a FloatArray<'py>> {
    value.cast::<PyArray1<f64>>().map_err(|_| {
        let (shape, dtype) = (attribute(value, "shape"), attribute(value, "dtype"));
        let given = format!("{} {dtype} {shape}", type_name(value));
        invalid_value(field, given.trim_end(), "must be a one-dimensional numpy array of float64")
    })
}

fn readable<'py>(field: &str, array: &FloatArray<'py>) -> PyResult<PyReadonlyArray1<'py, f64>> {
    array.try_readonly().map_err(|_| invalid_value(field, "array", "must not be in use as an output"))
}

fn output<'py>(
    py: Python<'py>,
    length: usize,
    given: Option<&Bound<'py, PyAny>>,
) -> PyResult<FloatArray<'py>> {
    let array = match given {
        None => unwritten(py, length)?,
        Some(given) => float_array("out", given)?.clone(),
    };
    if array.len() == length {
        return Ok(array);
    }
    let rule = format!("must have as many values as the first input, {length}");
    Err(invalid_value("out", &array.len().to_string(), &rule))
}

/// An array that numpy has not cleared, as `fill` writes every value of it: clearing costs as much as an average.
fn unwritten(py: Python<'_>, length: usize) -> PyResult<FloatArray<'_>> {
    let array = py.import("numpy")?.call_method1("empty", (length,))?;
    array.cast_into().map_err(PyErr::from)
}

fn writable<'py>(array: &FloatArray<'py>) -> PyResult<PyReadwriteArray1<'py, f64>> {
    let rule = "must be writable and share no memory with an input or another output";
    array.try_readwrite().map_err(|_| invalid_value("out", "array", rule))
}

fn slice_of<'a>(view: &'a mut PyReadwriteArray1<'_, f64>) -> PyResult<&'a mut [f64]> {
    view.as_slice_mut().map_err(|_| invalid_value("out", "array", "must be contiguous and aligned"))
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

fn attribute(value: &Bound<'_, PyAny>, name: &str) -> String {
    value.getattr(name).map_or_else(|_| String::new(), |attribute| attribute.to_string())
}
