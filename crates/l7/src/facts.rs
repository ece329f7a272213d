//! What is known of a request, apart from its bytes.

use crate::kill_switch::Stance;
use crate::request_id::RequestId;
use crate::stage::{Stage, flag};
use secbeat_http1::{Method, Version};
use secbeat_types::{RuleMatch, Scores, Timestamp};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// What is known of a request, apart from its bytes.
pub struct Facts {
    /// Its id.
    pub id: RequestId,
    /// When its first byte was in hand.
    pub started: Instant,
    /// The same instant by the clock of decisions.
    pub now: Timestamp,
    /// The client, behind trusted proxies.
    pub client_ip: IpAddr,
    /// Its method.
    pub method: Method,
    /// Its version.
    pub version: Version,
    /// Whether the client lets the connection go on.
    pub keep_alive: bool,
    /// Whether it asks for another protocol.
    pub upgrade: bool,
    /// The status that the client was sent; 0 before.
    pub status: u16,
    /// The number of the site that it is for.
    pub site: usize,
    /// How the kill switch stands.
    pub stance: Stance,
    /// Whether an allowlist entry spares the client decisions and rates.
    pub is_allowed: bool,
    /// The stage that it has come to.
    pub stage: Stage,
    /// What else its trace tells: see [`flag`].
    pub flags: u8,
    /// The number of the decision that settled it; 0: none did.
    pub decision: u64,
    /// What rules found in it that stopped, changed or marked it.
    pub matches: Vec<RuleMatch>,
    /// What its rules have counted, where they score.
    pub scores: Option<Scores>,
    /// Rules with a rate by which it was counted.
    pub counted: Vec<Arc<str>>,
    /// When it went to the backend; asked only where the access log wants to know.
    pub upstream_since: Option<Instant>,
    /// How long the head of the answer is, in bytes.
    pub head_bytes_out: u64,
    /// How long its body is, as far as it was read before it went on.
    pub body_bytes: u64,
    /// Its body, where the recorder wants it and it is not in hand at the end.
    pub body_copy: Option<Vec<u8>>,
}

impl Facts {
    /// Whether the firewall logs, and stops nothing.
    pub fn is_watched_only(&self) -> bool {
        self.flags & flag::MONITORED != 0
    }

    /// A request of which nothing was read yet, from this peer, at `now` by the clock of decisions.
    pub fn new(id: RequestId, peer: IpAddr, now: Timestamp) -> Self {
        Facts {
            id,
            started: Instant::now(),
            now,
            client_ip: peer,
            method: Method::Other,
            version: Version::Http11,
            keep_alive: false,
            upgrade: false,
            status: 0,
            site: 0,
            stance: Stance::Normal,
            is_allowed: false,
            stage: Stage::Head,
            flags: 0,
            decision: 0,
            matches: Vec::new(),
            scores: None,
            counted: Vec::new(),
            upstream_since: None,
            head_bytes_out: 0,
            body_bytes: 0,
            body_copy: None,
        }
    }
}
