//! `mitigation-node`: the edge of SecBeat. Reads the settings, builds the parts, wires them, waits.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`arguments`] | the command line |
//! | [`node`] | **the composition: what is built, and in which order** |
//! | [`sockets`] | where it listens |
//! | [`life`], [`housekeeping`] | while it runs, and how it ends; what is to be done again and again |
//! | [`origin`], [`prepare`] | where the settings come from; what they name, read and compiled |
//! | [`control`] | the policy in force, and every way to change it |
//! | [`kept`] | what the API has set and what outlives the program |
//! | [`kill_switch`] | what an operator turns when it is the firewall that hurts |
//! | [`rules`], [`rule_texts`] | firewall rules: the file's, and those set by the API over them; those in SecLang |
//! | [`certificates`] | the certificate for a first start without one |
//! | [`log_options`], [`ledger_options`] | log, access log, audit log and recorder as the settings have them |
//! | [`sandbox`] | what the node denies itself |
//! | [`secrets`] | random secrets, kept in the data folder |
//! | [`storage`] | files that are replaced whole and survive a crash |
//! | [`local_socket`] | the API's second door |
//! | [`api`] | metrics, health, and the calls of an operator |

mod api;
mod arguments;
mod certificates;
mod control;
mod housekeeping;
mod kept;
mod kill_switch;
mod ledger_options;
mod life;
mod local_socket;
mod log_options;
mod node;
mod origin;
mod prepare;
mod rule_texts;
mod rules;
mod sandbox;
mod secrets;
mod sockets;
mod storage;

use arguments::Arguments;
use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for huge pages; with them a node that needs 10 MB holds 25. Where the kernel cannot do without, it
    // holds 25.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    // Before the first secret is read. A kernel that refuses this has no such thing as a dump.
    let _ = sandbox::forbid_dumps();
    let arguments = Arguments::parse();
    let outcome = match arguments.validate_config {
        true => node::validate(&arguments),
        false => node::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.message.trim_end());
            ExitCode::from(failure.code)
        }
    }
}

/// Why the program ends, and with which status: 2 for what the operator asked for, 1 for what the machine refused.
pub struct Failure {
    /// For people.
    pub message: String,
    /// The exit status.
    pub code: u8,
}

impl Failure {
    /// The configuration, or something that it names, is at fault.
    pub fn configuration(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 2 }
    }

    /// The machine refused something.
    pub fn machine(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 1 }
    }
}
