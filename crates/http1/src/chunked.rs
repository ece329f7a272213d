//! The chunked transfer coding, RFC 9112 7.1, read strictly.

use crate::BodyError;
use crate::body::{BodyState, Decoded};
use crate::bytes::{CR, HTAB, LF, is_token_byte};
use crate::trailers::Trailers;

/// Digits of a chunk's size, leading zeros counted.
const SIZE_DIGITS_MAX: u8 = 16;
/// The extensions of one chunk, in bytes. Signed uploads to object stores use 85.
const EXTENSION_BYTES_MAX: u16 = 256;
/// How much more framing than data there may be in a body, in bytes: a chunk may have 16 bytes and twice its data for
/// nothing, as in Go's net/http (CVE-2023-39326).
const OVERHEAD_BYTES_MAX: u64 = 16 << 10;
const OVERHEAD_BYTES_FREE: u64 = 16;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The first digit of a size.
    Size,
    /// A further digit, an extension, or the end of the line.
    MoreSize,
    /// The first byte of an extension's name.
    ExtensionName,
    /// A further byte of it.
    MoreExtensionName,
    /// The first byte of an extension's value.
    ExtensionValue,
    /// A further byte of a value that is a token.
    MoreExtensionValue,
    /// Inside a quoted value.
    Quoted,
    /// Behind a backslash in one.
    Escaped,
    /// Behind a quoted value.
    AfterQuoted,
    /// The line feed behind a size.
    SizeLf,
    /// Data.
    Data,
    /// The carriage return behind data.
    DataCr,
    /// The line feed behind it.
    DataLf,
    /// The trailers.
    Trailers,
    /// Nothing.
    Done,
}

/// A decoder of chunks.
#[derive(Debug, Clone)]
pub(crate) struct Chunked {
    state: State,
    /// Of the chunk's data, what is still to come.
    remaining: u64,
    digits: u8,
    extension_bytes: u16,
    overhead: u64,
    trailers: Trailers,
}

impl Chunked {
    pub(crate) fn new() -> Self {
        Chunked {
            state: State::Size,
            remaining: 0,
            digits: 0,
            extension_bytes: 0,
            overhead: 0,
            trailers: Trailers::default(),
        }
    }

    pub(crate) fn trailers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.trailers.iter()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reads framing up to the next data, and as much of that as is here.
    pub(crate) fn decode(&mut self, input: &[u8]) -> Result<Decoded, BodyError> {
        let mut at = 0;
        while self.state != State::Data {
            if self.state == State::Done {
                return Ok(Decoded { consumed: at, data: at..at, state: BodyState::Done });
            }
            let Some(&byte) = input.get(at) else {
                return Ok(Decoded { consumed: at, data: at..at, state: BodyState::More });
            };
            self.state = self.step(byte)?;
            at += 1;
        }
        let here = input.len() - at;
        let len = usize::try_from(self.remaining).map_or(here, |remaining| remaining.min(here));
        self.remaining -= len as u64;
        if self.remaining == 0 {
            self.state = State::DataCr;
        }
        Ok(Decoded { consumed: at + len, data: at..at + len, state: BodyState::More })
    }

    fn step(&mut self, byte: u8) -> Result<State, BodyError> {
        match (self.state, byte) {
            (State::Size | State::MoreSize, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.size_digit(byte),
            (State::MoreSize, b';') => self.extension(State::ExtensionName),
            (State::MoreExtensionName | State::MoreExtensionValue | State::AfterQuoted, b';') => {
                self.extension(State::ExtensionName)
            }
            (
                State::MoreSize | State::MoreExtensionName | State::MoreExtensionValue | State::AfterQuoted,
                CR,
            ) => Ok(State::SizeLf),
            (State::MoreExtensionName, b'=') => self.extension(State::ExtensionValue),
            (State::ExtensionName | State::MoreExtensionName, byte) if is_token_byte(byte) => {
                self.extension(State::MoreExtensionName)
            }
            (State::ExtensionValue | State::MoreExtensionValue, byte) if is_token_byte(byte) => {
                self.extension(State::MoreExtensionValue)
            }
            (State::ExtensionValue, b'"') => self.extension(State::Quoted),
            (State::Quoted, b'"') => self.extension(State::AfterQuoted),
            (State::Quoted, b'\\') => self.extension(State::Escaped),
            (State::Quoted | State::Escaped, HTAB | b' '..=b'~' | 0x80..) => self.extension(State::Quoted),
            (State::SizeLf, LF) => self.size_line_end(),
            (State::SizeLf, _) => Err(BodyError::BareCarriageReturn),
            (State::DataCr, CR) => Ok(State::DataLf),
            (State::DataLf, LF) => Ok(State::Size),
            (State::DataCr | State::DataLf, byte) => Err(BodyError::MissingChunkEnd(byte)),
            (State::Trailers, byte) => {
                Ok(if self.trailers.push(byte)? { State::Done } else { State::Trailers })
            }
            (_, LF) => Err(BodyError::BareLineFeed),
            (State::Size | State::MoreSize, byte) => Err(BodyError::InvalidChunkSize(byte)),
            (_, byte) => Err(BodyError::InvalidChunkExtension(byte)),
        }
    }

    fn size_digit(&mut self, byte: u8) -> Result<State, BodyError> {
        let digit = char::from(byte).to_digit(16).ok_or(BodyError::InvalidChunkSize(byte))?;
        if self.digits == SIZE_DIGITS_MAX || self.remaining > (i64::MAX as u64) >> 4 {
            return Err(BodyError::ChunkSizeOverflow);
        }
        self.digits += 1;
        self.remaining = self.remaining << 4 | u64::from(digit);
        Ok(State::MoreSize)
    }

    fn extension(&mut self, next: State) -> Result<State, BodyError> {
        if self.extension_bytes == EXTENSION_BYTES_MAX {
            return Err(BodyError::ChunkExtensionTooLong);
        }
        self.extension_bytes += 1;
        Ok(next)
    }

    fn size_line_end(&mut self) -> Result<State, BodyError> {
        let line = u64::from(self.digits) + u64::from(self.extension_bytes);
        let free = OVERHEAD_BYTES_FREE.saturating_add(self.remaining.saturating_mul(2));
        self.overhead = (self.overhead + line).saturating_sub(free);
        if self.overhead > OVERHEAD_BYTES_MAX {
            return Err(BodyError::ChunkOverhead);
        }
        (self.digits, self.extension_bytes) = (0, 0);
        Ok(if self.remaining == 0 { State::Trailers } else { State::Data })
    }
}
