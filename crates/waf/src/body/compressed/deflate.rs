//! `deflate`: zlib (RFC 1950), and raw (RFC 1951), which some clients send in its place.

use super::{End, ROOM};
use flate2::{Decompress, FlushDecompress, Status};

pub(super) fn undo(input: &[u8], out: &mut Vec<u8>, enough: usize) -> Option<End> {
    let (end, read) = inflate(&mut Decompress::new(has_zlib_header(input)), input, out, enough)?;
    match end {
        End::Whole if read < input.len() => None,
        end => Some(end),
    }
}

/// RFC 1950 2.2: method 8, and a check of the first two bytes.
fn has_zlib_header(input: &[u8]) -> bool {
    matches!(input, [method, flags, ..]
        if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

/// One stream, by a decoder that has read nothing yet, and how much of the input it is; where it ends whole, something may follow it.
pub(super) fn inflate(
    decoder: &mut Decompress,
    input: &[u8],
    out: &mut Vec<u8>,
    enough: usize,
) -> Option<(End, usize)> {
    loop {
        let read = usize::try_from(decoder.total_in()).ok()?;
        if out.len() >= enough {
            return Some((End::Full { read }, read));
        }
        out.reserve(ROOM.min(enough - out.len()));
        let before = out.len();
        let status = decoder.decompress_vec(input.get(read..)?, out, FlushDecompress::None).ok()?;
        let now = usize::try_from(decoder.total_in()).ok()?;
        match status {
            Status::StreamEnd => return Some((End::Whole, now)),
            Status::Ok | Status::BufError if now == read && out.len() == before => {
                return Some((End::Cut, now));
            }
            Status::Ok | Status::BufError => {}
        }
    }
}
