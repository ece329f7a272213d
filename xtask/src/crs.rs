//! Runs the regression cases of the OWASP Core Rule Set against the firewall, in process or through a running node:
//! `cargo xtask crs --rules DIR --setup FILE --tests DIR [--in-process]`.
//!
//! | step | module |
//! | --- | --- |
//! | cases are read from either schema | [`case`], [`template`] |
//! | and written as bytes | [`message`] |
//! | the rules run under the settings that the cases take for granted | [`setup`] |
//! | each request goes through the firewall alone, or through a node and its sockets | [`in_process`], [`node`] |
//! | to a site that answers as it is asked to | [`origin`], [`wire`] |
//! | what was seen is held against what was expected | [`check`] |
//! | but for cases that go another way for a reason | [`exceptions`] |

mod case;
mod check;
mod exceptions;
mod in_process;
mod message;
mod node;
mod origin;
mod setup;
mod template;
mod wire;

use case::{Case, Stage};
use check::Seen;
use exceptions::Exceptions;
use setup::Mode;
use std::path::{Path, PathBuf};

/// What is run, and how.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder of the rules: `*.conf` with their data files
    #[arg(long)]
    rules: PathBuf,
    /// The rule set's crs-setup.conf
    #[arg(long)]
    setup: PathBuf,
    /// The folder of the regression cases, `*.yaml` in it and below
    #[arg(long)]
    tests: PathBuf,
    /// Without a node: the firewall alone, fed by our HTTP parser
    #[arg(long)]
    in_process: bool,
    /// The paranoia level
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=4))]
    paranoia: u8,
    /// Stop what reaches the threshold, and list the requests that are stopped, those that cases call benign apart; nothing else is checked
    #[arg(long)]
    blocking: bool,
    /// Cases whose name begins with this
    #[arg(long)]
    only: Option<String>,
    /// Cases that go another way, with their reasons (TOML: `"920100-4" = "why"`); not given: those kept for the version of the rules
    #[arg(long)]
    exceptions: Option<PathBuf>,
    /// Show each request and what was logged for it
    #[arg(long)]
    verbose: bool,
}

/// What requests are sent through.
trait Firewall {
    /// Sends requests, each by itself, in order: what came of each. `Err`: the run cannot go on.
    fn send(&mut self, requests: &[Vec<u8>]) -> Result<Vec<Seen>, String>;
}

/// How many went which way.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs the cases; whether all went well. `Err`: they could not be run.
pub fn run(root: &Path, arguments: &Arguments) -> Result<bool, String> {
    let mut cases = case::read(&arguments.tests)?;
    if let Some(only) = &arguments.only {
        cases.retain(|case| case.name.starts_with(only.as_str()));
    }
    let exceptions = match &arguments.exceptions {
        Some(path) => exceptions::read(path)?,
        None => exceptions::of(root, &arguments.rules)?,
    };
    let folder = Scratch::new()?;
    let mode = Mode { paranoia: arguments.paranoia, blocking: arguments.blocking };
    let setup = setup::write(&arguments.setup, &folder.0, mode)?;
    let mut firewall: Box<dyn Firewall> = match arguments.in_process {
        true => Box::new(in_process::InProcess::new(&arguments.rules, &setup, mode)?),
        false => Box::new(node::Node::start(root, &folder.0, &arguments.rules, &setup, mode)?),
    };
    let run: Vec<&Case> = cases.iter().filter(|case| !case.disabled).collect();
    let stages: Vec<(&Case, &Stage)> =
        run.iter().flat_map(|case| case.stages.iter().map(move |stage| (*case, stage))).collect();
    let requests = stages
        .iter()
        .map(|(case, stage)| message::bytes(&stage.input).map_err(|error| format!("{}: {error}", case.name)))
        .collect::<Result<Vec<_>, _>>()?;
    let seen = firewall.send(&requests)?;
    if arguments.verbose {
        for (((case, _), request), seen) in stages.iter().zip(&requests).zip(&seen) {
            println!("--- {}\n{}\n--- {}", case.name, String::from_utf8_lossy(request), seen.in_words());
            seen.log.iter().for_each(|line| println!("    {line}"));
        }
    }
    let tally = match arguments.blocking {
        true => tell_stopped(&stages, &seen),
        false => hold(&cases, &seen, &exceptions),
    };
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped);
    Ok(tally.failed == 0)
}

/// Holds what was seen of each stage of each enabled case against what it expects.
fn hold(cases: &[Case], seen: &[Seen], exceptions: &Exceptions) -> Tally {
    let mut tally = Tally::default();
    let mut known = Vec::new();
    let mut seen = seen.iter();
    for case in cases {
        if case.disabled {
            tally.skipped += 1;
            known.push(format!("{}: its file is switched off", case.name));
            continue;
        }
        let mut wrong = Vec::new();
        for (number, (stage, seen)) in case.stages.iter().zip(seen.by_ref()).enumerate() {
            let found = check::check(&stage.expected, seen);
            if !found.is_empty() {
                wrong.push(format!("stage {}: {}; seen: {}", number + 1, found.join(", "), seen.in_words()));
            }
        }
        match (wrong.is_empty(), exceptions.get(&case.name)) {
            (true, None) => tally.passed += 1,
            (true, Some(_)) => {
                tally.passed += 1;
                println!("{} is an exception, and passes here", case.name);
            }
            (false, Some(reason)) => {
                tally.skipped += 1;
                known.push(format!("{}: {reason}", case.name));
            }
            (false, None) => {
                tally.failed += 1;
                println!("failed {}: {}", case.name, wrong.join("; "));
            }
        }
    }
    known.iter().for_each(|line| println!("exception {line}"));
    tally
}

/// Tells what was stopped in blocking mode. A request fails if it is benign by what its case expects and was stopped.
fn tell_stopped(stages: &[(&Case, &Stage)], seen: &[Seen]) -> Tally {
    let mut tally = Tally::default();
    let mut attacks = 0;
    for ((case, stage), seen) in stages.iter().zip(seen) {
        let is_stopped = seen.refusal.is_none() && matches!(seen.status, Some(400 | 403));
        match (stage.expected.is_negative(), is_stopped) {
            (true, true) => {
                tally.failed += 1;
                println!("failed {}: benign, and stopped: {}", case.name, seen.in_words());
            }
            (true, false) => tally.passed += 1,
            (false, stopped) => {
                tally.skipped += 1;
                attacks += usize::from(stopped);
            }
        }
    }
    println!("of {} requests that are to be found, {attacks} are stopped", tally.skipped);
    tally
}

/// A folder of this run, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("secbeat-crs-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in the system's own folder for what passes.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
