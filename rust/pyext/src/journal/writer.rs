//! The one writer of a journal.

use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Mutex, Weak};

use pyo3::prelude::*;
use tradecore_journal::{Head, JournalError, Reserve, Rotation, Writer, file_id_of};

use super::failure::{locked, storage};
use crate::caller::{Process, in_each_child};
use crate::errors::storage_error;

/// Adds this part's classes and functions to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    in_each_child(module.py(), let_go)?;
    module.add_class::<PyJournalWriter>()?;
    module.add_function(wrap_pyfunction!(journal_reserve, module)?)?;
    module.add_function(wrap_pyfunction!(journal_keep_reserve, module)?)?;
    module.add_function(wrap_pyfunction!(journal_identity, module)?)
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
    /// The file of its newest segment, and the one that it was opened on.
    file_id: Option<(u64, u64)>,
    first_file_id: Option<(u64, u64)>,
    segment: u64,
    head: Head,
    records: u64,
    durable_records: u64,
    bytes: u64,
}

impl WriterState {
    fn new(writer: Writer) -> Self {
        let file_id = writer.file_id();
        let mut state = Self {
            writer: None,
            file_id,
            first_file_id: file_id,
            segment: writer.segment(),
            head: Head::START,
            records: 0,
            durable_records: 0,
            bytes: 0,
        };
        state.note(&writer);
        state.writer = Some(writer);
        state
    }

    fn note(&mut self, writer: &Writer) {
        self.head = writer.head();
        self.records = writer.records();
        self.durable_records = writer.durable_records();
        self.bytes = writer.bytes();
        if self.segment != writer.segment() {
            (self.segment, self.file_id) = (writer.segment(), writer.file_id());
        }
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
    /// `<path>.torn-<offset>`; damage raises `StorageError` and changes nothing. It goes on in a new
    /// segment when one has `segment_bytes`, or spans `segment_ns` of the engine's time; 0 is for never.
    /// With `packs` a thread packs the older ones. `reserve_bytes` of the disk are kept for when it is full, once
    /// `journal_keep_reserve` has made them. What is there is checked from the segment on that has frame `from_seq`.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "each is a keyword of its own in Python")]
    #[pyo3(signature = (
        path, created_ns, *, segment_bytes = 0, segment_ns = 0, packs = false, reserve_bytes = 0, from_seq = 0
    ))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        created_ns: i64,
        segment_bytes: u64,
        segment_ns: i64,
        packs: bool,
        reserve_bytes: u64,
        from_seq: u64,
    ) -> PyResult<Self> {
        let rotation = Rotation { bytes: segment_bytes, span_ns: segment_ns };
        let opened = py.detach(|| {
            Writer::open_late(&path, created_ns, from_seq)
                .map(|writer| writer.with_rotation(rotation, packs).with_reserve(reserve_bytes))
        });
        let writer = opened.map_err(|error| storage(&error))?;
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
            writer.end_company();
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

    /// Number of the segment that is written, counted from 1.
    #[getter]
    fn segment(&self, py: Python<'_>) -> u64 {
        self.figure(py, |state| state.segment)
    }

    /// Why older segments are not packed, in words; empty when they are, or need not be.
    #[getter]
    fn packing_problem(&self, py: Python<'_>) -> String {
        self.figure(py, |state| state.writer.as_ref().map(Writer::packing_problem).unwrap_or_default())
    }

    /// Size of the journal, as if all segments were one file as it was written.
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

/// Return which journal on disk this is, None for none; it is the same as long as a writer of this process goes on.
///
/// Another file in its place has another one. Raises `OSError` when the disk does not say.
#[pyfunction]
fn journal_identity(py: Python<'_>, path: PathBuf) -> PyResult<Option<(u64, u64)>> {
    Ok(py.detach(|| identity(&path))?)
}

fn identity(path: &Path) -> io::Result<Option<(u64, u64)>> {
    let writers: Vec<_> = locked(&WRITERS).iter().filter_map(Weak::upgrade).collect();
    let states: Vec<_> = writers.iter().map(|writer| locked(writer)).collect();
    let found = match file_id_of(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        found => found?,
    };
    let Some(found) = found else { return Ok(None) };
    // A writer that has gone on in a new segment is at work on the journal that it was opened on.
    let open = states.iter().find(|state| state.writer.is_some() && state.file_id == Some(found));
    Ok(Some(open.and_then(|state| state.first_file_id).unwrap_or(found)))
}

/// Return what became of the room that a writer of this process keeps for this journal: its bytes, whether it is
/// there, and whether the journal has gone on in it; None without a writer or a reserve.
///
/// Raises `OSError` when the disk does not say which file the journal is.
#[pyfunction]
fn journal_reserve(py: Python<'_>, path: PathBuf) -> PyResult<Option<(u64, bool, bool)>> {
    let reserve = py.detach(|| reserve_of(&path))?;
    Ok(reserve.map(|reserve| (reserve.bytes(), reserve.is_held(), reserve.is_spent())))
}

/// Make the room that a writer of this process keeps for this journal, if it is not there; it holds no commit.
///
/// Raises `OSError` when the disk says no.
#[pyfunction]
fn journal_keep_reserve(py: Python<'_>, path: PathBuf) -> PyResult<()> {
    Ok(py.detach(|| reserve_of(&path)?.map_or(Ok(()), |reserve| reserve.make()))?)
}

fn reserve_of(path: &Path) -> io::Result<Option<Reserve>> {
    let found = file_id_of(path)?;
    let writers: Vec<_> = locked(&WRITERS).iter().filter_map(Weak::upgrade).collect();
    Ok(writers.iter().find_map(|writer| {
        let state = locked(writer);
        let is_it = found.is_some() && state.file_id == found;
        state.writer.as_ref().filter(|_| is_it).and_then(|writer| writer.reserve().cloned())
    }))
}
