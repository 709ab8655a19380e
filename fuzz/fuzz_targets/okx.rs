//! Any bytes to `tradecore_fuzzing::okx`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::okx(data));
