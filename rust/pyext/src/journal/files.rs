//! What is asked of the files of a journal, and done to them, when nobody writes it or beside who does.

use std::path::PathBuf;

use pyo3::prelude::*;
use tradecore_journal::{
    Finding, Head, Status, archives, backup, drop_market_events, pack, set_aside, succeed, verify,
};

use super::failure::storage;

/// Adds this part's classes and functions to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyJournalFinding>()?;
    module.add_function(wrap_pyfunction!(journal_verify, module)?)?;
    module.add_function(wrap_pyfunction!(journal_pack, module)?)?;
    module.add_function(wrap_pyfunction!(journal_drop_market_events, module)?)?;
    module.add_function(wrap_pyfunction!(journal_archives, module)?)?;
    module.add_function(wrap_pyfunction!(journal_backup, module)?)?;
    module.add_function(wrap_pyfunction!(journal_set_aside, module)?)?;
    module.add_function(wrap_pyfunction!(journal_succeed, module)?)
}

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
    /// Bytes of the journal up to there, as if all segments were one file as it was written.
    bytes: u64,
    /// Bytes of the whole journal, counted in the same way.
    file_bytes: u64,
    /// Number of the segment in which the whole part ends, counted from 1.
    segments: u64,
    /// How many of the records a retention has dropped.
    dropped: u64,
    /// Creation time given by the first writer, or None when the file header is not whole.
    created_ns: Option<i64>,
    /// First byte of the damaged block, or None.
    damaged_offset: Option<u64>,
    /// First record that cannot be trusted, or None.
    damaged_seq: Option<u64>,
    /// Hash of every order, refusal, cancel, amendment and link among the records, as an engine has it, hexadecimal.
    orders_digest: String,
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
        segments: finding.segments,
        dropped: finding.dropped,
        orders_digest: Head(finding.orders_digest).to_string(),
        created_ns: finding.created_ns,
        damaged_offset: damage.map(|damage| damage.offset),
        damaged_seq: damage.map(|damage| damage.first_seq),
        message: message(&finding),
    })
}

/// Says in a sentence what was found.
fn message(finding: &Finding) -> String {
    let Finding { status, records, bytes, file_bytes, dropped, .. } = finding;
    match status {
        Status::Intact if *dropped > 0 => format!(
            "all {} records that are kept are whole and in order; a retention has dropped {dropped} market events",
            records.saturating_sub(*dropped)
        ),
        Status::Intact => format!("all {records} records are whole and in order"),
        Status::Torn => format!(
            "{records} records are whole; the {} bytes after byte {bytes} were left unfinished by a crash or \
             are just being written, none of them was acknowledged, and the next start cuts them off",
            file_bytes.saturating_sub(*bytes)
        ),
        Status::Damaged(damage) => damage.to_string(),
    }
}

/// Pack the older segments of a journal; return how many, and what they took and take on the disk.
///
/// Raises `StorageError` when another process is at them, one is damaged, or the disk says no.
#[pyfunction]
fn journal_pack(py: Python<'_>, path: PathBuf) -> PyResult<(u64, u64, u64)> {
    let packed = py.detach(|| pack(&path)).map_err(|error| storage(&error))?;
    Ok((packed.segments, packed.bytes_before, packed.bytes_after))
}

/// Drop the market events of older segments all of whose records are from before `before_ns`.
///
/// Return how many segments became archives, how many records were dropped, and what they took and take on the
/// disk. Raises `StorageError` when another process is at them, one is damaged, or the disk says no.
#[pyfunction]
fn journal_drop_market_events(
    py: Python<'_>,
    path: PathBuf,
    before_ns: i64,
) -> PyResult<(u64, u64, u64, u64)> {
    let done = py.detach(|| drop_market_events(&path, before_ns)).map_err(|error| storage(&error))?;
    Ok((done.segments, done.dropped, done.bytes_before, done.bytes_after))
}

/// Return how many older segments of a journal have lost their market events.
///
/// Raises `StorageError` when the journal cannot be opened.
#[pyfunction]
fn journal_archives(py: Python<'_>, path: PathBuf) -> PyResult<u64> {
    py.detach(|| archives(&path)).map_err(|error| storage(&error))
}

/// Copy a journal into a directory while it may be written; return the path of the copy.
///
/// The copy ends with a whole record and has been verified. Raises `StorageError` when there is a journal of this
/// name already, when the journal is damaged, or the disk says no.
#[pyfunction]
fn journal_backup(py: Python<'_>, path: PathBuf, directory: PathBuf) -> PyResult<String> {
    let copied = py.detach(|| backup(&path, &directory)).map_err(|error| storage(&error))?;
    Ok(copied.path.display().to_string())
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
