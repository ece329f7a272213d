//! A running node, spoken to over its sockets; what its rules logged is read from its audit log and from its events.

use super::Firewall;
use super::check::Seen;
use super::origin;
use super::setup::Mode;
use super::wire::{Peer, Told};
use serde_json::Value;
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How many requests are sent before the log is read: fewer than wait to be written.
const BATCH: usize = 256;
/// How long the node may take to start, to answer, or to write its log.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at something that is not there yet.
const PAUSE: Duration = Duration::from_millis(20);
/// Behind each batch: a request that CRS logs at every level (932160), so that its line in the log shows that all before it are there.
const LAST: &[u8] = b"GET /?a=/bin/bash HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A node with the rule set before the site of [`super::origin`].
pub struct Node {
    child: Child,
    address: SocketAddr,
    api: SocketAddr,
    audit: PathBuf,
    log: PathBuf,
    /// The newest event that was read.
    last_event: u64,
}

impl Node {
    /// Starts it, in `folder`.
    pub fn start(root: &Path, folder: &Path, rules: &Path, setup: &Path, mode: Mode) -> Result<Self, String> {
        let site = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| format!("a port: {error}"))?;
        let backend = site.local_addr().map_err(|error| format!("a port: {error}"))?;
        thread::spawn(move || {
            site.incoming().flatten().for_each(|stream| drop(thread::spawn(|| serve(stream))))
        });
        let (address, api) = (free_address()?, free_address()?);
        let program = program(root)?;
        let (audit, log) = (folder.join("audit.log"), folder.join("node.log"));
        write(&folder.join("rules.json"), "{\"rules\": []}")?;
        let configuration = configuration([address, api, backend], rules, setup, mode)?;
        write(&folder.join("node.toml"), &configuration)?;
        let stderr = std::fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let child = Command::new(&program)
            .args(["node.toml", "--stop-with-parent"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let mut node = Node { child, address, api, audit, log, last_event: 0 };
        node.wait_until_ready()?;
        Ok(node)
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        until("the node to be ready", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                return Err(format!("the node does not start: {status}\n{log}"));
            }
            Ok(self.call("/readyz").is_ok().then_some(()))
        })
    }

    /// A call of its API: what is answered.
    fn call(&self, path: &str) -> Result<Vec<u8>, String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        match ask(self.api, request.as_bytes()) {
            Ok(Told { status: 200, body, .. }) => Ok(body),
            Ok(Told { status, body, .. }) => {
                Err(format!("GET {path}: {status} {}", String::from_utf8_lossy(&body)))
            }
            Err(error) => Err(format!("GET {path}: {error}")),
        }
    }

    /// Sends requests and reads what was logged for them.
    fn batch(&mut self, requests: &[Vec<u8>]) -> Result<Vec<Seen>, String> {
        let told: Vec<Option<Told>> =
            requests.iter().map(|request| ask(self.address, request).ok()).collect();
        let last = ask(self.address, LAST).map_err(|error| format!("the node does not answer: {error}"))?;
        let logged = self.logged(&last.id)?;
        let events = self.events()?;
        let seen = told.into_iter().map(|told| {
            let Some(Told { status, id, .. }) = told else { return Seen::default() };
            let mut seen = Seen { status: Some(status), ..Seen::default() };
            logged
                .get(&id)
                .into_iter()
                .flatten()
                .for_each(|message| note(message, ["message", "data"], &mut seen));
            // The audit log leaves out what the rule wants left out, and what HTTP refused.
            for event in events.get(&id).into_iter().flatten() {
                let matches = event["matches"].as_array().into_iter().flatten();
                matches.for_each(|found| note(found, ["name", "matched"], &mut seen));
                if event["type"] == "protocol" {
                    seen.refusal = event["reason"].as_str().map(str::to_owned);
                }
            }
            seen
        });
        Ok(seen.collect())
    }

    /// The events of each request since this was last asked.
    fn events(&mut self) -> Result<HashMap<String, Vec<Value>>, String> {
        let mut found: HashMap<String, Vec<Value>> = HashMap::new();
        let (since, mut before) = (self.last_event, String::new());
        loop {
            let body = self.call(&format!("/api/v1/events?limit=1000&since={since}{before}"))?;
            let page: Value =
                serde_json::from_slice(&body).map_err(|error| format!("the events: {error}"))?;
            for event in page["events"].as_array().into_iter().flatten() {
                self.last_event = self.last_event.max(event["id"].as_u64().unwrap_or_default());
                if let Some(id) = event["request_id"].as_str() {
                    found.entry(id.to_owned()).or_default().push(event.clone());
                }
            }
            match page["next"].as_u64() {
                Some(next) => before = format!("&before={next}"),
                None => return Ok(found),
            }
        }
    }

    /// The messages of each request in the audit log, once `last` is in it.
    fn logged(&self, last: &str) -> Result<HashMap<String, Vec<Value>>, String> {
        let logged = until(&format!("request {last} in {}", self.audit.display()), || {
            let logged = messages(&std::fs::read_to_string(&self.audit).unwrap_or_default())?;
            Ok(logged.contains_key(last).then_some(logged))
        })?;
        // Read, and not to be read again: the node appends.
        let emptied =
            std::fs::OpenOptions::new().write(true).open(&self.audit).and_then(|file| file.set_len(0));
        emptied.map(|()| logged).map_err(|error| format!("{}: {error}", self.audit.display()))
    }
}

impl Firewall for Node {
    fn send(&mut self, requests: &[Vec<u8>]) -> Result<Vec<Seen>, String> {
        let mut seen = Vec::with_capacity(requests.len());
        for batch in requests.chunks(BATCH) {
            seen.extend(self.batch(batch)?);
        }
        Ok(seen)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // One that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `look` gives something.
fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>, String>) -> Result<T, String> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(found) = look()? {
            return Ok(found);
        }
        thread::park_timeout(PAUSE);
    }
    Err(format!("waited {} s for {what}", PATIENCE.as_secs()))
}

/// The messages of each request, by the request's id, in the whole lines of an audit log.
fn messages(log: &str) -> Result<HashMap<String, Vec<Value>>, String> {
    let mut logged: HashMap<String, Vec<Value>> = HashMap::new();
    for line in log.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let value: Value =
            serde_json::from_str(line).map_err(|error| format!("audit log: {error}: {line}"))?;
        let (Some(id), Some(messages)) = (value["request_id"].as_str(), value["messages"].as_array()) else {
            return Err(format!("audit log: a line without request_id or messages: {line}"));
        };
        logged.entry(id.to_owned()).or_default().extend(messages.iter().cloned());
    }
    Ok(logged)
}

/// Adds what is said of a rule, unless it is known; `keys` are those of its message and its data.
fn note(said: &Value, [message, data]: [&str; 2], seen: &mut Seen) {
    let text = |key: &str| said[key].as_str().unwrap_or_default();
    if !seen.ids.iter().any(|id| id == text("rule_id")) {
        seen.add(text("rule_id"), text(message), text(data), text("variable"));
    }
}

/// Sends a request on a connection of its own.
fn ask(address: SocketAddr, request: &[u8]) -> io::Result<Told> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Peer::new(stream).ask(request)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// The site's side of one connection, until it ends.
fn serve(stream: TcpStream) {
    let mut peer = Peer::new(stream);
    while let Ok(Some((target, body))) = peer.request() {
        if peer.answer(&origin::answer(&target, &body)).is_err() {
            return;
        }
    }
}

fn configuration(
    [address, api, backend]: [SocketAddr; 3],
    rules: &Path,
    setup: &Path,
    mode: Mode,
) -> Result<String, String> {
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
    let methods = [&methods[..], &["TEST", "FOO", "SUBSCRIBE", "REALLYLONGUNREALMETHOD"]].concat();
    let mode = if mode.blocking { "block" } else { "monitor" };
    Ok(format!(
        "[server]\nbind_address = \"{address}\"\nbackend_address = \"{backend}\"\ndata_dir = \"data\"\nworker_threads = 1\n\
         [metrics]\nbind_address = \"{api}\"\n\
         [timeouts]\nbody = 1\n\
         [limits]\nmethods = {methods:?}\n\
         [waf]\nmode = \"{mode}\"\nrules_path = \"rules.json\"\n\
         [waf.crs]\nenable = true\npath = {}\nsetup = {}\n\
         [recorder]\nmask_headers = []\nmask_parameters = []\n\
         [audit_log]\nenable = true\nfile = \"audit.log\"\n",
        quoted(rules)?,
        quoted(setup)?,
    ))
}

/// A path as a string of TOML.
fn quoted(path: &Path) -> Result<String, String> {
    let path = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = path.to_str().ok_or_else(|| format!("{}: is no UTF-8", path.display()))?;
    Ok(toml::Value::String(text.to_owned()).to_string())
}

/// The node: in `SECBEAT_BIN_DIR`, or built beside this program.
fn program(root: &Path) -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("SECBEAT_BIN_DIR") {
        return Ok(root.join(folder).join("mitigation-node"));
    }
    let own = std::env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let folder = own.parent().ok_or("this program is in no folder")?;
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--locked", "-p", "mitigation-node", "--profile", profile, "--target-dir"])
        .arg(folder.parent().unwrap_or(folder))
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo build: {error}"))?;
    if !status.success() {
        return Err(format!("cargo build: {status}"));
    }
    Ok(folder.join("mitigation-node"))
}

/// An address of loopback that nobody listens on.
fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener.and_then(|listener| listener.local_addr()).map_err(|error| format!("a port: {error}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
