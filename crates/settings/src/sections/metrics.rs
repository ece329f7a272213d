use crate::secret::Secret;
use crate::section::section;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

section! {
    /// The node's API: metrics, health, decisions, rules, events.
    Metrics = "metrics" {
        /// Whether there is an API at all.
        enable: bool = true => restart();
        /// Where the API listens. Outside loopback only metrics and health answer without a token.
        bind_address: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9191) => restart();
        /// The bearer token of calls from outside loopback. Not given: from there, no such calls.
        api_token: Option<Secret> = None;
        /// A file with the token, instead of `api_token`.
        api_token_file: Option<PathBuf> = None;
        /// A second bearer token, for callers that only look: with it, `GET` calls alone are answered.
        viewer_token: Option<Secret> = None;
        /// A file with that token, instead of `viewer_token`.
        viewer_token_file: Option<PathBuf> = None;
        /// Names, beside addresses and `localhost`, by which the API may be called over loopback (`Host`).
        allowed_hosts: Vec<crate::address::Host> = Vec::new();
        /// A second door to the API, a socket of mode 0660; its callers are as those over loopback.
        unix_socket: Option<PathBuf> = None => restart();
    }
}
