//! The kill switch.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::failure::Failure;
use crate::nouns::decision::not_durable;
use crate::show::{field, items, list, table};
use crate::words::Body;
use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::Value;

const PATH: &str = "/api/v1/panic";

/// How the switch is set.
#[derive(Subcommand)]
pub enum Verb {
    /// Let firewall, CSRF check and rates only log
    Monitor(How),
    /// Let them not look at all
    Off(How),
    /// Set it back
    Normal(How),
    #[command(hide = true)]
    Challenge(How),
    /// Say how it is set
    Status,
}

/// For whom and how long.
#[derive(Args)]
pub struct How {
    /// Only this host; may be repeated [default: all]
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// How long, in seconds [default: 3600]
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u64>,
    /// Why, for whoever finds it later
    #[arg(long)]
    reason: Option<String>,
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    let (mode, how) = match verb {
        Verb::Monitor(how) => ("monitor", how),
        Verb::Off(how) => ("off", how),
        Verb::Normal(how) => ("normal", how),
        // The node says itself whether it has it.
        Verb::Challenge(how) => ("challenge", how),
        Verb::Status => return print(&target, &call(&target, Method::GET, PATH, None).await?, switches),
    };
    let body = Body::of("mode", mode)
        .with("hosts", how.hosts)
        .with("duration", how.duration)
        .with("reason", how.reason);
    print(&target, &call(&target, Method::POST, PATH, body).await?, switched)
}

fn switched(answer: &Value) -> String {
    let hosts = match items(answer, "hosts") {
        [] => "all hosts".into(),
        _ => list(answer, "hosts"),
    };
    let end = match &answer["until"] {
        Value::Null => String::new(),
        _ => format!(" until {}", field(answer, "until")),
    };
    format!("{}{end}: {hosts}\n{}", field(answer, "mode"), not_durable(answer))
}

fn switches(answer: &Value) -> String {
    match items(answer, "switches") {
        [] => "normal: all hosts\n".into(),
        switches => listed(switches),
    }
}

/// Switches as a table.
pub fn listed(switches: &[Value]) -> String {
    table(&["MODE", "UNTIL", "HOSTS", "REASON"], switches, |switch| {
        let hosts = if items(switch, "hosts").is_empty() { "all".into() } else { list(switch, "hosts") };
        vec![field(switch, "mode"), field(switch, "until"), hosts, field(switch, "reason")]
    })
}
