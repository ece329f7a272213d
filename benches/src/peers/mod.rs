//! Each proxy at its best: configuration, start, stop.

mod haproxy;
pub mod job;
pub mod nginx;
pub mod secbeat;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use crate::Outcome;
use crate::certificate::{Certificate, check_cipher};
use crate::process::{Cores, Group, free_port};
use crate::scenario::{Scenario, Scheme};

/// Client connections that every proxy is configured for.
const CONNECTIONS: u32 = 12_000;

/// A proxy in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Debian's nginx.
    Nginx,
    /// Debian's HAProxy.
    Haproxy,
    /// `mitigation-node` without its web application firewall: the same job as the other two.
    Secbeat,
    /// `mitigation-node` inspecting every request with the shipped rules.
    SecbeatWaf,
}

/// What a proxy is started for.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Where its files go, in memory.
    pub dir: &'a Path,
    /// The origin's port on 127.0.0.1.
    pub origin: u16,
    /// Served where it is there; else the proxy speaks plain HTTP.
    pub certificate: Option<&'a Certificate>,
    /// Threads or processes that carry traffic.
    pub workers: usize,
    /// Where they run.
    pub cores: Cores,
}

/// A proxy that answers; dropped, it is stopped.
#[derive(Debug)]
pub struct Running {
    /// Which one.
    pub peer: Peer,
    /// Its port on 127.0.0.1.
    pub port: u16,
    group: Group,
}

impl Peer {
    /// All, rivals first.
    pub const ALL: [Self; 4] = [Self::Nginx, Self::Haproxy, Self::Secbeat, Self::SecbeatWaf];

    /// Whether it is one that we are measured against.
    pub fn is_rival(self) -> bool {
        matches!(self, Self::Nginx | Self::Haproxy)
    }

    /// The name on the command line and in the raw results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Secbeat => "secbeat",
            Self::SecbeatWaf => "secbeat-waf",
        }
    }

    /// The program's own account of its version, or why it cannot take part.
    pub fn version(self) -> Result<String, String> {
        match self {
            Self::Nginx => nginx::version(),
            Self::Haproxy => haproxy::version(),
            Self::Secbeat => secbeat::version(false),
            Self::SecbeatWaf => secbeat::version(true),
        }
    }

    /// Starts it, pinned and configured by `setup`, and waits until it accepts connections.
    pub async fn start(self, setup: Setup<'_>) -> Outcome<Running> {
        let dir = setup.dir.join(self.name());
        // A folder of its own for each start: nothing an earlier one has written may be found by the next.
        let dir = (0..)
            .map(|n: u32| dir.with_extension(n.to_string()))
            .find(|dir| !dir.exists())
            .ok_or("no folder is left")?;
        fs::create_dir_all(&dir).map_err(|e| format!("creating {}: {e}", dir.display()))?;
        let setup = Setup { dir: &dir, ..setup };
        let port = free_port()?;
        let mut command = match self {
            Self::Nginx => nginx::command(setup, port),
            Self::Haproxy => haproxy::command(setup, port),
            Self::Secbeat => secbeat::command(setup, port, false),
            Self::SecbeatWaf => secbeat::command(setup, port, true),
        }?;
        let mut group = Group::start(self.name(), setup.cores, &dir, &mut command)?;
        group.accepts(self.name(), port).await?;
        if setup.certificate.is_some() {
            check_cipher(self.name(), port).await?;
        }
        let running = Running { peer: self, port, group };
        // Asked over plain HTTP only; with TLS the configuration is the same but for the certificate.
        if !self.is_rival() && setup.certificate.is_none() {
            job::check(port, self == Self::SecbeatWaf).await.map_err(|failure| running.explain(failure))?;
        }
        Ok(running)
    }
}

impl Running {
    /// A proxy on `port` that was started otherwise than by [`Peer::start`].
    pub fn new(peer: Peer, port: u16, group: Group) -> Self {
        Self { peer, port, group }
    }

    /// Its process group, for [`crate::measure`].
    pub fn group(&self) -> u32 {
        self.group.id()
    }

    /// Where the scenario's answer is found.
    pub fn url(&self, scenario: Scenario) -> String {
        format!("{}://127.0.0.1:{}/{}", scenario.scheme.url(), self.port, scenario.size.name())
    }

    /// `failure` with what the proxy has said, which is where its cause is found.
    pub fn explain(&self, failure: String) -> String {
        match self.group.said().trim() {
            "" => failure,
            said => format!("{failure}\n{} said:\n{said}", self.peer),
        }
    }
}

/// The proxies that can take part, and for each of the others the reason why not.
pub fn take_part(wanted: &[Peer]) -> (Vec<Peer>, Vec<String>) {
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    for &peer in wanted {
        match peer.version() {
            Ok(_) => present.push(peer),
            Err(reason) => missing.push(format!("{peer} is missing: {reason}")),
        }
    }
    (present, missing)
}

/// Starts every one of `peers` by `setup`.
pub async fn start(peers: &[Peer], setup: Setup<'_>) -> Outcome<Vec<Running>> {
    let mut running = Vec::new();
    for &peer in peers {
        running.push(peer.start(setup).await?);
    }
    Ok(running)
}

/// The certificate that a scheme needs.
pub fn certificate_for(scheme: Scheme, certificate: &Certificate) -> Option<&Certificate> {
    (scheme == Scheme::Tls).then_some(certificate)
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Secbeat => "SecBeat",
            Self::SecbeatWaf => "SecBeat with WAF",
        })
    }
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|peer| peer.name() == name)
            .ok_or_else(|| format!("no peer is named {name:?}: there are {names}"))
    }
}

/// How a peer is written in the raw results.
pub fn by_name<S: serde::Serializer>(peer: &Peer, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(peer.name())
}

/// How a target is written in the raw results that may be the origin itself.
pub fn by_name_or_direct<S: serde::Serializer>(
    peer: &Option<Peer>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(peer.map_or("direct", Peer::name))
}

/// The first line that `program argument` prints on either stream.
fn first_line(program: &str, argument: &str, package: &str) -> Result<String, String> {
    let output = Command::new(program)
        .arg(argument)
        .output()
        .map_err(|e| format!("{program}: {e}; `apt-get install {package}`"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    said.lines().next().map(str::to_owned).ok_or_else(|| format!("`{program} {argument}` printed nothing"))
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    fs::write(path, text).map_err(|e| format!("writing {}: {e}", path.display()))
}
