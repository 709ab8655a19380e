//! Journals as files: locks, torn tails, followers, and files that are something else.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::fs;
use std::path::{Path, PathBuf};

use tradecore_journal::{
    JournalError, Problem, Reader, Status, Writer, encode_session_end, set_aside, succeed, verify,
};

/// A directory of its own that goes away with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tradecore-journal-{name}-{}", std::process::id()));
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

fn append(writer: &mut Writer, count: usize) {
    for _ in 0..count {
        let mut frame = Vec::new();
        encode_session_end(&mut frame, i64::try_from(writer.records()).unwrap(), "because").unwrap();
        writer.append(&frame).unwrap();
    }
}

fn problem(path: &Path) -> Problem {
    let JournalError { problem, .. } = Writer::open(path, 0).unwrap_err();
    problem
}

#[test]
fn a_journal_goes_on_where_it_ended() {
    let directory = Directory::new("goes-on");
    let mut heads = Vec::new();
    for _ in 0..3 {
        let mut writer = Writer::open(&directory.journal(), 7).unwrap();
        append(&mut writer, 4);
        writer.commit(true).unwrap();
        assert_eq!(writer.bytes(), fs::metadata(directory.journal()).unwrap().len());
        heads.push(writer.head());
    }
    let verdict = verify(&directory.journal()).unwrap();
    assert_eq!((verdict.status, verdict.records, verdict.created_ns), (Status::Intact, 12, Some(7)));
    assert_eq!(Some(&verdict.head), heads.last());
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let directory = Directory::new("second");
    let first = Writer::open(&directory.journal(), 0).unwrap();
    assert!(matches!(problem(&directory.journal()), Problem::Locked));
    drop(first);
    Writer::open(&directory.journal(), 0).unwrap();
}

#[cfg(unix)]
#[test]
fn a_second_writer_is_refused_by_another_name_and_without_the_lock_file() {
    let directory = Directory::new("names");
    let _first = Writer::open(&directory.journal(), 0).unwrap();
    let link = directory.0.join("link");
    std::os::unix::fs::symlink(directory.journal(), &link).unwrap();
    assert!(matches!(problem(&link), Problem::Locked));
    fs::remove_file(directory.0.join("a.journal.lock")).unwrap();
    assert!(matches!(problem(&directory.journal()), Problem::Locked));
}

#[test]
fn a_torn_tail_is_cut_off_and_kept_aside() {
    let directory = Directory::new("torn");
    let path = directory.journal();
    let mut writer = Writer::open(&path, 0).unwrap();
    append(&mut writer, 3);
    writer.commit(true).unwrap();
    let (whole, head) = (writer.bytes(), writer.head());
    append(&mut writer, 2);
    writer.commit(true).unwrap();
    drop(writer);
    let bytes = fs::read(&path).unwrap();
    for (round, length) in [(1, bytes.len() - 1), (2, bytes.len() - 70)] {
        fs::write(&path, &bytes[..length]).unwrap();
        assert_eq!(verify(&path).unwrap().status, Status::Torn);
        let writer = Writer::open(&path, 0).unwrap();
        let torn = writer.torn().unwrap().clone();
        assert_eq!((writer.records(), writer.head(), writer.bytes()), (3, head, whole));
        assert_eq!(fs::read(&torn.kept_in).unwrap(), bytes[usize::try_from(whole).unwrap()..length]);
        assert_eq!(torn.kept_in.to_string_lossy().ends_with("-2"), round == 2);
        assert_eq!(verify(&path).unwrap().status, Status::Intact);
    }
}

/// A journal whose last block a crash cut off, and what is left of that block.
fn torn(directory: &Directory) -> (Vec<u8>, usize) {
    let path = directory.journal();
    let mut writer = Writer::open(&path, 0).unwrap();
    append(&mut writer, 3);
    writer.commit(true).unwrap();
    let whole = usize::try_from(writer.bytes()).unwrap();
    append(&mut writer, 2);
    writer.commit(true).unwrap();
    drop(writer);
    let mut bytes = fs::read(&path).unwrap();
    bytes.pop();
    fs::write(&path, &bytes).unwrap();
    (bytes, whole)
}

fn names(directory: &Directory) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(&directory.0).unwrap().map(name).collect();
    names.sort_unstable();
    names
}

#[test]
fn thousands_of_torn_tails_beside_it_keep_no_journal_from_opening() {
    let directory = Directory::new("thousands");
    let (bytes, whole) = torn(&directory);
    let beside = |suffix: String| directory.0.join(format!("a.journal.torn-{whole}{suffix}"));
    fs::write(beside(String::new()), b"").unwrap();
    for number in 2..=1_000 {
        fs::write(beside(format!("-{number}")), b"").unwrap();
    }
    for number in 1_001..1_004 {
        fs::write(directory.journal(), &bytes).unwrap();
        let writer = Writer::open(&directory.journal(), 0).unwrap();
        assert_eq!(writer.torn().unwrap().kept_in, beside(format!("-{number}")));
        assert_eq!(fs::read(beside(format!("-{number}"))).unwrap(), bytes[whole..]);
    }
}

#[test]
fn a_tail_that_cannot_be_kept_leaves_the_journal_and_its_directory_as_they_were() {
    let directory = Directory::new("unkept");
    let (bytes, whole) = torn(&directory);
    // Nothing can be written where the tail would go first.
    let unfinished = directory.0.join("a.journal.torn-unfinished");
    fs::create_dir(&unfinished).unwrap();
    let before = names(&directory);
    for _ in 0..3 {
        let words = problem(&directory.journal()).to_string();
        assert!(!words.is_empty());
        assert_eq!(
            (fs::read(directory.journal()).unwrap(), names(&directory)),
            (bytes.clone(), before.clone())
        );
    }
    // What an attempt before left unfinished is written over.
    fs::remove_dir(&unfinished).unwrap();
    fs::write(&unfinished, vec![7; 100_000]).unwrap();
    let writer = Writer::open(&directory.journal(), 0).unwrap();
    assert_eq!(fs::read(&writer.torn().unwrap().kept_in).unwrap(), bytes[whole..]);
    assert!(!unfinished.exists());
}

#[test]
fn a_damaged_journal_is_not_opened_and_not_touched() {
    let directory = Directory::new("damaged");
    let path = directory.journal();
    let mut writer = Writer::open(&path, 0).unwrap();
    append(&mut writer, 9);
    writer.commit(true).unwrap();
    drop(writer);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let Problem::Damaged(damage) = problem(&path) else { panic!("was opened") };
    assert_eq!((damage.offset, damage.first_seq, damage.last_seq), (32, 0, Some(8)));
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_creation_that_a_crash_cut_short_is_finished() {
    let directory = Directory::new("creation");
    for begun in [&b""[..], b"TCJOU", &[0; 32]] {
        fs::write(directory.journal(), begun).unwrap();
        let mut writer = Writer::open(&directory.journal(), 0).unwrap();
        append(&mut writer, 1);
        writer.commit(true).unwrap();
        drop(writer);
        assert_eq!(verify(&directory.journal()).unwrap().records, 1);
    }
}

#[test]
fn what_cannot_be_a_journal_says_why_and_what_to_do() {
    let directory = Directory::new("other");
    let path = directory.journal();
    assert!(matches!(problem(&directory.0), Problem::Directory));

    fs::write(&path, "open,high,low,close\n1,2,3,4\n1,2,3,4\n").unwrap();
    assert!(matches!(problem(&path), Problem::Foreign));
    assert!(matches!(verify(&path).unwrap_err().problem, Problem::Foreign));

    let missing = directory.0.join("nowhere").join("a.journal");
    let text = problem(&missing).to_string();
    assert!(text.contains("create its directory"), "{text}");

    fs::remove_file(&path).unwrap();
    drop(Writer::open(&path, 0).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 3;
    bytes[12..16].fill(0);
    let crc = crc32fast::hash(&bytes);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(problem(&path), Problem::NewerVersion(3)));
}

#[test]
fn a_reader_follows_a_writer_block_by_block() {
    let directory = Directory::new("follow");
    let path = directory.journal();
    let mut writer = Writer::open(&path, 0).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert!(reader.next_block().unwrap().is_none());
    for round in 0..50u64 {
        append(&mut writer, 2);
        assert!(reader.next_block().unwrap().is_none(), "saw what was not committed");
        writer.commit(false).unwrap();
        assert_eq!(reader.next_block().unwrap().unwrap().first_seq, round * 2);
        assert_eq!(reader.head(), writer.head());
    }
}

#[test]
fn a_reader_waits_while_a_block_is_only_half_there() {
    let directory = Directory::new("half");
    let path = directory.journal();
    let mut writer = Writer::open(&path, 0).unwrap();
    append(&mut writer, 20);
    writer.commit(true).unwrap();
    drop(writer);
    let bytes = fs::read(&path).unwrap();
    let growing = directory.0.join("growing");
    fs::write(&growing, b"").unwrap();
    let mut reader = Reader::open(&growing).unwrap();
    for length in 0..bytes.len() {
        fs::write(&growing, &bytes[..length]).unwrap();
        assert!(reader.next_block().unwrap().is_none(), "{length} bytes");
    }
    fs::write(&growing, &bytes).unwrap();
    assert_eq!(reader.next_block().unwrap().unwrap().first_seq, 0);
    assert_eq!(reader.records(), 20);
}

#[cfg(unix)]
#[test]
fn a_journal_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new("mode");
    drop(Writer::open(&directory.journal(), 0).unwrap());
    let mode = fs::metadata(directory.journal()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_journal_that_is_set_aside_keeps_its_bytes_under_the_first_free_name() {
    let directory = Directory::new("aside");
    let path = directory.journal();
    assert_eq!(set_aside(&path, "old").unwrap(), None);
    for name in ["a.journal.old", "a.journal.old-2", "a.journal.old-3"] {
        let mut writer = Writer::open(&path, 0).unwrap();
        append(&mut writer, 3);
        writer.commit(true).unwrap();
        let head = writer.head();
        assert!(matches!(set_aside(&path, "old").unwrap_err().problem, Problem::Locked));
        drop(writer);
        let kept_in = set_aside(&path, "old").unwrap().unwrap();
        assert_eq!(kept_in, directory.0.join(name));
        assert_eq!(verify(&kept_in).unwrap().head, head);
        assert!(!path.exists());
    }
}

#[cfg(unix)]
#[test]
fn a_successor_takes_the_place_of_a_journal_that_keeps_its_bytes_under_another_name() {
    let directory = Directory::new("successor");
    let (path, next) = (directory.journal(), directory.journal().with_extension("next"));
    let written = |path: &Path, reason: &str| {
        let mut frames = Vec::new();
        encode_session_end(&mut frames, 5, reason).unwrap();
        let mut writer = Writer::open(path, 5).unwrap();
        writer.append(&frames).unwrap();
        writer.commit(true).unwrap();
    };
    written(&path, "old");
    written(&next, "new");
    let (old, new) = (fs::read(&path).unwrap(), fs::read(&next).unwrap());
    let bytes = u64::try_from(old.len()).unwrap();
    {
        let _writer = Writer::open(&path, 5).unwrap();
        assert!(matches!(succeed(&path, &next, "was", bytes).unwrap_err().problem, Problem::Locked));
    }
    assert!(matches!(succeed(&path, &next, "was", bytes - 1).unwrap_err().problem, Problem::Locked));
    assert_eq!((fs::read(&path).unwrap(), fs::read(&next).unwrap()), (old.clone(), new.clone()));

    // A process that died after the first step: the journal has both names, and is in its place.
    let kept = PathBuf::from(format!("{}.was", path.display()));
    #[cfg(unix)]
    fs::hard_link(&path, &kept).unwrap();
    assert_eq!(succeed(&path, &next, "was", bytes).unwrap(), kept);
    assert_eq!((fs::read(&path).unwrap(), fs::read(&kept).unwrap()), (new.clone(), old));
    assert!(!next.exists());

    written(&next, "newer");
    let bytes = u64::try_from(new.len()).unwrap();
    let second = succeed(&path, &next, "was", bytes).unwrap();
    assert_eq!((second.extension().unwrap().to_str(), fs::read(&second).unwrap()), (Some("was-2"), new));
    let letter = directory.journal().with_extension("txt");
    fs::write(&letter, "hello, this is a letter and no journal of anything").unwrap();
    for (path, next) in [(&letter, &path), (&path, &letter)] {
        assert!(matches!(succeed(path, next, "was", bytes).unwrap_err().problem, Problem::Foreign));
    }
}

#[test]
fn a_journal_that_is_written_is_not_set_aside_when_its_lock_file_is_gone() {
    let directory = Directory::new("aside-lock");
    let _writer = Writer::open(&directory.journal(), 0).unwrap();
    fs::remove_file(directory.0.join("a.journal.lock")).unwrap();
    assert!(matches!(set_aside(&directory.journal(), "old").unwrap_err().problem, Problem::Locked));
    assert!(directory.journal().exists());
}

#[test]
fn a_damaged_journal_is_set_aside_and_what_is_none_is_left_alone() {
    let directory = Directory::new("aside-none");
    let path = directory.journal();
    let mut writer = Writer::open(&path, 0).unwrap();
    append(&mut writer, 50);
    writer.commit(true).unwrap();
    drop(writer);
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(problem(&path), Problem::Damaged(_)));
    let kept_in = set_aside(&path, "old").unwrap().unwrap();
    assert_eq!(fs::read(kept_in).unwrap(), bytes);

    let letter = directory.0.join("letter");
    fs::write(&letter, "Dear Ada, this is longer than the header of a journal is.".repeat(9)).unwrap();
    assert!(matches!(set_aside(&letter, "old").unwrap_err().problem, Problem::Foreign));
    assert!(matches!(set_aside(&directory.0, "old").unwrap_err().problem, Problem::Directory));
    assert!(letter.exists() && !directory.0.join("letter.lock").exists());
}
