//! What happened.

use crate::arguments::Target;
use crate::calls::{Pages, print};
use crate::failure::Failure;
use crate::nouns::follow;
use crate::show::{field, items, table};
use crate::words::Path;
use clap::Subcommand;
use serde_json::Value;

/// What is done about events.
#[derive(Subcommand)]
pub enum Verb {
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
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
    /// Print each event as it happens, a line each, until Ctrl-C
    Follow {
        /// attack, decision, limit, protocol, backend or policy
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// Only of this client
        #[arg(long)]
        ip: Option<String>,
        /// Those after this time (RFC 3339) or event id too
        #[arg(long)]
        since: Option<String>,
    },
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List { kind, ip, since, limit } => {
            let path = Path::of("/api/v1/events").with("type", kind).with("ip", ip).with("since", since);
            let pages = Pages { list: "events", cursor: "before", page_max: 1000, limit };
            print(&target, &pages.read(&target, path).await?, events)
        }
        Verb::Follow { kind, ip, since } => {
            let path = Path::of("/api/v1/events/stream").with("type", kind).with("ip", ip);
            follow::until_interrupted(&target, path.with("since", since).into()).await
        }
    }
}

fn events(answer: &Value) -> String {
    listed(items(answer, "events"))
}

/// Events as a table.
pub fn listed(events: &[Value]) -> String {
    table(&["TIME", "EVENT", "CLIENT", "BY", "STATUS", "REQUEST", "REASON"], events, row)
}

/// An event in a row.
pub fn row(event: &Value) -> Vec<String> {
    let request = match event["method"].as_str() {
        Some(_) => format!("{} {}", field(event, "method"), field(event, "target")),
        None => "-".into(),
    };
    let mut row =
        ["timestamp", "event", "client_ip", "actor", "status"].map(|name| field(event, name)).to_vec();
    row.extend([request, field(event, "reason")]);
    row
}
