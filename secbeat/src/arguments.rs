//! The command line. Help, errors and completions are made from this one definition.

use crate::client::Node;
use crate::nouns::{Absent, Call};
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
    /// What this version has.
    #[command(flatten)]
    Built(Box<Built>),
    /// What later versions have.
    #[command(flatten)]
    Absent(Absent),
}

/// What this version has; a shell completes no other words.
#[derive(Subcommand)]
pub enum Built {
    /// Start a protected site on this machine: real nodes, HTTPS, firewall rules, and a sample site unless --backend is given
    Quickstart(Quickstart),
    /// Check a node's configuration, its rules and its certificate; start nothing
    Validate {
        /// The configuration file [default: MITIGATION_CONFIG, or config/production.toml]
        file: Option<PathBuf>,
    },
    /// Calls of a node's API.
    #[command(flatten)]
    Call(Call),
    /// Print what a shell needs to complete this program's words
    Completions {
        /// The shell
        shell: Shell,
    },
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

/// What is done at a node.
#[derive(Args)]
pub struct At<V: Subcommand> {
    /// The node.
    #[command(flatten)]
    pub target: Target,
    /// What is done.
    #[command(subcommand)]
    pub verb: V,
}

/// Which node is called, and how its answer is printed.
#[derive(Args)]
pub struct Target {
    /// The node's API: http://host:port, or unix:/path/of/its/socket
    #[arg(
        long,
        value_name = "URL",
        env = "SECBEAT_NODE",
        default_value = "http://127.0.0.1:9191",
        global = true
    )]
    pub node: Node,
    /// The token of metrics.api_token or metrics.viewer_token, for a call from another machine
    #[arg(long, value_name = "TOKEN", env = "SECBEAT_TOKEN", hide_env_values = true, global = true)]
    pub token: Option<String>,
    /// For people, or the node's answer as it is
    #[arg(short, long, value_enum, default_value_t = Output::Human, global = true)]
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

/// A shell whose completions are known.
#[derive(Clone, Copy, ValueEnum)]
#[allow(missing_docs)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
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

    #[test]
    fn the_node_may_be_named_before_the_verb_and_after_it() {
        for words in [
            ["secbeat", "decision", "--node", "http://a:1", "list"],
            ["secbeat", "decision", "list", "--node", "http://a:1"],
        ] {
            let Ok(parsed) = Arguments::try_parse_from(words) else { panic!("{words:?}") };
            let Command::Built(built) = parsed.command else { panic!("{words:?}") };
            let Built::Call(Call::Decision(at)) = *built else { panic!("{words:?}") };
            assert_eq!(at.target.node.to_string(), "http://a:1");
        }
    }
}
