//! Any bytes as a body in chunks: see the invariants.
#![no_main]

#[path = "../../crates/http1/tests/invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|input: &[u8]| invariants::chunked(input));
