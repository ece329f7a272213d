//! What this version has: what it refuses by name, and what it runs without.

use crate::choice::{Format, Mode};
use crate::load::Loaded;
use crate::nearest;
use crate::problem::{Errors, Problem};

/// Sections and keys that are known by name and not built yet, with what to use instead.
pub(crate) const UNBUILT: &[(&str, &str)] = &[
    ("backends", "give one backend in server.backend_address"),
    ("listeners", "give one listener in server.bind_address"),
    ("routes", "all requests go to server.backend_address"),
];

/// Something that the operator asked for and this node runs without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Degradation {
    /// The key that asks for it, `syn_proxy.enable`.
    pub key: &'static str,
    /// Why it is not there.
    pub why: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What a node with these settings has to say of itself; empty: nothing.
pub type Built = Vec<Degradation>;

impl Loaded {
    /// Refuses, by name and place, every mode and key that this version does not have; gives what it runs without.
    pub fn check_built(&self) -> Result<Built, Errors> {
        let mut problems: Vec<Problem> = self
            .unbuilt
            .iter()
            .map(|unbuilt| {
                let message = nearest::not_built(unbuilt.instead);
                Problem::new(Some(unbuilt.origin.clone()), unbuilt.name, message)
            })
            .collect();
        let mut refuse = |path: &str, message: &str| {
            problems.push(Problem::new(self.origins.get(path).cloned(), path, message));
        };
        let mut degraded = Vec::new();
        match self.settings.server.mode {
            Mode::L7 => {}
            Mode::Tcp => refuse("server.mode", "\"tcp\" is not built in this version; use \"l7\""),
            Mode::Syn => refuse("server.mode", "\"syn\" is not built in this version; use \"l7\""),
        }
        if self.settings.logging.format == Format::Ecs {
            refuse("logging.format", "\"ecs\" is not built in this version; use \"json\" or \"pretty\"");
        }
        if self.settings.syn_proxy.enable {
            if self.settings.syn_proxy.required {
                let message =
                    "SYN cookies are not built in this version; set it to false to run without them";
                refuse("syn_proxy.required", message);
            } else {
                degraded.push(Degradation {
                    key: "syn_proxy.enable",
                    why: "this version answers no SYN floods in the kernel yet",
                    remedy: "rely on the kernel's own SYN cookies (sysctl net.ipv4.tcp_syncookies=1), or set it to false",
                });
            }
        }
        if self.settings.orchestrator.is_some() {
            degraded.push(Degradation {
                key: "orchestrator.url",
                why: "this version has no control-plane link yet; the node runs by its file",
                remedy: "manage the node by its file and its API, or remove [orchestrator]",
            });
        }
        Errors::unless_empty(problems)?;
        Ok(degraded)
    }
}
