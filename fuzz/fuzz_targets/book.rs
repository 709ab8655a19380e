//! Any bytes to `tradecore_fuzzing::book`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::book(data));
