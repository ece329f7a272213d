//! `zstd` (RFC 8878): one frame after another, with windows of at most 8 MiB, as HTTP has them (RFC 9659).

use super::End;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::ErrorKind;

/// The largest window: RFC 9659 3.
const WINDOW_MAX: u64 = 8 << 20;
/// The most frames; each costs the tables of a decoder.
const FRAMES_MAX: usize = 64;
/// An empty last block, and the room for a checksum: ends a frame, so that what it holds until there can be had.
const END: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

pub(super) fn undo(input: &[u8], out: &mut Vec<u8>, enough: usize) -> Option<End> {
    let mut rest = input;
    for _ in 0..FRAMES_MAX {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_MAX);
        match decoder.init(&mut rest) {
            Ok(()) => {
                let read = |rest: &[u8]| input.len() - rest.len();
                match frame(&mut decoder, &mut rest, out, enough)? {
                    End::Whole if out.len() >= enough => return Some(End::Full { read: read(rest) }),
                    End::Whole => {}
                    End::Cut => return Some(End::Cut),
                    End::Full { .. } => return Some(End::Full { read: read(rest) }),
                }
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => match rest.get(usize::try_from(length).ok()?..) {
                Some(after) => rest = after,
                None => return Some(End::Cut),
            },
            // A frame's beginning is the only thing that it reads here.
            Err(error) => return is_end(&error).then_some(End::Cut),
        }
        if rest.is_empty() {
            return Some(End::Whole);
        }
    }
    None
}

/// The blocks of one frame.
fn frame(decoder: &mut FrameDecoder, rest: &mut &[u8], out: &mut Vec<u8>, enough: usize) -> Option<End> {
    let start = out.len();
    let wanted = BlockDecodingStrategy::UptoBytes(enough.saturating_sub(start));
    let end = match decoder.decode_blocks(&mut *rest, wanted) {
        Ok(true) => End::Whole,
        Ok(false) => End::Full { read: 0 },
        Err(error) if is_end(&error) => End::Cut,
        Err(_) => return None,
    };
    if end != End::Whole {
        // It may have read the last block and lack its checksum.
        let _ = decoder.decode_blocks(END, BlockDecodingStrategy::All);
    }
    decoder.collect_to_writer(&mut *out).ok()?;
    let length = (out.len() - start) as u64;
    let is_as_announced = matches!(decoder.content_size(), 0) || decoder.content_size() == length;
    let sum = decoder.get_checksum_from_data();
    let is_sound = sum.is_none() || sum == decoder.get_calculated_checksum();
    (end != End::Whole || (is_as_announced && is_sound)).then_some(end)
}

/// Whether an error says that the bytes end too early.
fn is_end(error: &FrameDecoderError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return error.kind() == ErrorKind::UnexpectedEof;
        }
        cause = error.source();
    }
    false
}
