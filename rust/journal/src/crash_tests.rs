//! Bytes that change, move, go missing or never reach the disk.

use std::io::{self, Cursor};

use proptest::prelude::*;

use crate::chain::Head;
use crate::group::Group;
use crate::layout::{CELL, FileHeader};
use crate::scan::{Scan, ScanError, Step};
use crate::segment::Start;
use crate::{Damage, FORMAT_VERSION, JournalError, Problem, Reserve, Storage, Writer, encode_session_end};

/// A disk in memory that can fail.
#[derive(Debug, Default)]
struct Memory {
    file: Vec<u8>,
    synced: usize,
    calls: u32,
    /// Call that fails, with half of what it should have written.
    fails_at: Option<u32>,
}

impl Memory {
    fn count(&mut self) -> bool {
        self.calls += 1;
        Some(self.calls) == self.fails_at
    }
}

impl Storage for Memory {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fails = self.count();
        self.file.extend_from_slice(if fails { &bytes[..bytes.len() / 2] } else { bytes });
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.count() {
            return Err(io::Error::other("input/output error"));
        }
        self.synced = self.file.len();
        Ok(())
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.truncate(usize::try_from(bytes).unwrap());
        Ok(())
    }
}

fn writer(fails_at: Option<u32>) -> Writer<Memory> {
    let file = FileHeader::to_bytes(FORMAT_VERSION, 0, 0).to_vec();
    let memory = Memory { synced: file.len(), file, calls: 0, fails_at };
    Writer::over("memory".into(), memory, Group::new(Head::START, 0), 32)
}

/// One frame whose size and bytes depend on its number.
fn frame(number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let reason = char::from(b'a' + u8::try_from(number % 26).unwrap()).to_string();
    let reason = reason.repeat(usize::try_from(number * 37 % 1_331).unwrap());
    encode_session_end(&mut out, i64::try_from(number).unwrap(), &reason).unwrap();
    out
}

/// A journal of groups of these sizes; every group durable.
fn journal(groups: impl IntoIterator<Item = u64>) -> Writer<Memory> {
    let mut writer = writer(None);
    for size in groups {
        for _ in 0..size {
            writer.append(&frame(writer.records())).unwrap();
        }
        writer.commit(true).unwrap();
    }
    writer
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Intact,
    Torn,
    Damaged(Damage),
    Other,
}

/// Walks through a journal and says how it ended, after how many frames and bytes.
fn walk(bytes: &[u8]) -> (Outcome, u64, u64) {
    let mut scan = Scan::new(Cursor::new(bytes), Start::FIRST, false);
    let outcome = loop {
        match scan.step() {
            Ok(Step::Block { .. } | Step::Gap) => {}
            Ok(Step::End) => break Outcome::Intact,
            Ok(Step::Torn) => break Outcome::Torn,
            Err(ScanError::Damaged(damage)) => break Outcome::Damaged(damage),
            Err(_) => break Outcome::Other,
        }
    };
    (outcome, scan.frames, scan.end_offset())
}

/// Where the blocks of a journal begin, its length last.
fn block_offsets(bytes: &[u8]) -> Vec<usize> {
    let mut scan = Scan::new(Cursor::new(bytes), Start::FIRST, false);
    let mut offsets = vec![CELL];
    while let Step::Block { .. } = scan.step().unwrap() {
        offsets.push(usize::try_from(scan.end_offset()).unwrap());
    }
    offsets
}

#[test]
fn every_single_changed_byte_of_100_kb_is_detected() {
    let mut bytes = journal((0..20).map(|group| group * 7 % 20)).into_storage().file;
    assert!((100_000..200_000).contains(&bytes.len()), "{}", bytes.len());
    assert_eq!(walk(&bytes).0, Outcome::Intact);
    for at in 0..100_000 {
        let original = bytes[at];
        // Every bit gets its turn, and so does turning the byte into zero.
        let flip = if at % 9 == 8 && original != 0 { original } else { 1 << (at % 8) };
        bytes[at] ^= flip;
        let (outcome, ..) = walk(&bytes);
        assert!(matches!(outcome, Outcome::Damaged(_)), "byte {at}: {outcome:?}");
        bytes[at] = original;
    }
}

#[test]
fn every_changed_byte_of_the_last_block_is_damage_and_never_a_torn_tail() {
    for last in [1, 2, 3, 5, 9] {
        let bytes = journal([3, last]).into_storage().file;
        let start = block_offsets(&bytes)[1];
        for at in start..bytes.len() {
            let mut zeroed = bytes.clone();
            zeroed[at] = if bytes[at] == 0 { 255 } else { 0 };
            assert!(matches!(walk(&zeroed).0, Outcome::Damaged(_)), "byte {at}");
        }
    }
}

#[test]
fn a_journal_cut_anywhere_keeps_every_block_before_the_cut() {
    let bytes = journal([3, 1, 7, 2, 5]).into_storage().file;
    let offsets = block_offsets(&bytes);
    for length in 0..bytes.len() {
        let (outcome, _, end) = walk(&bytes[..length]);
        let whole = offsets.iter().rev().find(|offset| **offset <= length).copied().unwrap_or(0);
        assert_eq!(usize::try_from(end).unwrap(), whole);
        let expected = if length == whole && length > 0 { Outcome::Intact } else { Outcome::Torn };
        assert_eq!(outcome, expected, "{length} bytes");
    }
}

#[test]
fn swapped_doubled_and_missing_blocks_are_damage() {
    let bytes = journal((0..24).map(|group| group % 3 + 1)).into_storage().file;
    let offsets = block_offsets(&bytes);
    let blocks: Vec<&[u8]> = offsets.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
    let damaged = |order: Vec<&[u8]>| {
        let file = [&bytes[..CELL], &order.concat()].concat();
        match walk(&file).0 {
            Outcome::Damaged(damage) => {
                assert_eq!(damage.what, "a block is missing, doubled or in the wrong place");
                true
            }
            _ => false,
        }
    };
    for first in 0..blocks.len() {
        let (mut doubled, mut missing) = (blocks.clone(), blocks.clone());
        doubled.insert(first, blocks[first]);
        assert!(damaged(doubled), "block {first} doubled");
        missing.remove(first);
        // Without its last block a journal is a shorter journal; nobody can tell.
        assert_eq!(damaged(missing), first + 1 < blocks.len(), "block {first} missing");
        for second in first + 1..blocks.len() {
            let mut swapped = blocks.clone();
            swapped.swap(first, second);
            assert!(damaged(swapped), "blocks {first} and {second} swapped");
        }
    }
}

#[test]
fn a_zeroed_sector_in_what_was_durable_is_damage() {
    // The last block says that all before it was durable; with one frame a block, it says so of one frame more.
    for (size, groups) in [(1, 20..60), (2, 9..20), (9, 4..9), (40, 2..4)] {
        for groups in groups {
            let bytes = journal(vec![size; groups]).into_storage().file;
            let last = *block_offsets(&bytes).iter().rev().nth(1).unwrap();
            for sector in (512..=last - 512).step_by(512) {
                let mut holed = bytes.clone();
                holed[sector..sector + 512].fill(0);
                let outcome = walk(&holed).0;
                assert!(matches!(outcome, Outcome::Damaged(_)), "{groups} of {size}, sector at {sector}");
            }
        }
    }
}

#[test]
fn damage_names_the_place_and_the_records() {
    let mut bytes = journal([3, 4, 5]).into_storage().file;
    let offset = block_offsets(&bytes)[1];
    bytes[offset + 50] ^= 1;
    let (Outcome::Damaged(damage), frames, end) = walk(&bytes) else { panic!("not damaged") };
    assert_eq!((damage.offset, frames, end), (u64::try_from(offset).unwrap(), 3, damage.offset));
    assert_eq!((damage.first_seq, damage.last_seq), (3, Some(6)));
}

#[test]
fn after_any_failed_write_or_sync_nothing_is_acknowledged_again() {
    for fails_at in 1..=40 {
        let mut writer = writer(Some(fails_at));
        let (mut acknowledged, mut has_failed) = (0, false);
        for round in 0..30u64 {
            let outcome =
                writer.append(&frame(writer.records())).and_then(|()| writer.commit(round % 3 == 0));
            match outcome {
                Ok(()) => {
                    assert!(!has_failed, "acknowledged after a failure");
                    acknowledged = writer.durable_records();
                }
                Err(JournalError { problem, .. }) => {
                    assert_eq!(has_failed, matches!(problem, Problem::Stopped(_)), "{problem}");
                    has_failed = true;
                }
            }
        }
        assert!(has_failed);
        let calls = writer.storage().calls;
        assert_eq!(calls, fails_at, "the disk was asked again after it had failed");
        let (outcome, frames, _) = walk(&writer.into_storage().file);
        assert!(matches!(outcome, Outcome::Intact | Outcome::Torn), "{outcome:?}");
        assert!(frames >= acknowledged, "{frames} of {acknowledged}");
    }
}

#[test]
fn a_full_disk_is_written_on_in_the_reserve_and_no_other_failure_is() {
    let path = std::env::temp_dir().join(format!("tradecore-reserve-{}", std::process::id()));
    let reserve_file = path.with_extension("reserve");
    for fails_at in 1..=40 {
        let mut writer = writer(Some(fails_at));
        let reserve = Reserve::beside(&path, 300_000);
        reserve.make().unwrap();
        assert_eq!(std::fs::metadata(&reserve_file).unwrap().len(), 300_000);
        writer.reserve = Some(reserve);
        let mut has_failed = false;
        for round in 0..30u64 {
            let outcome =
                writer.append(&frame(writer.records())).and_then(|()| writer.commit(round % 3 == 0));
            has_failed |= outcome.is_err();
        }
        // Of every four calls the second is a sync, and nothing is tried again after that.
        let is_sync = fails_at % 4 == 2;
        assert_eq!(has_failed, is_sync, "call {fails_at}");
        assert_eq!(reserve_file.exists(), is_sync);
        if !is_sync {
            let (records, bytes) = (writer.records(), writer.bytes());
            let file = writer.into_storage().file;
            assert_eq!(walk(&file), (Outcome::Intact, records, bytes));
        }
        let _ = std::fs::remove_file(&reserve_file);
    }
}

#[test]
fn what_is_no_record_is_refused_whole_and_the_writer_goes_on() {
    let mut writer = writer(None);
    let mut frames = frame(1);
    frames.extend_from_slice(b"garbage that is long enough");
    let error = writer.append(&frames).unwrap_err();
    assert!(matches!(error.problem, Problem::Refused(_)));
    assert_eq!((writer.records(), writer.head()), (0, Head::START));
    writer.append(&frame(1)).unwrap();
    writer.commit(true).unwrap();
    assert_eq!(walk(&writer.into_storage().file).1, 1);
}

#[test]
fn a_large_group_becomes_bounded_blocks() {
    let mut writer = writer(None);
    let frames: Vec<u8> = (0..40_000).flat_map(frame).collect();
    writer.append(&frames).unwrap();
    writer.commit(false).unwrap();
    let bytes = writer.into_storage().file;
    let offsets = block_offsets(&bytes);
    assert!(offsets.windows(2).all(|pair| pair[1] - pair[0] <= (1 << 20) + 2 * CELL));
    assert!(offsets.len() > 5);
    assert_eq!(walk(&bytes), (Outcome::Intact, 40_000, u64::try_from(bytes.len()).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_head_does_not_depend_on_how_frames_are_grouped(groups in prop::collection::vec(0u64..9, 1..9)) {
        let grouped = journal(groups.clone());
        let whole = journal([groups.iter().sum()]);
        prop_assert_eq!(grouped.head(), whole.head());
    }

    #[test]
    fn arbitrary_bytes_are_a_journal_or_an_error(tail in prop::collection::vec(any::<u8>(), 0..2_000), blocks in 0u64..3) {
        let mut bytes = journal(vec![2; usize::try_from(blocks).unwrap()]).into_storage().file;
        bytes.extend_from_slice(&tail);
        let (_, frames, end) = walk(&bytes);
        prop_assert_eq!(frames, blocks * 2);
        prop_assert!(end <= u64::try_from(bytes.len() - tail.len()).unwrap());
        walk(&tail);
    }
}

/// Groups of frames, each durable or not, and what the disk kept of the sectors since the last sync.
fn power_cut() -> impl Strategy<Value = (Vec<(u64, bool)>, Vec<bool>, prop::sample::Index)> {
    let groups = prop::collection::vec((1u64..12, prop::bool::weighted(0.3)), 1..12);
    (groups, prop::collection::vec(any::<bool>(), 64), any::<prop::sample::Index>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn no_power_cut_loses_what_was_durable_or_makes_a_journal_unreadable(
        (groups, kept, length) in power_cut()
    ) {
        let mut writer = writer(None);
        for (size, is_durable) in groups {
            for _ in 0..size {
                writer.append(&frame(writer.records())).unwrap();
            }
            writer.commit(is_durable).unwrap();
        }
        let (durable, records) = (writer.durable_records(), writer.records());
        let Memory { file: mut image, synced, .. } = writer.into_storage();
        // The size reached the disk or not, and each sector since the last sync did or did not.
        image.truncate(synced + length.index(image.len() - synced + 1));
        let first_sector = synced / 512 * 512;
        for (sector, is_kept) in (first_sector..image.len()).step_by(512).zip(kept.iter().cycle()) {
            if !is_kept {
                let end = image.len().min(sector + 512);
                image[sector.max(synced)..end].fill(0);
            }
        }
        let (outcome, frames, _) = walk(&image);
        prop_assert!(matches!(outcome, Outcome::Intact | Outcome::Torn), "{:?}", outcome);
        prop_assert!((durable..=records).contains(&frames), "{} of {}", frames, durable);
    }
}

#[test]
fn what_waits_is_written_when_four_mebibytes_do() {
    let mut writer = writer(None);
    let written = |writer: &Writer<Memory>| writer.storage().file.len() > 32;
    // A frame has 17 bytes beside its reason, and each block a header: a little less than four mebibytes wait.
    let mut out = Vec::new();
    encode_session_end(&mut out, 0, &"x".repeat((1 << 20) - 100)).unwrap();
    for _ in 0..3 {
        writer.append(&out).unwrap();
    }
    assert!(!written(&writer), "three mebibytes wait");
    writer.append(&frame(1)).unwrap();
    assert!(!written(&writer), "a little more waits");
    writer.append(&out).unwrap();
    writer.append(&frame(1_330)).unwrap();
    assert!(written(&writer), "four mebibytes were written");
    assert_eq!(writer.durable_records(), 0, "but not synced");
    assert_eq!(writer.records(), 6);
    writer.commit(true).unwrap();
    assert_eq!(writer.durable_records(), 6);
}
