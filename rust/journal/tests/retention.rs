//! Segments that lose their market events, and copies of journals.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use tradecore_journal::{
    Frames, Head, Kind, Problem, Reader, RecordBody, Rotation, Status, Writer, archives, backup, decode,
    drop_market_events, encode_event, encode_session_end, is_droppable, pack, verify,
};
use tradecore_types::{Event, EventBody, InstrumentId, Quote};

struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tradecore-retention-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn journal(&self) -> PathBuf {
        self.0.join("a.journal")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A quote of one of three instruments, or something that stays.
fn frame(seq: u64, is_market: bool) -> Vec<u8> {
    let (mut out, time_ns) = (Vec::new(), i64::try_from(seq).unwrap());
    if is_market {
        let quote =
            Quote { bid_ticks: time_ns, bid_lots: 1, ask_ticks: time_ns + 1, ask_lots: 2, update_id: 7 };
        let instrument = InstrumentId(u32::try_from(seq % 3).unwrap());
        encode_event(&mut out, &Event { time_ns, instrument, body: EventBody::Quote(quote) }, &[], &[])
            .unwrap();
    } else {
        encode_session_end(&mut out, time_ns, "because").unwrap();
    }
    out
}

/// Writes one group for each number, of so many frames; which of them stay is a matter of `pattern`.
fn write(path: &Path, bytes: u64, groups: &[u64], pattern: u64) -> Writer {
    let mut writer = Writer::open(path, 7).unwrap().with_rotation(Rotation { bytes, span_ns: 0 }, false);
    for count in groups {
        for _ in 0..*count {
            let seq = writer.records();
            writer.append(&frame(seq, seq > 0 && (pattern >> (seq % 64)) & 1 == 0)).unwrap();
        }
        writer.commit(true).unwrap();
    }
    writer
}

/// Every frame that a reader gives, with its number.
fn read(reader: &mut Reader) -> Vec<(u64, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        for (seq, frame) in (block.first_seq..).zip(Frames::new(block.frames)) {
            frames.push((seq, frame.unwrap().to_vec()));
        }
    }
    frames
}

fn is_market(frame: &[u8]) -> bool {
    is_droppable(decode(frame).unwrap().body.kind())
}

#[test]
fn what_is_no_market_data_is_never_dropped() {
    let dropped: Vec<_> = Kind::ALL.into_iter().filter(|kind| is_droppable(*kind)).map(Kind::name).collect();
    assert_eq!(dropped, ["bar", "quote", "trade", "book", "flow", "clock", "checked_book", "mark"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_retention_keeps_everything_but_old_market_events_and_the_chain(
        groups in prop::collection::vec(1u64..9, 2..30),
        pattern in any::<u64>(),
        bytes in 200u64..2_000,
        before in 0i64..250,
        is_packed in any::<bool>(),
    ) {
        let directory = Directory::new();
        let path = directory.journal();
        let mut writer = write(&path, bytes, &groups, pattern);
        if is_packed {
            pack(&path).unwrap();
        }
        let all = read(&mut Reader::open(&path).unwrap());
        // A reader in the middle, and one that is nearly at its end, are held up by nothing.
        let mut open = Reader::open(&path).unwrap();
        let mut met = Vec::new();
        if let Some(block) = open.next_block().unwrap() {
            met.extend((block.first_seq..).zip(Frames::new(block.frames).map(|frame| frame.unwrap().to_vec())));
        }

        let done = drop_market_events(&path, before).unwrap();
        prop_assert_eq!(archives(&path).unwrap(), done.segments);
        prop_assert_eq!(drop_market_events(&path, before).unwrap().segments, 0);
        let found = verify(&path).unwrap();
        prop_assert_eq!(found.status, Status::Intact);
        prop_assert_eq!((found.head, found.records, found.dropped), (writer.head(), writer.records(), done.dropped));
        let kept = read(&mut Reader::open(&path).unwrap());
        prop_assert_eq!(u64::try_from(kept.len()).unwrap() + done.dropped, writer.records());
        let mut left = kept.iter().peekable();
        for (seq, frame) in &all {
            let is_kept = left.next_if(|(kept_seq, _)| kept_seq == seq);
            match is_kept {
                Some((_, kept)) => prop_assert_eq!(kept, frame),
                None => prop_assert!(is_market(frame) && i64::try_from(*seq).unwrap() < before, "record {}", seq),
            }
        }
        prop_assert!(left.next().is_none());

        // The writer goes on, and so does who was reading: nothing that is kept is lost or met twice.
        writer.append(&frame(writer.records(), false)).unwrap();
        writer.commit(true).unwrap();
        met.extend(read(&mut open));
        prop_assert_eq!((open.records(), open.head()), (writer.records(), writer.head()));
        let of = |frames: &[(u64, Vec<u8>)]| -> Vec<u64> {
            frames.iter().filter(|(_, frame)| !is_market(frame)).map(|(seq, _)| *seq).collect()
        };
        let mut expected = of(&all);
        expected.push(writer.records() - 1);
        prop_assert_eq!(of(&met), expected);
        let numbers: Vec<_> = met.iter().map(|(seq, _)| *seq).collect();
        prop_assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        drop(writer);
        Writer::open(&path, 7).unwrap();
    }

    #[test]
    fn number_and_head_before_a_block_are_those_after_what_was_dropped(
        groups in prop::collection::vec(1u64..9, 8..30),
        pattern in any::<u64>(),
    ) {
        let directory = Directory::new();
        let path = directory.journal();
        drop(write(&path, 500, &groups, pattern));
        let mut heads = vec![Head::START];
        for (_, frame) in read(&mut Reader::open(&path).unwrap()) {
            heads.push(heads.last().unwrap().after(&frame));
        }
        drop_market_events(&path, i64::MAX).unwrap();
        let mut reader = Reader::open(&path).unwrap();
        loop {
            let (seq, head) = (reader.records(), reader.head());
            prop_assert_eq!(head, heads[usize::try_from(seq).unwrap()]);
            let Some(block) = reader.next_block().unwrap() else { break };
            prop_assert_eq!(block.first_seq, seq);
            reader.settle().unwrap();
        }
    }
}

#[test]
fn the_last_event_of_each_instrument_in_a_segment_stays() {
    let directory = Directory::new();
    let path = directory.journal();
    drop(write(&path, 3_000, &[300], 0));
    drop(write(&path, 3_000, &[5, 5], 0));
    assert_eq!(drop_market_events(&path, i64::MAX).unwrap().segments, 1);
    let kept = read(&mut Reader::open(&path).unwrap());
    let numbers: Vec<_> = kept.iter().map(|(seq, _)| *seq).take(4).collect();
    assert_eq!(numbers, [0, 297, 298, 299]);
    let RecordBody::Event { event, .. } = decode(&kept[3].1).unwrap().body else { panic!("no event") };
    assert_eq!(event.instrument, InstrumentId(2));
}

#[test]
fn every_changed_byte_of_an_archive_is_detected() {
    let directory = Directory::new();
    let path = directory.journal();
    drop(write(&path, 600, &[20, 20, 3], 0x8421_8421_8421_8421));
    assert!(drop_market_events(&path, i64::MAX).unwrap().segments > 0);
    let file = directory.0.join("a.journal.000001.archive");
    let bytes = fs::read(&file).unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&file, &changed).unwrap();
        assert!(matches!(verify(&path).unwrap().status, Status::Damaged(_)), "byte {at}");
    }
}

#[test]
fn a_backup_while_writing_is_a_whole_journal_of_that_moment() {
    let (directory, elsewhere) = (Directory::new(), Directory::new());
    let path = directory.journal();
    let mut writer = write(&path, 700, &[3], 0xff00_ff00_ff00_ff00);
    for round in 0..40u64 {
        writer.append(&frame(writer.records(), round % 4 != 0)).unwrap();
        writer.commit(round % 3 == 0).unwrap();
        // What waits in memory is nowhere yet.
        writer.append(&frame(writer.records(), true)).unwrap();
        match round % 9 {
            4 => drop(pack(&path).unwrap()),
            7 => drop(drop_market_events(&path, i64::try_from(round).unwrap()).unwrap()),
            _ => {}
        }
        let to = elsewhere.0.join(round.to_string());
        fs::create_dir(&to).unwrap();
        let copy = backup(&path, &to).unwrap();
        assert_eq!(copy.path, to.join("a.journal"));
        assert_eq!(copy.finding.records, writer.records() - 1);
        let whole = read(&mut Reader::open(&path).unwrap());
        assert_eq!(read(&mut Reader::open(&copy.path).unwrap()), whole);
        let again = backup(&path, &to).unwrap_err();
        assert!(matches!(again.problem, Problem::Exists), "{again}");
        // It is a journal that goes on.
        let restored = write(&copy.path, 700, &[2], 0);
        assert_eq!(restored.records(), copy.finding.records + 2);
    }
}

/// A journal of many segments, of which some are packed, and what is in it.
fn segmented(directory: &Directory) -> PathBuf {
    let path = directory.journal();
    drop(write(&path, 700, &[3; 40], 0xff00_ff00_ff00_ff00));
    assert!(verify(&path).unwrap().segments > 5);
    path
}

#[test]
fn what_a_cut_short_backup_has_left_is_replaced() {
    let (directory, elsewhere) = (Directory::new(), Directory::new());
    let path = segmented(&directory);
    let whole = read(&mut Reader::open(&path).unwrap());
    // Half of a segment under the name that it had then, and one that has another form by now.
    for number in 1..4 {
        fs::write(elsewhere.0.join(format!("a.journal.{number:06}")), b"half of it").unwrap();
    }
    fs::write(elsewhere.0.join("a.journal.000001.unfinished"), b"half of it").unwrap();
    pack(&path).unwrap();
    let copy = backup(&path, &elsewhere.0).unwrap();
    assert_eq!(read(&mut Reader::open(&copy.path).unwrap()), whole);
}

#[test]
fn a_backup_writes_into_nothing_that_lies_there() {
    use std::os::unix::fs::symlink;

    let (directory, elsewhere, other) = (Directory::new(), Directory::new(), Directory::new());
    let path = segmented(&directory);
    let whole = read(&mut Reader::open(&path).unwrap());
    // A copy that is made of links has the segments of the journal itself.
    fs::hard_link(directory.0.join("a.journal.000001"), elsewhere.0.join("a.journal.000001")).unwrap();
    let precious = other.0.join("precious");
    fs::write(&precious, b"precious").unwrap();
    for name in ["a.journal.000002", "a.journal.unfinished", "a.journal.000003.unfinished"] {
        symlink(&precious, elsewhere.0.join(name)).unwrap();
    }
    let before = fs::metadata(directory.0.join("a.journal.000001")).unwrap();
    let copy = backup(&path, &elsewhere.0).unwrap();
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
    assert_eq!(read(&mut Reader::open(&copy.path).unwrap()), whole);
    assert_eq!(read(&mut Reader::open(&path).unwrap()), whole);
    let after = fs::metadata(directory.0.join("a.journal.000001")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
}

#[test]
fn a_backup_into_segments_of_another_journal_is_refused() {
    let (directory, elsewhere) = (Directory::new(), Directory::new());
    let path = segmented(&directory);
    let other = elsewhere.0.join("a.journal.000099.packed");
    fs::write(&other, b"of another journal").unwrap();
    let error = backup(&path, &elsewhere.0).unwrap_err();
    assert!(matches!(&error.problem, Problem::Leftover(found) if *found == other), "{error}");
    assert_eq!(fs::read_dir(&elsewhere.0).unwrap().count(), 1);
}

#[test]
fn segments_that_lost_their_journal_are_kept_though_a_copy_of_links_has_them_too() {
    let (directory, elsewhere) = (Directory::new(), Directory::new());
    let path = segmented(&directory);
    for entry in fs::read_dir(&directory.0).unwrap() {
        let entry = entry.unwrap();
        fs::hard_link(entry.path(), elsewhere.0.join(entry.file_name())).unwrap();
    }
    fs::remove_file(&path).unwrap();
    let error = Writer::open(&path, 7).unwrap_err();
    assert!(matches!(error.problem, Problem::Leftover(_)), "{error}");
    fs::hard_link(elsewhere.journal(), &path).unwrap();
    assert_eq!(verify(&path).unwrap().status, Status::Intact);
}
