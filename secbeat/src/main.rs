//! `secbeat`: the operator's program. Starts a protected site with one command, and speaks with a running node.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`arguments`] | the command line |
//! | [`quickstart`] | **real nodes before a site, with nothing to set up** |
//! | [`calls`] | the commands that are one call of a node's API |
//! | [`show`] | answers of a node as text for people |
//! | [`client`] | calls of a node's API over HTTP |
//! | [`edge`] | the node's own program: where it is, and its check of a configuration |
//! | [`failure`] | why the program ends, and with which status |

mod arguments;
mod calls;
mod client;
mod edge;
mod failure;
mod quickstart;
mod show;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Quickstart(options) => quickstart::run(options).await,
        Command::Validate { file } => edge::validate(file),
        Command::Call(call) => calls::run(call).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.message.trim_end());
            ExitCode::from(failure.code)
        }
    }
}
