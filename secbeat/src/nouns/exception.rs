//! Matches of rules that do not count.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::client::encode;
use crate::failure::Failure;
use crate::nouns::decision::not_durable;
use crate::nouns::proposal::{self, Asked};
use crate::show::{field, items, list, table};
use crate::words::Body;
use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// Where the calls are.
pub const PATH: &str = "/api/v1/waf/exceptions";

/// `--client` without a value.
const OF_EVENT: &str = "that of the event";
/// How long an exception that was made from an event holds, in seconds: a week.
const FROM_EVENT_S: u32 = 7 * 24 * 60 * 60;

/// What is done about exceptions.
#[derive(Subcommand)]
pub enum Verb {
    /// List the exceptions, with how often each took a match back, and when it last did
    List,
    /// Take matches back where everything that is given holds; at least one of them has to be given
    Add(Box<Add>),
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
    /// From this address or prefix; with --from-event alone: from its client
    #[arg(long = "client", value_name = "CIDR", num_args = 0..=1, default_missing_value = OF_EVENT)]
    clients: Vec<String>,
    /// Such that this request passes: the id of an event, or the `x-request-id` of an answer
    #[arg(long, value_name = "ID", conflicts_with_all = ["id", "rules", "categories", "paths", "parameters", "hosts"])]
    from_event: Option<String>,
    /// How long, in seconds [default: for ever, or 7 days with --from-event]
    #[arg(long, value_name = "SECONDS")]
    duration: Option<u32>,
    /// How long: 30m, 12h, 7d, 4w
    #[arg(long = "for", value_name = "TIME", value_parser = seconds, conflicts_with = "duration")]
    lasting: Option<u32>,
    /// Show which recorded requests would pass, and set nothing
    #[arg(long)]
    dry_run: bool,
    /// Set what --from-event asks for without a question
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Why, for whoever finds it later
    #[arg(long)]
    reason: Option<String>,
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List => print(&target, &call(&target, Method::GET, PATH, None).await?, exceptions),
        Verb::Add(mut add) => {
            let now = OffsetDateTime::now_utc();
            if let Some(id) = add.from_event.take() {
                let client = match add.clients.as_slice() {
                    [] => None,
                    [of_event] if of_event == OF_EVENT => Some(true),
                    _ => {
                        return Err(Failure::usage(
                            "with --from-event, --client stands alone: the client is that of the event",
                        ));
                    }
                };
                let seconds = add.duration.or(add.lasting).unwrap_or(FROM_EVENT_S);
                let asked = Asked {
                    dry_run: add.dry_run,
                    yes: add.yes,
                    expires_at: Some(end(seconds, now)?),
                    reason: add.reason,
                };
                return proposal::run(&target, Body::of("from_event", id).with("client", client), asked)
                    .await;
            }
            if add.dry_run {
                let preview = Body::of("exceptions", json!([exception(*add, now)?]));
                let asked = Asked { dry_run: true, yes: false, expires_at: None, reason: None };
                return proposal::run(&target, preview, asked).await;
            }
            let body = json!({ "exceptions": [exception(*add, now)?] }).to_string();
            print(&target, &call(&target, Method::POST, PATH, body).await?, applied)
        }
        Verb::Delete { id } => {
            let path = format!("{PATH}/{}", encode(&id));
            print(&target, &call(&target, Method::DELETE, path, None).await?, applied)
        }
    }
}

fn exception(add: Add, now: OffsetDateTime) -> Result<Value, Failure> {
    if add.clients.iter().any(|client| client == OF_EVENT) {
        return Err(Failure::usage(
            "expected an address or a prefix behind --client; alone it goes with --from-event",
        ));
    }
    let end = add.duration.or(add.lasting).map(|seconds| end(seconds, now));
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

/// So many seconds after `now`, as the node reads times.
fn end(seconds: u32, now: OffsetDateTime) -> Result<String, Failure> {
    let end = now.replace_nanosecond(0).unwrap_or(now) + Duration::seconds(seconds.into());
    end.format(&Rfc3339).map_err(Failure::usage)
}

/// Seconds of `90s`, `30m`, `12h`, `7d`, `4w`.
fn seconds(text: &str) -> Result<u32, String> {
    let expected = || "expected a time such as 30m, 12h, 7d or 4w".to_owned();
    let unit = text.chars().next_back().ok_or_else(expected)?;
    let of_unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        'w' => 7 * 24 * 60 * 60,
        _ => return Err(expected()),
    };
    let number: u32 = text.strip_suffix(unit).unwrap_or_default().parse().map_err(|_| expected())?;
    number.checked_mul(of_unit).filter(|seconds| *seconds > 0).ok_or_else(expected)
}

/// What was set.
pub fn applied(answer: &Value) -> String {
    let (generation, count) = (field(answer, "generation"), field(answer, "exceptions"));
    let mut text = format!("policy generation {generation}: {count} exceptions in force\n");
    if !items(answer, "ids").is_empty() {
        text.push_str(&format!("set {}\n", list(answer, "ids")));
    }
    text + &not_durable(answer)
}

fn exceptions(answer: &Value) -> String {
    let head = ["ID", "HITS", "LAST HIT", "UNTIL", "TAKES BACK", "REASON"];
    table(&head, items(answer, "exceptions"), |exception| {
        let mut row = ["id", "hits", "last_hit_at", "expires_at"].map(|name| field(exception, name)).to_vec();
        row.push(narrowed(exception));
        row.push(field(exception, "reason"));
        row
    })
}

/// What an exception is for.
pub fn narrowed(exception: &Value) -> String {
    let narrowed: Vec<String> = ["rules", "categories", "paths", "parameters", "hosts", "clients"]
        .into_iter()
        .filter(|name| !items(exception, name).is_empty())
        .map(|name| format!("{name}: {}", list(exception, name)))
        .collect();
    narrowed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(
            ["90s", "30m", "12h", "7d", "4w"].map(seconds),
            [90, 1800, 43_200, 604_800, 2_419_200].map(Ok)
        );
        for text in ["", "7", "d", "0d", "-1d", "9999999w", "7 d"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

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
            from_event: None,
            duration: None,
            lasting: seconds("1m").ok(),
            dry_run: false,
            yes: false,
            reason: None,
        };
        assert_eq!(
            exception(add, datetime!(2026-01-01 00:00:00.5 UTC)).unwrap(),
            json!({ "rules": ["sqli"], "paths": ["/search"], "expires_at": "2026-01-01T00:01:00Z" })
        );
    }
}
