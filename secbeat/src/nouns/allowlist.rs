//! Who is let through: past decisions, request rates and limits on connections. The firewall still looks.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::failure::Failure;
use crate::nouns::decision::{listed, not_durable, pages, removed, until};
use crate::show::field;
use crate::words::{Body, Path, Scope};
use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

const PATH: &str = "/api/v1/allowlist";

/// What is done about the allowlist.
#[derive(Subcommand)]
pub enum Verb {
    /// Let an address (an IPv6 address stands for its /64) or a prefix through
    Add {
        /// `192.0.2.7` or `192.0.2.0/24`
        scope: Scope,
        /// How long, in seconds [default: for ever]
        #[arg(long, value_name = "SECONDS")]
        duration: Option<u64>,
        /// Why, for whoever finds it later
        #[arg(long)]
        reason: Option<String>,
    },
    /// List who is let through
    List {
        /// At most so many [default: 1000]
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Take an address or a prefix off
    Delete {
        /// As it was given to `add`
        scope: Scope,
    },
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Add { scope, duration, reason } => {
            let body =
                Body::of(scope.key(), scope.as_str()).with("duration", duration).with("reason", reason);
            print(&target, &call(&target, Method::POST, PATH, body).await?, allowed)
        }
        Verb::List { limit } => {
            let answer = pages("allowlist", limit).read(&target, Path::of(PATH)).await?;
            print(&target, &answer, |answer| listed(answer, "allowlist"))
        }
        Verb::Delete { scope } => {
            let body = Body::of(scope.key(), scope.as_str());
            print(&target, &call(&target, Method::DELETE, PATH, body).await?, removed)
        }
    }
}

fn allowed(answer: &Value) -> String {
    let (scope, id) = (field(answer, "scope"), field(answer, "id"));
    format!("{scope} let through {} ({id})\n{}", until(answer), not_durable(answer))
}
