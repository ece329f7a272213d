//! The node while it runs, and how it ends.

use crate::Failure;
use crate::api::{self, Api, Names};
use crate::control::Control;
use crate::housekeeping::keep_time;
use crate::sockets::ApiSockets;
use std::io::Read;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// How long access log and recorder have to write what they still hold when the program stops.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The most calls that wait for the disk or a name server at a time. Those that wait in vain go after some seconds.
const BLOCKING_THREADS_MAX: usize = 64;

/// Serves the API, keeps the clocks, and obeys signals until one says stop; then lets the workers end what they have begun, with
/// API and clocks as before.
pub fn wait(
    control: &Arc<Control>,
    workers: usize,
    api_sockets: Option<ApiSockets>,
    stop_with_parent: bool,
    ended: mpsc::Receiver<usize>,
    running: Vec<JoinHandle<()>>,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(Failure::machine)?;
    let outcome = runtime.block_on(async {
        tokio::spawn(keep_time(control.clone()));
        let mut local_socket = None;
        if let Some(ApiSockets { tcp, local }) = api_sockets {
            let api = Arc::new(Api { control: control.clone(), workers, names: Names::default() });
            tokio::spawn(api::ask_ahead(api.clone()));
            tokio::spawn(api::serve(tcp, api.clone()));
            if let Some((listener, socket)) = local {
                tokio::spawn(api::serve_local(listener, api));
                local_socket = Some(socket);
            }
        }
        let outcome = told_to_stop(control, stop_with_parent, ended).await;
        control.shared.log.info("mitigation-node", "stopping").send();
        control.shared.lifecycle.drain();
        let join = move || {
            for worker in running {
                // A worker that panicked has said so on standard error.
                let _ = worker.join();
            }
        };
        // It ends with the last worker, or not at all.
        on_a_thread(join).await;
        let shared = control.shared.clone();
        let write_out = move || {
            shared.ledgers.access.flush(LAST_LINES);
            shared.ledgers.recorder.flush(LAST_LINES);
        };
        on_a_thread(write_out).await;
        drop(local_socket);
        outcome
    });
    // A disk that does not answer keeps nobody from stopping.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

/// Does this on a thread of its own: calls that wait for a disk may hold all others.
async fn on_a_thread(work: impl FnOnce() + Send + 'static) {
    let (tell, mut done) = mpsc::channel::<()>(1);
    thread::spawn(move || {
        let _tell = tell;
        work();
    });
    // The end of the channel is the end of the work.
    let _ = done.recv().await;
}

/// Waits for whatever ends the program.
async fn told_to_stop(
    control: &Arc<Control>,
    stop_with_parent: bool,
    mut ended: mpsc::Receiver<usize>,
) -> Result<(), Failure> {
    let hangup = signal(SignalKind::hangup()).map_err(Failure::machine)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::machine)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::machine)?;
    let (tell, mut parent_ended) = mpsc::channel(1);
    if stop_with_parent {
        let tell = tell.clone();
        thread::spawn(move || watch_parent(&tell));
    }
    tokio::spawn(reload_when_told(hangup, control.clone()));
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = parent_ended.recv() => Ok(()),
        // A node that lost a worker would serve some clients and leave others waiting: better started anew.
        index = ended.recv() => {
            let index = index.unwrap_or_default();
            Err(Failure::machine(format!("worker {index} ended unasked; the log says why")))
        }
    }
}

/// Reloads one after the other: signals that come in meanwhile are one more reload.
async fn reload_when_told(mut hangup: Signal, control: Arc<Control>) {
    while hangup.recv().await.is_some() {
        let control = control.clone();
        // What came of it is in the log and among the events.
        let _ = tokio::task::spawn_blocking(move || control.reload("signal").map(drop)).await;
    }
}

/// Waits for the end of standard input, and tells of it.
fn watch_parent(tell: &mpsc::Sender<()>) {
    let mut bytes = [0; 64];
    while matches!(std::io::stdin().read(&mut bytes), Ok(1..)) {}
    // The receiver is gone where the program stops already.
    let _ = tell.blocking_send(());
}
