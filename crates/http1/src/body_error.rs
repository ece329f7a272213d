//! Why a body is refused.

use crate::FieldError;

errors! {
    /// Why a body is refused. The connection must not be used again. The statuses are a client's; a backend's body that
    /// is refused is a 502, or where the head is already sent, an aborted connection.
    BodyError {
        /// Not a chunk's size.
        InvalidChunkSize(byte: u8) => 400, "invalid_chunk_size", "a chunk's size has byte {byte:#04x}; expected hexadecimal digits";
        /// More than 16 digits, or beyond 2⁶³−1.
        ChunkSizeOverflow => 413, "chunk_size_overflow", "a chunk's size is beyond 16 digits or 0x7fffffffffffffff; expected a size that a chunk can have";
        /// Not an extension of RFC 9112 7.1.1.
        InvalidChunkExtension(byte: u8) => 400, "invalid_chunk_extension", "a chunk's extension has byte {byte:#04x}; expected `;name`, `;name=token` or `;name=\"text\"` without whitespace between";
        /// An extension is too long.
        ChunkExtensionTooLong => 400, "chunk_extension_too_long", "a chunk's extension is longer than 256 bytes";
        /// The chunks are more framing than data.
        ChunkOverhead => 400, "chunk_overhead", "chunk sizes and extensions outweigh the data by more than 16 KiB; expected fewer and larger chunks";
        /// A line feed with no carriage return before it.
        BareLineFeed => 400, "bare_line_feed_in_chunk", "a chunk's size line ends in LF alone; expected CR LF";
        /// A carriage return with no line feed behind it.
        BareCarriageReturn => 400, "bare_carriage_return_in_chunk", "CR is not followed by LF behind a chunk's size; expected CR LF";
        /// A chunk's data goes on beyond its size.
        MissingChunkEnd(byte: u8) => 400, "missing_chunk_end", "a chunk's data is followed by byte {byte:#04x}; expected CR LF where its size says it ends";
        /// The trailers are too long.
        TrailersTooLarge => 431, "trailers_too_large", "the trailers are longer than 4096 bytes or more than 32 fields";
        /// A trailer that belongs in the head (RFC 9110 6.5.1), or mimics one with `_` for `-`.
        ForbiddenTrailer => 400, "forbidden_trailer", "a trailer tells of framing, routing, authentication or content; expected such fields in the head";
        /// The connection was closed before the body's end.
        Truncated => 400, "truncated_body", "the connection was closed before the body's end";
    }
    from {
        /// The trailers cannot be read.
        Trailer(FieldError);
    }
}
