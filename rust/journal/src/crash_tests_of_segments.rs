//! Processes that die, and power that fails, between any two steps of a rotation, of packing, of a retention, and of
//! giving a journal another name.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::folder::disk::{Step, watch};
use crate::{
    Frames, Reader, Rotation, Status, Writer, drop_market_events, encode_event, encode_session_end, pack,
    set_aside, succeed, verify,
};
use tradecore_types::{Event, EventBody, InstrumentId, Quote};

/// A directory of its own that goes away with the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let path = place.join(format!("tradecore-crash-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn journal(&self) -> PathBuf {
        self.0.join("a.journal")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        watch(None);
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn frame(seq: u64) -> Vec<u8> {
    let (mut out, time_ns) = (Vec::new(), i64::try_from(seq).unwrap());
    if seq.is_multiple_of(3) {
        encode_session_end(&mut out, time_ns, &"because".repeat(usize::try_from(seq % 7).unwrap())).unwrap();
    } else {
        let quote = Quote { bid_ticks: 1, bid_lots: 1, ask_ticks: time_ns, ask_lots: 2, update_id: 7 };
        let event = Event { time_ns, instrument: InstrumentId(0), body: EventBody::Quote(quote) };
        encode_event(&mut out, &event, &[], &[]).unwrap();
    }
    out
}

/// Opens a journal, appends groups, all durable, and returns how many records it said are durable.
fn write(path: &Path, bytes: u64, groups: &[u64]) -> u64 {
    let mut writer = Writer::open(path, 7).unwrap().with_rotation(Rotation { bytes, span_ns: 0 }, false);
    for count in groups {
        for _ in 0..*count {
            writer.append(&frame(writer.records())).unwrap();
        }
        if writer.commit(true).is_err() {
            break;
        }
    }
    writer.durable_records()
}

/// The records that stay whatever a retention does, by number.
fn kept(path: &Path) -> Vec<(u64, Vec<u8>)> {
    let mut reader = Reader::open(path).unwrap();
    let mut frames = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        for (seq, frame) in (block.first_seq..).zip(Frames::new(block.frames)) {
            if seq.is_multiple_of(3) {
                frames.push((seq, frame.unwrap().to_vec()));
            }
        }
    }
    frames
}

/// What is done to a journal; the files of a second one lie at `next`.
type Work = fn(&Path, &Path);

const SUFFIX: &str = "was";

/// Every work, with whether the journal has another name after it.
const WORKS: [(&str, Work); 6] = [
    ("rotate", |path, _| {
        write(path, 300, &[4, 4]);
    }),
    ("pack", |path, _| drop(pack(path))),
    ("retain", |path, _| drop(drop_market_events(path, i64::MAX))),
    ("pack and retain", |path, _| {
        drop(pack(path));
        drop(drop_market_events(path, i64::MAX));
    }),
    ("set aside", |path, _| drop(set_aside(path, SUFFIX))),
    ("succeed", |path, next| {
        let bytes = verify(path).map_or(0, |found| found.file_bytes);
        drop(succeed(path, next, SUFFIX, bytes));
    }),
];

/// A journal of several segments, and one that may take its place.
fn begun() -> (Directory, u64) {
    let directory = Directory::new();
    let records = write(&directory.journal(), 400, &[5, 6, 5, 6, 5, 4]);
    write(&directory.0.join("next"), 0, &[1]);
    (directory, records)
}

/// Checks that a journal of at least so many records is in its place or has its other name, whole, and goes on.
fn check(directory: &Path, records: u64, expected: &[(u64, Vec<u8>)], what: &str) {
    let path = directory.join("a.journal");
    let other = directory.join(format!("a.journal.{SUFFIX}"));
    let is_the_one = |path: &Path| path.exists() && verify(path).is_ok_and(|found| found.records >= records);
    let found = if is_the_one(&path) { path.clone() } else { other };
    assert!(found.exists(), "{what}: the journal is gone");
    let finding = verify(&found).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(finding.status, Status::Intact, "{what}");
    assert!(finding.records >= records, "{what}: {} of {records}", finding.records);
    let records_kept = kept(&found);
    assert!(records_kept.starts_with(expected), "{what}: records differ");
    for path in [&found, &path] {
        // It goes on where it is, and another one begins in a place that is free.
        write(path, 300, &[2, 2]);
        assert_eq!(verify(path).unwrap().status, Status::Intact, "{what}: {}", path.display());
    }
    pack(&found).unwrap();
    drop_market_events(&found, i64::MAX).unwrap();
    assert_eq!(verify(&found).unwrap().status, Status::Intact, "{what}: packed");
    assert!(kept(&found).starts_with(expected), "{what}: records differ when packed");
}

#[test]
fn a_process_that_dies_between_any_two_steps_leaves_a_whole_journal() {
    for (name, work) in WORKS {
        let mut fails_at = 0;
        loop {
            let (directory, records) = begun();
            let expected = kept(&directory.journal());
            let steps = Rc::new(RefCell::new(0));
            let count = Rc::clone(&steps);
            watch(Some(Box::new(move |_| {
                *count.borrow_mut() += 1;
                if *count.borrow() > fails_at { Err(io::Error::other("dead")) } else { Ok(()) }
            })));
            work(&directory.journal(), &directory.0.join("next"));
            watch(None);
            check(&directory.0, records, &expected, &format!("{name}, dead after step {fails_at}"));
            if *steps.borrow() <= fails_at {
                assert!(fails_at > 3, "{name} took {fails_at} steps");
                break;
            }
            fails_at += 1;
        }
    }
}

#[test]
fn a_step_that_fails_once_does_no_harm_to_what_comes_after_it() {
    for (name, work) in WORKS {
        for fails_at in 1..60 {
            let (directory, records) = begun();
            let expected = kept(&directory.journal());
            let mut count = 0;
            watch(Some(Box::new(move |_| {
                count += 1;
                if count == fails_at { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
            })));
            work(&directory.journal(), &directory.0.join("next"));
            watch(None);
            check(&directory.0, records, &expected, &format!("{name}, step {fails_at} failed"));
        }
    }
}

#[test]
fn a_directory_whose_sync_failed_is_not_synced_again_and_the_writer_stops() {
    for fails_at in 1..3 {
        let directory = Directory::new();
        let syncs = Rc::new(RefCell::new(0_u32));
        let count = Rc::clone(&syncs);
        watch(Some(Box::new(move |step| {
            *count.borrow_mut() += u32::from(matches!(step, Step::SyncDirectory));
            let fails = matches!(step, Step::SyncDirectory) && *count.borrow() == fails_at;
            if fails { Err(io::Error::other("no")) } else { Ok(()) }
        })));
        let rotation = Rotation { bytes: 300, span_ns: 0 };
        let mut writer = Writer::open(&directory.journal(), 7).unwrap().with_rotation(rotation, false);
        let mut refused = 0;
        // A segment that could not be begun is tried again a mebibyte later.
        for _ in 0..40_000 {
            refused += u32::from(writer.append(&frame(18)).and_then(|()| writer.commit(false)).is_err());
        }
        assert!(refused > 39_000, "{refused} refused");
        assert_eq!(*syncs.borrow(), fails_at);
    }
}

/// A step that was taken, for the model of a disk.
#[derive(Clone, Debug)]
enum Taken {
    Write(PathBuf, Vec<u8>),
    Sync(PathBuf),
    Link(PathBuf, PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDirectory,
}

impl Taken {
    fn of(step: Step<'_>) -> Self {
        match step {
            Step::Write(path, bytes) => Self::Write(path.into(), bytes.into()),
            Step::Sync(path) => Self::Sync(path.into()),
            Step::Link(path, to) => Self::Link(path.into(), to.into()),
            Step::Rename(path, to) => Self::Rename(path.into(), to.into()),
            Step::Remove(path) => Self::Remove(path.into()),
            Step::SyncDirectory => Self::SyncDirectory,
        }
    }
}

/// What a disk has: names, and the files that they are of with what of them was synced.
#[derive(Clone, Debug, Default)]
struct Image {
    names: BTreeMap<PathBuf, usize>,
    files: Vec<(Vec<u8>, usize)>,
}

impl Image {
    /// Everything that is in a directory, all of it durable.
    fn of(directory: &Path) -> Self {
        let (mut image, mut known) = (Self::default(), BTreeMap::new());
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let number = *known.entry(fs::metadata(&path).unwrap().ino()).or_insert_with(|| {
                image.files.push((bytes.clone(), bytes.len()));
                image.files.len() - 1
            });
            image.names.insert(path, number);
        }
        image
    }

    /// Takes a step; of names only when `is_named` lets it reach the disk.
    fn take(&mut self, step: &Taken, is_named: bool) {
        match step {
            Taken::Write(path, bytes) => {
                let number = self.number(path, true);
                self.files[number].0.extend_from_slice(bytes);
            }
            Taken::Sync(path) => {
                let number = self.number(path, true);
                self.files[number].1 = self.files[number].0.len();
            }
            _ if !is_named => {}
            Taken::Link(path, to) => {
                if let Some(number) = self.names.get(path).copied() {
                    self.names.entry(to.clone()).or_insert(number);
                }
            }
            Taken::Rename(path, to) => {
                if let Some(number) = self.names.remove(path) {
                    self.names.insert(to.clone(), number);
                }
            }
            Taken::Remove(path) => drop(self.names.remove(path)),
            Taken::SyncDirectory => {}
        }
    }

    /// A file that is written for the first time here begins empty, whatever had the name.
    fn number(&mut self, path: &Path, is_new: bool) -> usize {
        if let Some(number) = self.names.get(path) {
            return *number;
        }
        assert!(is_new);
        self.files.push((Vec::new(), 0));
        self.names.insert(path.into(), self.files.len() - 1);
        self.files.len() - 1
    }

    /// Writes what a power cut leaves of it into a directory that takes the place of `from`.
    fn leave(&self, from: &Path, to: &Path, lost: Lost) {
        let mut first: BTreeMap<usize, PathBuf> = BTreeMap::new();
        for (path, number) in &self.names {
            let name = to.join(path.strip_prefix(from).unwrap());
            if let Some(first) = first.get(number) {
                fs::hard_link(first, &name).unwrap();
                continue;
            }
            let (bytes, synced) = &self.files[*number];
            let mut bytes = bytes.clone();
            match lost {
                Lost::Nothing => {}
                Lost::All => bytes.truncate(*synced),
                Lost::Zeros => bytes[*synced..].fill(0),
            }
            fs::write(&name, bytes).unwrap();
            first.insert(*number, name);
        }
    }
}

/// What became of bytes that were not synced.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Nothing,
    All,
    Zeros,
}

#[test]
fn no_power_cut_between_any_two_steps_takes_a_journal_or_makes_it_unreadable() {
    let mut images = 0;
    for (name, work) in WORKS {
        let (directory, records) = begun();
        let expected = kept(&directory.journal());
        // Appends before the first step are synced: a segment is closed when it is durable.
        let seen = Rc::new(RefCell::new((None, Vec::new())));
        let (note, place) = (Rc::clone(&seen), directory.0.clone());
        watch(Some(Box::new(move |step| {
            let mut seen = note.borrow_mut();
            if matches!(step, Step::Rename(..) | Step::Link(..) | Step::Remove(_)) || seen.0.is_none() {
                // Groups that were appended meanwhile are durable when names change.
                let steps = seen.1.len();
                seen.0.get_or_insert_with(|| (Image::of(&place), steps));
            }
            seen.1.push(Taken::of(step));
            Ok(())
        })));
        if name == "rotate" {
            // One rotation: what is appended to the new segment later is no step.
            write(&directory.journal(), 1, &[4]);
        } else {
            work(&directory.journal(), &directory.0.join("next"));
        }
        watch(None);
        let (begun, taken) = seen.take();
        let mut image = begun.unwrap().0;
        // A file that a step writes anew was made empty before.
        image.names.retain(|path, _| !path.to_string_lossy().ends_with("unfinished"));
        let mut from = 0;
        for end in 0..=taken.len() {
            let pending: Vec<usize> = (from..end).filter(|at| is_of_names(&taken[*at])).collect();
            for choice in 0..1u32 << pending.len() {
                let mut cut = image.clone();
                for (at, step) in taken.iter().enumerate().take(end).skip(from) {
                    let bit = pending.iter().position(|pending| *pending == at);
                    cut.take(step, bit.is_none_or(|bit| choice >> bit & 1 == 1));
                }
                for lost in [Lost::Nothing, Lost::All, Lost::Zeros] {
                    let left = Directory::new();
                    cut.leave(&directory.0, &left.0, lost);
                    check(
                        &left.0,
                        records,
                        &expected,
                        &format!("{name}: {end} steps, names {choice:b}, {lost:?}"),
                    );
                    images += 1;
                }
            }
            if matches!(taken.get(end), Some(Taken::SyncDirectory)) {
                taken[from..=end].iter().for_each(|step| image.take(step, true));
                from = end + 1;
            }
        }
    }
    assert!(images > 300, "{images} images");
}

fn is_of_names(step: &Taken) -> bool {
    matches!(step, Taken::Link(..) | Taken::Rename(..) | Taken::Remove(_))
}
