//! The kill switch as the operator turns it: in force at once, told of, and kept on the disk so that a restart does not bring back
//! what was turned off.

use crate::storage::{self, Audience};
use secbeat_l7::Shared;
use secbeat_l7::kill_switch::{Stance, Switch};
use secbeat_settings::HostPattern;
use secbeat_types::{Event, EventKind, Timestamp};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most hosts that switches name, in all: those beyond them are named by a pattern.
pub const HOSTS_MAX: usize = 1024;

/// Turns the switch, and keeps it on the disk.
pub struct KillSwitchKeeper {
    path: PathBuf,
    /// Held while switches are changed in memory alone.
    turning: Mutex<()>,
    /// Held while they are written.
    writing: Mutex<()>,
    is_saved: AtomicBool,
}

/// [`HOSTS_MAX`] hosts would be named, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyHosts;

impl KillSwitchKeeper {
    /// Puts in force what was kept in `data_dir` and has not run out at `now`. None lasts longer than it was given: the clock may
    /// have been wrong.
    ///
    /// # Errors
    /// The file is there and cannot be read or understood: whoever turned the switch is to hear of it before traffic does.
    pub fn load(data_dir: &Path, shared: &Shared, now: Timestamp) -> Result<Self, String> {
        let path = data_dir.join("panic.json");
        let mut kept: Vec<Switch> = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read
                .map_err(|error| error.to_string())
                .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
                .map_err(|error| {
                    format!(
                        "{}: {error}; mend it, or move it away to start with the kill switch at normal",
                        path.display()
                    )
                })?,
        };
        kept.retain(|switch| now < switch.until);
        for switch in &mut kept {
            switch.until = switch.until.min(now.after(switch.until.since(switch.since)));
        }
        shared.kill_switch.set(kept);
        let is_saved = AtomicBool::new(true);
        Ok(Self { path, turning: Mutex::default(), writing: Mutex::default(), is_saved })
    }

    /// Turns the switch for its hosts, in place of what it was for each of these; without hosts for all, in place of everything.
    /// In force when this returns. A host is turned back to normal for as long as a switch for more than it alone is turned.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn turn(&self, shared: &Shared, mut switch: Switch, actor: &str) -> Result<Switch, TooManyHosts> {
        let _turning = self.turning();
        let named: HashSet<HostPattern> = switch.hosts.drain(..).collect();
        switch.hosts = named.iter().cloned().collect();
        switch.hosts.sort_by_key(HostPattern::to_string);
        let mut switches = shared.kill_switch.switches();
        switches.retain_mut(|known| {
            let was_for_all = known.hosts.is_empty();
            known.hosts.retain(|host| !named.contains(host));
            switch.since < known.until && !named.is_empty() && (was_for_all || !known.hosts.is_empty())
        });
        if switch.mode == Stance::Normal {
            let others =
                switches.iter().filter(|known| known.mode != Stance::Normal).map(|known| known.until);
            switch.until = others.max().unwrap_or(switch.since);
        }
        if switch.since < switch.until {
            switches.push(switch.clone());
        }
        // Without another switch there is nothing to be normal among.
        if switches.iter().all(|known| known.mode == Stance::Normal) {
            switches.clear();
        }
        if switches.iter().map(|known| known.hosts.len()).sum::<usize>() > HOSTS_MAX {
            return Err(TooManyHosts);
        }
        self.put(shared, switches);
        let event = if switch.mode == Stance::Normal { "panic_lifted" } else { "panic_engaged" };
        let event = Event::new(EventKind::Policy, "mitigation-node", event, told(&switch));
        shared.tell(Event { actor: Some(actor.to_owned()), ..event });
        Ok(switch)
    }

    /// Writes what is in force, where it is not on the disk yet. To be called behind [`turn`](Self::turn), where waiting is fine,
    /// and each second.
    ///
    /// # Errors
    /// The disk's; the switch stays as it was turned, and this is to be called again.
    pub fn save(&self, shared: &Shared) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // Before it is read: what is turned while this writes is written the next time.
        if self.is_saved.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let written = serde_json::to_string_pretty(&shared.kill_switch.switches())
            .map_err(io::Error::other)
            .and_then(|text| storage::replace(&self.path, text.as_bytes(), Audience::Owner));
        if written.is_err() {
            self.is_saved.store(false, Ordering::Release);
        }
        written
    }

    /// Whether what is in force is on the disk.
    pub fn is_saved(&self) -> bool {
        self.is_saved.load(Ordering::Acquire)
    }

    /// Moves the ends of all switches by `ms`, forward where positive, as the clock of decisions is moved.
    pub fn shift(&self, shared: &Shared, ms: i64) {
        let _turning = self.turning();
        let mut switches = shared.kill_switch.switches();
        for switch in &mut switches {
            let moved = |at: Timestamp| Timestamp::from_unix_ms(at.unix_ms().saturating_add(ms));
            (switch.since, switch.until) = (moved(switch.since), moved(switch.until));
        }
        if !switches.is_empty() {
            self.put(shared, switches);
        }
    }

    /// Turns back what has run out. To be called each second.
    pub fn expire(&self, shared: &Shared, now: Timestamp) {
        if shared.kill_switch.switches().iter().all(|switch| now < switch.until) {
            return;
        }
        let _turning = self.turning();
        let (kept, over): (Vec<Switch>, Vec<Switch>) =
            shared.kill_switch.switches().into_iter().partition(|switch| now < switch.until);
        self.put(shared, kept);
        for switch in over {
            shared.tell(Event::new(EventKind::Policy, "mitigation-node", "panic_expired", told(&switch)));
        }
    }

    fn put(&self, shared: &Shared, switches: Vec<Switch>) {
        shared.kill_switch.set(switches);
        self.is_saved.store(false, Ordering::Release);
    }

    /// A panic elsewhere leaves the switches whole: they are swapped.
    fn turning(&self) -> MutexGuard<'_, ()> {
        self.turning.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A switch in a sentence.
fn told(switch: &Switch) -> String {
    let hosts: Vec<String> = switch.hosts.iter().map(HostPattern::to_string).collect();
    let hosts = if hosts.is_empty() { "all hosts".to_owned() } else { hosts.join(", ") };
    let reason = if switch.reason.is_empty() { String::new() } else { format!(": {}", switch.reason) };
    format!("{} for {hosts} until {}{reason}", switch.mode.as_str(), switch.until)
}
