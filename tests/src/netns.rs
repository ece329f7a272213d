//! Network namespaces, where the tests run as root.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// A namespace with loopback up, gone when it is dropped. Every port in it is free.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// A new namespace; `None`, said on standard output, where the tests may not make any.
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("secbeat-{}-{number}", process::id());
        if !rustix::process::geteuid().is_root() || !ip(&["netns", "add", &name]) {
            println!("skipped: needs root and ip(8)");
            return None;
        }
        let namespace = Self { name };
        assert!(namespace.ip(&["link", "set", "lo", "up"]));
        Some(namespace)
    }

    /// Lays a cable to `other`, with these addresses (`192.0.2.1/24`, `2001:db8::1/64`) at its two ends; packets can go
    /// both ways when this returns.
    pub fn wire(&self, addresses: &[&str], other: &Namespace, others: &[&str]) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (here, there) = (format!("sb{number}a"), format!("sb{number}b"));
        assert!(self.ip(&[
            "link",
            "add",
            &here,
            "type",
            "veth",
            "peer",
            "name",
            &there,
            "netns",
            &other.name
        ]));
        for (namespace, device, addresses) in [(self, &here, addresses), (other, &there, others)] {
            for address in addresses {
                // Without `nodad` an IPv6 address may not be used for its first second (RFC 4862 5.4).
                let nodad: &[&str] = if address.contains(':') { &["nodad"] } else { &[] };
                assert!(namespace.ip(&[&["address", "add", address, "dev", device], nodad].concat()));
            }
            assert!(namespace.ip(&["link", "set", device, "up"]));
        }
    }

    /// Runs `ip` with these arguments inside.
    pub fn ip(&self, arguments: &[&str]) -> bool {
        ip(&[&["-n", &self.name], arguments].concat())
    }

    /// What runs a command inside, to be put before it.
    pub fn wrapper(&self) -> [&str; 5] {
        ["ip", "netns", "exec", &self.name, "env"]
    }

    /// Does something inside, on a thread of its own; what that starts stays inside.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.name)).unwrap();
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            worker.join().unwrap()
        })
    }

    /// A command that runs inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        ip(&["netns", "delete", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> bool {
    Command::new("ip").args(arguments).status().is_ok_and(|status| status.success())
}
