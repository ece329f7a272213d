//! Why a backend's response is refused.

use crate::{ConnectionError, FieldError, FramingError};

errors! {
    /// Why a backend's response is refused. A client is told 502; the connection to the backend must not be
    /// used again.
    ResponseError {
        /// Not `HTTP/1.0` or `HTTP/1.1`.
        InvalidVersion => 502, "invalid_response_version", "the response does not begin with HTTP/1.1 or HTTP/1.0; expected a status line";
        /// Not three digits from 100 to 999.
        InvalidStatus => 502, "invalid_status", "the status is not three digits behind one space; expected one such as 200";
        /// A byte that no reason may have.
        InvalidReason(byte: u8) => 502, "invalid_reason", "the reason has control byte {byte:#04x}; expected visible characters";
        /// A body announced where there can be none (RFC 9112 6.1).
        TransferEncodingWithoutBody => 502, "transfer_encoding_without_body", "Transfer-Encoding was sent with a status that has no body; expected none";
    }
    from {
        /// The field section cannot be read.
        Field(FieldError) => 502;
        /// The end of the body is ambiguous.
        Framing(FramingError) => 502;
        /// `Connection` cannot be obeyed.
        Connection(ConnectionError) => 502;
    }
}
