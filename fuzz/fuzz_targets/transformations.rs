//! Every transformation takes any bytes: what it appends is bounded, it tells a change exactly where there is one, and it
//! changes nothing in a value without its triggers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secbeat_transform::{ByteSet, Transformation};

fuzz_target!(|data: &[u8]| {
    let bytes = ByteSet::of_value(data);
    let mut out = Vec::new();
    for transformation in Transformation::all() {
        let name = transformation.name();
        let triggers = transformation.triggers();
        out.clear();
        let changed = transformation.apply(data, &mut out);
        assert!(out.len() <= 4 * data.len() + 20, "{name}");
        assert!(if changed { out != data } else { out.is_empty() }, "{name}");
        assert!(!changed || triggers.is_full() || triggers.intersects(&bytes), "{name}");
    }
});
