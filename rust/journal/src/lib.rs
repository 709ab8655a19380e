//! The journal: what came in, what was decided and what went out, in one hash chain.
//!
//! A record is a *frame* (`[len u32][kind u8][time_ns i64][payload]`, little-endian). Every frame
//! extends a hash chain, `head = blake3(head || frame)`; frames are written in *blocks*, one write per
//! commit. How frames are grouped into blocks changes no hash.
//!
//! **Invariant:** what `commit(true)` returned for is never lost, and no changed byte goes unseen. A tail
//! that a crash left unfinished is cut off and kept aside; anything else is reported and left alone.

mod account;
mod chain;
mod codes;
mod command;
#[cfg(test)]
mod crash_tests;
#[cfg(test)]
#[cfg(unix)]
mod crash_tests_of_segments;
mod cursor;
mod damage;
mod decode;
mod encode;
mod error;
mod events;
mod folder;
mod frames;
mod group;
mod intent;
mod kind;
mod layout;
mod on_disk;
mod packed;
mod packing;
mod problem;
mod reader;
mod record;
mod recover;
mod rotation;
mod scan;
mod segment;
mod source;
mod storage;
mod torn;
mod verify;
mod walk;
mod window;
mod writer;

pub use account::AccountBytes;
pub use chain::Head;
pub use damage::Damage;
pub use decode::decode;
pub use encode::{
    encode_account, encode_cancel_request, encode_cash_flow, encode_decision, encode_event, encode_link,
    encode_liquidation, encode_margin, encode_order, encode_refused, encode_replace_request, encode_report,
    encode_revision, encode_sent, encode_session, encode_session_end, encode_sized, encode_state_hash,
    encode_surprise, encode_venue,
};
pub use error::CodecError;
pub use events::{collect_events, encode_events};
pub use folder::{
    Archived, Backup, PackedSegments, Reserve, archives, backup, drop_market_events, file_id_of,
    is_droppable, pack, set_aside, succeed,
};
pub use frames::{FRAME_BYTES_MAX, FRAME_BYTES_MIN, Frames};
pub use kind::{Direction, Kind};
pub use problem::{JournalError, Problem};
pub use reader::{Block, Reader};
pub use record::{Decision, Gate, Gates, Levels, Record, RecordBody};
pub use recover::TornTail;
pub use rotation::Rotation;
pub use storage::Storage;
pub use verify::{Finding, Status, verify};
pub use writer::Writer;

/// Version of the format of frames and files that this crate writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;
