//! `secbeat quickstart`: a protected site on this machine, by real nodes, with nothing to set up.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`backend`] | the site that is protected |
//! | [`origin`], [`pages`] | the sample site, where no other is given |
//! | [`layout`] | addresses, folders, and the configuration of each node |
//! | [`nodes`] | the nodes' processes, from start to end |
//! | [`banner`] | what is printed once all is ready |

mod backend;
mod banner;
mod layout;
mod nodes;
mod origin;
mod pages;

pub use backend::Backend;

use crate::arguments::Quickstart;
use crate::edge;
use crate::failure::Failure;
use layout::Layout;
use nodes::Nodes;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs until it is told to stop, or until no node is left.
pub async fn run(options: Quickstart) -> Result<(), Failure> {
    if options.api.is_some() {
        return Err(Failure::usage(
            "--api: the orchestrator is not built in this version; leave it out (--node-api places the nodes' own API)",
        ));
    }
    let mut signals = Signals::new()?;
    let program = edge::program()?;
    let layout = Layout::new(&options)?;
    let backend = match options.backend {
        Some(backend) => backend,
        None => origin::start().await?,
    };
    let mut nodes = tokio::select! {
        nodes = Nodes::start(&program, &layout, &backend) => nodes?,
        () = signals.stop() => return Ok(()),
    };
    banner::print(&layout, &backend).await;
    let outcome = tokio::select! {
        () = nodes.ended() => Err(Failure::no("no node is left")),
        () = signals.stop() => Ok(()),
    };
    nodes.stop().await;
    outcome
}

/// What tells the program to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::no(format!("cannot listen for signals: {error}")));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
