//! The kill switch as the operator turns it: in force at once, told of, and kept on the disk so that a restart does not bring back
//! what was turned off.

use crate::storage::{self, Audience};
use secbeat_l7::Shared;
use secbeat_l7::kill_switch::{Stance, Switch};
use secbeat_settings::HostPattern;
use secbeat_types::{Event, EventKind, Timestamp};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The most switches that are turned at once: hosts beyond them are named by one pattern.
pub const SWITCHES_MAX: usize = 256;

/// Why the switch was not turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnError {
    /// [`SWITCHES_MAX`] are turned.
    TooMany,
    /// It cannot be turned back for some hosts while it is turned for all.
    TurnedForAll,
}

/// Turns the switch, and keeps it on the disk.
pub struct KillSwitchKeeper {
    path: PathBuf,
    /// Held while switches are changed in memory alone.
    turning: Mutex<()>,
    /// Held while they are written.
    writing: Mutex<()>,
}

impl KillSwitchKeeper {
    /// Puts in force what was kept in `data_dir` and has not run out at `now`.
    ///
    /// # Errors
    /// The file is there and cannot be read or understood: whoever turned the switch is to hear of it before traffic does.
    pub fn load(data_dir: &Path, shared: &Shared, now: Timestamp) -> Result<Self, String> {
        let path = data_dir.join("panic.json");
        let kept: Vec<Switch> = match std::fs::read_to_string(&path) {
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
        let keeper = Self { path, turning: Mutex::default(), writing: Mutex::default() };
        shared.kill_switch.set(kept.into_iter().filter(|switch| now < switch.until).collect());
        Ok(keeper)
    }

    /// Turns the switch for its hosts (none: for all), in place of what it was for each of these; `Stance::Normal` turns it back,
    /// for all hosts also where it was turned for some. In force when this returns.
    ///
    /// # Errors
    /// Nothing has changed then.
    pub fn turn(&self, shared: &Shared, switch: Switch) -> Result<(), TurnError> {
        let _turning = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
        let now = switch.since;
        let mut switches = Vec::clone(&shared.kill_switch.switches());
        switches.retain(|known| now < known.until);
        if switch.mode == Stance::Normal && switch.hosts.is_empty() {
            switches.clear();
        } else if switch.mode == Stance::Normal && switches.iter().any(|known| known.hosts.is_empty()) {
            return Err(TurnError::TurnedForAll);
        }
        switches.retain_mut(|known| match known.hosts.is_empty() {
            true => !switch.hosts.is_empty(),
            false => {
                known.hosts.retain(|host| !switch.hosts.contains(host));
                !known.hosts.is_empty()
            }
        });
        if switch.mode != Stance::Normal {
            switches.push(switch.clone());
        }
        if switches.len() > SWITCHES_MAX {
            return Err(TurnError::TooMany);
        }
        shared.kill_switch.set(switches);
        let event = if switch.mode == Stance::Normal { "panic_lifted" } else { "panic_engaged" };
        shared.tell(Event::new(EventKind::Policy, "mitigation-node", event, told(&switch)));
        Ok(())
    }

    /// Writes what is in force. To be called behind [`turn`](Self::turn), where waiting is fine.
    ///
    /// # Errors
    /// The disk's; the switch stays as it was turned, until the next start.
    pub fn save(&self, shared: &Shared) -> io::Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = serde_json::to_string_pretty(&*shared.kill_switch.switches()).map_err(io::Error::other)?;
        storage::replace(&self.path, text.as_bytes(), Audience::Owner)
    }

    /// Moves the ends of all switches by `ms`, forward where positive, as the clock of decisions was moved.
    pub fn shift(&self, shared: &Shared, ms: i64) {
        let _turning = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
        let mut switches = Vec::clone(&shared.kill_switch.switches());
        for switch in &mut switches {
            let moved = |at: Timestamp| Timestamp::from_unix_ms(at.unix_ms().saturating_add(ms));
            (switch.since, switch.until) = (moved(switch.since), moved(switch.until));
        }
        shared.kill_switch.set(switches);
    }

    /// Turns back what has run out. To be called each second.
    pub fn expire(&self, shared: &Shared, now: Timestamp) {
        if shared.kill_switch.switches().iter().all(|switch| now < switch.until) {
            return;
        }
        let _turning = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, over): (Vec<Switch>, Vec<Switch>) =
            shared.kill_switch.switches().iter().cloned().partition(|switch| now < switch.until);
        shared.kill_switch.set(kept);
        for switch in over {
            shared.tell(Event::new(EventKind::Policy, "mitigation-node", "panic_expired", told(&switch)));
        }
    }
}

/// A switch in a sentence.
fn told(switch: &Switch) -> String {
    let hosts: Vec<String> = switch.hosts.iter().map(HostPattern::to_string).collect();
    let hosts = if hosts.is_empty() { "all hosts".to_owned() } else { hosts.join(", ") };
    let reason = if switch.reason.is_empty() { String::new() } else { format!(": {}", switch.reason) };
    format!("{} for {hosts} until {}{reason}", switch.mode.as_str(), switch.until)
}
