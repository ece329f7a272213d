//! Why a request is refused.

use crate::{ConnectionError, FieldError, FramingError};

errors! {
    /// Why a request is refused. Each ends the connection: where the next request would begin is unknown.
    RequestError {
        /// The first byte of a TLS record (RFC 8446 5.1).
        TlsOnPlainPort => 400, "tls_on_plain_port", "a TLS handshake was sent to a port that speaks plain HTTP; expected http://, or TLS to be configured here";
        /// More than the one empty line that RFC 9112 2.2 has a server ignore.
        EmptyLines => 400, "empty_lines", "there is more than one empty line before the request line; expected a method";
        /// A byte that no method may have.
        InvalidMethod(byte: u8) => 400, "invalid_method", "the method has byte {byte:#04x}; expected a token (letters, digits and !#$%&'*+-.^_`|~)";
        /// A method longer than any there is (RFC 9112 3 asks for 501).
        MethodTooLong => 501, "method_too_long", "the method is longer than 32 bytes; expected one such as GET";
        /// More than one space, or whitespace other than that.
        ExtraSpace => 400, "extra_space_in_request_line", "the request line has more whitespace than two single spaces; expected `method target version`";
        /// A byte that no target may have.
        InvalidTarget(byte: u8) => 400, "invalid_target", "the target has control byte {byte:#04x}; expected it to be percent-encoded";
        /// The target is too long.
        TargetTooLong(limit: u32) => 414, "target_too_long", "the target is longer than {limit} bytes, the limit for a target";
        /// A request line without a version: HTTP/0.9, or cut off.
        MissingVersion => 400, "missing_version", "the request line ends without a version; expected HTTP/1.1";
        /// Not a version of HTTP.
        InvalidVersion => 400, "invalid_version", "the request line does not end in a version of HTTP; expected HTTP/1.1";
        /// A version other than 1.0 and 1.1.
        UnsupportedVersion(major: u8, minor: u8) => 505, "unsupported_version", "HTTP/{major}.{minor} was sent; expected HTTP/1.1 or HTTP/1.0";
        /// The first line of HTTP/2 (RFC 9113 3.4).
        Http2Preface => 505, "http2_preface", "the preface of HTTP/2 was sent where HTTP/1.1 is spoken; expected HTTP/2 to be negotiated in TLS";
        /// A target with `#`, which a client keeps to itself.
        FragmentInTarget => 400, "fragment_in_target", "the target has a fragment (`#`); expected it to stay with the client";
        /// None of the forms of RFC 9112 3.2.
        InvalidTargetForm => 400, "invalid_target_form", "the target is neither a path nor an http URI; expected it to begin with `/`";
        /// `*` with a method other than OPTIONS.
        AsteriskWithoutOptions => 400, "asterisk_without_options", "the target is `*` and the method is not OPTIONS; expected a path";
        /// CONNECT, which is for forward proxies.
        ConnectNotSupported => 501, "connect_not_supported", "CONNECT was sent to a reverse proxy; expected a method for a resource";
        /// No `Host` in HTTP/1.1 (RFC 9112 3.2).
        MissingHost => 400, "missing_host", "there is no Host; expected exactly one with HTTP/1.1";
        /// Two `Host`.
        DuplicateHost => 400, "duplicate_host", "Host was sent more than once; expected it once";
        /// Not `host[:port]`.
        InvalidHost => 400, "invalid_host", "Host is not a host with an optional port; expected one such as example.com or [2001:db8::1]:8443";
        /// The target's authority and `Host` are not the same.
        HostDisagreesWithTarget => 400, "host_disagrees_with_target", "Host is not the host of the target; expected them to be equal";
        /// Two `Content-Type`, which is one media type (RFC 9110 8.3): the proxy and a backend could each go by another.
        DuplicateContentType => 400, "duplicate_content_type", "Content-Type was sent more than once; expected it once";
        /// `Content_Length`, `X_Forwarded_For`: many backends make `_` and `-` one.
        MimickedField => 400, "mimicked_field", "a field name is one that is treated specially, with `_` for `-`; expected `-`";
        /// An expectation other than `100-continue` (RFC 9110 10.1.1).
        UnknownExpectation => 417, "unknown_expectation", "Expect has something other than 100-continue; expected exactly that, once";
    }
    from {
        /// The field section cannot be read.
        Field(FieldError);
        /// The end of the body is ambiguous.
        Framing(FramingError);
        /// `Connection` cannot be obeyed.
        Connection(ConnectionError);
    }
}
