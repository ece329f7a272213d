//! Requests that another site has a browser make (cross-site request forgery), told apart by what browsers say of where a
//! request comes from.
//!
//! Source: Fetch Metadata and the comparison of origins, as the OWASP cheat sheet on CSRF prevention recommends them and Go's
//! `net/http.CrossOriginProtection` does it. A client that says nothing is no browser of this decade, and holds nobody's
//! cookies: it passes, unless that is to be required.

use crate::Request;
use crate::glob::{Paths, split_port};

/// The id of what is found.
pub(crate) const ID: &str = "secbeat-csrf";

/// What may come from where; the compiled form of `[waf.csrf]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Csrf {
    pub(crate) monitor: bool,
    /// `https://partner.example:8443`, in lower case.
    allowed_origins: Vec<String>,
    pub(crate) exempt: Paths,
    require: bool,
}

/// What a request says that it should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forged<'a> {
    /// The header, in lower case.
    pub(crate) header: &'static str,
    /// Its value.
    pub(crate) value: &'a [u8],
}

impl Csrf {
    /// `monitor`: what is found is only logged. `allowed_origins`: sites that may send requests, as
    /// `https://partner.example[:port]`. `exempt_paths`: paths, as [`Paths`] has them, that anyone may. `require`: an unsafe
    /// request that carries a cookie must say where it comes from.
    ///
    /// # Errors
    /// An origin or a path is none.
    pub fn new(
        monitor: bool,
        allowed_origins: &[String],
        exempt_paths: &[String],
        require: bool,
    ) -> Result<Csrf, String> {
        for text in allowed_origins {
            let bare = Origin::parse(text.as_bytes()).filter(|origin| origin.rest.is_empty());
            if bare.is_none() {
                return Err(format!("expected an origin such as https://partner.example, found `{text}`"));
            }
        }
        Ok(Csrf {
            monitor,
            allowed_origins: allowed_origins.to_vec(),
            exempt: Paths::new(exempt_paths)?,
            require,
        })
    }

    /// What shows that the request comes from another site, where it changes something; the exempt paths are not looked at.
    /// `host` stands in where the request has no `Host`.
    pub(crate) fn find<'a>(&self, request: &Request<'a>, host: &'a [u8]) -> Option<Forged<'a>> {
        let has = |name: &str| values(request, name).next().is_some();
        if matches!(request.method, b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE") {
            // A browser opens WebSockets of any site with that site's cookies, and asks nobody.
            let is_websocket = || {
                let mut upgrades = values(request, "upgrade").flat_map(|list| list.split(|&b| b == b','));
                upgrades.any(|name| name.trim_ascii().eq_ignore_ascii_case(b"websocket"))
            };
            return if is_websocket() && has("cookie") { self.foreign(request, host) } else { None };
        }
        if let Some(forged) = self.foreign(request, host) {
            return Some(forged);
        }
        let says = ["sec-fetch-site", "origin", "referer"].into_iter().any(has);
        (self.require && !says && has("cookie")).then_some(Forged { header: "origin", value: b"" })
    }

    /// The header that says that the request comes from another site.
    fn foreign<'a>(&self, request: &Request<'a>, host: &'a [u8]) -> Option<Forged<'a>> {
        let host = authority(request).unwrap_or(host);
        let mut origins = values(request, "origin").peekable();
        let has_origin = origins.peek().is_some();
        if has_origin && values(request, "origin").all(|value| self.is_allowed(value)) {
            return None;
        }
        let mut sites = values(request, "sec-fetch-site").peekable();
        if sites.peek().is_some() {
            let is_foreign = |value: &&[u8]| !matches!(*value, b"same-origin" | b"none");
            return sites.find(is_foreign).map(|value| Forged { header: "sec-fetch-site", value });
        }
        let is_foreign = |value: &&[u8]| Origin::parse(value).is_none_or(|origin| !origin.is_of(host));
        if has_origin {
            return origins.find(is_foreign).map(|value| Forged { header: "origin", value });
        }
        values(request, "referer").find(is_foreign).map(|value| Forged { header: "referer", value })
    }

    fn is_allowed(&self, value: &[u8]) -> bool {
        let Some(origin) = Origin::parse(value) else { return false };
        let mut allowed = self.allowed_origins.iter().filter_map(|text| Origin::parse(text.as_bytes()));
        allowed.any(|allowed| {
            allowed.scheme.eq_ignore_ascii_case(origin.scheme)
                && origin.port() == allowed.port()
                && allowed.names(origin.host)
        })
    }
}

/// The values of the fields of this name, in lower case, that say anything.
fn values<'a>(request: &Request<'a>, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let named = request.fields.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| value.trim_ascii()).filter(|value| !value.is_empty())
}

/// The host that the request is for: that of an absolute target (RFC 9112 3.2.2), else that of `Host`.
fn authority<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    let absolute = (!request.target.starts_with(b"/")).then(|| Origin::parse(request.target)).flatten();
    absolute.map(|origin| origin.authority).or_else(|| values(request, "host").next())
}

/// Scheme, host and port of a URL.
#[derive(Clone, Copy)]
struct Origin<'a> {
    scheme: &'a [u8],
    authority: &'a [u8],
    host: &'a [u8],
    port: Option<u16>,
    rest: &'a [u8],
}

impl<'a> Origin<'a> {
    /// `None`: it is not a URL with a host, such as `null`, or its authority is anything but host and port.
    fn parse(text: &'a [u8]) -> Option<Self> {
        let at = memchr::memmem::find(text, b"://")?;
        let (scheme, after) = (text.get(..at)?, text.get(at + 3..)?);
        let end = after.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(after.len());
        let (authority, rest) = after.split_at_checked(end)?;
        let (host, port) = split_port(authority);
        let port = match port {
            Some(digits) => Some(std::str::from_utf8(digits).ok()?.parse().ok()?),
            None => None,
        };
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(b) || *b >= 0x80;
        let is_scheme = !scheme.is_empty() && scheme.iter().all(u8::is_ascii_alphanumeric);
        (is_scheme && !host.is_empty() && host.iter().all(is_plain)).then_some(Origin {
            scheme,
            authority,
            host,
            port,
            rest,
        })
    }

    fn port(&self) -> Option<u16> {
        let is = |name: &[u8]| self.scheme.eq_ignore_ascii_case(name);
        let usual = || if is(b"https") || is(b"wss") { Some(443) } else { is(b"http").then_some(80) };
        self.port.or_else(usual)
    }

    fn names(&self, host: &[u8]) -> bool {
        let bare = |host: &'a [u8]| host.strip_suffix(b".").unwrap_or(host);
        bare(self.host).eq_ignore_ascii_case(host.strip_suffix(b".").unwrap_or(host))
    }

    /// Whether this is the site at `authority`, whose port is the scheme's usual one where it names none.
    fn is_of(&self, authority: &[u8]) -> bool {
        let (host, port) = split_port(authority);
        let same_port = match port {
            None => Origin { port: None, ..*self }.port() == self.port(),
            Some(digits) => {
                std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()) == self.port()
            }
        };
        same_port && self.names(host)
    }
}

#[cfg(test)]
#[path = "csrf_tests.rs"]
mod tests;
