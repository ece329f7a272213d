//! The field names that a proxy treats specially, told apart once, while a head is read.

macro_rules! known {
    ($($(#[$doc:meta])* $Variant:ident = $name:literal $len:literal $first:literal;)+) => {
        /// A field name that a proxy treats specially.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        #[repr(u8)]
        pub enum Known {
            /// Any other name.
            #[default]
            Other,
            $($(#[$doc])* #[doc = concat!("`", $name, "`")] $Variant,)+
        }

        impl Known {
            /// Every name but [`Known::Other`], in declaration order.
            pub const ALL: &'static [Known] = &[$(Known::$Variant),+];

            /// The name in lower case; empty for [`Known::Other`].
            pub const fn as_str(self) -> &'static str {
                match self {
                    Known::Other => "",
                    $(Known::$Variant => $name,)+
                }
            }

            /// Which of them `name` is; case does not matter. Length and first letter leave one candidate or two.
            #[inline]
            pub fn of(name: &[u8]) -> Self {
                let first = name.first().map_or(0, u8::to_ascii_lowercase);
                match (name.len(), first) {
                    $(($len, $first) if is_any_case_of(name, $name.as_bytes()) => Known::$Variant,)+
                    _ => Known::Other,
                }
            }
        }
    };
}

/// Whether `name` is `lower`, of the same length, but for case. Without a branch for each byte, so that with a constant
/// `lower` it becomes a few wide instructions.
#[inline(always)]
pub(crate) fn is_any_case_of(name: &[u8], lower: &[u8]) -> bool {
    let case_of = |letter: u8| u8::from(letter.is_ascii_lowercase()) << 5;
    let difference = |(byte, letter): (&u8, &u8)| (byte | case_of(*letter)) ^ letter;
    name.iter().zip(lower).map(difference).fold(0, |all, one| all | one) == 0
}

known! {
    Te = "te" 2 b't';
    Via = "via" 3 b'v';
    Date = "date" 4 b'd';
    Host = "host" 4 b'h';
    /// Registered nowhere, and a hole: CGI makes it `HTTP_PROXY` (CVE-2016-5385).
    Proxy = "proxy" 5 b'p';
    Accept = "accept" 6 b'a';
    Cookie = "cookie" 6 b'c';
    Expect = "expect" 6 b'e';
    Server = "server" 6 b's';
    Trailer = "trailer" 7 b't';
    Upgrade = "upgrade" 7 b'u';
    Forwarded = "forwarded" 9 b'f';
    XRealIp = "x-real-ip" 9 b'x';
    Connection = "connection" 10 b'c';
    KeepAlive = "keep-alive" 10 b'k';
    SetCookie = "set-cookie" 10 b's';
    UserAgent = "user-agent" 10 b'u';
    ContentType = "content-type" 12 b'c';
    XRequestId = "x-request-id" 12 b'x';
    Authorization = "authorization" 13 b'a';
    ContentRange = "content-range" 13 b'c';
    /// The settings of an upgrade to h2c (RFC 7540 3.2.1), which is never made.
    Http2Settings = "http2-settings" 14 b'h';
    ContentLength = "content-length" 14 b'c';
    AcceptEncoding = "accept-encoding" 15 b'a';
    XForwardedFor = "x-forwarded-for" 15 b'x';
    ContentEncoding = "content-encoding" 16 b'c';
    ProxyConnection = "proxy-connection" 16 b'p';
    XForwardedHost = "x-forwarded-host" 16 b'x';
    XForwardedPort = "x-forwarded-port" 16 b'x';
    TransferEncoding = "transfer-encoding" 17 b't';
    XForwardedProto = "x-forwarded-proto" 17 b'x';
    ProxyAuthenticate = "proxy-authenticate" 18 b'p';
    ProxyAuthorization = "proxy-authorization" 19 b'p';
}

/// The length of the longest name, `proxy-authorization`.
const KNOWN_BYTES_MAX: usize = 19;

impl Known {
    /// Whether it speaks to the next hop alone and must not be sent on (RFC 9110 7.6.1 and 11.7; `Proxy` and
    /// `HTTP2-Settings` for what they would do).
    pub const fn is_hop_by_hop(self) -> bool {
        use Known::*;
        matches!(
            self,
            Connection
                | KeepAlive
                | ProxyConnection
                | Te
                | TransferEncoding
                | Upgrade
                | Http2Settings
                | Proxy
                | ProxyAuthenticate
                | ProxyAuthorization
        )
    }

    /// Whether `name`, itself none of them, becomes one where `_` is `-`: CGI and its heirs (WSGI, Rack, PHP) make both
    /// `_`, so that a backend would take `X_Forwarded_For` for what the proxy says.
    #[inline]
    pub(crate) fn is_mimicked_by(name: &[u8]) -> bool {
        name.contains(&b'_') && Self::is_mimicked_by_underscores(name)
    }

    #[cold]
    fn is_mimicked_by_underscores(name: &[u8]) -> bool {
        let mut dashed = [0; KNOWN_BYTES_MAX];
        let Some(dashed) = dashed.get_mut(..name.len()) else { return false };
        for (dash, byte) in dashed.iter_mut().zip(name) {
            *dash = if *byte == b'_' { b'-' } else { *byte };
        }
        Self::of(dashed) != Known::Other
    }

    /// Whether `Connection` may name it: a field for all recipients must not be named there (RFC 9110 7.6.1), and
    /// one that does would have a proxy remove what the backend relies on.
    pub(crate) const fn may_be_nominated(self) -> bool {
        matches!(self, Known::Other | Known::Trailer) || self.is_hop_by_hop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for &known in Known::ALL {
            assert_eq!(Known::of(known.as_str().as_bytes()), known);
            assert_eq!(Known::of(known.as_str().to_ascii_uppercase().as_bytes()), known);
        }
    }

    #[test]
    fn a_name_with_underscores_for_dashes_is_a_mimic() {
        for &known in Known::ALL {
            let name = known.as_str().replace('-', "_");
            assert_eq!(Known::is_mimicked_by(name.as_bytes()), name != known.as_str(), "{name}");
        }
        for name in ["", "_", "x_a", "x-forwarded-for_", "proxy_authorization_and_more"] {
            assert!(!Known::is_mimicked_by(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_name_like_a_known_one_is_not_it() {
        for name in ["", "hosts", "hose", "content_length", "Content-Lengt\u{212a}", "transfer-encodinh"] {
            assert_eq!(Known::of(name.as_bytes()), Known::Other, "{name}");
        }
    }
}
