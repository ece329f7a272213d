//! The node itself.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::failure::Failure;
use crate::show::{field, items, list, more, table};
use crate::words::Path;
use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

/// What is done about the node.
#[derive(Subcommand)]
pub enum Verb {
    /// What it is, does, and does without; status 1 where it runs degraded
    Status {
        /// Status 0 also where it runs degraded
        #[arg(long)]
        allow_degraded: bool,
    },
    /// Let it read configuration, rules and certificates anew
    Reload,
    /// List open connections, the longest-lived first
    Connections {
        /// Only of this client
        #[arg(long)]
        ip: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Status { allow_degraded } => {
            let answer = call(&target, Method::GET, "/api/v1/status", None).await?;
            print(&target, &answer, status)?;
            match answer["status"].as_str() {
                Some("ok") => Ok(()),
                Some("degraded") if allow_degraded => Ok(()),
                // The answer has said it.
                _ => Err(Failure::no("")),
            }
        }
        Verb::Reload => print(&target, &call(&target, Method::POST, "/api/v1/reload", None).await?, reloaded),
        Verb::Connections { ip, limit } => {
            let path = Path::of("/api/v1/connections").with("ip", ip).with("limit", Some(limit));
            print(&target, &call(&target, Method::GET, path, None).await?, connections)
        }
    }
}

fn status(answer: &Value) -> String {
    let mut text = format!(
        "{}, version {}, mode {}, policy generation {}, up {} s\n{} workers, {} connections, {} firewall rules ({}), {} decisions\n",
        field(answer, "status"),
        field(answer, "version"),
        field(answer, "mode"),
        field(answer, "generation"),
        field(answer, "uptime_seconds"),
        field(answer, "workers"),
        field(answer, "connections_active"),
        field(&answer["waf"], "rules"),
        if answer["waf"]["enabled"] == true { field(&answer["waf"], "mode") } else { "off".into() },
        field(&answer["decisions"], "in_force"),
    );
    for missing in items(answer, "degraded") {
        text.push_str(&format!(
            "degraded: {}: {}; {}\n",
            field(missing, "key"),
            field(missing, "why"),
            field(missing, "remedy")
        ));
    }
    text
}

fn reloaded(answer: &Value) -> String {
    let mut text = format!(
        "policy generation {}; changed: {}; in force after a restart alone: {}\n",
        field(answer, "generation"),
        list(answer, "changed"),
        list(answer, "restart_required")
    );
    for warning in items(answer, "warnings") {
        text.push_str(&format!("warning: {}\n", crate::show::plain(warning)));
    }
    text
}

fn connections(answer: &Value) -> String {
    let shown = items(answer, "connections");
    let names = ["id", "client_ip", "peer", "since", "state", "requests", "tls", "worker"];
    let head = ["ID", "CLIENT", "PEER", "SINCE", "STATE", "REQUESTS", "TLS", "WORKER"];
    let text = table(&head, shown, |connection| names.map(|name| field(connection, name)).to_vec());
    text + &more(answer, shown.len())
}
