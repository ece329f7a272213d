//! Matches of rules that do not count.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::client::encode;
use crate::failure::Failure;
use crate::nouns::decision::not_durable;
use crate::show::{field, items, list, table};
use crate::words::Body;
use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

const PATH: &str = "/api/v1/waf/exceptions";

/// What is done about exceptions.
#[derive(Subcommand)]
pub enum Verb {
    /// List the exceptions, with how often each took a match back
    List,
    /// Take matches back where everything that is given holds; at least one of them has to be given
    Add(Add),
    /// Let matches count again
    Delete {
        /// Its id
        id: String,
    },
}

/// Which matches.
#[derive(Args)]
pub struct Add {
    /// A name for it; an exception of the same name is replaced [default: made by the node]
    #[arg(long)]
    id: Option<String>,
    /// Matches of this rule
    #[arg(long = "rule", value_name = "ID")]
    rules: Vec<String>,
    /// Matches of rules of this category
    #[arg(long = "category", value_name = "CATEGORY")]
    categories: Vec<String>,
    /// On this path: `/admin` and all below, or a pattern such as `/api/*/login`
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// In this value: `query:comment`, `body:*`, `header:x-foo`, `cookie:*`, `path`
    #[arg(long = "parameter", value_name = "VALUE")]
    parameters: Vec<String>,
    /// At this host: `shop.example`, `*.shop.example`
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// From this address or prefix
    #[arg(long = "client", value_name = "CIDR")]
    clients: Vec<String>,
    /// How long, in seconds [default: for ever]
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u32>,
    /// Why, for whoever finds it later
    #[arg(long)]
    reason: Option<String>,
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List => print(&target, &call(&target, Method::GET, PATH, None).await?, exceptions),
        Verb::Add(add) => {
            let body = json!({ "exceptions": [exception(add, OffsetDateTime::now_utc())?] }).to_string();
            print(&target, &call(&target, Method::POST, PATH, body).await?, applied)
        }
        Verb::Delete { id } => {
            let path = format!("{PATH}/{}", encode(&id));
            print(&target, &call(&target, Method::DELETE, path, None).await?, applied)
        }
    }
}

fn exception(add: Add, now: OffsetDateTime) -> Result<Value, Failure> {
    let end = add.duration.map(|seconds| {
        let end = now.replace_nanosecond(0).unwrap_or(now) + Duration::seconds(seconds.into());
        end.format(&Rfc3339).map_err(Failure::usage)
    });
    Ok(Body::default()
        .with("id", add.id)
        .with("rules", add.rules)
        .with("categories", add.categories)
        .with("paths", add.paths)
        .with("parameters", add.parameters)
        .with("hosts", add.hosts)
        .with("clients", add.clients)
        .with("expires_at", end.transpose()?)
        .with("reason", add.reason)
        .into())
}

fn applied(answer: &Value) -> String {
    let (generation, count) = (field(answer, "generation"), field(answer, "exceptions"));
    let mut text = format!("policy generation {generation}: {count} exceptions in force\n");
    if !items(answer, "ids").is_empty() {
        text.push_str(&format!("set {}\n", list(answer, "ids")));
    }
    text + &not_durable(answer)
}

fn exceptions(answer: &Value) -> String {
    table(&["ID", "HITS", "UNTIL", "TAKES BACK", "REASON"], items(answer, "exceptions"), |exception| {
        let narrowed: Vec<String> = ["rules", "categories", "paths", "parameters", "hosts", "clients"]
            .into_iter()
            .filter(|name| !items(exception, name).is_empty())
            .map(|name| format!("{name}: {}", list(exception, name)))
            .collect();
        let mut row = ["id", "hits", "expires_at"].map(|name| field(exception, name)).to_vec();
        row.push(narrowed.join(", "));
        row.push(field(exception, "reason"));
        row
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn an_exception_says_what_was_given_and_when_it_ends() {
        let add = Add {
            id: None,
            rules: vec!["sqli".into()],
            categories: Vec::new(),
            paths: vec!["/search".into()],
            parameters: Vec::new(),
            hosts: Vec::new(),
            clients: Vec::new(),
            duration: Some(60),
            reason: None,
        };
        assert_eq!(
            exception(add, datetime!(2026-01-01 00:00:00.5 UTC)).unwrap(),
            json!({ "rules": ["sqli"], "paths": ["/search"], "expires_at": "2026-01-01T00:01:00Z" })
        );
    }
}
