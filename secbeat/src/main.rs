//! `secbeat`: the operator's program. Starts a protected site with one command, and speaks with a running node.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`arguments`] | the command line |
//! | [`quickstart`] | **real nodes before a site, with nothing to set up** |
//! | [`nouns`] | **what an operator speaks of: words, calls and answers** |
//! | [`words`] | scopes, paths and bodies of calls |
//! | [`calls`] | making a call, and printing its answer |
//! | [`show`] | answers of a node as text |
//! | [`curl`] | command lines of curl as requests |
//! | [`client`] | calls of a node's API over HTTP |
//! | [`sse`] | server-sent events |
//! | [`edge`] | the node's own program: where it is, and its check of a configuration |
//! | [`failure`] | why the program ends, and with which status |

mod arguments;
mod calls;
mod client;
mod curl;
mod edge;
mod failure;
mod nouns;
mod quickstart;
mod show;
mod sse;
mod words;

use arguments::{Arguments, Built, Command, Shell};
use clap::{Parser, Subcommand};
use failure::Failure;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Absent(noun) => Err(noun.refuse()),
        Command::Built(built) => run(*built).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.message.trim_end());
            ExitCode::from(failure.code)
        }
    }
}

async fn run(command: Built) -> Result<(), Failure> {
    match command {
        Built::Quickstart(options) => quickstart::run(options).await,
        Built::Validate { file } => edge::validate(file),
        Built::Call(call) => nouns::run(call).await,
        Built::Completions { shell } => {
            complete(shell);
            Ok(())
        }
    }
}

/// Prints the completions of a shell.
fn complete(shell: Shell) {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut words = Built::augment_subcommands(clap::Command::new("secbeat"));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut words, "secbeat", &mut script);
    let _ = calls::write(&String::from_utf8_lossy(&script));
}
