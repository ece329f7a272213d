//! `[[rate_limits]]`: which requests one is for, and what it counts them by.

use super::limit::Limit;
use super::path::plain;
use crate::host::Name;
use crate::shared::Shared;
use secbeat_http1::{Known, RequestHead};
use secbeat_intel::{Rate, RateKey};
use secbeat_settings::{HostPattern, Method, RateKey as Part, RateLimit, WafMode};
use secbeat_waf::glob::Paths;
use secbeat_waf::request::cookies;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

/// A limit for some requests, counted by parts of them.
pub(super) struct Conditional {
    pub(super) limit: Limit,
    parts: Vec<Part>,
    hosts: Vec<HostPattern>,
    paths: Paths,
    methods: Vec<Method>,
}

impl Conditional {
    /// Compiles a table of the configuration.
    pub(super) fn new(source: &RateLimit) -> Self {
        let rate = Rate::new(source.requests, source.per, source.burst.unwrap_or(source.requests));
        let mut limit = Limit::new(&source.name, rate);
        limit.is_monitored = source.mode == WafMode::Monitor;
        Conditional {
            limit,
            parts: source.key.clone(),
            hosts: source.hosts.clone(),
            // The settings take no path that this would refuse.
            paths: Paths::new(&source.paths).unwrap_or_default(),
            methods: source.methods.clone(),
        }
    }

    /// Whether it counts by the client alone.
    pub(super) fn is_by_address(&self) -> bool {
        self.parts == [Part::Address]
    }

    /// What this request is counted by; `None`: the limit is not for it, or it lacks a header or cookie of the key.
    pub(super) fn key(&self, shared: &Shared, asked: &Asked<'_>) -> Option<RateKey> {
        if !self.is_for(asked) {
            return None;
        }
        let mut key = self.limit.key(shared);
        for part in &self.parts {
            key = match part {
                Part::Address => key.address(asked.client),
                Part::Host => key.bytes(asked.host.as_bytes()),
                Part::Path => key.bytes(asked.path()),
                Part::Method => key.bytes(asked.method),
                // Who sends none is not spared: that would be the cheapest way round the limit.
                Part::UserAgent => key.bytes(asked.header(b"user-agent").unwrap_or_default()),
                Part::Header(name) => key.bytes(asked.header(name.as_bytes())?),
                Part::Cookie(name) => key.bytes(asked.cookie(name.as_bytes())?),
            };
        }
        Some(key.finish())
    }

    fn is_for(&self, asked: &Asked<'_>) -> bool {
        let all = |is_empty: bool, fits: &dyn Fn() -> bool| is_empty || fits();
        all(self.methods.is_empty(), &|| self.methods.iter().any(|m| m.as_str().as_bytes() == asked.method))
            && all(self.hosts.is_empty(), &|| self.hosts.iter().any(|host| host.matches(&asked.host)))
            && all(self.paths.is_empty(), &|| {
                self.paths.is_match(asked.raw_path()) || self.paths.is_match(asked.path())
            })
    }
}

/// A request as limits see it.
pub(super) struct Asked<'a> {
    head: &'a RequestHead,
    bytes: &'a [u8],
    method: &'a [u8],
    host: Name,
    client: IpAddr,
    path: OnceCell<Cow<'a, [u8]>>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(head: &'a RequestHead, bytes: &'a [u8], host: Name, client: IpAddr) -> Self {
        Asked { head, bytes, method: head.method.of(bytes), host, client, path: OnceCell::new() }
    }

    /// The path as it was sent, without its query.
    fn raw_path(&self) -> &'a [u8] {
        let path = self.head.path.of(self.bytes);
        match path.split(|byte| *byte == b'?').next() {
            // An absolute form without a path asks for `/` (RFC 9112 3.2.1).
            None | Some([]) => b"/",
            Some(path) => path,
        }
    }

    /// The path, decoded and resolved.
    fn path(&self) -> &[u8] {
        self.path.get_or_init(|| plain(self.raw_path()))
    }

    /// The value of the first field of this name, in any case.
    fn header(&self, name: &[u8]) -> Option<&'a [u8]> {
        let field =
            self.head.fields.iter().find(|field| field.name.of(self.bytes).eq_ignore_ascii_case(name));
        field.map(|field| field.value.of(self.bytes))
    }

    /// The value of the first cookie of this name.
    fn cookie(&self, name: &[u8]) -> Option<&'a [u8]> {
        let fields = self.head.fields.iter().filter(|field| field.known == Known::Cookie);
        let mut pairs = fields.flat_map(|field| cookies(field.value.of(self.bytes)));
        pairs.find_map(|(of, value)| (of == name).then(|| value.unwrap_or_default()))
    }
}
