//! Firewall rules.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::client::encode;
use crate::failure::Failure;
use crate::nouns::decision::not_durable;
use crate::nouns::{exception, trial};
use crate::show::{field, items, table};
use crate::words::Path;
use clap::Subcommand;
use hyper::Method;
use serde_json::Value;
use std::io::Read;
use std::path::PathBuf;

const PATH: &str = "/api/v1/waf/rules";

/// What is done about rules.
#[derive(Subcommand)]
pub enum Verb {
    /// List the rules in force, in order
    List,
    /// Set rules by id, as a file has them; one bad rule, and nothing has changed
    Set {
        /// `{"rules":[…]}`; `-`: standard input
        file: PathBuf,
        /// These and no others: the rules file is out of force
        #[arg(long)]
        replace: bool,
    },
    /// Take a rule out of force
    Delete {
        /// Its id
        id: String,
    },
    /// Show what the firewall would do with a request, without sending it anywhere; exit status 1: it would be stopped
    Test(trial::Test),
    /// Matches of rules that do not count
    #[command(subcommand)]
    Exception(exception::Verb),
}

/// Makes the call, prints the answer.
pub async fn run(target: Target, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List => print(&target, &call(&target, Method::GET, PATH, None).await?, rules),
        Verb::Set { file, replace } => {
            let path = Path::of(PATH).with("mode", replace.then_some("replace"));
            // As it is: what the node finds wrong with it has the line of the file.
            print(&target, &call(&target, Method::POST, path, text_of(&file)?).await?, applied)
        }
        Verb::Delete { id } => {
            let path = format!("{PATH}/{}", encode(&id));
            print(&target, &call(&target, Method::DELETE, path, None).await?, applied)
        }
        Verb::Test(test) => trial::run(target, test).await,
        Verb::Exception(verb) => exception::run(target, verb).await,
    }
}

fn text_of(file: &PathBuf) -> Result<String, Failure> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    text.map_err(|error| Failure::usage(format!("{}: {error}; expected a file of rules", file.display())))
}

fn applied(answer: &Value) -> String {
    format!(
        "policy generation {}: {} rules in force\n{}",
        field(answer, "generation"),
        field(answer, "rules"),
        not_durable(answer)
    )
}

fn rules(answer: &Value) -> String {
    table(&["ID", "ACTION", "SEVERITY", "CATEGORY", "NAME"], items(answer, "rules"), |rule| {
        ["id", "effective_action", "severity", "category", "name"].map(|name| field(rule, name)).to_vec()
    })
}
