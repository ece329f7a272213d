//! The values in force.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::failure::Failure;
use crate::show::{field, items, table};
use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

/// What is done about the policy.
#[derive(Subcommand)]
pub enum Verb {
    /// Show every value in force; secrets are hidden
    Show {
        /// Say where each comes from
        #[arg(long)]
        origin: bool,
    },
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    let Verb::Show { origin } = verb;
    let view = if origin { values_with_origin } else { values };
    print(&target, &call(&target, Method::GET, "/api/v1/policy", None).await?, view)
}

fn values(answer: &Value) -> String {
    items(answer, "values")
        .iter()
        .map(|one| format!("{} = {}\n", field(one, "key"), field(one, "value")))
        .collect()
}

fn values_with_origin(answer: &Value) -> String {
    table(&["KEY", "ORIGIN", "VALUE"], items(answer, "values"), |one| {
        ["key", "origin", "value"].map(|name| field(one, name)).to_vec()
    })
}
