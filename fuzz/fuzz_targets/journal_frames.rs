//! Any bytes to `tradecore_fuzzing::journal_frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::journal_frames(data));
