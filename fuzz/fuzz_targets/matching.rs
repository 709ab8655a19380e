//! Any bytes to `tradecore_fuzzing::matching`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::matching(data));
