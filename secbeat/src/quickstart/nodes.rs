//! The nodes' processes, from start to end. Each holds the reading end of a pipe as its standard input: when this program
//! ends, however it ends, the pipe ends too, and the node stops.

use super::{Backend, Layout};
use crate::client::{Call, Node as Api};
use crate::failure::Failure;
use hyper::{Method, StatusCode};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long a node may take until it serves.
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a node may take to stop; longer than its `shutdown_timeout`.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);
/// How often a starting node is asked whether it serves.
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
/// How much of a log is shown of a node that ended, in lines.
const LOG_LINES_SHOWN: usize = 12;

/// The nodes that run.
pub struct Nodes {
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Nodes {
    /// Starts the nodes one after the other, each ready before the next: the first one makes the certificate.
    ///
    /// # Errors
    /// A node does not start; the end of its log.
    pub async fn start(program: &Path, layout: &Layout, backend: &Backend) -> Result<Self, Failure> {
        let (stop, stopping) = watch::channel(false);
        let mut running = JoinSet::new();
        for (index, (api, reachable)) in layout.apis.iter().zip(layout.reachable_apis()).enumerate() {
            layout.write_config(index, *api, backend)?;
            let mut node =
                Node::spawn(program, &layout.config_path(index), layout.log_path(index), index + 1)?;
            let api: Api = format!("http://{reachable}").parse().map_err(Failure::no)?;
            node.ready(&api).await?;
            running.spawn(node.watch(stopping.clone()));
        }
        Ok(Self { stop, running })
    }

    /// Waits until no node is left. Each that ends is told of.
    pub async fn ended(&mut self) {
        while self.running.join_next().await.is_some() {}
    }

    /// Stops all nodes and waits for them.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        self.ended().await;
    }
}

struct Node {
    number: usize,
    log: PathBuf,
    child: Child,
    /// Its end is the node's.
    lifeline: Option<ChildStdin>,
}

impl Node {
    fn spawn(program: &Path, config: &Path, log: PathBuf, number: usize) -> Result<Self, Failure> {
        let log_file =
            File::create(&log).map_err(|error| Failure::no(format!("{}: {error}", log.display())))?;
        let mut command = Command::new(program);
        // The generated configuration is what runs: variables meant for other nodes of this machine do not reach it.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("SECBEAT__")
                || ["MITIGATION_MODE", "TLS_CERT_PATH", "TLS_KEY_PATH"].contains(&&*name)
            {
                command.env_remove(&*name);
            }
        }
        let mut child = command
            .arg(config)
            .arg("--stop-with-parent")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log_file)
            // Ctrl-C is for this program, which stops the nodes in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::no(format!("cannot start {}: {error}", program.display())))?;
        let lifeline = child.stdin.take();
        Ok(Self { number, log, child, lifeline })
    }

    /// Waits until the node serves.
    async fn ready(&mut self, api: &Api) -> Result<(), Failure> {
        let is_ready = async {
            loop {
                let call = Call { method: Method::GET, path: "/readyz".into(), body: None, token: None };
                if api.call(call).await.is_ok_and(|(status, _)| status == StatusCode::OK) {
                    return;
                }
                sleep(PROBE_INTERVAL).await;
            }
        };
        let outcome = tokio::select! {
            waited = timeout(START_TIME_MAX, is_ready) => waited.map_err(|_| None),
            status = self.child.wait() => Err(status.ok()),
        };
        outcome.map_err(|status| match status {
            Some(status) => Failure::no(self.obituary(status)),
            None => Failure::no(format!(
                "node {} does not serve after {} s; {}",
                self.number,
                START_TIME_MAX.as_secs(),
                self.end_of_log()
            )),
        })
    }

    /// Waits for the node's end, and tells of it unless it was told to stop.
    async fn watch(mut self, mut stopping: watch::Receiver<bool>) {
        tokio::select! {
            status = self.child.wait() => return match status {
                Ok(status) => eprintln!("{}", self.obituary(status)),
                Err(error) => eprintln!("node {} is lost: {error}", self.number),
            },
            // The sender is never dropped before its tasks have ended.
            _ = stopping.changed() => {}
        }
        drop(self.lifeline.take());
        if timeout(STOP_TIME_MAX, self.child.wait()).await.is_err() {
            eprintln!("node {} does not stop and is killed; {}", self.number, self.end_of_log());
            // It may have ended by itself in between.
            let _ = self.child.kill().await;
        }
    }

    fn obituary(&self, status: ExitStatus) -> String {
        format!("node {} ended by itself ({status}); {}", self.number, self.end_of_log())
    }

    fn end_of_log(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let shown = lines.get(lines.len().saturating_sub(LOG_LINES_SHOWN)..).unwrap_or_default();
        if shown.is_empty() {
            return format!("its log {} is empty", self.log.display());
        }
        format!("the end of its log {}:\n  {}", self.log.display(), shown.join("\n  "))
    }
}
