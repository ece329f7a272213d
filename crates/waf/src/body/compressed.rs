//! Compressed bodies (RFC 9110 8.4): undone layer by layer, within a ratio, a size and a number of layers.

mod brotli;
mod deflate;
mod gzip;
mod zstd;

use std::fmt;

/// One content coding that is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`, `x-gzip` (RFC 1952).
    Gzip,
    /// `deflate`: zlib (RFC 1950), or raw (RFC 1951) as some clients send it.
    Deflate,
    /// `br` (RFC 7932).
    Brotli,
    /// `zstd` (RFC 8878), with windows of at most 8 MiB (RFC 9659).
    Zstd,
}

/// How much a body may be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that are decoded; what is beyond is left.
    pub output_max: usize,
    /// The most decoded bytes for each encoded one.
    pub ratio_max: u64,
    /// The most codings, one over the other.
    pub layers_max: usize,
}

/// What a compressed body holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Its bytes, at most [`Limits::output_max`].
    pub bytes: Vec<u8>,
    /// Whether they are all of it.
    pub complete: bool,
}

/// Why a compressed body was not decoded. The finding is `secbeat-body-compression`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionError {
    /// It is not what its coding says, or something follows it.
    Malformed(Coding),
    /// It grows by more than the ratio.
    Ratio,
    /// It has more layers than the limit.
    Layers,
}

impl fmt::Display for CompressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CompressionError::Malformed(coding) => write!(f, "not whole and valid {}", coding.as_str()),
            CompressionError::Ratio => f.write_str("grows by more than the ratio"),
            CompressionError::Layers => f.write_str("more codings than the limit"),
        }
    }
}

impl Coding {
    /// The name in `Content-Encoding`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    /// The codings that the values of the fields `Content-Encoding` list, in the order in which they were applied,
    /// `identity` left out; `None` where one of them is not known here. More of them than [`Limits::layers_max`] are best
    /// refused (415) before anything is read: [`decode`] does not undo them.
    pub fn list<'f>(fields: impl Iterator<Item = &'f [u8]>) -> Option<Vec<Coding>> {
        let mut codings = Vec::new();
        for name in fields.flat_map(|field| field.split(|&b| b == b',')).map(<[u8]>::trim_ascii) {
            match name.to_ascii_lowercase().as_slice() {
                b"" | b"identity" => {}
                b"gzip" | b"x-gzip" => codings.push(Coding::Gzip),
                b"deflate" => codings.push(Coding::Deflate),
                b"br" => codings.push(Coding::Brotli),
                b"zstd" => codings.push(Coding::Zstd),
                _ => return None,
            }
        }
        Some(codings)
    }
}

/// Undoes the codings of a body, the last one first. `complete` is false where the body was cut: then what is there is
/// decoded. What stands behind the end of a coding is an error, for another program might read it. In memory are at most two
/// layers of [`Limits::output_max`] bytes each, and what a decoder itself keeps: at most 16 MiB with `br`, and no more than
/// twice what was decoded.
///
/// # Errors
/// It is broken, or a bomb: where it was decoded to its end, by the whole; where the output is full, by what was read for it.
pub fn decode(
    body: &[u8],
    codings: &[Coding],
    complete: bool,
    limits: &Limits,
) -> Result<Decoded, CompressionError> {
    if codings.len() > limits.layers_max {
        return Err(CompressionError::Layers);
    }
    let of_ratio =
        |len: usize| usize::try_from((len as u64).saturating_mul(limits.ratio_max)).unwrap_or(usize::MAX);
    let most = limits.output_max.min(of_ratio(body.len()));
    let mut decoded = Decoded { bytes: Vec::new(), complete };
    for (layer, &coding) in codings.iter().rev().enumerate() {
        let input = if layer == 0 { body } else { decoded.bytes.as_slice() };
        if input.is_empty() {
            break;
        }
        // One byte more than may be: so it is known whether there is more.
        let mut out = Vec::new();
        let end = coding
            .undo(input, &mut out, most.saturating_add(1))
            .ok_or(CompressionError::Malformed(coding))?;
        if out.len() > most {
            let read = match end {
                End::Full { read } => read,
                End::Whole | End::Cut => input.len(),
            };
            if most < limits.output_max || out.len() > of_ratio(read) {
                return Err(CompressionError::Ratio);
            }
            out.truncate(most);
            decoded.complete = false;
        } else if matches!(end, End::Cut) && decoded.complete {
            return Err(CompressionError::Malformed(coding));
        }
        decoded.bytes = out;
    }
    if codings.is_empty() {
        decoded.bytes = body.to_vec();
    }
    Ok(decoded)
}

/// How the decoding of a layer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The coding and the input end together.
    Whole,
    /// The input ends before the coding does.
    Cut,
    /// There are at least as many bytes as were asked for; how much of the input was read for them.
    Full {
        /// Bytes.
        read: usize,
    },
}

impl Coding {
    /// Decodes `input` into `out` until there are `enough` bytes. `None`: it is not of this coding.
    fn undo(self, input: &[u8], out: &mut Vec<u8>, enough: usize) -> Option<End> {
        match self {
            Coding::Gzip => gzip::undo(input, out, enough),
            Coding::Deflate => deflate::undo(input, out, enough),
            Coding::Brotli => brotli::undo(input, out, enough),
            Coding::Zstd => zstd::undo(input, out, enough),
        }
    }
}

/// How much more room a decoder gets at a time, in bytes.
const ROOM: usize = 16 * 1024;

#[cfg(test)]
#[path = "compressed_tests.rs"]
mod tests;
