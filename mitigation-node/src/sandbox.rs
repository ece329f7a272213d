//! What the node denies itself once it has started, so that a fault that somebody takes over is worth little to him: files that it
//! does not need, system calls that a proxy never makes, new privileges, an image of its memory.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`folders`] | the folders that the settings ask for |
//! | [`files`] | no other files (Landlock) |
//! | [`calls`] | no other system calls (seccomp) |
//!
//! Landlock binds the thread that asks for it and the threads which that one starts: [`Sandbox::enter`] comes before them all.

mod calls;
mod files;
mod folders;
#[cfg(test)]
mod tests;

use crate::Failure;
use folders::{Access, Folders, named};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use secbeat_settings::{Degradation, Settings};
use std::io;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a start waits for the backend's name; the lookup only warms the resolver up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// What the kernel has no part of, and what to do.
const NO_LANDLOCK: Degradation = Degradation {
    key: "sandbox.enable",
    why: "the kernel keeps the node from no file: Landlock is not there, or not enabled",
    remedy: "use Linux 5.13 or later and put landlock among its security modules (lsm=landlock,...), or set it to false",
};
const NO_SECCOMP: Degradation = Degradation {
    key: "sandbox.enable",
    why: "the kernel keeps the node from no system call: seccomp is not there, or not for this processor",
    remedy: "use a kernel with CONFIG_SECCOMP_FILTER on x86_64, aarch64 or riscv64, or set it to false",
};

/// A file lies among those of others.
const SINGLE_FILES: Degradation = Degradation {
    key: "sandbox.read_paths",
    why: "a file that the settings name lies in a folder that others use too, such as /etc or /var/log: the node may use it, and no \
          new file in its place, as an editor, a renewal or log rotation puts there",
    remedy: "give such files a folder of their own, such as /etc/secbeat and /var/log/secbeat, or restart when one is replaced",
};

/// Keeps keys and requests out of core dumps, and out of reach of debuggers but root's (`PR_SET_DUMPABLE`, prctl(2)). To be called
/// before the first secret is read.
pub fn forbid_dumps() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

/// What the node has denied itself. The default: nothing.
#[derive(Default)]
pub struct Sandbox {
    /// The folders that are left, where there is a bound at all.
    folders: Option<Folders>,
    missing: Vec<Degradation>,
}

impl Sandbox {
    /// Finds fault with what the settings list, as a start would; denies nothing.
    ///
    /// # Errors
    /// A listed folder is not there.
    pub fn check(settings: &Settings) -> Result<(), Failure> {
        match settings.sandbox.enable {
            true => Folders::listed(settings).map(drop).map_err(Failure::configuration),
            false => Ok(()),
        }
    }

    /// Denies the calling thread, and those it will start, all that a node with these settings does not need. System calls are
    /// denied to threads that run already, too. Nothing of it can be taken back. `rule_files`: what its rules were read from.
    ///
    /// # Errors
    /// A listed folder is not there; or, with `sandbox.required`, the kernel lacks a part.
    pub fn enter(config: &Path, settings: &Settings, rule_files: &[PathBuf]) -> Result<Self, Failure> {
        if !settings.sandbox.enable {
            return Ok(Self::default());
        }
        let folders = Folders::of(config, settings, rule_files).map_err(Failure::configuration)?;
        warm_resolver(settings);
        let mut missing = Vec::new();
        let is_bound = files::allow_only(&folders).map_err(Failure::machine)?;
        if !is_bound {
            missing.push(NO_LANDLOCK);
        }
        if !calls::deny() {
            missing.push(NO_SECCOMP);
        }
        match missing.first() {
            Some(part) if settings.sandbox.required => {
                Err(Failure::machine(format!("sandbox.required: {}; {}", part.why, part.remedy)))
            }
            _ => {
                if is_bound && !folders.files.is_empty() {
                    missing.push(SINGLE_FILES);
                }
                Ok(Self { folders: is_bound.then_some(folders), missing })
            }
        }
    }

    /// What the kernel lacks.
    pub fn missing(&self) -> &[Degradation] {
        &self.missing
    }

    /// Reads a text file, as [`std::fs::read_to_string`] does; the error of a file that is out of reach says so.
    pub fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path).map_err(|error| match &self.folders {
            Some(folders)
                if error.kind() == io::ErrorKind::PermissionDenied && !folders.hold(path, Access::Read) =>
            {
                io::Error::new(error.kind(), out_of_reach(Access::Read))
            }
            _ => error,
        })
    }

    /// Whether all that new settings name is within reach.
    ///
    /// # Errors
    /// What is not, a line each.
    pub fn admits(&self, settings: &Settings) -> Result<(), String> {
        let Some(folders) = &self.folders else { return Ok(()) };
        let beyond: Vec<String> = named(settings)
            .into_iter()
            .filter(|named| !folders.hold(&named.path, named.access))
            .map(|named| format!("{}: {} is {}", named.key, named.path.display(), out_of_reach(named.access)))
            .collect();
        if beyond.is_empty() { Ok(()) } else { Err(beyond.join("\n")) }
    }
}

fn out_of_reach(access: Access) -> String {
    let key = match access {
        Access::Read => "sandbox.read_paths",
        Access::Write => "sandbox.write_paths",
    };
    format!(
        "outside the folders that the node may use since its start: restart it, or list the folder in {key} before the next start"
    )
}

/// Has the C library load what it resolves names with (nsswitch.conf(5)), which it cannot do later: new code is not let in. Only
/// where the backend is given by name. A module that is not loaded by then counts as unavailable, and the next one is asked.
fn warm_resolver(settings: &Settings) {
    let backend = &settings.server.backend_address;
    if backend.address().is_some() {
        return;
    }
    let backend = (backend.host().to_owned(), backend.port());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        // Whether there is such a name is for requests to find out.
        let _ = backend.to_socket_addrs();
        // Nobody listens where it took too long.
        let _ = tell.send(());
    });
    let _ = told.recv_timeout(LOOKUP_TIMEOUT);
}
