//! Any bytes to `tradecore_fuzzing::sync`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::sync(data));
