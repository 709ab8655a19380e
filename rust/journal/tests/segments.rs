//! Journals of several segments: read, verified and gone on with as if they were one file.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use tradecore_journal::{
    JournalError, Problem, Reader, Rotation, Status, Writer, encode_session_end, pack, set_aside, succeed,
    verify,
};

/// A directory of its own that goes away with the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tradecore-segments-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn journal(&self) -> PathBuf {
        self.0.join("a.journal")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with("lock"));
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

const fn every(bytes: u64) -> Rotation {
    Rotation { bytes, span_ns: 0 }
}

fn frames(first: u64, count: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for number in first..first + count {
        let reason = "because".repeat(usize::try_from(number * 37 % 31).unwrap());
        encode_session_end(&mut out, i64::try_from(number).unwrap(), &reason).unwrap();
    }
    out
}

fn write(path: &Path, rotation: Rotation, groups: &[u64]) -> Writer {
    let mut writer = Writer::open(path, 7).unwrap().with_rotation(rotation, false);
    for count in groups {
        writer.append(&frames(writer.records(), *count)).unwrap();
        writer.commit(count % 3 != 0).unwrap();
    }
    writer.commit(true).unwrap();
    writer
}

/// Everything that a reader gives from where it is: number and frames of each block.
fn read(reader: &mut Reader) -> Vec<(u64, Vec<u8>)> {
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        blocks.push((block.first_seq, block.frames.to_vec()));
    }
    blocks
}

#[test]
fn a_journal_that_is_rotated_verifies_reads_and_goes_on_as_one() {
    let (one, many) = (Directory::new(), Directory::new());
    let groups = [5, 1, 4, 9, 3, 12, 2];
    let whole = write(&one.journal(), Rotation::NEVER, &groups);
    let rotated = write(&many.journal(), every(800), &groups);
    assert!(rotated.segment() > 2);
    assert_eq!((rotated.head(), rotated.records()), (whole.head(), whole.records()));
    drop((whole, rotated));
    let names = many.names();
    assert_eq!(names[..3], ["a.journal", "a.journal.000001", "a.journal.000002"]);
    assert_eq!(
        read(&mut Reader::open(&many.journal()).unwrap()),
        read(&mut Reader::open(&one.journal()).unwrap())
    );

    let more = write(&one.journal(), Rotation::NEVER, &[4, 4]).head();
    let mut writer = write(&many.journal(), every(800), &[4, 4]);
    assert_eq!(writer.head(), more);
    writer.append(&frames(writer.records(), 1)).unwrap();
    writer.commit(true).unwrap();
    let (head, records, bytes, segments) =
        (writer.head(), writer.records(), writer.bytes(), writer.segment());
    drop(writer);
    let found = verify(&many.journal()).unwrap();
    assert_eq!((found.status, found.head, found.records), (Status::Intact, head, records));
    assert_eq!((found.bytes, found.file_bytes, found.segments), (bytes, bytes, segments));
    assert_eq!(found.created_ns, Some(7));
}

#[test]
fn a_journal_that_is_not_rotated_is_one_file_of_the_bytes_it_always_had() {
    let (one, other) = (Directory::new(), Directory::new());
    drop(write(&one.journal(), Rotation::NEVER, &[3, 4]));
    drop(write(&other.journal(), every(1 << 20), &[3, 4]));
    assert_eq!(fs::read(one.journal()).unwrap(), fs::read(other.journal()).unwrap());
    assert_eq!(other.names(), ["a.journal"]);
}

#[test]
fn a_segment_that_is_missing_changed_or_of_another_journal_is_told() {
    let directory = Directory::new();
    let path = directory.journal();
    drop(write(&path, every(300), &[5, 5, 5, 5]));
    let second = directory.0.join("a.journal.000002");
    let bytes = fs::read(&second).unwrap();
    fs::remove_file(&second).unwrap();
    for error in [verify(&path).map(drop).unwrap_err(), Writer::open(&path, 7).map(drop).unwrap_err()] {
        assert!(matches!(error.problem, Problem::SegmentMissing(2)), "{error}");
    }
    fs::write(&second, &bytes[..bytes.len() - 32]).unwrap();
    let damage = |path: &Path| match verify(path).unwrap().status {
        Status::Damaged(damage) => damage,
        status => panic!("{status:?}"),
    };
    assert_eq!((damage(&path).segment, damage(&path).what), (2, "a segment ends within a block"));
    fs::copy(directory.0.join("a.journal.000003"), &second).unwrap();
    assert_eq!(damage(&path).what, "the segment does not join the one before it");
    fs::write(&second, &bytes).unwrap();
    assert_eq!(verify(&path).unwrap().status, Status::Intact);

    // A journal that has gone leaves segments that nobody may take for those of the next one.
    fs::rename(&path, directory.0.join("moved")).unwrap();
    let error = Writer::open(&path, 7).unwrap_err();
    assert!(matches!(error.problem, Problem::Leftover(_)), "{error}");
    assert!(!path.exists());
}

#[test]
fn every_changed_byte_of_any_segment_plain_or_packed_is_detected() {
    let directory = Directory::new();
    let path = directory.journal();
    drop(write(&path, every(400), &[3, 3, 2]));
    let check = |directory: &Directory| {
        for name in directory.names() {
            let file = directory.0.join(&name);
            let bytes = fs::read(&file).unwrap();
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 8);
                fs::write(&file, &changed).unwrap();
                let found = verify(&path);
                let is_seen = matches!(&found, Ok(finding) if matches!(finding.status, Status::Damaged(_)));
                assert!(is_seen, "{name}, byte {at}: {found:?}");
            }
            for length in 0..bytes.len() {
                if name == "a.journal" {
                    break;
                }
                fs::write(&file, &bytes[..length]).unwrap();
                let found = verify(&path);
                let is_seen = matches!(&found, Ok(finding) if matches!(finding.status, Status::Damaged(_)));
                assert!(is_seen, "{name}, {length} bytes: {found:?}");
            }
            fs::write(&file, &bytes).unwrap();
        }
    };
    check(&directory);
    assert!(pack(&path).unwrap().segments > 0);
    assert_eq!(directory.names()[1], "a.journal.000001.packed");
    check(&directory);
}

#[test]
fn a_journal_that_is_set_aside_or_succeeded_takes_its_segments_along() {
    let directory = Directory::new();
    let (path, next) = (directory.journal(), directory.0.join("next"));
    let head = write(&path, every(500), &[9, 9, 9]).head();
    let before = directory.names().len();
    pack(&path).unwrap();
    let kept = set_aside(&path, "old").unwrap().unwrap();
    assert_eq!(verify(&kept).unwrap().head, head);
    assert_eq!(directory.names().len(), before);
    assert!(directory.names().iter().all(|name| name.starts_with("a.journal.old")));

    let head = write(&path, every(500), &[9, 9, 9]).head();
    drop(write(&next, Rotation::NEVER, &[1]));
    let bytes = verify(&path).unwrap().file_bytes;
    assert!(matches!(succeed(&path, &next, "was", bytes - 1).unwrap_err().problem, Problem::Locked));
    let kept = succeed(&path, &next, "was", bytes).unwrap();
    assert_eq!(verify(&kept).unwrap().head, head);
    assert_eq!((verify(&path).unwrap().records, verify(&path).unwrap().segments), (1, 1));
}

#[test]
fn a_reader_that_is_behind_goes_on_in_what_was_packed_meanwhile() {
    let directory = Directory::new();
    let path = directory.journal();
    let mut writer = write(&path, every(400), &[2]);
    let mut reader = Reader::open(&path).unwrap();
    let mut seen = vec![];
    for round in 0..60u64 {
        for _ in 0..round % 4 {
            writer.append(&frames(writer.records(), 3)).unwrap();
            writer.commit(round % 2 == 0).unwrap();
        }
        if round % 5 == 0 {
            pack(&path).unwrap();
        }
        if round % 3 == 0 {
            seen.extend(reader.next_block().unwrap().map(|block| (block.first_seq, block.frames.to_vec())));
        }
        if round % 7 == 0 {
            seen.extend(read(&mut reader));
            assert_eq!(reader.head(), writer.head());
        }
    }
    seen.extend(read(&mut reader));
    assert_eq!((reader.records(), reader.head()), (writer.records(), writer.head()));
    assert_eq!(seen, read(&mut Reader::open(&path).unwrap()));
    assert!(writer.segment() > 10);
}

#[test]
fn packing_beside_the_writer_leaves_one_form_of_each_segment() {
    let directory = Directory::new();
    let path = directory.journal();
    let mut writer = Writer::open(&path, 7).unwrap().with_rotation(every(3_000), true);
    for _ in 0..300 {
        writer.append(&frames(writer.records(), 9)).unwrap();
        writer.commit(false).unwrap();
    }
    writer.end_company();
    let (head, segment) = (writer.head(), writer.segment());
    drop(writer);
    pack(&path).unwrap();
    assert_eq!(verify(&path).unwrap().head, head);
    let names = directory.names();
    assert_eq!(u64::try_from(names.len()).unwrap(), segment);
    assert!(names[1..].iter().all(|name| name.ends_with(".packed")), "{names:?}");
}

#[test]
fn a_link_to_a_journal_leads_to_its_segments() {
    let (directory, elsewhere) = (Directory::new(), Directory::new());
    let link = elsewhere.journal();
    drop(Writer::open(&directory.journal(), 7).unwrap());
    std::os::unix::fs::symlink(directory.journal(), &link).unwrap();
    let head = write(&link, every(300), &[5, 5, 5, 5]).head();
    assert_eq!(elsewhere.names(), ["a.journal"]);
    for path in [&link, &directory.journal()] {
        assert_eq!(verify(path).unwrap().head, head);
    }
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn who_opened_the_file_before_a_rotation_is_refused_also_without_the_lock_file() {
    let directory = Directory::new();
    let path = directory.journal();
    let _writer = write(&path, every(300), &[5, 5]);
    fs::remove_file(directory.0.join("a.journal.lock")).unwrap();
    let JournalError { problem, .. } = Writer::open(&path, 7).unwrap_err();
    assert!(matches!(problem, Problem::Locked));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn however_a_journal_is_rotated_and_packed_it_is_that_of_one_file(
        groups in prop::collection::vec(1u64..8, 1..40),
        sizes in prop::collection::vec(1u64..4_000, 1..6),
        packs in prop::collection::vec(any::<bool>(), 6),
    ) {
        let (one, many) = (Directory::new(), Directory::new());
        let whole = write(&one.journal(), Rotation::NEVER, &groups);
        let share = groups.len().div_ceil(sizes.len());
        for ((groups, bytes), is_packed) in groups.chunks(share).zip(&sizes).zip(&packs) {
            drop(write(&many.journal(), every(*bytes), groups));
            if *is_packed {
                pack(&many.journal()).unwrap();
            }
        }
        let found = verify(&many.journal()).unwrap();
        prop_assert_eq!((found.status, found.head, found.records), (Status::Intact, whole.head(), whole.records()));
        let blocks = |path: &Path| read(&mut Reader::open(path).unwrap());
        prop_assert_eq!(blocks(&many.journal()), blocks(&one.journal()));
    }
}

/// A start from a snapshot opens a journal late: what it finds and what it goes on with is what a whole walk finds.
#[test]
fn a_journal_that_is_opened_late_goes_on_as_one_that_is_read_whole() {
    let groups = [3, 5, 2, 7, 4, 6, 3, 5, 2, 7, 4, 6];
    for is_packed in [false, true] {
        let directory = Directory::new();
        let path = directory.journal();
        let whole = write(&path, every(600), &groups);
        let (head, records) = (whole.head(), whole.records());
        drop(whole);
        if is_packed {
            pack(&path).unwrap();
        }
        let blocks = read(&mut Reader::open(&path).unwrap());
        let mut begun = Vec::new();
        for seq in 0..=records + 3 {
            let mut reader = Reader::open_late(&path, seq).unwrap();
            let first = reader.records();
            assert!(first <= seq);
            let found = read(&mut reader);
            assert_eq!((reader.head(), reader.records()), (head, records), "from {seq}");
            let expected: Vec<_> = blocks.iter().filter(|block| block.0 >= first).cloned().collect();
            assert_eq!(found, expected, "from {seq}");
            begun.push(first);
        }
        begun.dedup();
        assert!(begun.len() > 3, "segments that a reader begins with: {begun:?}");
        let mut late = Writer::open_late(&path, 7, records - 1).unwrap().with_rotation(every(600), false);
        assert_eq!((late.head(), late.records()), (head, records));
        late.append(&frames(records, 9)).unwrap();
        late.commit(true).unwrap();
        drop(late);
        let finding = verify(&path).unwrap();
        assert_eq!((finding.status, finding.records), (Status::Intact, records + 9));
        assert_eq!(finding.created_ns, Some(7));
    }
}
