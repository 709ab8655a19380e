//! Frames and journals from any bytes.

use std::fs;
use std::path::PathBuf;

use tradecore_journal::{
    Frames, Reader, RecordBody, Status, collect_events, decode, encode_account, encode_event, verify,
};
use tradecore_types::{EventBatch, Level};

/// Cuts and decodes the bytes; an event that was accepted encodes to the very same bytes.
pub fn journal_frames(data: &[u8]) {
    let _ = decode(data);
    let mut cut = 0;
    for frame in Frames::new(data) {
        let Ok(frame) = frame else { break };
        cut += frame.len();
        let Ok(record) = decode(frame) else { continue };
        let mut again = Vec::new();
        match record.body {
            RecordBody::Event { event, bids, asks } => {
                let (bids, asks): (Vec<Level>, Vec<Level>) = (bids.iter().collect(), asks.iter().collect());
                assert_eq!(encode_event(&mut again, &event, &bids, &asks), Ok(()));
            }
            RecordBody::Account(account) => {
                let said = account.read();
                assert_eq!(said.map(|said| encode_account(&mut again, record.time_ns, &said)), Ok(Ok(())));
            }
            _ => continue,
        }
        assert_eq!(again, frame);
    }
    assert!(cut <= data.len());
    let mut batch = EventBatch::default();
    if collect_events(data, &mut batch).is_err() {
        assert!(batch.events.is_empty() && batch.levels.is_empty() && batch.account_events.is_empty());
    }
    assert!(batch.levels.len() <= data.len() / 16);
}

/// Verifies and reads the bytes as a journal; what verifies is read to its last record.
pub fn journal_file(data: &[u8]) {
    let path = scratch();
    if fs::write(&path, data).is_err() {
        return;
    }
    let finding = verify(&path);
    if let Ok(finding) = &finding {
        assert!(finding.bytes <= finding.file_bytes);
        let mut records = 0;
        if let Ok(mut reader) = Reader::open(&path) {
            while let Ok(Some(block)) = reader.next_block() {
                records += u64::try_from(Frames::new(block.frames).flatten().count()).unwrap_or(0);
            }
        }
        assert!(finding.status != Status::Intact || records == finding.records);
    }
    let _ = fs::remove_file(&path);
}

/// Names a file of this process and thread, in memory where there is such a place.
fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let directory = if memory.is_dir() { memory } else { std::env::temp_dir() };
    directory.join(format!("tradecore-{}-{:?}.journal", std::process::id(), std::thread::current().id()))
}
