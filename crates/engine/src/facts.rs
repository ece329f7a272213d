//! What is known of a transaction before its first byte is looked at.

use crate::Collections;
use secbeat_seclang::Variable;
use std::net::IpAddr;

/// What is known of a connection, and how a transaction is to be run. Text is copied at the start.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// `REMOTE_ADDR`.
    pub client: IpAddr,
    /// `REMOTE_PORT`.
    pub client_port: u16,
    /// `SERVER_ADDR`.
    pub server: IpAddr,
    /// `SERVER_PORT`.
    pub server_port: u16,
    /// `SERVER_NAME`.
    pub server_name: &'a [u8],
    /// `UNIQUE_ID`.
    pub unique_id: &'a str,
    /// The time, in milliseconds since 1970 UTC: `TIME_…`, and what expires.
    pub now_ms: u64,
    /// Chance, for what rules draw lots by: the last digits of `DURATION`.
    pub seed: u64,
    /// What outlives a transaction; without it `IP`, `GLOBAL`, … live as long as the transaction.
    pub collections: Option<&'a dyn Collections>,
    /// How much work the transaction may cost: about one unit a byte looked at.
    pub budget: u64,
    /// Whether the plain evaluator runs it: slow, and what the fast one is held to.
    pub plain: bool,
}

/// Exceptions from rules, asked at each match before anything comes of it; not of rules that only compare variables of TX to set
/// others or to pass over rules ([`crate::Program::steers`]). Given to each phase, not to the transaction: who
/// asks them remembers what was asked, beside the transaction.
pub trait Admission {
    /// Whether this rule (by its number in [`crate::Program::rules`]) may match this value: `ARGS`, `foo`.
    fn admit(&self, rule: u32, variable: Variable, name: &[u8]) -> bool;
}

impl Default for Facts<'_> {
    /// Nobody, from nowhere, at no time, without exceptions and with a budget of a hundred million.
    fn default() -> Self {
        let nowhere = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        Facts {
            client: nowhere,
            client_port: 0,
            server: nowhere,
            server_port: 0,
            server_name: b"",
            unique_id: "",
            now_ms: 0,
            seed: 0,
            collections: None,
            budget: 100_000_000,
            plain: false,
        }
    }
}
