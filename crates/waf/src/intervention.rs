//! How a rule in SecLang would have a client answered whose request, or the answer to it, it stopped.

use secbeat_engine::Kind;
use std::fmt::Write as _;

/// The status where a rule names one that cannot end a request.
const FORBIDDEN: u16 = 403;

/// What a disruptive action of a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intervention {
    /// `deny`: an answer of this status, 200 to 599.
    Deny {
        /// The status.
        status: u16,
    },
    /// `redirect`: an answer that sends the client elsewhere.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// Where to, fit for a header field: visible ASCII.
        location: String,
    },
    /// `drop`: the connection is closed without an answer.
    Drop,
}

impl Intervention {
    /// What the engine says; `None`: the work that a request may cost is used up, of which no rule speaks.
    pub(crate) fn of(said: &secbeat_engine::Intervention) -> Option<Intervention> {
        Some(match &said.kind {
            Kind::Budget => return None,
            Kind::Drop => Intervention::Drop,
            Kind::Redirect(to) if !to.is_empty() => Intervention::Redirect {
                // ModSecurity's, where the rule's own is none of a redirection.
                status: if matches!(said.status, 301..=303 | 307 | 308) { said.status } else { 302 },
                location: visible(to),
            },
            // An empty URL is the one that was asked for: the client would come back for ever.
            Kind::Deny | Kind::Redirect(_) => Intervention::Deny {
                // What begins with 1 is no final answer (RFC 9110 15.2).
                status: if (200..600).contains(&said.status) { said.status } else { FORBIDDEN },
            },
        })
    }
}

/// A URL whose other bytes are percent-encoded: what a macro put into it may be the client's, and would end the header.
fn visible(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for byte in url.bytes() {
        if byte.is_ascii_graphic() {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, status: u16) -> Option<Intervention> {
        Intervention::of(&secbeat_engine::Intervention { rule: Some(0), kind, status })
    }

    #[test]
    fn a_status_is_the_rules_where_it_can_end_a_request() {
        for (said, status) in [(403, 403), (503, 503), (404, 404), (200, 200), (100, 403), (0, 403)] {
            assert_eq!(of(Kind::Deny, said), Some(Intervention::Deny { status }));
        }
        assert_eq!(of(Kind::Drop, 403), Some(Intervention::Drop));
        assert_eq!(of(Kind::Budget, 403), None);
    }

    #[test]
    fn a_redirection_ends_no_header_early() {
        let to = |url: &str, said| of(Kind::Redirect(url.into()), said);
        let elsewhere =
            |status, location: &str| Some(Intervention::Redirect { status, location: location.into() });
        assert_eq!(to("https://a.test/b?c=d#e", 301), elsewhere(301, "https://a.test/b?c=d#e"));
        assert_eq!(to("/x\r\nSet-Cookie: a=b", 403), elsewhere(302, "/x%0D%0ASet-Cookie:%20a=b"));
        assert_eq!(to("/é", 304), elsewhere(302, "/%C3%A9"));
        assert_eq!(to("", 302), Some(Intervention::Deny { status: 302 }));
    }
}
