//! What a node is started with.

use crate::certs::Certificate;
use crate::netns::Namespace;
use crate::node::Node;
use crate::origin::Origin;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;

/// A configuration file and a command line, in a folder of their own.
pub struct Setup {
    sections: BTreeMap<String, BTreeMap<String, String>>,
    /// What stands behind the sections: array tables.
    tables: String,
    /// Arguments behind the configuration's path.
    pub arguments: Vec<OsString>,
    /// The environment, apart from `PATH`.
    pub environment: Vec<(String, String)>,
    /// A program that runs the node, with its own arguments: `strace -f …`.
    pub wrapper: Vec<String>,
    /// The folder: working directory, configuration, data and log.
    pub dir: TempDir,
    /// Where the node listens.
    pub address: SocketAddr,
    /// Where its API listens.
    pub api: SocketAddr,
}

impl Setup {
    /// A plain node before `origin`, with one worker and the firewall on.
    pub fn before(origin: &Origin) -> Self {
        Self::before_address(origin.address())
    }

    /// The same before whatever is at `backend`.
    pub fn before_address(backend: SocketAddr) -> Self {
        let mut setup = Self {
            sections: BTreeMap::new(),
            tables: String::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
            wrapper: Vec::new(),
            dir: tempfile::tempdir().unwrap(),
            address: backend,
            api: backend,
        };
        setup.renew_ports();
        setup
            .text("server.backend_address", backend)
            .text("server.data_dir", "data")
            .set("server.worker_threads", 2)
            .set("server.shutdown_timeout", 5)
    }

    /// Takes other ports, for a start that found its own taken.
    pub fn renew_ports(&mut self) {
        (self.address, self.api) = (free_address(), free_address());
        self.put("server.bind_address", format!("\"{}\"", self.address));
        self.put("metrics.bind_address", format!("\"{}\"", self.api));
    }

    /// Sets a key to a value as TOML writes it.
    pub fn set(mut self, key: &str, value: impl Display) -> Self {
        self.put(key, value);
        self
    }

    /// Sets a key to a string.
    pub fn text(self, key: &str, value: impl Display) -> Self {
        self.set(key, format!("\"{value}\""))
    }

    /// Sets a key, in place.
    pub fn put(&mut self, key: &str, value: impl Display) {
        let (section, key) = key.split_once('.').expect("section.key");
        self.sections.entry(section.to_owned()).or_default().insert(key.to_owned(), value.to_string());
    }

    /// Takes a key out, in place.
    pub fn take(&mut self, key: &str) {
        let (section, key) = key.split_once('.').expect("section.key");
        self.sections.get_mut(section).and_then(|keys| keys.remove(key));
    }

    /// With further tables behind the sections, as TOML: `[[sites]]` and what is in it.
    pub fn tables(mut self, toml: &str) -> Self {
        self.put_tables(toml);
        self
    }

    /// Adds tables behind the sections, in place.
    pub fn put_tables(&mut self, toml: &str) {
        self.tables.push_str(toml);
        self.tables.push('\n');
    }

    /// With rules of its own instead of those built in: `rules` is the file's text.
    pub fn rules(self, rules: &str) -> Self {
        fs::write(self.dir.path().join("rules.json"), rules).unwrap();
        self.text("waf.rules_path", "rules.json")
    }

    /// With rules in SecLang in a file of this name, beside those in JSON.
    pub fn secrules(self, name: &str, rules: &str) -> Self {
        fs::write(self.path(name), rules).unwrap();
        self.set("waf.include", format!("[\"{name}\"]"))
    }

    /// With Debian's Core Rule Set, and no rules in JSON. `None`: it is not installed, and the test is to end here.
    pub fn rule_set(self) -> Option<Self> {
        if !Path::new("/usr/share/modsecurity-crs/rules").is_dir() {
            eprintln!("skipped: modsecurity-crs is not installed");
            return None;
        }
        Some(self.rules(r#"{"rules":[]}"#).set("waf.crs.enable", true))
    }

    /// With TLS, and a certificate for localhost.
    pub fn tls(self) -> Self {
        Certificate::for_name("localhost").write(self.dir.path());
        self.text("tls.cert_path", "cert.pem").text("tls.key_path", "key.pem")
    }

    /// With an argument.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With a variable in its environment.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Run inside a namespace, and reachable there at its port by every address.
    pub fn inside(mut self, namespace: &Namespace) -> Self {
        let port = self.address.port();
        self.put("server.bind_address", format!("\"[::]:{port}\""));
        self.wrapped_in(&namespace.wrapper())
    }

    /// Run by another program.
    pub fn wrapped_in(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|part| (*part).to_owned()).collect();
        self
    }

    /// Whether the node speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.sections.contains_key("tls")
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the configuration.
    pub fn write(&self) {
        let mut text = String::new();
        for (section, keys) in &self.sections {
            text.push_str(&format!("[{section}]\n"));
            for (key, value) in keys {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        text.push_str(&self.tables);
        fs::write(self.config(), text).unwrap();
    }

    /// Where the configuration is.
    pub fn config(&self) -> PathBuf {
        self.path("node.toml")
    }

    /// Starts the node and waits until it is ready.
    #[track_caller]
    pub fn start(self) -> Node {
        Node::start(self)
    }
}

/// An address of loopback that nobody listens on, and that no test of this program was given before. Its port is below those
/// that the kernel gives to outgoing connections.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u32 = 10_240;
    const COUNT: u32 = 22_000;
    loop {
        let number = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + (process::id().wrapping_mul(97) + number) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap()));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// Copies a folder whole.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
