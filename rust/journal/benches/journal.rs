//! What does the journal cost on top of plain appends? Each bench has its dull baseline beside it.
//!
//! The directory is `TRADECORE_BENCH_DIR`, else the one for temporary files: durable figures are those of its
//! disk.
#![expect(clippy::unwrap_used, reason = "benches stop at the first error")]

use std::fs::{File, OpenOptions, remove_file};
use std::io::Write;
use std::path::{Path, PathBuf};

use divan::Bencher;
use divan::counter::ItemsCount;
use tradecore_journal::{Frames, Head, Reader, Rotation, Writer, encode_event, pack};
use tradecore_types::{Event, EventBody, InstrumentId, Quote};

const GROUP: usize = 64;
const GROUPS: usize = 1_563;
const EVERY_MEBIBYTE: Rotation = Rotation { bytes: 1 << 20, span_ns: 0 };

fn main() {
    divan::main();
}

fn quotes(out: &mut Vec<u8>) {
    for number in 0..64 {
        let quote =
            Quote { bid_ticks: number, bid_lots: 1, ask_ticks: number + 1, ask_lots: 2, update_id: 7 };
        let event = Event { time_ns: number, instrument: InstrumentId(0), body: EventBody::Quote(quote) };
        encode_event(out, &event, &[], &[]).unwrap();
    }
}

fn path(name: &str) -> PathBuf {
    let directory = std::env::var_os("TRADECORE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let path = directory.join(format!("tradecore-bench-{name}-{}.journal", std::process::id()));
    let _ = remove_file(&path);
    path
}

/// Baseline of the chain: encoding 64 quotes and nothing else.
#[divan::bench]
fn encode_only(bencher: Bencher<'_, '_>) {
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(GROUP)).bench_local(|| {
        out.clear();
        quotes(&mut out);
        out.len()
    });
}

/// Encoding 64 quotes and hashing each into the chain.
#[divan::bench]
fn encode_and_chain(bencher: Bencher<'_, '_>) {
    let (mut out, mut head) = (Vec::new(), Head::START);
    bencher.counter(ItemsCount::new(GROUP)).bench_local(|| {
        out.clear();
        quotes(&mut out);
        for frame in Frames::new(&out) {
            head = head.after(frame.unwrap());
        }
        head
    });
}

/// Baseline of the file: 100,000 records in groups of 64, one plain write a group.
#[divan::bench(args = [false, true], sample_count = 3, sample_size = 1)]
fn plain_file(bencher: Bencher<'_, '_>, is_durable: bool) {
    let path = path("plain");
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(GROUP * GROUPS)).bench_local(|| {
        let mut file: File = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        for _ in 0..GROUPS {
            out.clear();
            quotes(&mut out);
            file.write_all(&out).unwrap();
            if is_durable {
                file.sync_data().unwrap();
            }
        }
    });
    remove_file(path).unwrap();
}

/// The same records through the writer: checked, chained, in blocks.
#[divan::bench(args = [false, true], sample_count = 3, sample_size = 1)]
fn journal_file(bencher: Bencher<'_, '_>, is_durable: bool) {
    let path = path("journal");
    let mut out = Vec::new();
    let mut writer = Writer::open(&path, 0).unwrap();
    bencher.counter(ItemsCount::new(GROUP * GROUPS)).bench_local(|| {
        for _ in 0..GROUPS {
            out.clear();
            quotes(&mut out);
            writer.append(&out).unwrap();
            writer.commit(is_durable).unwrap();
        }
    });
    drop(writer);
    remove_file(path.with_extension("journal.lock")).unwrap();
    remove_file(path).unwrap();
}

/// The same records, with a new segment every mebibyte: what rotations cost.
#[divan::bench(args = [false, true], sample_count = 3, sample_size = 1)]
fn journal_of_segments(bencher: Bencher<'_, '_>, is_durable: bool) {
    let path = path("segments");
    let mut out = Vec::new();
    let mut writer = Writer::open(&path, 0).unwrap().with_rotation(EVERY_MEBIBYTE, false);
    bencher.counter(ItemsCount::new(GROUP * GROUPS)).bench_local(|| {
        for _ in 0..GROUPS {
            out.clear();
            quotes(&mut out);
            writer.append(&out).unwrap();
            writer.commit(is_durable).unwrap();
        }
    });
    let segments = writer.segment();
    drop(writer);
    remove_all(&path, segments);
}

/// Reading and checking 100,000 records again, in one file or in packed segments.
#[divan::bench(args = [false, true], sample_count = 3, sample_size = 1)]
fn read_and_check(bencher: Bencher<'_, '_>, is_packed: bool) {
    let path = path("read");
    let rotation = if is_packed { EVERY_MEBIBYTE } else { Rotation::NEVER };
    let mut writer = Writer::open(&path, 0).unwrap().with_rotation(rotation, false);
    let mut out = Vec::new();
    quotes(&mut out);
    for _ in 0..GROUPS {
        writer.append(&out).unwrap();
        writer.commit(false).unwrap();
    }
    if is_packed {
        assert!(pack(&path).unwrap().segments > 3);
    }
    bencher.counter(ItemsCount::new(GROUP * GROUPS)).bench_local(|| {
        let mut reader = Reader::open(&path).unwrap();
        while reader.next_block().unwrap().is_some() {}
        assert_eq!(reader.head(), writer.head());
    });
    let segments = writer.segment();
    drop(writer);
    remove_all(&path, segments);
}

/// Removes the files of a journal of so many segments.
fn remove_all(path: &Path, segments: u64) {
    let older = (1..segments).flat_map(|number| [format!("{number:06}"), format!("{number:06}.packed")]);
    for suffix in older.chain(["lock".into(), "segments-lock".into()]) {
        let _ = remove_file(path.with_extension(format!("journal.{suffix}")));
    }
    remove_file(path).unwrap();
}
