//! A snapshot: the whole state of an engine as bytes, and an engine that goes on from them.
//!
//! The bytes are `MessagePack` in which every value has the name of its field, so that another version, and another
//! program, can read them. They are made from the very structs that hold the state, so a new field cannot be
//! forgotten: it is part of the snapshot, or it says `#[serde(skip)]` and why. What follows from the configuration
//! alone (settings, gates, who is called) is that of the engine that takes the snapshot up.
//!
//! **Invariant:** an engine that took a snapshot up has the state hash that the snapshot names, and makes of the same
//! events the same frames as the engine that was shown.

use serde::{Deserialize, Serialize};
use tradecore_types::TimeNs;

use crate::Kernel;
use crate::books::Books;
use crate::calls::Calls;
use crate::control::Control;
use crate::gates::remembered::{GatesRead, GatesShown};
use crate::markets::Markets;
use crate::outgoing::Outgoing;

/// The format of the body. A field that older versions must not leave out raises it; one that has a default for them
/// does not.
pub const SNAPSHOT_FORMAT: u32 = 1;

/// Why a snapshot was not made or not taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// The engine is in the middle of something: events are fed and not consumed, or frames not taken.
    Busy,
    /// The bytes cannot be read: what is wrong with them.
    Unreadable(String),
    /// They are of an engine with other instruments, strategies or bars: which of them.
    Different(&'static str),
    /// The state that was read is not the one that was written.
    StateHash,
    /// The engine has consumed events: only a fresh one takes a snapshot up.
    NotFresh,
}

impl std::fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Busy => formatter.write_str("the engine has events or frames that nobody has taken"),
            Self::Unreadable(why) => write!(formatter, "the snapshot cannot be read: {why}"),
            Self::Different(what) => write!(formatter, "the snapshot is of an engine with other {what}"),
            Self::StateHash => formatter.write_str("what was read has another state hash than was written"),
            Self::NotFresh => formatter.write_str("the engine has consumed events: it must be fresh"),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// The parts of an engine as they are written.
#[derive(Serialize)]
struct Shown<'a> {
    format: u32,
    state_hash: [u8; 32],
    now_ns: TimeNs,
    opened_ns: TimeNs,
    fed_until_ns: Vec<Option<TimeNs>>,
    has_margin: bool,
    markets: &'a Markets,
    books: &'a Books,
    gates: Option<GatesShown<'a>>,
    outgoing: &'a Outgoing,
    control: &'a Control,
    calls: &'a Calls,
}

/// The parts of an engine as they are read.
#[derive(Deserialize)]
struct Read {
    format: u32,
    state_hash: [u8; 32],
    now_ns: TimeNs,
    opened_ns: TimeNs,
    fed_until_ns: Vec<Option<TimeNs>>,
    has_margin: bool,
    markets: Markets,
    books: Books,
    gates: Option<GatesRead>,
    outgoing: Outgoing,
    control: Control,
    calls: Calls,
}

impl Kernel {
    /// Returns the whole state as bytes.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Busy`] when events were fed and not consumed, or frames not taken.
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        // Named one by one, so that a new part of the engine does not compile until it is decided about here.
        let Self {
            config: _,
            input,
            markets,
            books,
            gates,
            outgoing,
            control,
            calls,
            recorder,
            now_ns,
            opened_ns,
            has_margin,
        } = self;
        if !(self.is_at_rest() && recorder.is_taken()) {
            return Err(SnapshotError::Busy);
        }
        let shown = Shown {
            format: SNAPSHOT_FORMAT,
            state_hash: self.state_hash(),
            now_ns: *now_ns,
            opened_ns: *opened_ns,
            fed_until_ns: input.fed_until_ns(),
            has_margin: *has_margin,
            markets,
            books,
            gates: gates.as_deref().map(crate::gates::Gates::shown),
            outgoing,
            control,
            calls,
        };
        rmp_serde::to_vec_named(&shown).map_err(|error| SnapshotError::Unreadable(error.to_string()))
    }

    /// Goes on from a snapshot of an engine with the same configuration, series and subscriptions.
    ///
    /// Digests of orders ([`Kernel::orders_digest`]) are kept no more: they are over all orders from the beginning. A
    /// snapshot of another version of behaviour (`is_foreign`) is read by the names of its values alone: the hash of a
    /// state is one thing within a version.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when the engine is not fresh, or the snapshot is not one that it can go on from; nothing is
    /// changed then, except after [`SnapshotError::StateHash`], when this engine must not be used any further.
    pub fn restore(&mut self, snapshot: &[u8], is_foreign: bool) -> Result<(), SnapshotError> {
        if !self.input.is_untouched() || !self.calls.wakes.is_empty() {
            return Err(SnapshotError::NotFresh);
        }
        let read: Read = read(snapshot)?;
        if read.format > SNAPSHOT_FORMAT {
            return Err(SnapshotError::Unreadable(format!(
                "its format is {}, and this version reads up to {SNAPSHOT_FORMAT}",
                read.format
            )));
        }
        self.check_alike(&read)?;
        self.recorder.forget_digest();
        let taken = self.go_on_from(read);
        self.markets.has_kept_indicators = true;
        match taken {
            Err(SnapshotError::StateHash) if is_foreign => Ok(()),
            taken => taken,
        }
    }

    /// Writes the state and reads it back in its place, where nothing is under way: a test that does so after each
    /// step shows that a snapshot has all that decides what comes next.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when it is not read as it was written.
    #[doc(hidden)]
    pub fn pass_through_snapshot(&mut self) -> Result<(), SnapshotError> {
        if !self.is_at_rest() {
            return Ok(());
        }
        let mut frames = Vec::new();
        self.recorder.take_frames(&mut frames);
        let written = self.snapshot();
        self.recorder.put_back(frames);
        self.go_on_from(read(&written?)?)
    }

    /// Tells whether everything fed is consumed and every call made.
    fn is_at_rest(&self) -> bool {
        self.input.is_drained() && self.calls.wakes.is_empty()
    }

    /// Goes on from what was read.
    fn go_on_from(&mut self, read: Read) -> Result<(), SnapshotError> {
        if let (Some(gates), Some(read)) = (&mut self.gates, read.gates) {
            gates.go_on_from(read);
        }
        if !tradecore_types::is_planted("snapshot_forgets_what_was_fed") {
            self.input.go_on_after(&read.fed_until_ns);
        }
        self.now_ns = read.now_ns;
        self.opened_ns = read.opened_ns;
        self.has_margin = read.has_margin;
        self.markets = read.markets;
        self.books = read.books;
        self.outgoing = read.outgoing;
        self.control = read.control;
        self.calls.go_on_from(read.calls);
        let is_same =
            self.state_hash() == read.state_hash || tradecore_types::is_planted("snapshot_not_checked");
        if is_same { Ok(()) } else { Err(SnapshotError::StateHash) }
    }

    /// Tells whether a snapshot is of an engine that is made of the same.
    fn check_alike(&self, read: &Read) -> Result<(), SnapshotError> {
        let different = |what| Err(SnapshotError::Different(what));
        if !self.markets.has_instruments_of(&read.markets) {
            return different("instruments");
        }
        if !self.markets.has_series_of(&read.markets) {
            return different("bars");
        }
        if !self.calls.is_for_those_of(&read.calls) {
            return different("strategies");
        }
        if !read.markets.is_sound() || !read.outgoing.is_sound() || !read.calls.is_sound() {
            return Err(SnapshotError::Unreadable("its parts contradict each other".to_owned()));
        }
        let gates = (self.gates.as_deref(), &read.gates);
        let are_gates_alike = match gates {
            (Some(own), Some(read)) => own.is_like(read),
            (None, None) => true,
            _ => false,
        };
        if are_gates_alike { Ok(()) } else { different("decision gates") }
    }
}

/// Reads the parts of an engine.
fn read(snapshot: &[u8]) -> Result<Read, SnapshotError> {
    rmp_serde::from_slice(snapshot).map_err(|error| SnapshotError::Unreadable(error.to_string()))
}
