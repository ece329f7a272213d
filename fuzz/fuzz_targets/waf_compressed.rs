//! The first byte picks codings and limits; whatever follows, decoding ends and keeps to them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secbeat_waf::body::compressed::{Coding, Limits, decode};

const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let pick = |shift: u8| CODINGS[usize::from(choice >> shift & 3)];
    let codings = if choice & 0x10 == 0 { vec![pick(0)] } else { vec![pick(0), pick(2)] };
    let limits = Limits { output_max: 64 * 1024, ratio_max: 50, layers_max: 2 };
    if let Ok(decoded) = decode(data, &codings, choice & 0x80 == 0, &limits) {
        assert!(decoded.bytes.len() <= limits.output_max);
        assert!(decoded.bytes.len() as u64 <= limits.ratio_max * data.len() as u64);
        assert!(!decoded.complete || choice & 0x80 == 0);
    }
});
