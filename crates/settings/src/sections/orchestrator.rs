use crate::address::Url;
use crate::secret::Secret;
use crate::section::section;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// The control plane that the node joins. The node always dials out, and works on without it.
    Orchestrator = "orchestrator" {
        /// The orchestrator.
        url: Option<Url> = None => restart();
        /// Several orchestrators, tried in this order, instead of `url`.
        urls: Vec<Url> = Vec::new() => restart();
        /// The token that lets the node join, once.
        join_token: Option<Secret> = None => restart();
        /// A file with the token, instead of `join_token`.
        join_token_file: Option<PathBuf> = None => restart();
        /// SHA-256 of the orchestrator's certificate authority, in hex; nobody else is believed.
        ca_pin: Option<String> = None => restart();
        /// Time between attempts to register.
        register_interval: Duration = Duration::from_secs(30) => range(1.0, 86_400.0), restart();
        /// Time between heartbeats.
        heartbeat_interval: Duration = Duration::from_secs(10) => range(1.0, 3600.0), restart();
    }
}
