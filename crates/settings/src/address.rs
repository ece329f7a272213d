//! Names and places: `host:port`, URLs, hosts, methods.

use crate::key::{Key, Kind};
use crate::value::{Raw, Value, mismatch, quote};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A host, by address or name, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// A port of this machine: `127.0.0.1:port`.
    pub fn loopback(port: u16) -> Self {
        HostPort { host: "127.0.0.1".into(), port }
    }

    /// Reads `host:port`; IPv6 addresses stand in brackets. `None`: it is not one, or the port is 0.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = number_of_port(port)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().ok()?.to_string(),
            None if is_host_name(host) => host.to_owned(),
            None => return None,
        };
        Some(HostPort { host, port })
    }

    /// The host: a name, or an address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The socket address, where the host is an address and needs no resolving.
    pub fn address(&self) -> Option<SocketAddr> {
        self.host.parse::<IpAddr>().ok().map(|host| SocketAddr::new(host, self.port))
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An `http://` or `https://` URL of a service, without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url(String);

impl Url {
    /// Reads it: scheme, host, optional port, optional path. `None`: it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        let known = match authority.strip_suffix(']') {
            Some(v6) => v6.strip_prefix('[').is_some_and(|v6| v6.parse::<std::net::Ipv6Addr>().is_ok()),
            None => is_host_name(authority) || HostPort::parse(authority).is_some(),
        };
        (plain && known).then(|| Url(text.to_owned()))
    }

    /// The URL as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name or address of a host, without a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    /// Reads it, in lower case. `None`: it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        (is_host_name(text) || text.parse::<IpAddr>().is_ok()).then(|| Host(text.to_ascii_lowercase()))
    }

    /// The host, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An HTTP method.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Method(String);

impl Method {
    /// Reads it: upper-case letters, digits, `-` and `_`, at most 32 (a subset of RFC 9110's token, 5.6.2).
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        (!text.is_empty() && text.len() <= 32 && text.bytes().all(fits)).then(|| Method(text.to_owned()))
    }

    /// The methods of RFC 9110 and RFC 5789 that a site needs: all but CONNECT and TRACE.
    pub fn ordinary() -> Vec<Self> {
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(|name| Method(name.into())).into()
    }

    /// The method's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An origin of the web: scheme, host and port (RFC 6454), as browsers write it in `Origin`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// Reads it, in lower case and without the scheme's own port. `None`: it is not one, or has a path.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://")?;
        let own = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return None,
        };
        Url::parse(&text).filter(|_| !authority.contains(['/', '?', '#']))?;
        let authority = authority.strip_suffix(own).unwrap_or(authority);
        Some(WebOrigin(format!("{scheme}://{authority}")))
    }

    /// The origin, `https://partner.example:8443`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Host names as they occur: RFC 1123's, and underscores, which container networks use.
fn is_host_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let labels = || text.strip_suffix('.').unwrap_or(text).split('.');
    // A name whose last label is a number is an address (WHATWG URL 3.5), and then it must be a right one.
    let is_address = labels().next_back().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    text.len() <= 253
        && labels().all(|label| (1..=63).contains(&label.len()) && label.bytes().all(fits))
        && (!is_address || text.parse::<std::net::Ipv4Addr>().is_ok())
}

fn number_of_port(text: &str) -> Option<u16> {
    let port = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())??;
    (port != 0).then_some(port)
}

macro_rules! parsed {
    ($type:ty, $kind:expr, $show:expr) => {
        impl Value for $type {
            const KIND: Kind = $kind;

            fn read(raw: &Raw, key: &Key) -> Result<Self, String> {
                match raw {
                    Raw::Text(text) | Raw::String(text) => Self::parse(text.trim()),
                    _ => None,
                }
                .ok_or_else(|| mismatch(Self::KIND, raw, key))
            }

            fn write(&self) -> String {
                let show: fn(&Self) -> String = $show;
                quote(&show(self))
            }
        }
    };
}

pub(crate) use parsed;

parsed!(HostPort, Kind::HostPort, |value| value.to_string());
parsed!(Url, Kind::Url, |value| value.0.clone());
parsed!(Host, Kind::Host, |value| value.0.clone());
parsed!(Method, Kind::Method, |value| value.0.clone());
parsed!(WebOrigin, Kind::WebOrigin, |value| value.0.clone());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_port_are_read_and_written_back() {
        for text in ["127.0.0.1:8080", "[::1]:8080", "backend:80", "my_app.internal:65535"] {
            assert_eq!(HostPort::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(HostPort::parse("[::1]:80").unwrap().host(), "::1");
        assert_eq!(HostPort::parse("backend:80").unwrap().address(), None);
    }

    #[test]
    fn what_is_not_a_host_and_a_port_is_refused() {
        for text in ["", ":80", "backend", "backend:", "backend:0", "backend:65536", "backend:+80"] {
            assert_eq!(HostPort::parse(text), None, "{text}");
        }
        for text in ["::1:80", "[::1:80", "256.1.1.1:80", "10.1:80", "a b:80", "http://a:80", "a..b:80"] {
            assert_eq!(HostPort::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_url_names_a_service_and_carries_no_password() {
        for text in
            ["http://orchestrator:9090", "https://[::1]:9090/base", "https://[::1]", "http://a.example"]
        {
            assert!(Url::parse(text).is_some(), "{text}");
        }
        for text in
            ["orchestrator:9090", "ftp://a", "http://", "http://user:pass@a:80", "http://a:0", "http://a b"]
        {
            assert!(Url::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (text, origin) in [
            ("https://Partner.example", "https://partner.example"),
            ("https://partner.example:443", "https://partner.example"),
            ("http://partner.example:80", "http://partner.example"),
            ("https://partner.example:80", "https://partner.example:80"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(WebOrigin::parse(text).unwrap().as_str(), origin);
        }
        for text in ["", "null", "*", "partner.example", "https://a/", "https://a?b", "ftp://a", "https://"] {
            assert_eq!(WebOrigin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_method_is_in_upper_case() {
        assert!(Method::parse("PROPFIND").is_some());
        assert!(Method::parse("get").is_none());
        assert!(Method::parse("").is_none());
    }
}
