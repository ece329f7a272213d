//! Who is blocked.

use crate::arguments::Target;
use crate::calls::{Pages, call, print};
use crate::client::encode;
use crate::failure::Failure;
use crate::show::{field, items, more, plain, table};
use crate::words::{Body, Path, Scope};
use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

/// What is done about blocks.
#[derive(Subcommand)]
pub enum Verb {
    /// Block an address (an IPv6 address stands for its /64) or a prefix
    Add {
        /// `192.0.2.7` or `192.0.2.0/24`
        scope: Scope,
        /// How long, in seconds [default: 3600]
        #[arg(long, value_name = "SECONDS")]
        duration: Option<u64>,
        /// Why, for whoever finds it later
        #[arg(long)]
        reason: Option<String>,
        /// Block even yourself, loopback, a backend or a trusted proxy
        #[arg(long)]
        force: bool,
        /// Undo it after so many seconds unless it is confirmed
        #[arg(long, value_name = "SECONDS")]
        confirm: Option<u64>,
    },
    /// List the blocks in force
    List {
        /// Only those that hold this address
        #[arg(long)]
        ip: Option<String>,
        /// At most so many [default: 1000]
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Undo the block of an address or a prefix
    Delete {
        /// As it was given to `add`
        scope: Scope,
    },
    /// Keep a block that was added with --confirm
    Confirm {
        /// `dec_17`, as `add` has printed it
        id: String,
    },
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Add { scope, duration, reason, force, confirm } => {
            let path = if scope.is_prefix() { "/api/v1/emergency-block" } else { "/api/v1/block-ip" };
            let body = Body::of(scope.key(), scope.as_str())
                .with("duration", duration)
                .with("reason", reason)
                .with("force", force)
                .with("confirm", confirm);
            let answer = call(&target, Method::POST, path, body).await?;
            print(&target, &answer, blocked)
        }
        Verb::List { ip, limit } => {
            let path = Path::of("/api/v1/blocked-ips").with("ip", ip);
            print(&target, &pages("blocked_ips", limit).read(&target, path).await?, decisions)
        }
        Verb::Delete { scope } => {
            let answer = match scope.is_prefix() {
                true => {
                    let body = Body::of(scope.key(), scope.as_str());
                    call(&target, Method::DELETE, "/api/v1/emergency-block", body).await?
                }
                false => {
                    let path = format!("/api/v1/block-ip/{}", encode(scope.as_str()));
                    call(&target, Method::DELETE, path, None).await?
                }
            };
            print(&target, &answer, removed)
        }
        Verb::Confirm { id } => {
            let path = format!("/api/v1/decisions/{}/confirm", encode(&id));
            print(&target, &call(&target, Method::POST, path, None).await?, blocked)
        }
    }
}

/// How decisions are read: by default one page of them.
pub fn pages(list: &'static str, limit: Option<usize>) -> Pages {
    Pages { list, cursor: "after", page_max: 10_000, limit: limit.unwrap_or(1000) }
}

fn blocked(answer: &Value) -> String {
    let (scope, end, id) = (field(answer, "scope"), until(answer), field(answer, "id"));
    let mut text = match answer["confirm_by"].is_null() {
        true => format!("{scope} blocked {end} ({id})\n"),
        false => format!(
            "{scope} blocked until {}, and {end} once it is confirmed: secbeat decision confirm {id}\n",
            field(answer, "confirm_by")
        ),
    };
    text.push_str(&not_durable(answer));
    let allowed: Vec<String> = items(answer, "allowlisted_inside").iter().map(plain).collect();
    if !allowed.is_empty() {
        text.push_str(&format!("let through all the same: {}\n", allowed.join(" ")));
    }
    text
}

/// `until T`, or `for ever`.
pub fn until(answer: &Value) -> String {
    match &answer["expires_at"] {
        Value::Null => "for ever".into(),
        end => format!("until {}", plain(end)),
    }
}

/// A line where it is not on the disk.
pub fn not_durable(answer: &Value) -> String {
    match (&answer["durable"], &answer["not_durable"]) {
        (Value::Bool(true), _) => String::new(),
        (_, Value::Null) => "in force, but not on the disk yet\n".into(),
        (_, why) => format!("in force, but not on the disk yet: {}\n", plain(why)),
    }
}

/// What was taken away.
pub fn removed(answer: &Value) -> String {
    let ids: Vec<String> = items(answer, "removed").iter().map(plain).collect();
    format!("removed {}\n{}", ids.join(", "), not_durable(answer))
}

fn decisions(answer: &Value) -> String {
    listed(answer, "blocked_ips")
}

/// Decisions as a table.
pub fn listed(answer: &Value, name: &str) -> String {
    let shown = items(answer, name);
    let text = table(&["SCOPE", "UNTIL", "BY", "ID", "REASON"], shown, |decision| {
        let mut row = ["scope", "expires_at", "origin", "id", "reason"].map(|name| field(decision, name));
        if !decision["confirm_by"].is_null() {
            row[1] = format!("{} unless confirmed", field(decision, "confirm_by"));
        }
        row.to_vec()
    });
    text + &more(answer, shown.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_line_up_and_what_is_not_shown_is_counted() {
        let answer = json!({ "total": 3, "next": "dec_12", "blocked_ips": [
            { "scope": "192.0.2.7/32", "expires_at": null, "origin": "manual", "id": "dec_1", "reason": "" },
            { "scope": "2001:db8::/64", "expires_at": "2026-01-01T00:00:00Z", "origin": "manual", "id": "dec_12", "reason": "a b" },
        ]});
        assert_eq!(
            decisions(&answer),
            "SCOPE          UNTIL                 BY      ID      REASON\n\
             192.0.2.7/32   -                     manual  dec_1   -\n\
             2001:db8::/64  2026-01-01T00:00:00Z  manual  dec_12  a b\n\
             2 of 3; more with --limit\n"
        );
    }

    #[test]
    fn a_block_that_waits_for_its_confirmation_says_how_it_is_given() {
        let answer = json!({ "scope": "192.0.2.7/32", "id": "dec_1", "durable": true,
            "expires_at": "2026-01-01T01:00:00Z", "confirm_by": "2026-01-01T00:01:00Z" });
        assert_eq!(
            blocked(&answer),
            "192.0.2.7/32 blocked until 2026-01-01T00:01:00Z, and until 2026-01-01T01:00:00Z once it is confirmed: \
             secbeat decision confirm dec_1\n"
        );
    }
}
