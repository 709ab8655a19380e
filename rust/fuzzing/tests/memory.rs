//! A length that a message only claims takes no memory.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use tradecore_fuzzing::{TARGETS, databento, journal_file, journal_frames, mutated, seeds};

/// Bytes a reader may take beyond a multiple of what it is given: the journal's read buffer is the largest.
const FIXED_BYTES_MAX: u64 = 1 << 20;

/// Bytes a reader may take for each byte it is given.
const FACTOR_MAX: u64 = 200;

/// Returns the most bytes that were held at one time while `act` ran.
fn allocated(act: impl FnOnce()) -> u64 {
    allocation_counter::measure(act).bytes_max
}

/// A function under test.
type Entry = fn(&[u8]);

/// Inputs whose length fields say far more than there is.
fn hostile() -> Vec<(Entry, Vec<u8>)> {
    let frame = |kind: u8, claims: &[u8]| {
        let mut payload = vec![kind];
        payload.extend_from_slice(&[0; 8]);
        payload.extend_from_slice(claims);
        let mut out = u32::try_from(payload.len()).unwrap().to_le_bytes().to_vec();
        out.extend(payload);
        out
    };
    // A book message with 2^32 - 1 levels a side, and a text of 2^32 - 1 bytes.
    let book = frame(19, &[[0; 4].as_slice(), &[1], &[0; 24], &[0xFF; 8]].concat());
    let text = frame(2, &[0xFF; 4]);
    let length = [[0xFF; 4].as_slice(), &[19; 64]].concat();
    let metadata = b"DBN\x01\xFF\xFF\xFF\xFF\x0E\xA0".to_vec();
    let mut block = seeds("journal_file").remove(0);
    // The first block header follows the file header of 32 bytes: magic, then payload bytes and frames.
    block.splice(36..44, [0xFF; 8]);
    vec![
        (journal_frames, book.clone()),
        (journal_frames, text),
        (journal_frames, length),
        (journal_frames, [book.clone(), book].concat()),
        (databento, metadata),
        (journal_file, block),
    ]
}

#[test]
fn a_claimed_length_takes_no_memory_and_what_is_read_takes_a_multiple_of_what_is_given() {
    for (target, input) in hostile() {
        let bytes = allocated(|| target(&input));
        assert!(bytes <= FIXED_BYTES_MAX, "{bytes} bytes for {input:?}");
    }
    // The targets that keep a whole engine take its memory once, whatever they are given.
    let parsers =
        TARGETS.iter().filter(|(name, _)| !matches!(*name, "matching" | "sync" | "book" | "order_book"));
    for (name, target) in parsers {
        for seed in seeds(name) {
            let doubled = mutated(&seed, &[(0, 3, 255), (0, 3, 255), (7, 3, 200)]);
            for input in [seed, doubled] {
                let bytes = allocated(|| target(&input));
                let limit = FIXED_BYTES_MAX + FACTOR_MAX * u64::try_from(input.len()).unwrap();
                assert!(bytes <= limit, "{name}: {bytes} bytes for {} given", input.len());
            }
        }
    }
}
