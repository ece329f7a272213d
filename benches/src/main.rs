//! nginx, HAProxy and SecBeat side by side: the same machine, core, origin, client and minutes.
//!
//! | module | what |
//! | --- | --- |
//! | [`cli`] | the commands and their options |
//! | [`scenario`] | what is asked of a proxy: scheme and answer size |
//! | [`peers`] | each proxy at its best: configuration, start, stop |
//! | [`origin`] | the backend behind all of them |
//! | [`certificate`] | the one certificate all of them serve |
//! | [`machine`] | where the figures come from |
//! | [`process`] | children that cannot outlive the benchmark |
//! | [`measure`] | CPU time and memory of a process group, from `/proc` |
//! | [`load`] | closed-loop load by `wrk` |
//! | [`answer`] | the head of an HTTP answer |
//! | [`client`] | one connection of the open loop |
//! | [`open_loop`] | load on a schedule, and its latency |
//! | [`idle`] | idle connections, and their memory |
//! | [`rounds`] | interleaved rounds, and what they found |
//! | [`single`] | one scenario by itself |
//! | [`suite`] | the whole of `make bench` |
//! | [`steering`] | what changes by people and many clients cost a node: `make bench-steering` |
//! | [`crs`] | what the Core Rule Set costs, beside ModSecurity: `make bench-waf` |
//! | [`asker`] | our own load: many keep-alive connections, each request of its own making |
//! | [`stats`] | medians, quantiles and the bootstrap |
//! | [`table`] | rows as Markdown |
//! | [`document`] | the tables of `docs/benchmarks.md` |

mod answer;
mod asker;
mod certificate;
mod cli;
mod client;
mod crs;
mod document;
mod idle;
mod load;
mod machine;
mod measure;
mod open_loop;
mod origin;
mod peers;
mod process;
mod rounds;
mod scenario;
mod single;
mod stats;
mod steering;
mod suite;
mod table;

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

/// Comes with the first SIGINT or SIGTERM.
async fn told_to_end() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => (),
        _ = terminated.recv() => (),
    }
}

/// What a step of the benchmark gives, or a sentence saying what failed, where, and what to do.
type Outcome<T> = Result<T, String>;

/// Does what blocks on a thread of its own.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| format!("a measurement has stopped: {e}"))?
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // Dropping the unfinished run on a signal is what stops the proxies and removes their folders.
    let outcome = tokio::select! {
        outcome = cli::run() => outcome,
        () = told_to_end() => Err("interrupted: nothing was written".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("secbeat-bench: {message}");
            ExitCode::FAILURE
        }
    }
}
