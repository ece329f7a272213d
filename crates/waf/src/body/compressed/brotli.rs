//! `br` (RFC 7932): windows of at most 16 MiB.

use super::{End, ROOM};
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

pub(super) fn undo(input: &[u8], out: &mut Vec<u8>, enough: usize) -> Option<End> {
    let alloc = StandardAlloc::default;
    // Strict: not the large windows that only some decoders have.
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let (mut left, mut read, mut total) = (input.len(), 0, 0);
    loop {
        let mut at = out.len();
        if at >= enough {
            return Some(End::Full { read });
        }
        let mut room = ROOM.min(enough - at);
        out.resize(at + room, 0);
        let result = BrotliDecompressStream(
            &mut left, &mut read, input, &mut room, &mut at, out, &mut total, &mut state,
        );
        out.truncate(at);
        match result {
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => return Some(End::Cut),
            BrotliResult::ResultSuccess => return (left == 0).then_some(End::Whole),
            BrotliResult::ResultFailure => return None,
        }
    }
}
