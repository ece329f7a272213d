//! Any bytes as the head of a request: see the invariants.
#![no_main]

#[path = "../../crates/http1/tests/invariants/mod.rs"]
mod invariants;

use secbeat_http1::Limits;

const TIGHT: Limits = Limits { head_bytes_max: 64, target_bytes_max: 16, fields_max: 3, field_bytes_max: 24 };

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    invariants::request(input, &Limits::default());
    invariants::request(input, &TIGHT);
});
