//! Any bytes to `tradecore_fuzzing::times`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::times(data));
