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
    /// What it is, does, and does without; status 1 where it runs degraded, with the kill switch turned, or with what is not on the disk
    Status {
        /// Status 0 in these cases too
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
            let is_fine = match answer["status"].as_str() {
                Some("ok") => allow_degraded || concerns(&answer).is_empty(),
                Some("degraded") => allow_degraded,
                _ => false,
            };
            // The answer has said why not.
            if is_fine { Ok(()) } else { Err(Failure::no("")) }
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
    for concern in concerns(answer) {
        text.push_str(&concern);
        text.push('\n');
    }
    text
}

/// What whoever watches the node is to hear of, a line each.
fn concerns(answer: &Value) -> Vec<String> {
    let mut concerns = Vec::new();
    for missing in items(answer, "degraded") {
        let [key, why, remedy] = ["key", "why", "remedy"].map(|name| field(missing, name));
        concerns.push(format!("degraded: {key}: {why}; {remedy}"));
    }
    for switch in items(answer, "panic") {
        let hosts =
            if items(switch, "hosts").is_empty() { "all hosts".into() } else { list(switch, "hosts") };
        let [mode, until] = ["mode", "until"].map(|name| field(switch, name));
        concerns.push(format!("kill switch: {mode} until {until}: {hosts}"));
    }
    for (what, part) in [("decisions", "decisions"), ("rules or exceptions", "waf")] {
        if answer[part]["durable"] == false {
            concerns.push(format!("not on the disk yet: {what}; a restart loses them"));
        }
    }
    concerns
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
    let mut text = text + &more(answer, shown.len());
    if !items(answer, "silent_workers").is_empty() {
        text.push_str(&format!("workers that did not answer: {}\n", list(answer, "silent_workers")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_says_what_weakens_the_node() {
        let well = json!({ "status": "ok", "waf": { "durable": true }, "decisions": { "durable": true }, "panic": [], "degraded": [] });
        assert_eq!(concerns(&well), [""; 0]);
        let badly = json!({ "status": "ok", "waf": { "durable": false }, "decisions": { "durable": false },
            "panic": [{ "mode": "off", "until": "2026-01-01T00:00:00Z", "hosts": [] }],
            "degraded": [{ "key": "a.b", "why": "w", "remedy": "r" }] });
        let text = status(&badly);
        for line in [
            "degraded: a.b: w; r\n",
            "kill switch: off until 2026-01-01T00:00:00Z: all hosts\n",
            "not on the disk yet: decisions; a restart loses them\n",
            "not on the disk yet: rules or exceptions; a restart loses them\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn workers_that_are_silent_are_named() {
        let answer = json!({ "connections": [], "total": 0, "silent_workers": [1, 3] });
        assert!(connections(&answer).ends_with("workers that did not answer: 1 3\n"));
    }
}
