//! A node with the firewall on, and how long its start took.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::Outcome;
use crate::origin::Origin;
use crate::peers::{Peer, Running, job, secbeat};
use crate::process::{Cores, Group, all_cores, free_port};
use crate::steering::api::Api;

/// How long a node may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a node is started with.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Where its settings and its log go.
    pub dir: &'a Path,
    /// Its data folder.
    pub data: &'a Path,
    /// The origin's port on 127.0.0.1.
    pub origin: u16,
    /// Threads that carry traffic.
    pub workers: usize,
    /// Where they run.
    pub cores: Cores,
    /// Further settings: keys with dots, then arrays of tables.
    pub more: &'a str,
}

/// A node that is ready; dropped, it is stopped.
#[derive(Debug)]
pub struct Node {
    /// Its side towards clients.
    pub proxy: Running,
    /// Its side towards operators.
    pub api: Api,
    /// From the start of the program until it was ready.
    pub start: Duration,
}

/// A node with a worker for each core, pinned nowhere.
pub fn every_core<'a>(dir: &'a Path, data: &'a Path, origin: &Origin) -> Setup<'a> {
    Setup { dir, data, origin: origin.port, workers: all_cores(), cores: Cores::All, more: "" }
}

/// A node with one worker and the proxy's core to itself.
pub fn one_core<'a>(dir: &'a Path, data: &'a Path, origin: &Origin) -> Setup<'a> {
    Setup { dir, data, origin: origin.port, workers: 1, cores: Cores::Proxy, more: "" }
}

impl<'a> Setup<'a> {
    /// The same with `more` settings.
    pub fn with(self, more: &'a str) -> Self {
        Self { more, ..self }
    }

    /// Starts the node and waits until it serves and its firewall refuses an attack.
    pub async fn start(self) -> Outcome<Node> {
        let (port, api) = (free_port()?, free_port()?);
        let file = self.dir.join(format!("node-{port}.toml"));
        std::fs::write(&file, self.settings(port, api)?)
            .map_err(|e| format!("writing {}: {e}", file.display()))?;
        let mut command = Command::new(secbeat::program()?);
        command.env("MITIGATION_CONFIG", &file);
        let begin = Instant::now();
        let mut group = Group::start(&format!("node-{port}"), self.cores, self.dir, &mut command)?;
        group.accepts("the node's API", api).await?;
        let api = Api { port: api };
        while let Err(failure) = api.get("/readyz") {
            if begin.elapsed() > PATIENCE {
                return Err(format!("the node is not ready after {PATIENCE:?}: {failure}\n{}", group.said()));
            }
            sleep(Duration::from_millis(1)).await;
        }
        let start = begin.elapsed();
        let proxy = Running::new(Peer::SecbeatWaf, port, group);
        job::check(port, true).await.map_err(|failure| proxy.explain(failure))?;
        Ok(Node { proxy, api, start })
    }

    fn settings(&self, port: u16, api: u16) -> Outcome<String> {
        let Self { data, origin, workers, more, .. } = self;
        let (data, rules) = (data.display(), secbeat::rules()?);
        Ok(format!(
            r#"server.mode = "l7"
server.bind_address = "127.0.0.1:{port}"
server.backend_address = "127.0.0.1:{origin}"
server.worker_threads = {workers}
server.keepalive_timeout = 3600
server.data_dir = "{data}"
server.trusted_proxies = ["127.0.0.1"]
waf.enable = true
waf.rules_path = "{rules}"
metrics.bind_address = "127.0.0.1:{api}"
logging.level = "warn"
{more}
"#,
            rules = rules.display()
        ))
    }
}
