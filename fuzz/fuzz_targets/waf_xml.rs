//! Whatever the bytes, walking them ends, within its bounds, and every value stands where it says; a value that is written
//! back as it was meant leaves XML that is read as before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secbeat_waf::body::walk_xml;

const DEPTH_MAX: usize = 16;
const VALUES_MAX: usize = 500;

fuzz_target!(|data: &[u8]| {
    let mut values = 0;
    let complete = walk_xml(data, true, DEPTH_MAX, VALUES_MAX, &mut |piece| {
        values += 1;
        assert!(piece.name.iter().filter(|&&b| b == b'/').count() <= DEPTH_MAX + 2);
        assert!(piece.spot.is_none_or(|spot| data.get(spot.range).is_some()));
    });
    assert!(values <= VALUES_MAX);
    let mut again = 0;
    let cut = walk_xml(data, false, DEPTH_MAX, VALUES_MAX, &mut |_| again += 1);
    if complete.is_ok() {
        assert!(cut.is_ok() && again == values);
    }
});
