//! `gzip` (RFC 1952): one member after another.

use super::{End, deflate::inflate};
use flate2::{Crc, Decompress};

/// The most members; each costs as much as a short body.
const MEMBERS_MAX: usize = 64;

pub(super) fn undo(input: &[u8], out: &mut Vec<u8>, enough: usize) -> Option<End> {
    let mut rest = input;
    let mut decoder = Decompress::new(false);
    for _ in 0..MEMBERS_MAX {
        let body = match skip_header(rest) {
            Header::Before(body) => body,
            Header::Cut => return Some(End::Cut),
            Header::None => return None,
        };
        let start = out.len();
        let (end, read) = inflate(&mut decoder, body, out, enough)?;
        let after = body.get(read..)?;
        match end {
            End::Whole => {}
            End::Cut => return Some(End::Cut),
            End::Full { .. } => return Some(End::Full { read: input.len() - after.len() }),
        }
        let Some((trailer, after)) = after.split_at_checked(8) else { return Some(End::Cut) };
        let member = out.get(start..)?;
        let mut crc = Crc::new();
        crc.update(member);
        let length = u32::try_from(member.len() & 0xffff_ffff).ok()?;
        if trailer != [crc.sum().to_le_bytes(), length.to_le_bytes()].concat() {
            return None;
        }
        if after.is_empty() {
            return Some(End::Whole);
        }
        rest = after;
        decoder.reset(false);
    }
    None
}

/// What a member begins with.
enum Header<'i> {
    /// A header; what follows it.
    Before(&'i [u8]),
    /// The beginning of one.
    Cut,
    /// Something else.
    None,
}

/// Skips a member's header (RFC 1952 2.3).
fn skip_header(input: &[u8]) -> Header<'_> {
    const MAGIC: &[u8] = &[0x1f, 0x8b, 8];
    let Some((fixed, mut rest)) = input.split_at_checked(10) else {
        let is_beginning = input.iter().zip(MAGIC).all(|(byte, expected)| byte == expected);
        return if is_beginning { Header::Cut } else { Header::None };
    };
    let flags = fixed.get(3).copied().unwrap_or_default();
    // The bits that mean nothing yet must be zero.
    if !fixed.starts_with(MAGIC) || flags & 0xe0 != 0 {
        return Header::None;
    }
    let is_set = |bit: u8| flags & 1 << bit != 0;
    let skipped = (|| {
        if is_set(2) {
            let (length, after) = rest.split_first_chunk::<2>()?;
            rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
        }
        for text in [3, 4] {
            if is_set(text) {
                rest = rest.get(memchr::memchr(0, rest)? + 1..)?;
            }
        }
        let check = if is_set(1) { 2 } else { 0 };
        rest.get(check..)
    })();
    skipped.map_or(Header::Cut, Header::Before)
}
