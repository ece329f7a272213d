//! The command line.

use crate::client::Node;
use crate::quickstart::Backend;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Protects a site with one command, and speaks with running nodes.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Exit status: 0 fine, 1 the answer is no, 2 usage or configuration, 3 cannot reach the service."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Start a protected site on this machine: real nodes, HTTPS, firewall rules, and a sample site unless --backend is given
    Quickstart(Quickstart),
    /// Check a node's configuration, its rules and its certificate; start nothing
    Validate {
        /// The configuration file [default: MITIGATION_CONFIG, or config/production.toml]
        file: Option<PathBuf>,
    },
    /// A call of a node's API.
    #[command(flatten)]
    Call(Call),
}

/// How the quick start is laid out.
#[derive(Args)]
pub struct Quickstart {
    /// The site to protect, http://host:port [default: a small sample site]
    #[arg(long, value_name = "URL")]
    pub backend: Option<Backend>,
    /// How many nodes share the address
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub nodes: u16,
    /// Where the protected site answers; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Where the first node's own API answers, the further ones on the ports after it; port 0 takes free ones
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9191")]
    pub node_api: SocketAddr,
    /// Where the orchestrator answers; not built in this version
    #[arg(long, value_name = "ADDR")]
    pub api: Option<SocketAddr>,
    /// A folder for configuration, certificate, decisions and logs, kept at the end [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// The commands that are one call of a node's API.
#[derive(Subcommand)]
pub enum Call {
    /// Who is blocked
    #[command(subcommand)]
    Decision(Decision),
    /// Firewall rules
    #[command(subcommand)]
    Rule(Rule),
    /// What happened
    #[command(subcommand)]
    Event(Event),
    /// The node itself
    #[command(subcommand)]
    Node(NodeVerb),
}

/// Which node is called, and how its answer is printed.
#[derive(Args)]
pub struct Target {
    /// The node's API
    #[arg(long, value_name = "URL", env = "SECBEAT_NODE", default_value = "http://127.0.0.1:9191")]
    pub node: Node,
    /// The token of metrics.api_token, for a call from another machine
    #[arg(long, value_name = "TOKEN", env = "SECBEAT_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// For people, or the node's answer as it is
    #[arg(short, long, value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

/// How an answer is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Human,
    /// The node's own answer.
    Json,
}

/// Who is blocked.
#[derive(Subcommand)]
pub enum Decision {
    /// Block an address (an IPv6 address stands for its /64) or a prefix
    Add {
        /// `192.0.2.7` or `192.0.2.0/24`
        scope: String,
        /// How long, in seconds [default: 3600]
        #[arg(long, value_name = "SECONDS")]
        duration: Option<u64>,
        /// Why, for whoever finds it later
        #[arg(long)]
        reason: Option<String>,
        /// Block even yourself, loopback, a backend or a trusted proxy
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        target: Target,
    },
    /// List the blocks in force
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Undo the block of an address or a prefix
    Delete {
        /// As it was given to `add`
        scope: String,
        #[command(flatten)]
        target: Target,
    },
}

/// Firewall rules.
#[derive(Subcommand)]
pub enum Rule {
    /// List the rules in force, in order
    List {
        #[command(flatten)]
        target: Target,
    },
}

/// What happened.
#[derive(Subcommand)]
pub enum Event {
    /// List events, the newest first
    List {
        /// attack, decision, limit, protocol, backend or policy
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// Only of this client
        #[arg(long)]
        ip: Option<String>,
        /// Only after this time (RFC 3339) or event id
        #[arg(long)]
        since: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        target: Target,
    },
}

/// The node itself.
#[derive(Subcommand)]
pub enum NodeVerb {
    /// What it is, does, and does without; status 1 where it runs degraded
    Status {
        /// Status 0 also where it runs degraded
        #[arg(long)]
        allow_degraded: bool,
        #[command(flatten)]
        target: Target,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_backend_with_https_is_refused_by_name() {
        let parsed = Arguments::try_parse_from(["secbeat", "quickstart", "--backend", "https://127.0.0.1:1"]);
        let Err(error) = parsed else { panic!("it was accepted") };
        assert!(error.to_string().contains("not built in this version"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}
