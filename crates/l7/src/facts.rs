//! What is known of a request, apart from its bytes.

use crate::kill_switch::Stance;
use crate::request_id::RequestId;
use crate::stage::Stage;
use secbeat_http1::{Method, Version};
use secbeat_types::Timestamp;
use std::net::IpAddr;
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
    /// What else its trace tells: see [`flag`](crate::stage::flag).
    pub flags: u8,
}
