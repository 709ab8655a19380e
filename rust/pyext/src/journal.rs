//! Python face of the journal crate: one writer, many readers, records as plain values.

mod record_fields;

use std::path::PathBuf;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use tradecore_journal::{
    Finding, Frames, Head, JournalError, Kind, Reader, Status, Writer, collect_events, decode,
    encode_session, encode_session_end, set_aside, succeed, verify,
};
use tradecore_kernel::BEHAVIOUR_VERSION;
use tradecore_ledger::{OrderEvent, OrderState, state_after};
use tradecore_types::CommandName;

use self::record_fields::fields;
pub use self::record_fields::{put_command, put_intent};
use crate::batch::PyEventBatch;
use crate::caller::{Process, in_each_child};
use crate::errors::{data_error, invalid_value, storage_error};

/// Adds this part's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    in_each_child(module.py(), let_go)?;
    module.add_class::<PyJournalWriter>()?;
    module.add_class::<PyJournalReader>()?;
    module.add_class::<PyJournalFinding>()?;
    module.add_function(wrap_pyfunction!(journal_verify, module)?)?;
    module.add_function(wrap_pyfunction!(journal_set_aside, module)?)?;
    module.add_function(wrap_pyfunction!(journal_succeed, module)?)?;
    module.add_function(wrap_pyfunction!(decode_frames, module)?)?;
    module.add_function(wrap_pyfunction!(journal_kinds, module)?)?;
    module.add_function(wrap_pyfunction!(command_names, module)?)?;
    module.add_function(wrap_pyfunction!(order_states, module)?)?;
    module.add_function(wrap_pyfunction!(order_state_after, module)?)?;
    module.add("BEHAVIOUR_VERSION", BEHAVIOUR_VERSION)?;
    module.add_function(wrap_pyfunction!(events_from_frames, module)?)?;
    module.add_function(wrap_pyfunction!(py_encode_session, module)?)?;
    module.add_function(wrap_pyfunction!(py_encode_session_end, module)?)
}

/// The one writer of a journal.
///
/// After the first write or sync that fails every `append` and `commit` raises: nothing is
/// acknowledged on a disk that has said no once. `StorageError` names path, cause and what to do.
#[pyclass(name = "JournalWriter", module = "tradecore._core", frozen)]
pub struct PyJournalWriter {
    path: PathBuf,
    recovered_bytes: u64,
    recovered_path: Option<PathBuf>,
    /// A child of this process may not write: two writers would tear the journal apart.
    made_in: Process,
    /// Its number, for a fork that Python did not hear of.
    pid: u32,
    state: Arc<Mutex<WriterState>>,
}

/// The writer while it is open, and where it stood last.
struct WriterState {
    writer: Option<Writer>,
    head: Head,
    records: u64,
    durable_records: u64,
    bytes: u64,
}

impl WriterState {
    fn new(writer: Writer) -> Self {
        let mut state = Self { writer: None, head: Head::START, records: 0, durable_records: 0, bytes: 0 };
        state.note(&writer);
        state.writer = Some(writer);
        state
    }

    fn note(&mut self, writer: &Writer) {
        self.head = writer.head();
        self.records = writer.records();
        self.durable_records = writer.durable_records();
        self.bytes = writer.bytes();
    }
}

/// The writers of this process.
static WRITERS: Mutex<Vec<Weak<Mutex<WriterState>>>> = Mutex::new(Vec::new());

fn note_writer(state: &Arc<Mutex<WriterState>>) {
    let mut writers = locked(&WRITERS);
    writers.retain(|writer| writer.strong_count() > 0);
    writers.push(Arc::downgrade(state));
}

/// Lets the files of the parent go at the beginning of a child, and with them its part of their locks.
///
/// What waits to be written is the parent's to write. A writer that another thread was at work with is left alone:
/// that thread is not in the child, and nobody would ever unlock it.
fn let_go() {
    let Ok(writers) = WRITERS.try_lock() else { return };
    for writer in writers.iter().filter_map(Weak::upgrade) {
        if let Ok(mut state) = writer.try_lock() {
            drop(state.writer.take());
        }
    }
}

impl PyJournalWriter {
    /// Works with the open writer, the GIL released.
    fn with<F>(&self, py: Python<'_>, work: F) -> PyResult<()>
    where
        F: FnOnce(&mut Writer) -> Result<(), JournalError> + Send,
    {
        self.check_process()?;
        let outcome = py.detach(|| {
            let mut state = locked(&self.state);
            let mut writer = state.writer.take()?;
            let outcome = work(&mut writer);
            state.note(&writer);
            state.writer = Some(writer);
            Some(outcome)
        });
        match outcome {
            Some(outcome) => outcome.map_err(|error| storage(&error)),
            None => Err(storage_error(&self.path.display().to_string(), "is closed; open it again")),
        }
    }

    fn check_process(&self) -> PyResult<()> {
        if self.made_in.is_here() && self.pid == process::id() {
            return Ok(());
        }
        let what = "is written by the process that opened it, and this is a child of that: nothing was written; \
                    open a journal of its own in each process";
        Err(storage_error(&self.path.display().to_string(), what))
    }

    /// Reads a figure, the GIL released while another thread commits.
    fn figure<T: Send>(&self, py: Python<'_>, read: fn(&WriterState) -> T) -> T {
        py.detach(|| read(&locked(&self.state)))
    }
}

#[pymethods]
impl PyJournalWriter {
    /// Open a journal to append to it, or create it with `created_ns` as its creation time.
    ///
    /// Everything in it is checked. A tail that a crash left unfinished is cut off and kept in
    /// `<path>.torn-<offset>`; damage raises `StorageError` and changes nothing.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, created_ns: i64) -> PyResult<Self> {
        let writer = py.detach(|| Writer::open(&path, created_ns)).map_err(|error| storage(&error))?;
        let (recovered_bytes, recovered_path) =
            writer.torn().map_or((0, None), |torn| (torn.bytes, Some(torn.kept_in.clone())));
        let state = Arc::new(Mutex::new(WriterState::new(writer)));
        note_writer(&state);
        Ok(Self {
            path,
            recovered_bytes,
            recovered_path,
            made_in: Process::here(),
            pid: process::id(),
            state,
        })
    }

    /// Take frames in order; they wait in memory until the next `commit`.
    #[pyo3(signature = (frames, /))]
    fn append(&self, py: Python<'_>, frames: &[u8]) -> PyResult<()> {
        self.with(py, |writer| writer.append(frames))
    }

    /// Write what waits, in one piece; with `durable` it survives a power cut on return.
    #[pyo3(signature = (durable, /))]
    fn commit(&self, py: Python<'_>, durable: bool) -> PyResult<()> {
        self.with(py, |writer| writer.commit(durable))
    }

    /// Commit durably and let the file go. Calling it twice is harmless.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.check_process()?;
        let outcome = py.detach(|| {
            let mut state = locked(&self.state);
            let mut writer = state.writer.take()?;
            let outcome = writer.commit(true);
            state.note(&writer);
            Some(outcome)
        });
        outcome.unwrap_or(Ok(())).map_err(|error| storage(&error))
    }

    /// Hash of the chain after the last appended frame, as hexadecimal text.
    #[getter]
    fn head(&self, py: Python<'_>) -> String {
        self.figure(py, |state| state.head.to_string())
    }

    /// Number of frames, those not yet committed included.
    #[getter]
    fn records(&self, py: Python<'_>) -> u64 {
        self.figure(py, |state| state.records)
    }

    /// Number of frames known to survive a power cut.
    #[getter]
    fn durable_records(&self, py: Python<'_>) -> u64 {
        self.figure(py, |state| state.durable_records)
    }

    /// Size of the journal: the bytes of its files together.
    #[getter]
    fn bytes(&self, py: Python<'_>) -> u64 {
        self.figure(py, |state| state.bytes)
    }

    /// Bytes of an unfinished tail that were cut off when the journal was opened.
    #[getter]
    fn recovered_bytes(&self) -> u64 {
        self.recovered_bytes
    }

    /// File those bytes are kept in, or None.
    #[getter]
    fn recovered_path(&self) -> Option<String> {
        self.recovered_path.as_ref().map(|path| path.display().to_string())
    }

    /// Path of the file or folder that the journal is in.
    #[getter]
    fn path(&self) -> String {
        self.path.display().to_string()
    }
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
        self.block.extend_from_slice(block.frames);
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
        while self.next_seq < seq && self.load()? {
            self.next_seq += u64::try_from(Frames::new(self.rest()).count()).unwrap_or(0);
            self.used = self.block.len();
        }
        Ok(())
    }

    /// Returns whole blocks, at most so many bytes but at least one block.
    fn next_frames(&mut self, max_bytes: usize) -> Result<Vec<u8>, JournalError> {
        let mut frames = Vec::new();
        while self.load()? {
            if !frames.is_empty() && frames.len() + self.rest().len() > max_bytes {
                break;
            }
            frames.extend_from_slice(self.rest());
            self.used = self.block.len();
        }
        self.next_seq += u64::try_from(Frames::new(&frames).count()).unwrap_or(0);
        Ok(frames)
    }
}

#[pymethods]
impl PyJournalReader {
    /// Open a journal to read it; it is not changed and no lock is taken.
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let reader = py.detach(|| Reader::open(&path)).map_err(|error| storage(&error))?;
        let state = ReaderState { reader, block: Vec::new(), used: 0, head_before: Head::START, next_seq: 0 };
        Ok(Self { state: Mutex::new(state) })
    }

    /// Return the next whole frames: at most `max_bytes`, but at least one block; empty at the end.
    fn read_frames<'py>(&self, py: Python<'py>, max_bytes: usize) -> PyResult<Bound<'py, PyBytes>> {
        let frames = py.detach(|| locked(&self.state).next_frames(max_bytes));
        frames.map(|frames| PyBytes::new(py, &frames)).map_err(|error| storage(&error))
    }

    /// Read past whole blocks until `seq` frames are read, or the file ends; `records` says where it stopped.
    fn skip_to(&self, py: Python<'_>, seq: u64) -> PyResult<()> {
        py.detach(|| locked(&self.state).skip_to(seq)).map_err(|error| storage(&error))
    }

    /// Number of frames given out so far.
    #[getter]
    fn records(&self, py: Python<'_>) -> u64 {
        py.detach(|| locked(&self.state).next_seq)
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

/// What a check of a journal found.
///
/// `status` is intact, torn (a crash left a tail unfinished; the next writer cuts it off) or damaged.
/// `records`, `head` and `bytes` are of the whole part before that.
#[pyclass(name = "JournalFinding", module = "tradecore._core", frozen, get_all)]
pub struct PyJournalFinding {
    /// What the check ended with: `intact`, `torn` or `damaged`.
    status: &'static str,
    /// Number of records that are whole and in order.
    records: u64,
    /// Hash of the chain after them, as hexadecimal text.
    head: String,
    /// Bytes of the journal up to there.
    bytes: u64,
    /// Size of the journal: the bytes of its files together.
    file_bytes: u64,
    /// Creation time given by the first writer, or None when the file header is not whole.
    created_ns: Option<i64>,
    /// First byte of the damaged block, or None.
    damaged_offset: Option<u64>,
    /// First record that cannot be trusted, or None.
    damaged_seq: Option<u64>,
    /// What was found and what to do, in a sentence.
    message: String,
}

/// Check every byte of a journal without changing it.
///
/// Raises `StorageError` when the file cannot be read, is no journal, or is of a newer version.
#[pyfunction]
fn journal_verify(py: Python<'_>, path: PathBuf) -> PyResult<PyJournalFinding> {
    let finding = py.detach(|| verify(&path)).map_err(|error| storage(&error))?;
    let damage = match finding.status {
        Status::Damaged(damage) => Some(damage),
        Status::Intact | Status::Torn => None,
    };
    Ok(PyJournalFinding {
        status: match finding.status {
            Status::Intact => "intact",
            Status::Torn => "torn",
            Status::Damaged(_) => "damaged",
        },
        records: finding.records,
        head: finding.head.to_string(),
        bytes: finding.bytes,
        file_bytes: finding.file_bytes,
        created_ns: finding.created_ns,
        damaged_offset: damage.map(|damage| damage.offset),
        damaged_seq: damage.map(|damage| damage.first_seq),
        message: message(&finding),
    })
}

/// Says in a sentence what was found.
fn message(finding: &Finding) -> String {
    let Finding { status, records, bytes, file_bytes, .. } = finding;
    match status {
        Status::Intact => format!("all {records} records are whole and in order"),
        Status::Torn => format!(
            "{records} records are whole; the {} bytes after byte {bytes} were left unfinished by a crash or \
             are just being written, none of them was acknowledged, and the next start cuts them off",
            file_bytes.saturating_sub(*bytes)
        ),
        Status::Damaged(damage) => damage.to_string(),
    }
}

/// Give a journal the first free one of the names `<path>.<suffix>`, `<path>.<suffix>-2`...; return it, or None.
///
/// None is for nothing at the path. Raises `StorageError` when another process writes the journal, or it is none.
#[pyfunction]
fn journal_set_aside(py: Python<'_>, path: PathBuf, suffix: &str) -> PyResult<Option<String>> {
    let kept_in = py.detach(|| set_aside(&path, suffix)).map_err(|error| storage(&error))?;
    Ok(kept_in.map(|path| path.display().to_string()))
}

/// Keep a journal of so many bytes under another name and put its successor in its place, in one step; return the name.
///
/// Whenever the process dies, one of the two is in its place, whole. Raises `StorageError` when another process writes
/// the journal, when one of the two is none, or when the disk says no.
#[pyfunction]
fn journal_succeed(
    py: Python<'_>,
    path: PathBuf,
    successor: PathBuf,
    suffix: &str,
    file_bytes: u64,
) -> PyResult<String> {
    let kept_in =
        py.detach(|| succeed(&path, &successor, suffix, file_bytes)).map_err(|error| storage(&error))?;
    Ok(kept_in.display().to_string())
}

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

fn storage(error: &JournalError) -> PyErr {
    storage_error(&error.path.display().to_string(), &error.problem.to_string())
}

/// Takes a lock; a panic of its last holder changes nothing, since every state is checked on disk.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
