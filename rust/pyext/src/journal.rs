//! Python face of the journal crate: one writer, many readers, records as plain values.

mod failure;
mod files;
mod record_fields;
mod writer;

use std::path::PathBuf;
use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use tradecore_journal::{
    Frames, Head, JournalError, Kind, Reader, collect_events, decode, encode_session, encode_session_end,
};
use tradecore_kernel::BEHAVIOUR_VERSION;
use tradecore_ledger::{OrderEvent, OrderState, state_after};
use tradecore_types::CommandName;

use self::failure::{locked, storage};
use self::record_fields::fields;
pub use self::record_fields::{put_command, put_intent};
use crate::batch::PyEventBatch;
use crate::errors::{data_error, invalid_value};

/// Adds this part's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    writer::register(module)?;
    files::register(module)?;
    module.add_class::<PyJournalReader>()?;
    module.add_function(wrap_pyfunction!(decode_frames, module)?)?;
    module.add_class::<PyDecodedFrames>()?;
    module.add_function(wrap_pyfunction!(journal_kinds, module)?)?;
    module.add_function(wrap_pyfunction!(command_names, module)?)?;
    module.add_function(wrap_pyfunction!(order_states, module)?)?;
    module.add_function(wrap_pyfunction!(order_state_after, module)?)?;
    module.add("BEHAVIOUR_VERSION", BEHAVIOUR_VERSION)?;
    module.add_function(wrap_pyfunction!(events_from_frames, module)?)?;
    module.add_function(wrap_pyfunction!(py_encode_session, module)?)?;
    module.add_function(wrap_pyfunction!(py_encode_session_end, module)?)
}

/// Reads a journal from its beginning, also while another process writes it.
///
/// Iterating gives `(seq, time_ns, kind, fields)`; it ends where whole blocks end, and a new `for` goes
/// on from there when there are more. Damage raises `StorageError` at its place.
#[pyclass(name = "JournalReader", module = "tradecore._core", frozen)]
pub struct PyJournalReader {
    state: Mutex<ReaderState>,
}

/// A reader and what is left of the block it read last.
struct ReaderState {
    reader: Reader,
    block: Vec<u8>,
    used: usize,
    /// Head before that block.
    head_before: Head,
    /// Number of the next frame to be given out.
    next_seq: u64,
}

impl ReaderState {
    fn rest(&self) -> &[u8] {
        self.block.get(self.used..).unwrap_or_default()
    }

    /// Returns the head after the last block of which nothing is left: a block that was read ahead is no part of it.
    fn head(&self) -> Head {
        if self.rest().is_empty() { self.reader.head() } else { self.head_before }
    }

    /// Makes sure that something is left, if the file has it.
    fn load(&mut self) -> Result<bool, JournalError> {
        if !self.rest().is_empty() {
            return Ok(true);
        }
        self.block.clear();
        self.used = 0;
        self.head_before = self.reader.head();
        let Some(block) = self.reader.next_block()? else { return Ok(false) };
        self.next_seq = block.first_seq;
        self.block.extend_from_slice(block.frames);
        // Past what was dropped before the next block: a position is where the next record is.
        self.reader.settle()?;
        Ok(true)
    }

    /// Returns the next frame and its number.
    fn next_frame(&mut self) -> Result<Option<(u64, Vec<u8>)>, JournalError> {
        if !self.load()? {
            return Ok(None);
        }
        // The block was checked: it is whole frames.
        let Some(Ok(frame)) = Frames::new(self.rest()).next() else { return Ok(None) };
        let frame = frame.to_vec();
        let seq = self.next_seq;
        self.used += frame.len();
        self.next_seq += 1;
        Ok(Some((seq, frame)))
    }

    /// Reads past whole blocks until so many frames are read, or the file ends.
    fn skip_to(&mut self, seq: u64) -> Result<(), JournalError> {
        while self.records() < seq && self.load()? {
            self.pass_block();
        }
        Ok(())
    }

    /// Takes what is left of the block; returns the number after it.
    fn pass_block(&mut self) -> u64 {
        self.next_seq += u64::try_from(Frames::new(self.rest()).count()).unwrap_or(0);
        self.used = self.block.len();
        self.next_seq
    }

    /// Returns how many frames were given out; those that were dropped right after them count, too.
    fn records(&self) -> u64 {
        if self.rest().is_empty() { self.reader.records() } else { self.next_seq }
    }

    /// Returns whole blocks, at most so many bytes but at least one block.
    fn next_frames(&mut self, max_bytes: usize) -> Result<Vec<u8>, JournalError> {
        let (mut frames, mut after) = (Vec::new(), 0);
        while self.load()? {
            let is_enough = frames.len() + self.rest().len() > max_bytes || self.next_seq != after;
            if !frames.is_empty() && is_enough {
                break;
            }
            frames.extend_from_slice(self.rest());
            after = self.pass_block();
        }
        Ok(frames)
    }
}

#[pymethods]
impl PyJournalReader {
    /// Open a journal to read it; it is not changed and no lock is taken.
    ///
    /// With `from_seq` it is read from the beginning of the segment that has this frame; `skip_to` leads to the frame.
    #[new]
    #[pyo3(signature = (path, from_seq = 0))]
    fn new(py: Python<'_>, path: PathBuf, from_seq: u64) -> PyResult<Self> {
        let open = || if from_seq == 0 { Reader::open(&path) } else { Reader::open_late(&path, from_seq) };
        let reader = py.detach(open).map_err(|error| storage(&error))?;
        let (head_before, next_seq) = (reader.head(), reader.records());
        let state = ReaderState { reader, block: Vec::new(), used: 0, head_before, next_seq };
        Ok(Self { state: Mutex::new(state) })
    }

    /// Return the next whole frames: at most `max_bytes`, but at least one block; empty at the end.
    ///
    /// They are numbered one after the other from `records` on: frames that a retention dropped end them.
    fn read_frames<'py>(&self, py: Python<'py>, max_bytes: usize) -> PyResult<Bound<'py, PyBytes>> {
        let frames = py.detach(|| locked(&self.state).next_frames(max_bytes));
        frames.map(|frames| PyBytes::new(py, &frames)).map_err(|error| storage(&error))
    }

    /// Read past whole blocks until `seq` frames are read, or the file ends; `records` says where it stopped.
    fn skip_to(&self, py: Python<'_>, seq: u64) -> PyResult<()> {
        py.detach(|| locked(&self.state).skip_to(seq)).map_err(|error| storage(&error))
    }

    /// Number of frames given out so far, those among them that a retention dropped included.
    #[getter]
    fn records(&self, py: Python<'_>) -> u64 {
        py.detach(|| locked(&self.state).records())
    }

    /// Hash of the chain after the last whole block that was given out, as hexadecimal text.
    #[getter]
    fn head(&self, py: Python<'_>) -> String {
        py.detach(|| locked(&self.state).head().to_string())
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<NumberedRecord<'py>>> {
        let next = py.detach(|| locked(&self.state).next_frame()).map_err(|error| storage(&error))?;
        let Some((seq, frame)) = next else { return Ok(None) };
        let (kind, time_ns, fields) = plain(py, &frame, seq)?;
        Ok(Some((seq, time_ns, kind, fields)))
    }
}

type NumberedRecord<'py> = (u64, i64, &'static str, Bound<'py, PyDict>);
type PlainRecord<'py> = (&'static str, i64, Bound<'py, PyDict>);

/// Read frames as a list of `(kind, time_ns, fields)`.
///
/// Values are integers (money in atto units), floats of gates, booleans and text; what a record does not
/// have is left out. Raises `DataError` when the bytes are not whole records.
#[pyfunction]
fn decode_frames<'py>(py: Python<'py>, frames: &[u8]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (seq, frame) in (0u64..).zip(Frames::new(frames)) {
        let frame = frame.map_err(|error| bad_frame(seq, &error.to_string()))?;
        list.append(plain(py, frame, seq)?)?;
    }
    Ok(list)
}

/// Frames read one after another as `(kind, time_ns, fields)`, as `decode_frames` returns them.
///
/// What is read is let go before the next: a list of thousands of dictionaries takes twenty times as much
/// memory as its frames. Raises `DataError` at the first bytes that are no record.
#[pyclass(name = "DecodedFrames", module = "tradecore._core")]
pub struct PyDecodedFrames {
    frames: Py<PyBytes>,
    /// How many bytes and frames are read.
    read: usize,
    seq: u64,
}

#[pymethods]
impl PyDecodedFrames {
    #[new]
    fn new(frames: Py<PyBytes>) -> Self {
        Self { frames, read: 0, seq: 0 }
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<PlainRecord<'py>>> {
        let bytes = self.frames.bind(py).as_bytes();
        let Some(frame) = bytes.get(self.read..).and_then(|rest| Frames::new(rest).next()) else {
            return Ok(None);
        };
        let seq = self.seq;
        let frame = frame.map_err(|error| bad_frame(seq, &error.to_string()))?;
        (self.read, self.seq) = (self.read.saturating_add(frame.len()), seq.saturating_add(1));
        plain(py, frame, seq).map(Some)
    }
}

/// Return every kind of record as `(number, name, direction, about, fields)`, in the order of numbers.
///
/// The direction is `input` (fed to the engine), `output` (what it made of that) or `mark` (set by the
/// runtime); `fields` names the values that a record of the kind can have.
#[pyfunction]
fn journal_kinds(py: Python<'_>) -> PyResult<Vec<KindRow<'_>>> {
    Kind::ALL
        .into_iter()
        .map(|kind| {
            let fields = PyTuple::new(py, kind.fields())?;
            Ok((kind.code(), kind.name(), kind.direction().name(), kind.about(), fields))
        })
        .collect()
}

type KindRow<'py> = (u8, &'static str, &'static str, &'static str, Bound<'py, PyTuple>);

/// Return the name of every command, and in a sentence what it does.
#[pyfunction]
fn command_names() -> Vec<(&'static str, &'static str)> {
    CommandName::ALL.into_iter().map(|name| (name.name(), name.about())).collect()
}

/// Return every state of an order as `(name, is_terminal)`; nothing happens to an order in a terminal one.
#[pyfunction]
fn order_states() -> Vec<(&'static str, bool)> {
    OrderState::ALL.into_iter().map(|state| (state.name(), state.is_terminal())).collect()
}

/// Return the state of an order after a record about it, by the one table of the order's life.
///
/// `what` is the name of a report, `cancel_request` or `replace_request`; `filled_lots` and `open_lots` are
/// of the order before it, `fill_lots` of the fill that it tells of. What cannot happen in a state leaves it
/// as it is: a state that ends a life absorbs what came too late. Raises `InvalidValueError` for a name that
/// is none.
#[pyfunction]
#[pyo3(signature = (state, what, *, filled_lots, open_lots, fill_lots = 0))]
fn order_state_after(
    state: &str,
    what: &str,
    filled_lots: i64,
    open_lots: i64,
    fill_lots: i64,
) -> PyResult<&'static str> {
    let before = OrderState::from_name(state)
        .ok_or_else(|| invalid_value("state", state, "must be the name of a state of an order"))?;
    let event = OrderEvent::from_name(what)
        .ok_or_else(|| invalid_value("what", what, "must be the name of a report or a request"))?;
    Ok(state_after(before, event, filled_lots, open_lots, fill_lots).name())
}

/// Add every event among the frames to a batch and pass over all other records.
///
/// Raises `DataError` when the bytes are not whole frames; the batch is then as it was.
#[pyfunction]
fn events_from_frames(py: Python<'_>, frames: &[u8], batch: &mut PyEventBatch) -> PyResult<()> {
    let inner = batch.filling();
    py.detach(|| collect_events(frames, inner))
        .map_err(|error| data_error("journal frames", &error.to_string()))
}

/// Return the frame of the beginning of a session; `config` is JSON.
#[pyfunction]
#[pyo3(name = "encode_session")]
fn py_encode_session<'py>(
    py: Python<'py>,
    time_ns: i64,
    engine_version: &str,
    config: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let mut frame = Vec::new();
    encode_session(&mut frame, time_ns, engine_version, config)
        .map_err(|error| data_error("session", &error.to_string()))?;
    Ok(PyBytes::new(py, &frame))
}

/// Return the frame of the end of a session.
#[pyfunction]
#[pyo3(name = "encode_session_end")]
fn py_encode_session_end<'py>(py: Python<'py>, time_ns: i64, reason: &str) -> PyResult<Bound<'py, PyBytes>> {
    let mut frame = Vec::new();
    encode_session_end(&mut frame, time_ns, reason)
        .map_err(|error| data_error("session end", &error.to_string()))?;
    Ok(PyBytes::new(py, &frame))
}

/// Reads one frame as plain values.
fn plain<'py>(py: Python<'py>, frame: &[u8], seq: u64) -> PyResult<PlainRecord<'py>> {
    let record = decode(frame).map_err(|error| bad_frame(seq, &error.to_string()))?;
    Ok((record.body.kind().name(), record.time_ns, fields(py, &record.body)?))
}

fn bad_frame(seq: u64, what: &str) -> PyErr {
    data_error(&format!("journal frame {seq}"), what)
}
