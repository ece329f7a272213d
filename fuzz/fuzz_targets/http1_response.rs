//! Any bytes as the head of a response: see the invariants.
#![no_main]

#[path = "../../crates/http1/tests/invariants/mod.rs"]
mod invariants;

use secbeat_http1::{Limits, Method};

const TIGHT: Limits = Limits { head_bytes_max: 64, target_bytes_max: 16, fields_max: 3, field_bytes_max: 24 };

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    invariants::response(input, Method::Get, &Limits::default());
    invariants::response(input, Method::Head, &TIGHT);
});
