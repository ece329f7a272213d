//! Recorded requests: what was stopped, and a sample of what passed.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::failure::Failure;
use crate::show::{field, items, table};
use crate::words::Path;
use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

/// What is done about records.
#[derive(Subcommand)]
pub enum Verb {
    /// List recorded requests, the newest first
    List {
        /// Only of this client
        #[arg(long)]
        ip: Option<String>,
        /// Only this request: the `x-request-id` of its answer
        #[arg(long, value_name = "ID")]
        request_id: Option<String>,
        /// Only after this time (RFC 3339)
        #[arg(long)]
        since: Option<String>,
        /// Only those that were stopped
        #[arg(long)]
        stopped: bool,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    let Verb::List { ip, request_id, since, stopped, limit } = verb;
    let path = Path::of("/api/v1/records").with("limit", Some(limit)).with("ip", ip);
    let path =
        path.with("request_id", request_id).with("since", since).with("stopped", stopped.then_some(true));
    print(&target, &call(&target, Method::GET, path, None).await?, records)
}

fn records(answer: &Value) -> String {
    let head = ["TIME", "REQUEST ID", "CLIENT", "STATUS", "ACTION", "RULE", "REQUEST"];
    let mut text = table(&head, items(answer, "records"), |record| {
        let names = ["timestamp", "request_id", "client_ip", "status", "action", "rule_id"];
        let mut row = names.map(|name| field(record, name)).to_vec();
        row.push(format!("{} {}", field(record, "method"), field(record, "target")));
        row
    });
    if answer["cut_short"] == true {
        text.push_str("older records were not looked at; narrow the search with --since\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_search_that_was_cut_short_says_so() {
        assert!(!records(&json!({ "records": [] })).contains("not looked at"));
        assert!(records(&json!({ "records": [], "cut_short": true })).contains("not looked at"));
    }
}
