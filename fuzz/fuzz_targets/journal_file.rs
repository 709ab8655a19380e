//! Any bytes to `tradecore_fuzzing::journal_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::journal_file(data));
