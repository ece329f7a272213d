//! Addresses, folders, and the configuration of each node.

use super::Backend;
use crate::arguments::Quickstart;
use crate::failure::Failure;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where everything is.
pub struct Layout {
    /// Where the protected site answers.
    pub listen: SocketAddr,
    /// Where the API of each node answers, one for each node.
    pub apis: Vec<SocketAddr>,
    /// Holds the files of all nodes.
    pub folder: PathBuf,
    /// Removes the folder at the end, where it is ours.
    temporary: Option<TempDir>,
}

impl Layout {
    /// Chooses the addresses, each made sure to be free, and makes the folder.
    ///
    /// # Errors
    /// An address is taken or not ours, or the folder cannot be made.
    pub fn new(options: &Quickstart) -> Result<Self, Failure> {
        let mut claimed = vec![claim("--listen", options.listen)?];
        for node in 0..options.nodes {
            let mut api = options.node_api;
            if api.port() != 0 {
                let port = api.port().checked_add(node);
                api.set_port(
                    port.ok_or_else(|| Failure::usage("--node-api: there are not enough ports after it"))?,
                );
            }
            claimed.push(claim("--node-api", api)?);
        }
        let addresses: io::Result<Vec<SocketAddr>> = claimed.iter().map(TcpListener::local_addr).collect();
        let mut addresses = addresses.map_err(Failure::no)?.into_iter();
        let listen = addresses.next().unwrap_or(options.listen);
        let (folder, temporary) = folder(options.data_dir.as_deref())?;
        Ok(Self { listen, apis: addresses.collect(), folder, temporary })
    }

    /// Whether the folder is removed at the end.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The configuration of a node, counted from 0.
    pub fn config_path(&self, node: usize) -> PathBuf {
        self.folder.join(format!("node-{}.toml", node + 1))
    }

    /// The log of a node, counted from 0.
    pub fn log_path(&self, node: usize) -> PathBuf {
        self.folder.join(format!("node-{}.log", node + 1))
    }

    /// Writes the configuration of a node.
    pub fn write_config(&self, node: usize, api: SocketAddr, backend: &Backend) -> Result<(), Failure> {
        let path = self.config_path(node);
        fs::write(&path, self.config(node, api, backend))
            .map_err(|error| Failure::no(format!("{}: {error}", path.display())))
    }

    fn config(&self, node: usize, api: SocketAddr, backend: &Backend) -> String {
        let path = |name: &str| quoted(&self.folder.join(name));
        let mut trusted = vec!["127.0.0.0/8".to_owned(), "::1/128".to_owned()];
        if !self.listen.ip().is_loopback() && !self.listen.ip().is_unspecified() {
            // A request from this machine to that address comes from that address.
            trusted.push(self.listen.ip().to_string());
        }
        format!(
            r#"# Written by `secbeat quickstart` at each start.

[server]
mode = "l7"
bind_address = "{listen}"
backend_address = "{backend}"
reuse_port = {shared}
data_dir = {data}
trusted_proxies = {trusted:?}  # So that a request from this machine can play a client: X-Forwarded-For
shutdown_timeout = 5

[tls]
cert_path = {cert}
key_path = {key}

[waf]
enable = true

[metrics]
enable = true
bind_address = "{api}"

[logging]
level = "info"
format = "pretty"
"#,
            listen = self.listen,
            backend = backend.authority,
            shared = self.apis.len() > 1,
            data = path(&format!("node-{}", node + 1)),
            cert = path("cert.pem"),
            key = path("key.pem"),
        )
    }

    /// Where a client on this machine finds the site.
    pub fn site(&self) -> SocketAddr {
        reachable(self.listen)
    }

    /// Where a client on this machine finds the API of each node.
    pub fn reachable_apis(&self) -> impl Iterator<Item = SocketAddr> {
        self.apis.iter().copied().map(reachable)
    }
}

/// Holds an address for as long as the listener lives. Without `SO_REUSEPORT` the kernel refuses it if anybody listens there,
/// even one who would share.
fn claim(flag: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there: stop it, or give another address (port 0 takes a free one)"
            }
            io::ErrorKind::PermissionDenied => "ports below 1024 need root or CAP_NET_BIND_SERVICE",
            io::ErrorKind::AddrNotAvailable => "this machine has no such address",
            _ => "give another address",
        };
        Failure::usage(format!("{flag} {address}: {error}: {remedy}"))
    })
}

fn folder(wanted: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), Failure> {
    let Some(wanted) = wanted else {
        let made = tempfile::Builder::new().prefix("secbeat-").tempdir();
        let made = made.map_err(|error| Failure::no(format!("cannot make a temporary folder: {error}")))?;
        return Ok((made.path().to_owned(), Some(made)));
    };
    let failed = |error| Failure::usage(format!("--data-dir {}: {error}", wanted.display()));
    fs::create_dir_all(wanted).map_err(failed)?;
    Ok((std::path::absolute(wanted).map_err(failed)?, None))
}

fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// A path as a TOML string (JSON's escapes are TOML's) in which no `$` names a variable.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.to_string_lossy().replace('$', "$$")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_and_names_no_variable() {
        assert_eq!(quoted(Path::new("/a \"b\"/${HOME}")), r#""/a \"b\"/$${HOME}""#);
    }

    #[test]
    fn an_address_in_use_is_refused_with_its_flag() {
        let held = claim("--listen", "127.0.0.1:0".parse().unwrap()).unwrap();
        let error = claim("--listen", held.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.code, 2);
        assert!(
            error.message.starts_with("--listen 127.0.0.1:") && error.message.contains("another program"),
            "{}",
            error.message
        );
    }

    #[test]
    fn the_unspecified_address_is_reached_over_loopback() {
        assert_eq!(reachable("0.0.0.0:1".parse().unwrap()), "127.0.0.1:1".parse().unwrap());
        assert_eq!(reachable("[::]:1".parse().unwrap()), "[::1]:1".parse().unwrap());
        assert_eq!(reachable("192.0.2.1:1".parse().unwrap()), "192.0.2.1:1".parse().unwrap());
    }
}
